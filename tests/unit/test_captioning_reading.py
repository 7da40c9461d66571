"""A model's words, made fit to store and to show."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from imgcore.captioning import phrases, wording
from imgcore.captioning.prompt import SCHEMA, in_words, instruction, schema
from imgcore.captioning.reading import DeclinedError, Words, alt_text, caption, read, tags, visible_text
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
    ],
)
def test_words_that_only_look_like_wrapping_stay(text: str) -> None:
    assert text == caption(text)


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


def test_schema_requires_every_field() -> None:
    assert (list(SCHEMA["properties"]), False) == (SCHEMA["required"], SCHEMA["additionalProperties"])


def test_instruction_names_the_language() -> None:
    assert "in Basque;" in instruction("Basque")


def test_schema_and_prompt_without_the_visible_text_do_not_ask_for_it() -> None:
    asked = json.dumps(schema(visible_text=False)) + instruction("English", visible_text=False)
    assert "visible_text" not in asked + in_words(visible_text=False)
    assert "visible_text" in in_words()
