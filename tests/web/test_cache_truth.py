"""No answer is older than a commit before its request, whatever two processes have kept of earlier ones."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from imgcore.accounts.models import Visibility
from imgcore.db import changes
from imgcore.db.changes import ChangeRepository
from imgcore.db.tasks import TaskRepository
from imgcore.db.timeline import TimelineRepository
from imgcore.gallery.models import Edit, Image, TaskKind, TaskStatus
from tests.contract.images import FACTS, description, renditions
from tests.web.client import Answer
from tests.web.peopling import Browser, Site, site
from web.app import create_app
from web.http.page_cache import Cache

PEOPLE = ("owner", "other")
PATHS = (
    "/",
    "/?q=changed",
    "/?q=-changed",
    "/api/v1/images",
    "/api/v1/images?status=failed",
    "/api/v1/timeline",
    "/api/v1/timeline/{month}",
    "/api/v1/changes?since={since}",
    "/api/v1/images/{id}/status",
)
people = st.sampled_from(PEOPLE)
numbers = st.integers(0, 2)


class Answers(RuleBasedStateMachine):
    """Changes of photos, of the breaker, of pauses and of sessions, and requests after each of them.

    Each answer is compared with that of a third application, which keeps nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.images: list[Image] = []
        self.seen: dict[tuple[int, str, str], tuple[str, str]] = {}
        self.steps = 0
        self.month = f"{datetime.now(UTC):%Y-%m}"
        self.since: dict[str, str] = {}  # the cursors of the feed

    @initialize()
    def start(self) -> None:
        self.site: Site = site(self.folder)
        gallery, accounts = self.site.gallery, self.site.accounts
        self.tasks = TaskRepository(self.site.database)
        apps, self.galleries = [], []
        for _ in range(3):
            database = self.site.database
            own = replace(gallery, timeline=TimelineRepository(database), changes=ChangeRepository(database))
            self.galleries.append(own)
            apps.append(create_app(own, accounts=accounts, visibility=Visibility.SHARED, api_rate=1_000_000))
        self.browsers = {(app, name): Browser(apps[app]) for app in range(3) for name in PEOPLE}
        for name in PEOPLE:
            self.sign_in(name)
            self.since[name] = self.browsers[2, name].get("/api/v1/changes").json["cursor"]
            self.upload(name)
            for process in range(2):
                self.ask(process, name)

    def teardown(self) -> None:
        self.site.database.close()
        shutil.rmtree(self.folder)

    def sign_in(self, name: str) -> None:
        token = self.site.browser(None, name).cookies["gallery_session"]  # type: ignore[arg-type]
        for app in range(3):
            self.browsers[app, name].cookies["gallery_session"] = token

    @rule(name=people)
    def end_sessions(self, name: str) -> None:
        self.site.accounts.end_sessions(self.site.people[name])

    @rule(name=people)
    def upload(self, name: str) -> None:
        if len(self.images) < 3:
            self.images.append(self.site.upload(name, f"cat {len(self.images)}.jpg"))

    def image(self, number: int) -> Image:
        return self.images[number % len(self.images)]

    @rule(
        number=numbers,
        kind=st.sampled_from(TaskKind),
        ending=st.sampled_from(["done", "failed", "working", "waiting"]),
    )
    def process(self, number: int, kind: TaskKind, ending: str) -> None:
        """A worker claims a task, and stores a result, an error, or nothing yet."""
        image = self.image(number)
        claim = self.tasks.claim(image.image_key, kind, lease=0.001, max_attempts=99)
        if claim is None or ending == "working":
            return
        if ending == "waiting":  # for the model: until the probe of its breaker
            self.tasks.park(claim, code="unavailable", message="Away.", delay=0.0, refund=True)
        elif ending == "failed":
            self.tasks.fail(claim, TaskStatus.FAILED, code="bad_answer", message="The model did not answer.")
        elif kind is TaskKind.CAPTION:
            self.tasks.finish_caption(claim, description(caption=f"A changed cat {claim.attempts}."))
        else:
            self.tasks.finish_thumbnail(claim, FACTS, renditions(image))

    @rule(number=numbers, words=st.sampled_from(["changed", "cat", "dog"]))
    def edit(self, number: int, words: str) -> None:
        self.site.gallery.images.edit(self.image(number).public_id, Edit(caption=words))

    @rule(number=numbers)
    def delete(self, number: int) -> None:
        self.site.gallery.images.delete(self.image(number).public_id)

    @rule(number=numbers)
    def restore(self, number: int) -> None:
        self.site.gallery.images.restore(self.image(number).public_id)

    @rule(change=st.sampled_from(["close", "open", "back_off", "allow_probe"]))
    def breaker(self, change: str) -> None:
        breakers, reason = self.site.gallery.breakers, {"reason": "key_refused", "message": "Refused."}
        if change == "open":
            breakers.open("gemini", wait=60, **reason)
        elif change == "back_off":  # for longer each time
            breakers.back_off("gemini", probing=True, **reason)
        else:
            getattr(breakers, change)("gemini")

    @rule(kind=st.sampled_from(TaskKind), paused=st.booleans())
    def pause(self, kind: TaskKind, paused: bool) -> None:
        jobs = self.site.gallery.jobs
        assert jobs is not None
        if paused:
            jobs.pause(kind)
        else:
            jobs.resume(kind)

    @invariant()
    def ask_one_process(self) -> None:
        """Ask after each change, the two processes in turn."""
        self.steps += 1
        for name in PEOPLE if self.images else ():
            if not self.ask(self.steps % 2, name):
                self.sign_in(name)

    def ask(self, process: int, name: str) -> bool:
        """Ask for all that is kept, as a browser does that has earlier answers; False for who is signed out."""
        for template in PATHS:
            path = template.format(month=self.month, id=self.images[0].public_id, since=self.since[name])
            key = (process, name, path)
            tag, text = self.seen.get(key, ("", ""))
            answer = self.browsers[process, name].get(path, if_none_match=tag)
            fresh = self.answer_of_nothing_kept(name, path)
            status, shown = (200, text) if answer.status == 304 else (answer.status, answer.text)
            assert fresh.status == status
            if status < 400:  # an error has an id of its own
                assert fresh.text == shown
                self.since[name] = fresh.json["cursor"] if "since=" in path else self.since[name]
            self.seen[key] = (answer.headers.get("etag", ""), shown)
        return status == 200

    def answer_of_nothing_kept(self, name: str, path: str) -> Answer:
        """Return the answer of the third application, which forgets what it has kept first."""
        kept = self.galleries[2]
        assert kept.timeline is not None
        assert kept.changes is not None
        kept.timeline._kept.clear()
        kept.changes._recent._latest = None
        with patch.object(Cache, "get", return_value=None):
            return self.browsers[2, name].get(path)


def test_no_answer_is_older_than_a_commit_before_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "INTERVAL", 0.0)  # else the feed's may be, by a second
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Answers,
        settings=settings(
            max_examples=5,
            stateful_step_count=15,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # shrinking takes minutes, and the steps are short
            suppress_health_check=list(HealthCheck),
        ),
    )
