"""Who uses the gallery: accounts, what they may do, how they show who they are. Pure."""

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
    """What an account is."""

    PERSON = "person"
    ADMINISTRATOR = "administrator"  # sees and changes everything, and makes accounts


class Scope(StrEnum):
    """What a request may do; an API key has some of them, a person at the browser all that the role allows."""

    READ = "read"
    UPLOAD = "upload"
    EDIT = "edit"  # words, retries, the trash
    ADMIN = "admin"  # everybody's photographs, and the accounts


_PERSONS = frozenset({Scope.READ, Scope.UPLOAD, Scope.EDIT})
ALL_SCOPES = frozenset(Scope)


class Visibility(StrEnum):
    """Who sees the photographs of others."""

    PRIVATE = "private"  # nobody
    SHARED = "shared"  # everybody with an account
    PUBLIC = "public"  # everybody


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody. ``name`` is in small letters, ``public_id`` what others may be told instead of the id."""

    id: int
    public_id: str
    name: str
    role: Role
    created_at: datetime
    password_at: datetime  # when the password was set

    @property
    def scopes(self) -> frozenset[Scope]:
        """Everything that the role allows."""
        return ALL_SCOPES if self.role is Role.ADMINISTRATOR else _PERSONS


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that has signed in."""

    public_id: str
    created_at: datetime
    seen_at: datetime
    address: str
    agent: str  # as the browser named itself


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One program's key, without the secret: that is shown once."""

    public_id: str
    label: str
    scopes: frozenset[Scope]
    hint: str  # how the key begins
    created_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a browser's session, a program's key, nobody in particular, or anybody (open mode)."""

    scopes: frozenset[Scope] = frozenset()
    account: Account | None = None
    session: Session | None = None
    key: ApiKey | None = None
    open: bool = False

    def viewer(self, visibility: Visibility) -> Viewer:
        """Whose eyes the gallery is seen with. An administrator's key needs the scope admin to see all."""
        if self.open:
            return EVERYBODY
        if self.account is None:
            return Viewer(None, sees_others=visibility is Visibility.PUBLIC, changes_others=False)
        if Scope.ADMIN in self.scopes:
            return Viewer(self.account.id)
        return Viewer(self.account.id, sees_others=visibility is not Visibility.PRIVATE, changes_others=False)


OPEN = Caller(ALL_SCOPES, open=True)


class Hasher(Protocol):
    """Passwords to what may be stored, and back to yes or no."""

    def hash(self, password: str) -> str:
        """What is stored. Unavailable where too many are being computed already."""
        ...

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the password; ``None`` takes as long as any other answer, and is False."""
        ...

    def outdated(self, stored: str) -> bool:
        """Whether it was computed with less effort than is usual now."""
        ...


class AttemptCounter(Protocol):
    """Where tries are counted."""

    def hit(self, tries: Sequence[tuple[str, int, float]]) -> float:
        """Count a try under each (name, free tries, longest wait in seconds), all or none. Unavailable.

        0 where it may go on; else the seconds to wait, and nothing is counted. After the free tries, each one
        more doubles the wait; an hour without one forgets them.
        """
        ...


class AccountStore(AttemptCounter, Protocol):
    """Where accounts are kept. Every method is one transaction; all raise Unavailable.

    Tokens come in as hashes (SHA-256, hexadecimal). Times are the database's.
    """

    def add(self, public_id: str, name: str, role: Role, password: str) -> Account:
        """Conflict (``name_taken``). password: as the hasher gave it."""
        ...

    def all(self) -> Sequence[tuple[Account, int]]:
        """Every account and how many photographs it has, the trash aside; by name."""
        ...

    def find(self, public_id: str) -> Account | None: ...

    def named(self, name: str) -> tuple[Account, str] | None:
        """The account and its password's hash."""
        ...

    def set_password(self, account_id: int, password: str, *, sign_out: bool) -> None:
        """``sign_out``: and end every session of the account."""
        ...

    def set_role(self, account_id: int, role: Role) -> None:
        """Conflict (``last_administrator``) where nobody else would be one."""
        ...

    def delete(self, account_id: int, *, in_trash_for: float) -> int:
        """The account, its sessions and keys; its photographs go into the trash as if they had been there for
        that many seconds. How many they are. Conflict (``last_administrator``)."""
        ...

    def has_administrator(self) -> bool: ...

    def has_anybody(self) -> bool: ...

    def offer_set_up(self, token: str, seconds: float) -> None:
        """Whoever has this token may make the first administrator."""
        ...

    def has_set_up_token(self, token: str) -> bool:
        """Whether this token has been offered and has not expired."""
        ...

    def set_up(self, token: str, public_id: str, name: str, password: str) -> Account | None:
        """The first administrator; every token is void then. None where this one is, or somebody was faster."""
        ...

    def start_session(
        self, account_id: int, public_id: str, token: str, *, address: str, agent: str, seconds: float
    ) -> None: ...

    def session(self, token: str, *, seconds: float, longest: float) -> tuple[Account, Session] | None:
        """Whose it is, if it has not ended; good for ``seconds`` from now, ``longest`` from its start."""
        ...

    def sessions(self, account_id: int) -> Sequence[Session]:
        """Those that have not ended, the one used last first."""
        ...

    def end_session(self, account_id: int, public_id: str) -> bool: ...

    def end_token(self, token: str) -> None:
        """End the session with this token, if there is one."""
        ...

    def end_sessions(self, account_id: int) -> int: ...

    def add_key(
        self, account_id: int, public_id: str, token: str, *, label: str, scopes: frozenset[Scope], hint: str
    ) -> None:
        """Conflict (``too_many_keys``) beyond a hundred of one account."""
        ...

    def key(self, token: str) -> tuple[Account, ApiKey] | None:
        """Whose it is; notes that it was used."""
        ...

    def keys(self, account_id: int) -> Sequence[ApiKey]:
        """The newest first."""
        ...

    def remove_key(self, account_id: int, public_id: str) -> bool: ...

    def reset(self, forget: Sequence[str], refund: Sequence[str]) -> None:
        """The try has succeeded: forget all tries under the one names, take one back under the others."""
        ...


def count_attempt(store: AttemptCounter, *tries: tuple[str, int, float]) -> None:
    """Count it as AttemptCounter.hit does. TooManyTries says how long to wait."""
    if (wait := store.hit(tries)) > 0:
        raise TooManyTries("That was tried too often. Wait a little, then try again.", retry_after=wait)


def clean_account_name(name: str) -> str:
    """As it is stored and compared. Invalid where nobody could sign in by it."""
    if not _NAME.fullmatch(name):
        raise Invalid(
            "A name has 1 to 63 letters (a–z), digits or . _ @ + - and begins with a letter or a digit.",
            code="name",
        )
    return name.lower()


def clean_password(password: str) -> str:
    """As it is hashed: two ways of writing one letter are one password (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def check_new_password(password: str, name: str) -> str:
    """The cleaned password of an account ``name``. Invalid (``password``) where it is no good."""
    cleaned = clean_password(password)
    if not SHORTEST_PASSWORD <= len(cleaned) <= LONGEST_PASSWORD:
        said = (
            f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; a few words make a good one."
        )
        raise Invalid(said, code="password")
    try:
        cleaned.encode()
    except UnicodeEncodeError:
        raise Invalid("The password holds characters that cannot be stored.", code="password") from None
    if len(set(cleaned)) < 5 or cleaned.lower().replace(name, "").strip() == "":
        raise Invalid("That password is too easy to guess; a few words make a good one.", code="password")
    return cleaned
