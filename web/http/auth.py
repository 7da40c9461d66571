"""Authentication and authorisation. A handler declares its requirement; without one it is for administrators.

In open mode every caller has all scopes, because the gallery is reachable from this computer only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from bottle import HTTPResponse, Route, request

from imgcore.accounts.models import OPEN, Caller, Scope, Visibility
from imgcore.accounts.tokens import unmapped
from web.http.cookies import SESSION, device_token, session_token
from web.http.csrf import is_same_origin_stated
from web.http.errors import Problem
from web.http.headers import SAFE_METHODS
from web.http.language import current_language
from web.http.rate_limit import RateLimiter, RateLimitStatus

if TYPE_CHECKING:
    from imgcore.accounts.security_log import SecurityEvent
    from imgcore.accounts.service import Accounts, ClientInfo
    from imgcore.gallery.service import Gallery

PREFIX = "/api/v1"
_CALLER, _VISIBILITY, _RATE, _LOG = "gallery.caller", "gallery.visibility", "gallery.rate", "gallery.log"

_ACCOUNT = "HTTP_X_ACCOUNT"  # the name of the account that the page was made for which sends the request

_ANONYMOUS = Caller()

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a route requires: a scope, any account, or a session; by default nothing.

    authenticate: False skips authentication, so that the database is not used.
    """

    scope: Scope | None = None
    account: bool = False
    browser: bool = False
    authenticate: bool = True


# Routes of handlers that do not import this module
_PUBLIC = {"/healthz": Requirement(authenticate=False), "/readyz": Requirement(authenticate=False)}


def requires(
    scope: Scope | None = None, *, account: bool = False, browser: bool = False, authenticate: bool = True
) -> Callable[[Handler], Handler]:
    """Return a decorator that declares a handler's Requirement."""

    def declare(handler: Handler) -> Handler:
        handler.requirement = Requirement(scope, account, browser, authenticate)  # type: ignore[attr-defined]
        return handler

    return declare


def requirement_of(route: Route) -> Requirement:
    """Return the declared requirement of a route; the scope admin if none is declared."""
    declared = getattr(route.callback, "requirement", None) or _PUBLIC.get(route.rule)
    return declared or Requirement(Scope.ADMIN)


def caller() -> Caller:
    """Return who sent the current request; an anonymous caller if the route does not authenticate."""
    found: Caller = request.environ.get(_CALLER, _ANONYMOUS)
    return found


def gallery_for_caller(gallery: Gallery) -> Gallery:
    """Return the gallery with the current caller's read and write rights, in the reader's language."""
    viewer = caller().viewer(request.environ.get(_VISIBILITY, Visibility.PRIVATE))
    return gallery.for_viewer(viewer, current_language(gallery.languages))


class CallerGallery:
    """What handlers of one part of the gallery share: the gallery with the current caller's rights."""

    def __init__(self, gallery: Gallery) -> None:
        self._unrestricted = gallery

    @property
    def _gallery(self) -> Gallery:
        return gallery_for_caller(self._unrestricted)


def current_visit() -> ClientInfo:
    """Return the address and the browser of the current request."""
    from imgcore.accounts.service import ClientInfo

    agent = request.environ.get("HTTP_USER_AGENT", "")[:300]
    printable = "".join(c if " " <= c <= "~" else "?" for c in agent)
    return ClientInfo(client_address(), printable, device_token())


def record_event(event: SecurityEvent, subject: str | None = None, detail: str = "") -> None:
    """Write an entry about the current request to the security log; in open mode there is none.

    subject: the account, photo or setting concerned, by default the caller's account. detail: never a secret.
    """
    log, found = request.environ.get(_LOG), caller()
    if log is None:
        return
    actor = found.account.name if found.account else None
    by = f"by the API key {found.key.hint}…" if found.key else ""
    log.record(
        event,
        address=client_address(),
        actor=actor,
        subject=subject if subject is not None else actor,
        detail=", ".join(part for part in (detail, by) if part),
    )


def client_address() -> str:
    """Return the client's IP address; X-Forwarded-For counts only if the trusted proxy sent it.

    An IPv4 address is returned as such also where a proxy wrote it as IPv6.
    """
    return unmapped(str(request.environ.get("REMOTE_ADDR", "")))


def rate_headers(environ: dict[str, Any]) -> dict[str, str]:
    """Return the rate limit headers of the response to a request; empty if it is not limited."""
    found: dict[str, str] = environ.get(_RATE, {})
    return found


class Authenticator:
    """A Bottle plugin that limits, authenticates and authorises before every handler.

    accounts: None in open mode. limiter: API requests of each caller.
    """

    name = "authenticator"
    api = 2

    def __init__(self, accounts: Accounts | None, visibility: Visibility, limiter: RateLimiter) -> None:
        self._accounts = accounts
        self._visibility = visibility
        self._limiter = limiter
        self._set_up = False  # whether any account exists; never becomes False again

    def apply(self, callback: Callable[..., Any], route: Route) -> Callable[..., Any]:
        """Return the handler with its checks in front."""
        requirement, in_api = requirement_of(route), route.rule.startswith(f"{PREFIX}/")

        def call(*args: Any, **kwargs: Any) -> Any:
            self._check(requirement, in_api)
            return callback(*args, **kwargs)

        return call

    def _check(self, requirement: Requirement, in_api: bool) -> None:
        environ = request.environ
        if self._accounts is None:
            environ[_CALLER] = OPEN
            return
        environ[_LOG] = self._accounts.log
        if not requirement.authenticate:
            return
        found = self._authenticate(self._accounts, in_api)
        environ[_CALLER], environ[_VISIBILITY] = found, self._visibility
        if in_api and found.key is None:
            self._limit(_rate_name(found))
            self._check_account(self._accounts, found)
        self._authorise(self._accounts, requirement, found, in_api)

    def _check_account(self, accounts: Accounts, found: Caller) -> None:
        """Refuse the request of a page that was made for another account than the session's.

        All windows of a browser share its session: it may have changed since the page was loaded. Problem: 403;
        401 where nobody is signed in.
        """
        named = request.environ.get(_ACCOUNT)
        if named is None or (found.account and found.account.name == named):
            return
        if found.account is None:
            raise self._challenge(accounts, in_api=True)
        said = (
            f"This page was made for another account. {found.account.name} is signed in now: reload the page."
        )
        raise Problem(403, "other_account", said)

    def _authorise(self, accounts: Accounts, requirement: Requirement, found: Caller, in_api: bool) -> None:
        if (requirement.account or requirement.browser) and found.account is None:
            raise self._challenge(accounts, in_api)
        scope = requirement.scope
        if scope is None or scope in found.scopes:
            return
        if found.account is None:
            raise self._challenge(accounts, in_api)
        if found.key is not None:
            raise Problem(403, "scope", f"This key lacks the scope {scope.value}.", headers=_INSUFFICIENT)
        raise Problem(403, "scope", "Only an administrator may do this.")

    def _authenticate(self, accounts: Accounts, in_api: bool) -> Caller:
        environ = request.environ
        kind, _, secret = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if in_api and kind:
            return self._by_key(accounts, secret.strip() if kind.lower() == "bearer" else "")
        token = session_token()
        found = accounts.authenticate_session(token) if token else None
        if found is None:
            return Caller(frozenset({Scope.READ}) if self._visibility is Visibility.PUBLIC else frozenset())
        environ[SESSION] = token
        if in_api and environ["REQUEST_METHOD"] not in SAFE_METHODS and not is_same_origin_stated():
            said = "With a session, only the gallery's own pages may change something here."
            raise Problem(403, "cross_site", said)
        return found

    def _by_key(self, accounts: Accounts, secret: str) -> Caller:
        """Return the caller of an API key. Limits are checked before the database is asked for the key.

        Wrong keys count for the address that sent them, apart from its other requests. Beyond the limit no key
        of this address is looked up until the minute is over.
        """
        by_key = f"key {hashlib.sha256(secret.encode('utf-8', 'replace')).hexdigest()}"
        by_address = f"wrong keys of {_rate_name(Caller())}"
        for name in (by_key, by_address):
            self._refuse_exceeded(self._limiter.peek(name))
        found = accounts.authenticate_key(secret, client_address())
        if found is None:
            self._limit(by_address)
            raise Problem(401, "key", "This key is not valid, or not any more.", headers=_INVALID)
        self._limit(by_key)
        return found

    def _challenge(self, accounts: Accounts, in_api: bool) -> HTTPResponse:
        """Return 401 for programs, and for browsers a redirect to the sign-in or set-up page."""
        if in_api:
            said = "Sign in, or send a key: Authorization: Bearer …"
            return Problem(401, "unauthorized", said, headers=_CREDENTIALS_MISSING)
        self._set_up = self._set_up or not accounts.is_empty()
        headers = {"Location": "/login" if self._set_up else "/setup", "Cache-Control": "no-store"}
        environ = request.environ
        if self._set_up and environ["REQUEST_METHOD"] in SAFE_METHODS:
            query = environ.get("QUERY_STRING", "")
            here = quote(environ["PATH_INFO"].encode("latin-1")) + (f"?{query}" if query else "")
            headers["Location"] += "" if here == "/" else f"?next={quote(here, safe='')}"
        return HTTPResponse(status=303, headers=headers)

    def _limit(self, name: str) -> None:
        """Count the request; Problem (429) beyond the limit."""
        status = self._limiter.hit(name)
        request.environ[_RATE] = status.headers
        self._refuse_exceeded(status)

    @staticmethod
    def _refuse_exceeded(status: RateLimitStatus) -> None:
        if not status.allowed:
            request.environ[_RATE] = status.headers
            raise Problem(429, "rate", "Too many requests. Wait a little.", retry_after=status.reset)


def _rate_name(found: Caller) -> str:
    from imgcore.accounts.tokens import network

    return f"account {found.account.id}" if found.account else f"address {network(client_address())}"


_CREDENTIALS_MISSING = {"WWW-Authenticate": 'Bearer realm="gallery"'}
_INVALID = {"WWW-Authenticate": 'Bearer realm="gallery", error="invalid_token"'}
_INSUFFICIENT = {"WWW-Authenticate": 'Bearer realm="gallery", error="insufficient_scope"'}
