"""Accounts, roles, scopes, sessions and API keys, and the rules for names and passwords. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from imgcore.errors import Invalid, TooManyTries
from imgcore.gallery.models import EVERYBODY, Viewer

SHORTEST_PASSWORD = 12  # characters
LONGEST_PASSWORD = 256
LABEL_LENGTH = 80
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
    """Who may view the images of an account."""

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
    used_at: datetime | None


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


class Hasher(Protocol):
    """Hashes passwords and verifies them."""

    def hash(self, password: str) -> str:
        """Return the hash to store. Unavailable where too many are being computed."""
        ...

    def verify(self, stored: str | None, password: str) -> bool:
        """Return whether ``password`` matches; ``None`` takes as long as a mismatch and is False."""
        ...

    def outdated(self, stored: str) -> bool:
        """Return whether the hash was computed with other parameters than the current ones."""
        ...


class AttemptCounter(Protocol):
    """Counts attempts and limits their rate."""

    def hit(self, tries: Sequence[tuple[str, int, float]]) -> float:
        """Count an attempt under each (name, free attempts, longest wait in seconds); all are counted or none.

        Return 0 where it is permitted, else the seconds to wait. After the free attempts each one doubles the
        wait; an hour without an attempt resets it. Unavailable.
        """
        ...

    def reset(self, names: Sequence[str], refund: Sequence[str]) -> None:
        """After a success: reset the counts of ``names`` and take one attempt back from those of ``refund``."""
        ...


class AccountStore(AttemptCounter, Protocol):
    """Stores accounts. Every method is one transaction and raises Unavailable without the database.

    Tokens are passed as SHA-256 hashes in hexadecimal. Times are those of the database's clock.
    """

    def add(self, public_id: str, name: str, role: Role, password: str) -> Account:
        """Insert an account. password: its hash. Conflict (``name_taken``)."""
        ...

    def all(self) -> Sequence[tuple[Account, int]]:
        """Return all accounts by name, each with the number of its images outside the trash."""
        ...

    def find(self, public_id: str) -> Account | None:
        """Return the account of that public id."""
        ...

    def named(self, name: str) -> tuple[Account, str] | None:
        """Return the account of that name and its password hash."""
        ...

    def set_password(self, account_id: int, password: str, *, sign_out: bool) -> None:
        """Store a password hash. sign_out: also end all sessions of the account."""
        ...

    def set_role(self, account_id: int, role: Role) -> None:
        """Change the role. Conflict (``last_administrator``) where no administrator would be left."""
        ...

    def delete(self, account_id: int, *, in_trash_for: float) -> int:
        """Delete an account with its sessions and keys; return the number of its images.

        The images are moved to the trash as if that had happened ``in_trash_for`` seconds ago. Conflict
        (``last_administrator``).
        """
        ...

    def has_administrator(self) -> bool:
        """Return whether there is an administrator."""
        ...

    def has_anybody(self) -> bool:
        """Return whether there is any account."""
        ...

    def offer_set_up(self, token: str, seconds: float) -> None:
        """Store a set-up token, which authorises creating the first administrator for ``seconds``."""
        ...

    def has_set_up_token(self, token: str) -> bool:
        """Return whether ``token`` is a valid set-up token."""
        ...

    def set_up(self, token: str, public_id: str, name: str, password: str) -> Account | None:
        """Create the first administrator and delete all set-up tokens; None where the token is not valid."""
        ...

    def start_session(
        self, account_id: int, public_id: str, token: str, *, address: str, agent: str, seconds: float
    ) -> None:
        """Insert a session that expires after ``seconds`` without use."""
        ...

    def session(self, token: str, *, seconds: float, longest: float) -> tuple[Account, Session] | None:
        """Return the session and its account, extended to ``seconds`` from now, ``longest`` from its start."""
        ...

    def sessions(self, account_id: int) -> Sequence[Session]:
        """Return the account's valid sessions, the most recently used first."""
        ...

    def end_session(self, account_id: int, public_id: str) -> bool:
        """Delete a session of the account; False where it does not exist."""
        ...

    def end_token(self, token: str) -> None:
        """Delete the session of that token, if it exists."""
        ...

    def end_sessions(self, account_id: int) -> int:
        """Delete all sessions of the account and return how many."""
        ...

    def add_key(
        self, account_id: int, public_id: str, token: str, *, label: str, scopes: frozenset[Scope], hint: str
    ) -> None:
        """Insert an API key. Conflict (``too_many_keys``) beyond 100 of one account."""
        ...

    def key(self, token: str) -> tuple[Account, ApiKey] | None:
        """Return the key and its account, and store the time of use."""
        ...

    def keys(self, account_id: int) -> Sequence[ApiKey]:
        """Return the account's keys, the newest first."""
        ...

    def remove_key(self, account_id: int, public_id: str) -> bool:
        """Delete a key of the account; False where it does not exist."""
        ...


def count_attempt(store: AttemptCounter, *tries: tuple[str, int, float]) -> None:
    """Count an attempt, see AttemptCounter.hit. TooManyTries where the limit is reached."""
    if (wait := store.hit(tries)) > 0:
        raise TooManyTries("Too many attempts. Wait a little, then try again.", retry_after=wait)


def clean_account_name(name: str) -> str:
    """Return ``name`` as it is stored and compared. Invalid (``name``) where it is not acceptable."""
    if not _NAME.fullmatch(name):
        raise Invalid(
            "A name has 1 to 63 letters (a–z), digits or . _ @ + - and begins with a letter or a digit.",
            code="name",
        )
    return name.lower()


def clean_password(password: str) -> str:
    """Return ``password`` in NFKC, the form that is hashed (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def check_new_password(password: str, name: str) -> str:
    """Return the new password of the account ``name`` in NFKC. Invalid (``password``) where it is weak."""
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
    return cleaned
