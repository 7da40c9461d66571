"""Words field by field: who replaces whose, versions, undo, back to the machine's words."""

from __future__ import annotations

from itertools import pairwise

import pytest

from imgcore.accounts.models import Role
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.gallery.models import Edit, Image, Source, WordField
from tests.contract.images import CAPTION, arrived, claim, described, description, stored
from tests.support.repositories import Repositories

HUMAN, GEMINI, LOCAL = Source.HUMAN, Source.GEMINI, Source.LOCAL


def recaption(repositories: Repositories, image: Image, **words: object) -> Image:
    """Describe the image again."""
    repositories.images.reopen(image.public_id, [CAPTION], also_done=True)
    assert repositories.tasks.finish_caption(claim(repositories, image, CAPTION), description(**words))
    return stored(repositories, image)


def sources(image: Image) -> tuple[Source | None, Source | None, Source | None]:
    return image.caption_source, image.alt_text_source, image.tags_source


@pytest.mark.parametrize(
    ("edit", "kept"),
    [
        (Edit(caption="Mine."), (HUMAN, GEMINI, GEMINI)),
        (Edit(alt_text="Mine."), (GEMINI, HUMAN, GEMINI)),
        (Edit(tags=["mine"]), (GEMINI, GEMINI, HUMAN)),
        (Edit(caption="", alt_text="Mine.", tags=["mine"]), (HUMAN, HUMAN, HUMAN)),
    ],
)
def test_new_description_never_replaces_the_fields_of_a_person(
    repositories: Repositories, edit: Edit, kept: tuple[Source, ...]
) -> None:
    """The other fields are new."""
    image = described(repositories, "cat.jpg")
    edited = repositories.images.edit(image.public_id, edit)
    assert edited is not None

    now = recaption(
        repositories, image, source=GEMINI, caption="New.", alt_text="New alt.", tags=("new",), model="m"
    )

    assert kept == sources(now)
    expected = [
        before if source is HUMAN else after
        for source, before, after in zip(
            kept,
            (edited.caption, edited.alt_text, edited.tags),
            ("New.", "New alt.", ("new",)),
            strict=True,
        )
    ]
    assert expected == [now.caption, now.alt_text, now.tags]


def test_form_with_unchanged_fields_leaves_their_source(repositories: Repositories) -> None:
    """A form sends all fields; only the one that differs is a person's."""
    image = described(repositories, "cat.jpg")

    edited = repositories.images.edit(
        image.public_id, Edit(caption="Mine.", alt_text=image.alt_text, tags=image.tags)
    )

    assert edited is not None
    assert (HUMAN, LOCAL, LOCAL) == sources(edited)
    assert edited.alt_text_may_not_fit


def test_captions_in_files_outrank_models_and_their_alt_texts_do_not(repositories: Repositories) -> None:
    for ranks in pairwise((Source.LOCAL, Source.GEMINI, Source.EMBEDDED, Source.HUMAN)):
        lower, higher = (source.rank(WordField.CAPTION) for source in ranks)
        assert lower < higher
    for field in (WordField.ALT_TEXT, WordField.TAGS):
        assert LOCAL.rank(field) < Source.EMBEDDED.rank(field) < GEMINI.rank(field) < HUMAN.rank(field)


def test_history_has_author_answer_and_what_was_not_used(
    repositories: Repositories, database: Database
) -> None:
    """The newest first; the words that were stored before versions were kept are the first version."""
    ben = AccountRepository(database).add("b" * 32, "ben", Role.PERSON, "hash")
    image = described(repositories, "cat.jpg", caption="First.")
    repositories.images.edit(image.public_id, Edit(caption="Mine."), ben.id)
    facts = {"model": "m", "prompt_version": "7", "input_tokens": 560, "output_tokens": 80, "price_usd": 0.5}
    recaption(repositories, image, source=GEMINI, caption="Unused.", **facts)

    captions = [v for v in repositories.images.history(image.public_id) if v.field is WordField.CAPTION]

    assert [
        ("Unused.", GEMINI, None, False, False),
        ("Mine.", HUMAN, "ben", True, True),
        ("First.", LOCAL, None, True, False),
    ] == [(v.value, v.source, v.account, v.applied, v.current) for v in captions]
    unused = captions[0]
    assert facts == {name: getattr(unused, name) for name in facts}


def test_undo_goes_back_one_change_at_a_time(repositories: Repositories) -> None:
    """Words, tags and sources; then there is nothing left."""
    image = described(repositories, "cat.jpg", caption="First.")
    repositories.images.edit(image.public_id, Edit(caption="Second.", tags=["second"]))
    repositories.images.edit(image.public_id, Edit(caption="Third."))

    steps = [repositories.images.undo(image.public_id) for _ in range(3)]

    assert [("Second.", ("second",), HUMAN), ("First.", image.tags, LOCAL)] == [
        (step.caption, step.tags, step.caption_source) for step in steps if step is not None
    ]
    assert steps[2] is None
    assert sources(image) == sources(stored(repositories, image))


def test_undo_of_a_restore_goes_back_to_what_it_replaced(repositories: Repositories) -> None:
    """A restored version is a change like any other."""
    image = described(repositories, "cat.jpg", caption="First.")
    repositories.images.edit(image.public_id, Edit(caption="Second."))
    repositories.images.edit(image.public_id, Edit(caption="Third."))
    first = next(v for v in repositories.images.history(image.public_id) if v.value == "First.")

    restored = repositories.images.restore_version(image.public_id, first.id)
    undone = [repositories.images.undo(image.public_id) for _ in range(2)]

    assert restored is not None
    assert ["First.", "Third.", "Second."] == [step.caption for step in (restored, *undone) if step is not None]


def test_write_after_an_undo_is_undone_alone(repositories: Repositories) -> None:
    image = described(repositories, "cat.jpg", caption="First.")
    for caption in ("Second.", "Third."):
        repositories.images.edit(image.public_id, Edit(caption=caption))
        repositories.images.undo(image.public_id)
    repositories.images.edit(image.public_id, Edit(caption="Fourth."))

    undone = repositories.images.undo(image.public_id)

    assert undone is not None
    assert ("First.", None) == (undone.caption, repositories.images.undo(image.public_id))


def test_undone_words_are_not_searched(repositories: Repositories) -> None:
    image = described(repositories, "x.jpg", caption="A heron.")
    repositories.images.edit(image.public_id, Edit(caption="A stork."))
    repositories.images.undo(image.public_id)

    def found(words: str) -> int:
        return len(repositories.pages.page(cursor=None, limit=9, query=words).images)

    assert (1, 0) == (found("heron"), found("stork"))


def test_machine_words_come_from_the_last_answer_even_if_it_was_not_used(repositories: Repositories) -> None:
    """Afterwards new descriptions replace them again."""
    image = described(repositories, "cat.jpg")
    repositories.images.edit(image.public_id, Edit(caption="Mine.", alt_text="Mine too."))
    recaption(repositories, image, source=GEMINI, caption="Machine.", alt_text="Machine alt.")

    back = repositories.images.restore_machine_words(image.public_id, [WordField.CAPTION])

    assert back is not None
    assert ("Machine.", GEMINI, "Mine too.", HUMAN) == (
        back.caption,
        back.caption_source,
        back.alt_text,
        back.alt_text_source,
    )
    again = recaption(repositories, image, source=GEMINI, caption="Newer.")
    assert ("Newer.", "Mine too.") == (again.caption, again.alt_text)


def test_machine_words_are_those_of_the_highest_rank(repositories: Repositories) -> None:
    """The local describer's words, stored later while a model was away, would never have replaced them."""
    image = described(repositories, "cat.jpg", source=GEMINI, caption="Machine.", tags=("cat",))
    recaption(repositories, image, source=Source.EMBEDDED, caption="Of the file.", tags=("file",))
    repositories.images.edit(image.public_id, Edit(caption="Mine.", tags=("mine",)))
    recaption(repositories, image, source=LOCAL, caption="Mostly brown.", tags=("brown",))
    recaption(repositories, image, source=GEMINI, caption="Newer.", tags=("lion",))

    back = repositories.images.restore_machine_words(image.public_id, list(WordField))

    assert back is not None
    assert ("Of the file.", Source.EMBEDDED, ("lion",), GEMINI) == (
        back.caption,
        back.caption_source,
        back.tags,
        back.tags_source,
    )


def test_machine_words_of_none_are_none(repositories: Repositories) -> None:
    """The words of a person alone have no machine's to go back to."""
    image = arrived(repositories)
    repositories.images.edit(image.public_id, Edit(caption="Mine."))

    assert repositories.images.restore_machine_words(image.public_id, list(WordField)) is None
    assert "Mine." == stored(repositories, image).caption


def test_version_of_another_image_is_not_restored(repositories: Repositories) -> None:
    first, second = described(repositories, "a.jpg"), described(repositories, "b.jpg")
    repositories.images.edit(first.public_id, Edit(caption="Mine."))
    version = repositories.images.history(first.public_id)[0]

    assert repositories.images.restore_version(second.public_id, version.id) is None
    assert second == stored(repositories, second)


def test_history_of_unchanged_words_is_what_is_shown(repositories: Repositories, database: Database) -> None:
    """Rows of 0.1.0 have neither versions nor sources of fields."""
    image = described(repositories, "cat.jpg", source=GEMINI, model="m")

    def forget(tx: object) -> None:
        for statement in (
            "DELETE FROM word_versions WHERE image_id = :id",
            "UPDATE images SET caption_source = NULL, alt_text_source = NULL, tags_source = NULL"
            " WHERE id = :id",
        ):
            tx.execute(statement, id=image.id)  # type: ignore[attr-defined]

    database.run(forget)

    versions = repositories.images.history(image.public_id)
    assert [(image.caption, GEMINI, "m", True), (image.alt_text, GEMINI, "m", True)] == [
        (v.value, v.source, v.model, v.current) for v in versions[:2]
    ]
    repositories.images.edit(image.public_id, Edit(caption="Mine."))
    undone = repositories.images.undo(image.public_id)
    assert undone is not None
    assert (image.caption, (GEMINI, GEMINI, GEMINI)) == (undone.caption, sources(undone))
