"""Actions on many photos at once: the routes of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse

from imgcore.accounts.models import Scope
from imgcore.accounts.security_log import SecurityEvent
from imgcore.collections.bulk import Bulk, BulkAction, BulkOutcome, BulkRequest
from imgcore.collections.models import IDS, ItemResult
from imgcore.collections.selections import selected_page
from imgcore.errors import Invalid, NotFound
from imgcore.gallery.keys import is_public_id
from imgcore.gallery.service import TAGS
from web.collection_texts import results_json
from web.handlers.albums import choice
from web.http import request
from web.http.auth import PREFIX, gallery_for_caller, record_event, requires
from web.http.responses import Route, json_response
from web.http.selection import MEMBERS, selection_of_body

if TYPE_CHECKING:
    from imgcore.gallery.service import Gallery

_MEMBERS = frozenset({"ids", "action", "tags", "album"})
_CAMPAIGN = "."  # in a cursor, before the campaign that describes the photos of all requests of an action
_NEEDED = {
    BulkAction.ADD_TAGS: "tags",
    BulkAction.REMOVE_TAGS: "tags",
    BulkAction.ADD_TO_ALBUM: "album",
    BulkAction.REMOVE_FROM_ALBUM: "album",
}
_EVENTS = {
    ItemResult.TRASHED: SecurityEvent.IMAGE_DELETED,
    ItemResult.RESTORED: SecurityEvent.IMAGE_RESTORED,
}


class BulkApi:
    """Handlers of the API."""

    def __init__(self, gallery: Gallery) -> None:
        self._unrestricted = gallery

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [("POST", f"{PREFIX}/bulk", self.run), ("POST", f"{PREFIX}/bulk/undo", self.undo)]

    @requires(Scope.EDIT)
    def run(self) -> HTTPResponse:
        """Do one action on up to 1,000 photos: those that are named, or the next ones that a search finds."""
        body = request.json_object(_MEMBERS | MEMBERS | {"cursor"})
        selection = selection_of_body(body)
        if selection is None:
            return self._answer(self._bulk.run(_request(body)))
        given = None if body.get("cursor") is None else request.string(body, "cursor")
        cursor, _, campaign = (given or "").partition(_CAMPAIGN)
        gallery = gallery_for_caller(self._unrestricted)
        ids, following = selected_page(gallery, selection, None if given is None else cursor)
        rest = {name: value for name, value in body.items() if name not in MEMBERS | {"cursor"}}
        wanted = replace(_request(rest | {"ids": ids}), campaign=campaign or None)
        outcome = self._bulk.run(wanted) if ids else self._bulk.nothing(wanted)
        campaign = outcome.campaign.public_id if outcome.campaign else campaign
        if following is not None and campaign:
            following += f"{_CAMPAIGN}{campaign}"
        return self._answer(outcome, following)

    @requires(Scope.EDIT)
    def undo(self) -> HTTPResponse:
        """Undo an action by the requests that its response named."""
        given = request.json_object(frozenset({"undo"})).get("undo")
        if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
            raise Invalid("undo is the list of the response that is undone.", code="undo")
        wanted = [_request(each) for each in given]
        if sum(len(each.ids) for each in wanted) > IDS:
            raise Invalid(f"At most {IDS:,} photos at once.", code="undo")
        return self._answer(self._bulk.undo(wanted))

    @property
    def _bulk(self) -> Bulk:
        gallery = gallery_for_caller(self._unrestricted)
        if gallery.tags is None:
            raise NotFound("This gallery has no actions on many photos.")
        return Bulk(gallery, gallery.tags, TAGS)

    def _answer(self, outcome: BulkOutcome, following: str | None = None) -> HTTPResponse:
        for result, event in _EVENTS.items():
            if ids := [public_id for public_id, found in outcome.results if found is result]:
                record_event(event, f"{len(ids)} photos", " ".join(ids))
        undo = [_request_json(each) for each in outcome.undo]
        campaign = outcome.campaign.public_id if outcome.campaign else None
        more = {"undo": undo, "campaign": campaign, "next": following}
        return json_response(results_json(outcome.results) | more)


def _request(body: Mapping[str, Any]) -> BulkRequest:
    action = choice(BulkAction, request.string(body, "action"), "action")
    needed = _NEEDED.get(action, "")
    if unknown := sorted(set(body) - {"action", "ids", needed}):
        raise Invalid(f"The action {action} has no {unknown[0]!r}.", code="unknown_field")
    ids = request.strings(body.get("ids"), "ids", most=IDS)
    tags = request.strings(body.get("tags"), "tags", most=TAGS) if needed == "tags" else []
    album = request.string(body, "album") if needed == "album" else None
    if album is not None and not is_public_id(album):
        raise Invalid("album is the id of an album.", code="album")
    return BulkRequest(action, tuple(ids), tuple(tags), album)


def _request_json(wanted: BulkRequest) -> dict[str, Any]:
    shown: dict[str, Any] = {"action": wanted.action, "ids": list(wanted.ids)}
    shown |= {"tags": list(wanted.tags)} if wanted.tags else {}
    return shown | ({"album": wanted.album} if wanted.album else {})
