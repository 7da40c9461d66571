"""Text made fit to store, to show, to search and to count."""

from __future__ import annotations

import math
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imgcore.errors import Invalid
from imgcore.text import (
    cut_to_bytes,
    file_size,
    fold_for_search,
    is_boilerplate,
    is_showable,
    normalized,
    one_line,
    printable,
    shorten,
    storable,
    too_large,
    without_overrides,
)

ROOT = Path(__file__).parents[2]
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
ANY = st.text(st.characters(codec=None), max_size=400)


@given(ANY)
@example("\0")
@example("a\ud800b")
@example("\u200da\u200d \u200d")
def test_one_line_any_text_holds_no_invisible_character(text: str) -> None:
    """No control, direction or private-use character and no surrogate is left; spaces are single."""
    found = one_line(text)
    assert [] == [c for c in found if unicodedata.category(c) in ("Cc", "Cs", "Co", "Zl", "Zp")]
    assert [] == [c for c in found if unicodedata.category(c) == "Cf" and c not in "\u200c\u200d"]
    assert " ".join(found.split()) == found
    assert found == found.encode().decode()


@given(ANY)
def test_one_line_of_its_own_result_is_the_same(text: str) -> None:
    """The function is idempotent."""
    assert one_line(one_line(text)) == one_line(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A\0 cat\n\ton  a\r\nmat ", "A cat on a mat"),
        ("abc\u202edef\u2066", "abcdef"),
        ("<b>\u200bA</b>", "<b>A</b>"),
        ("caf" + "e\u0301", "café"),
        ("👩\u200d🚀 lands", "👩\u200d🚀 lands"),
        (f"{ENGLAND} wins", f"{ENGLAND} wins"),
        (f"a{ENGLAND[1:]} wins", "a wins"),
        (ENGLAND[:-1], "\U0001f3f4"),
        ("\ufeff\u200d \u200c", ""),
        ("\ue000\ufffe\ufdd0x", "x"),
    ],
)
def test_one_line_examples(text: str, expected: str) -> None:
    """Visible characters and joiners stay; invisible ones and direction marks are removed."""
    assert expected == one_line(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a  b", "a  b"), ("a\nb\x00", "ab"), ("\u200d x \u200d", "x"), ("\u202egpj.exe", "gpj.exe")],
)
def test_printable_keeps_spaces_and_drops_controls(text: str, expected: str) -> None:
    assert expected == printable(text)


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 5, "short"),
        ("one two three", 10, "one two…"),
        ("one two, three", 10, "one two…"),
        ("x" * 20, 10, "x" * 9 + "…"),
        ("a " + "x" * 20, 10, "a " + "x" * 7 + "…"),
        ("xxxxxxxx" + "e\u0301" * 5, 10, "xxxxxxxx…"),
    ],
)
def test_shorten_long_text_ends_after_a_word_or_character(text: str, limit: int, expected: str) -> None:
    assert expected == shorten(text, limit)


@given(ANY, st.integers(2, 50))
def test_shorten_any_text_is_within_the_limit(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= limit


@pytest.mark.parametrize(
    "caption", ["OLYMPUS DIGITAL CAMERA", "exif_jpeg_picture", "JPEG", "SAMSUNG CAMERA PICTURES"]
)
def test_is_boilerplate_text_of_a_camera_is_true(caption: str) -> None:
    assert is_boilerplate(caption)


@pytest.mark.parametrize("caption", ["Photo of Oma", "My camera", "JPEG artefacts", ""])
def test_is_boilerplate_text_of_a_person_is_false(caption: str) -> None:
    assert not is_boilerplate(caption)


def test_storable_text_is_cut_and_holds_no_nul() -> None:
    assert "abc" == storable("a\0bcd", 3)


def test_storable_lone_surrogate_is_invalid() -> None:
    with pytest.raises(Invalid, match="cannot be stored"):
        storable("\ud800", 10)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a\tb\n", True), ("a\x85b", True), ("a\x7f", False), ("\ud800", False), ("a\0", False),
     ("\ufffd", True), ("a\ufffe", False), ("\uffff", False), ("\ufdd0", True), ("\U0010ffff", True)],
)  # fmt: skip
def test_is_showable_controls_surrogates_and_noncharacters_are_not(text: str, expected: bool) -> None:
    assert expected is is_showable(text)


def test_without_overrides_keeps_marks_and_joiners() -> None:
    """A mark changes nothing after the next letter; an override changes the rest of the paragraph."""
    overrides = "".join(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))
    kept = "\u200c\u200d\u200e\u200f\u061c\u2065\u2029\u202f"
    assert f"a{kept}b" == without_overrides(f"a{overrides}{kept}b")


def test_fold_for_search_ignores_case_accents_and_width() -> None:
    assert "strasse cafe 1" == fold_for_search(" STRAßE  Café\u00a0\uff11 ")


@pytest.mark.parametrize(
    ("size", "down", "up"),
    [
        (0, "0 bytes", "0 bytes"),
        (1, "1 byte", "1 byte"),
        (1023, "1023 bytes", "1023 bytes"),
        (1025, "1 KiB", "2 KiB"),
        (20 * 2**20, "20 MiB", "20 MiB"),
        (20 * 2**20 + 1, "20 MiB", "20.1 MiB"),
        (1000 * 2**20, "1,000 MiB", "1,000 MiB"),
        (1500 * 2**20, "1.4 GiB", "1.5 GiB"),
        (2**40, "1 TiB", "1 TiB"),
        (2**51 + 2**39, "2,048.5 TiB", "2,048.5 TiB"),
    ],
)
def test_file_size_rounds_as_asked(size: int, down: str, up: str) -> None:
    assert (down, up) == (file_size(size, math.floor), file_size(size, math.ceil))


def test_too_large_one_byte_over_names_two_different_sizes() -> None:
    assert "This file has 20.1 MiB; the limit is 20 MiB." == too_large(20 * 2**20 + 1, 20 * 2**20)


def test_file_size_rounds_to_the_nearest_by_default() -> None:
    assert ("341 KiB", "1.2 MiB") == (file_size(349_000), file_size(1_234_567))
    assert ("3 KiB", "1.3 MiB") == (file_size(2560), file_size(1_310_720))  # as Math.round


@pytest.mark.parametrize("limit", range(1, 4 * len(ENGLAND)))
def test_cut_to_bytes_keeps_a_flag_whole(limit: int) -> None:
    assert cut_to_bytes(f"a{ENGLAND}b", limit) in ("a", f"a{ENGLAND}", f"a{ENGLAND}b")


FORMS = ("NFC", "NFD", "NFKC", "NFKD")


@given(st.text(max_size=900), st.sampled_from(FORMS))
def test_normalized_text_is_that_of_unicode(text: str, form: str) -> None:
    assert unicodedata.normalize(form, text) == normalized(form, text)


@pytest.mark.parametrize("form", FORMS)
def test_normalized_letter_keeps_thirty_marks_of_a_long_text(form: str) -> None:
    """Unicode sorts the marks of a letter, in quadratic time."""
    marks = "\u0344" * 16_300 + "\u0316" * 16_300
    found = normalized(form, f"a{marks}b" + "é" * 500)
    assert len(found.partition("b")[0]) <= 1 + 2 * 30
    assert unicodedata.normalize(form, "é" * 500) == found.partition("b")[2]


def test_text_alone_is_normalized_by_the_module_for_it() -> None:
    modules = [path for folder in ("imgcore", "web") for path in (ROOT / folder).rglob("*.py")]
    assert ["imgcore/text.py"] == [
        str(path.relative_to(ROOT)) for path in modules if "unicodedata.normalize(" in path.read_text()
    ]
