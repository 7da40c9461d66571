"""The words of photos and queries: what people type finds what is written."""

from __future__ import annotations

import random

import pytest

from imgcore.db.search_query import MOST_TERMS, Query, Term, parse
from imgcore.db.search_words import index_words, words_in_order
from imgcore.errors import Invalid
from imgcore.text import fold_for_search


def finds(query: str, text: str) -> bool:
    """Whether a photo with this text is found."""
    asked, folded = parse(query), fold_for_search(text)
    words = index_words(folded)

    def is_under(term: Term) -> bool:
        return bool(term.exact & words) or (
            term.prefix is not None and any(word.startswith(term.prefix) for word in words)
        )

    return (
        all(map(is_under, asked.required)) and not any(map(is_under, asked.excluded)) and asked.follows(folded)
    )


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Łódź by night", "lodz"),
        ("Tromsø harbour light", "tromso"),
        ("Ærø ferry", "aero"),
        ("Œuvre d’art", "oeuvre"),
        ("İstanbul Boğazı", "istanbul bogazi"),
        ("Isparta ılıca", "ilica"),
        ("Đà Nẵng", "da nang"),
        ("Þingvellir", "thingvellir"),
        ("Ħamrun", "hamrun"),
        ("Straße", "STRASSE"),
        ("ёлка", "елка"),
        ("ғажап", "гажап"),
        ("ΑΣ ΟΔΟΣ", "οδος"),
        ("٣٤ صورة", "34"),
        ("کتـــاب", "کتاب"),
        ("ﬁne ﬂowers １２", "fine flowers 12"),
    ],
)
def test_a_letter_is_found_as_people_type_it(text: str, query: str) -> None:
    assert finds(query, text)


@pytest.mark.parametrize("apostrophe", "'’‘ʼ`´′＇")
def test_apostrophes_are_one(apostrophe: str) -> None:
    text = f"St John{apostrophe}s wooden church, don{apostrophe}t walk, l{apostrophe}église"

    for query in (
        "john's",
        "john’s",
        "johns",
        "john",
        "don’t",
        "dont",
        "l'eglise",
        "eglise",
        "l’église rouge -x",
    ):
        assert finds(query, text) is ("rouge" not in query), query


@pytest.mark.parametrize("dash", "-‐‑–—−")
def test_dashes_are_one(dash: str) -> None:
    text = f"A black{dash}and{dash}white T{dash}shirt"

    for query in ("black-and-white", "black and white", f"black{dash}and{dash}white", "tshirt", "t shirt"):
        assert finds(query, text), query


@pytest.mark.parametrize("quotes", ["“”", '""', "«»", "„“", "＂＂", "「」"])
def test_quotation_marks_are_one(quotes: str) -> None:
    text = f"a {quotes[0]}quoted{quotes[1]} word zebra"

    assert finds('"quoted" zebra', text)
    assert finds(f"{quotes[0]}quoted word{quotes[1]}", text)
    assert not finds(f"{quotes[0]}word quoted{quotes[1]}", text)


@pytest.mark.parametrize(
    "invisible", ["\u00ad", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\ufe0f", "\u200e"]
)
def test_invisible_characters_do_not_part_words(invisible: str) -> None:
    assert finds("light-house", f"light{invisible}house") is False
    assert finds("lighthouse", f"light{invisible}house")
    assert finds(f"light{invisible}house", "lighthouse")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("two flowers", "flower"),
        ("a flower", "flowers"),
        ("berries", "berry"),
        ("a berry", "berries"),
        ("benches", "bench"),
        ("a bench", "benches"),
        ("Blumenwiese", "blumen"),
        ("fotografías", "fotografía"),
    ],
)
def test_plural_and_singular_meet(text: str, query: str) -> None:
    assert finds(query, text)


@pytest.mark.parametrize("query", ["猫", "黒猫", "猫が好", "黒猫 好き", '"黒猫が好き"'])
def test_japanese_is_found_by_any_part(query: str) -> None:
    assert finds(query, "私は黒猫が好きです")


@pytest.mark.parametrize("query", ["猫黒", "白猫", "好きが"])
def test_japanese_in_another_order_is_not_found(query: str) -> None:
    assert not finds(query, "私は黒猫が好きです")


def test_korean_and_thai_are_found_by_any_part() -> None:
    assert finds("사진", "한국사진입니다")
    assert finds("ไทย", "ภาษาไทยสวย")


def test_a_word_is_excluded_with_its_plural_and_not_by_prefix() -> None:
    assert not finds("red -flower", "red flowers")
    assert finds("red -flow", "red flowers")
    assert not finds('red -"two flowers"', "red, two flowers")
    assert finds('red -"two flowers"', "red flowers, two")
    assert finds("t-shirt", "a T-shirt")


def test_facets_are_whole_values() -> None:
    words = index_words("", [("tag", "Calm Water"), ("taken", "2026-05")])

    assert (Term(frozenset({"tag=calm water"})),) == parse('tag:"calm water"').required
    assert {"tag=calm water", "taken=2026-05"} == words
    assert (Term(frozenset({"tag=cat"})),) == parse("-tag:cat").excluded


@pytest.mark.parametrize("query", ["", "   ", "%", "*", "?", "_!", '"', '""', "-", "--", "…", "\0", "''"])
def test_a_query_without_words_asks_for_nothing(query: str) -> None:
    assert Query() == parse(query)


def test_one_letter_is_a_whole_word() -> None:
    """The words that begin with it would be a large part of the vocabulary."""
    assert (Term(frozenset({"a"}), None),) == parse("a").required


def test_too_many_words_are_refused() -> None:
    assert 16 == len(parse(" ".join(f"w{n}" for n in range(16))).required)
    for text in (" ".join(f"w{n}" for n in range(17)), "-".join("abcdefghij" * 5), '"' + "x " * 17 + '"'):
        with pytest.raises(Invalid):
            parse(text)


def test_a_long_unspaced_query_is_bounded() -> None:
    assert len(parse("猫" * 100 + "犬" * 100).required) <= MOST_TERMS


def test_words_in_order_of_both_kinds_of_script() -> None:
    assert ["don", "t", "walk", "黒", "猫", "x"] == words_in_order(fold_for_search("Don’t walk: 黒猫x"))


def test_phrase_follows_where_the_words_of_the_text_hold_it() -> None:
    """Most texts are compared without being split into words."""
    chance = random.Random(1)
    parts = ["red", "boat", " ", "-", "'", "_", ", ", "黒", "猫", "☀", "x" * 31, "x" * 33, "e\u0301", "1", "\n"]
    found = 0
    for _ in range(5000):
        text, typed = ("".join(chance.choices(parts, k=chance.randrange(1, most))) for most in (9, 4))
        folded, phrase = fold_for_search(text), tuple(words_in_order(fold_for_search(typed)))
        if phrase:
            follows = f" {' '.join(phrase)} " in f" {' '.join(words_in_order(folded))} "
            assert follows == Query(phrases=(phrase,)).follows(folded), (text, phrase)
            assert follows != Query(excluded_phrases=(phrase,)).follows(folded), (text, phrase)
            found += follows
    assert found > 100


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ('"' + "a " * 15 + "x" * 40 + '"', "a bc " * 200),
        ('"' + "☀ " * 15 + 'boat"', "☀ " * 2000),
        ('"' + "a " * 15 + 'boat"', "a bc " * 2000),
    ],
)
def test_phrase_of_the_same_word_many_times_is_compared_at_once(phrase: str, text: str) -> None:
    """A pattern of all its words would be tried in more ways than there is time for."""
    assert not parse(phrase).follows(fold_for_search(text))
