"""Send a request to an address that a person gave, and to no address inside the network (SSRF)."""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import SplitResult, urlsplit

from imgcore.errors import Invalid, Unavailable

# As openapi.yaml has it: no user name, no IPv6 literal, no fragment; shorter than URL_LENGTH
_PORT = r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
_HOST_AND_PATH = rf"://[a-z0-9]([a-z0-9.-]{{0,200}}[a-z0-9])?{_PORT}(/[!\"$-~]{{0,250}})?"
_URL = re.compile(f"https{_HOST_AND_PATH}")
_ANY_URL = re.compile(f"https?{_HOST_AND_PATH}")

Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host. OSError where it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def literal(host: str) -> list[str]:
    """Return the IP address that a host is, also one such as 127.1; none for a name, which is not resolved."""
    try:
        found = socket.getaddrinfo(host.encode(), None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        return []
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True, slots=True)
class HttpSender:
    """Sends over HTTPS to public addresses; over HTTP and to private ones only where ``private`` is set.

    The host is resolved once a request, every address that it has must be public, and the connection goes to
    one of these: a name that resolves differently a moment later (DNS rebinding) reaches nothing else.
    Redirects are not followed, and no proxy is used. timeout: seconds for each step, the first of which
    resolves the name. deadline: seconds for all of them.
    """

    private: bool = False
    timeout: float = 5.0
    deadline: float = 10.0
    resolve: Resolve = resolve

    def check(self, url: str) -> str:
        """Return the address. Invalid: url, where its form is not acceptable, or an IP address in it.

        Names are resolved by ``send`` alone: a name server that never answers would hold the caller.
        """
        self._require_public(literal(self._parts(url).hostname or ""))
        return url

    def send(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        """POST and return the status; the body of the response is not read. Unavailable where there is none."""
        parts = self._parts(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with _Deadline(self.deadline) as deadline:
            connection = self._connection(parts, self._address(parts), deadline)
            try:
                connection.request("POST", target, body, headers | {"Connection": "close"})
                return connection.getresponse().status
            except (OSError, http.client.HTTPException, ValueError) as error:
                late = deadline.passed or isinstance(error, TimeoutError)
                said = "The address did not answer in time." if late else "The address cannot be reached."
                raise Unavailable(said, code="webhook") from error
            finally:
                connection.close()

    def _parts(self, url: str) -> SplitResult:
        form = _ANY_URL if self.private else _URL
        if not form.fullmatch(url):
            raise Invalid(
                "The address must be an https URL such as https://example.org/photos, in lower case before the"
                " path, without user name and fragment.",
                code="url",
            )
        return urlsplit(url)

    def _address(self, parts: SplitResult) -> str:
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        resolved: Future[list[str]] = Future()
        threading.Thread(target=_resolve, args=(resolved, self.resolve, host, port), daemon=True).start()
        try:
            found = resolved.result(self.timeout)
        except TimeoutError as error:
            raise Unavailable("The host of the address was not resolved in time.", code="webhook") from error
        except (OSError, UnicodeError, OverflowError) as error:
            raise Invalid("The host of the address is not known.", code="url") from error
        self._require_public(found)
        if not found:
            raise Invalid("The host of the address is not known.", code="url")
        return found[0]

    def _require_public(self, addresses: list[str]) -> None:
        if not self.private and not all(is_public(address) for address in addresses):
            raise Invalid("The address is not a public one.", code="url")

    def _connection(self, parts: SplitResult, address: str, deadline: _Deadline) -> http.client.HTTPConnection:
        host = parts.hostname or ""
        if parts.scheme == "http":
            plain = http.client.HTTPConnection(host, parts.port, timeout=self.timeout)
            plain._create_connection = _to(address, deadline)  # type: ignore[attr-defined]
            return plain
        context = ssl.create_default_context()
        secure = http.client.HTTPSConnection(host, parts.port, timeout=self.timeout, context=context)
        secure._create_connection = _to(address, deadline)  # type: ignore[attr-defined]
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
        if found.is_site_local or found in ipaddress.ip_network("64:ff9b:1::/48"):  # RFC 3879, RFC 8215
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


class _Deadline:
    """Ends a connection after some seconds. A socket's own timeout begins anew with each byte."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._copy: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def watch(self, connected: socket.socket) -> None:
        """End this one: by a copy of its descriptor, because TLS takes the socket itself over."""
        self._copy = connected.dup()
        if self.passed:  # while it was being connected
            self._end()

    def _end(self) -> None:
        self.passed = True
        if self._copy is not None:
            with suppress(OSError):
                self._copy.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()
        if self._copy is not None:
            self._copy.close()


def _resolve(resolved: Future[list[str]], resolve: Resolve, host: str, port: int) -> None:
    """Set the result of ``resolve``. getaddrinfo has no timeout, so the thread may outlive its request."""
    try:
        resolved.set_result(resolve(host, port))
    except Exception as error:  # noqa: BLE001 - it is raised where the result is read
        resolved.set_exception(error)


def _to(address: str, deadline: _Deadline) -> Callable[..., socket.socket]:
    """Return what connects to this address instead of resolving the host again."""

    def connect(host_port: tuple[str, int], *args: object, **kwargs: object) -> socket.socket:
        connected = socket.create_connection((address, host_port[1]), *args, **kwargs)  # type: ignore[arg-type]
        deadline.watch(connected)
        return connected

    return connect
