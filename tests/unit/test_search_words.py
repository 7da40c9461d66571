"""The words of photos and queries: what people type finds what is written."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imgcore.db.search_query import MOST_TERMS, MOST_WORDS, PHRASE_TERMS, Query, Term, parse
from imgcore.db.search_words import index_words, words_in_order
from imgcore.errors import Invalid
from imgcore.text import fold_for_search, printable

PARTS = ("d", "val", "Oise", "église", "flowers", "s", "5", "ab" * 20, "黒", "猫", "ไ", "☀", *"-'’ʼ–‑/._,&+!")
WRITTEN = st.lists(st.sampled_from(PARTS), min_size=1, max_size=8).map("".join) | st.text(
    min_size=1, max_size=8
)


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


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("Val-d'Oise at dusk", ("Val-d'Oise", "val d'oise", "d'oise", "valdoise", "val-d'oi", "oise")),
        ("Le Val d’Oise", ("Val-d'Oise", "d'oise", "doise")),
        ("Val-Doise", ("Val-d'Oise", "val-d’oise dois")),
        ("Côte-d’Or", ("cote-d'or", "Côte d’Or", "d'or")),
        ("Villeneuve-d'Ascq", ("Villeneuve–d’Ascq", "ascq")),
        ("Saint-Jean-d'Angély", ("Saint-Jean-d'Angély", "saint jean d'angely", "jean-d'ange")),
        ("A jack-o'lantern", ("jack-o'lantern", "jack o'lantern", "jack-o'lan", "lanterns")),
        ("rock-n'roll", ("rock-n'roll", "rock n'roll", "rock")),
        ("'twas John's rock'n'roll-o'clock", ("rock'n'roll-o'clock", "'twas john’s", "johns", "o'clock")),
        ("a’猫’犬-l'鳥", ("a'猫'犬-l'鳥", "猫 l'鳥")),
        ("猫l'église", ("猫l'église", "l'eglise")),
    ],
)
def test_word_of_hyphens_and_apostrophes_is_found_as_it_is_written(text: str, queries: tuple[str, ...]) -> None:
    for query in queries:
        assert finds(query, text), query
        assert not finds(query, "Valence, d'Isay, o'cock"), query


@given(st.lists(WRITTEN, min_size=1, max_size=4).map(" ".join))
@example("Val-d’Oise at dusk")
@example("d黒'黒")
def test_text_is_found_and_excluded_by_each_of_its_words(written: str) -> None:
    text = printable(written)
    for word in text.split():
        folded = fold_for_search(word)
        # A query gives a meaning to signs that words begin with, and to some signs that fold to spaces
        if words_in_order(folded) and not folded.startswith("-") and " " not in fold_for_search(f"-{word}"):
            assert finds(word, text), word
            if '"' not in folded:
                assert not finds(f"-{word}", text), word
                assert finds(f'"{word}"', text), word
                assert not finds(f'-"{word}"', text), word


def test_possessive_is_searched_as_one_word() -> None:
    """Photos with its stem are found; those of the s alone need not be read."""
    assert (Term(frozenset({"johns", "john"}), "johns"),) == parse("John’s").required
    assert (Term(frozenset({"aa", "a"}), "aa"),) == parse("a'a").required


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


@pytest.mark.parametrize(
    ("query", "found", "excluded"),
    [
        (
            "-t-shirt",
            ("A red shirt", "T for two, red", "shirt t"),
            ("A red T-shirt", "a t shirt", "black-t-shirt"),
        ),
        ("-2018-05-01", ("IMG 05 beach", "2018 05", "2018-05-011"), ("Beach 2018-05-01", "2018 05 01")),
        ("-img_05.jpg", ("cat.jpg", "05", "img 05.png"), ("IMG_05.jpg",)),
        ("-and/or", ("red and blue", "blue or red"), ("red and/or blue", "and or")),
        ("-don't", ("Don, a t", "don"), ("I don’t", "dont")),
        ("-don't!", ("Don, a t", "don"), ("I don’t", "dont")),
        ("-john's", ("John", "a dog's john"), ("St John’s", "johns")),
        ("-val-d'oise", ("val d or", "Oise", "doise"), ("Val-d’Oise", "Val d'Oise", "Val-Doise")),
        ("-黒猫", ("黒い猫",), ("私は黒猫が好き",)),
        ("-x黒猫", ("x 猫", "黒猫"), ("x黒猫が",)),
        ("-flowers", ("flow",), ("A flower", "flowers")),
    ],
)
def test_excluded_word_of_several_parts_is_a_phrase(
    query: str, found: tuple[str, ...], excluded: tuple[str, ...]
) -> None:
    for asked in (query, f"{query} -okapi", f"-okapi {query}"):
        assert parse(asked)
        assert all(finds(asked, text) for text in found), asked
        assert not any(finds(asked, text) for text in excluded), asked


def test_excluded_phrase_alone_finds_the_other_photos() -> None:
    for query in ('-"two flowers"', "-t-shirt", "tag:cat -t-shirt"):
        assert parse(query)
        assert parse(query).words
    assert not parse("tag:cat").words


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


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ('-"t-shirt', '-"t-shirt"'),
        ('red -"t-shirt blue', 'red -"t-shirt blue"'),
        ('-"', ""),
        ('"two wor', "two wor"),
    ],
)
def test_phrase_whose_end_is_not_typed_yet_excludes_all_the_same(typed: str, whole: str) -> None:
    """One that is looked for is compared word by word until its end is typed."""
    assert parse(whole) == parse(typed)


@pytest.mark.parametrize("words", [16, 17, 200])
@pytest.mark.parametrize(
    "word", ["-a{}-b", "-a{}-o'b", "-a{}'b", "-{}", "-{}黒猫", "a{}-o'b", "a{}'b", '-"{}-b"']
)
def test_many_words_of_hyphens_and_apostrophes_are_bounded(word: str, words: int) -> None:
    text = " ".join(word.format(number) for number in range(words))
    if words > MOST_WORDS or word == "a{}-o'b":
        with pytest.raises(Invalid):
            parse(text)
    else:
        query = parse(text)
        assert len(query.required) + len(query.excluded) + len(query.excluded_phrases) <= MOST_TERMS


def test_long_words_of_hyphens_are_bounded() -> None:
    parts = "-".join("abcdefghij" * 10)
    assert 1 == len(parse(f"-{parts}").excluded_phrases)
    assert PHRASE_TERMS >= len(parse(f'"{parts}"').required)
    for text in (parts, parts.replace("-", "-o'"), "'".join(f"w{number}" for number in range(50))):
        with pytest.raises(Invalid):
            parse(text)


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
