"""Sentences, alternative texts and tags."""

from __future__ import annotations

import itertools
import re
from functools import cache

import pytest

from imgcore.captioning.local.findings import Findings, Subject
from imgcore.captioning.local.sentences import MAX_ALT, alt_text, caption, tags
from imgcore.captioning.local.vocabulary import GROUPS, classes, subject
from tests.unit.captioning_local_tools import CAT, CHAIR, TABBY, seen


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (seen(), "A wide photograph that is mostly green."),
        (seen(light="bright", shape="tall"), "A bright, tall photograph that is mostly green."),
        (seen(colors=("blue", "light blue")), "A wide photograph that is mostly shades of blue."),
        (seen(mostly=False, colors=("red", "gray")), "A wide photograph with some red and gray."),
        (seen(colors=(), mostly=False, drawn=True), "A wide picture."),
        (seen(black_and_white=True, light="dark"), "A dark, wide black-and-white photograph."),
        (seen(subject=CAT), "What looks like a cat in a photograph that is mostly green."),
        (seen(subject=TABBY), "What looks like a cat, perhaps a tabby, in a photograph that is mostly green."),
        (
            seen(subject=CHAIR, shape="square"),
            "Possibly a rocking chair in a square photograph that is mostly green.",
        ),
        (seen(subject=CAT, black_and_white=True), "What looks like a cat in a black-and-white photograph."),
        (seen(1), "One face in a photograph that is mostly green."),
        (seen(3, black_and_white=True), "Three faces in a black-and-white photograph."),
        (seen(5), "About five faces in a photograph that is mostly green."),
        (seen(12), "About 12 faces in a photograph that is mostly green."),
        (seen(2, CAT), "Two faces and what looks like a cat in a photograph that is mostly green."),
        (seen(1, CHAIR), "One face and possibly a rocking chair in a photograph that is mostly green."),
        (seen(plain=True, colors=("white",)), "A white picture with nothing to make out."),
        (seen(plain=True, colors=()), "A gray picture with nothing to make out."),
    ],
)
def test_caption_of_findings_is_the_expected_sentence(what: Findings, expected: str) -> None:
    """One sentence, with a hedge before every guess."""
    assert expected == caption(what)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (seen(), "Wide photograph, mostly green. The subject was not recognized."),
        (seen(subject=TABBY), "What looks like a cat, perhaps a tabby. Photograph, mostly green."),
        (seen(2, light="dark"), "Two faces. Dark photograph, mostly green."),
        (seen(plain=True, colors=("white",)), "Plain white surface."),
    ],
)
def test_alt_text_of_findings_is_the_expected_sentence(what: Findings, expected: str) -> None:
    """What is shown comes first."""
    assert expected == alt_text(what)


def test_sentence_long_kind_gives_way_in_the_alt_text() -> None:
    """The text is not cut inside a word."""
    long = Subject(
        "a motorcycle or scooter", "a " + "very " * 12 + "long name", sure=True, tags=("motorcycle",)
    )
    expected = (
        "What looks like a motorcycle or scooter. Bright, square photograph, mostly light blue and light blue."
    )
    assert expected == alt_text(
        seen(0, long, light="bright", shape="square", colors=("light blue", "light blue"))
    )


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (seen(subject=TABBY), ("cat", "tabby", "animal", "green", "wide")),
        (seen(1, light="dark"), ("face", "green", "dark", "wide")),
        (seen(2, black_and_white=True), ("faces", "black and white", "wide")),
        (seen(), ("green", "wide", "photograph")),
        (seen(colors=(), drawn=True), ("colorful", "wide", "picture")),
        (seen(plain=True, shape="panoramic"), ("green", "plain", "panorama")),
    ],
)
def test_tags_of_findings_are_the_expected_words(what: Findings, expected: tuple[str, ...]) -> None:
    """The subject, then colors, light and shape; never fewer than three."""
    assert expected == tags(what)


def test_sentence_photographers_keywords_come_first() -> None:
    """Many keywords replace the derived tags."""
    own = ("rex", "garden", "summer", "2024", "cat", "sofa", "home")
    assert (*own, "tabby") == tags(seen(subject=TABBY), own)


@cache
def everything() -> list[Findings]:
    """Each name there is, in the longest company."""
    frames = [
        {"light": "bright", "shape": "panoramic", "colors": ("light blue", "light blue")},
        {"light": "dark", "shape": "square", "black_and_white": True, "drawn": True},
    ]
    found = []
    for index, entry in enumerate(classes()):
        certain = [0.0] * 1000
        certain[index] = 1.0
        if named := subject(certain, faces=0):
            assert entry.name
            found.append(named)
    return [seen(faces, named, **frame) for named, faces, frame in itertools.product(found, (0, 17), frames)]


def test_sentence_no_sentence_has_a_wrong_article() -> None:
    """ "a" before a vowel's sound or "an" before another: none in any sentence there can be."""
    wrong = re.compile(r"\b(?:a (?!uni|eu|one)[aeiou]|an (?!hour|MP3)[^aeiou])", re.IGNORECASE)
    assert [] == [text for text in map(caption, everything()) if wrong.search(text)]


def test_sentence_every_sentence_is_well_formed() -> None:
    """A capital, one full stop at the end, no doubled blanks or commas."""
    form = re.compile(r"[A-Z](?!.*(?:  |,,| ,))[^!?]*[a-z0-9é]\.")
    assert [] == [text for text in map(caption, everything()) if not form.fullmatch(text)]


def test_sentence_every_alt_text_fits() -> None:
    """Screen readers read that length in one go."""
    assert max(len(alt_text(what)) for what in everything()) <= MAX_ALT


def test_sentence_no_alt_text_announces_an_image() -> None:
    """Screen readers say that by themselves."""
    announced = re.compile(r"^(an? )?(image|picture|photo|photograph) of", re.IGNORECASE)
    assert [] == [text for text in map(alt_text, everything()) if announced.match(text)]


def test_sentence_all_tags_are_in_small_letters() -> None:
    """Three to eight of them, none twice."""
    wrong = [
        found
        for found in map(tags, everything())
        if not 3 <= len(found) <= 8 or len(set(found)) < len(found) or any(tag != tag.lower() for tag in found)
    ]
    assert [] == wrong


def test_sentence_every_group_can_be_said() -> None:
    """None is out of reach of the classes."""
    phrases = {what.subject.phrase for what in everything() if what.subject}
    assert {group.phrase for group in GROUPS.values()} <= phrases
