"""Which responses are compressed, and which never are."""

from __future__ import annotations

import gzip

import pytest

from imgcore.gallery.service import Gallery
from tests.web.client import Client
from web.http.compression import PADDING_BITS

MANY = 40


@pytest.fixture
def full(client: Client, gallery: Gallery) -> Client:
    """A gallery with a page of photos."""
    for number in range(MANY):
        gallery.request_upload(f"{number}.jpg", 1234, "image/jpeg")
    return client


@pytest.mark.parametrize("path", ["/", "/api/v1/images", "/api/v1/openapi.yaml"])
def test_a_page_or_a_list_is_the_same_in_fewer_bytes(full: Client, path: str) -> None:
    """The response carries Vary: Accept-Encoding."""
    plain, packed = full.get(path), full.get(path, accept_encoding="br, gzip;q=0.8")
    assert (None, "gzip") == tuple(each.headers.get("content-encoding") for each in (plain, packed))
    assert ["Accept-Encoding"] * 2 == [each.headers["vary"] for each in (plain, packed)]
    assert plain.body == gzip.decompress(packed.body)
    assert len(packed.body) < len(plain.body) / 3
    assert int(packed.headers["content-length"]) == len(packed.body)


@pytest.mark.parametrize(
    "accepted", ["", "br", "gzip;q=0", "identity, gzip; q=0.0", "*;q=0", "*, gzip;q=0", "gzip;q=0, *"]
)
def test_who_does_not_take_it_gets_it_as_it_is(full: Client, accepted: str) -> None:
    """A weight of 0 refuses gzip too."""
    for path in ("/", "/static/js/gallery.js"):
        assert "content-encoding" not in full.get(path, accept_encoding=accepted).headers


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/images", "/static/js/gallery.js"])
def test_what_is_small_or_packed_already_is_left_alone(client: Client, path: str) -> None:
    """A word, an empty list, a file that is kept packed."""
    plain, asked = client.get(path), client.get(path, accept_encoding="gzip")
    twice = path.startswith("/static")
    assert plain.body == (gzip.decompress(asked.body) if twice else asked.body)


def test_what_has_not_changed_is_not_sent_again(full: Client) -> None:
    """The packed answer has a weak tag, which is known again."""
    first = full.get("/api/v1/images", accept_encoding="gzip")
    assert first.headers["etag"].startswith('W/"')
    again = full.get("/api/v1/images", accept_encoding="gzip", if_none_match=first.headers["etag"])
    assert (304, b"") == (again.status, again.body)


@pytest.mark.parametrize("accepted", ["*;q=0, gzip", "*"])
def test_who_takes_it_gets_it_packed(full: Client, accepted: str) -> None:
    assert "gzip" == full.get("/about", accept_encoding=accepted).headers["content-encoding"]


@pytest.mark.parametrize("path", ["/", "/about", "/api/v1/images", "/healthz"])
@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_a_head_has_the_headers_of_a_get_and_no_body(full: Client, path: str, accepted: str) -> None:
    """The length is left out where the response of a GET is packed as it is sent; that has a padding."""
    asked, got = (
        full.request(method, path, headers={"Accept-Encoding": accepted}) for method in ("HEAD", "GET")
    )
    assert (200, b"") == (asked.status, asked.body)
    for name in ("vary", "content-encoding", "content-type"):
        assert asked.headers.get(name) == got.headers.get(name)
    length, sent = asked.headers.get("content-length"), int(got.headers["content-length"])
    assert (accepted == "gzip" and length is None) or abs(int(length) - sent) < 2**PADDING_BITS
    assert accepted == "gzip" or int(length) == sent


def test_the_size_tells_nothing_exactly(full: Client) -> None:
    """The same page, again and again, in different sizes."""
    sizes = {len(full.get("/", accept_encoding="gzip").body) for _ in range(12)}
    assert len(sizes) > 1
