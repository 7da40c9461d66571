"""Two things about a TLS session that Python's ssl does not tell, read from what the server said.

The certificate is DER (X.690); the first words of a handshake are not encrypted (RFC 5246, RFC 8446).
"""

from __future__ import annotations

from collections.abc import Iterator

# Named groups (IANA, TLS Supported Groups) in the words that OpenSSL has for them.
_GROUPS = {
    23: "ECDH prime256v1 256 bits",
    24: "ECDH secp384r1 384 bits",
    25: "ECDH secp521r1 521 bits",
    29: "X25519 253 bits",
    30: "X448 448 bits",
    4588: "X25519MLKEM768",
}
_CURVES = {
    bytes.fromhex("2a8648ce3d030107"): 256,
    bytes.fromhex("2b81040022"): 384,
    bytes.fromhex("2b81040023"): 521,
}
_RSA = bytes.fromhex("2a864886f70d010101")
_ED25519 = bytes.fromhex("2b6570")
_HANDSHAKE, _SERVER_HELLO, _KEY_EXCHANGE, _KEY_SHARE = 22, 2, 12, 51


def key_bits(certificate: bytes) -> int:
    """The size of the key in a certificate in DER; 0 where it is of no kind known here."""
    try:
        ((_, whole),) = _parts(certificate)
        fields = [content for tag, content in _parts(next(_parts(whole))[1]) if tag != 0xA0]  # no version
        (_, algorithm), (_, key) = _parts(fields[5])
        (_, kind), *parameters = _parts(algorithm)
        if kind == _RSA:
            ((_, numbers),) = _parts(key[1:])
            return int.from_bytes(next(_parts(numbers))[1]).bit_length()
        if kind == _ED25519:
            return 253
        return _CURVES.get(parameters[0][1], 0)
    except (IndexError, StopIteration, ValueError):
        return 0


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, content) of each value that stands in ``data``."""
    while data:
        tag, length, start = data[0], data[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[2:start])
        yield tag, data[start : start + length]
        data = data[start + length :]


def exchange_group(heard: bytes) -> str | None:
    """Return the origin of the session's key in OpenSSL's words; None if the server did not send it.

    heard: the server's records from the first one on.
    """
    for kind, body in _messages(heard):
        if kind == _KEY_EXCHANGE and body[:1] == b"\x03":  # TLS 1.2, a named curve
            return _GROUPS.get(int.from_bytes(body[1:3]))
        if kind == _SERVER_HELLO:
            extensions = _extensions(body)
            if _KEY_SHARE in extensions:
                return _GROUPS.get(int.from_bytes(extensions[_KEY_SHARE][:2]))
    return None


def _messages(heard: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, body) of each handshake message that is not encrypted."""
    said = b""
    while len(heard) >= 5 and heard[0] == _HANDSHAKE:
        length = int.from_bytes(heard[3:5])
        said, heard = said + heard[5 : 5 + length], heard[5 + length :]
    while len(said) >= 4:
        length = int.from_bytes(said[1:4])
        yield said[0], said[4 : 4 + length]
        said = said[4 + length :]


def _extensions(hello: bytes) -> dict[int, bytes]:
    """Return the extensions of a ServerHello; they follow version, random, session id, cipher, compression."""
    rest = hello[35 + hello[34] + 3 :][2:]
    found = {}
    while len(rest) >= 4:
        length = int.from_bytes(rest[2:4])
        found[int.from_bytes(rest[:2])] = rest[4 : 4 + length]
        rest = rest[4 + length :]
    return found
