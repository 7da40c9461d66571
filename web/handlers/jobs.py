"""What the queues and workers do: routes of the API and the page /admin/jobs, for administrators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse, response

from imgcore.accounts.models import Scope
from imgcore.accounts.security_log import SecurityEvent
from imgcore.errors import NotFound
from imgcore.gallery.models import TaskKind
from imgcore.pipeline.maintenance_models import DeadLetterCause, JobGroup, JobsOverview, Pause
from imgcore.pipeline.models import BreakerState
from web import serializers
from web.handlers.albums import choice
from web.http import request
from web.http.auth import PREFIX, caller, record_event, requires
from web.http.csrf import csrf_token, verified_form
from web.http.responses import Route, json_response, json_with_etag
from web.http.templates import TemplateRenderer

if TYPE_CHECKING:
    from imgcore.pipeline.jobs import Jobs

_CAUSES = {
    DeadLetterCause.FAILED: "the function has failed five times with each; its log has the reason",
    DeadLetterCause.UNDELIVERED: "the topic or the rule could not send them to the queue",
}
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
        return self._jobs.retry(choice(TaskKind, kind, "kind"), reason)

    def _pause(self, kind: str, reason: str | None) -> TaskKind:
        """Pause the tasks of a kind; reason: only its retries with this error."""
        chosen, account = choice(TaskKind, kind, "kind"), caller().account
        self._jobs.pause(chosen, reason, account=account.name if account else None)
        record_event(SecurityEvent.TASKS_PAUSED, chosen.value, reason or "")
        return chosen

    def _resume(self, kind: str, reason: str | None) -> tuple[TaskKind, bool]:
        """End a pause; return the kind, and whether there was one."""
        chosen = choice(TaskKind, kind, "kind")
        ended = self._jobs.resume(chosen, reason)
        if ended:
            record_event(SecurityEvent.TASKS_RESUMED, chosen.value, reason or "")
        return chosen, ended


class JobsApi(JobsBase):
    """Handlers of the API."""

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [
            ("GET", f"{PREFIX}/jobs", self.overview),
            ("POST", f"{PREFIX}/jobs/retry", self.retry),
            ("POST", f"{PREFIX}/jobs/pause", self.pause),
            ("POST", f"{PREFIX}/jobs/resume", self.resume),
        ]

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

    @requires(Scope.ADMIN)
    def pause(self) -> HTTPResponse:
        """Pause the tasks of a kind, or its retries with one error; return all pauses."""
        self._pause(*_named())
        return self._paused()

    @requires(Scope.ADMIN)
    def resume(self) -> HTTPResponse:
        """End a pause; return those that are left."""
        self._resume(*_named())
        return self._paused()

    def _paused(self) -> HTTPResponse:
        return json_response({"pauses": [_pause_json(pause) for pause in self._jobs.pauses()]})


def _named() -> tuple[str, str | None]:
    """Return the kind and the reason, or None, of the request's body."""
    body = request.json_object(frozenset({"kind", "reason"}))
    reason = request.string(body, "reason") if body.get("reason") is not None else None
    return request.string(body, "kind"), reason


class JobPages(JobsBase):
    """Handlers of /admin/jobs."""

    def __init__(self, jobs: Jobs | None, renderer: TemplateRenderer) -> None:
        super().__init__(jobs)
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [
            ("GET", "/admin/jobs", self.page),
            ("POST", "/admin/jobs/retry", self.retry),
            ("POST", "/admin/jobs/pause", self.pause),
            ("POST", "/admin/jobs/resume", self.resume),
        ]

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

    @requires(Scope.ADMIN)
    def pause(self) -> str:
        """Pause the tasks of the form."""
        fields = verified_form()
        reason = fields.get("reason") or None
        title = _KINDS[self._pause(fields.get("kind", ""), reason)]
        return self._page(f"{_paused_title(title, reason)} are paused. What runs already is finished.")

    @requires(Scope.ADMIN)
    def resume(self) -> str:
        """End the pause of the form."""
        fields = verified_form()
        reason = fields.get("reason") or None
        kind, ended = self._resume(fields.get("kind", ""), reason)
        return self._page(_resumed(kind, reason, ended, self._jobs.pauses()))

    def _page(self, done: str | None = None) -> str:
        response.set_header("Cache-Control", "no-store")
        overview = self._jobs.overview()
        return self._renderer.render(
            "jobs",
            token=csrf_token(),
            done=done,
            counts=_table(overview),
            retries=[group_row(group) for group in overview.retries],
            failures=[group_row(group) for group in overview.failures],
            breakers=[breaker_row(breaker) for breaker in overview.breakers],
            pauses=[_pause_row(pause) for pause in overview.pauses],
            dead_letters=_dead_letter_rows(overview),
            swept=serializers.moment(overview.last_sweep) if overview.last_sweep else None,
        )


def overview_json(overview: JobsOverview) -> dict[str, Any]:
    """Return the overview as the API's JSON."""
    return {
        "counts": [
            {"kind": group.kind, "status": group.status, "count": group.count} for group in overview.counts
        ],
        "retries": [group_json(group, "next_at") for group in overview.retries],
        "failures": [group_json(group, "last_at") for group in overview.failures],
        "breakers": [breaker_json(found) for found in overview.breakers],
        "last_sweep": serializers.optional_utc(overview.last_sweep),
        "pauses": [_pause_json(pause) for pause in overview.pauses],
        "dead_letters": None
        if overview.dead_letters is None
        else [
            {"kind": found.kind, "cause": found.cause, "count": found.count} for found in overview.dead_letters
        ],
    }


def breaker_json(breaker: BreakerState) -> dict[str, Any]:
    """Return the state of a circuit breaker as the API's JSON."""
    return {
        "name": breaker.name,
        "open": breaker.reason is not None,
        "reason": breaker.reason,
        "message": breaker.message,
    }


def _pause_json(pause: Pause) -> dict[str, Any]:
    return {
        "kind": pause.kind,
        "reason": pause.reason,
        "since": serializers.optional_utc(pause.since),
        "account": pause.account,
    }


def group_json(group: JobGroup, time: str) -> dict[str, Any]:
    """Return a group of tasks as the API's JSON. time: the name of its time."""
    return {
        "kind": group.kind,
        "reason": group.error,
        "message": group.message,
        "count": group.count,
        time: serializers.optional_utc(group.at),
    }


def _table(overview: JobsOverview) -> list[tuple[str, str, bool, dict[str, int]]]:
    """Return of each kind of task the title, the name, whether it is paused, and its counts by state."""
    names = {"pending": "waiting", "processing": "running", "retry": "later", "failed": "failed"}
    names |= {"blocked": "failed", "skipped": "rejected", "done": "done"}
    rows = []
    for kind, title in _KINDS.items():
        counts = dict.fromkeys(names.values(), 0)
        for group in overview.counts:
            if group.kind is kind:
                counts[names[group.status]] += group.count
        paused = any(pause.kind is kind and pause.reason is None for pause in overview.pauses)
        rows.append((title, kind.value, paused, counts))
    return rows


def group_row(group: JobGroup) -> dict[str, Any]:
    """Return a group of tasks as texts for a page."""
    return {
        "kind": group.kind,
        "title": _KINDS[group.kind],
        "reason": group.error or "",
        "message": group.message or "",
        "count": f"{group.count:,}",
        "at": serializers.moment(group.at) if group.at else "",
        "at_machine": serializers.utc(group.at) if group.at else "",
    }


def _paused_title(title: str, reason: str | None) -> str:
    return title if reason is None else f"{title} that wait after “{reason}”"


def _resumed(kind: TaskKind, reason: str | None, ended: bool, left: Sequence[Pause]) -> str:
    """Return what became of a pause that was to end. left: the pauses that there are now."""
    title = _KINDS[kind]
    subject = _paused_title(title, reason)
    if not ended:
        return f"{subject} were not paused for that alone." if reason else f"{subject} were not paused."
    others = [pause.reason for pause in left if pause.kind is kind]
    if None in others:
        return f"That pause has ended, but all {title.lower()} are still paused."
    after = " and ".join(f"“{each}”" for each in others if reason is None)
    still = f" Those that wait after {after} are still paused." if after else ""
    return f"{subject} go on with the next sweep.{still}"


def _pause_row(pause: Pause) -> dict[str, str]:
    return {
        "kind": pause.kind,
        "reason": pause.reason or "",
        "text": _paused_title(_KINDS[pause.kind], pause.reason),
        "at": serializers.moment(pause.since) if pause.since else "",
        "account": pause.account or "",
    }


def _dead_letter_rows(overview: JobsOverview) -> list[dict[str, str]] | None:
    """Return the queues that hold dead letters; None where they cannot be counted."""
    if overview.dead_letters is None:
        return None
    return [
        {"count": f"{found.count:,}", "title": _KINDS[found.kind], "cause": _CAUSES[found.cause]}
        for found in overview.dead_letters
        if found.count
    ]


def breaker_row(breaker: BreakerState) -> dict[str, str]:
    """Return the state of a circuit breaker as texts for a page."""
    if breaker.reason is None:
        return {"name": breaker.name, "text": "closed: calls pass"}
    minutes = max(1, round(breaker.wait / 60))
    when = f"the next call in about {minutes:,} min" if breaker.wait > 0 else "the next call probes it"
    return {"name": breaker.name, "text": f"open ({breaker.reason}), {when}. {breaker.message or ''}"}
