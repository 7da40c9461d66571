"""Decode a JPEG without an end mark once, and find out on the way whether its last scan is whole."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageChops, JpegImagePlugin

from imgcore.imaging.formats import Damaged, jpeg

_READ_AHEAD = 16  # bytes; libjpeg holds up to 8 that it has not used yet
_MORE = bytes(251 * number % 253 + 1 for number in range(_READ_AHEAD + 64))  # coded pixels, without a marker


def load(opened: JpegImagePlugin.JpegImageFile, picture: bytes) -> float:
    """Decode ``picture``, which ``opened`` was opened from, and return the part of its rows that it holds.

    Below nine tenths, the part is not exact.

    The codec is given further pixels behind the last one, then the end mark. libjpeg waits in the middle of a
    block that is not whole; once it has all blocks, it has ended, or skips everything up to the next marker.
    The rows of a progressive file whose last scan is cut off are not known: 0.0.
    Damaged: the codec cannot decode it.
    """
    opened.load_prepare()
    (tile,) = opened.tile
    decoder = Image._getdecoder(opened.mode, tile.codec_name, tile.args, opened.decoderconfig)
    decoder.setimage(opened.im, tile.extents)
    progressive = bool(opened.info.get("progressive"))
    try:
        ended, waiting = _feed(decoder, picture.removesuffix(jpeg.END) + _MORE[:_READ_AHEAD])
        whole = ended
        if progressive and not ended:
            whole, waiting = _skips_all(decoder, waiting)
        before = None if whole or progressive else _last_rows(opened)
        if not ended:
            _feed(decoder, waiting + jpeg.END)
    finally:
        decoder.cleanup()
    opened.tile = []
    if before is None:
        return 1.0 if whole else 0.0
    added = ImageChops.difference(before, _last_rows(opened)).getbbox()
    return 1 - (before.height - added[1]) / opened.height if added else 1.0


def _feed(decoder: Any, data: bytes) -> tuple[bool, bytes]:
    """Return whether the codec has ended, and the bytes that it has not taken. Damaged: it gave up."""
    taken, error = decoder.decode(data)
    if error < 0:
        raise Damaged(f"the codec failed with {error}")
    return taken < 0, data[max(0, taken) :]


def _skips_all(decoder: Any, waiting: bytes) -> tuple[bool, bytes]:
    """Return whether the codec takes all further bytes, one by one, and the bytes that it has not taken."""
    skips = not waiting
    for byte in _MORE[_READ_AHEAD:]:
        ended, waiting = _feed(decoder, waiting + bytes([byte]))
        if ended:
            raise Damaged("an end where none is")
        skips = skips and not waiting
    return skips, waiting


def _last_rows(opened: JpegImagePlugin.JpegImageFile) -> Image.Image:
    """Return a copy of the last tenth as far as it has been decoded: black where it has not."""
    width, height = opened.size
    return Image.Image()._new(opened.im).crop((0, height * 9 // 10, width, height))
