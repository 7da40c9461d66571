"""What the web process believes of the headers that proxies add: behind none, one, and two of them."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlencode

import pytest

from imgcore.accounts.security_log import SecurityEvent
from tests.web.peopling import PASSWORD, Site, site
from web.app import Application, create_app
from web.server import Server, listen

VISITOR, SPOOFED, EDGE = "203.0.113.7", "198.51.100.66", "10.20.16.9"
HOST = "d111111abcdef8.cloudfront.net"
BALANCER = {"trusted_proxy": "*"}  # as on AWS with a domain
CLOUDFRONT = BALANCER | {"proxies": 2, "proto_header": "CloudFront-Forwarded-Proto"}
Headers = dict[str, str]


class Echo:
    """An application that answers with the address and the scheme that it is given."""

    health = SimpleNamespace(draining=False)
    has_accounts = False

    def __init__(self) -> None:
        self.security_headers: Headers = {}

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        found = [environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]]
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(found).encode()]


@contextmanager
def serving(app: Any = None, **settings: Any) -> Iterator[int]:
    """Serve an application, Echo by default, with these settings of the server; yield the port."""
    listener = listen("127.0.0.1", 0)
    server = Server(cast(Application, app or Echo()), listener, **settings)
    thread = threading.Thread(target=server.run, kwargs={"drain": 0.0})
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.stop(drain=0.0)
        server.stop(drain=0.0)
        thread.join(20)


def seen(port: int, headers: Headers) -> Any:
    """Return what a request with these headers looks like to the application; its status if it is refused."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/", headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return json.loads(body) if answer.status == 200 else answer.status


def by_balancer(peer: str, sent: Headers, scheme: str = "http") -> Headers:
    """Return the headers that an Application Load Balancer sends on: it sets the scheme, appends the peer."""
    known = sent.get("X-Forwarded-For")
    return sent | {"X-Forwarded-For": f"{known}, {peer}" if known else peer, "X-Forwarded-Proto": scheme}


def by_cloudfront(peer: str, sent: Headers, scheme: str = "https") -> Headers:
    """Return what CloudFront sends on: it appends the visitor, and replaces its own headers and the scheme."""
    known = sent.get("X-Forwarded-For")
    kept = {name: value for name, value in sent.items() if not name.startswith("CloudFront-")}
    added = {"X-Forwarded-For": f"{known}, {peer}" if known else peer, "X-Forwarded-Proto": scheme}
    return kept | added | {"CloudFront-Forwarded-Proto": scheme}


LIES: list[Headers] = [
    {},
    {"X-Forwarded-For": SPOOFED},
    {"X-Forwarded-For": f"{SPOOFED}, {SPOOFED}, {SPOOFED}"},
    {"X-Forwarded-For": f"{VISITOR}, {SPOOFED}"},
    {"X-Forwarded-For": ", ,"},
    {"X-Forwarded-For": "unknown"},
    {"X-Forwarded-Proto": "http"},
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Port": "81"},
    {"Forwarded": f"for={SPOOFED};proto=http"},
    {"CloudFront-Forwarded-Proto": "http"},
]


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_address_and_scheme_behind_cloudfront_are_those_of_the_visitor(lie: Headers) -> None:
    with serving(**CLOUDFRONT) as port:
        assert [VISITOR, "https"] == seen(port, by_balancer(EDGE, by_cloudfront(VISITOR, lie)))


@pytest.mark.parametrize("lie", [lie for lie in LIES if "X-Forwarded-Proto" not in lie], ids=str)
def test_address_and_scheme_behind_the_load_balancer_are_those_of_the_visitor(lie: Headers) -> None:
    with serving(**BALANCER) as port:
        assert [VISITOR, "https"] == seen(port, by_balancer(VISITOR, lie, "https"))


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("::ffff:203.0.113.7", VISITOR),
        ("[::ffff:203.0.113.7]:443", VISITOR),
        ("203.0.113.7:50123", VISITOR),
        ('"203.0.113.7"', VISITOR),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("_hidden", "unknown"),
        ("203.0.113.7:443:1", "unknown"),
        ("[2001:db8::1", "2001:db8::1"),
        ("", "unknown"),
    ],
)
def test_address_that_a_proxy_writes_in_any_form_is_that_of_the_visitor(written: str, address: str) -> None:
    with serving(**BALANCER) as port:
        assert address == seen(port, {"X-Forwarded-For": f"{SPOOFED}, {written}"})[0]


@pytest.mark.parametrize("claim", ["https", "http"])
def test_header_of_cloudfront_without_cloudfront_is_not_believed(claim: str) -> None:
    """A load balancer that is the only proxy passes on what a visitor invents."""
    with serving(**BALANCER) as port:
        sent = {"CloudFront-Forwarded-Proto": claim}
        assert [VISITOR, "http"] == seen(port, by_balancer(VISITOR, sent))


def test_request_that_did_not_come_through_cloudfront_is_plain_http() -> None:
    """Only CloudFront's header says HTTPS; the load balancer's security group keeps others away."""
    with serving(**CLOUDFRONT) as port:
        assert [EDGE, "http"] == seen(port, by_balancer(EDGE, {}))
        assert [EDGE, "http"] == seen(port, by_balancer(EDGE, {"X-Forwarded-Proto": "https"}))


def test_scheme_that_is_stated_twice_is_refused() -> None:
    with serving(**CLOUDFRONT) as port:
        assert 400 == seen(port, {"X-Forwarded-For": VISITOR, "CloudFront-Forwarded-Proto": "https, http"})


@pytest.mark.parametrize("settings", [{}, CLOUDFRONT | {"trusted_proxy": "192.0.2.1"}], ids=str)
def test_headers_of_an_untrusted_client_are_ignored(settings: dict[str, Any]) -> None:
    with serving(**settings) as port:
        assert ["127.0.0.1", "http"] == seen(port, by_balancer(EDGE, by_cloudfront(SPOOFED, {})))


def test_visitor_of_cloudfront_signs_in_with_a_secure_cookie_and_own_address(tmp_path: Path) -> None:
    """An IPv6 address too: CloudFront accepts both. Every answer asks the browser to stay with HTTPS."""
    home = site(tmp_path)
    try:
        with serving(create_app(home.gallery, hosts=[HOST], accounts=home.accounts), **CLOUDFRONT) as port:
            for visitor in (VISITOR, "2001:db8:1:2::7"):
                answer = signed_in(port, partial(by_both, visitor))
                assert (303, "/") == (answer.status, answer.getheader("Location"))
                assert "; Secure" in (answer.getheader("Set-Cookie") or "")
                assert answer.getheader("Strict-Transport-Security")
                assert visitor == addresses(home)[0]
    finally:
        home.database.close()


def test_without_the_header_of_cloudfront_nobody_signs_in(tmp_path: Path) -> None:
    home = site(tmp_path)
    try:
        with serving(create_app(home.gallery, hosts=[HOST], accounts=home.accounts), **CLOUDFRONT) as port:
            answer = signed_in(port, lambda sent: by_balancer(EDGE, sent | {"X-Forwarded-Proto": "https"}))
            assert 403 == answer.status
    finally:
        home.database.close()


def by_both(visitor: str, sent: Headers) -> Headers:
    """Return what arrives of a request of a visitor who lies about address and scheme."""
    lie = {"X-Forwarded-For": SPOOFED, "X-Forwarded-Proto": "http"}
    return by_balancer(EDGE, by_cloudfront(visitor, lie | sent))


def signed_in(port: int, through: Callable[[Headers], Headers]) -> http.client.HTTPResponse:
    """Fill in the sign-in form as a browser whose requests go through these proxies; return the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/login", headers=through({"Host": HOST}))
    page = connection.getresponse()
    cookie = (page.getheader("Set-Cookie") or "").partition(";")[0]
    token = re.search(r'name="token" value="([0-9a-f]+)"', page.read().decode())
    fields = {"token": token[1] if token else "", "name": "owner", "password": PASSWORD}
    sent = {
        "Host": HOST,
        "Origin": f"https://{HOST}",
        "Cookie": cookie,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    connection.request("POST", "/login", urlencode(fields), through(sent))
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def addresses(home: Site) -> list[str]:
    """Return the addresses of sign-ins in the security log, the newest first."""
    return [row.address for row in home.accounts.log.page() if row.event == SecurityEvent.SIGNED_IN]
