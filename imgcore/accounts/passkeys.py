"""Passkeys (W3C Web Authentication). The only importer of webauthn, which is loaded with the first use."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from imgcore.accounts import throttle
from imgcore.accounts.models import LABEL_LENGTH, Account, Passkey, count_attempt
from imgcore.accounts.security_log import SecurityEvent, SecurityLog
from imgcore.accounts.tokens import hash_token
from imgcore.errors import Forbidden, Invalid, NotFound, Unauthorized
from imgcore.gallery.keys import new_public_id
from imgcore.text import one_line

if TYPE_CHECKING:
    from webauthn.registration.verify_registration_response import VerifiedRegistration

    from imgcore.db.accounts import AccountRepository

NAME = "Caption Gallery"
CHALLENGE_SECONDS = 300.0
_LONGEST = 32_768  # characters of a response

Checked = TypeVar("Checked")

log = logging.getLogger("imgcore.accounts")


class RelyingParty(NamedTuple):
    """The site that passkeys belong to. id: its host name. origin: scheme, host and port."""

    id: str
    origin: str


class Challenge(NamedTuple):
    """What a browser has to sign. token: for its cookie. options: JSON for navigator.credentials."""

    token: str
    options: str


@dataclass(frozen=True, slots=True)
class Passkeys:
    """The use cases of passkeys. Callers confirm the password before a passkey is added.

    A challenge is derived from the token in the browser's cookie, of which the database has the hash: it works
    once, for five minutes, in that browser.
    """

    store: AccountRepository

    def all(self, account: Account) -> Sequence[Passkey]:
        """Return the account's passkeys, the oldest first."""
        return self.store.passkeys(account.id)

    def start_adding(self, account: Account, party: RelyingParty) -> Challenge:
        """Return a challenge for a new passkey that its authenticator can find without the account's name."""
        import webauthn
        from webauthn.helpers import structs

        token = secrets.token_urlsafe(32)
        options = webauthn.generate_registration_options(
            rp_id=party.id,
            rp_name=NAME,
            user_id=account.public_id.encode(),
            user_name=account.name,
            challenge=_challenge(token),
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.REQUIRED,
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                structs.PublicKeyCredentialDescriptor(id=passkey.credential) for passkey in self.all(account)
            ],
        )
        self.store.offer_challenge(hash_token(token), account.id, CHALLENGE_SECONDS)
        return Challenge(token, webauthn.options_to_json(options))

    def add(self, account: Account, party: RelyingParty, token: str, label: str, response: str) -> None:
        """Add the passkey that the browser made. response: its JSON.

        Invalid (``label``); Forbidden (``passkey``) where the response or the challenge is not valid; Conflict
        (``passkey``).
        """
        label = one_line(label)
        if not 1 <= len(label) <= LABEL_LENGTH:
            raise Invalid(f"Enter a name for the passkey, in 1 to {LABEL_LENGTH} characters.", code="label")
        made = None
        if self.store.take_challenge(hash_token(token), account.id):
            made = _verified_registration(party, _challenge(token), response)
        if made is None:
            raise Forbidden("The passkey could not be added. Try again.", code="passkey")
        self.store.add_passkey(
            account,
            new_public_id(),
            _hash(made.credential_id),
            credential_id=made.credential_id,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            label=label,
        )

    def remove(self, account: Account, public_id: str) -> None:
        """Remove a passkey. Raise NotFound if the account has no such passkey."""
        if not self.store.remove_passkey(account.id, public_id):
            raise NotFound("There is no such passkey.")

    def start_sign_in(self, party: RelyingParty, *, address: str) -> Challenge:
        """Return a challenge for a sign-in with any passkey of this site. TooManyTries."""
        import webauthn
        from webauthn.helpers.structs import UserVerificationRequirement

        count_attempt(self.store, *throttle.passkey(address).counted)
        token = secrets.token_urlsafe(32)
        options = webauthn.generate_authentication_options(
            rp_id=party.id,
            challenge=_challenge(token),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        self.store.offer_challenge(hash_token(token), None, CHALLENGE_SECONDS)
        return Challenge(token, webauthn.options_to_json(options))

    def verify(
        self, party: RelyingParty, token: str, response: str, *, address: str
    ) -> tuple[Account, Passkey]:
        """Return the passkey that signed the challenge, and its account. Unauthorized (``passkey``).

        A failure is logged only where the challenge was one of this site: their number is limited, see
        ``start_sign_in``, and the number of requests is not.
        """
        offered = self.store.take_challenge(hash_token(token), None)
        found = self._signer(party, _challenge(token), response) if offered else None
        if found is None:
            raise self.failed(address, logged=offered)
        tries = throttle.passkey(address)
        self.store.reset(tries.forget, tries.refund)
        return found

    def failed(self, address: str, *, logged: bool = True) -> Unauthorized:
        """Return the error of a sign-in that failed; it is logged unless ``logged`` is false."""
        if logged:
            event = SecurityEvent.SIGN_IN_FAILED
            SecurityLog(self.store).record(event, address=address, detail="with a passkey")
        said = "Signing in with a passkey failed. Try again, or enter name and password."
        return Unauthorized(said, code="passkey")

    def _signer(self, party: RelyingParty, challenge: bytes, response: str) -> tuple[Account, Passkey] | None:
        import webauthn
        from webauthn.helpers import parse_authentication_credential_json

        credential = _checked(lambda: parse_authentication_credential_json(response[:_LONGEST]))
        found = self.store.passkey(_hash(credential.raw_id)) if credential else None
        if credential is None or found is None:
            return None
        account, passkey = found
        if credential.response.user_handle != account.public_id.encode():
            return None
        signed = _checked(
            lambda: webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        )
        if signed is None:
            return None
        self.store.use_passkey(passkey.id, signed.new_sign_count)
        return found


def _verified_registration(party: RelyingParty, challenge: bytes, response: str) -> VerifiedRegistration | None:
    import webauthn

    return _checked(
        lambda: webauthn.verify_registration_response(
            credential=response[:_LONGEST],
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    )


def _checked(check: Callable[[], Checked]) -> Checked | None:
    """Return the result of ``check``, which reads what a browser sent; None where it is malformed or refused.

    Beside the errors of webauthn come those of the parsers that it calls, RecursionError among them.
    """
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - see above; nothing else happens in here
        log.info("A passkey was refused: %s", type(error).__name__)
        return None


def _challenge(token: str) -> bytes:
    return hashlib.sha256(f"passkey challenge {token}".encode()).digest()


def _hash(credential_id: bytes) -> str:
    return hashlib.sha256(credential_id).hexdigest()
