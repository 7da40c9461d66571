"""Names in the buckets, and file names as people are shown them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgcore.gallery.keys import (
    clean_name,
    derived_keys,
    is_public_id,
    new_image_for_key,
    new_public_id,
    raw_key,
)
from imgcore.gallery.models import MEDIA_TYPES


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cat.jpg", "cat.jpg"),
        ("C:\\Users\\me\\cat.jpg", "cat.jpg"),
        ("../../etc/passwd", "passwd"),
        ("  a\x00b\n.jpg ", "ab.jpg"),
        ("\u202egpj.exe", "gpj.exe"),
        ("e\u0301t\u00e9.jpg", "\u00e9t\u00e9.jpg"),
        ("\ud800x", "x"),
        ("", "photo"),
        ("///", "photo"),
        ("x" * 300, "x" * 255),
    ],
)
def test_a_name_is_shown_without_tricks(name: str, shown: str) -> None:
    """No folders, no control characters, no reversed text, one form of each letter."""
    assert shown == clean_name(name)


@given(st.text())
def test_any_name_becomes_one_that_a_database_takes(name: str) -> None:
    """Never empty, never too long, always encodable."""
    shown = clean_name(name)

    assert 1 <= len(shown) <= 255
    assert shown.encode()


def test_a_new_id_is_one_and_never_the_same() -> None:
    """32 hexadecimal digits."""
    ids = {new_public_id() for _ in range(100)}

    assert 100 == len(ids)
    assert all(is_public_id(public_id) for public_id in ids)
    assert not is_public_id("x" * 32)


def test_originals_and_derived_images_never_share_a_prefix() -> None:
    """No function can feed itself."""
    public_id = new_public_id()
    raw = {raw_key(public_id, media_type) for media_type in MEDIA_TYPES}

    assert all(key.startswith("raw/") for key in raw)
    assert not any(key.startswith("raw/") for key in derived_keys(public_id))


@pytest.mark.parametrize(
    ("key", "name", "media_type"),
    [
        ("raw/holiday/Cat 1.JPG", "Cat 1.JPG", "image/jpeg"),
        ("raw/a.heic", "a.heic", "image/heic"),
        ("raw/notes", "notes", None),
    ],
)
def test_an_object_that_came_by_itself_gets_a_row(key: str, name: str, media_type: str | None) -> None:
    """Its name and type are read from its key."""
    new = new_image_for_key(key)

    assert (key, name, media_type, None) == (new.image_key, new.name, new.media_type, new.size)
