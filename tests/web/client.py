"""Calls a WSGI application as a server would, one request at a time."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from wsgiref.validate import validator

PLAIN = {"Accept-Encoding": "identity"}  # for what asks for gzip and does not unpack it


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]  # names in small letters
    body: bytes
    set_cookies: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The body, which is UTF-8."""
        return self.body.decode("utf-8")

    @property
    def json(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)

    @property
    def token(self) -> str:
        """The first form's token on this page."""
        return re.search(r'name="token" value="([0-9a-f]+)"', self.text)[1]

    def form(self, action: str) -> dict[str, str]:
        """The fields of the form whose address ends with ``action``, as a browser sends them."""
        found = re.search(rf'<form method="post" action="[^"]*{action}">(.*?)</form>', self.text, re.DOTALL)
        assert found is not None
        inputs = re.findall(r'<input [^>]*name="(\w+)"[^>]* value="([^"]*)"', found[1])
        areas = re.findall(r'<textarea [^>]*name="(\w+)"[^>]*>([^<]*)</textarea>', found[1])
        chosen = re.findall(r'<select [^>]*name="(\w+)".*?value="(\w+)" selected', found[1], re.DOTALL)
        fields = [*inputs, *areas, *chosen]
        return {name: html.unescape(value).replace("\n", "\r\n") for name, value in fields}


class Client:
    """Keeps cookies as a browser does. remote: its IP address. headers: what it sends in place of the usual."""

    remote = "127.0.0.1"
    scheme = "http"

    def __init__(self, app: Callable[..., Any]) -> None:
        self._app = app
        self.cookies: dict[str, str] = {}
        self.headers: dict[str, str] = {}

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        """``path`` may hold a query; ``headers`` are HTTP's names, Host being localhost by default."""
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path.encode("utf-8", "surrogateescape").decode("latin-1"),
            "QUERY_STRING": query,
            "REMOTE_ADDR": self.remote,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost:8000",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": self.scheme,
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if self.cookies:
            environ["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        for name, value in {**(headers or {}), **self.headers}.items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        return self._call(environ)

    def _call(self, environ: dict[str, Any]) -> Answer:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started[:] = [status, headers]
            return lambda data: None

        length = environ["CONTENT_LENGTH"]
        honest = length.isascii() and length.isdigit() and len(length) < 4300  # the validator calls int()
        result = (validator(self._app) if honest else self._app)(environ, start_response)
        try:
            body = b"".join(result)
        finally:
            getattr(result, "close", lambda: None)()
        status, pairs = started
        headers = {name.lower(): value for name, value in pairs}
        for name, value in pairs:
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        cookies = tuple(value for name, value in pairs if name.lower() == "set-cookie")
        return Answer(int(status[:3]), headers, body, cookies)

    def get(self, path: str, **headers: str) -> Answer:
        """GET; an underscore in a header's name stands for a hyphen."""
        return self.request("GET", path, headers=headers)

    def send(self, method: str, path: str, value: Any) -> Answer:
        """``value`` as JSON."""
        return self.request(method, path, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        """``fields`` as a form."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request("POST", path, urlencode(fields).encode(), kind | headers)
