"""Who asks, and whether they may. Every route says what it needs; one that says nothing is an administrator's.

In open mode everybody may do everything, because nobody but this machine can ask.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from bottle import HTTPResponse, Route, request

from imgcore.accounts.models import OPEN, Caller, Scope, Visibility
from web.http.cookies import SESSION, session_token
from web.http.errors import Refused
from web.http.rate_limit import Rates
from web.http.security import SAFE_METHODS, says_same_site

if TYPE_CHECKING:
    from imgcore.accounts.service import Accounts, Visit
    from imgcore.gallery.service import Gallery

PREFIX = "/api/v1"
_CALLER, _VISIBILITY, _RATE = "gallery.caller", "gallery.visibility", "gallery.rate"

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Need:
    """What a route asks for: a scope, any account at all, or a person at a browser; nothing by default."""

    scope: Scope | None = None
    account: bool = False
    browser: bool = False
    asks: bool = True  # False: who it is plays no part, and the database is left alone


# Routes whose handlers know nothing of accounts
_FREE = {"/healthz": Need(asks=False), "/readyz": Need(asks=False)}


def needs(
    scope: Scope | None = None, *, account: bool = False, browser: bool = False, asks: bool = True
) -> Callable[[Handler], Handler]:
    """Declare what a handler's route asks for."""

    def declare(handler: Handler) -> Handler:
        handler.need = Need(scope, account, browser, asks)  # type: ignore[attr-defined]
        return handler

    return declare


def need_of(route: Route) -> Need:
    """What this route has declared; what has declared nothing is for administrators."""
    declared = getattr(route.callback, "need", None) or _FREE.get(route.rule)
    return declared or Need(Scope.ADMIN)


def caller() -> Caller:
    """Who has sent the present request; nobody where that was not asked."""
    found: Caller = request.environ.get(_CALLER, Caller())
    return found


def seen(gallery: Gallery) -> Gallery:
    """The gallery as whoever sent the present request sees it."""
    return gallery.seen_by(caller().viewer(request.environ.get(_VISIBILITY, Visibility.PRIVATE)))


def visit() -> Visit:
    """Where the present request comes from."""
    from imgcore.accounts.service import Visit

    agent = request.environ.get("HTTP_USER_AGENT", "")[:300]
    return Visit(address(), "".join(c if " " <= c <= "~" else "?" for c in agent))


def address() -> str:
    """The other end, as the server knows it: X-Forwarded-For counts only from the trusted proxy."""
    return str(request.environ.get("REMOTE_ADDR", ""))


def rate_headers() -> dict[str, str]:
    """How much of the API's rate is left to the present caller, if it is limited."""
    found: dict[str, str] = request.environ.get(_RATE, {})
    return found


class Gate:
    """A Bottle plugin that stands before every handler.

    accounts: None in open mode. rates: of the API, for each caller.
    """

    name = "gate"
    api = 2

    def __init__(self, accounts: Accounts | None, visibility: Visibility, rates: Rates) -> None:
        self._accounts = accounts
        self._visibility = visibility
        self._rates = rates
        self._set_up = False  # once there is anybody the way leads to the sign-in

    def apply(self, callback: Callable[..., Any], route: Route) -> Callable[..., Any]:
        """The handler, behind the gate."""
        need, in_api = need_of(route), route.rule.startswith(f"{PREFIX}/")

        def call(*args: Any, **kwargs: Any) -> Any:
            self._admit(need, in_api)
            return callback(*args, **kwargs)

        return call

    def _admit(self, need: Need, in_api: bool) -> None:
        environ = request.environ
        if self._accounts is None:
            environ[_CALLER] = OPEN
            return
        if not need.asks:
            return
        found = self._recognised(self._accounts, in_api)
        environ[_CALLER], environ[_VISIBILITY] = found, self._visibility
        if in_api:
            self._spend(found)
        if (need.account or need.browser) and found.account is None:
            raise self._stranger(self._accounts, in_api)
        if need.scope is None or need.scope in found.scopes:
            return
        if found.account is None:
            raise self._stranger(self._accounts, in_api)
        if found.key is not None:
            raise Refused(403, "scope", f"This key lacks the scope {need.scope.value}.", headers=_LACKS)
        raise Refused(403, "scope", "Only an administrator may do this.")

    def _recognised(self, accounts: Accounts, in_api: bool) -> Caller:
        environ = request.environ
        kind, _, secret = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if in_api and kind:
            found = accounts.by_key(secret.strip()) if kind.lower() == "bearer" else None
            if found is None:
                self._spend(Caller())
                raise Refused(401, "key", "This key is not valid, or not any more.", headers=_INVALID)
            return found
        token = session_token()
        found = accounts.by_session(token) if token else None
        if found is None:
            return Caller(frozenset({Scope.READ}) if self._visibility is Visibility.PUBLIC else frozenset())
        environ[SESSION] = token
        if in_api and environ["REQUEST_METHOD"] not in SAFE_METHODS and not says_same_site():
            said = "A browser's session changes something here only from the gallery's own pages."
            raise Refused(403, "cross_site", said)
        return found

    def _stranger(self, accounts: Accounts, in_api: bool) -> HTTPResponse:
        if in_api:
            said = "Sign in, or send a key: Authorization: Bearer …"
            return Refused(401, "unauthorized", said, headers=_ASKS)
        self._set_up = self._set_up or not accounts.nobody()
        headers = {"Location": "/login" if self._set_up else "/setup", "Cache-Control": "no-store"}
        environ = request.environ
        if self._set_up and environ["REQUEST_METHOD"] in SAFE_METHODS:
            query = environ.get("QUERY_STRING", "")
            here = quote(environ["PATH_INFO"].encode("latin-1")) + (f"?{query}" if query else "")
            headers["Location"] += "" if here == "/" else f"?next={quote(here, safe='')}"
        return HTTPResponse(status=303, headers=headers)

    def _spend(self, found: Caller) -> None:
        from imgcore.accounts.service import network

        if found.key is not None:
            name = f"key {found.key.public_id}"
        else:
            name = f"account {found.account.id}" if found.account else f"address {network(address())}"
        spent = self._rates.take(name)
        request.environ[_RATE] = spent.headers
        if not spent.allowed:
            raise Refused(429, "rate", "Too many requests. Wait a little.", retry_after=spent.reset)


_ASKS = {"WWW-Authenticate": 'Bearer realm="gallery"'}
_INVALID = {"WWW-Authenticate": 'Bearer realm="gallery", error="invalid_token"'}
_LACKS = {"WWW-Authenticate": 'Bearer realm="gallery", error="insufficient_scope"'}
