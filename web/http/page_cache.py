"""Pages and JSON kept as bytes, by a key that holds all they show, and cards by the version of their image.

A page is kept without the form token, which differs from visitor to visitor. Its parts are compressed apart
from each other and the token is added uncompressed: the token never shares a compression window with anything
that somebody else chose (BREACH).
"""

from __future__ import annotations

import hashlib
import secrets
import struct
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from bottle import request, response

from web.http.compression import LEVEL, MIN_BYTES, PADDING_BITS, accepts_gzip
from web.http.responses import encode_json, matches_etag

if TYPE_CHECKING:
    from imgcore.gallery.service import Gallery

PAGES_BYTES = 24 * 2**20
JSON_BYTES = 12 * 2**20
CARDS_BYTES = 16 * 2**20

_TABLES_BYTES = 45_000  # of one _Checksum: 1,024 numbers

# In place of the form token in a page that is kept. Random, so that nobody can write it into a caption.
TOKEN_MARK = secrets.token_hex(16)


class Sized(Protocol):
    """What a cache keeps. size: bytes."""

    @property
    def size(self) -> int: ...


Value = TypeVar("Value", bound=Sized)


class Cache(Generic[Value]):
    """The most recently used values, up to ``limit`` bytes in all. Threads may share it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Value] = OrderedDict()
        self.size = 0

    def get(self, key: Hashable) -> Value | None:
        """Return the value of ``key``; None where it is not kept."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Hashable, value: Value) -> Value:
        """Keep ``value``, drop the least recently used ones beyond the limit, and return it."""
        with self._lock:
            if (old := self._kept.pop(key, None)) is not None:
                self.size -= old.size
            self._kept[key] = value
            self.size += value.size
            while self.size > self._limit:
                _, dropped = self._kept.popitem(last=False)
                self.size -= dropped.size
        return value


class CachedPage:
    """A rendered page, split where the form token belongs, or JSON; compressed when it is first asked for.

    key: the description of all that it shows.
    """

    def __init__(self, content: bytes, key: bytes = b"") -> None:
        self.digest = hashlib.sha256(key).digest()
        self._parts = content.split(TOKEN_MARK.encode())
        self._deflated: list[bytes] | None = None
        self._asked = False  # for its checksum
        self._first = 0  # CRC-32 of the first part, once it is known
        self._checksums: list[_Checksum] | None = None
        self.length = sum(map(len, self._parts))
        # with the compressed parts, the objects around them, the tables, and the numbers of the key
        self.size = 2 * self.length + 6 * len(key) + _TABLES_BYTES * (len(self._parts) - 1)

    def plain(self, token: str) -> bytes:
        """Return the page with this form token."""
        return token.encode().join(self._parts)

    def gzipped(self, token: str) -> bytes:
        """Return the page with this form token as gzip (RFC 1952), with a file name of random length."""
        if self._deflated is None:
            self._deflated = [_deflate(part) for part in self._parts]
        stored = token.encode()
        block = struct.pack("<BHH", 0, len(stored), len(stored) ^ 0xFFFF) + stored  # RFC 1951, 3.2.4
        name = b"a" * secrets.randbits(PADDING_BITS) + b"\0"
        header = b"\x1f\x8b\x08\x08\0\0\0\0\x00\xff" + name
        length = self.length + len(stored) * (len(self._parts) - 1)
        trailer = struct.pack("<II", self._checksum(stored), length & 0xFFFFFFFF)
        return header + block.join(self._deflated) + b"\x03\0" + trailer

    def _checksum(self, token: bytes) -> int:
        """Return the CRC-32 of the page. Tables for it are made when it is asked for a second time."""
        if self._checksums is None and not self._asked:
            self._asked = True
            return zlib.crc32(token.join(self._parts))
        if self._checksums is None:
            self._first = zlib.crc32(self._parts[0])
            self._checksums = [_Checksum(part) for part in self._parts[1:]]
        crc = self._first
        for part in self._checksums:
            crc = part.after(zlib.crc32(token, crc))
        return crc


class _Checksum:
    """The CRC-32 of any text followed by ``data``, in a time that does not depend on their lengths.

    The CRC of a text with zero bytes after it is linear in that of the text, over the field of two elements:
    this is zlib's crc32_combine, which Python does not offer.
    """

    def __init__(self, data: bytes) -> None:
        self._own = zlib.crc32(data)
        zeros = bytes(len(data))
        zero = zlib.crc32(zeros)
        bits = [zlib.crc32(zeros, 1 << bit) ^ zero for bit in range(32)]
        self._tables = [_sums(bits[first : first + 8]) for first in (0, 8, 16, 24)]

    def after(self, crc: int) -> int:
        """Return the CRC-32 of a text with this ``crc`` and the data after it."""
        low, second, third, high = self._tables
        shifted = low[crc & 255] ^ second[crc >> 8 & 255] ^ third[crc >> 16 & 255] ^ high[crc >> 24]
        return shifted ^ self._own


def _sums(bits: list[int]) -> list[int]:
    """Return the sum, without carry, of the eight numbers whose bits are set in each index."""
    sums = [0]
    for number in bits:
        sums += [number ^ each for each in sums]
    return sums


def _deflate(data: bytes) -> bytes:
    """Return ``data`` as deflate blocks that end at a byte and refer to nothing before them."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush(zlib.Z_FULL_FLUSH)


def common_key(gallery: Gallery, *, originals: bool = False) -> tuple[Hashable, ...]:
    """Return what any answer about photos shows beside them: settings, rights, language, window of the URLs.

    Nothing of it is free text of a request, which would let anybody make new keys.
    """
    period = gallery.storage.period(originals=originals)
    return (period, gallery.viewer, gallery.language, gallery.languages, gallery.release)


def answer_from_cache(
    cache: Cache[CachedPage], key: Hashable, token: str, render: Callable[[], bytes]
) -> bytes:
    """Answer the current request with the page of ``key``, or with 304 where the client has it.

    key: everything that the page shows, but the form token. render: returns the page with TOKEN_MARK for it.
    """
    page = cache.get(key)
    if page is None:
        text = repr(key).encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(text).digest()
    else:
        digest = page.digest  # to describe a long key takes longer than to find its page
    etag = f'W/"{hashlib.sha256(digest + token.encode()).hexdigest()[:32]}"'
    response.set_header("ETag", etag)
    response.set_header("Cache-Control", "private, no-cache")
    if matches_etag(etag):
        response.set_header("Vary", "Accept-Encoding")
        response.status = 304
        return b""
    if page is None:
        page = cache.put(key, CachedPage(render(), text))
    if page.length < MIN_BYTES or not accepts_gzip(request.environ.get("HTTP_ACCEPT_ENCODING", "")):
        return page.plain(token)
    response.set_header("Content-Encoding", "gzip")
    response.set_header("Vary", "Accept-Encoding")
    return page.gzipped(token)


def json_from_cache(cache: Cache[CachedPage], key: Hashable, build: Callable[[], Any]) -> bytes:
    """Answer the current request with the JSON of ``build``, or with 304; see answer_from_cache."""
    response.set_header("Content-Type", "application/json")
    return answer_from_cache(cache, key, "", lambda: encode_json(build()))
