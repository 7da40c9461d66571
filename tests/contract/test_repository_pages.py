"""Pages of the gallery and searches, on both databases."""

from __future__ import annotations

import pytest

from imgcore.db import pages
from imgcore.errors import Invalid
from imgcore.gallery.filters import Filters, Progress
from imgcore.gallery.models import Edit, Image, Page, TaskStatus
from tests.contract.images import (
    CAPTION,
    THUMBNAIL,
    arrived,
    claim,
    described,
    finish,
    new,
    stored,
)
from tests.support.repositories import Repositories


def names(page: Page) -> list[str]:
    return [image.name for image in page.images]


def found(repositories: Repositories, query: str) -> list[str]:
    return names(repositories.pages.page(cursor=None, limit=50, query=query))


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


def test_search_finds_no_deleted_photo(repositories: Repositories) -> None:
    kept, deleted = (described(repositories, f"cat {n}.jpg") for n in range(2))
    repositories.images.delete(deleted.public_id)

    assert [kept.name] == found(repositories, "cat")


def test_search_by_words_finds_no_file_that_could_not_be_decoded(repositories: Repositories) -> None:
    """One has no thumbnails, and another was rejected after they were made."""
    failed, rejected, without_caption = (arrived(repositories, f"cat {n}.jpg") for n in range(3))
    reason = {"code": "damaged", "message": "It is damaged."}
    repositories.tasks.fail(claim(repositories, failed, THUMBNAIL), TaskStatus.FAILED, **reason)
    assert finish(repositories, rejected, claim(repositories, rejected, THUMBNAIL))
    repositories.tasks.reject(claim(repositories, rejected, CAPTION), **reason)
    repositories.tasks.fail(claim(repositories, without_caption, CAPTION), TaskStatus.FAILED, **reason)

    assert [without_caption.name] == found(repositories, "cat")
    everything = [without_caption.name, rejected.name, failed.name]
    of_status = Filters(status=Progress.FAILED)
    assert everything == names(repositories.pages.page(cursor=None, limit=9, query="cat", filters=of_status))


def test_search_by_a_filter_alone_finds_a_photo_without_thumbnails(repositories: Repositories) -> None:
    image = arrived(repositories)
    reason = {"code": "damaged", "message": "It is damaged."}
    repositories.tasks.fail(claim(repositories, image, THUMBNAIL), TaskStatus.FAILED, **reason)
    of_month = Filters(month=f"{image.uploaded_at:%Y-%m}")
    assert [image.name] == names(repositories.pages.page(cursor=None, limit=9, query=None, filters=of_month))


@pytest.mark.parametrize("limit", [-1, 0, 1])
def test_page_has_one_image_at_least(repositories: Repositories, limit: int) -> None:
    for n in range(3):
        arrived(repositories, f"{n}.jpg")

    assert ["2.jpg"] == names(repositories.pages.page(cursor=None, limit=limit, query=None))


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
def test_selection_of_several_pages_has_as_many_images_as_its_limit(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(pages, "_LIMIT", 2)
    newest = [arrived(repositories, f"{n}.jpg").public_id for n in range(5)][::-1]

    first, cursor = repositories.pages.select(cursor=None, limit=limit, query=None)
    rest = repositories.pages.select(cursor=cursor, limit=5, query=None) if cursor else ([], None)

    assert (newest[:limit], newest[limit:], None) == (first, *rest)


def test_a_search_of_too_many_words_is_refused(repositories: Repositories) -> None:
    """A text that is too long is rejected with a message."""
    with pytest.raises(Invalid):
        found(repositories, " ".join(f"w{n}" for n in range(17)))
