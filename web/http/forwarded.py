"""The addresses of X-Forwarded-For, in the one form that waitress reads as what they are."""

from __future__ import annotations

import ipaddress
import re

from imgcore.accounts.tokens import unmapped

_UNKNOWN = "unknown"  # RFC 7239, 6.2


def normal_addresses(header: str) -> str:
    """Return the header with each address as ``192.0.2.1`` or ``[2001:db8::1]``, without its port.

    waitress takes ``::ffff:192.0.2.1`` for the address ``::ffff`` with a port, and keeps the port of
    ``[2001:db8::1]:443`` in the address. What is no address becomes ``unknown``, one visitor for all limits.
    """
    return ", ".join(map(_normal, header.split(",")))


def _normal(hop: str) -> str:
    text = hop.strip()
    if '"' in text:
        if not re.fullmatch(r'"[^"]*"', text):
            return text  # waitress refuses it
        text = text[1:-1]
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(unmapped(text))
    except ValueError:
        return _UNKNOWN
    return f"[{found}]" if found.version == 6 else str(found)
