"""Send a request to an address that a person gave, and to no address inside the network (SSRF)."""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from imgcore.errors import Invalid, Unavailable
from imgcore.webhooks.models import URL_LENGTH

# As openapi.yaml has it: no user name, no IPv6 literal, no fragment
_PORT = r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
_HOST_AND_PATH = rf"://[a-z0-9]([a-z0-9.-]{{0,200}}[a-z0-9])?{_PORT}(/[!\"$-~]{{0,250}})?"
_URL = re.compile(f"https{_HOST_AND_PATH}")
_ANY_URL = re.compile(f"https?{_HOST_AND_PATH}")
_READ = 64 * 1024  # bytes of a response that are read at most

Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host. OSError where it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class HttpSender:
    """Sends over HTTPS to public addresses; over HTTP and to private ones only where ``private`` is set.

    The host is resolved once, every address that it has must be public, and the connection goes to one of
    these: a name that resolves differently a moment later (DNS rebinding) reaches nothing else. Redirects are
    not followed, and no proxy is used. timeout: seconds for each step of a connection.
    """

    private: bool = False
    timeout: float = 5.0
    resolve: Resolve = resolve

    def check(self, url: str) -> str:
        """Return the address. Invalid: url, where its form or its host is not acceptable."""
        parts = self._parts(url)
        self._address(parts)
        return url

    def send(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        """POST and return the status. Unavailable where there is no response in time."""
        parts = self._parts(url)
        connection = self._connection(parts, self._address(parts))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST", target, body, headers | {"Connection": "close"})
            answer = connection.getresponse()
            answer.read(_READ)
            return answer.status
        except TimeoutError as error:
            raise Unavailable("The address did not answer in time.", code="webhook") from error
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable("The address cannot be reached.", code="webhook") from error
        finally:
            connection.close()

    def _parts(self, url: str) -> SplitResult:
        form = _ANY_URL if self.private else _URL
        if len(url) > URL_LENGTH or not form.fullmatch(url):
            raise Invalid(
                "The address must be an https URL such as https://example.org/photos, in lower case before the"
                " path, without user name and fragment.",
                code="url",
            )
        return urlsplit(url)

    def _address(self, parts: SplitResult) -> str:
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        try:
            found = self.resolve(host, port)
        except (OSError, UnicodeError, OverflowError) as error:
            raise Invalid("The host of the address is not known.", code="url") from error
        if not found or (not self.private and not all(is_public(address) for address in found)):
            raise Invalid("The address is not a public one.", code="url")
        return found[0]

    def _connection(self, parts: SplitResult, address: str) -> http.client.HTTPConnection:
        host = parts.hostname or ""
        if parts.scheme == "http":
            plain = http.client.HTTPConnection(host, parts.port, timeout=self.timeout)
            plain._create_connection = _to(address)  # type: ignore[attr-defined]
            return plain
        context = ssl.create_default_context()
        secure = http.client.HTTPSConnection(host, parts.port, timeout=self.timeout, context=context)
        secure._create_connection = _to(address)  # type: ignore[attr-defined]
        return secure


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the internet, also where it wraps one of IPv4."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if inner is None and found in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.ip_address(int(found) & 0xFFFFFFFF)  # type: ignore[assignment]
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast


def _to(address: str) -> Callable[..., socket.socket]:
    """Return what connects to this address instead of resolving the host again."""

    def connect(host_port: tuple[str, int], *args: object, **kwargs: object) -> socket.socket:
        return socket.create_connection((address, host_port[1]), *args, **kwargs)  # type: ignore[arg-type]

    return connect
