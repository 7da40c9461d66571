"""Accounts, roles, scopes, sessions and API keys, and the rules for names and passwords. Pure."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from imgcore.errors import Forbidden, Invalid, TooManyTries
from imgcore.gallery.models import EVERYBODY, Viewer
from imgcore.text import normalized, one_line

if TYPE_CHECKING:
    from imgcore.db.login_throttle import LoginThrottle

SHORTEST_PASSWORD = 12  # characters
LONGEST_PASSWORD = 256
LABEL_LENGTH = 80
SECURITY_LOG_SECONDS = 90 * 86_400.0  # how long security events are kept
KEY_DAYS = 90  # until an API key expires, unless its owner chooses another of KEY_DAYS_CHOICES
KEY_DAYS_CHOICES = (7, 30, 90, 365)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,62}", re.ASCII)


class Role(StrEnum):
    """The role of an account."""

    PERSON = "person"
    ADMINISTRATOR = "administrator"  # may view and change everything, and create accounts


class Scope(StrEnum):
    """A permission. A session has all scopes of the account's role; an API key has some of them."""

    READ = "read"
    UPLOAD = "upload"
    EDIT = "edit"  # texts, retries, the trash
    ADMIN = "admin"  # the images of all accounts, and the accounts


_PERSON_SCOPES = frozenset({Scope.READ, Scope.UPLOAD, Scope.EDIT})
ALL_SCOPES = frozenset(Scope)


class Visibility(StrEnum):
    """The visibility of an account's images: to whom they are shown."""

    PRIVATE = "private"  # the account
    SHARED = "shared"  # all accounts
    PUBLIC = "public"  # everybody


@dataclass(frozen=True, slots=True)
class Account:
    """An account. name: in lower case. public_id: the id for use outside the database."""

    id: int
    public_id: str
    name: str
    role: Role
    created_at: datetime
    password_at: datetime  # when the password was set

    @property
    def scopes(self) -> frozenset[Scope]:
        """The scopes of the role."""
        return ALL_SCOPES if self.role is Role.ADMINISTRATOR else _PERSON_SCOPES


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser."""

    public_id: str
    created_at: datetime
    seen_at: datetime
    address: str
    agent: str  # the User-Agent header


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key, without its secret, which is shown only once."""

    public_id: str
    label: str
    scopes: frozenset[Scope]
    hint: str  # the first characters of the key
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    used_address: str | None = None  # the IP address that used it last
    expired: bool = False  # by the database's clock


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey. credential: the id that its authenticator gave it. sign_count: of its last signature."""

    id: int
    public_id: str
    label: str
    created_at: datetime
    used_at: datetime | None
    credential: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """The authenticator app of an account.

    secret: in base32, or its token of Cipher where it is encrypted. last_step: the time step of the last code
    that was used. recovery_codes: their number.
    """

    secret: str = field(repr=False)
    last_step: int
    created_at: datetime
    recovery_codes: int
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """How much an account may have.

    images: received, awaited and in the trash. bytes: of their originals. uploads: requested, not yet received.
    spend_day, spend_month: what models may cost, in US dollars; None: as much as the whole gallery may.
    """

    images: int = 100_000
    bytes: int = 2**40
    uploads: int = 1_000
    spend_day: float | None = None
    spend_month: float | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account uses of its Quota. unsized: uploads whose size is not known yet, not in ``bytes``."""

    images: int
    bytes: int
    uploads: int
    unsized: int = 0


@dataclass(frozen=True, slots=True)
class SecurityEntry:
    """An entry of the security log. event: a value of imgcore.accounts.security_log.SecurityEvent."""

    id: int
    at: datetime
    event: str
    actor: str | None  # the name of the account that acted
    subject: str | None  # the account, photo or setting concerned
    address: str
    detail: str


@dataclass(frozen=True, slots=True)
class Caller:
    """The client of a request: a session, an API key, nobody, or anybody (open mode, without accounts)."""

    scopes: frozenset[Scope] = frozenset()
    account: Account | None = None
    session: Session | None = None
    key: ApiKey | None = None
    open: bool = False

    def viewer(self, visibility: Visibility) -> Viewer:
        """Return the client's rights in the gallery; only the scope admin gives those of an administrator."""
        if self.open:
            return EVERYBODY
        if self.account is None:
            return Viewer(None, sees_others=visibility is Visibility.PUBLIC, changes_others=False)
        if Scope.ADMIN in self.scopes:
            return Viewer(self.account.id)
        return Viewer(self.account.id, sees_others=visibility is not Visibility.PRIVATE, changes_others=False)


OPEN = Caller(ALL_SCOPES, open=True)


class Cipher(Protocol):
    """Encrypts secrets that the database holds, with a key that it does not. Misconfigured, Unavailable."""

    def encrypt(self, secret: str, context: str) -> str:
        """Return a token that ``decrypt`` accepts with the same context."""
        ...

    def decrypt(self, token: str, context: str) -> str | None:
        """Return the secret; None where the key is another one, or the context."""
        ...

    def is_current(self, token: str) -> bool:
        """Return whether the key that encrypts now made the token."""
        ...


class Hasher(Protocol):
    """Hashes passwords and verifies them."""

    def hash(self, password: str) -> str:
        """Return the hash to store. Unavailable where too many are being computed."""
        ...

    def verify(self, stored: str | None, password: str) -> bool:
        """Return whether ``password`` matches; ``None`` takes as long as a mismatch and is False."""
        ...

    def admitted(self) -> AbstractContextManager[None]:
        """Admit a sign-in of an unknown browser. Unavailable where too many are being verified."""
        ...

    def outdated(self, stored: str) -> bool:
        """Return whether the hash was computed with other parameters than the current ones."""
        ...


def count_attempt(store: LoginThrottle, *tries: tuple[str, int, float]) -> None:
    """Count an attempt, see LoginThrottle.hit. TooManyTries where the limit is reached."""
    if (wait := store.hit(tries)) > 0:
        raise TooManyTries("Too many attempts. Wait a little, then try again.", retry_after=wait)


def wrong_password() -> Forbidden:
    """Return the error where somebody does not confirm an action by the account's present password."""
    return Forbidden("This is not your password.", code="password")


def clean_account_name(name: str) -> str:
    """Return ``name`` as it is stored and compared. Invalid (``name``) where it is not acceptable."""
    if not _NAME.fullmatch(name):
        raise Invalid(
            "A name has 1 to 63 letters (a–z), digits or . _ @ + - and begins with a letter or a digit.",
            code="name",
        )
    return name.lower()


def clean_key(account: Account, label: str, scopes: Iterable[str], days: int) -> tuple[str, frozenset[Scope]]:
    """Return label and scopes of a new API key as stored. Invalid (``label``, ``scopes``, ``days``)."""
    label = one_line(label)
    if not 1 <= len(label) <= LABEL_LENGTH:
        raise Invalid(f"Enter the purpose of the key, in 1 to {LABEL_LENGTH} characters.", code="label")
    asked = frozenset(scopes)
    if not asked or not asked <= {scope.value for scope in ALL_SCOPES & account.scopes}:
        raise Invalid("Choose what the key may do, among what you may do yourself.", code="scopes")
    if days not in KEY_DAYS_CHOICES:
        raise Invalid("Choose for how long the key is valid.", code="days")
    return label, frozenset(Scope(scope) for scope in asked)


def clean_password(password: str) -> str:
    """Return ``password`` in NFKC, the form that is hashed (NIST SP 800-63B, 3.1.1.2)."""
    return normalized("NFKC", password)


def generate_password() -> str:
    """Return a random password of 20 characters (120 bits)."""
    return secrets.token_urlsafe(15)


def check_new_password(password: str, name: str) -> str:
    """Return the new password of the account ``name`` in NFKC. Invalid (``password``) where it is weak."""
    from imgcore.accounts.common_passwords.check import is_common

    cleaned = clean_password(password)
    if not SHORTEST_PASSWORD <= len(cleaned) <= LONGEST_PASSWORD:
        said = (
            f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; a few words make a good one."
        )
        raise Invalid(said, code="password")
    try:
        cleaned.encode()
    except UnicodeEncodeError:
        raise Invalid("The password contains characters that cannot be stored.", code="password") from None
    if len(set(cleaned)) < 5 or cleaned.lower().replace(name, "").strip() == "":
        raise Invalid("This password is too easy to guess; a few words make a good one.", code="password")
    if is_common(cleaned):
        raise Invalid(
            "This password is one of the most common ones; a few words make a good one.", code="password"
        )
    return cleaned
