"""Answers of a model read as descriptions: leniently, and declined where they are none."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from imgcore.captioning.prompt import SCHEMA, in_words, instruction, schema
from imgcore.captioning.reading import DeclinedError, Words, read, visible_text
from imgcore.gallery.models import Safety
from tests.unit.captioning_tools import ANY, description

# whole answers


def test_read_returns_the_words_of_an_answer() -> None:
    expected = Words("A cat.", "Cat", ("cat", "pet", "fur"), "", Safety.OK)
    assert expected == read(description())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Sure! A cat.", "no fields"),
        ("[]", "no fields"),
        ("[" * 200_000, "no fields"),
        ("{" * 200_000, "no fields"),
        ('{"a":' * 200_000, "no fields"),
        ("x" * 1_000_000, "no fields"),
        ('{"title": "x"}', "no fields"),
        (description(caption=None), "no fields"),
        (description(caption=5), "no caption"),
        (description(caption=" "), "no caption"),
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


# lenient reading

GOOD = description()
READ_ALIKE = {
    "fence": f"```json\n{GOOD}\n```",
    "fence without a name": f"```\n{GOOD}\n```",
    "fence with a lead-in": f"Here is the JSON you asked for:\n\n```json\n{GOOD}\n```\nLet me know!",
    "leading prose": f"Sure! Here is {{the}} description: {GOOD}",
    "trailing prose": f"{GOOD}\n\nI hope this helps {{you}}!",
    "thoughts": f'<think>Maybe {{"caption": "A dog."}}?</think>\n{GOOD}',
    "byte order mark": f"\ufeff{GOOD}",
    "list of one": f"[{GOOD}]",
    "list of lists": f"[[{GOOD}]]",
    "wrapped in an object": f'{{"result": {GOOD}}}',
    "doubly encoded": json.dumps(GOOD),
    "triply encoded": json.dumps(json.dumps(GOOD)),
    "encoded inside an object": json.dumps({"answer": GOOD}),
    "raw line feed": GOOD.replace("A cat.", "A\ncat."),
    "raw tab": GOOD.replace("A cat.", "A\tcat."),
    "trailing comma": GOOD[:-1] + ",}",
    "trailing comma in the list": GOOD.replace('"fur"]', '"fur",]'),
    "missing commas": GOOD.replace('", "', '"\n"'),
    "single quotes": GOOD.replace('"', "'"),
    "names without quotes": GOOD.replace('"caption":', "caption:").replace('"tags":', "tags:"),
    "typographic quotes": GOOD.replace('"caption": "A cat."', "“caption”: “A cat.”"),
    "comments": GOOD.replace("{", "{ // a description\n/* of a photo */"),
    "missing brace": GOOD[:-1],
    "missing braces": GOOD[1:-1],
    "other names": GOOD.replace("alt_text", "altText").replace("tags", "Keywords"),
    "tags in one string": description(tags="cat, pet, fur"),
    "tags in one string that looks like a list": description(tags="['cat', 'pet', 'fur']"),
    "tags with marks": description(tags="#cat #pet #fur"),
    "tags as lines": description(tags="- cat\n- pet\n- fur"),
    "tags as objects": description(tags=[{"name": "cat"}, {"name": "pet"}, {"name": "fur"}]),
    "tags with confidences": description(tags={"cat": 0.9, "pet": 0.8, "fur": 0.5}),
    "caption in a list": description(caption=["A cat."]),
    "caption in an object": description(caption={"en": "A cat."}),
    "one object a field": '[{"caption": "A cat."}, {"alt_text": "Cat"}, {"tags": ["cat", "pet", "fur"]},'
    ' {"safety": "ok"}]',
    "labelled lines": "**Caption:** A cat.\n**Alt text:** Cat\n**Tags:** cat, pet, fur\n**Safety:** OK",
    "rating in capitals": description(safety="OK"),
    "unknown fields": description(confidence=0.9, thoughts="…"),
}


@pytest.mark.parametrize("text", READ_ALIKE.values(), ids=READ_ALIKE)
def test_read_finds_the_description_in_a_sloppy_answer(text: str) -> None:
    assert Words("A cat.", "Cat", ("cat", "pet", "fur"), "", Safety.OK) == read(text)


@pytest.mark.parametrize(
    ("written", "tags"),
    [
        ("0 \u200b#0", ("0",)),  # an invisible character before the second mark
        ("a\u037eb", ("a", "b")),  # the Greek question mark, in NFC a semicolon
        ("#\u200da", ("a",)),
        ("1. #dog #cat", ("dog", "cat")),
        ("- 2) dog", ("dog",)),
    ],
)
def test_read_of_marks_between_tags_is_settled(written: str, tags: tuple[str, ...]) -> None:
    found = read(description(tags=[written])).tags
    assert tags == found == read(description(tags=list(found))).tags


def test_read_of_numbers_in_tags_keeps_them() -> None:
    assert ("2024", "dog", "4k") == read(description(tags=[2024, "dog", "4k"])).tags


def test_read_of_quotes_inside_a_text_keeps_them() -> None:
    assert 'A sign says "STOP" here.' == read('{"caption": "A sign says "STOP" here.", "tags": []}').caption


@pytest.mark.parametrize("missing", ["alt_text", "tags", "visible_text", "safety"])
@pytest.mark.parametrize("value", [None, 5, "", [], {}])
def test_read_without_one_other_field_keeps_the_caption(missing: str, value: object) -> None:
    """Only the caption is required."""
    assert "A cat." == read(description(**{missing: value})).caption


LONG = description(visible_text="word " * 200)


@pytest.mark.parametrize("end", range(LONG.index('"visible_text"'), len(LONG)))
def test_read_of_an_answer_cut_off_in_the_visible_text_keeps_the_rest(end: int) -> None:
    found = read(LONG[:end], cut=True)
    assert ("A cat.", "Cat", ("cat", "pet", "fur")) == (found.caption, found.alt_text, found.tags)


@pytest.mark.parametrize("end", range(GOOD.index('"tags"')))
def test_read_of_an_answer_cut_off_before_the_tags_never_returns_half_a_text(end: int) -> None:
    try:
        found = read(GOOD[:end], cut=True)
    except ValueError:
        return
    assert ("A cat.", "Cat") == (found.caption, found.alt_text)


def test_visible_text_is_last_and_bounded_in_the_schema() -> None:
    assert "visible_text" == list(SCHEMA["properties"])[-1]
    assert 300 == SCHEMA["properties"]["visible_text"]["maxLength"]


@pytest.mark.parametrize("said", ["N/A", "none", "No visible text.", "There is no visible text in the photo."])
def test_visible_text_that_says_there_is_none_is_empty(said: str) -> None:
    assert "" == visible_text(said)


# what is no description

NO_DESCRIPTION = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, I can’t assist with that request.",
    "Please provide me with the image you would like me to describe.",
    "Could you please upload the photo again?",
    "I cannot describe this image as it may violate content policies.",
    "I am not able to identify people in images.",
    "Unfortunately, I cannot see the picture.",
    "I don't see an image.",
    "Unable to describe image",
    "As an AI language model, I am unable to view images.",
    "I apologize, but this is not possible.",
    "No image provided.",
    "There is no image attached.",
    "It seems no image was uploaded.",
    "The image could not be processed.",
    "This request was blocked.",
    "Es tut mir leid, aber ich kann das Bild nicht beschreiben.",
    "Bitte laden Sie das Bild hoch.",
    "Je suis désolé, je ne peux pas vous aider.",
    "Lo siento, no puedo ayudar con eso.",
    "Desculpe, não posso descrever a imagem.",
    "Mi dispiace, non posso aiutarti.",
    "Het spijt me, ik kan dit niet.",
    "我无法描述这张图片。",
    "申し訳ありませんが、お手伝いできません。",
    "N/A", "n/a.", "null", "None", "undefined", "unknown", "...", "-", "???", "12345", "string", "[caption]",
    "No caption available.", "Image", "A photo.", "Your caption here", "error", "dog dog dog dog", "aaaaaaaa",
    "a red a red a red a red a red", "\0 \u200b", "Photo of",
]  # fmt: skip


@pytest.mark.parametrize("said", NO_DESCRIPTION)
def test_read_of_what_is_no_description_declines(said: str) -> None:
    """Markup around it changes nothing."""
    for text in (said, f"**{said}**", f"Caption: {said}"):
        with pytest.raises(DeclinedError):
            read(description(caption=text, alt_text=text))


def test_read_of_a_refusal_without_json_declines() -> None:
    with pytest.raises(DeclinedError):
        read("I'm sorry, but I can't help with that.")


DESCRIPTIONS = [
    "A sorry sight", "It seems no one is on the beach.", "We can see a dog",
    "The image is too dark to make out.",
    "Blocked road with a barrier", "A book about large language models lies on a desk.",
    "Bora Bora from the air",
    "日落", "犬", "Dog", "No parking sign on a wall", "No people on a quiet street.", "Keep off the grass sign",
    "I love NY mug on a table", "Cannot see the summit through fog", "There is no one on the pitch.",
    "A picture hangs on a wall", "None of the boats moves", "A note says I can't come", "Can of soda",
    "Als Hund verkleidetes Kind", "Test match at Lord's", "The photo is blank.", "Completely black image",
    "Error message on a screen", "No smoking", "As an airplane lands, people watch.",
    "A man wears an OpenAI shirt.",
]  # fmt: skip


@pytest.mark.parametrize("said", DESCRIPTIONS)
def test_read_of_an_unusual_description_keeps_it(said: str) -> None:
    assert said == read(description(caption=said)).caption


def test_read_of_a_refusal_in_one_text_uses_the_other() -> None:
    assert "A cat." == read(description(alt_text="N/A")).alt_text
    assert "Cat" == read(description(caption="I'm sorry, I can't name people.")).caption


def test_schema_requires_every_field() -> None:
    assert (list(SCHEMA["properties"]), False) == (SCHEMA["required"], SCHEMA["additionalProperties"])


def test_instruction_names_the_language() -> None:
    assert "in Basque;" in instruction("Basque")


def test_schema_and_prompt_without_the_visible_text_do_not_ask_for_it() -> None:
    asked = json.dumps(schema(visible_text=False)) + instruction("English", visible_text=False)
    assert "visible_text" not in asked + in_words(visible_text=False)
    assert "visible_text" in in_words()
