"""What the load balancer and a deploy ask."""

from __future__ import annotations

import threading

import pytest

from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import AWAY, add_done, add_image
from web.app import create_app
from web.handlers.health import READY_SECONDS


def test_alive_touches_nothing(client: Client, gallery: Gallery) -> None:
    """A database that is away is no reason to stop the process."""
    gallery.images.database.fault = AWAY
    gallery.storage.away = True
    assert (200, "ok\n") == ((answer := client.get("/healthz")).status, answer.text)


def test_alive_without_bottle_has_the_headers_of_any_answer(client: Client) -> None:
    """Bottle answers a request with a body."""
    direct, routed = client.get("/healthz"), client.request("GET", "/healthz", b"x")
    assert (direct.status, direct.headers, direct.text) == (routed.status, routed.headers, routed.text)


@pytest.fixture
def clock() -> list[float]:
    """The seconds that the health checks see."""
    return [0.0]


@pytest.fixture
def checked(gallery: Gallery, clock: list[float]) -> Client:
    """A client of the gallery whose health checks have that clock."""
    app = create_app(gallery)
    app.health._clock = lambda: clock[0]
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
