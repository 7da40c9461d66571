"""Captions, alt texts and tags of a model, made fit to store and to show."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgcore.captioning import phrases, wording
from imgcore.captioning.reading import alt_text, caption, tags
from imgcore.text import one_line
from tests.unit.captioning_tools import ANY

# captions


@given(ANY)
def test_caption_is_within_its_limits(text: str) -> None:
    """The limit is 25 words and 250 characters, and clean."""
    found = caption(text)
    assert len(found.split()) <= 25
    assert len(found) <= 250
    assert one_line(found) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A cat.", "A cat."),
        ("word " * 25, "word " * 24 + "word"),
        ("word " * 26, "word " * 24 + "word…"),
        ("word " * 24 + "last, and more", "word " * 24 + "last…"),
        ("word " * 24 + "end. And more.", "word " * 24 + "end."),
        ("日" * 300, "日" * 249 + "…"),
    ],
)
def test_caption_that_is_too_long_is_shortened(text: str, expected: str) -> None:
    """A long caption ends after a word, at a sentence's end without a mark."""
    assert expected == caption(text)


# alt texts


@given(st.sampled_from(["", "Image of ", "a photo of ", "The picture shows: "]), ANY)
def test_alt_text_is_within_its_limit(lead_in: str, text: str) -> None:
    """The limit is 125 characters, clean, and never beginning with what a screen reader says anyway.

    A sentence about a picture keeps it: "Photo of a horse is on the wall".
    """
    found = alt_text(lead_in + text)
    assert len(found) <= 125
    assert one_line(found) == found
    if re.search(rf"\b(?:{phrases.ENGLISH_VERBS})\b", found, re.IGNORECASE) is None:
        assert not found.lower().startswith(("image of", "photo of", "an image of", "a photo of"))


@given(st.lists(st.text("abc", min_size=1, max_size=30), min_size=10, max_size=60))
def test_alt_text_that_is_too_long_ends_with_a_word(words: list[str]) -> None:
    text = " ".join(words)
    found = alt_text(text)
    kept = found.removesuffix("…").split()
    assert words[: len(kept)] == kept
    assert found == text or len(" ".join(words[: len(kept) + 1])) > 124


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Image of a cat", "A cat"),
        ("A photo of the painting of a cat", "The painting of a cat"),
        ("photograph showing: dogs", "Dogs"),
        ("The image depicts a photo of rain", "Rain"),
        ("Images of cats on a wall", "Images of cats on a wall"),
        ("Photo", "Photo"),
        ("Photo of a", "A"),
        ("x" * 125, "x" * 125),
        ("x" * 126, "x" * 124 + "…"),
        ("x" * 100 + ", " + "y" * 50, "x" * 100 + "…"),
    ],
)
def test_alt_text_loses_its_announcement(text: str, expected: str) -> None:
    """Lead-ins go, one after another; what only looks like one stays."""
    assert expected == alt_text(text)


@pytest.mark.parametrize("cluster", ["e\u0323\u0301\u0300", "👩\u200d🚀", "👍🏽", "नि"])
def test_shortened_text_keeps_combined_characters(cluster: str) -> None:
    """A cut never goes through an accent, a vowel sign, a skin tone or a joined emoji."""
    cluster = one_line(cluster)
    for shift in range(4):
        found = alt_text("x" * shift + cluster * 100).removesuffix("…")
        assert "" == found.removeprefix("x" * shift).replace(cluster, "")


def test_text_of_combining_marks_only_is_shortened() -> None:
    """A row of accents longer than the limit is cut anywhere."""
    assert 125 == len(alt_text("\u0301" * 200))


# tags


@given(st.lists(ANY | st.integers() | st.none() | st.lists(st.text()), max_size=20))
def test_tags_are_within_their_limits(values: list[object]) -> None:
    """The limit is eight, short, clean, each once and in lower case."""
    found = tags(values)
    assert len(found) <= 8
    assert [] == [tag for tag in found if not 1 <= len(tag) <= 40 or one_line(tag) != tag]
    assert len(set(found)) == len(found)
    assert [tag.lower() for tag in found] == [unicodedata.normalize("NFC", tag) for tag in found]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["Cat", "cat ", "#CAT", "Dog."], ("cat", "dog")),
        (["cat, dog;bird", "", "  ", None, True, 3], ("cat", "dog", "bird", "3")),
        (list("abcdefghij"), tuple("abcdefgh")),
        (["rock " * 20], ("rock rock rock rock rock rock rock rock",)),
        (["a" * 19 + " " + "b" * 20 + " c"], ("a" * 19 + " " + "b" * 20,)),
        ([], ()),
    ],
)
def test_tags_are_normalized(values: list[object], expected: tuple[str, ...]) -> None:
    assert expected == tags(values)


# wrapping

WRAPPED = {
    "**A brown dog** runs on a *sandy* beach.": "A brown dog runs on a sandy beach.",
    "***A dog***": "A dog",
    "_A dog_ and my_file_name": "A dog and my_file_name",
    "A dog \\*runs\\*": "A dog runs",
    "`A dog`": "A dog",
    "[A dog](https://example.org/dog)": "A dog",
    "# Caption\nA dog on a beach.": "A dog on a beach.",
    "## A dog on a beach.": "A dog on a beach.",
    "- A dog\n- A beach": "A dog; A beach",
    "- A dog - A beach": "A dog; A beach",
    "* A dog": "A dog",
    "• A dog": "A dog",
    "1. A dog runs\n2. A cat": "A dog runs; A cat",
    "> A dog": "A dog",
    '"A dog runs."': "A dog runs.",
    "“A dog runs.”": "A dog runs.",
    "„Ein Hund läuft.“": "Ein Hund läuft.",
    "«Un chien court.»": "Un chien court.",
    "'A dog's ball.'": "A dog's ball.",
    "A &quot;red&quot; dog &amp; a cat": 'A "red" dog & a cat',
    "<p>A <b>dog</b></p>": "A dog",
    "Caption: A dog.": "A dog.",
    "**Caption:** A dog.": "A dog.",
    "Alt text: Image of a dog": "A dog",
    "Title: **Dog** in a field": "Dog in a field",
    "Here is a caption: A dog runs.": "A dog runs.",
    "Here's the alt text: A dog": "A dog",
    "Sure! A dog runs.": "A dog runs.",
    "Sure, here's a caption for your photo:\n\n**A dog runs.**\n\nLet me know if …": "A dog runs.",
    "Of course! Here is your caption:\n> A dog runs": "A dog runs",
    "Image of a dog": "A dog",
    "The photo shows a dog.": "A dog.",
    "In this image, there is a dog.": "A dog.",
    "Bildunterschrift: Ein Hund.": "Ein Hund.",
    "Hier ist eine Beschreibung: Ein Hund.": "Ein Hund.",
    "Gerne! Ein Hund.": "Ein Hund.",
    "Ein Foto von drei Hunden": "Drei Hunden",
    "Légende : Un chien": "Un chien",
    "Voici une légende : Un chien": "Un chien",
    "Photo d'un chien": "Un chien",
    "Claro, aquí tienes una descripción: Un perro": "Un perro",
    "Foto de un perro": "Un perro",
    "Imagem de um cão": "Um cão",
    "Ecco la didascalia: Un cane": "Un cane",
    "Immagine di un gatto": "Un gatto",
    "Afbeelding van een hond": "Een hond",
    "这张图片显示了一只狗。": "一只狗。",
    "Sure - a dog runs.": "A dog runs.",
    "Certainly. A dog runs.": "A dog runs.",
    "Great—a dog runs.": "A dog runs.",
    "Image of Christ the Redeemer above Rio.": "Christ the Redeemer above Rio.",
    "Photo of a man whose hat is red": "A man whose hat is red",
    "A picture of a horse that stands in a field": "A horse that stands in a field",
    "Photo of a dog. It lies on a mat.": "A dog. It lies on a mat.",
    "Ein Bild von einem Hund, der auf einer Wiese liegt": "Einem Hund, der auf einer Wiese liegt",
    "Photo d'un chien qui est assis": "Un chien qui est assis",
    "Foto de un perro que está sentado": "Un perro que está sentado",
    "Foto van een hond die op het gras ligt": "Een hond die op het gras ligt",
}


@pytest.mark.parametrize(("text", "expected"), WRAPPED.items())
def test_wrapping_is_removed(text: str, expected: str) -> None:
    assert (expected, expected) == (caption(text), alt_text(text))


@pytest.mark.parametrize(
    "text",
    [
        '"Stop" and "Go" signs',
        'A sign reads "STOP"',
        '"STOP" sign on a road',
        "A 5 * 3 grid of tiles",
        "-5 °C on a thermometer",
        "Great Wall of China",
        "Okay sign made by a hand",
        "#1 on a jersey",
        "Images of cats on a wall",
        "A <script>alert(1)</script> barn.",
        "Dr. Dolittle: the book",
        "Sure-footed goats climb a cliff.",
        "Great-grandmother holds a baby.",
        "OK-branded cap on a peg",
        "Klar-Sicht-Folie um einen Apfel",
        "OK.gov on a poster",
        "Hier ist der Eingang: ein Tor aus Stein.",
        "Voici le chien : un berger.",
        # sentences about a picture
        "A picture of a horse hangs on a wall.",
        "A photo of a man and a dog lies on the desk.",
        "The image of a saint is painted on a door.",
        "Ein Bild von Picasso hängt an der Wand.",
        "Une photo d'un chat est accrochée au mur.",
        "Una foto de un perro cuelga de la pared.",
        "Uma foto de um cão está na parede.",
        "Una foto di un gatto è appesa al muro.",
        "Een foto van een hond hangt aan de muur.",
        "Ett foto av en hund hänger på väggen.",
    ],
)
def test_words_that_only_look_like_wrapping_stay(text: str) -> None:
    assert text == caption(text)


def test_tags_that_say_nothing_are_left_out() -> None:
    assert ("cat",) == tags(["n/a", "unknown", "null", "cat", "none"])


@given(ANY)
def test_wording_of_any_text_is_stable(text: str) -> None:
    once = wording.plain(text)
    assert once == wording.plain(once)


def test_phrases_are_in_several_languages() -> None:
    """A group that lost its expressions would let refusals through."""
    groups = (phrases.LABELS, phrases.CHATTER, phrases.IMAGE_OF, phrases.REFUSALS, phrases.NOTHING)
    assert all(len(group) >= 5 for group in groups)
