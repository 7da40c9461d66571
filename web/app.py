"""Wiring only: one Bottle of our own, with its guard, its routes and its way of saying no."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bottle import Bottle, HTTPError, request, response

from web.api import PREFIX, Api, encoded
from web.assets import Assets
from web.health import Health
from web.pages import Pages
from web.problems import as_json, refused, translated
from web.render import Views
from web.security import Guard, answer_headers

if TYPE_CHECKING:
    from imgcore.service import Gallery


class Application(Bottle):
    """A Bottle whose every answer carries the same headers and whose errors are sentences."""

    def __init__(self, gallery: Gallery, hosts: Iterable[str]) -> None:
        super().__init__()
        self.uninstall(True)  # Bottle's JSON and template plugins: handlers here say what they answer
        self.install(translated)
        self.health = Health(gallery)
        self._assets = Assets()
        self._views = Views(self._assets, release=gallery.release, describer=gallery.describer)
        self._headers = answer_headers(gallery.storage_origins, gallery.release)
        self.add_hook("before_request", Guard(hosts).check)
        self.add_hook("after_request", self._add_headers)
        for method, path, handler in (
            *Pages(gallery, self._views).routes(),
            *Api(gallery).routes(),
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

    def _add_headers(self) -> None:
        for name, value in self._headers.items():
            response.set_header(name, value)


def create_app(gallery: Gallery, *, hosts: Iterable[str] = ()) -> Application:
    """The gallery as a WSGI application.

    hosts: names that it answers to beside localhost, 127.0.0.1 and [::1].
    """
    return Application(gallery, hosts)
