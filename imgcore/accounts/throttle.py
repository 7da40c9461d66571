"""The limits of attempts to guess a password. docs/accounts.md has the figures and what they allow.

An attempt of a browser that signed in to the account before (it sends a device token, as in OWASP's "Slow Down
Online Guessing Attacks with Device Cookies") is counted for that browser alone. Every other attempt is counted
for the name from this network, the network, the name from everywhere, and the whole gallery. The first two are
strict. The last two slow down guessing from many networks; a stranger with one network does not reach them, and
they do not concern known browsers. Nothing that a stranger sends concerns an open session.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from imgcore.accounts.tokens import hash_token, network

HOUR = 3600.0  # seconds after which NAME and TOTAL start again


class Limit(NamedTuple):
    """Free attempts, and the longest wait in seconds after them; the first wait is at most 15 seconds."""

    free: int
    longest: float


PAIR = Limit(5, 900.0)  # one name from one network, or from one known browser
NETWORK = Limit(20, 300.0)  # all names from one network
NAME = Limit(50, 300.0)  # one name from all networks, an hour
TOTAL = Limit(300, 10.0)  # all names from all networks, an hour

Try = tuple[str, int, float]  # a name, free attempts, longest wait: see LoginThrottle.hit


class Tries(NamedTuple):
    """The limits of one attempt. forget: of those whose count a success deletes; the others get one back."""

    counted: Sequence[Try]
    forget: Sequence[str]

    @property
    def refund(self) -> list[str]:
        """The names that get their attempt back after a success."""
        return [name for name, _, _ in self.counted if name not in self.forget]


def sign_in(name: str, address: str, clock: float) -> Tries:
    """Return the limits of a sign-in by a browser that is not known. clock: Unix time in seconds."""
    here, hour = network(address), int(clock // HOUR)
    pair = hash_token(f"name {name} from {here}")
    counted = [
        (pair, *PAIR),
        (hash_token(f"address {here}"), *NETWORK),
        (hash_token(f"name {name} in hour {hour}"), *NAME),
        (hash_token(f"everybody in hour {hour}"), *TOTAL),
    ]
    return Tries(counted, [pair])


def by_device(name: str, device: str) -> Tries:
    """Return the limit of a sign-in by a known browser. device: the hash of its token."""
    known = hash_token(f"name {name} by device {device}")
    return Tries([(known, *PAIR)], [known])


def confirmation(account_id: int, address: str) -> Tries:
    """Return the limit of entering the password again in an open session."""
    again = hash_token(f"confirmation {account_id} from {network(address)}")
    return Tries([(again, *PAIR)], [again])


def second_factor(account_id: int, device: str | None) -> Tries:
    """Return the limit of entering codes of an account, from everywhere or for a known browser.

    Only a person who knows the password gets so far, so one count for all networks locks no owner out.
    device: the hash of the browser's token; None for one that is not known.
    """
    code = hash_token(f"code {account_id} by {f'device {device}' if device else 'others'}")
    return Tries([(code, *PAIR)], [code])


def share_password(share: str, address: str, clock: float) -> Tries:
    """Return the limits of entering the password of a share link. share: its public id. clock: Unix time."""
    here, hour = network(address), int(clock // HOUR)
    pair = hash_token(f"share {share} from {here}")
    counted = [(pair, *PAIR), (hash_token(f"share {share} in hour {hour}"), *NAME)]
    return Tries(counted, [pair])


def passkey(address: str) -> Tries:
    """Return the limit of starting sign-ins by passkey, each of which stores a challenge."""
    here = hash_token(f"passkeys from {network(address)}")
    return Tries([(here, *NETWORK)], [here])


def set_up(address: str) -> Try:
    """Return the limit of entering set-up tokens."""
    return (hash_token(f"set-up {network(address)}"), *NETWORK)
