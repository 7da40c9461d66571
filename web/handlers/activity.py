"""What of the caller's photos is under way or needs attention: routes of the API and the page /activity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bottle import HTTPResponse, response

from imgcore.accounts.models import Scope
from imgcore.errors import NotFound
from imgcore.gallery.models import TaskKind
from web.handlers.albums import choice
from web.handlers.jobs import breaker_json, breaker_row, group_json, group_row
from web.handlers.spending import totals
from web.http import request
from web.http.auth import PREFIX, CallerGallery, caller, requires
from web.http.csrf import csrf_token, verified_form
from web.http.responses import Route, json_response, json_with_etag
from web.http.templates import TemplateRenderer

if TYPE_CHECKING:
    from imgcore.gallery.service import Gallery
    from imgcore.pipeline.jobs import Jobs
    from imgcore.pipeline.maintenance_models import Activity


class _Activity(CallerGallery):
    @property
    def _jobs(self) -> Jobs:
        if self._unrestricted.jobs is None:
            raise NotFound("This gallery has no page of activity.")
        return self._unrestricted.jobs

    def _read(self) -> Activity:
        return self._jobs.activity(self._gallery.viewer)

    def _retry(self, kind: str, reason: str) -> int:
        return self._jobs.retry(choice(TaskKind, kind, "kind"), reason, self._gallery.viewer)


class ActivityApi(_Activity):
    """Handlers of the API."""

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [
            ("GET", f"{PREFIX}/activity", self.activity),
            ("GET", f"{PREFIX}/activity/failed", self.failed),
            ("POST", f"{PREFIX}/activity/retry", self.retry),
        ]

    @requires(Scope.READ, account=True)
    def activity(self) -> HTTPResponse:
        """Return the caller's newest batches, the failures by reason, and the open circuit breakers."""
        found = self._read()
        return json_with_etag(
            {
                "batches": [each._asdict() for each in found.batches],
                "failures": [group_json(group, "last_at") for group in found.failures],
                "breakers": [breaker_json(breaker) for breaker in found.breakers],
            }
        )

    @requires(Scope.READ, account=True)
    def failed(self) -> HTTPResponse:
        """Return how many tasks of the caller's photos have failed, 100 at most: every page asks for it."""
        return json_with_etag({"failed": self._jobs.failed(self._gallery.viewer)})

    @requires(Scope.EDIT)
    def retry(self) -> HTTPResponse:
        """Retry up to 500 tasks of the caller's photos that failed for a reason."""
        body = request.json_object(frozenset({"kind", "reason"}))
        retried = self._retry(request.string(body, "kind"), request.string(body, "reason"))
        return json_response({"retried": retried}, 202)


class ActivityPages(_Activity):
    """Handlers of /activity."""

    def __init__(self, gallery: Gallery, renderer: TemplateRenderer) -> None:
        super().__init__(gallery)
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [("GET", "/activity", self.page), ("POST", "/activity/retry", self.retry)]

    @requires(Scope.READ, account=True)
    def page(self) -> str:
        """Show what is uploaded, what needs attention, and the state of the service."""
        return self._page()

    @requires(Scope.EDIT)
    def retry(self) -> str:
        """Retry what failed for the reason of the form."""
        fields = verified_form()
        count = self._retry(fields.get("kind", ""), fields.get("reason", ""))
        return self._page(f"{count:,} {'task is' if count == 1 else 'tasks are'} queued again.")

    def _page(self, done: str | None = None) -> str:
        response.set_header("Cache-Control", "no-store")
        found = self._read()
        return self._renderer.render(
            "activity",
            token=csrf_token(),
            done=done,
            batches=found.batches,
            failures=[group_row(group) for group in found.failures],
            breakers=[breaker_row(breaker) for breaker in found.breakers],
            notices=self._gallery.notices(),
            today=self._spent_today(),
        )

    def _spent_today(self) -> str | None:
        """Return what today's descriptions cost: administrators see all of it, others that of their photos."""
        spending, account = self._unrestricted.spending, caller().account
        everybody = self._gallery.viewer.changes_others
        if spending is None or not (everybody or account):
            return None
        [today, *_] = totals(spending, None if everybody or account is None else account.id)
        if today["calls"] == "0":
            return None
        calls = "1 call" if today["calls"] == "1" else f"{today['calls']} calls"
        return f"Today {calls} of a model; cost: {today['price']}."
