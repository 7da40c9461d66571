"""Captions and keywords from the metadata of an image."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgcore.gallery.embedded import MAX_ALT, MAX_CAPTION, description, keywords
from imgcore.gallery.models import Description, PhotoFacts, Source


def facts(caption: str | None, words: tuple[str, ...] = ()) -> PhotoFacts:
    return PhotoFacts("JPEG", 3, 2, 1, "0" * 64, embedded_caption=caption, embedded_keywords=words)


def test_embedded_photographers_words_are_kept() -> None:
    """The caption is used unchanged, with its keywords and the source embedded."""
    expected = Description("Mia's first goal", "Mia's first goal", ("football", "mia"), Source.EMBEDDED)
    assert expected == description(facts("Mia's first goal", ("Football", "Mia")))


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "  \n",
        "...",
        "2024-05-01",
        "OLYMPUS DIGITAL CAMERA",
        "SONY DSC",
        "KODAK Digital Still Camera",
        "DCIM",
        "Screenshot",
        "untitled",
        "Created with GIMP",
        "IMG_1234.jpg",
        "DSC_0042",
    ],
)
def test_embedded_what_machines_write_is_no_caption(text: str | None) -> None:
    """Cameras and programs fill the field by themselves."""
    assert description(facts(text)) is None


@pytest.mark.parametrize("text", ["Default settings are a trap", "My camera", "Photo of Oma", "日の出", "Zoë"])
def test_embedded_what_people_write_is_kept(text: str) -> None:
    """Short, in any script, even where a word of it is a machine's."""
    found = description(facts(text))
    assert text == (found and found.caption)


def test_embedded_lines_become_one() -> None:
    """Control characters and line breaks are blanks."""
    found = description(facts(" At the\r\n\tlake\x00 \u2028in May "))
    assert "At the lake in May" == (found and found.caption)


def test_embedded_direction_marks_are_dropped() -> None:
    """They would turn the text around them."""
    found = description(facts("lake\u202egpj.exe"))
    assert "lakegpj.exe" == (found and found.caption)


def test_embedded_long_text_ends_between_words() -> None:
    found = description(facts("word, " * 200))
    assert found is not None
    assert ("word, " * 19 + "word…", True) == (found.alt_text, found.caption.endswith("word…"))


def test_embedded_long_word_is_cut() -> None:
    """The cut is inside a word only if there is no other place."""
    found = description(facts("x" * 900))
    assert (MAX_CAPTION, MAX_ALT) == (found and len(found.caption), found and len(found.alt_text))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((" Beach ", "beach", "", "x" * 41), ("beach",)),
        (tuple("abcdefghij"), tuple("abcdefgh")),
        (("two\nlines",), ("two lines",)),
    ],
)
def test_embedded_keywords_become_normalized_tags(words: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Small letters, no doubles, no essays, at most eight."""
    assert expected == keywords(words)


@given(st.text(max_size=700), st.lists(st.text(max_size=60)).map(tuple))
def test_embedded_any_text_is_made_fit(text: str, words: Any) -> None:
    """The text is one line within the limits and valid UTF-8, for every file."""
    if (found := description(facts(text, words))) is not None:
        assert found.caption == " ".join(found.caption.split())
        assert len(found.caption) <= MAX_CAPTION
        assert len(found.alt_text) <= MAX_ALT
        found.caption.encode()
