"""API routes of uploads in parts. openapi.yaml describes the requests and responses."""

from __future__ import annotations

from typing import Any

from bottle import HTTPResponse

from imgcore.accounts.models import Scope
from imgcore.gallery.part_models import PARTS_LIMIT, PartPlan
from imgcore.gallery.parts import PartUploads
from web.http import request
from web.http.auth import PREFIX, CallerGallery, requires
from web.http.errors import Problem
from web.http.responses import Route, json_response

_NO_STORE = {"Cache-Control": "no-store"}


class PartsApi(CallerGallery):
    """Handlers of uploads in parts."""

    def routes(self) -> list[Route]:
        """Return (method, path, handler) of the routes."""
        upload = f"{PREFIX}/uploads/<public_id>"
        return [
            ("GET", upload, self.show),
            ("POST", f"{upload}/parts", self.request_parts),
            ("POST", f"{upload}/finish", self.finish),
        ]

    @property
    def _parts(self) -> PartUploads:
        assert self._unrestricted.parts is not None
        return self._unrestricted.parts

    @requires(Scope.UPLOAD)
    def show(self, public_id: str) -> HTTPResponse:
        """Return which parts have arrived, so that an upload continues after an interruption."""
        plan = self._parts.plan(self._gallery.get_editable(public_id))
        return json_response({"parts": plan_json(plan) if plan else None}, 200, _NO_STORE)

    @requires(Scope.UPLOAD)
    def request_parts(self, public_id: str) -> HTTPResponse:
        """Return presigned requests for consecutive parts."""
        body = request.json_object(frozenset({"first", "sha256"}))
        hashes = request.strings(body.get("sha256"), "sha256", most=PARTS_LIMIT)
        if not hashes:
            raise Problem(422, "sha256", "sha256 must name at least one part.")
        first = request.whole_number(body.get("first"), "first")
        found = self._parts.requests(self._gallery.get_editable(public_id), first, hashes)
        parts = [{"number": each.number, "url": each.url, "headers": each.headers} for each in found]
        return json_response({"parts": parts}, 200, _NO_STORE)

    @requires(Scope.UPLOAD)
    def finish(self, public_id: str) -> HTTPResponse:
        """Join the parts of an upload."""
        self._parts.finish(self._gallery.get_editable(public_id))
        return HTTPResponse(status=204)


def plan_json(plan: PartPlan) -> dict[str, Any]:
    """Return how a file is divided, as the API shows it."""
    received = [{"number": part.number, "sha256": part.sha256} for part in plan.received]
    return {"size": plan.size, "count": plan.count, "received": received}
