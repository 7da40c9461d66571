"""What is kept has all that it shows in its key: one visitor's request leaves no trace in another's answer."""

from __future__ import annotations

import copy
import gzip
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import pytest

from imgcore.accounts.models import Visibility
from imgcore.db.pages import encode_cursor
from imgcore.gallery.languages import parse
from imgcore.gallery.models import Limits
from imgcore.gallery.service import Gallery
from tests.web.client import Answer, Client
from tests.web.fakes import add_done, add_failed
from tests.web.peopling import HOME, Site
from web.app import create_app
from web.http.assets import static_files
from web.http.filters import FILTERS
from web.http.page_cache import Cache

MARK = "private-mark"  # in what one visitor sends
TOKEN = "0123456789abcdef" * 2
MONTH = "2026-11"
FILTER_VALUES = {
    "month": MONTH, "tag": "cat", "camera": "Contoso", "status": "failed", "source": "local", "type": "jpeg",
    "orientation": "landscape", "taken_from": "2026", "taken_to": "2027", "uploaded_from": "2026",
    "uploaded_to": "2027", "owner": "owner", "album": "a" * 32, "similar": "b" * 32,
}  # fmt: skip
PATHS = (
    "/",
    f"/?cursor={encode_cursor(2)}",
    "/?q=cat",
    f"/?q=cat&cursor={encode_cursor(2)}",
    "/?sort=uploaded",
    "/?sort=taken",
    f"/?deleted={'c' * 32}",
    "/?month=no-month",
    *(f"/?{name}={FILTER_VALUES[name]}" for name in FILTERS),
    "/api/v1/images",
    "/api/v1/images?limit=1",
    "/api/v1/images?q=cat",
    f"/api/v1/timeline/{MONTH}",
    f"/api/v1/timeline/{MONTH}?sort=uploaded",
    f"/api/v1/timeline/{MONTH}?limit=1&q=cat",
)
# Methods, what follows the path, and headers
VISITS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("GET", "", {}),
    ("GET", f"x={MARK}", {}),
    ("GET", f"{MARK}=", {}),
    ("HEAD", "", {}),
    ("GET", "", {"Accept-Language": "de"}),
    ("GET", "", {"Cookie": "gallery_language=de; gallery_density=large"}),
    ("GET", "", {"Cookie": f"gallery_language={MARK}"}),
    ("GET", "", {"Host": "127.0.0.1:9", "Origin": "http://127.0.0.1:9"}),
    ("GET", "", {"User-Agent": MARK, "Referer": f"http://{MARK}.example/", "Accept": "image/*"}),
    (
        "GET",
        "",
        {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Host": f"{MARK}.example", "X-Forwarded-Proto": "https"},
    ),
    ("GET", "", {"Forwarded": f"host={MARK}.example", "X-Forwarded-Prefix": f"/{MARK}", "Via": MARK}),
    ("GET", "", {"Accept-Encoding": "gzip"}),
)
PEOPLE = (None, "owner", "other", "boss")


@pytest.fixture
def two_languages(home: Site) -> Site:
    """Photos of somebody and of nobody, in a gallery whose menu has links for its languages."""
    home.gallery = replace(home.gallery, languages=parse("en,de"))
    home.upload("owner", "mine.jpg")
    for name in ("a cat.jpg", "another cat.jpg"):
        add_done(home.gallery, name)
    add_failed(home.gallery)
    return home


@contextmanager
def caches_made() -> Iterator[list[Cache[Any]]]:
    """The caches of applications that are made meanwhile."""
    made: list[Cache[Any]] = []
    prepare = Cache.__init__

    def keep(self: Cache[Any], limit: int) -> None:
        made.append(self)
        prepare(self, limit)

    with patch.object(Cache, "__init__", keep):
        yield made


def with_query(path: str, more: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{more}" if more else path


def body(answer: Answer) -> bytes:
    return gzip.decompress(answer.body) if "content-encoding" in answer.headers else answer.body


def test_what_is_kept_is_what_an_application_answers_that_keeps_nothing(two_languages: Site) -> None:
    """A new kind of answer that is kept must be among PATHS; equal ETags name equal answers."""
    site = two_languages
    assert set(FILTERS) == set(FILTER_VALUES)
    with caches_made() as caches:
        keeping = site.app(Visibility.PUBLIC)
    fresh = site.app(Visibility.PUBLIC)
    sessions = {name: site.accounts.start_session(site.people[name], HOME) for name in PEOPLE if name}
    shown: dict[str, bytes] = {}

    def ask(
        app: Callable[..., Any], name: str | None, visit: tuple[str, str, dict[str, str]], path: str
    ) -> Answer:
        method, more, headers = visit
        cookies = [headers.get("Cookie", "other=1"), f"gallery_form={TOKEN}", f"__Host-gallery_form={TOKEN}"]
        cookies += [f"{each}={sessions[name]}" for each in ("gallery_session", "__Host-gallery") if name]
        client = Client(app)
        client.scheme = headers.get("X-Forwarded-Proto", "http")  # as the server takes it from its proxy
        return client.request(method, with_query(path, more), headers=headers | {"Cookie": "; ".join(cookies)})

    visits = [(name, visit) for name in PEOPLE for visit in VISITS]
    chance = random.Random(3)
    for path in PATHS:
        for name, visit in chance.sample(visits, len(visits) // 2) + [(name, VISITS[0]) for name in PEOPLE]:
            found = ask(keeping, name, visit, path)
            with patch.object(Cache, "get", return_value=None):
                expected = ask(fresh, name, visit, path)
            assert (200, 200) == (found.status, expected.status), (path, name, visit)
            assert body(expected) == body(found), (path, name, visit)
            assert MARK.encode() not in body(found), (path, name, visit)
            if visit[0] == "GET":
                assert body(found) == shown.setdefault(found.headers["etag"], body(found)), (path, name, visit)

    assert all(cache.size for cache in caches)


def test_what_the_gallery_does_not_know_makes_no_new_entry(
    two_languages: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(create_app(two_languages.gallery))
    known = [client.get(path).headers["etag"] for path in PATHS]
    monkeypatch.setattr(Cache, "put", None)  # a call would raise

    for more in ("x=1", "utm_source=x", "language=de", "_=2026"):
        found = [client.get(with_query(path, more)) for path in PATHS]
        assert known == [answer.headers["etag"] for answer in found]
    for path in ("/?sort=dice", "/?sort=taken", "/?deleted=no-id", "/?q=+", "/?cursor=&q=&tag="):
        assert known[0] == client.get(path).headers["etag"]


@pytest.mark.parametrize(
    ("path", "here"),
    [
        ("/?x=private", "/"),
        ("/?sort=uploaded&q=red%20cat&x=private", "/?q=red+cat&sort=uploaded"),
        ("/?month=no%26month", "/?month=no%26month"),
        (f"/?deleted={'c' * 32}&tag=cat", f"/?tag=cat&deleted={'c' * 32}"),
    ],
)
def test_the_choice_of_a_language_returns_to_the_same_list(two_languages: Site, path: str, here: str) -> None:
    client = Client(create_app(two_languages.gallery))
    client.request("HEAD", path)  # which must not decide the address either

    assert f'href="/language/de?next={quote(here, safe="")}"' in client.get(path).text


def test_a_page_of_another_release_or_of_other_settings_is_another(two_languages: Site) -> None:
    """A browser that asks again after an update gets the new page, whose scripts the new process has."""
    gallery = two_languages.gallery
    other = copy.copy(static_files())
    other.version = "0123456789ab"
    changes: list[Callable[[], tuple[Gallery, Any]]] = [
        lambda: (gallery, patch("web.app.static_files", return_value=other)),
        lambda: (gallery, patch("web.http.templates._sources", return_value=b"")),
        lambda: (replace(gallery, release="another"), nullcontext()),
        lambda: (replace(gallery, languages=parse("en,de,fr")), nullcontext()),
        lambda: (replace(gallery, limits=Limits(5, gallery.limits.media_types)), nullcontext()),
    ]
    first = Client(create_app(gallery))
    first.cookies["gallery_form"] = TOKEN
    for path in ("/", f"/api/v1/timeline/{MONTH}"):
        known = first.get(path).headers["etag"]
        assert 304 == first.get(path, if_none_match=known).status
        for change in changes if path == "/" else changes[2:4]:
            changed, during = change()
            with during:
                second = Client(create_app(changed))
            second.cookies["gallery_form"] = TOKEN
            assert 200 == second.get(path, if_none_match=known).status
