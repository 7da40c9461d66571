"""The gallery's use cases: request an upload, list, search, retry, edit, delete, restore."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from imgcore.accounts.models import Quota
from imgcore.errors import Conflict, Forbidden, ImgcoreError, Invalid, NotFound
from imgcore.gallery import readiness
from imgcore.gallery.checks import PAGE_LIMIT as PAGE_LIMIT
from imgcore.gallery.checks import QUERY_LENGTH as QUERY_LENGTH
from imgcore.gallery.checks import checked_batch, checked_query, checked_sha256
from imgcore.gallery.edits import ALT_TEXT_LENGTH as ALT_TEXT_LENGTH
from imgcore.gallery.edits import CAPTION_LENGTH as CAPTION_LENGTH
from imgcore.gallery.edits import HINT_LENGTH, checked_edit, checked_text
from imgcore.gallery.edits import TAG_LENGTH as TAG_LENGTH
from imgcore.gallery.edits import TAGS as TAGS
from imgcore.gallery.filters import NO_FILTERS, Filters
from imgcore.gallery.keys import clean_name, is_public_id, new_public_id, raw_key
from imgcore.gallery.languages import Language, parse
from imgcore.gallery.media_types import accepted_type, form_type
from imgcore.gallery.models import (
    EVERYBODY,
    MAX_BYTES,
    MEDIA_TYPES,
    Edit,
    Image,
    Limits,
    Links,
    NewImage,
    Notice,
    Page,
    PageVersions,
    TaskKind,
    UploadForm,
    UploadStatus,
    Viewer,
    WordField,
)
from imgcore.gallery.notices import notices
from imgcore.gallery.ports import Queues, Storage
from imgcore.text import too_large

if TYPE_CHECKING:
    from imgcore.campaigns.service import Campaigns
    from imgcore.collections.albums import Albums
    from imgcore.collections.downloads import Downloads
    from imgcore.collections.shares import Shares
    from imgcore.db.changes import ChangeRepository
    from imgcore.db.circuit_breaker import CircuitBreakers
    from imgcore.db.front import FrontPage, FrontRepository
    from imgcore.db.images import ImageRepository
    from imgcore.db.pages import PageRepository
    from imgcore.db.tag_list import TagListRepository
    from imgcore.db.tags import TagRepository
    from imgcore.db.timeline import TimelineRepository
    from imgcore.db.trash import TrashRepository
    from imgcore.gallery.parts import PartUploads
    from imgcore.pipeline.jobs import Jobs
    from imgcore.pipeline.models import Conditions
    from imgcore.spending.service import Spending
    from imgcore.webhooks.service import Webhooks

_MOST_VIEWS = 1000  # viewers' galleries that are kept


@dataclass(frozen=True, slots=True)
class Gallery:
    """The gallery's use cases.

    viewer: the rights of the current user. breaker: the name of the model's circuit breaker. quota: of accounts
    for which none is set; None: none is checked. languages: of captions; language: the viewer's. upload_ttl:
    the validity of an upload form, in seconds. Methods raise Unavailable where database, storage or queues are
    unreachable, NotFound for an image that does not exist or is not visible to the viewer, and Forbidden for a
    change that the viewer is not permitted to make.
    """

    images: ImageRepository
    pages: PageRepository
    front: FrontRepository
    breakers: CircuitBreakers
    storage: Storage
    queues: Queues
    limits: Limits = field(default_factory=lambda: Limits(MAX_BYTES, MEDIA_TYPES))
    upload_ttl: int = 3600
    release: str = "dev"
    describer: str = "the local describer"
    breaker: str = "gemini"
    viewer: Viewer = EVERYBODY
    languages: Sequence[Language] = field(default_factory=lambda: parse("English"))
    language: str | None = None
    quota: Quota | None = None
    spending: Spending | None = None
    campaigns: Campaigns | None = None
    timeline: TimelineRepository | None = None
    tag_list: TagListRepository | None = None
    trash: TrashRepository | None = None
    albums: Albums | None = None
    shares: Shares | None = None
    changes: ChangeRepository | None = None
    downloads: Downloads | None = None
    tags: TagRepository | None = None
    jobs: Jobs | None = None
    parts: PartUploads | None = None
    webhooks: Webhooks | None = None
    _views: dict[Any, Gallery] = field(default_factory=dict, init=False, repr=False, compare=False)

    def for_viewer(self, viewer: Viewer, language: str | None = None) -> Gallery:
        """Return the gallery with the rights of ``viewer``, to whose account new uploads belong.

        language: the code of that in which the viewer reads.
        """
        if (viewer, language) == (self.viewer, self.language):
            return self
        if (known := self._views.get((viewer, language))) is None:  # a copy takes a tenth of a cached page
            if len(self._views) >= _MOST_VIEWS:
                self._views.clear()
            known = self._views[viewer, language] = replace(self, viewer=viewer, language=language)
        return known

    def language_of(self, image: Image, field: WordField) -> str | None:
        """Return the code of the language in which the viewer sees a field, if known."""
        return image.language_of(field, self.language) or self.languages[0].code

    @property
    def storage_origins(self) -> Sequence[str]:
        """scheme://host[:port] of the buckets, for the Content-Security-Policy header."""
        return self.storage.origins()

    def request_upload(
        self,
        name: str,
        size: int | None,
        media_type: str,
        *,
        redirect: str | None = None,
        batch: str | None = None,
        hint: str | None = None,
        sha256: str | None = None,
        again: bool = False,
    ) -> tuple[Image, UploadForm]:
        """Insert the image's row and return it with the upload form for exactly this file.

        media_type: as declared by the client, empty where it knows none. The form requires it, so that the
        storage keeps what was declared; nothing else relies on it, because the content decides.
        size: bytes; None where it is unknown (a form without JavaScript). redirect: where S3 redirects the
        browser after the upload; ``{id}`` is replaced by the public id. batch: a UUID chosen by the client, the
        same for all files uploaded together. hint: what the photo is about, for the model that describes it.
        sha256: of the file, hexadecimal. AlreadyPresent where the owner has uploaded it, unless ``again``.
        Invalid: unsupported_type, empty, too_large, batch, hint or sha256. Conflict: quota_images, quota_bytes
        or quota_uploads.
        """
        image = self.add_upload(name, size, media_type, batch=batch, hint=hint, sha256=sha256, again=again)
        form = self.storage.form(
            image.image_key,
            media_type=form_type(media_type),
            min_bytes=size or 1,
            max_bytes=size or self.limits.max_bytes,
            expires_in=self.upload_ttl,
            redirect=redirect.replace("{id}", image.public_id) if redirect else None,
        )
        return image, form

    def add_upload(
        self,
        name: str,
        size: int | None,
        media_type: str,
        *,
        batch: str | None = None,
        hint: str | None = None,
        sha256: str | None = None,
        again: bool = False,
        expires_in: float | None = None,
    ) -> Image:
        """Insert the row of an upload, with the arguments and errors of ``request_upload``, and return it.

        expires_in: seconds; by default the validity of a form.
        """
        accepted = accepted_type(media_type, name, self.limits.media_types)
        if size is not None and size <= 0:
            raise Invalid("This file is empty.", code="empty")
        if size is not None and size > self.limits.max_bytes:
            raise Invalid(too_large(size, self.limits.max_bytes), code="too_large")
        public_id = new_public_id()
        new = NewImage(
            public_id=public_id,
            image_key=raw_key(public_id, accepted),
            name=clean_name(name),
            media_type=accepted,
            size=size,
            expires_in=float(self.upload_ttl if expires_in is None else expires_in),
            owner_id=self.viewer.account_id,
            batch_id=checked_batch(batch),
            hint=checked_text(hint, "hint", HINT_LENGTH) or None,
            sha256=None if sha256 is None else checked_sha256(sha256),
        )
        return self.images.add(new, self.quota, largest=self.limits.max_bytes, again=again)

    def already_present(self, hashes: Sequence[str]) -> dict[str, str]:
        """Return the id of the viewer's image for each of up to 100 SHA-256 that has one. Invalid: sha256."""
        if len(hashes) > PAGE_LIMIT:
            raise Invalid(f"At most {PAGE_LIMIT} hashes are accepted at once.", code="sha256")
        return self.images.present([checked_sha256(each) for each in hashes], self.viewer.account_id)

    def page(
        self,
        cursor: str | None = None,
        limit: int = 40,
        query: str | None = None,
        filters: Filters = NO_FILTERS,
    ) -> Page:
        """Return a page of ``limit`` images (1 to 100), newest first, that contain every word of ``query``.

        cursor: ``next`` of the previous page. Invalid: cursor, limit or query.
        """
        words = checked_query(limit, query)
        return self.pages.page(cursor=cursor, limit=limit, query=words, viewer=self.viewer, filters=filters)

    def page_versions(
        self,
        cursor: str | None = None,
        limit: int = 40,
        query: str | None = None,
        filters: Filters = NO_FILTERS,
    ) -> PageVersions:
        """Return ids and versions of what ``page`` would return: one small query."""
        words = checked_query(limit, query)
        return self.pages.page_versions(
            cursor=cursor, limit=limit, query=words, viewer=self.viewer, filters=filters
        )

    def front_page(self, cursor: str | None, limit: int, newest: int) -> FrontPage:
        """Return the page, ``newest`` photos of the timeline, and the pipeline's conditions: one query."""
        return self.front.page(
            cursor=cursor, limit=limit, viewer=self.viewer, newest=newest, breaker=self.breaker
        )

    def by_ids(self, ids: Sequence[int]) -> Sequence[Image]:
        """Return the images of these ids of ``page_versions``, newest first."""
        return self.pages.by_ids(ids) if ids else ()

    def tiles(self, ids: Sequence[int]) -> Sequence[Image]:
        """Return what a card shows of the images of these ids of ``page_versions``, newest first."""
        return self.pages.tiles(ids)

    def get(self, public_id: str) -> Image:
        """Return an image, also from the trash."""
        return self._seen(self.images.get(public_id) if is_public_id(public_id) else None)

    def progress(self, public_id: str) -> Image:
        """Return an image as ``get`` does, with its tasks alone."""
        return self._seen(self.pages.progress(public_id) if is_public_id(public_id) else None)

    def _seen(self, image: Image | None) -> Image:
        if image is None or not self.viewer.sees(image):
            raise NotFound("There is no such photo.")
        return image

    def get_editable(self, public_id: str) -> Image:
        """Return an image that the viewer may change. Forbidden where it is only visible."""
        image = self.get(public_id)
        if not self.viewer.changes(image):
            raise Forbidden("This photo belongs to another account.")
        return image

    def get_many(self, public_ids: Sequence[str]) -> list[Image]:
        """Return the visible images among up to 100 public ids, in the order of the ids."""
        if len(public_ids) > PAGE_LIMIT:
            raise Invalid(f"At most {PAGE_LIMIT} ids are accepted at once.", code="ids")
        wanted = [public_id for public_id in public_ids if is_public_id(public_id)]
        rows = self.images.get_many(wanted) if wanted else ()
        found = {image.public_id: image for image in rows if self.viewer.sees(image)}
        return [found[public_id] for public_id in dict.fromkeys(wanted) if public_id in found]

    def thumbnails(self, image: Image) -> Links:
        """Return the presigned URLs of the thumbnails alone: a URL that nothing shows takes time to sign."""
        if image.deleted_at is not None:
            return Links()
        url = self.storage.url
        return Links(
            thumbnail=url(image.thumbnail_key) if image.thumbnail_key else None,
            thumbnail_2x=url(image.thumbnail_2x_key) if image.thumbnail_2x_key else None,
        )

    def links(self, image: Image) -> Links:
        """Return presigned URLs, the same ones within a time window so that browser caches work.

        The original holds the camera's metadata; its URL is only for viewers who may change the image.
        """
        if image.deleted_at is not None:
            return Links()
        url = self.storage.url
        return replace(
            self.thumbnails(image),
            grid=url(key) if (key := image.grid_key or image.display_key) else None,
            display=url(image.display_key) if image.display_key else None,
            original=self.storage.original_url(
                image.image_key, download_as=image.name, version_id=image.version_id
            )
            if image.upload_status is UploadStatus.RECEIVED and self.viewer.changes(image)
            else None,
        )

    def retry(self, public_id: str) -> Image:
        """Queue the failed and blocked tasks again. Conflict where there are none."""
        image = self.get_editable(public_id)
        kinds = self.images.reopen(public_id)
        if not kinds:
            raise Conflict("Nothing failed for this photo, so there is nothing to retry.")
        self._send(image, kinds)
        self.breakers.allow_probe(self.breaker)
        return self.get(public_id)

    def recaption(self, public_id: str) -> Image:
        """Queue the caption task again, also if it is done or waits; a person's edits are kept.

        The model is probed at once where its circuit breaker is open. Conflict: the task is pending or runs.
        """
        image = self.get_editable(public_id)
        kinds = self.images.reopen(public_id, [TaskKind.CAPTION], also_done=True)
        if not kinds:
            raise Conflict("This photo cannot be described again at the moment.")
        self._send(image, kinds)
        self.breakers.allow_probe(self.breaker)
        return self.get(public_id)

    def edit(self, public_id: str, edit: Edit) -> Image:
        """Store texts written by a person; no captioner overwrites them. Invalid: caption, alt_text, tags."""
        self.get_editable(public_id)
        checked = replace(checked_edit(edit), language=self.language)
        image = self.images.edit(public_id, checked, self.viewer.account_id)
        if image is None:
            raise NotFound("There is no such photo.")
        return image

    def delete(self, public_id: str) -> None:
        """Move an image to the trash, for 30 days; harmless where it is there already."""
        image = self.get_editable(public_id)
        self.images.delete(public_id)
        if self.parts is not None and image.upload_status is UploadStatus.AWAITING:
            self.parts.abort(image)

    def restore(self, public_id: str) -> Image:
        """Restore an image from the trash and queue its unfinished tasks. NotFound: it was deleted for good."""
        self.get_editable(public_id)
        self.images.restore(public_id)
        image = self.get(public_id)
        if image.deleted_at is not None:
            raise NotFound("This photo was deleted for good.")
        if image.upload_status is UploadStatus.RECEIVED:
            self._send(image, [task.kind for task in image.tasks if not task.status.terminal])
        return image

    def notices(self) -> tuple[Notice, ...]:
        """Return conditions that all users should know of: the model refuses the key, its quota is used up."""
        return self.notices_of(self.front.conditions(self.breaker))

    def notices_of(self, conditions: Conditions) -> tuple[Notice, ...]:
        """Return the notices of these conditions of the pipeline, and that a cap on spending is reached."""
        cap = self.spending.reached_cap() if self.spending else None
        return notices(conditions, cap)

    def checks(self) -> dict[str, Callable[[], str | None]]:
        """Return a check of each dependency, which returns an error message or None."""
        return readiness.checks(self.images.ping, self.pages, self.storage)

    def missing(self) -> int | None:
        """Return the number of photos whose stored file has vanished; None while the database is away."""
        try:
            return self.images.missing()
        except ImgcoreError:
            return None

    def _send(self, image: Image, kinds: Sequence[TaskKind]) -> None:
        for kind in kinds:
            self.queues.send(kind, image.image_key)
