"""Words in several languages: from the model's answer to the database, its search, history and undo."""

from __future__ import annotations

import json
from typing import Any

import pytest

from imgcore.campaigns.models import Selection
from imgcore.captioning.prompt import PROMPT_VERSION
from imgcore.db.campaigns import CampaignRepository
from imgcore.db.connection import Database
from imgcore.db.tags import TagRepository
from imgcore.gallery.models import EVERYBODY, Edit, Image, Source, Translation, WordField
from tests.contract.captioning_tools import Bench, Photo
from tests.contract.images import CAPTION, claim, described, description, stored
from tests.contract.test_captioning_openai import captioner
from tests.fake_gemini import FakeGemini
from tests.fake_openai import GOOD, FakeOpenAI
from tests.gemini_replies import answer
from tests.gemini_replies import description as answered
from tests.support.repositories import Repositories

GERMAN = Translation("de", "Eine Katze schläft.", "Schlafende Katze", ("katze",))
ANSWER = {"caption": GERMAN.caption, "alt_text": GERMAN.alt_text, "tags": list(GERMAN.tags)}


def test_gemini_describes_in_all_languages_by_one_request() -> None:
    with FakeGemini() as gemini:
        gemini.play(answer(json.dumps(answered(translations={"de": ANSWER}))))
        bench = Bench(gemini, language="en,de")
        found = bench.describe()
        [request] = gemini.asked
    schema = request.body["generation_config"]["response_json_schema"]
    assert ["de"] == schema["properties"]["translations"]["required"]
    assert 768 == request.body["generation_config"]["max_output_tokens"]
    assert ("en", (GERMAN,), f"{PROMPT_VERSION}-de") == (
        found.language,
        found.translations,
        found.prompt_version,
    )


def test_openai_model_describes_in_all_languages_by_one_request() -> None:
    with FakeOpenAI(answer=json.dumps(GOOD | {"translations": {"de": ANSWER}})) as server:
        found = captioner(server, language="en,de").describe(Photo(), deadline=1000.0)
        [request] = server.asked
    assert "translations" in request["messages"][1]["content"][0]["text"]
    assert ("en", (GERMAN,)) == (found.language, found.translations)


def bilingual(repositories: Repositories, image: Image, **words: object) -> Image:
    """Describe the image in English and German."""
    repositories.images.reopen(image.public_id, [CAPTION], also_done=True)
    given = {"source": Source.GEMINI, "caption": "A cat sleeps.", "language": "en", "translations": (GERMAN,)}
    assert repositories.tasks.finish_caption(claim(repositories, image, CAPTION), description(**given | words))
    return stored(repositories, image)


@pytest.fixture
def image(repositories: Repositories) -> Image:
    return bilingual(repositories, described(repositories, "cat.jpg"))


def shown(image: Image, code: str) -> tuple[str | None, str | None]:
    """The caption for a reader, and its language."""
    return image.in_language(code).caption, image.language_of(WordField.CAPTION, code)


def test_words_are_shown_in_the_language_of_the_reader(image: Image) -> None:
    assert ("A cat sleeps.", "en") == shown(image, "en")
    assert ("Eine Katze schläft.", "de") == shown(image, "de")
    assert ("A cat sleeps.", "en") == shown(image, "fr")
    german = image.in_language("de")
    assert ("Schlafende Katze", ("katze",)) == (german.alt_text, german.tags)


def test_words_are_found_in_every_language(repositories: Repositories, image: Image) -> None:
    for query in ("sleeps", "schläft", "katze", "tag:katze"):
        page = repositories.pages.page(cursor=None, limit=10, query=query, viewer=EVERYBODY)
        assert [image.public_id] == [found.public_id for found in page.images], query


def test_words_of_a_person_are_shown_in_every_language(repositories: Repositories, image: Image) -> None:
    """They are in one language; the fields that the person left are not touched."""
    edited = repositories.images.edit(image.public_id, Edit(caption="Mieze.", language="de"))
    assert edited is not None
    assert ("Mieze.", "de") == shown(edited, "de") == shown(edited, "en")
    assert "Schlafende Katze" == edited.in_language("de").alt_text
    again = bilingual(repositories, edited, caption="New.")
    assert ("Mieze.", "de") == shown(again, "en")


def test_form_in_another_language_without_changes_is_no_change(
    repositories: Repositories, image: Image
) -> None:
    german = image.in_language("de")
    edit = Edit(caption=german.caption, alt_text=german.alt_text, tags=german.tags, language="de")
    edited = repositories.images.edit(image.public_id, edit)
    assert edited is not None
    assert Source.GEMINI is edited.caption_source is edited.alt_text_source is edited.tags_source
    assert ("A cat sleeps.", "en") == shown(edited, "en")


def test_undo_brings_back_all_languages(repositories: Repositories, image: Image) -> None:
    repositories.images.edit(image.public_id, Edit(caption="Mieze."))
    restored = repositories.images.undo(image.public_id)
    assert restored is not None
    assert ("Eine Katze schläft.", "de") == shown(restored, "de")
    assert ("A cat sleeps.", "en") == shown(restored, "en")


def test_campaign_finds_the_tags_of_every_language_as_the_filter_does(database: Database, image: Image) -> None:
    campaigns = CampaignRepository(database)
    found = [campaigns.preview(Selection(tag=tag), EVERYBODY, 5)[0] for tag in ("cat", "Katze", "kat")]
    assert [1, 1, 0] == found


def tags_of(repositories: Repositories, image: Image) -> dict[str, tuple[str, ...]]:
    """The tags that readers of each language see."""
    now = stored(repositories, image)
    return {code: now.in_language(code).tags for code in ("en", "de")}


@pytest.mark.parametrize(
    ("language", "change", "changed", "expected"),
    [
        ("de", {"add": ["katze"]}, [], {"en": ("cat", "wall"), "de": ("katze",)}),
        ("en", {"add": ["katze"]}, ["katze"], {"en": ("cat", "wall", "katze"), "de": ("katze",)}),
        ("fr", {"add": ["cat"]}, [], {"en": ("cat", "wall"), "de": ("katze",)}),
        ("de", {"add": ["rex"]}, ["rex"], {"en": ("cat", "wall", "rex"), "de": ("katze", "rex")}),
        ("de", {"remove": ["katze"]}, ["katze"], {"en": ("cat", "wall"), "de": ()}),
        (None, {"remove": ["katze", "wall"]}, ["wall", "katze"], {"en": ("cat",), "de": ()}),
    ],
)
def test_tags_are_changed_in_the_list_of_each_language_and_back(
    repositories: Repositories, database: Database, image: Image,
    language: str | None, change: dict[str, Any], changed: list[str], expected: dict[str, tuple[str, ...]],
) -> None:  # fmt: skip
    """The reader's own decides what is added; undone, every language and the source are as before."""
    tags = TagRepository(database)
    before = tags_of(repositories, image)

    assert changed == tags.change_tags(image.public_id, **change, most=3, language=language)

    assert expected == tags_of(repositories, image)
    assert (Source.HUMAN if changed else Source.GEMINI) is stored(repositories, image).tags_source
    for tag in ("katze", "rex"):
        found = repositories.pages.page(cursor=None, limit=10, query=f"tag:{tag}", viewer=EVERYBODY).images
        assert any(tag in each for each in expected.values()) is bool(found)
    back = {"remove" if "add" in change else "add": changed}
    tags.change_tags(image.public_id, **back, most=2, language=language, undoing=True)
    assert (before, Source.GEMINI) == (
        tags_of(repositories, image),
        stored(repositories, image).tags_source,
    )


def test_undo_of_tags_keeps_what_was_changed_since(
    repositories: Repositories, database: Database, image: Image
) -> None:
    tags = TagRepository(database)
    for added in ("rex", "trip"):
        tags.change_tags(image.public_id, add=[added], most=20, language="de")

    assert ["rex"] == tags.change_tags(image.public_id, remove=["rex"], most=20, undoing=True)

    assert {"en": ("cat", "wall", "trip"), "de": ("katze", "trip")} == tags_of(repositories, image)


def test_description_in_one_language_replaces_the_others(repositories: Repositories, image: Image) -> None:
    """No reader sees an old translation beside new words."""
    now = bilingual(repositories, image, caption="A dog.", translations=())
    assert ("A dog.", "en") == shown(now, "de")


def test_equal_words_with_a_new_translation_get_it(repositories: Repositories) -> None:
    """Each field gets a further version, so that an edit and its undo keep the translation."""
    image = described(repositories, "cat.jpg")
    first = bilingual(repositories, image, translations=())
    versions = len(repositories.images.history(image.public_id))
    again = bilingual(repositories, first)
    assert ("Eine Katze schläft.", "de") == shown(again, "de")
    assert versions + len(WordField) == len(repositories.images.history(image.public_id))
    repositories.images.edit(image.public_id, Edit(caption="Rex"))
    undone = repositories.images.undo(image.public_id)
    assert undone is not None
    assert ("Eine Katze schläft.", "de") == shown(undone, "de")
    bilingual(repositories, undone)
    assert versions + len(WordField) + 2 == len(repositories.images.history(image.public_id))
