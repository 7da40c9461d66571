"""Keys in the buckets, and file names."""

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
def test_clean_name_examples(name: str, shown: str) -> None:
    """Folders, control characters and direction marks are removed; the result is in NFC."""
    assert shown == clean_name(name)


@given(st.text())
def test_clean_name_any_text_is_storable(name: str) -> None:
    shown = clean_name(name)

    assert 1 <= len(shown.encode()) <= 255


def test_new_public_id_is_valid_and_unique() -> None:
    ids = {new_public_id() for _ in range(100)}

    assert 100 == len(ids)
    assert all(is_public_id(public_id) for public_id in ids)
    assert not is_public_id("x" * 32)


def test_keys_of_originals_and_derived_images_share_no_prefix() -> None:
    """No function can trigger itself."""
    public_id = new_public_id()
    raw = {raw_key(public_id, media_type) for media_type in MEDIA_TYPES}

    assert all(key.startswith("raw/") for key in raw)
    assert not any(key.startswith("raw/") for key in derived_keys(public_id))


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467 family.jpg"
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.jpg"
HINDI = "\u0915\u094d\u200d\u0937.jpg"
COUPLE = "\U0001f468\u200d\U0001f469"  # eleven bytes


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (FAMILY, FAMILY),
        (PERSIAN, PERSIAN),
        (HINDI, HINDI),
        ("x" * 300 + ".jpg", "x" * 251 + ".jpg"),
        ("\u00e9" * 200 + ".jpeg", "\u00e9" * 125 + ".jpeg"),
        ("\U0001f600" * 100 + ".HEIC", "\U0001f600" * 62 + ".HEIC"),
        (f"{COUPLE} " * 40 + ".jpg", f"{COUPLE} " * 20 + COUPLE + ".jpg"),
        ("x" * 300, "x" * 255),
        ("a." + "x" * 300, "a." + "x" * 253),
    ],
)
def test_clean_name_keeps_joiners_and_the_ending_within_255_bytes(name: str, shown: str) -> None:
    assert clean_name(name) == shown


@pytest.mark.parametrize(
    ("key", "name", "media_type"),
    [
        ("raw/holiday/Cat 1.JPG", "Cat 1.JPG", "image/jpeg"),
        ("raw/a.heic", "a.heic", "image/heic"),
        ("raw/notes", "notes", None),
        (f"raw/{'0f' * 16}.JPG", f"{'0f' * 16}.JPG", "image/jpeg"),
        (f"raw/{'0f' * 16}", "0f" * 16, None),
        (f"raw/{'0f' * 20}.jpg", f"{'0f' * 20}.jpg", "image/jpeg"),
        (f"raw/holiday/{'0f' * 16}.jpg", f"{'0f' * 16}.jpg", "image/jpeg"),
    ],
)
def test_new_image_for_key_reads_name_and_type_from_the_key(
    key: str, name: str, media_type: str | None
) -> None:
    new = new_image_for_key(key)

    assert new is not None
    assert (key, name, media_type, None) == (new.image_key, new.name, new.media_type, new.size)


@pytest.mark.parametrize("media_type", [*MEDIA_TYPES, None])
def test_new_image_for_key_of_the_gallery_is_none(media_type: str | None) -> None:
    assert new_image_for_key(raw_key(new_public_id(), media_type)) is None
