"""An authenticator in software: makes passkeys and signs challenges as W3C Web Authentication says."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import struct
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from imgcore.accounts.models import Account
from imgcore.accounts.passkeys import RelyingParty
from imgcore.accounts.service import Accounts

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40  # flags of authenticator data


class Authenticator:
    """Holds one passkey. flags: what it says of the person; the attributes may be changed by tests."""

    def __init__(self) -> None:
        self.flags = PRESENT | VERIFIED
        self.count = 0
        self.credential_id = secrets.token_bytes(32)
        self.user_handle = b""
        self.type = ""  # of the client data; empty: as it must be
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: str, origin: str, *, party_id: str = "") -> str:
        """Return the JSON of a new credential for these options, made at ``origin``."""
        wanted = json.loads(options)
        self.user_handle = _decode(wanted["user"]["id"])
        numbers = self._key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = (
            bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + cbor2.dumps(key)
        )
        data = self._data(party_id or wanted["rp"]["id"], ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client_data("webauthn.create", wanted["challenge"], origin)
        return self._json({"clientDataJSON": _encode(client), "attestationObject": _encode(attestation)})

    def sign(self, options: str, origin: str, *, party_id: str = "") -> str:
        """Return the JSON of the signature of these options' challenge, made at ``origin``."""
        wanted = json.loads(options)
        self.count += 1
        data = self._data(party_id or wanted["rpId"], 0)
        client = self._client_data("webauthn.get", wanted["challenge"], origin)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._json(
            {
                "clientDataJSON": _encode(client),
                "authenticatorData": _encode(data),
                "signature": _encode(signature),
                "userHandle": _encode(self.user_handle),
            }
        )

    def _data(self, party_id: str, more: int) -> bytes:
        return hashlib.sha256(party_id.encode()).digest() + struct.pack(">BI", self.flags | more, self.count)

    def _client_data(self, type_: str, challenge: str, origin: str) -> bytes:
        said = {"type": self.type or type_, "challenge": challenge, "origin": origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _json(self, response: dict[str, Any]) -> str:
        id_ = _encode(self.credential_id)
        return json.dumps({"id": id_, "rawId": id_, "type": "public-key", "response": response})


def add_passkey(
    accounts: Accounts,
    account: Account,
    party: RelyingParty,
    authenticator: Authenticator,
    label: str = "phone",
) -> None:
    """Add the authenticator's passkey to an account."""
    challenge = accounts.passkeys.start_adding(account, party)
    response = authenticator.create(challenge.options, party.origin)
    accounts.passkeys.add(account, party, challenge.token, label, response)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
