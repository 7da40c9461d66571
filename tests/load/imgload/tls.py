"""https: TLS through memory over a bare socket, so that only this greenlet ever waits for it.

As ab does it: the certificate is not verified (a load test sends no secrets), and the report names the
protocol, the cipher, the bits of the certificate's key and of the session's, and the kind of the exchange.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from imgload import helloes

if TYPE_CHECKING:
    from imgload.job import Job

CHUNK = 1 << 16


class Secured:
    """What a socket does, with TLS in between; the handshake has been done when it has been made.

    bare: connected, not blocking. readable, writable: wait until it is. Raises OSError where there is no TLS.
    """

    def __init__(self, bare: Any, job: Job, readable: Callable[[], None], writable: Callable[[], None]) -> None:
        self._bare, self._readable, self._writable = bare, readable, writable
        self._come, self._go = ssl.MemoryBIO(), ssl.MemoryBIO()
        job.tls_context = job.tls_context or _context()
        name = server_name(job.options.target.host, job.options.headers)
        self._tls = job.tls_context.wrap_bio(self._come, self._go, server_hostname=name)
        heard = self._shake_hands()
        job.tls = job.tls or self._described(heard, name)

    def fileno(self) -> int:
        """The bare socket's."""
        return int(self._bare.fileno())

    def close(self) -> None:
        """Close without a TLS close_notify, as ab does."""
        self._bare.close()

    def send(self, data: bytes | memoryview) -> int:
        """All of it; waits where it must."""
        count = self._tls.write(data)
        self._flush()
        return count

    def recv(self, size: int) -> bytes:
        """What has come; b"" at the end. Raises BlockingIOError where nothing has."""
        while True:
            try:
                return self._tls.read(size)
            except ssl.SSLWantReadError:
                self._take()
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                return b""
            except ssl.SSLError as error:
                raise _no_tls() from error

    def _take(self) -> bytes:
        data = bytes(self._bare.recv(CHUNK))
        if data:
            self._come.write(data)
        else:
            self._come.write_eof()
        return data

    def _flush(self) -> None:
        rest = self._go.read()
        while rest:
            try:
                rest = rest[self._bare.send(rest) :]
            except BlockingIOError:
                self._writable()

    def _shake_hands(self) -> bytes:
        """What the server said meanwhile, as it came."""
        heard = b""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._readable()
                heard += self._take()
            except ssl.SSLError as error:
                raise _no_tls() from error
            else:
                self._flush()
                return heard

    def _described(self, heard: bytes, name: str | None) -> dict[str, str]:
        cipher = self._tls.cipher()
        assert cipher is not None
        bits = helloes.key_bits(self._tls.getpeercert(binary_form=True) or b"")
        lines = {"SSL/TLS Protocol": f"{self._tls.version()},{cipher[0]},{bits},{cipher[2]}"}
        if group := helloes.exchange_group(heard):
            lines["Server Temp Key"] = group
        if name:
            lines["TLS Server Name"] = name
        return lines


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def server_name(host: str, headers: tuple[str, ...]) -> str | None:
    """Return the name for SNI: the Host of -H, else the URL's; None for an IP address."""
    given = (header.partition(":") for header in headers)
    name = next((value.strip() for key, _, value in given if key.strip().lower() == "host"), host)
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name or None
    return None


def _no_tls() -> OSError:
    return OSError(errno.EPROTO, os.strerror(errno.EPROTO))
