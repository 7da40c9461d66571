"""What the queues and workers do: routes of the API and the page /admin/jobs, for administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse, response

from imgcore.accounts.models import Scope
from imgcore.errors import Invalid, NotFound
from imgcore.gallery.models import TaskKind
from imgcore.pipeline.maintenance_models import JobGroup, JobsOverview
from imgcore.pipeline.models import BreakerState
from web import serializers
from web.handlers.albums import choice
from web.http import request
from web.http.auth import PREFIX, requires
from web.http.csrf import csrf_token, verified_form
from web.http.responses import Route, json_response, json_with_etag
from web.http.templates import TemplateRenderer

if TYPE_CHECKING:
    from imgcore.pipeline.jobs import Jobs

_REASON_LENGTH = 64  # characters
_KINDS = {TaskKind.THUMBNAIL: "Thumbnails", TaskKind.CAPTION: "Captions"}


class JobsBase:
    """The tasks. jobs: None where the gallery has none."""

    def __init__(self, jobs: Jobs | None) -> None:
        self._given = jobs

    @property
    def _jobs(self) -> Jobs:
        if self._given is None:
            raise NotFound("This gallery has no page of jobs.")
        return self._given

    def _retry(self, kind: str, reason: str) -> int:
        if not 0 < len(reason) <= _REASON_LENGTH:
            raise Invalid(f"reason has 1 to {_REASON_LENGTH} characters.", code="reason")
        return self._jobs.retry(choice(TaskKind, kind, "kind"), reason)


class JobsApi(JobsBase):
    """Handlers of the API."""

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [("GET", f"{PREFIX}/jobs", self.overview), ("POST", f"{PREFIX}/jobs/retry", self.retry)]

    @requires(Scope.ADMIN)
    def overview(self) -> HTTPResponse:
        """Return the tasks by state and reason, the circuit breakers and the last sweep."""
        return json_with_etag(overview_json(self._jobs.overview()))

    @requires(Scope.ADMIN)
    def retry(self) -> HTTPResponse:
        """Retry up to 500 tasks of a kind that failed for a reason."""
        body = request.json_object(frozenset({"kind", "reason"}))
        retried = self._retry(request.string(body, "kind"), request.string(body, "reason"))
        return json_response({"retried": retried}, 202)


class JobPages(JobsBase):
    """Handlers of /admin/jobs."""

    def __init__(self, jobs: Jobs | None, renderer: TemplateRenderer) -> None:
        super().__init__(jobs)
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [("GET", "/admin/jobs", self.page), ("POST", "/admin/jobs/retry", self.retry)]

    @requires(Scope.ADMIN)
    def page(self) -> str:
        """Show what is waiting, running, due later and failed."""
        return self._page()

    @requires(Scope.ADMIN)
    def retry(self) -> str:
        """Retry what failed for the reason of the form."""
        fields = verified_form()
        count = self._retry(fields.get("kind", ""), fields.get("reason", ""))
        return self._page(f"{count:,} {'task is' if count == 1 else 'tasks are'} queued again.")

    def _page(self, done: str | None = None) -> str:
        response.set_header("Cache-Control", "no-store")
        overview = self._jobs.overview()
        return self._renderer.render(
            "jobs",
            token=csrf_token(),
            done=done,
            counts=_table(overview),
            retries=[_row(group) for group in overview.retries],
            failures=[_row(group) for group in overview.failures],
            breakers=[_breaker_row(breaker) for breaker in overview.breakers],
            swept=serializers.moment(overview.last_sweep) if overview.last_sweep else None,
        )


def overview_json(overview: JobsOverview) -> dict[str, Any]:
    """Return the overview as the API's JSON."""
    return {
        "counts": [
            {"kind": group.kind, "status": group.status, "count": group.count} for group in overview.counts
        ],
        "retries": [_group_json(group, "next_at") for group in overview.retries],
        "failures": [_group_json(group, "last_at") for group in overview.failures],
        "breakers": [
            {
                "name": found.name,
                "open": found.reason is not None,
                "reason": found.reason,
                "message": found.message,
            }
            for found in overview.breakers
        ],
        "last_sweep": serializers.optional_utc(overview.last_sweep),
    }


def _group_json(group: JobGroup, time: str) -> dict[str, Any]:
    return {
        "kind": group.kind,
        "reason": group.error,
        "message": group.message,
        "count": group.count,
        time: serializers.optional_utc(group.at),
    }


def _table(overview: JobsOverview) -> list[tuple[str, dict[str, int]]]:
    """Return for each kind of task the counts by what an administrator calls the states."""
    names = {"pending": "waiting", "processing": "running", "retry": "later", "failed": "failed"}
    names |= {"blocked": "failed", "skipped": "rejected", "done": "done"}
    rows = []
    for kind, title in _KINDS.items():
        counts = dict.fromkeys(names.values(), 0)
        for group in overview.counts:
            if group.kind is kind:
                counts[names[group.status]] += group.count
        rows.append((title, counts))
    return rows


def _row(group: JobGroup) -> dict[str, Any]:
    return {
        "kind": group.kind,
        "title": _KINDS[group.kind],
        "reason": group.error or "",
        "message": group.message or "",
        "count": f"{group.count:,}",
        "at": serializers.moment(group.at) if group.at else "",
        "at_machine": serializers.utc(group.at) if group.at else "",
    }


def _breaker_row(breaker: BreakerState) -> dict[str, str]:
    if breaker.reason is None:
        return {"name": breaker.name, "text": "closed: calls pass"}
    minutes = max(1, round(breaker.wait / 60))
    when = f"the next call in about {minutes:,} min" if breaker.wait > 0 else "the next call probes it"
    return {"name": breaker.name, "text": f"open ({breaker.reason}), {when}. {breaker.message or ''}"}
