"""Actions on many images at once: a result for each, and the requests that undo them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from imgcore.campaigns.models import Campaign, Selection
from imgcore.collections.models import ItemResult, Results, checked_ids, summary
from imgcore.errors import Conflict, Forbidden, Invalid, NotFound
from imgcore.gallery.edits import clean_tags
from imgcore.gallery.models import Image, UploadStatus

if TYPE_CHECKING:
    from imgcore.db.tags import TagRepository
    from imgcore.gallery.service import Gallery


class BulkAction(StrEnum):
    """What to do with the images."""

    ADD_TAGS = "add_tags"
    REMOVE_TAGS = "remove_tags"
    ADD_TO_ALBUM = "add_to_album"
    REMOVE_FROM_ALBUM = "remove_from_album"
    RECAPTION = "recaption"
    TRASH = "trash"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """An action on images. tags, album: for the actions that need them.

    campaign: of an earlier request of the same action, which describes these images again too.
    """

    action: BulkAction
    ids: tuple[str, ...]
    tags: tuple[str, ...] = ()
    album: str | None = None
    campaign: str | None = None


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What became of each image. undo: the requests that undo it. campaign: that describes images again."""

    results: Results
    undo: tuple[BulkRequest, ...] = ()
    campaign: Campaign | None = None

    @property
    def summary(self) -> str:
        """The results in one sentence."""
        return summary(self.results)

    @property
    def changed(self) -> list[str]:
        """The ids of the images that the action changed."""
        return [public_id for public_id, result in self.results if result in _CHANGES]


_CHANGES = frozenset(
    {
        ItemResult.ADDED,
        ItemResult.REMOVED,
        ItemResult.CHANGED,
        ItemResult.TRASHED,
        ItemResult.RESTORED,
        ItemResult.QUEUED,
    }
)


@dataclass(frozen=True, slots=True)
class Bulk:
    """Actions on many images with the rights of the gallery's viewer. most_tags: of one image."""

    gallery: Gallery
    tags: TagRepository
    most_tags: int

    def run(self, request: BulkRequest, *, undoing: bool = False) -> BulkOutcome:
        """Do the action on each image that the viewer may change. Invalid: ids, tags, album. NotFound: album.

        Each image is changed by itself: after an interruption, what was done stays, and the same request can be
        sent again. undoing: the request is one that an outcome named.
        """
        request = replace(request, ids=tuple(checked_ids(request.ids)))
        match request.action:
            case BulkAction.ADD_TAGS | BulkAction.REMOVE_TAGS:
                return self._change_tags(request, undoing=undoing)
            case BulkAction.ADD_TO_ALBUM | BulkAction.REMOVE_FROM_ALBUM:
                return self._change_album(request, undoing=undoing)
            case BulkAction.RECAPTION:
                return self._recaption(request)
            case BulkAction.TRASH:
                return self._each(request, self._trash, BulkAction.RESTORE)
            case BulkAction.RESTORE:
                return self._each(request, self._restore, BulkAction.TRASH)

    def nothing(self, request: BulkRequest) -> BulkOutcome:
        """Return the outcome for no image, of which a selection finds no more. Invalid: tags."""
        if request.action in (BulkAction.ADD_TAGS, BulkAction.REMOVE_TAGS):
            _tags(request)
        return BulkOutcome(())

    def undo(self, requests: Sequence[BulkRequest]) -> BulkOutcome:
        """Run the requests that an outcome named, and return their results as one."""
        outcomes = [self.run(request, undoing=True) for request in requests]
        return BulkOutcome(
            [result for outcome in outcomes for result in outcome.results],
            tuple(request for outcome in outcomes for request in outcome.undo),
        )

    def _each(
        self, request: BulkRequest, work: Callable[[Image], ItemResult], opposite: BulkAction
    ) -> BulkOutcome:
        outcome = BulkOutcome([(public_id, self._one(public_id, work)) for public_id in request.ids])
        changed = tuple(outcome.changed)
        return replace(outcome, undo=(BulkRequest(opposite, changed),) if changed else ())

    def _one(self, public_id: str, work: Callable[[Image], ItemResult]) -> ItemResult:
        try:
            return work(self.gallery.get_editable(public_id))
        except Forbidden:
            return ItemResult.FORBIDDEN
        except NotFound:
            return ItemResult.NOT_FOUND

    def _trash(self, image: Image) -> ItemResult:
        if image.deleted_at is not None:
            return ItemResult.UNCHANGED
        self.gallery.delete(image.public_id)
        return ItemResult.TRASHED

    def _restore(self, image: Image) -> ItemResult:
        if image.deleted_at is None:
            return ItemResult.UNCHANGED
        self.gallery.restore(image.public_id)
        return ItemResult.RESTORED

    def _change_tags(self, request: BulkRequest, *, undoing: bool) -> BulkOutcome:
        tags = _tags(request)
        adds = request.action is BulkAction.ADD_TAGS
        opposite = BulkAction.REMOVE_TAGS if adds else BulkAction.ADD_TAGS
        undone: dict[tuple[str, ...], list[str]] = {}  # tags that were changed → the images

        def work(image: Image) -> ItemResult:
            try:
                changed = self.tags.change_tags(
                    image.public_id,
                    add=tags if adds else (),
                    remove=() if adds else tags,
                    most=self.most_tags,
                    account_id=self.gallery.viewer.account_id,
                    language=self.gallery.language,
                    undoing=undoing,
                )
            except Conflict:
                return ItemResult.TOO_MANY_TAGS
            if not changed:
                return ItemResult.UNCHANGED
            undone.setdefault(tuple(changed), []).append(image.public_id)
            return ItemResult.CHANGED

        results = [(public_id, self._one(public_id, work)) for public_id in request.ids]
        undo = tuple(BulkRequest(opposite, tuple(ids), changed) for changed, ids in undone.items())
        return BulkOutcome(results, undo)

    def _change_album(self, request: BulkRequest, *, undoing: bool) -> BulkOutcome:
        if request.album is None or self.gallery.albums is None:
            raise Invalid("Name the album.", code="album")
        albums = self.gallery.albums.for_viewer(self.gallery.viewer)
        adds = request.action is BulkAction.ADD_TO_ALBUM
        outcome = BulkOutcome(
            albums.add(request.album, request.ids, undoing=undoing)
            if adds
            else albums.remove(request.album, request.ids)
        )
        opposite = BulkAction.REMOVE_FROM_ALBUM if adds else BulkAction.ADD_TO_ALBUM
        changed = tuple(outcome.changed)
        undo = BulkRequest(opposite, changed, album=request.album)
        return replace(outcome, undo=(undo,) if changed else ())

    def _recaption(self, request: BulkRequest) -> BulkOutcome:
        """Start a campaign, to which its rate and the caps on spending apply. It is cancelled, not undone.

        The images of the other requests of the action join it: each campaign has its own rate.
        """
        results = [(public_id, self._one(public_id, _queueable)) for public_id in request.ids]
        queued = tuple(public_id for public_id, result in results if result is ItemResult.QUEUED)
        if not queued or self.gallery.campaigns is None:
            return BulkOutcome(results)
        campaigns = replace(self.gallery.campaigns, viewer=self.gallery.viewer)
        selection = Selection(ids=queued)
        try:
            if request.campaign is None:
                return BulkOutcome(results, campaign=campaigns.start(selection))
            return BulkOutcome(results, campaign=campaigns.extend(request.campaign, selection))
        except Conflict:  # others began to describe them just now
            waiting = {ItemResult.QUEUED: ItemResult.UNCHANGED}
            return BulkOutcome([(public_id, waiting.get(result, result)) for public_id, result in results])


def _queueable(image: Image) -> ItemResult:
    if image.deleted_at is not None or image.upload_status is not UploadStatus.RECEIVED:
        return ItemResult.NOT_FOUND
    return ItemResult.QUEUED if image.settled else ItemResult.UNCHANGED


def _tags(request: BulkRequest) -> Sequence[str]:
    """Return the tags of a request as they are stored. Invalid: there is none, or one that cannot be stored."""
    if not request.tags:
        raise Invalid("Name at least one tag.", code="tags")
    return clean_tags(request.tags)
