"""Checks of what the gallery depends on, for /readyz."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from imgcore.errors import ImgcoreError, Unavailable
from imgcore.gallery.models import MISSING, Image
from imgcore.gallery.ports import Storage

if TYPE_CHECKING:
    from imgcore.db.pages import PageRepository

_RECENT_PHOTOS = 10  # among which the newest that is described is looked for


def checks(
    ping: Callable[[], None], pages: PageRepository, storage: Storage
) -> dict[str, Callable[[], str | None]]:
    """Return a check of each dependency, which returns an error message or None.

    ping: of the database.
    """
    found = {
        "database": partial(_check_database, ping, pages),
        "storage": partial(_check_storage, pages, storage),
    }
    return {name: partial(_error_message, check) for name, check in found.items()}


def _check_database(ping: Callable[[], None], pages: PageRepository) -> None:
    """Check that the database answers, and has the tables of photos: a locked or lost one fails each page."""
    ping()
    _newest(pages)


def _newest(pages: PageRepository) -> Sequence[Image]:
    return pages.page(cursor=None, limit=_RECENT_PHOTOS, query=None).images


def _check_storage(pages: PageRepository, storage: Storage) -> None:
    """Check the buckets and the files of the newest photo: a bucket may be there and empty."""
    storage.ping()
    try:
        newest = _newest(pages)
    except ImgcoreError:
        return  # which the check of the database tells
    image = next((image for image in newest if image.status == "done"), None)
    if image is None:
        return
    if storage.find(image.image_key, version_id=image.version_id) is None:
        raise Unavailable("The newest photo is missing in the uploads bucket.", code=MISSING)
    if not storage.has_derived(image.derived_keys):
        raise Unavailable("The newest thumbnails are missing in the derived bucket.", code=MISSING)


def _error_message(check: Callable[[], None]) -> str | None:
    try:
        check()
    except ImgcoreError as error:
        return error.message
    return None
