"""Everything that goes wrong, as those who asked see it."""

from __future__ import annotations

import logging

import pytest

from imgcore.errors import Busy, Conflict, ImgcoreError, Invalid, Misconfigured, NotFound, Unavailable
from imgcore.gallery.service import Gallery
from tests.web.client import Client
from web.app import create_app
from web.handlers.api import Api
from web.http.headers import RequestChecks, security_headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/", 404),
        ("PUT", "/api/v1/images", 405),
        ("GET", "/api/v1/uploads", 405),
        ("POST", "/api/v1/uploads", 415),
    ],
)
def test_every_problem_of_the_api_is_problem_json(client: Client, method: str, path: str, status: int) -> None:
    """The body has the members of RFC 9457, a code and an id."""
    answer = client.request(method, path)
    assert (status, "application/problem+json") == (answer.status, answer.headers["content-type"])
    assert {"type", "title", "status", "detail", "code", "request_id"} == set(answer.json)
    assert status == answer.json["status"]


def test_405_says_what_is_allowed(client: Client) -> None:
    """RFC 9110, 10.2.1."""
    assert "GET" == client.request("PUT", "/api/v1/images").headers["allow"]
    assert "DELETE,GET,PATCH" == client.request("PUT", f"/api/v1/images/{'0' * 32}").headers["allow"]


def test_a_body_above_the_limit_is_refused_unread(client: Client) -> None:
    """413 by its Content-Length; photos go to the bucket."""
    answer = client.request("POST", "/api/v1/uploads", b"x", {"Content-Length": str(64 * 1024 + 1)})
    assert (413, "body_too_large") == (answer.status, answer.json["code"])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 409),
        ({"Content-Length": str(64 * 1024 + 1)}, 413),
        ({"Origin": "null"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
    ids=str,
)
def test_shared_photos_that_reach_the_server_are_refused_with_a_page(
    client: Client, headers: dict[str, str], status: int
) -> None:
    """The page has the same sentence, whichever check refuses the request."""
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = client.request("POST", "/share-target", b"--x--", form | headers)
    assert (status, "text/html; charset=utf-8") == (answer.status, answer.headers["content-type"])
    assert "The shared photos were not stored. Open the gallery once" in answer.text


@pytest.mark.parametrize("length", ["x", "-1", "1.0", "²", "1, 1"])
def test_a_length_that_is_no_number_is_refused(client: Client, length: str) -> None:
    """400, never a traceback."""
    assert 400 == client.request("POST", "/api/v1/uploads", b"", {"Content-Length": length}).status


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("Gone."), 404),
        (Conflict("Not now."), 409),
        (Invalid("Not so."), 422),
        (Unavailable("The database is away."), 503),
        (Misconfigured("DB_CA is not set."), 503),
        (ImgcoreError("Something else."), 500),
    ],
)
def test_the_packages_own_errors_have_their_status_and_sentence(
    client: Client, gallery: Gallery, error: ImgcoreError, status: int
) -> None:
    """JSON and pages contain the same sentence."""
    gallery.images.database.fault = error
    answer, page = client.get("/api/v1/images"), client.get("/")
    assert (status, error.message, error.code) == (answer.status, answer.json["detail"], answer.json["code"])
    assert status == page.status
    assert f"<h1>{error.message}</h1>" in page.text


@pytest.mark.parametrize(("given", "said"), [(None, "5"), (0.2, "1"), (40.1, "41")])
def test_what_is_away_says_when_to_come_back(
    client: Client, gallery: Gallery, given: float | None, said: str
) -> None:
    """Retry-After in whole seconds, and the page's script tries again then; its link does without a script."""
    gallery.images.database.fault = Unavailable("The database is away.", retry_after=given)
    answer, page = client.get("/api/v1/images"), client.get("/")
    assert (said, int(said)) == (answer.headers["retry-after"], answer.json["retry_after"])
    assert (
        f'<p id="again" data-seconds="{said}"><a class="button primary" href="">Try again</a></p>' in page.text
    )
    assert "/js/problem.js" in page.text


def test_no_refusal_for_others_counts_as_a_failure_of_the_release(client: Client, gallery: Gallery) -> None:
    """The alarm that rolls a release back counts 5xx, and a visitor can make a gallery busy."""
    gallery.images.database.fault = Busy("Too many searches.", retry_after=2)
    answer, page = client.get("/api/v1/images"), client.get("/")
    assert (429, "busy", "2") == (answer.status, answer.json["code"], answer.headers["retry-after"])
    assert (429, "2", True) == (page.status, page.headers["retry-after"], "/js/problem.js" in page.text)


def test_a_form_that_could_not_be_taken_is_not_sent_again_by_itself(client: Client, gallery: Gallery) -> None:
    """The page that answers a POST does not try again."""
    token = client.get("/upload").token
    gallery.images.database.fault = Unavailable("The database is away.")
    page = client.post("/upload", {"token": token, "type": "image/jpeg"})
    assert (503, False) == (page.status, "/js/problem.js" in page.text)


def test_what_nobody_foresaw_is_an_id_and_nothing_else(
    client: Client, gallery: Gallery, caplog: pytest.LogCaptureFixture
) -> None:
    """The stack goes to the log, under the id that the answer names."""
    gallery.images.database.fault = RuntimeError("password=made-up")
    with caplog.at_level(logging.ERROR, "gallery.web"):
        answer, page = client.get("/api/v1/images"), client.get("/")
    assert (500, "internal") == (answer.status, answer.json["code"])
    assert "made-up" not in answer.text + page.text
    assert "Traceback" not in answer.text + page.text
    assert answer.json["request_id"] in caplog.text
    assert "password=made-up" in caplog.text


@pytest.mark.parametrize("path", ["/upload", "/api/v1/uploads", "/nowhere"])
def test_origin_that_is_no_url_is_refused_quietly(
    client: Client, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """urlsplit() raises ValueError on it, in a hook."""
    answer = client.request("POST", path, headers={"Origin": "http://["})
    assert (403, "") == (answer.status, caplog.text)


def test_content_length_of_5000_digits_is_too_large(client: Client) -> None:
    """int() raises ValueError beyond 4,300 digits, in a hook."""
    answer = client.request("POST", "/api/v1/uploads", b"", {"Content-Length": "9" * 5000})
    assert (413, "body_too_large") == (answer.status, answer.json["code"])


@pytest.mark.parametrize("path", ["/", "/api/v1/images", "/readyz", "/nowhere"])
def test_exception_in_a_hook_is_an_id_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, gallery: Gallery, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """The response has all security headers; the stack trace goes to the log only."""
    monkeypatch.setattr(RequestChecks, "check", lambda self: {}["password=made-up"])
    client = Client(create_app(gallery))
    answer = client.get(path)
    assert (500, "no-store") == (answer.status, answer.headers["cache-control"])
    assert {name.lower() for name in security_headers([], "")} <= answer.headers.keys()
    assert "made-up" not in answer.text
    assert "password=made-up" in caplog.text
    assert (500, b"") == ((head := client.request("HEAD", path)).status, head.body)


def test_an_answer_that_cannot_be_sent_is_no_traceback_either(
    monkeypatch: pytest.MonkeyPatch, gallery: Gallery
) -> None:
    """A handler may return something that cannot be sent."""
    monkeypatch.setattr(Api, "images", lambda self: object())
    answer = Client(create_app(gallery)).get("/api/v1/images")
    assert 500 == answer.status
    assert "object" not in answer.text


@pytest.mark.parametrize(
    "path", ["/nowhere", "/images/", "/images/x/y", "/static/../app.py", "/static/nothing.css"]
)
def test_an_address_where_nothing_is(client: Client, path: str) -> None:
    """A page with one sentence and the way home; what was asked for is not repeated."""
    answer = client.get(path)
    assert 404 == answer.status
    assert "There is nothing at this address." in answer.text
    assert path not in answer.text
    assert 'href="/"' in answer.text


def test_head_answers_as_get_without_a_body(client: Client) -> None:
    """Pages and API behave alike."""
    for path in ("/", "/api/v1/images", "/healthz"):
        answer = client.request("HEAD", path)
        assert (200, b"") == (answer.status, answer.body)
