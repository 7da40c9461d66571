"""The Jinja tests of playbooks/test_plugins: which inputs are accepted."""

from __future__ import annotations

import base64
import re

import pytest

from tests.loading import ROOT, module_at

inputs = module_at("playbooks/test_plugins/inputs.py")


def key(kind: str, size: int) -> str:
    """Return a public key of that kind whose decoded length is ``size``, made of zeros."""
    head = len(kind).to_bytes(4, "big") + kind.encode()
    return f"{kind} {base64.b64encode(head.ljust(size, bytes(1))).decode()}"


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ("10.20.0.0/16", True),
        ("10.20.0.1/16", False),
        ("10.20.0.0", False),
        ("10.20.256.0/24", False),
        ("10.20.0.0/33", False),
        ("::/0", False),
        ("", False),
    ],
)
def test_cidr_is_an_ipv4_network_without_host_bits(value: str, accepted: bool) -> None:
    assert accepted is inputs.is_cidr(value)


def test_cidr_prefix_length_is_limited() -> None:
    assert inputs.is_cidr("10.0.0.0/16", shortest=16, longest=28)
    assert not inputs.is_cidr("10.0.0.0/8", shortest=16, longest=28)
    assert not inputs.is_cidr("10.0.0.0/29", shortest=16, longest=28)


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ("203.0.113.7/32", True),
        ("203.0.113.0/24", False),
        ("203.0.113.7", False),
        ("0.0.0.0/32", False),
        ("0.1.2.3/32", False),
        ("999.0.0.1/32", False),
        ("127.0.0.1/32", False),
        ("224.0.0.1/32", False),
        (None, False),
    ],
)
def test_one_address_is_a_possible_client(value: object, accepted: bool) -> None:
    assert accepted is inputs.is_one_address(value)


def test_inside_and_disjoint_compare_networks() -> None:
    assert inputs.is_inside("10.20.1.0/24", "10.20.0.0/16")
    assert not inputs.is_inside("10.21.1.0/24", "10.20.0.0/16")
    assert not inputs.is_inside("nonsense", "10.20.0.0/16")
    assert inputs.is_disjoint(["10.20.0.0/24", "10.20.1.0/24"])
    assert not inputs.is_disjoint(["10.20.0.0/23", "10.20.1.0/24"])


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        (key("ssh-ed25519", 51), True),
        (key("ssh-ed25519", 51) + " somebody@example.org", True),
        (key("ssh-rsa", 279), True),
        (key("ssh-ed25519", 50), False),
        (key("ssh-rsa", 60), False),
        (key("ecdsa-sha2-nistp256", 104), False),
        ("ssh-ed25519 " + key("ssh-rsa", 279).split()[1], False),
        ("ssh-ed25519 AAAA", False),
        ("ssh-ed25519 not*base64", False),
        ("ssh-ed25519", False),
        (key("ssh-ed25519", 51) + "\nssh-ed25519 AAAA", False),
        ("", False),
    ],
)
def test_public_key_is_one_that_ec2_imports(value: str, accepted: bool) -> None:
    assert accepted is inputs.is_public_key(value)


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ("ops@example.org", True),
        ("ops+alarms@mail.example.org", True),
        ("ops@localhost", False),
        ("ops@example..org", False),
        ("ops example.org", False),
        ("ops@example.org, two@example.org", False),
        ("", False),
    ],
)
def test_email_is_one_address(value: str, accepted: bool) -> None:
    assert accepted is inputs.is_email(value)


@pytest.mark.parametrize(
    ("value", "accepted"), [("a1", True), ("a1\n", False), ("a1 ", False), ("ba1", False), (7, False)]
)
def test_full_match_is_of_the_whole_value(value: object, accepted: bool) -> None:
    assert accepted is inputs.is_full_match(value, "[a-z][0-9]")


def test_no_input_is_compared_with_a_pattern_that_ends_in_a_dollar() -> None:
    """It accepts a line feed at the end, which gets into names, headers and files."""
    paths = [path for folder in ("roles", "playbooks", "inventory") for path in (ROOT / folder).rglob("*.yml")]
    found = [path for path in paths if re.search(r"(match|search)\((['\"])[^'\"]*\$\2", path.read_text())]
    assert [] == found
    assert 100 < len(paths)
