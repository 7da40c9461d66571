"""The gallery's use cases, and the errors for requests that cannot be fulfilled."""

from __future__ import annotations

import pytest

from imgcore.db.connection import Database
from imgcore.errors import Conflict, Invalid, NotFound, Unavailable
from imgcore.gallery.keys import new_public_id
from imgcore.gallery.models import MAX_BYTES, Edit, Image, NewImage, Source, TaskKind, TaskStatus, UploadStatus
from imgcore.gallery.service import Gallery
from imgcore.pipeline.models import ObjectCreated
from imgcore.pipeline.processing import Processor
from tests.support.repositories import Repositories
from tests.unit.fakes import BUCKET, FakeCaptioner, FakeQueues, FakeStorage, decode, render


@pytest.fixture
def gallery(repositories: Repositories, storage: FakeStorage, queues: FakeQueues) -> Gallery:
    """A gallery on SQLite; storage and queues are fakes."""
    return Gallery(
        repositories.images,
        repositories.pages,
        repositories.front,
        repositories.breakers,
        storage,
        queues,
    )


@pytest.fixture
def processor(repositories: Repositories, storage: FakeStorage) -> Processor:
    """A processor that finishes the uploads."""
    return Processor(
        *repositories.of_processor(),
        storage,
        decode,
        render,
        FakeCaptioner(),
        uploads_bucket=BUCKET,
    )


def uploaded(gallery: Gallery, processor: Processor, storage: FakeStorage, data: bytes = b"photo") -> Image:
    """Upload an image and process both of its tasks."""
    image, _ = gallery.request_upload("cat.jpg", len(data), "image/jpeg")
    storage.uploads[image.image_key] = data
    for kind in TaskKind:
        processor.process(ObjectCreated(BUCKET, image.image_key), kind, deadline=1e9)
    return gallery.get(image.public_id)


def test_request_upload_form_is_for_exactly_one_file(gallery: Gallery) -> None:
    """The row is inserted first; the form names its key, type and size."""
    image, form = gallery.request_upload("C:\\cat.jpg", 1234, " Image/JPEG ")

    assert ("cat.jpg", UploadStatus.AWAITING) == (image.name, gallery.get(image.public_id).upload_status)
    assert {"key": image.image_key, "Content-Type": "image/jpeg", "range": "1234-1234"} == form.fields
    assert f"raw/{image.public_id}.jpg" == image.image_key


def test_request_upload_without_size_allows_the_limit_and_redirects(gallery: Gallery) -> None:
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
        (1, "video/mp4", "unsupported_type"),
        (0, "image/jpeg", "empty"),
        (-1, "image/jpeg", "empty"),
        (MAX_BYTES + 1, "image/jpeg", "too_large"),
    ],
)
def test_request_upload_unacceptable_file_is_invalid(
    gallery: Gallery, repositories: Repositories, size: int, media_type: str, code: str
) -> None:
    """No row is inserted."""
    with pytest.raises(Invalid) as caught:
        gallery.request_upload("x", size, media_type)

    assert code == caught.value.code
    assert () == gallery.page().images


def test_links_original_is_the_version_that_was_received(gallery: Gallery) -> None:
    image, _ = gallery.request_upload("cat.jpg", 1, "image/jpeg")
    new = NewImage(image.public_id, image.image_key, "cat.jpg", "image/jpeg", 1, 3600.0)
    for version in ("v1", "v2"):
        gallery.images.receive(ObjectCreated(BUCKET, image.image_key, version_id=version), new)

    assert (gallery.links(gallery.get(image.public_id)).original or "").endswith("&version=v1")


@pytest.mark.parametrize(
    ("media_type", "name", "form_type", "ending", "accepted"),
    [
        ("image/jpg", "a", "image/jpg", "jpg", "image/jpeg"),
        ("image/pjpeg", "a", "image/pjpeg", "jpg", "image/jpeg"),
        ("image/jpeg; charset=binary", "a", "image/jpeg; charset=binary", "jpg", "image/jpeg"),
        ("image/heic-sequence", "a", "image/heic-sequence", "heic", "image/heic"),
        ("", "IMG_1.HEIC", "application/octet-stream", "heic", "image/heic"),
        ("application/octet-stream", "a.jfif", "application/octet-stream", "jpg", "image/jpeg"),
        ("", "a", "application/octet-stream", "bin", None),
        ("image/x-rare", "a.png", "image/x-rare", "png", "image/png"),
        ("image/jpeg; \r\nx", "a.pdf", "application/octet-stream", "jpg", "image/jpeg"),
    ],
)
def test_request_upload_accepts_a_type_by_any_of_its_names(
    gallery: Gallery, media_type: str, name: str, form_type: str, ending: str, accepted: str | None
) -> None:
    """The form requires what was declared; the key and the row have what is known of it."""
    image, form = gallery.request_upload(name, 1, media_type)
    assert (form_type, ending) == (form.fields["Content-Type"], image.image_key.rpartition(".")[2])
    assert accepted == image.media_type


@pytest.mark.parametrize(
    ("media_type", "name", "message"),
    [
        ("text/plain", "a.jpg", "This file type is not supported."),
        ("image/svg+xml", "a.jpg", "SVG drawings are not supported."),
        ("", "a.mov", "Videos are not supported."),
    ],
)
def test_request_upload_refuses_other_files_by_name(
    gallery: Gallery, media_type: str, name: str, message: str
) -> None:
    with pytest.raises(Invalid, match=message):
        gallery.request_upload(name, 1, media_type)


def test_links_exist_for_derived_images_and_the_original(
    gallery: Gallery, processor: Processor, storage: FakeStorage
) -> None:
    """None before they exist and none from the trash."""
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
        url for url in (links.thumbnail, links.thumbnail_2x, links.grid, links.display) if url
    )
    assert f"http://bucket.test/{image.image_key}?name=cat.jpg&version={image.version_id}" == links.original
    gallery.delete(image.public_id)
    assert gallery.links(gallery.get(image.public_id)).original is None


def test_unknown_image_is_not_found(gallery: Gallery) -> None:
    """This holds for every method and form of id."""
    for public_id in (new_public_id(), "x", "' OR 1=1 --", "\x00"):
        for call in (gallery.get, gallery.retry, gallery.delete, gallery.restore, gallery.recaption):
            with pytest.raises(NotFound):
                call(public_id)
        with pytest.raises(NotFound):
            gallery.edit(public_id, Edit(caption="x"))


def test_get_many_keeps_the_order_of_the_ids(gallery: Gallery) -> None:
    """Unknown ids are left out, repeated ones are returned once."""
    ids = [gallery.request_upload("x", 1, "image/jpeg")[0].public_id for _ in range(3)]

    found = gallery.get_many([ids[2], "x", ids[0], new_public_id(), ids[2]])

    assert [ids[2], ids[0]] == [image.public_id for image in found]
    assert [] == gallery.get_many([])
    with pytest.raises(Invalid):
        gallery.get_many(["x"] * 101)


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_page_limit_out_of_bounds_is_invalid(gallery: Gallery, limit: int) -> None:
    with pytest.raises(Invalid):
        gallery.page(limit=limit)


def test_page_long_query_is_invalid(gallery: Gallery) -> None:
    """Spaces alone are no query."""
    gallery.request_upload("x", 1, "image/jpeg")

    assert 1 == len(gallery.page(query="   ").images)
    with pytest.raises(Invalid):
        gallery.page(query="x" * 201)


def test_retry_queues_the_failed_task_with_all_attempts(
    gallery: Gallery, repositories: Repositories, queues: FakeQueues
) -> None:
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


def test_retry_rejected_file_is_a_conflict(
    gallery: Gallery, processor: Processor, storage: FakeStorage
) -> None:
    """The same bytes would be rejected again."""
    image = uploaded(gallery, processor, storage, b"bad")

    with pytest.raises(Conflict):
        gallery.retry(image.public_id)


def test_edit_is_kept_when_described_again(
    gallery: Gallery, processor: Processor, storage: FakeStorage, queues: FakeQueues
) -> None:
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
def test_edit_unacceptable_text_is_invalid(
    gallery: Gallery, processor: Processor, storage: FakeStorage, edit: Edit
) -> None:
    """The code names the field; nothing is changed."""
    image = uploaded(gallery, processor, storage)

    with pytest.raises(Invalid):
        gallery.edit(image.public_id, edit)
    assert image == gallery.get(image.public_id)


def test_recaption_unfinished_image_is_a_conflict(gallery: Gallery) -> None:
    image, _ = gallery.request_upload("x", 1, "image/jpeg")

    with pytest.raises(Conflict):
        gallery.recaption(image.public_id)


def test_restore_deleted_image_is_listed_and_queued_again(
    gallery: Gallery, repositories: Repositories, queues: FakeQueues
) -> None:
    image, _ = gallery.request_upload("x", 1, "image/jpeg")
    repositories.images.receive(ObjectCreated(BUCKET, image.image_key), _unused(image))

    gallery.delete(image.public_id)
    gallery.delete(image.public_id)
    hidden = gallery.page().images
    restored = gallery.restore(image.public_id)

    assert ((), "waiting", (restored,)) == (hidden, restored.status, gallery.page().images)
    assert {kind for kind, _, _ in queues.sent} == set(TaskKind)


def test_restore_upload_without_file_queues_nothing(gallery: Gallery, queues: FakeQueues) -> None:
    image, _ = gallery.request_upload("x", 1, "image/jpeg")
    gallery.delete(image.public_id)

    assert "awaiting" == gallery.restore(image.public_id).status
    assert [] == queues.sent


def test_notices_show_a_refused_key_until_it_works(gallery: Gallery, repositories: Repositories) -> None:
    """A rate limit is shown until its pause is over."""
    assert () == gallery.notices()
    repositories.breakers.open("gemini", wait=60, reason="rate_limited", message="Wait.")
    waiting = gallery.notices()
    repositories.breakers.close("gemini")
    repositories.breakers.open("gemini", wait=0.0, reason="key_refused", message="The key is refused.")

    assert ["rate_limited"] == [notice.code for notice in waiting]
    assert ["key_refused"] == [notice.code for notice in gallery.notices()]
    repositories.breakers.close("gemini")
    repositories.breakers.open("gemini", wait=0.0, reason="rate_limited", message="Wait.")
    assert () == gallery.notices()


def test_ready_unreachable_dependency_has_a_message(gallery: Gallery, storage: FakeStorage) -> None:
    assert {"database": None, "storage": None} == {name: run() for name, run in gallery.checks().items()}
    storage.broken = Unavailable("The uploads bucket cannot be reached just now.")
    assert {
        "database": None,
        "storage": "The uploads bucket cannot be reached just now.",
    } == {name: run() for name, run in gallery.checks().items()}


def test_ready_names_the_database_alone_where_only_that_is_away(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(self: Database, work: object) -> None:
        raise Unavailable("The database cannot be reached just now.")

    monkeypatch.setattr(Database, "read", read)
    assert {
        "database": "The database cannot be reached just now.",
        "storage": None,
    } == {name: run() for name, run in gallery.checks().items()}


def test_ready_fails_where_the_table_of_photos_is_lost(gallery: Gallery, repositories: Repositories) -> None:
    repositories.images._database.run(lambda tx: tx.execute("ALTER TABLE images RENAME TO lost"))
    found = {name: run() for name, run in gallery.checks().items()}

    assert found["database"] is not None
    assert found["storage"] is None


def test_storage_origins_are_those_of_the_storage(gallery: Gallery) -> None:
    assert ["http://bucket.test"] == gallery.storage_origins


def _unused(image: Image) -> NewImage:
    """The row that receive() would insert for an object without one."""
    return NewImage(new_public_id(), image.image_key, "x", None, None, 0.0)


def test_edit_image_deleted_meanwhile_is_not_found(
    gallery: Gallery, processor: Processor, storage: FakeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = uploaded(gallery, processor, storage)
    monkeypatch.setattr(type(gallery.images), "edit", lambda self, *given: None)

    with pytest.raises(NotFound):
        gallery.edit(image.public_id, Edit(caption="Mine"))
