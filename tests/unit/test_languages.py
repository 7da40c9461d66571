"""The languages of captions: settings, prompts, answers, and the choice for a reader."""

from __future__ import annotations

import json
from typing import Any

import pytest

from imgcore.captioning import prompt
from imgcore.captioning.reading import read
from imgcore.errors import Misconfigured
from imgcore.gallery.languages import accepted, choose, parse

GERMAN = {"caption": "Eine rote Scheune im Schnee.", "alt_text": "Rote Scheune", "tags": ["Scheune", "Schnee"]}
LONG = " ".join(f"Wort{number}" for number in range(40))
ENGLISH = {"caption": "A red barn in snow.", "alt_text": "Red barn", "tags": ["barn", "snow"], "safety": "ok"}


@pytest.mark.parametrize(
    ("text", "names", "codes"),
    [
        ("English", ["English"], ["en"]),
        ("deutsch", ["German"], ["de"]),
        ("de", ["German"], ["de"]),
        ("en,de", ["English", "German"], ["en", "de"]),
        (" EN , pt-BR, en ", ["English", "Portuguese (pt-BR)"], ["en", "pt-BR"]),
        ("Klingon", ["Klingon"], [None]),
        ("British English", ["British English"], [None]),
    ],
)
def test_languages_are_codes_or_names(text: str, names: list[str], codes: list[str | None]) -> None:
    found = parse(text)
    assert (names, codes) == ([one.name for one in found], [one.code for one in found])


@pytest.mark.parametrize("text", ["en,Klingon", ",", "en,de,fr,it,es,nl", "xx,en"])
def test_languages_without_known_codes_are_misconfigured(text: str) -> None:
    with pytest.raises(Misconfigured, match="CAPTION_LANGUAGE"):
        parse(text)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (["de"], "de"),
        (["de-AT"], "de"),
        (["fr", "pt"], "pt-BR"),
        (["pt-PT"], "pt-BR"),
        (["fr"], "en"),
        ([], "en"),
        (["*", "\0"], "en"),
    ],
)
def test_language_for_a_reader_is_the_most_wanted_one(wanted: list[str], chosen: str) -> None:
    assert chosen == choose(parse("en,de,pt-BR"), wanted)


def test_language_without_a_code_is_not_named() -> None:
    assert choose(parse("Klingon"), ["de"]) is None


@pytest.mark.parametrize(
    ("header", "codes"),
    [
        ("de-AT, de;q=0.9, en;q=0.8", ["de-AT", "de", "en"]),
        ("en;q=0.1, de;q=0.9, fr;q=0", ["de", "en"]),
        ("", []),
        ("*;q=0.5, <script>, de;q=x", []),
        ("de," * 10_000, ["de"] * 50),
    ],
)
def test_accept_language_is_read_by_weight(header: str, codes: list[str]) -> None:
    assert codes == accepted(header)


def test_prompt_of_one_language_has_no_translations() -> None:
    texts = json.dumps(prompt.schema()) + prompt.in_words() + prompt.instruction("English")
    assert "translations" not in texts
    assert prompt.PROMPT_VERSION == prompt.version()


def test_prompt_of_several_languages_asks_for_all_in_one_answer() -> None:
    schema = prompt.schema(translations=["de", "fr"])
    assert ["de", "fr"] == schema["properties"]["translations"]["required"]
    assert ["translations", "visible_text"] == list(schema["properties"])[-2:]
    assert schema["required"] == list(schema["properties"])
    others = parse("de,fr")
    assert "in translations.de in German" in prompt.instruction("English", translations=others)
    assert "translations" in prompt.in_words(translations=["de"])
    assert f"{prompt.PROMPT_VERSION}-de-fr" == prompt.version(None, ["de", "fr"])


@pytest.mark.parametrize(
    ("translations", "captions"),
    [
        ({"de": GERMAN}, ["Eine rote Scheune im Schnee."]),
        ({"DE": {"Caption": "„Ein Baum“", "keywords": "Baum, Schnee"}}, ["Ein Baum"]),
        ({"de": {**GERMAN, "caption": "N/A"}}, []),
        ({"de": {**GERMAN, "caption": LONG}}, [LONG.rsplit(" ", 15)[0] + "…"]),
        ({"fr": GERMAN}, []),
        ({"de": "Eine Scheune"}, []),
        ([GERMAN], []),
        (None, []),
    ],
)
def test_answer_keeps_each_translation_that_can_be_used(translations: Any, captions: list[str]) -> None:
    """A translation never vetoes the description."""
    words = read(json.dumps(ENGLISH | {"translations": translations}), translations=["de"])
    assert "A red barn in snow." == words.caption
    assert captions == [one.caption for one in words.translations]


def test_answer_that_is_cut_off_in_a_translation_is_used_without_it() -> None:
    whole = json.dumps(ENGLISH | {"translations": {"de": GERMAN}})
    words = read(whole[: whole.index("Scheune im")], cut=True, translations=["de"])
    assert ("A red barn in snow.", ()) == (words.caption, words.translations)
