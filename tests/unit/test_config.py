"""Settings: parsing, messages for wrong values, secrets, and the generated page."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from imgcore.cli.settings import reference
from imgcore.config import Config, Secret
from imgcore.errors import Misconfigured


def test_read_empty_environment_gives_the_defaults() -> None:
    config = Config.read({})

    assert ("auto", "crop", 5, None) == (
        config.captioner,
        config.thumbnail_fit,
        config.max_attempts,
        config.database_url,
    )


def test_read_values_are_parsed_by_type() -> None:
    config = Config.read(
        {
            "MAX_ATTEMPTS": "7",
            "CAPTION_LEASE_SECONDS": "12.5",
            "GEMINI_FALLBACK_MODELS": " a, b ,,",
            "CAPTIONER": "local",
            "DB_PASSWORD": "x",
        }
    )

    assert (7, 12.5, ("a", "b"), "local", Secret("x")) == (
        config.max_attempts,
        config.caption_lease,
        config.gemini_fallback_models,
        config.captioner,
        config.db_password,
    )


def test_read_empty_value_counts_as_absent() -> None:
    """The default applies, or the second name."""
    config = Config.read({"MAX_ATTEMPTS": " ", "GEMINI_API_KEY": "", "GOOGLE_API_KEY": "k"})

    assert (5, Secret("k")) == (config.max_attempts, config.gemini_api_key)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAPTIONER", "magic"),
        ("THUMBNAIL_FIT", "stretch"),
        ("MAX_ATTEMPTS", "many"),
        ("MAX_ATTEMPTS", "0"),
        ("MAX_ATTEMPTS", "1.5"),
        ("CAPTION_LEASE_SECONDS", "nan"),
        ("CAPTION_LEASE_SECONDS", "inf"),
        ("UPLOAD_TTL_SECONDS", "-5"),
        ("PORT", "http"),
        ("PORT", "65536"),
        ("DRAIN_SECONDS", "3601"),
    ],
)
def test_read_wrong_value_is_misconfigured(name: str, value: str) -> None:
    """The message names the variable and the value."""
    with pytest.raises(Misconfigured) as caught:
        Config.read({name: value})

    assert name in caught.value.message
    assert value in caught.value.message


def test_secret_never_prints_itself() -> None:
    config = Config.read({"GEMINI_API_KEY": "made-up", "DATABASE_URL": "mysql://u:made-up@h/d"})

    assert "made-up" not in f"{config!r} {config} {config.gemini_api_key} {config.database_url!s}"
    assert config.gemini_api_key is not None
    assert "made-up" == config.gemini_api_key.reveal()
    assert 1 == len({Secret("a"), Secret("a")})
    assert Secret("a") != "a"


def test_need_missing_setting_is_named() -> None:
    config = Config.read({"UPLOADS_BUCKET": "u"})

    assert config is config.need("uploads_bucket")
    with pytest.raises(Misconfigured, match="DERIVED_BUCKET is not set"):
        config.need("uploads_bucket", "derived_bucket")


def test_settings_page_is_up_to_date() -> None:
    """docs/settings.md is what ``make docs`` writes."""
    current = (Path(__file__).parents[2] / "docs/settings.md").read_text()
    assert reference() == current, "run `make docs`"


def test_settings_page_names_every_variable_and_default() -> None:
    page = reference()

    for item in fields(Config):
        assert all(f"`{name}`" in page for name in item.metadata["names"])
        assert item.metadata["help"] in page
    assert "| `PORT` | `8000` |" in page
    assert "| `DRAIN_SECONDS` | `25` s |" in page
    assert "| `GEMINI_API_KEY` or `GOOGLE_API_KEY` |  |" in page


def test_web_settings_are_read_with_the_others() -> None:
    config = Config.read(
        {"HOST": "::1", "PORT": "0", "GALLERY_HOSTS": "a.example, b.example", "TRUSTED_PROXY": "*"}
    )

    assert ("::1", 0, ("a.example", "b.example"), "*") == (
        config.host,
        config.port,
        config.gallery_hosts,
        config.trusted_proxy,
    )
