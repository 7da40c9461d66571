"""Sentences, alternative texts and tags."""

from __future__ import annotations

import itertools
import re
from datetime import datetime
from functools import cache
from typing import Any

import pytest

from imgcore.captioning.local.families import FAMILIES, GROUPS
from imgcore.captioning.local.findings import Findings, Subject
from imgcore.captioning.local.sentences import MAX_ALT, alt_text, caption, tags
from imgcore.captioning.local.vocabulary import classes, members, subject
from imgcore.gallery.models import PhotoFacts
from tests.unit.captioning_local_tools import CAT, CHAIR, TABBY, seen


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (seen(), "Mostly green."),
        (seen(light="bright", shape="tall"), "Bright, mostly green."),
        (seen(colors=("blue", "light blue")), "Mostly shades of blue."),
        (seen(mostly=False, colors=("red", "gray")), "Some red and gray."),
        (seen(colors=(), mostly=False, drawn=True), "Of many colors."),
        (seen(black_and_white=True, light="dark"), "Dark, black and white."),
        (seen(foreground=("red", "green"), shape="panoramic"), "Mostly green, red in the middle, panoramic."),
        (seen(subject=CAT), "What looks like a cat in a photograph that is mostly green."),
        (seen(subject=TABBY), "What looks like a cat, perhaps a tabby, in a photograph that is mostly green."),
        (
            seen(subject=CHAIR, shape="square"),
            "Possibly a rocking chair in a square photograph that is mostly green.",
        ),
        (seen(subject=CAT, black_and_white=True), "What looks like a cat in a black-and-white photograph."),
        (seen(1), "A person in a photograph that is mostly green."),
        (seen(3, black_and_white=True), "Three people in a black-and-white photograph."),
        (seen(5), "About five people in a photograph that is mostly green."),
        (seen(12), "About 12 people in a photograph that is mostly green."),
        (seen(2, CAT), "Two people and what looks like a cat in a photograph that is mostly green."),
        (seen(1, CHAIR), "A person and possibly a rocking chair in a photograph that is mostly green."),
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
        (seen(), "Mostly green."),
        (seen(subject=TABBY), "What looks like a cat, perhaps a tabby. Photograph, mostly green."),
        (seen(2, light="dark"), "Two people. Dark photograph, mostly green."),
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
        (seen(subject=TABBY), ("cat", "tabby", "animal", "green")),
        (seen(1, light="dark"), ("person", "green", "dark")),
        (seen(2, black_and_white=True), ("people", "black and white")),
        (seen(), ("green",)),
        (seen(colors=(), drawn=True), ("colorful",)),
        (seen(plain=True, shape="panoramic"), ("green", "plain", "panorama")),
    ],
)
def test_tags_of_findings_are_the_expected_words(what: Findings, expected: tuple[str, ...]) -> None:
    """The subject, then colors and light; no word that fits every photograph."""
    assert expected == tags(what)


def test_sentence_photographers_keywords_come_first() -> None:
    """Many keywords replace the derived tags."""
    own = ("rex", "garden", "summer", "2024", "cat", "sofa", "home")
    assert (*own, "tabby") == tags(seen(subject=TABBY), own)


TAKEN = {"taken_at": datetime.fromisoformat("2026-05-03T12:00"), "camera": "Pixel 8"}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (TAKEN, "Taken on 3 May 2026 with Pixel 8: mostly green."),
        ({"camera": "Pixel 8"}, "Taken with Pixel 8: mostly green."),
        ({"location": (43.51, -16.44)}, "Taken at 43.5° N, 16.4° W: mostly green."),
        ({}, "Mostly green."),
    ],
)
def test_facts_stand_for_a_subject_that_is_not_named(facts: dict[str, Any], expected: str) -> None:
    """Caption and alternative text tell one photo from another; neither says that nothing was recognized."""
    known = PhotoFacts("JPEG", 10, 10, 0, "0" * 64, **facts)
    assert (expected, expected) == (caption(seen(), known), alt_text(seen(), known))


def test_facts_are_left_out_where_a_subject_is_named() -> None:
    """The subject is worth more."""
    known = PhotoFacts("JPEG", 10, 10, 0, "0" * 64, **TAKEN)
    assert "What looks like a cat in a photograph that is mostly green." == caption(seen(subject=CAT), known)


def test_facts_of_any_length_fit_the_alternative_text() -> None:
    """A camera's name may be long."""
    known = PhotoFacts("JPEG", 10, 10, 0, "0" * 64, taken_at=TAKEN["taken_at"], camera="Camera " * 40)
    assert len(alt_text(seen(foreground=("red",)), known)) <= MAX_ALT


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
            assert entry.name or named.phrase == "an animal"
            found.append(named)
    for family in FAMILIES:  # the name of a family stands where no group of it is likely
        spread = [0.0] * 1000
        for index in members(family):
            spread[index] = 0.9 / len(members(family))
        named = subject(spread, faces=0)
        assert named
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
    """One to eight of them, none twice."""
    wrong = [
        found
        for found in map(tags, everything())
        if not 1 <= len(found) <= 8 or len(set(found)) < len(found) or any(tag != tag.lower() for tag in found)
    ]
    assert [] == wrong


def test_sentence_every_group_and_family_can_be_named() -> None:
    """None is out of reach of the classes."""
    phrases = {what.subject.phrase for what in everything() if what.subject}
    wanted = {group.phrase for group in GROUPS.values()}
    wanted |= {family.phrase for family in FAMILIES.values() if family.phrase}
    assert set() == wanted - phrases
