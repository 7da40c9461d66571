"""What the gallery asks of the repository, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from imgcore.db.connection import Database
from imgcore.errors import Conflict, Invalid, Unavailable
from imgcore.gallery.models import Edit, Image, Page, Source, TaskStatus, UploadStatus
from tests.contract.images import (
    CAPTION,
    FACTS,
    THUMBNAIL,
    arrived,
    claim,
    described,
    description,
    new,
    renditions,
    stored,
)
from tests.support.repositories import Repositories


def names(page: Page) -> list[str]:
    return [image.name for image in page.images]


def found(repositories: Repositories, query: str) -> list[str]:
    return names(repositories.pages.page(cursor=None, limit=50, query=query))


def test_a_new_row_awaits_its_upload(repositories: Repositories) -> None:
    """It is awaiting, with both tasks pending."""
    image = repositories.images.add(new("Été à la plage.jpg"))

    assert (UploadStatus.AWAITING, "Été à la plage.jpg", 123_456) == (
        image.upload_status,
        image.name,
        image.size,
    )
    assert [(THUMBNAIL, TaskStatus.PENDING, 0), (CAPTION, TaskStatus.PENDING, 0)] == [
        (task.kind, task.status, task.attempts) for task in image.tasks
    ]


def test_a_row_is_read_as_it_was_made(repositories: Repositories) -> None:
    """get() returns what add() returned."""
    image = repositories.images.add(new())

    assert image == repositories.images.get(image.public_id)


def test_the_time_is_utc_and_the_databases(repositories: Repositories) -> None:
    """A row's time says that it is UTC, and is not hours away from this machine's."""
    uploaded_at = repositories.images.add(new()).uploaded_at

    assert UTC == uploaded_at.tzinfo
    assert abs(uploaded_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_what_is_not_there_is_none(repositories: Repositories) -> None:
    """An unknown id is no error."""
    assert repositories.images.get("0" * 32) is None


def test_the_same_key_twice_is_a_conflict(repositories: Repositories) -> None:
    """A key belongs to one row."""
    row = new()
    repositories.images.add(row)

    with pytest.raises(Conflict) as caught:
        repositories.images.add(row)

    assert "duplicate" == caught.value.code


def test_get_many_returns_those_that_exist(repositories: Repositories) -> None:
    """Unknown ids are left out, and none comes twice."""
    first, second = repositories.images.add(new()), repositories.images.add(new())

    many = repositories.images.get_many([second.public_id, "nobody", first.public_id, second.public_id])

    assert {first.public_id, second.public_id} == {image.public_id for image in many}
    assert 2 == len(many)


def test_get_many_of_none_is_none(repositories: Repositories) -> None:
    """An empty list is a fair question."""
    assert [] == list(repositories.images.get_many([]))


def test_everything_that_is_stored_comes_back(repositories: Repositories) -> None:
    """Each field of both results is read as it was written."""
    image = arrived(repositories)
    words = description(
        source=Source.GEMINI,
        visible_text="STOP",
        model="m-1",
        prompt_version="3",
        input_tokens=560,
        price_usd=0.00058,
    )
    repositories.tasks.finish_thumbnail(claim(repositories, image, THUMBNAIL), FACTS, renditions(image))
    repositories.tasks.finish_caption(claim(repositories, image, CAPTION), words)

    now = stored(repositories, image)

    assert (words.caption, words.alt_text, words.tags, words.source) == (
        now.caption,
        now.alt_text,
        now.tags,
        now.source,
    )
    assert ("STOP", "m-1", "3", 560, None, 0.00058) == (
        now.visible_text,
        now.model,
        now.prompt_version,
        now.input_tokens,
        now.output_tokens,
        now.price_usd,
    )
    assert (FACTS.format, FACTS.width, FACTS.height, FACTS.size, FACTS.sha256) == (
        now.format,
        now.width,
        now.height,
        now.size,
        now.sha256,
    )
    assert (FACTS.taken_at, FACTS.camera, FACTS.details) == (now.taken_at, now.camera, now.details)
    assert (f"thumbnails/{image.public_id}/200.webp", 1600, 1200) == (
        now.thumbnail_key,
        now.display_width,
        now.display_height,
    )
    assert now.thumbnail_generated_at is not None
    assert now.caption_generated_at is not None


def walk(repositories: Repositories, limit: int, query: str | None = None) -> list[Image]:
    images: list[Image] = []
    cursor: str | None = None
    while True:
        page = repositories.pages.page(cursor=cursor, limit=limit, query=query)
        images += page.images
        cursor = page.next
        if cursor is None:
            return images


def test_pages_are_newest_first_without_a_gap(repositories: Repositories) -> None:
    """Seven rows in pages of three: each once, in order, and the end is known."""
    added = [arrived(repositories, f"{n}.jpg").name for n in range(7)]

    assert added[::-1] == [image.name for image in walk(repositories, 3)]


def test_a_full_last_page_has_no_next(repositories: Repositories) -> None:
    """No empty page follows where the rows divide evenly."""
    for n in range(4):
        arrived(repositories, f"{n}.jpg")
    second = repositories.pages.page(
        cursor=repositories.pages.page(cursor=None, limit=2, query=None).next, limit=2, query=None
    )

    assert (["1.jpg", "0.jpg"], None) == (names(second), second.next)


def test_a_row_that_comes_meanwhile_shifts_nothing(repositories: Repositories) -> None:
    """The next page goes on where the last one ended."""
    for n in range(4):
        arrived(repositories, f"{n}.jpg")
    first = repositories.pages.page(cursor=None, limit=2, query=None)
    arrived(repositories, "late.jpg")

    assert ["1.jpg", "0.jpg"] == names(repositories.pages.page(cursor=first.next, limit=2, query=None))


def test_an_empty_gallery_is_an_empty_page(repositories: Repositories) -> None:
    """No rows, no next."""
    assert Page((), None) == repositories.pages.page(cursor=None, limit=10, query=None)


@pytest.mark.parametrize(
    "cursor", ["", "x", "aWQ8MQ==", "aWQ8LTE", "é", "MQ", "aWQ8MQ\n", "aWQ8" + "9" * 60, "\ud800"]
)
def test_a_cursor_that_is_not_ours_is_refused(repositories: Repositories, cursor: str) -> None:
    """Only what page() gave out is accepted."""
    with pytest.raises(Invalid):
        repositories.pages.page(cursor=cursor, limit=10, query=None)


def test_what_was_deleted_is_not_on_the_page(repositories: Repositories) -> None:
    """It is in the trash; get() still knows it."""
    image = arrived(repositories)

    assert repositories.images.delete(image.public_id)
    assert [] == names(repositories.pages.page(cursor=None, limit=10, query=None))
    assert "deleted" == stored(repositories, image).status


def test_what_expired_is_not_on_the_page(repositories: Repositories) -> None:
    """A form that nobody used leaves no card."""
    image = repositories.images.add(new(expires_in=-301))

    assert repositories.sweep.expire(image.public_id)
    assert [] == names(repositories.pages.page(cursor=None, limit=10, query=None))


def test_an_upload_on_its_way_is_on_the_page_while_its_form_is_valid(repositories: Repositories) -> None:
    """Afterwards its card goes, even before the sweeper has looked."""
    repositories.images.add(new("on its way.jpg", expires_in=60))
    repositories.images.add(new("forgotten.jpg", expires_in=-1))

    assert ["on its way.jpg"] == names(repositories.pages.page(cursor=None, limit=10, query=None))


def test_what_was_rejected_is_on_the_page_with_its_reason(repositories: Repositories) -> None:
    """The card shows the reason."""
    image = arrived(repositories)
    repositories.tasks.reject(
        claim(repositories, image, THUMBNAIL), code="not_an_image", message="This is not an image."
    )

    (card,) = repositories.pages.page(cursor=None, limit=10, query=None).images

    assert ("rejected", "This is not an image.") == (card.status, card.task(CAPTION).message)


def test_search_finds_every_field_of_words(repositories: Repositories) -> None:
    """Caption, alternative text, tags, name and the text in the picture."""
    described(
        repositories,
        "harbour.jpg",
        caption="Boats at rest.",
        alt_text="Moored yachts.",
        tags=("marina", "calm water"),
        visible_text="NO MOORING",
    )
    arrived(repositories, "other.jpg")

    for query in ("harbour", "boats", "yachts", "marina", "calm", "mooring", "HARBOUR Boats"):
        assert ["harbour.jpg"] == found(repositories, query)


def test_all_words_must_match(repositories: Repositories) -> None:
    """One wrong word and nothing is found."""
    described(repositories, "cat.jpg")

    assert [["cat.jpg"], []] == [found(repositories, "wall cat"), found(repositories, "wall dog")]


@pytest.mark.parametrize(
    "query", ["été", "ÉTÉ", "ete", "E\u0301te\u0301", "straße", "STRASSE", "東京", "🏝", "ﬁne"]
)
def test_search_knows_no_case_and_no_accents(repositories: Repositories, query: str) -> None:
    """É is é is e, however it was typed."""
    arrived(repositories, "Été Straße 東京 🏝 fine.jpg")
    arrived(repositories, "other.jpg")

    assert ["Été Straße 東京 🏝 fine.jpg"] == found(repositories, query)


@pytest.mark.parametrize(
    ("query", "expected"),
    [("100%", ["100%_!.jpg"]), ("10*", ["100%_!.jpg"]), ("_!", []), ("%", []), ("1_0", []), ("*00", [])],
)
def test_search_has_no_wildcards(repositories: Repositories, query: str, expected: list[str]) -> None:
    """%, _, ! and * are no letters of words."""
    for name in ("100%_!.jpg", "abc.jpg"):
        arrived(repositories, name)

    assert expected == found(repositories, query)


@pytest.mark.parametrize("query", ["\\", "'", '"', "?", "%s", "{now}", "; DROP TABLE images", "%%", "\0"])
def test_search_takes_every_character_as_text(repositories: Repositories, query: str) -> None:
    """What means something to SQL or to a driver finds nothing, and breaks nothing."""
    arrived(repositories)

    assert [] == found(repositories, query)


def test_a_backslash_is_found(repositories: Repositories) -> None:
    """It is not an escape."""
    arrived(repositories, "a\\b.jpg")

    assert ["a\\b.jpg"] == found(repositories, "a\\b")


def test_search_pages_like_the_gallery(repositories: Repositories) -> None:
    """Cursor and query together."""
    for n in range(6):
        arrived(repositories, f"{'cat' if n % 2 else 'dog'}-{n}.jpg")

    assert ["cat-5.jpg", "cat-3.jpg", "cat-1.jpg"] == [image.name for image in walk(repositories, 2, "cat")]


def test_search_knows_an_edit_at_once(repositories: Repositories) -> None:
    """The new words are found, the old ones no more."""
    image = described(repositories, "cat.jpg", caption="A dog.", alt_text="", tags=())
    repositories.images.edit(image.public_id, Edit(caption="A wolf."))

    assert [["cat.jpg"], []] == [found(repositories, "wolf"), found(repositories, "dog")]


def test_a_search_of_too_many_words_is_refused(repositories: Repositories) -> None:
    """A text that is too long is rejected with a message."""
    with pytest.raises(Invalid):
        found(repositories, " ".join(f"w{n}" for n in range(17)))


def test_an_edit_is_a_persons(repositories: Repositories) -> None:
    """The given fields change, the others stay, the source is human."""
    image = described(repositories, "cat.jpg")

    edited = repositories.images.edit(
        image.public_id, Edit(caption="My cat Émile.", tags=("Émile", " cat ", "cat", ""))
    )

    assert edited is not None
    assert ("My cat Émile.", "Ginger cat.", ("Émile", "cat"), Source.HUMAN) == (
        edited.caption,
        edited.alt_text,
        edited.tags,
        edited.source,
    )


def test_an_edit_of_nothing_changes_nothing(repositories: Repositories) -> None:
    """The source stays the model's if no field is edited."""
    image = described(repositories, "cat.jpg")

    assert image == repositories.images.edit(image.public_id, Edit())


def test_words_may_be_taken_away(repositories: Repositories) -> None:
    """An empty text is an edit too."""
    image = described(repositories, "cat.jpg")

    edited = repositories.images.edit(image.public_id, Edit(caption="", tags=()))

    assert edited is not None
    assert ("", (), "Ginger cat.") == (edited.caption, edited.tags, edited.alt_text)


def test_an_edit_before_the_caption_is_there(repositories: Repositories) -> None:
    """A person may be quicker than the machine."""
    image = arrived(repositories)

    edited = repositories.images.edit(image.public_id, Edit(alt_text="Mine."))

    assert edited is not None
    assert ("Mine.", Source.HUMAN, "waiting") == (edited.alt_text, edited.source, edited.status)


def test_what_is_not_there_or_in_the_trash_is_not_edited(repositories: Repositories) -> None:
    """None says so."""
    image = described(repositories, "cat.jpg")
    repositories.images.delete(image.public_id)

    assert [None, None] == [
        repositories.images.edit(id_, Edit(caption="x")) for id_ in (image.public_id, "nobody")
    ]
    assert image.caption == stored(repositories, image).caption


def test_a_caption_that_is_too_long_is_refused(repositories: Repositories) -> None:
    """A person's words are never cut in silence."""
    image = described(repositories, "cat.jpg")

    with pytest.raises(Invalid):
        repositories.images.edit(image.public_id, Edit(caption="x" * 4001))


def test_the_longest_words_fit(repositories: Repositories) -> None:
    """Four bytes a letter, at every limit at once."""
    image = described(repositories, "🐈" * 300)
    longest = Edit(
        caption="🐈" * 4000, alt_text="ﷺ" * 1000, tags=tuple(f"{n:02}" + "🐈" * 98 for n in range(50))
    )

    edited = repositories.images.edit(image.public_id, longest)

    assert edited is not None
    assert (longest.caption, longest.alt_text, longest.tags) == (edited.caption, edited.alt_text, edited.tags)


def test_trash_and_back(repositories: Repositories) -> None:
    """delete and restore say whether they did anything."""
    image = arrived(repositories)
    first, again = repositories.images.delete(image.public_id), repositories.images.delete(image.public_id)
    back, once_more = repositories.images.restore(image.public_id), repositories.images.restore(image.public_id)

    assert (True, False, True, False) == (first, again, back, once_more)
    after = stored(repositories, image)
    assert after.version > image.version  # a page that was kept meanwhile is out of date
    assert image == replace(after, version=image.version)


def test_nothing_is_deleted_or_restored_where_nothing_is(repositories: Repositories) -> None:
    """False, not an error."""
    assert (False, False) == (repositories.images.delete("nobody"), repositories.images.restore("nobody"))


def test_a_failed_task_is_reopened_alone(repositories: Repositories) -> None:
    """It starts again from nothing; what is done stays done."""
    image = described(repositories, "cat.jpg")
    repositories.tasks.fail(
        claim(repositories, image, THUMBNAIL), TaskStatus.FAILED, code="broken", message="It broke."
    )

    assert [THUMBNAIL] == list(repositories.images.reopen(image.public_id))
    now = stored(repositories, image)
    assert (TaskStatus.PENDING, 0, None, None) == (
        now.task(THUMBNAIL).status,
        now.task(THUMBNAIL).attempts,
        now.task(THUMBNAIL).error,
        now.task(THUMBNAIL).message,
    )
    assert TaskStatus.DONE is now.task(CAPTION).status


def test_a_blocked_task_is_reopened(repositories: Repositories) -> None:
    """The model may think better of it."""
    image = arrived(repositories)
    repositories.tasks.fail(
        claim(repositories, image, CAPTION), TaskStatus.BLOCKED, code="blocked", message="The model declined."
    )

    assert [CAPTION] == list(repositories.images.reopen(image.public_id, [CAPTION, THUMBNAIL]))


def test_a_done_task_is_reopened_only_if_asked(repositories: Repositories) -> None:
    """Describing again is a wish of its own."""
    image = described(repositories, "cat.jpg")

    assert [] == list(repositories.images.reopen(image.public_id, [CAPTION]))
    assert [CAPTION] == list(repositories.images.reopen(image.public_id, [CAPTION], also_done=True))
    assert image.caption == stored(repositories, image).caption


def test_a_rejected_deleted_or_unknown_image_is_not_reopened(repositories: Repositories) -> None:
    """Another try would say the same."""
    rejected, deleted = arrived(repositories), arrived(repositories)
    repositories.tasks.reject(claim(repositories, rejected, THUMBNAIL), code="not_an_image", message="No.")
    repositories.tasks.fail(
        claim(repositories, deleted, CAPTION), TaskStatus.FAILED, code="broken", message="It broke."
    )
    repositories.images.delete(deleted.public_id)

    ids = (rejected.public_id, deleted.public_id, "nobody")
    assert [[], [], []] == [list(repositories.images.reopen(id_, also_done=True)) for id_ in ids]


def test_a_work_in_hand_is_not_reopened(repositories: Repositories) -> None:
    """The worker continues."""
    image = arrived(repositories)
    claim(repositories, image, CAPTION)

    assert [] == list(repositories.images.reopen(image.public_id, also_done=True))


def test_a_name_keeps_its_letters_and_loses_its_nul(repositories: Repositories) -> None:
    """Emoji, right-to-left and a NUL."""
    assert "a🏝שלום.jpg" == repositories.images.add(new("a🏝\0שלום.jpg")).name


def test_a_name_of_300_characters_is_kept(repositories: Repositories) -> None:
    """Longer ones are cut at 512."""
    assert ["n" * 300, "n" * 512] == [repositories.images.add(new("n" * length)).name for length in (300, 900)]


@pytest.mark.parametrize("text", ["\ud800", "cat \udcff"])
def test_a_lone_surrogate_is_refused(repositories: Repositories, text: str) -> None:
    """It is no Unicode; no database would store it."""
    image = described(repositories, "cat.jpg")
    with pytest.raises(Invalid):
        repositories.images.add(new(text))
    with pytest.raises(Invalid):
        repositories.images.edit(image.public_id, Edit(tags=(text,)))
    with pytest.raises(Invalid):
        repositories.pages.page(cursor=None, limit=5, query=text)
    with pytest.raises(Invalid):
        repositories.images.get(text)


def test_the_captions_view_has_the_seven_columns(repositories: Repositories, database: Database) -> None:
    """The view has the common seven columns, without deleted and awaited images."""
    image = described(repositories, "cat.jpg")
    repositories.images.delete(arrived(repositories).public_id)
    repositories.images.add(new())

    mine = "SELECT * FROM captions WHERE image_key NOT LIKE 'raw/bystander%'"
    (row,) = database.read(lambda tx: tx.rows(mine))

    assert [
        "id",
        "image_key",
        "caption",
        "thumbnail_key",
        "uploaded_at",
        "caption_generated_at",
        "thumbnail_generated_at",
    ] == list(row)
    assert (image.id, image.image_key, image.caption) == (row["id"], row["image_key"], row["caption"])


def test_ids_are_never_used_again(repositories: Repositories) -> None:
    """A cursor or a notice never means another image."""
    image = repositories.images.add(new())
    repositories.images.delete(image.public_id)
    repositories.sweep.purge(image.public_id)

    assert repositories.images.add(new()).id > image.id


def test_ping_knows_a_schema_that_is_up_to_date(repositories: Repositories, database: Database) -> None:
    """It is silent on a migrated database, and says what is missing on another."""
    repositories.images.ping()
    with database.transaction() as tx:
        (row,) = tx.rows("SELECT name, applied_at FROM migrations ORDER BY name LIMIT 1")
        tx.execute("DELETE FROM migrations WHERE name = :name", name=row["name"])
    try:
        with pytest.raises(Unavailable) as caught:
            repositories.images.ping()
    finally:
        with database.transaction() as tx:
            tx.execute("INSERT INTO migrations (name, applied_at) VALUES (:name, :applied_at)", **row)
    assert "not_migrated" == caught.value.code


def test_a_later_row_was_uploaded_later(repositories: Repositories, database: Database) -> None:
    """Times have fractions of a second."""
    first = arrived(repositories)
    set_time = "UPDATE images SET uploaded_at = {ago:age} WHERE id = :id"
    database.run(lambda tx: tx.execute(set_time, id=first.id, age=10_000))

    assert arrived(repositories).uploaded_at > stored(repositories, first).uploaded_at
