"""A model's words, made fit to store and to show."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from imgcore.captioning.gemini.prompt import SCHEMA, Words, alt_text, caption, instruction, read, tags
from imgcore.gallery.models import Safety
from imgcore.text import one_line

# Everything that can come out of JSON, lone surrogates included, with the awkward ones often.
AWKWARD = (
    "\0\t\n\r\x1b\x85 \u200b\u200c\u200d\u200e\u202e\u2028\u2066\ufeff\ud800\udfff\ufffe"
    "\U000e0041\U0001f3fd\u0301-,."
)
ANY = st.text(st.characters() | st.sampled_from(AWKWARD) | st.sampled_from("Ab é日👍"), max_size=400)


def description(**changes: object) -> str:
    """A good answer, or one that is wrong in one place."""
    good = {
        "caption": "A cat.",
        "alt_text": "Cat",
        "tags": ["cat", "pet", "fur"],
        "visible_text": "",
        "safety": "ok",
    }
    return json.dumps({**good, **changes})


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
    """The limit is 125 characters, clean, and never beginning with what a screen reader says anyway."""
    found = alt_text(lead_in + text)
    assert len(found) <= 125
    assert one_line(found) == found
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
        ("Photo of", ""),
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
        (["cat, dog;bird", "", "  ", None, 3], ("cat", "dog", "bird")),
        (list("abcdefghij"), tuple("abcdefgh")),
        (["rock " * 20], ("rock rock rock rock rock rock rock rock",)),
        (["a" * 19 + " " + "b" * 20 + " c"], ("a" * 19 + " " + "b" * 20,)),
        ([], ()),
    ],
)
def test_tags_are_normalized(values: list[object], expected: tuple[str, ...]) -> None:
    assert expected == tags(values)


# whole answers


def test_read_returns_the_words_of_an_answer() -> None:
    expected = Words("A cat.", "Cat", ("cat", "pet", "fur"), "", Safety.OK)
    assert expected == read(description())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Sure! A cat.", "Expecting value"),
        ("[]", "not an object"),
        ("[" * 200_000, "nested too deeply"),
        (description(caption=None), "no caption"),
        (description(alt_text=["x"]), "no alt_text"),
        (description(tags="cat"), "no tags"),
        (description(caption="\0 \u200b"), "an empty caption"),
        (description(caption="Photo of", alt_text="Image of"), "an empty caption"),
    ],
)
def test_read_of_an_unusable_answer_fails(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read(text)


@pytest.mark.parametrize("level", ["weird", None, 3, ["ok"]])
def test_read_of_an_unknown_safety_level_gives_none(level: object) -> None:
    assert read(description(safety=level)).safety is None


def test_read_of_an_empty_alt_text_uses_the_caption() -> None:
    """The caption stands in for an alt text that says nothing."""
    assert "A cat." == read(description(alt_text="Photo of ")).alt_text


@pytest.mark.parametrize(
    ("seen", "expected"), [("EXIT\n7", "EXIT 7"), (None, ""), ("x" * 2000, "x" * 999 + "…")]
)
def test_read_of_visible_text_gives_one_bounded_line(seen: object, expected: str) -> None:
    """Text in the image is kept in one bounded line."""
    assert expected == read(description(visible_text=seen)).visible_text


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | ANY,
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*SCHEMA["properties"], "x"]), inner),
    )
)
def test_read_of_any_json_succeeds_or_raises_value_error(value: object) -> None:
    try:
        words = read(json.dumps(value))
    except ValueError:
        return
    assert words.caption
    assert words.alt_text


@given(ANY, ANY, st.lists(ANY), ANY, ANY)
def test_read_of_any_words_is_within_the_limits(
    said: str, alternative: str, named: list[str], seen: str, level: str
) -> None:
    """Parsing is idempotent for every text in the right shape."""
    text = description(caption=said, alt_text=alternative, tags=named, visible_text=seen, safety=level)
    try:
        words = read(text)
    except ValueError:
        assume(False)
    assert len(words.visible_text) <= 1000
    again = description(
        caption=words.caption,
        alt_text=words.alt_text,
        tags=list(words.tags),
        visible_text=words.visible_text,
        safety=words.safety,
    )
    assert words == read(again)


def test_schema_requires_every_field() -> None:
    assert (list(SCHEMA["properties"]), False) == (SCHEMA["required"], SCHEMA["additionalProperties"])


def test_instruction_names_the_language() -> None:
    assert "in Basque;" in instruction("Basque")
