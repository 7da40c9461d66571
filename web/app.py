"""The WSGI application: routes, plugins and hooks, behind one error boundary."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from bottle import Bottle, HTTPError, request, response

from imgcore.accounts.models import Visibility
from imgcore.config import API_RATE
from imgcore.errors import Busy, too_many_searches
from web.handlers.account import AccountPages
from web.handlers.activity import ActivityPages
from web.handlers.admin import AccountAdminPages
from web.handlers.album_pages import AlbumPages
from web.handlers.api import Api
from web.handlers.campaigns import CampaignPages
from web.handlers.downloads import DownloadRoutes
from web.handlers.gallery import GalleryPages
from web.handlers.health import HEADERS, Health
from web.handlers.jobs import JobPages
from web.handlers.language import LanguageSwitch
from web.handlers.login import LoginPages
from web.handlers.passkeys import PasskeyPages
from web.handlers.second_factor import SecondFactorPages
from web.handlers.share_target import ShareTarget
from web.handlers.shares import SharePages
from web.handlers.spending import SpendingPages
from web.handlers.tags import TagPages
from web.handlers.trash import TrashPages
from web.handlers.visitor import VisitorPages
from web.handlers.webhooks import WebhookPages
from web.handlers.words import WordPages
from web.http.assets import static_files
from web.http.auth import PREFIX, Authenticator, rate_headers
from web.http.compression import Headers, compress_response
from web.http.errors import Problem, as_json, as_problem, problem_of_exception
from web.http.headers import OVERDUE, SERVER_ADDS_HEADERS, RequestChecks, security_headers
from web.http.rate_limit import RateLimiter
from web.http.responses import encode_json
from web.http.templates import TemplateRenderer

if TYPE_CHECKING:
    from imgcore.accounts.service import Accounts
    from imgcore.gallery.service import Gallery
    from imgcore.notifications.subscriptions import SubscriptionService


class Application(Bottle):
    """The Bottle application.

    Every response carries ``security_headers``, and every failure, in a handler, a hook or Bottle itself, is
    answered by ``error_response``.
    """

    def __init__(
        self,
        gallery: Gallery,
        hosts: Iterable[str],
        accounts: Accounts | None,
        authenticator: Authenticator,
        subscriptions: SubscriptionService | None,
    ) -> None:
        super().__init__()
        self.catchall = False  # exceptions reach the error boundary in _respond()
        self.uninstall(True)  # Bottle's JSON and template plugins: handlers return complete responses
        self.install(authenticator)
        self.health = Health(gallery)
        self.security_headers = security_headers(gallery.storage_origins, gallery.release)
        self.has_accounts = accounts is not None
        self._assets = static_files()
        self._renderer = TemplateRenderer(
            self._assets, release=gallery.release, describer=gallery.describer, languages=gallery.languages
        )
        self.add_hook("before_request", RequestChecks(hosts).check)
        for method, path, handler in (
            *GalleryPages(gallery, self._renderer).routes(),
            *LoginPages(accounts, self._renderer).routes(),
            *AccountPages(accounts, self._renderer, subscriptions, gallery.spending).routes(),
            *PasskeyPages(accounts, self._renderer).routes(),
            *SecondFactorPages(accounts, self._renderer).routes(),
            *SpendingPages(gallery.spending, self._renderer).routes(),
            *AccountAdminPages(accounts, self._renderer, gallery.spending).routes(),
            *WordPages(gallery, self._renderer).routes(),
            *TagPages(gallery, self._renderer).routes(),
            *TrashPages(gallery, self._renderer).routes(),
            *LanguageSwitch(gallery.languages).routes(),
            *CampaignPages(gallery, gallery.campaigns, self._renderer).routes(),
            *ActivityPages(gallery, self._renderer).routes(),
            *AlbumPages(gallery, self._renderer).routes(),
            *DownloadRoutes(gallery).routes(),
            *JobPages(gallery.jobs, self._renderer).routes(),
            *SharePages(gallery, self._renderer).routes(),
            *ShareTarget().routes(),
            *WebhookPages(gallery, self._renderer).routes(),
            *VisitorPages(gallery, self._renderer).routes(),
            *Api(gallery, accounts).routes(),
            *self.health.routes(),
            ("GET", "/static/<name:path>", self._assets.serve),
        ):
            self.route(path, method, handler)

    def default_error_handler(self, res: HTTPError) -> bytes:
        """Answer an HTTPError of a handler, a hook or Bottle as ``error_response`` does."""
        headers, body = self.error_response(as_problem(res))
        for name, value in headers.items():
            response.set_header(name, value)
        return body

    def error_response(self, problem: Problem) -> tuple[dict[str, str], bytes]:
        """Return headers and body for a problem: problem+json (RFC 9457) under /api/, a page elsewhere.

        Neither contains more of the cause than the sentence, the code and the id under which it was logged.
        """
        headers = {"Cache-Control": "no-store"}
        if problem.retry_after is not None:
            headers["Retry-After"] = str(problem.retry_after)
        environ = request.environ
        if str(environ.get("PATH_INFO", "")).startswith(f"{PREFIX}/"):
            return headers | {"Content-Type": "application/problem+json"}, encode_json(as_json(problem))
        passing = problem.status_code == 503 or problem.code == Busy.code
        reload = passing and environ.get("REQUEST_METHOD") in ("GET", "HEAD")
        page = self._renderer.render("problem", problem=as_json(problem), again=reload)
        return headers | {"Content-Type": "text/html; charset=utf-8"}, page.encode()

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request, compressed where the client accepts that; /healthz without Bottle."""

        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            return start_response(status, [*headers, *self._common_headers(environ)], exc_info)

        method, no_body = environ["REQUEST_METHOD"], environ.get("CONTENT_LENGTH", "") in ("", "0")
        if environ["PATH_INFO"] == "/healthz" and method in ("GET", "HEAD") and no_body:
            return self._answer_health_check(environ, start)
        return compress_response(self._respond, environ, start)

    def _answer_health_check(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        status, body = self.health.state
        start_response(status, [*HEADERS.items(), ("Content-Length", str(len(body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _respond(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Bottle's own ``wsgi`` inside the error boundary."""
        try:
            if environ.get(OVERDUE):
                request.bind(environ)  # which the error page reads
                raise too_many_searches()
            return super().wsgi(environ, start_response)  # type: ignore[no-any-return]
        except Exception as error:  # noqa: BLE001 - logged by problem_of_exception
            problem = problem_of_exception(error)
            headers, body = self.error_response(problem)
            headers["Content-Length"] = str(len(body))
            start_response(problem.status_line, list(headers.items()))  # nothing has been sent yet
            return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _common_headers(self, environ: dict[str, Any]) -> Headers:
        """Return the headers that every response to a request has."""
        headers = [] if environ.get(SERVER_ADDS_HEADERS) else [*self.security_headers.items()]
        headers += rate_headers(environ).items()
        if self.has_accounts and environ["wsgi.url_scheme"] == "https":  # RFC 6797
            headers.append(("Strict-Transport-Security", "max-age=31536000"))
        return headers


def create_app(
    gallery: Gallery,
    *,
    hosts: Iterable[str] = (),
    accounts: Accounts | None = None,
    visibility: Visibility = Visibility.PRIVATE,
    api_rate: int = API_RATE,
    subscriptions: SubscriptionService | None = None,
) -> Application:
    """Return the gallery as a WSGI application.

    hosts: host names that it answers to, in addition to localhost, 127.0.0.1 and [::1].
    accounts: None is open mode, without authentication, for loopback only.
    visibility: who sees the images of other accounts.
    api_rate: API requests a minute for each caller; not used in open mode.
    subscriptions: e-mail subscriptions to notifications; None hides that part of the account page.
    """
    authenticator = Authenticator(accounts, visibility, RateLimiter(api_rate))
    return Application(gallery, hosts, accounts, authenticator, subscriptions)
