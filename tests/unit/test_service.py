"""What people can ask of the gallery, and what they are told where it cannot be done."""

from __future__ import annotations

import pytest

from imgcore.errors import Conflict, Invalid, NotFound, Unavailable
from imgcore.gallery.keys import new_public_id
from imgcore.gallery.models import MAX_BYTES, Edit, Image, NewImage, Source, TaskKind, TaskStatus, UploadStatus
from imgcore.gallery.service import Gallery
from imgcore.pipeline.models import GEMINI_BREAKER, ObjectCreated
from imgcore.pipeline.processing import Processor
from tests.support.repositories import Repositories
from tests.unit.fakes import BUCKET, FakeCaptioner, FakeQueues, FakeStorage, decode, render


@pytest.fixture
def gallery(repositories: Repositories, storage: FakeStorage, queues: FakeQueues) -> Gallery:
    """Nothing real but the database."""
    return Gallery(repositories.images, repositories.breakers, storage, queues)


@pytest.fixture
def processor(repositories: Repositories, storage: FakeStorage) -> Processor:
    """What makes photographs done."""
    return Processor(
        *repositories.of_processor(),
        storage,
        decode,
        render,
        FakeCaptioner(),
        uploads_bucket=BUCKET,
    )


def uploaded(gallery: Gallery, processor: Processor, storage: FakeStorage, data: bytes = b"photo") -> Image:
    """A photograph that went the whole way."""
    image, _ = gallery.request_upload("cat.jpg", len(data), "image/jpeg")
    storage.uploads[image.image_key] = data
    for kind in TaskKind:
        processor.process(ObjectCreated(BUCKET, image.image_key), kind, deadline=1e9)
    return gallery.get(image.public_id)


def test_a_form_is_for_exactly_one_file(gallery: Gallery) -> None:
    """The row is there first; the form names its key, its type and its size."""
    image, form = gallery.request_upload("C:\\cat.jpg", 1234, " Image/JPEG ")

    assert ("cat.jpg", UploadStatus.AWAITING) == (image.name, gallery.get(image.public_id).upload_status)
    assert {"key": image.image_key, "Content-Type": "image/jpeg", "range": "1234-1234"} == form.fields
    assert f"raw/{image.public_id}.jpg" == image.image_key


def test_a_form_without_javascript_knows_no_size_and_comes_back(gallery: Gallery) -> None:
    """Any size up to the limit, and the way back to the photograph's page."""
    image, form = gallery.request_upload("", None, "image/png", redirect="http://here/images/{id}")

    assert (f"1-{MAX_BYTES}", f"http://here/images/{image.public_id}", "photo") == (
        form.fields["range"],
        form.fields["redirect"],
        image.name,
    )


@pytest.mark.parametrize(
    ("size", "media_type", "code"),
    [
        (1, "text/plain", "unsupported_type"),
        (1, "", "unsupported_type"),
        (0, "image/jpeg", "empty"),
        (-1, "image/jpeg", "empty"),
        (MAX_BYTES + 1, "image/jpeg", "too_large"),
    ],
)
def test_what_cannot_be_uploaded_is_said_before(
    gallery: Gallery, repositories: Repositories, size: int, media_type: str, code: str
) -> None:
    """And leaves no row."""
    with pytest.raises(Invalid) as caught:
        gallery.request_upload("x", size, media_type)

    assert code == caught.value.code
    assert () == gallery.page().images


def test_links_lead_to_derived_images_and_to_the_original_as_a_download(
    gallery: Gallery, processor: Processor, storage: FakeStorage
) -> None:
    """None before there is anything; none of what is in the trash."""
    awaiting, _ = gallery.request_upload("x", 1, "image/jpeg")
    image = uploaded(gallery, processor, storage)

    links = gallery.links(image)
    assert (None, None, None, None) == (
        gallery.links(awaiting).thumbnail,
        gallery.links(awaiting).thumbnail_2x,
        gallery.links(awaiting).display,
        gallery.links(awaiting).original,
    )
    assert [f"http://bucket.test/{key}" for key in sorted(storage.derived)] == sorted(
        url for url in (links.thumbnail, links.thumbnail_2x, links.display) if url
    )
    assert f"http://bucket.test/{image.image_key}?name=cat.jpg" == links.original
    gallery.delete(image.public_id)
    assert gallery.links(gallery.get(image.public_id)).original is None


def test_an_unknown_photograph_is_not_found(gallery: Gallery) -> None:
    """Whatever is asked of it, and whatever the id looks like."""
    for public_id in (new_public_id(), "x", "' OR 1=1 --", "\x00"):
        for call in (gallery.get, gallery.retry, gallery.delete, gallery.restore, gallery.recaption):
            with pytest.raises(NotFound):
                call(public_id)
        with pytest.raises(NotFound):
            gallery.edit(public_id, Edit(caption="x"))


def test_many_come_in_the_order_asked_for(gallery: Gallery) -> None:
    """Unknown ones are left out, repeated ones come once."""
    ids = [gallery.request_upload("x", 1, "image/jpeg")[0].public_id for _ in range(3)]

    found = gallery.get_many([ids[2], "x", ids[0], new_public_id(), ids[2]])

    assert [ids[2], ids[0]] == [image.public_id for image in found]
    assert [] == gallery.get_many([])
    with pytest.raises(Invalid):
        gallery.get_many(["x"] * 101)


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_page_has_bounds(gallery: Gallery, limit: int) -> None:
    """1 to 100 photographs."""
    with pytest.raises(Invalid):
        gallery.page(limit=limit)


def test_a_search_has_bounds_too(gallery: Gallery) -> None:
    """200 characters; blanks alone are no search."""
    gallery.request_upload("x", 1, "image/jpeg")

    assert 1 == len(gallery.page(query="   ").images)
    with pytest.raises(Invalid):
        gallery.page(query="x" * 201)


def test_what_failed_is_tried_again_when_a_person_asks(
    gallery: Gallery, repositories: Repositories, queues: FakeQueues
) -> None:
    """Only the failed task, straight to its queue, with its attempts back."""
    image, _ = gallery.request_upload("x", 1, "image/jpeg")
    repositories.images.receive(ObjectCreated(BUCKET, image.image_key), _unused(image))
    claim = repositories.tasks.claim(image.image_key, TaskKind.CAPTION, lease=60, max_attempts=5)
    assert claim is not None
    repositories.tasks.fail(claim, TaskStatus.FAILED, code="bad_answer", message="No.")

    retried = gallery.retry(image.public_id)

    assert [(TaskKind.CAPTION, image.image_key, 0.0)] == queues.sent
    assert (TaskStatus.PENDING, 0) == (
        retried.task(TaskKind.CAPTION).status,
        retried.task(TaskKind.CAPTION).attempts,
    )
    with pytest.raises(Conflict):
        gallery.retry(image.public_id)


def test_a_rejected_file_cannot_be_tried_again(
    gallery: Gallery, processor: Processor, storage: FakeStorage
) -> None:
    """The same bytes would be rejected again."""
    image = uploaded(gallery, processor, storage, b"bad")

    with pytest.raises(Conflict):
        gallery.retry(image.public_id)


def test_a_persons_words_outlive_every_machines(
    gallery: Gallery, processor: Processor, storage: FakeStorage, queues: FakeQueues
) -> None:
    """Edited, described again, still the person's."""
    image = uploaded(gallery, processor, storage)

    edited = gallery.edit(image.public_id, Edit(caption=" My barn ", tags=["Home", "home ", " red  barn"]))
    gallery.recaption(image.public_id)
    processor.process(ObjectCreated(BUCKET, image.image_key), TaskKind.CAPTION, deadline=1e9)

    found = gallery.get(image.public_id)
    assert ("My barn", "Alt: A red barn.", ("home", "red barn"), Source.HUMAN) == (
        edited.caption,
        edited.alt_text,
        edited.tags,
        edited.source,
    )
    assert ("My barn", Source.HUMAN, "done") == (found.caption, found.source, found.status)


@pytest.mark.parametrize(
    "edit",
    [
        Edit(caption="x" * 1001),
        Edit(alt_text="x" * 501),
        Edit(caption="a\x00b"),
        Edit(alt_text="\ud800"),
        Edit(tags=["x"] * 1 + [f"t{n}" for n in range(20)]),
        Edit(tags=["x" * 51]),
        Edit(tags=["a\x7f"]),
    ],
)
def test_words_that_cannot_be_kept_are_refused(
    gallery: Gallery, processor: Processor, storage: FakeStorage, edit: Edit
) -> None:
    """With the field's name, and without a change."""
    image = uploaded(gallery, processor, storage)

    with pytest.raises(Invalid):
        gallery.edit(image.public_id, edit)
    assert image == gallery.get(image.public_id)


def test_describing_again_needs_something_described(gallery: Gallery) -> None:
    """What is still under way is not asked for twice."""
    image, _ = gallery.request_upload("x", 1, "image/jpeg")

    with pytest.raises(Conflict):
        gallery.recaption(image.public_id)


def test_the_trash_gives_back_what_it_took(
    gallery: Gallery, repositories: Repositories, queues: FakeQueues
) -> None:
    """Out of the page, back in the page, and unfinished tasks are handed over again."""
    image, _ = gallery.request_upload("x", 1, "image/jpeg")
    repositories.images.receive(ObjectCreated(BUCKET, image.image_key), _unused(image))

    gallery.delete(image.public_id)
    gallery.delete(image.public_id)
    hidden = gallery.page().images
    restored = gallery.restore(image.public_id)

    assert ((), "waiting", (restored,)) == (hidden, restored.status, gallery.page().images)
    assert {kind for kind, _, _ in queues.sent} == set(TaskKind)


def test_restoring_an_upload_that_never_came_starts_nothing(gallery: Gallery, queues: FakeQueues) -> None:
    """There is nothing to work on yet."""
    image, _ = gallery.request_upload("x", 1, "image/jpeg")
    gallery.delete(image.public_id)

    assert "awaiting" == gallery.restore(image.public_id).status
    assert [] == queues.sent


def test_notices_say_what_a_person_must_mend(gallery: Gallery, repositories: Repositories) -> None:
    """A refused key stays on the page until it is right; a rate limit until it is over."""
    assert () == gallery.notices()
    repositories.breakers.open(GEMINI_BREAKER, wait=60, reason="rate_limited", message="Wait.")
    waiting = gallery.notices()
    repositories.breakers.close(GEMINI_BREAKER)
    repositories.breakers.open(GEMINI_BREAKER, wait=0.0, reason="key_refused", message="The key is refused.")

    assert ["rate_limited"] == [notice.code for notice in waiting]
    assert ["key_refused"] == [notice.code for notice in gallery.notices()]
    repositories.breakers.close(GEMINI_BREAKER)
    repositories.breakers.open(GEMINI_BREAKER, wait=0.0, reason="rate_limited", message="Wait.")
    assert () == gallery.notices()


def test_ready_names_what_is_not(gallery: Gallery, storage: FakeStorage) -> None:
    """Each thing that the gallery stands on, with its trouble."""
    assert {"database": None, "storage": None} == gallery.ready()
    storage.broken = Unavailable("The uploads bucket cannot be reached just now.")
    assert {
        "database": None,
        "storage": "The uploads bucket cannot be reached just now.",
    } == gallery.ready()


def test_the_storages_addresses_are_passed_on(gallery: Gallery) -> None:
    """For the page's content security policy."""
    assert ["http://bucket.test"] == gallery.storage_origins


def _unused(image: Image) -> NewImage:
    """receive() wants one for objects without a row."""
    return NewImage(new_public_id(), image.image_key, "x", None, None, 0.0)


def test_words_for_what_was_deleted_meanwhile_are_not_kept(
    gallery: Gallery, processor: Processor, storage: FakeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was there when it was looked for, and gone a moment later."""
    image = uploaded(gallery, processor, storage)
    monkeypatch.setattr(type(gallery.images), "edit", lambda self, public_id, edit: None)

    with pytest.raises(NotFound):
        gallery.edit(image.public_id, Edit(caption="Mine"))
