"""Host and origin checks, and the security headers of responses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imgcore.config import is_loopback
from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import add_done, add_failed
from web.app import create_app

FORMS = ["edit", "retry", "delete", "restore"]
VIEWS = Path(__file__).parents[2] / "web" / "views"
STATIC = VIEWS.with_name("static")


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:9", "[::1]:8000", "LOCALHOST"])
def test_names_of_this_machine_are_answered(client: Client, host: str) -> None:
    assert 200 == client.get("/", Host=host).status


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost:x",
        "",
        "user@localhost",
        "[::1",
    ],
)
def test_other_names_are_refused(client: Client, host: str) -> None:
    """A page of somebody else whose name was pointed here (DNS rebinding) learns nothing."""
    for path in ("/", "/api/v1/images", "/readyz"):
        answer = client.get(path, Host=host)
        assert 400 == answer.status
        assert "does not answer to this name" in answer.text


def test_further_names_can_be_allowed(gallery: Gallery) -> None:
    """Those of GALLERY_HOSTS."""
    client = Client(create_app(gallery, hosts=["photos.example", " ", ""]))
    assert 200 == client.get("/", Host="photos.example:8443").status
    assert 400 == client.get("/", Host="other.example").status


def test_the_load_balancer_asks_by_any_address(client: Client) -> None:
    """/healthz alone, which tells nothing."""
    assert 200 == client.get("/healthz", Host="10.0.3.7:5000").status


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    ],
)
def test_changes_asked_for_by_other_sites_are_refused(
    client: Client, gallery: Gallery, headers: dict[str, str]
) -> None:
    """403, in the API and at the forms, before anything is looked at."""
    image = add_done(gallery)
    path = f"/api/v1/images/{image.public_id}"
    form = f"/images/{image.public_id}/delete"
    assert 403 == client.request("DELETE", path, headers=headers).status
    assert 403 == client.post(form, {"token": client.get("/upload").token}, **headers).status
    assert "done" == gallery.get(image.public_id).status


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:8000"}, {"Sec-Fetch-Site": "none"}],
)
def test_changes_of_our_own_pages_and_of_programs_pass(
    client: Client, gallery: Gallery, headers: dict[str, str]
) -> None:
    """Programs send neither header."""
    path = f"/api/v1/images/{add_done(gallery).public_id}"
    assert 204 == client.request("DELETE", path, headers=headers).status


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("token", ["", "0" * 32, "x", "ü"])
def test_a_form_without_its_token_is_refused(client: Client, gallery: Gallery, form: str, token: str) -> None:
    """A browser without Origin and Fetch Metadata headers needs it too."""
    image = add_failed(gallery)
    client.get("/upload")
    answer = client.post(f"/images/{image.public_id}/{form}", {"token": token, "caption": "x"})
    assert 403 == answer.status
    assert "This form is out of date." in answer.text
    assert image == gallery.get(image.public_id)


def test_a_token_needs_its_cookie(client: Client) -> None:
    """One that somebody else was given is worth nothing."""
    token = client.get("/upload").token
    client.cookies.clear()
    assert 403 == client.post("/upload", {"token": token, "type": "image/jpeg"}).status


def test_a_browser_keeps_its_token(client: Client) -> None:
    """A form in another tab still works."""
    assert client.get("/upload").token == client.get("/upload").token


def test_a_cookie_that_is_not_ours_is_replaced(client: Client) -> None:
    """The token of the session is never written into a page."""
    client.cookies["gallery_form"] = "0" * 31 + "x"
    assert re.fullmatch("[0-9a-f]{32}", client.get("/upload").token)


@pytest.mark.parametrize("header", ["?=", "=", ";;", "[]", "a b=c", "\x00=1", "gallery_form"])
def test_a_header_that_is_no_list_of_cookies_counts_as_none(client: Client, header: str) -> None:
    """Python's parser raises for some of them."""
    assert 200 == client.request("GET", "/upload", headers={"Cookie": header}).status


def test_cookies_are_read_in_one_place() -> None:
    """Only read_cookie survives a header that does not parse."""
    sources = {path: path.read_text("utf-8") for path in VIEWS.parent.rglob("*.py")}
    pattern = r"get_cookie|request\.cookies|HTTP_COOKIE"
    assert {"cookies.py"} == {path.name for path, text in sources.items() if re.search(pattern, text)}


def test_the_cookie_is_for_this_site_alone(client: Client) -> None:
    """The cookie is HttpOnly and SameSite."""
    cookie = client.get("/upload").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


@pytest.mark.parametrize("path", ["/", "/upload", "/nowhere", "/api/v1/images", "/healthz", "/static/icon.svg"])
def test_every_answer_carries_the_same_headers(client: Client, path: str) -> None:
    """Pages, files, errors and JSON alike."""
    headers = client.get(path).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    bucket = "http://bucket.localhost:9"
    assert {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "manifest-src": "'self'",
        "img-src": f"'self' {bucket} data: blob:",
        "connect-src": f"'self' {bucket}",
        "form-action": f"'self' {bucket}",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "worker",
    } == policy
    assert ("nosniff", "DENY", "same-origin", "same-origin", "abc1234") == tuple(
        headers[name]
        for name in (
            "x-content-type-options",
            "x-frame-options",
            "referrer-policy",
            "cross-origin-opener-policy",
            "x-release",
        )
    )


@pytest.mark.parametrize("path", ["/\0", "/images/\n", "/images/a\rb", "/images/\x7f", "/\udcff"])
def test_an_address_that_no_browser_sends_is_refused(client: Client, path: str) -> None:
    """NUL, line ends and what is not UTF-8."""
    assert 400 == client.get(path).status


def test_redirects_lead_to_paths(client: Client, gallery: Gallery) -> None:
    """What the request calls us never gets into one."""
    image = add_done(gallery)
    answer = client.post(f"/images/{image.public_id}/delete", {"token": client.get("/upload").token})
    assert (303, f"/?deleted={image.public_id}") == (answer.status, answer.headers["location"])


@pytest.mark.parametrize(
    "body",
    [
        b"token=%FF",
        b"token=a&token=b",
        b"token=\xff",
        b"caption=%00",
        b"&".join(b"f%d=" % n for n in range(65)),
    ],
)
def test_a_form_that_no_browser_sends_is_refused(client: Client, gallery: Gallery, body: bytes) -> None:
    """400 instead of a guess."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert 400 == client.request("POST", f"/images/{add_done(gallery).public_id}/edit", body, kind).status


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_what_is_loopback(host: str, expected: bool) -> None:
    """Names other than localhost could mean anything."""
    assert expected is is_loopback(host)


def test_no_template_turns_escaping_off() -> None:
    """Only templates are put into others unescaped, and the QR code, which is drawn from numbers."""
    raw = {
        f"{path.name}: {found}"
        for path in VIEWS.glob("*.tpl")
        for found in re.findall(r"{{!.*?}}", path.read_text())
    }
    assert {
        "layout.tpl: {{!base}}",
        "visitor_layout.tpl: {{!base}}",
        "gallery.tpl: {{!card.html}}",
        "second_factor.tpl: {{!qr}}",
    } == raw


def test_no_template_holds_an_inline_script_style_or_handler() -> None:
    """The policy would stop them; nobody should find that out by a page that does not work."""
    pattern = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
    assert [] == [path.name for path in VIEWS.glob("*.tpl") if pattern.search(path.read_text())]


def test_no_script_makes_markup_out_of_text() -> None:
    """textContent only."""
    pattern = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|eval\(|new Function"
    )
    scripts = list(STATIC.rglob("*.js"))
    assert scripts
    assert [] == [path.name for path in scripts if pattern.search(path.read_text())]
