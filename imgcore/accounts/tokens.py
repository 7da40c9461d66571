"""The hashes under which secrets and names of limits are stored, and the network of an address. Pure."""

from __future__ import annotations

import hashlib
import ipaddress


def hash_token(secret: str) -> str:
    """Return the SHA-256 of ``secret`` in hex, as the database stores it.

    Tokens have at least 192 random bits, so that a fast hash is as safe as a slow one.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def network(address: str) -> str:
    """Return the network of one customer: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(unmapped(address))
    except ValueError:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def unmapped(address: str) -> str:
    """Return an IPv4 address that is written as IPv6 (``::ffff:192.0.2.1``) as IPv4, any other text as it is.

    Proxies and sockets for both versions write it so, and all of IPv4 would be one /64.
    """
    if ":" not in address:
        return address
    try:
        mapped = ipaddress.IPv6Address(address).ipv4_mapped
    except ValueError:
        return address
    return str(mapped) if mapped else address
