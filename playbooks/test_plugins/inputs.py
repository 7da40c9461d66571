"""Jinja tests of inputs that AWS would refuse in the middle of a run: CIDR blocks, SSH keys, e-mails."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations
from typing import Any

EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
# EC2 imports ED25519 keys, and RSA keys of 1024 to 4096 bits. Sizes are those of the decoded key in bytes.
KEY_SIZES = {"ssh-ed25519": (51, 51), "ssh-rsa": (140, 600)}


def network(value: Any) -> IPv4Network | None:
    """Return the IPv4 network that a text names; None where it names none or an address within one."""
    try:
        return IPv4Network(str(value)) if "/" in str(value) else None
    except ValueError:
        return None


def is_cidr(value: Any, longest: int = 32, shortest: int = 0) -> bool:
    """Whether the value is an IPv4 network such as 10.20.0.0/24, whose prefix length is within the limits."""
    found = network(value)
    return found is not None and shortest <= found.prefixlen <= longest


def is_one_address(value: Any) -> bool:
    """Whether the value is a CIDR block of one address that can be a client's, such as 203.0.113.7/32."""
    found = network(value)
    if found is None or found.prefixlen != 32:
        return False
    address: IPv4Address = found.network_address
    return not (address.is_unspecified or address.is_loopback or address.is_multicast or address.packed[0] == 0)


def is_inside(value: Any, outer: Any) -> bool:
    """Whether a CIDR block is part of another one."""
    inner, around = network(value), network(outer)
    return inner is not None and around is not None and inner.subnet_of(around)


def is_disjoint(values: list[Any]) -> bool:
    """Whether no two of the CIDR blocks share an address; what is no CIDR block is ignored."""
    found = [each for each in map(network, values) if each is not None]
    return not any(one.overlaps(other) for one, other in combinations(found, 2))


def is_public_key(value: Any) -> bool:
    """Whether the value is an SSH public key in one line, of a kind that EC2 imports."""
    parts = str(value).strip().split(maxsplit=2)
    if len(parts) < 2 or parts[0] not in KEY_SIZES or "\n" in str(value).strip():
        return False
    try:
        key = base64.b64decode(parts[1], validate=True)
    except binascii.Error:
        return False
    low, high = KEY_SIZES[parts[0]]
    kind = len(parts[0]).to_bytes(4, "big") + parts[0].encode()
    return low <= len(key) <= high and key.startswith(kind)


def is_email(value: Any) -> bool:
    """Whether the value is an e-mail address, as browsers check it."""
    return EMAIL.fullmatch(str(value)) is not None


def is_full_match(value: Any, pattern: str) -> bool:
    """Whether the pattern matches the whole value; with ``match`` a ``$`` accepts a line feed at the end."""
    return re.fullmatch(pattern, str(value)) is not None


class TestModule:
    """Ansible's entry point."""

    def tests(self) -> dict[str, Callable[..., bool]]:
        """Return the tests by name."""
        return {
            "cidr": is_cidr,
            "one_address": is_one_address,
            "inside": is_inside,
            "disjoint": is_disjoint,
            "public_key": is_public_key,
            "email": is_email,
            "full_match": is_full_match,
        }
