"""Codes of RFC 6238, recovery codes and the QR code's address."""

from __future__ import annotations

import base64
import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from imgcore.accounts import second_factor

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
    ],
)
def test_matching_step_of_the_vectors_of_rfc_6238(now: int, code: str) -> None:
    """Appendix B, the last six digits of the SHA-1 codes."""
    assert now // 30 == second_factor.matching_step(RFC_SECRET, code, now)


@pytest.mark.parametrize(("later", "found"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_matching_step_is_a_neighbour_at_most(later: int, found: bool) -> None:
    step = second_factor.matching_step(RFC_SECRET, "005924", 1234567890 + later)
    assert (1234567890 // 30 if found else None) == step


@pytest.mark.parametrize("code", ["", "005 924", "0059240", "5924", "\ud800"])
def test_matching_step_of_another_text_is_none(code: str) -> None:
    assert second_factor.matching_step(RFC_SECRET, code, 1234567890) is None


def test_secrets_have_160_bits_and_differ() -> None:
    made = {second_factor.generate_secret() for _ in range(20)}
    assert (20, {20}) == (len(made), {len(base64.b32decode(secret)) for secret in made})
    assert all(second_factor.is_secret(secret) for secret in made)


@pytest.mark.parametrize("text", ["", "A" * 31, "A" * 33, "a" * 32, "A" * 31 + "1", "A" * 32 + "\n"])
def test_is_secret_refuses_other_text(text: str) -> None:
    assert not second_factor.is_secret(text)


def test_recovery_codes_have_80_bits_and_differ() -> None:
    codes = second_factor.generate_recovery_codes()
    assert (10, 10) == (len(codes), len(set(codes)))
    assert all(re.fullmatch(r"([A-HJ-NP-Z2-9]{4}-){3}[A-HJ-NP-Z2-9]{4}", code) for code in codes)


def test_provisioning_uri_names_gallery_account_and_secret() -> None:
    parts = urlsplit(second_factor.provisioning_uri(RFC_SECRET, "ada@example.org"))
    assert ("otpauth", "totp", "/Caption Gallery:ada@example.org") == (
        parts.scheme,
        parts.netloc,
        unquote(parts.path),
    )
    assert {"secret": [RFC_SECRET], "issuer": ["Caption Gallery"]} == parse_qs(parts.query)
