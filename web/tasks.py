"""Requests as waitress parses them, and the responses of the application and of waitress itself."""

from __future__ import annotations

import time
from collections.abc import Set
from functools import lru_cache
from typing import Any

from bottle import request
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import build_http_date

from web.http.errors import Problem, as_json
from web.http.forwarded import normal_addresses
from web.http.headers import NOT_SHARED, OVERDUE, SERVER_ADDS_HEADERS, SHARE_TARGET
from web.http.responses import encode_json

# Headers that waitress reads, writes or leaves out itself
_DECIDED = frozenset({"connection", "content-length", "date", "server", "transfer-encoding", "via"})

_LINE = "{0[0]}: {0[1]}\r\n"  # of a header, from its name and value

PROTO_HEADER, PROTO_VARIABLE = "X-Forwarded-Proto", "HTTP_X_FORWARDED_PROTO"


class ApplicationTask(WSGITask):
    """Adds the security headers to responses of waitress's middleware, and ends connections while draining.

    waitress ends a connection after each response without Content-Length, also of 304 and 204, which have no
    body and so an end: a browser with a cached page would connect anew for each question.
    """

    response_headers: list[tuple[str, str]]
    wrote_header = False
    _keeps_connection = False  # while the header of such a response is made

    def write(self, data: bytes) -> None:
        """Send the header together with the first part of the body: one call of the system instead of two."""
        if self.complete and not self.wrote_header:
            header = self.build_response_header()
            whole = self.has_body and not self.chunked_response and len(data) <= (self.content_length or 0)
            self.channel.write_soon(header + data if whole else header)
            self.wrote_header = True
            if whole:
                self.content_bytes_written += len(data)
                return
        super().write(data)

    def get_environment(self) -> dict[str, Any]:
        """Prepare the headers of proxies for waitress's middleware, which decides whose headers count.

        Behind a second proxy X-Forwarded-Proto is that of the connection between the two: another header holds
        the scheme of the visitor.
        """
        environ: dict[str, Any] = super().get_environment()
        environ[SERVER_ADDS_HEADERS] = True
        environ[OVERDUE] = self.channel.overdue < time.monotonic()
        name = self.channel.server.proto_variable
        if name != PROTO_VARIABLE:
            environ[PROTO_VARIABLE] = environ.pop(name, "http")
        if forwarded := environ.get("HTTP_X_FORWARDED_FOR"):
            environ["HTTP_X_FORWARDED_FOR"] = normal_addresses(forwarded)
        return environ

    def build_response_header(self) -> bytes:
        """Return the header. waitress makes what it decides about; the rest is added as it is.

        waitress would take longer to write each name in capitals than all else. The security headers, the same
        in all responses, are added as bytes made once.
        """
        server = self.channel.server
        if server.app.health.draining:
            self.set_close_on_finish()
        head = self.request.command == "HEAD"  # without a body, waitress would leave out the length of GET's
        decided, added, own = [], [], set()
        for header in self.response_headers:
            name = header[0].lower()
            if name in _DECIDED and not (name == "content-length" and head):
                decided.append(header)
                continue
            added.append(_LINE.format(header))
            if name in server.security_names:
                own.add(name)
        self.response_headers = decided
        fixed: bytes = server.security_header
        if own:
            added += map(_LINE.format, _security_headers_without(own, server))
            fixed = b""
        return self._decided_header()[:-2] + "".join(added).encode("latin-1") + fixed + b"\r\n"

    def _decided_header(self) -> bytes:
        """Return what waitress makes of the headers that it decides about, most often without asking it."""
        closes = self.request.headers.get("CONNECTION", "").lower() == "close"
        if self.version == "1.1" and not closes:
            match self.response_headers:
                case [("Content-Length", length)] if self.has_body:
                    date = _http_date(int(self.start_time))
                    return f"HTTP/1.1 {self.status}\r\nContent-Length: {length}\r\nDate: {date}\r\n\r\n".encode(
                        "latin-1"
                    )
        self._keeps_connection = self.version == "1.1" and not (self.has_body or closes)
        try:
            return bytes(super().build_response_header())
        finally:
            self._keeps_connection = False

    @property
    def has_body(self) -> bool:
        """Whether a body follows; waitress ends one of no known length by a chunk, also after HEAD."""
        return self.request.command != "HEAD" and bool(super().has_body)

    def set_close_on_finish(self) -> None:
        if not self._keeps_connection:
            super().set_close_on_finish()


class RefusalTask(ErrorTask):
    """Answers what waitress itself refuses, such as a malformed request, as problem+json."""

    def execute(self) -> None:
        error = self.request.error
        problem = Problem(error.code, error.reason.lower().replace(" ", "_"), f"{error.reason}: {error.body}.")
        headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
        body = encode_json(as_json(problem))
        if error.code == 413 and self.request.path == SHARE_TARGET:
            # Photos that a phone shares, and that the service worker did not take: a person reads the answer
            request.bind({"PATH_INFO": SHARE_TARGET, "REQUEST_METHOD": "POST"})
            headers, body = self.channel.server.app.error_response(Problem(413, problem.code, NOT_SHARED))
        self.status = f"{error.code} {error.reason}"
        self.response_headers += headers.items()
        present = {name.lower() for name, _ in self.response_headers}
        self.response_headers += _security_headers_without(present, self.channel.server)
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class RequestParser(HTTPRequestParser):
    """Turns every failure to parse a request into a 400.

    waitress closes the connection without a response on, for example, a Content-Length of more than 4,300
    digits (ValueError of int()) or the request target ``http://[`` (ValueError of urlsplit()).
    """

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            raise ParsingError("The request cannot be parsed") from error


@lru_cache(maxsize=2)
def _http_date(second: int) -> str:
    return str(build_http_date(second))


def _security_headers_without(present: Set[str], server: Any) -> list[tuple[str, str]]:
    """Return the security headers that a response lacks. present: lower-case names of those that it has."""
    headers = server.app.security_headers.items()
    return [(name, value) for name, value in headers if name.lower() not in present]
