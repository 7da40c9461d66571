"""What people ask about accounts: signing in and out, passwords, sessions, keys, who there is."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imgcore.accounts.models import (
    ALL_SCOPES,
    LABEL_LENGTH,
    LONGEST_PASSWORD,
    Account,
    AccountStore,
    ApiKey,
    Caller,
    Hasher,
    Role,
    Scope,
    Session,
    check_new_password,
    clean_account_name,
    clean_password,
    count_attempt,
)
from imgcore.errors import Forbidden, Invalid, NotFound, Unauthorized
from imgcore.gallery.keys import new_public_id
from imgcore.gallery.models import TRASH_SECONDS
from imgcore.text import one_line

IDLE_SECONDS = 14 * 86_400.0  # a session that nobody uses ends
LONGEST_SECONDS = 90 * 86_400.0  # and any other one then
SET_UP_SECONDS = 7 * 86_400.0
KEY_PREFIX = "gallery_"  # so that a key which was published by mistake is recognised
# Free tries, and the longest wait after them in seconds. For one name 900 s are about a hundred tries a day.
NAME_TRIES, ADDRESS_TRIES = (5, 900.0), (20, 300.0)

_WRONG = "The name or the password is wrong."


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a request comes from: an address, and the browser as it names itself."""

    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Accounts:
    """The use cases over a store and a hasher. Every method raises Unavailable where the store is away."""

    store: AccountStore
    hasher: Hasher

    # Who there is

    def add(self, name: str, password: str, role: Role = Role.PERSON) -> Account:
        """Invalid (``name``, ``password``), Conflict (``name_taken``)."""
        name = clean_account_name(name)
        hashed = self.hasher.hash(check_new_password(password, name))
        return self.store.add(new_public_id(), name, role, hashed)

    def all(self) -> Sequence[tuple[Account, int]]:
        """Everybody with the number of their photographs, by name."""
        return self.store.all()

    def get(self, public_id: str) -> Account:
        """NotFound."""
        account = self.store.find(public_id)
        if account is None:
            raise NotFound("There is no such account.")
        return account

    def named(self, name: str) -> Account:
        """NotFound."""
        found = self.store.named(name.strip().lower())
        if found is None:
            raise NotFound("There is no account of that name.")
        return found[0]

    def set_role(self, account: Account, role: Role) -> None:
        """Conflict where nobody would be administrator then."""
        self.store.set_role(account.id, role)

    def reset_password(self, account: Account, password: str) -> None:
        """Another password, and an end to every session. Invalid (``password``)."""
        hashed = self.hasher.hash(check_new_password(password, account.name))
        self.store.set_password(account.id, hashed, sign_out=True)

    def delete(self, account: Account) -> int:
        """The account, its sessions and keys. Its photographs lie in the trash as long as anything does, so
        that the next sweep removes them for good. How many they are."""
        return self.store.delete(account.id, in_trash_for=TRASH_SECONDS)

    # The first administrator

    def nobody(self) -> bool:
        """Nobody could sign in yet."""
        return not self.store.has_anybody()

    def needs_set_up(self) -> bool:
        """Nobody can make accounts yet."""
        return not self.store.has_administrator()

    def offer_set_up(self) -> str | None:
        """A token that makes its holder the first administrator, for a week; None where there is one."""
        if not self.needs_set_up():
            return None
        token = secrets.token_urlsafe(24)
        self.store.offer_set_up(_hashed(token), SET_UP_SECONDS)
        return token

    def set_up(self, token: str, name: str, password: str, visit: Visit) -> Account:
        """Create the first administrator.

        Attempts are limited for each address, and the token is checked before the password is hashed. Nothing
        is computed once there is an administrator. Forbidden (``set_up_token``), TooManyTries, Invalid
        (``name``, ``password``).
        """
        hashed_token, by_address = _hashed(token.strip()), _hashed(f"set-up {network(visit.address)}")
        made = None
        if self.needs_set_up():
            count_attempt(self.store, (by_address, *ADDRESS_TRIES))
            if self.store.has_set_up_token(hashed_token):
                name = clean_account_name(name)
                hashed = self.hasher.hash(check_new_password(password, name))
                made = self.store.set_up(hashed_token, new_public_id(), name, hashed)
        if made is None:
            raise Forbidden(
                "This token is not valid. The gallery prints one each time it starts, until it is used.",
                code="set_up_token",
            )
        return made

    # Signing in and out

    def sign_in(self, name: str, password: str, visit: Visit) -> tuple[Account, str]:
        """The account and the token of a new session.

        Unauthorized, alike in words and in time whether the name exists or not; TooManyTries.
        """
        account, stored = self._verified(name, password, visit)
        if self.hasher.outdated(stored):
            again = self.hasher.hash(clean_password(password))
            self.store.set_password(account.id, again, sign_out=False)
        return account, self.start_session(account, visit)

    def start_session(self, account: Account, visit: Visit) -> str:
        """The token of a new session of somebody who has shown who they are."""
        token = secrets.token_urlsafe(32)
        self.store.start_session(
            account.id,
            new_public_id(),
            _hashed(token),
            address=visit.address,
            agent=visit.agent,
            seconds=IDLE_SECONDS,
        )
        return token

    def sign_out(self, token: str) -> None:
        """End the session of this token; harmless where there is none."""
        self.store.end_token(_hashed(token))

    def by_session(self, token: str) -> Caller | None:
        """Who holds this token, if the session has not ended."""
        found = self.store.session(_hashed(token), seconds=IDLE_SECONDS, longest=LONGEST_SECONDS)
        return Caller(found[0].scopes, found[0], session=found[1]) if found else None

    def by_key(self, secret: str) -> Caller | None:
        """Whose key this is; it may do no more than its owner may by now."""
        found = self.store.key(_hashed(secret)) if secret.startswith(KEY_PREFIX) else None
        return Caller(found[0].scopes & found[1].scopes, found[0], key=found[1]) if found else None

    # What everybody does with their own account

    def confirm(self, account: Account, password: str, visit: Visit) -> None:
        """That it is still the person who signed in. Forbidden (``password``), TooManyTries."""
        try:
            self._verified(account.name, password, visit)
        except Unauthorized:
            raise Forbidden("This is not your password.", code="password") from None

    def change_password(self, account: Account, old: str, new: str, visit: Visit) -> str:
        """Every session ends; the token of a new one. Forbidden (``password``), Invalid, TooManyTries."""
        cleaned = check_new_password(new, account.name)
        self.confirm(account, old, visit)
        self.store.set_password(account.id, self.hasher.hash(cleaned), sign_out=True)
        return self.start_session(account, visit)

    def sessions(self, account: Account) -> Sequence[Session]:
        """The browsers that are signed in, the one used last first."""
        return self.store.sessions(account.id)

    def end_session(self, account: Account, public_id: str) -> None:
        """Sign one browser out. NotFound."""
        if not self.store.end_session(account.id, public_id):
            raise NotFound("That browser is not signed in any more.")

    def end_sessions(self, account: Account) -> int:
        """Sign out everywhere."""
        return self.store.end_sessions(account.id)

    def keys(self, account: Account) -> Sequence[ApiKey]:
        """The newest first."""
        return self.store.keys(account.id)

    def make_key(self, account: Account, label: str, scopes: Iterable[str]) -> str:
        """A new key, told this once. Invalid (``label``, ``scopes``), Conflict (``too_many_keys``)."""
        label = one_line(label)
        if not 1 <= len(label) <= LABEL_LENGTH:
            raise Invalid(f"Say in 1 to {LABEL_LENGTH} characters what the key is for.", code="label")
        asked = frozenset(scopes)
        if not asked or not asked <= {scope.value for scope in ALL_SCOPES & account.scopes}:
            raise Invalid("Choose what the key may do, out of what you may do yourself.", code="scopes")
        secret = KEY_PREFIX + secrets.token_urlsafe(32)
        hint = secret[: len(KEY_PREFIX) + 4]
        chosen = frozenset(Scope(scope) for scope in asked)
        self.store.add_key(account.id, new_public_id(), _hashed(secret), label=label, scopes=chosen, hint=hint)
        return secret

    def remove_key(self, account: Account, public_id: str) -> None:
        """It is good for nothing from now on. NotFound."""
        if not self.store.remove_key(account.id, public_id):
            raise NotFound("There is no such key.")

    def _verified(self, name: str, password: str, visit: Visit) -> tuple[Account, str]:
        folded = name.strip().lower()[:64]
        by_name, by_address = _hashed(f"name {folded}"), _hashed(f"address {network(visit.address)}")
        count_attempt(self.store, (by_name, *NAME_TRIES), (by_address, *ADDRESS_TRIES))
        found = self.store.named(folded)
        fits = len(password) <= LONGEST_PASSWORD
        right = self.hasher.verify(found[1] if found else None, clean_password(password) if fits else "")
        if found is None or not right:
            raise Unauthorized(_WRONG, code="sign_in")
        self.store.reset([by_name], [by_address])
        return found


def made_up_password() -> str:
    """For an account that somebody else makes: 20 characters, 120 random bits."""
    return secrets.token_urlsafe(15)


def network(address: str) -> str:
    """What one customer of a provider has: an IPv4 address, or 64 bits of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _hashed(secret: str) -> str:
    # Tokens are 192 random bits or more, so a plain hash is as good as a slow one
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
