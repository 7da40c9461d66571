"""What the load balancer and a deploy ask."""

from __future__ import annotations

from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import AWAY
from web.app import create_app


def test_alive_touches_nothing(client: Client, gallery: Gallery) -> None:
    """A database that is away is no reason to stop the process."""
    gallery.images.database.fault = AWAY
    gallery.storage.away = True
    assert (200, "ok\n") == ((answer := client.get("/healthz")).status, answer.text)


def test_ready_names_what_is_not(client: Client, gallery: Gallery) -> None:
    """200 with nulls, or 503 with sentences."""
    answer = client.get("/readyz")
    assert (200, {"ready": True, "checks": {"database": None, "storage": None}}) == (answer.status, answer.json)
    gallery.images.database.fault = AWAY
    answer = client.get("/readyz")
    assert (503, False) == (answer.status, answer.json["ready"])
    assert "The database cannot be reached just now." == answer.json["checks"]["database"]


def test_a_process_that_stops_is_taken_out(gallery: Gallery) -> None:
    """Both say so, before the listener closes."""
    app = create_app(gallery)
    app.health.draining = True
    client = Client(app)
    assert (503, 503) == (client.get("/healthz").status, client.get("/readyz").status)
    assert "This process is stopping." == client.get("/readyz").json["checks"]["process"]
