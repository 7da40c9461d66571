"""The target of the requests, and the bytes of one: an HTTP/1.0 request in the order in which ab writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgload import VERSION

if TYPE_CHECKING:
    from imgload.options import Options

_URL = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\[[^\]/]+\]|[^/:]+)(?::(?P<port>\d{1,5}))?(?P<path>/.*)", re.I
)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Target:
    """A URL in its parts; ``path`` holds the query too."""

    scheme: str = "http"
    host: str = ""
    port: int = 80
    path: str = "/"

    @classmethod
    def parse(cls, url: str) -> Target | None:
        """The parts of ``url``; None where it is no URL of ab's: the slash after the host is wanted."""
        found = _URL.fullmatch(url)
        if found is None:
            return None
        scheme = (found["scheme"] or "http").lower()
        port = int(found["port"] or _PORTS[scheme])
        return cls(scheme, found["host"].strip("[]"), port, found["path"]) if 0 < port < 65536 else None

    @property
    def authority(self) -> str:
        """The host, in brackets where it is an IPv6 address, with the port where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """scheme://authority."""
        return f"{self.scheme}://{self.authority}"


def request(options: Options) -> bytes:
    """The head and the body of one request, ready to send."""
    lines = [f"{options.method} {options.target.path} HTTP/1.0"]
    if options.keep_alive:
        lines.append("Connection: Keep-Alive")
    if options.cookies:
        lines.append(f"Cookie: {'; '.join(options.cookies)}")
    lines += options.authorization
    if options.body is not None:
        lines += [f"Content-length: {len(options.body)}", f"Content-type: {options.content_type}"]
    lines += options.headers
    given = {header.partition(":")[0].strip().lower() for header in options.headers}
    usual = {"Host": options.target.authority, "User-Agent": f"imgload/{VERSION}", "Accept": "*/*"}
    lines += [f"{name}: {value}" for name, value in usual.items() if name.lower() not in given]
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1", "replace") + (options.body or b"")
