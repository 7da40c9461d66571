"""What the load balancer and a deploy ask."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from imgcore.accounts.service import Accounts
from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import AWAY, add_done, add_image
from tests.web.peopling import Browser, empty_site
from web.app import Application, create_app
from web.handlers.health import READY_SECONDS, _Check


def test_alive_touches_nothing(client: Client, gallery: Gallery) -> None:
    """A database that is away is no reason to stop the process."""
    gallery.images.database.fault = AWAY
    gallery.storage.away = True
    assert (200, "ok\n") == ((answer := client.get("/healthz")).status, answer.text)


def test_alive_without_bottle_has_the_headers_of_any_answer(client: Client) -> None:
    """Bottle answers a request with a body."""
    direct, routed = client.get("/healthz"), client.request("GET", "/healthz", b"x")
    assert (direct.status, direct.headers, direct.text) == (routed.status, routed.headers, routed.text)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_check_looks_for_no_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """A cookie of a session changes nothing, nor does a body, which Bottle reads."""
    home = empty_site(tmp_path)
    monkeypatch.setattr(Accounts, "authenticate_session", lambda accounts, token: 1 / 0)
    browser = Browser(home.app())
    browser.cookies["gallery_session"] = "A" * 43
    assert 200 == browser.request("GET", path, b"x").status
    home.database.close()


@pytest.fixture
def clock() -> list[float]:
    """The seconds that the health checks see."""
    return [0.0]


@pytest.fixture
def app(gallery: Gallery, clock: list[float]) -> Application:
    """The gallery whose health checks have that clock."""
    app = create_app(gallery)
    app.health._clock = lambda: clock[0]
    return app


@pytest.fixture
def checked(app: Application) -> Client:
    """A client of that gallery."""
    return Client(app)


def test_ready_names_what_is_not(checked: Client, gallery: Gallery, clock: list[float]) -> None:
    """200 with nulls, or 503 with sentences."""
    answer = checked.get("/readyz")
    expected = {"ready": True, "checks": {"database": None, "storage": None}, "missing_photos": 0}
    assert (200, expected) == (answer.status, answer.json)
    gallery.images.database.fault = AWAY
    clock[0] = READY_SECONDS
    answer = checked.get("/readyz")
    assert (503, False, None) == (answer.status, answer.json["ready"], answer.json["missing_photos"])
    assert "The database cannot be reached just now." == answer.json["checks"]["database"]


def test_ready_floods_cost_one_check_in_five_seconds(
    checked: Client, gallery: Gallery, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    pings: list[float] = []
    monkeypatch.setattr(gallery.storage, "ping", lambda: pings.append(clock[0]))

    for tenth in range(100):
        clock[0] = tenth / 10
        checked.get("/readyz")

    assert [0.0, READY_SECONDS] == pings


def test_ready_while_a_check_hangs_others_get_the_last_result(
    checked: Client, gallery: Gallery, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread alone waits for a database or a bucket that does not answer."""
    checked.get("/readyz")
    clock[0] = READY_SECONDS
    hangs, go_on = threading.Event(), threading.Event()

    def ping() -> None:
        hangs.set()
        go_on.wait(30)

    monkeypatch.setattr(gallery.storage, "ping", ping)
    waiting = threading.Thread(target=checked.get, args=("/readyz",))
    waiting.start()
    try:
        assert hangs.wait(30)
        assert 200 == checked.get("/readyz").status
    finally:
        go_on.set()
        waiting.join()


def test_ready_says_after_a_while_that_a_check_hangs(
    app: Application,
    checked: Client,
    gallery: Gallery,
    clock: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No request waits for the minutes that it takes to fail, and no other check is begun meanwhile."""
    begun, go_on, wait = [], threading.Event(), _Check.result
    hanging = app.health._checks["storage"]

    def overtaken(check: _Check, timeout: float) -> Any:
        """The result, but of the check that hangs: what is waited for it has passed."""
        return wait(check, timeout if check is not hanging or go_on.is_set() else 0.0)

    def ping() -> None:
        begun.append(threading.current_thread())
        go_on.wait(30)

    monkeypatch.setattr("web.handlers.health.CHECK_SECONDS", 30)
    monkeypatch.setattr(_Check, "result", overtaken)
    monkeypatch.setattr(gallery.storage, "ping", ping)
    overdue = "The storage has not answered within 5 seconds."
    try:
        for away in (False, False, True):
            gallery.images.database.fault = AWAY if away else None
            answer = checked.get("/readyz")
            database = "The database cannot be reached just now." if away else None
            expected = {"database": database, "storage": overdue}, None if away else 0
            assert (503, *expected) == (answer.status, answer.json["checks"], answer.json["missing_photos"])
            clock[0] += READY_SECONDS
        assert 1 == len(begun)
        gallery.images.database.fault = None
    finally:
        go_on.set()
        begun[0].join(30)
    assert 200 == checked.get("/readyz").status, "a check that has ended late counts too"
    assert 1 == len(begun)
    clock[0] += READY_SECONDS
    assert 200 == checked.get("/readyz").status
    assert 2 == len(begun)


def test_ready_checks_again_after_the_system_had_no_thread_left(
    checked: Client, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full:
        full.setattr("web.handlers.health.threading.Thread.start", start)
        assert 500 == checked.get("/readyz").status
    clock[0] += READY_SECONDS
    assert 200 == checked.get("/readyz").status


def test_ready_answers_500_where_a_check_has_a_bug(
    checked: Client, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery.storage, "ping", lambda: 1 / 0)
    assert 500 == checked.get("/readyz").status


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ("image_key", "The newest photo is missing in the uploads bucket."),
        ("thumbnail_key", "The newest thumbnails are missing in the derived bucket."),
        ("display_key", "The newest thumbnails are missing in the derived bucket."),
    ],
)
def test_ready_reports_a_newest_photo_that_has_vanished(
    checked: Client, gallery: Gallery, which: str, message: str
) -> None:
    """A reset of the object store leaves buckets that answer and are empty."""
    add_done(gallery, "older.jpg")
    newest = add_done(gallery, "newer.jpg")
    add_image(gallery, "not uploaded yet.jpg")
    gallery.storage.vanished = {getattr(newest, which)}

    answer = checked.get("/readyz")

    assert (503, message) == (answer.status, answer.json["checks"]["storage"])


def test_a_process_that_stops_is_taken_out(gallery: Gallery) -> None:
    """Both say so, before the listener closes."""
    app = create_app(gallery)
    app.health.draining = True
    client = Client(app)
    assert (503, 503) == (client.get("/healthz").status, client.get("/readyz").status)
    assert "This process is stopping." == client.get("/readyz").json["checks"]["process"]
