"""The use cases of accounts: sign in and out, passwords, sessions, API keys, administration."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from imgcore.accounts import throttle
from imgcore.accounts.models import (
    KEY_DAYS,
    LONGEST_PASSWORD,
    Account,
    ApiKey,
    Caller,
    Cipher,
    Hasher,
    Quota,
    Role,
    Session,
    check_new_password,
    clean_account_name,
    clean_key,
    clean_password,
    count_attempt,
    wrong_password,
)
from imgcore.accounts.passkeys import Passkeys, RelyingParty
from imgcore.accounts.second_factor import SecondFactors
from imgcore.accounts.security_log import SecurityEvent, SecurityLog
from imgcore.accounts.tokens import hash_token
from imgcore.errors import Forbidden, NotFound, TooManyTries, Unauthorized
from imgcore.gallery.keys import new_public_id
from imgcore.gallery.models import TRASH_SECONDS

if TYPE_CHECKING:
    from imgcore.db.accounts import AccountRepository

IDLE_SECONDS = 14 * 86_400.0  # an unused session expires
LONGEST_SECONDS = 90 * 86_400.0  # every session expires
DEVICE_SECONDS = 180 * 86_400.0  # a browser is known after its last sign-in
CODE_SECONDS = 600.0  # a sign-in waits for the code of the second factor
SET_UP_SECONDS = 7 * 86_400.0
KEY_PREFIX = "gallery_"  # lets scanners recognise a published key

_WRONG = "The name or the password is wrong."


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """The origin of a request.

    address: the IP address. agent: the User-Agent header. device: the token of a browser that signed in before.
    """

    address: str
    agent: str
    device: str | None = None


class SignIn(NamedTuple):
    """A sign-in whose password was right. token: of a new session, or of a sign-in that needs a code."""

    account: Account
    token: str
    needs_code: bool = False


@dataclass(frozen=True, slots=True)
class Accounts:
    """The use cases of accounts. Every method raises Unavailable where the database is unreachable.

    by: the account that confirmed the change with its password, as it was read before that. Forbidden
    (``password``) where its password or its role has changed since.
    """

    store: AccountRepository
    hasher: Hasher
    clock: Callable[[], float] = time.time  # Unix time in seconds
    default_quota: Quota = field(default_factory=Quota)
    cipher: Cipher | None = None  # None: the secrets of authenticator apps are stored unencrypted

    @property
    def log(self) -> SecurityLog:
        """The security log."""
        return SecurityLog(self.store)

    @property
    def second_factors(self) -> SecondFactors:
        """The use cases of the second factor."""
        return SecondFactors(self.store, self.clock, self.cipher)

    @property
    def passkeys(self) -> Passkeys:
        """The use cases of passkeys."""
        return Passkeys(self.store)

    # Administration

    def add(self, name: str, password: str, role: Role = Role.PERSON, *, by: Account | None = None) -> Account:
        """Create an account. Invalid (``name``, ``password``), Conflict (``name_taken``)."""
        name = clean_account_name(name)
        hashed = self.hasher.hash(check_new_password(password, name))
        return self.store.add(new_public_id(), name, role, hashed, by=by)

    def all(self) -> Sequence[tuple[Account, int]]:
        """Return all accounts by name, each with the number of its images."""
        return self.store.all()

    def get(self, public_id: str) -> Account:
        """Return the account of that public id. Raise NotFound if there is none."""
        account = self.store.find(public_id)
        if account is None:
            raise NotFound("There is no such account.")
        return account

    def named(self, name: str) -> Account:
        """Return the account of that name. Raise NotFound if there is none."""
        found = self.store.named(name.strip().lower())
        if found is None:
            raise NotFound("There is no account of that name.")
        return found[0]

    def count_images(self, account: Account) -> int:
        """Return the number of the account's images outside the trash."""
        return self.store.count_images(account.id)

    def quota(self, account: Account) -> Quota:
        """Return the account's quota."""
        return self.store.quota(account.id, self.default_quota)

    def set_role(self, account: Account, role: Role, *, by: Account | None = None) -> None:
        """Change the role. A demotion ends all sessions and revokes all keys of the account.

        Conflict (``last_administrator``) where no administrator would be left.
        """
        self.store.set_role(account.id, role, by=by)

    def reset_password(self, account: Account, password: str, *, by: Account | None = None) -> None:
        """Set another password, end all sessions and revoke all keys. Invalid (``password``)."""
        hashed = self.hasher.hash(check_new_password(password, account.name))
        self.store.set_password(account.id, hashed, by=by)

    def delete(self, account: Account, begun: Callable[[], object], *, by: Account | None = None) -> int:
        """Delete an account with its sessions and keys; return the number of its images.

        The images are moved to the trash as expired, so that the next sweep deletes them. begun: writes the
        entry of the security log. It is called once nothing refuses the deletion any more, because what has
        been deleted stays deleted where the rest fails. Conflict (``last_administrator``).
        """
        return self.store.delete(account.id, in_trash_for=TRASH_SECONDS, by=by, begun=begun)

    # The first administrator

    def is_empty(self) -> bool:
        """Return whether there is no account yet."""
        return not self.store.has_anybody()

    def needs_set_up(self) -> bool:
        """Return whether there is no administrator yet."""
        return not self.store.has_administrator()

    def offer_set_up(self) -> str | None:
        """Return a token that authorises creating the first administrator, for a week; None if one exists."""
        if not self.needs_set_up():
            return None
        token = secrets.token_urlsafe(24)
        self.store.offer_set_up(hash_token(token), SET_UP_SECONDS)
        return token

    def set_up(self, token: str, name: str, password: str, client: ClientInfo) -> Account:
        """Create the first administrator.

        Attempts are limited for each address, and the token is checked before the password is hashed. Nothing
        is computed once there is an administrator. Forbidden (``set_up_token``), TooManyTries, Invalid
        (``name``, ``password``).
        """
        hashed_token, by_address = hash_token(token.strip()), throttle.set_up(client.address)
        made = None
        if self.needs_set_up():
            count_attempt(self.store, by_address)
            if self.store.has_set_up_token(hashed_token):
                name = clean_account_name(name)
                hashed = self.hasher.hash(check_new_password(password, name))
                made = self.store.set_up(hashed_token, new_public_id(), name, hashed)
        if made is None:
            raise Forbidden(
                "This token is not valid. Until it has an account, the gallery prints one at each start.",
                code="set_up_token",
            )
        detail = f"{made.role}, by the set-up page"
        self.log.record(SecurityEvent.ACCOUNT_CREATED, address=client.address, subject=made.name, detail=detail)
        return made

    # Signing in and out

    def sign_in(self, name: str, password: str, client: ClientInfo) -> SignIn:
        """Check name and password; return the token of a new session, or of a sign-in that needs a code.

        Unauthorized, with the same message and timing whether the account exists or not; TooManyTries.
        """
        folded = name.strip().lower()[:64]
        device = self._known_device(folded, client)
        if device is not None:
            tries = throttle.by_device(folded, device)
            account, stored = self._verified(folded, password, tries, client)
        else:
            tries = throttle.sign_in(folded, client.address, self.clock())
            with self.hasher.admitted():
                account, stored = self._verified(folded, password, tries, client)
        if self.hasher.outdated(stored):
            again = self.hasher.hash(clean_password(password))
            self.store.rehash_password(account.id, stored, again)
        needs_code = self.second_factors.get(account) is not None
        started = self._start_waiting(account) if needs_code else self._start_session(account, client)
        if started is None:
            self.log.record(SecurityEvent.SIGN_IN_FAILED, address=client.address, subject=account.name)
            raise Unauthorized(_WRONG, code="sign_in")
        if not needs_code:
            self.log.record(SecurityEvent.SIGNED_IN, address=client.address, actor=account.name)
        return SignIn(account, started, needs_code)

    def finish_sign_in(self, token: str, code: str, client: ClientInfo) -> SignIn:
        """Check the code of a sign-in that needs one, and return the token of a new session.

        token: of that sign-in. Unauthorized (``sign_in``) where it has expired; Forbidden (``second_factor``);
        TooManyTries.
        """
        pending = hash_token(token)
        account, started = self.store.pending_sign_in(pending), None
        if account is not None:
            device = self._known_device(account.name, client)
            used = self.second_factors.check(account, code, address=client.address, device=device)
            started = self._start_session(account, client, pending=pending)
        if account is None or started is None:
            raise Unauthorized("This took too long. Enter name and password again.", code="sign_in")
        self.log.record(SecurityEvent.SIGNED_IN, address=client.address, actor=account.name, detail=used)
        return SignIn(account, started)

    def sign_in_by_passkey(self, party: RelyingParty, token: str, response: str, client: ClientInfo) -> SignIn:
        """Check what a passkey signed and return the token of a new session; no code is needed.

        token: of the challenge. response: the browser's JSON. Unauthorized (``passkey``).
        """
        account, passkey = self.passkeys.verify(party, token, response, address=client.address)
        started = self._start_session(account, client, passkey=passkey.id)
        if started is None:
            raise self.passkeys.failed(client.address)
        detail = "with a passkey"
        self.log.record(SecurityEvent.SIGNED_IN, address=client.address, actor=account.name, detail=detail)
        return SignIn(account, started)

    def remember_device(self, account: Account, client: ClientInfo) -> str:
        """Return a new token for a browser that has signed in; it replaces the one that it sent."""
        token = secrets.token_urlsafe(32)
        before = hash_token(client.device) if client.device else None
        self.store.remember_device(account, hash_token(token), before, DEVICE_SECONDS)
        return token

    def start_session(self, account: Account, client: ClientInfo) -> str:
        """Return the token of a new session. account: as it was read before its password was verified.

        Unauthorized (``sign_in``) where that was changed since.
        """
        if token := self._start_session(account, client):
            return token
        raise Unauthorized(_WRONG, code="sign_in")

    def _start_waiting(self, account: Account) -> str | None:
        """Return the token of a sign-in that needs a code; None where the password was changed."""
        token = secrets.token_urlsafe(32)
        return token if self.store.start_sign_in(account, hash_token(token), CODE_SECONDS) else None

    def _start_session(
        self, account: Account, client: ClientInfo, *, pending: str | None = None, passkey: int | None = None
    ) -> str | None:
        """Return the token of a new session; None where what was verified has ended, see the repository."""
        token = secrets.token_urlsafe(32)
        started = self.store.start_session(
            account,
            new_public_id(),
            hash_token(token),
            address=client.address,
            agent=client.agent,
            seconds=IDLE_SECONDS,
            pending=pending,
            passkey=passkey,
        )
        return token if started else None

    def sign_out(self, token: str) -> None:
        """End the session of this token; harmless where it does not exist."""
        self.store.end_token(hash_token(token))

    def authenticate_session(self, token: str) -> Caller | None:
        """Return the client with this session token; None where the session has expired."""
        found = self.store.session(hash_token(token), seconds=IDLE_SECONDS, longest=LONGEST_SECONDS)
        return Caller(found[0].scopes, found[0], session=found[1]) if found else None

    def authenticate_key(self, secret: str, address: str) -> Caller | None:
        """Return the client with this API key; its scopes are limited to those of the account's role.

        None where there is no such key or it has expired. address: of the client, stored with the last use.
        """
        found = self.store.key(hash_token(secret), address) if secret.startswith(KEY_PREFIX) else None
        return Caller(found[0].scopes & found[1].scopes, found[0], key=found[1]) if found else None

    # The authenticated account

    def confirm(self, account: Account, password: str, client: ClientInfo) -> None:
        """Check the account's password again. Forbidden (``password``), TooManyTries."""
        try:
            tries = throttle.confirmation(account.id, client.address)
            self._verified(account.name, password, tries, client, confirms=True)
        except Unauthorized:
            raise wrong_password() from None

    def change_password(
        self, account: Account, old: str, new: str, client: ClientInfo, *, keep_keys: bool = False
    ) -> str:
        """Set another password, end all sessions, revoke all keys and return the token of a new session.

        keep_keys: the API keys stay valid. Forbidden (``password``), Invalid, TooManyTries.
        """
        cleaned = check_new_password(new, account.name)
        self.confirm(account, old, client)
        hashed = self.hasher.hash(cleaned)
        changed = self.store.set_password(account.id, hashed, by=account, keep_keys=keep_keys)
        return self.start_session(changed, client)

    def sessions(self, account: Account) -> Sequence[Session]:
        """Return the signed-in browsers, the most recently used first."""
        return self.store.sessions(account.id)

    def end_session(self, account: Account, public_id: str) -> None:
        """End one session. Raise NotFound if it does not exist."""
        if not self.store.end_session(account.id, public_id):
            raise NotFound("This browser is not signed in any more.")

    def end_sessions(self, account: Account, *, keep_keys: bool = False) -> int:
        """End all sessions, revoke all keys unless they are kept, and return the number of sessions."""
        return self.store.end_sessions(account.id, keep_keys=keep_keys)

    def keys(self, account: Account) -> Sequence[ApiKey]:
        """Return the account's API keys, the newest first."""
        return self.store.keys(account.id)

    def create_key(self, account: Account, label: str, scopes: Iterable[str], *, days: int = KEY_DAYS) -> str:
        """Create an API key that is valid for ``days``, return its secret.

        Invalid (``label``, ``scopes``, ``days``); Conflict beyond 100 keys.
        """
        label, chosen = clean_key(account, label, scopes, days)
        secret = KEY_PREFIX + secrets.token_urlsafe(32)
        hint = secret[: len(KEY_PREFIX) + 4]
        self.store.add_key(
            account,
            new_public_id(),
            hash_token(secret),
            label=label,
            scopes=chosen,
            hint=hint,
            seconds=days * 86_400.0,
        )
        return secret

    def revoke_key(self, account: Account, public_id: str) -> None:
        """Revoke an API key. Raise NotFound if the account has no such key."""
        if not self.store.remove_key(account.id, public_id):
            raise NotFound("There is no such key.")

    def _known_device(self, name: str, client: ClientInfo) -> str | None:
        """Return the hash of the client's device token if it signed in to the account of that name before."""
        device = hash_token(client.device) if client.device else None
        return device if device is not None and self.store.knows_device(name, device) else None

    def _verified(
        self, name: str, password: str, tries: throttle.Tries, client: ClientInfo, *, confirms: bool = False
    ) -> tuple[Account, str]:
        """Return the account of that name and its hash, if the attempt is accepted and the password right."""
        try:
            count_attempt(self.store, *tries.counted)
        except TooManyTries:
            self.log.record(SecurityEvent.SIGN_IN_DELAYED, address=client.address)
            raise
        found = self.store.named(name)
        fits = len(password) <= LONGEST_PASSWORD
        right = self.hasher.verify(found[1] if found else None, clean_password(password) if fits else "")
        if found is None or not right:
            # A name that does not exist is not logged: it may be a password that was typed into the wrong field
            event = SecurityEvent.CONFIRMATION_FAILED if confirms else SecurityEvent.SIGN_IN_FAILED
            known = found[0].name if found else None
            self.log.record(event, address=client.address, actor=known if confirms else None, subject=known)
            raise Unauthorized(_WRONG, code="sign_in")
        self.store.reset(tries.forget, tries.refund)
        return found
