"""Wiring only: one Bottle of our own, with its guard, its routes and its way of saying no."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from bottle import Bottle, HTTPError, request, response

from imgcore.accounts.models import Visibility
from imgcore.config import API_RATE
from web.handlers.account import AccountPages
from web.handlers.admin import PeoplePages
from web.handlers.api import Api
from web.handlers.gallery import Pages
from web.handlers.health import Health
from web.handlers.login import Signing
from web.http.assets import Assets
from web.http.auth import PREFIX, Gate, rate_headers
from web.http.compression import compressed
from web.http.cookies import secure
from web.http.errors import as_json, refused, translated
from web.http.rate_limit import Rates
from web.http.responses import encoded
from web.http.security import Guard, answer_headers
from web.http.templates import Views

if TYPE_CHECKING:
    from imgcore.accounts.service import Accounts
    from imgcore.gallery.service import Gallery
    from imgcore.notifications.subscriptions import SubscriptionService


class Application(Bottle):
    """A Bottle whose every answer carries the same headers and whose errors are sentences."""

    def __init__(
        self,
        gallery: Gallery,
        hosts: Iterable[str],
        accounts: Accounts | None,
        gate: Gate,
        subscriptions: SubscriptionService | None,
    ) -> None:
        super().__init__()
        self.uninstall(True)  # Bottle's JSON and template plugins: handlers here say what they answer
        self.install(translated)
        self.install(gate)
        self.health = Health(gallery)
        self._strict = accounts is not None
        self._assets = Assets()
        self._views = Views(self._assets, release=gallery.release, describer=gallery.describer)
        self._headers = answer_headers(gallery.storage_origins, gallery.release)
        self.add_hook("before_request", Guard(hosts).check)
        self.add_hook("after_request", self._add_headers)
        for method, path, handler in (
            *Pages(gallery, self._views).routes(),
            *Signing(accounts, self._views).routes(),
            *AccountPages(accounts, self._views, subscriptions).routes(),
            *PeoplePages(accounts, self._views).routes(),
            *Api(gallery, accounts).routes(),
            *self.health.routes(),
            ("GET", "/static/<name:path>", self._assets.answer),
        ):
            self.route(path, method, handler)

    def default_error_handler(self, res: HTTPError) -> str | bytes:
        """problem+json under /api/, a page elsewhere; neither tells more than the sentence and an id."""
        problem = refused(res)
        self._add_headers()
        response.set_header("Cache-Control", "no-store")
        if problem.retry_after is not None:
            response.set_header("Retry-After", str(problem.retry_after))
        if str(request.environ.get("PATH_INFO", "")).startswith(f"{PREFIX}/"):
            response.content_type = "application/problem+json"
            return encoded(as_json(problem))
        response.content_type = "text/html; charset=utf-8"
        again = problem.status_code == 503 and request.environ["REQUEST_METHOD"] in ("GET", "HEAD")
        return self._views.page("problem", problem=as_json(problem), again=again)

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Bottle's own, packed."""
        return compressed(super().wsgi, environ, start_response)

    def _add_headers(self) -> None:
        for name, value in (self._headers | rate_headers()).items():
            response.set_header(name, value)
        if self._strict and secure():  # RFC 6797
            response.set_header("Strict-Transport-Security", "max-age=31536000")


def create_app(
    gallery: Gallery,
    *,
    hosts: Iterable[str] = (),
    accounts: Accounts | None = None,
    visibility: Visibility = Visibility.PRIVATE,
    api_rate: int = API_RATE,
    subscriptions: SubscriptionService | None = None,
) -> Application:
    """The gallery as a WSGI application.

    hosts: names that it answers to beside localhost, 127.0.0.1 and [::1]. accounts: None is open mode, which is
    for this machine only. visibility: who sees the photographs of others. api_rate: requests a minute of one
    caller, where there are accounts. subscriptions: e-mail
    notifications; None hides them.
    """
    return Application(gallery, hosts, accounts, Gate(accounts, visibility, Rates(api_rate)), subscriptions)
