"""The second factor: codes of an authenticator app (TOTP, RFC 6238) and recovery codes."""

from __future__ import annotations

import hmac
import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyotp

from imgcore.accounts import throttle
from imgcore.accounts.models import Account, Cipher, SecondFactor, count_attempt
from imgcore.accounts.security_log import SecurityEvent, SecurityLog
from imgcore.accounts.tokens import hash_token
from imgcore.errors import Conflict, Forbidden, Invalid, Misconfigured, NotFound, TooManyTries, Unavailable

if TYPE_CHECKING:
    from imgcore.db.accounts import AccountRepository

_log = logging.getLogger("imgcore.accounts")

ISSUER = "Caption Gallery"
STEP_SECONDS = 30  # each code is valid for one step
RECOVERY_CODES = 10
_DRIFT = 1  # steps before and after the current one, for clocks that differ
_SECRET = re.compile(r"[A-Z2-7]{32}")  # 160 bits in base32, as RFC 4226 recommends
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without I, O, 0 and 1
_GROUPS, _GROUP = 4, 4  # of a recovery code: 80 random bits


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """The use cases of the second factor. clock: Unix time in seconds.

    cipher: None stores secrets unencrypted. With one, a secret that was stored without is encrypted when a code
    of it is next used. Callers confirm the password before they change a second factor.
    """

    store: AccountRepository
    clock: Callable[[], float]
    cipher: Cipher | None = None

    def get(self, account: Account) -> SecondFactor | None:
        """Return the account's second factor; None where it has none."""
        return self.store.second_factor(account.id)

    def enable(self, account: Account, secret: str, code: str) -> list[str]:
        """Store the secret, after a code has shown that the app has it, and return the recovery codes.

        Invalid (``second_factor``) where secret or code is wrong; Conflict (``second_factor``).
        """
        if not is_secret(secret):
            raise Invalid("This set-up is not valid. Load the page again.", code="second_factor")
        step = matching_step(secret, _clean(code), self.clock())
        if step is None:
            raise Invalid(
                "This is not the code that the app shows now. Check the time of the phone, then enter the next"
                " code.",
                code="second_factor",
            )
        codes = generate_recovery_codes()
        stored = self.cipher.encrypt(secret, _context(account)) if self.cipher else secret
        encrypted = self.cipher is not None
        self.store.add_second_factor(account, stored, step, _hashed(account, codes), encrypted=encrypted)
        return codes

    def create_recovery_codes(self, account: Account) -> list[str]:
        """Return new recovery codes; the ones before are void. Conflict (``second_factor``)."""
        codes = generate_recovery_codes()
        self.store.replace_recovery_codes(account, _hashed(account, codes))
        return codes

    def disable(self, account: Account, code: str, *, address: str) -> None:
        """Remove the second factor, after a code. Forbidden, Conflict (``second_factor``), TooManyTries."""
        if self.store.second_factor(account.id) is None:
            raise Conflict("This account has no second factor.", code="second_factor")
        self.check(account, code, address=address)
        self.store.remove_second_factor(account.id, by=account)

    def reset(self, account: Account, *, by: Account | None = None) -> None:
        """Remove the second factor of an account whose owner lost it. Raise NotFound if it has none.

        by: the account that confirmed it with its password, as it was read before that.
        """
        if not self.store.remove_second_factor(account.id, by=by):
            raise NotFound("This account has no second factor.")

    def check(self, account: Account, code: str, *, address: str, device: str | None = None) -> str:
        """Check and use up a code of the app or a recovery code; return what was used, for the security log.

        An attempt is counted before the code is looked at, as for passwords. device: the hash of the token of a
        known browser. Forbidden (``second_factor``), TooManyTries.
        """
        tries, log = throttle.second_factor(account.id, device), SecurityLog(self.store)
        try:
            count_attempt(self.store, *tries.counted)
        except TooManyTries:
            log.record(SecurityEvent.SIGN_IN_DELAYED, address=address)
            raise
        used = self._use(account, _clean(code))
        if used is None:
            log.record(SecurityEvent.SECOND_FACTOR_FAILED, address=address, subject=account.name)
            raise Forbidden(
                "This code is wrong, or was used before. Enter the next one that the app shows, or a recovery"
                " code.",
                code="second_factor",
            )
        self.store.reset(tries.forget, tries.refund)
        return used

    def _use(self, account: Account, code: str) -> str | None:
        found = self.store.second_factor(account.id)
        if found is None:
            return None
        if self.store.use_recovery_code(account.id, _hash(account, code)):
            return f"with a recovery code, {found.recovery_codes - 1} left"
        secret = self._decrypted(account, found)
        step = matching_step(secret, code, self.clock())
        if step is None or not self.store.use_step(account.id, step):
            return None
        self._encrypt_anew(account, found, secret)
        return "with a code"

    def _encrypt_anew(self, account: Account, found: SecondFactor, secret: str) -> None:
        """Encrypt a secret that is stored unencrypted or by a replaced key. A sign-in does not depend on it."""
        try:
            if self.cipher is None or (found.encrypted and self.cipher.is_current(found.secret)):
                return
            token = self.cipher.encrypt(secret, _context(account))
            self.store.encrypt_second_factor(account.id, found.secret, token)
        except (Misconfigured, Unavailable) as error:
            _log.error("The second factor of account %s is not encrypted: %s", account.name, error.message)

    def _decrypted(self, account: Account, found: SecondFactor) -> str:
        """Return the secret. Unavailable (``secret_key``) where this process does not have its key."""
        if not found.encrypted:
            return found.secret
        try:
            secret = self.cipher.decrypt(found.secret, _context(account)) if self.cipher else None
        except Misconfigured as error:
            _log.error("%s", error.message)
            secret = None
        if secret is None:
            _log.error("SECRET_KEY does not decrypt the second factor of account %s.", account.name)
            raise Unavailable(
                "Codes of apps cannot be checked just now. Enter a recovery code, or tell an administrator.",
                code="secret_key",
            )
        return secret


def generate_secret() -> str:
    """Return a new secret of 160 random bits in base32."""
    return pyotp.random_base32()


def is_secret(text: str) -> bool:
    """Return whether ``text`` has the form of a secret."""
    return _SECRET.fullmatch(text) is not None


def provisioning_uri(secret: str, name: str) -> str:
    """Return the address that an authenticator app reads from a QR code. name: of the account."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def matching_step(secret: str, code: str, now: float) -> int | None:
    """Return the time step of which ``code`` is the code, among the current one and its neighbours."""
    current = int(now // STEP_SECONDS)
    generator = pyotp.TOTP(secret)
    for step in range(current - _DRIFT, current + _DRIFT + 1):
        if hmac.compare_digest(generator.generate_otp(step).encode(), code.encode("utf-8", "replace")):
            return step
    return None


def generate_recovery_codes() -> list[str]:
    """Return ten random recovery codes in groups of four characters."""
    return [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    ]


def _context(account: Account) -> str:
    """Return what binds an encrypted secret to its account: the token of another one is not accepted."""
    return f"second factor of {account.id}"


def _clean(code: str) -> str:
    """Return a code without the spaces and hyphens that group its characters, in upper case."""
    return re.sub(r"[\s-]", "", code).upper()


def _hash(account: Account, code: str) -> str:
    return hash_token(f"recovery code of {account.id}: {_clean(code)}")


def _hashed(account: Account, codes: list[str]) -> list[str]:
    return [_hash(account, code) for code in codes]
