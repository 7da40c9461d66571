"""Decode uploaded photos safely. No other module hands uploaded bytes to a codec.

Pillow's global settings (``LOAD_TRUNCATED_IMAGES``, ``MAX_IMAGE_PIXELS``) belong to the host program. They are
neither relied on nor changed: the file is split into its parts first (see formats), the limits are checked
before anything large is allocated, and only the codec of the detected format is opened.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

from PIL import Image, ImageChops, ImageFile, JpegImagePlugin

from imgcore.errors import Rejected
from imgcore.gallery.models import MAX_BYTES, PhotoFacts
from imgcore.imaging import colour, exif_tags, formats, metadata, sizes, unended, validation
from imgcore.imaging.formats import MOST_MISSING, Carved, Damaged
from imgcore.imaging.photo import Photo

# EXIF's orientation → what makes the picture upright (CIPA DC-008, 4.6.5)
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = frozenset({5, 6, 7, 8})
_ORIENTATION = 0x0112


def decode(
    data: bytes,
    *,
    max_side: int,
    declared: str | None = None,
    max_bytes: int = MAX_BYTES,
    with_location: bool = False,
) -> Photo:
    """Decode ``data`` once, scaled so that its longer side is at most ``max_side`` pixels; never enlarged.

    A picture longer than 2.5 to 1 is larger, so that it can be read: see ``sizes.decoded``.
    ``declared``, the media type that the file was sent as, is ignored: the content decides. Deprecated.
    ``with_location`` reads where it was taken as well, which nobody does otherwise.
    Raises Rejected, with one of the codes empty, too_large, not_an_image, unsupported_type,
    too_many_pixels, too_long, too_heavy and damaged; no file makes it raise anything else.
    ImportError where a codec is not installed.
    """
    validation.check_bytes(data, max_bytes)
    kind = validation.check_type(data)
    try:
        carved = formats.carve(data, kind)
        if carved.size:
            validation.check_size(carved.size)
        location = exif_tags.location(carved.exif) if with_location else None
        extra = metadata.read(exif=carved.exif, iptc=carved.iptc, xmp=carved.xmp)
        image, size, whole = _picture(carved, max_side, extra.orientation)
    except (Rejected, ImportError):  # an installation without a codec is not the file's fault
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise validation.too_large_for_the_host() from error
    except MemoryError as error:
        raise validation.too_heavy() from error
    except Exception as error:
        raise validation.damaged(kind, error) from error
    facts = PhotoFacts(
        format=carved.file_format or carved.format,
        width=size[0],
        height=size[1],
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        taken_at=extra.taken_at,
        camera=extra.camera,
        location=location,
        embedded_caption=extra.caption,
        embedded_keywords=extra.keywords,
        details=replace(extra.details, animated=carved.animated, preview=carved.preview, incomplete=not whole),
    )
    return Photo(image, facts)


def _picture(carved: Carved, max_side: int, orientation: int) -> tuple[Image.Image, tuple[int, int], bool]:
    """Return the picture upright and in sRGB, the upright size of the whole, and whether all of it is there.

    What the boxes of an AVIF or HEIF say of its orientation is obeyed, and its EXIF orientation is not: ISO/IEC
    23008-12 makes that informative, and phones repeat the boxes' in it (libheif #227, libvips #2551).
    """
    opened, size, whole = _decoded(carved, max_side)
    if carved.format == "AVIF":  # Pillow translates the boxes
        orientation = opened.getexif().get(_ORIENTATION, 1)
    elif carved.format == "HEIF":  # its library has turned the picture
        orientation = 1
    profile = carved.icc or opened.info.get("icc_profile") or b""
    samples: Image.Image = opened
    if carved.format == "PNG":
        samples = _eight_bits(opened, carved.picture[24])
    elif opened.mode.startswith("I"):  # a TIFF's, of which Pillow inverts those of fewer bits alone
        samples = _eight_bits(opened, 16)
        samples = ImageChops.invert(samples) if carved.white_is_zero else samples
    if carved.frame:
        samples = _framed(samples, carved.frame)
    if carved.crop:
        samples, size = samples.crop((0, 0, *carved.crop)), carved.crop
    image = _scaled(samples, sizes.decoded(size, max_side))
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    colours, alpha = _split_alpha(image)
    image = colour.to_srgb(colours, profile, carved.coding)
    if alpha is not None:
        image.putalpha(alpha)
    image.info = {}
    return image, size[::-1] if orientation in _SIDEWAYS else size, whole


def _decoded(carved: Carved, max_side: int) -> tuple[ImageFile.ImageFile, tuple[int, int], bool]:
    """Return the decoded picture, the size of the whole, and whether all of it is there.

    Where the pixels break off, it is decoded once more as its reader repairs it.
    """
    opened = _open(carved.format, carved.picture)
    validation.check_size(opened.size)
    try:
        return opened, *_load(opened, carved, max_side)
    except (EOFError, OSError):
        if carved.repaired is None:
            raise
    del opened  # its pixels, before there are others
    picture, incomplete = carved.repaired()
    carved = replace(carved, picture=picture, incomplete=incomplete)
    opened = _open(carved.format, carved.picture)
    return opened, *_load(opened, carved, max_side)


class _Stream(io.BytesIO):
    """BytesIO that raises EOFError at its end.

    Otherwise Pillow would accept a truncated file silently on a host that sets LOAD_TRUNCATED_IMAGES.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if not data and size:
            raise EOFError("truncated")
        return data


def _open(form: str, picture: bytes) -> ImageFile.ImageFile:
    """Open a file with the codec of its format, without decoding it. Plugins are imported when needed."""
    stream = _Stream(picture)
    match form:
        case "JPEG":
            return JpegImagePlugin.JpegImageFile(stream)
        case "PNG":
            from PIL.PngImagePlugin import PngImageFile

            return PngImageFile(stream)
        case "GIF":
            from PIL.GifImagePlugin import GifImageFile

            return GifImageFile(stream)
        case "WEBP":
            from PIL.WebPImagePlugin import WebPImageFile

            return WebPImageFile(stream)
        case "AVIF":
            from PIL.AvifImagePlugin import AvifImageFile

            return AvifImageFile(stream)
        case "TIFF":
            from PIL.TiffImagePlugin import TiffImageFile

            return TiffImageFile(stream)
        case "BMP":
            from PIL.BmpImagePlugin import BmpImageFile

            return BmpImageFile(stream)
        case _:
            from pillow_heif import HeifImageFile  # six megabytes of library, for what phones take

            file: ImageFile.ImageFile = HeifImageFile(stream)  # type: ignore[no-untyped-call]
            return file


def _load(opened: ImageFile.ImageFile, carved: Carved, max_side: int) -> tuple[tuple[int, int], bool]:
    """Decode, a JPEG at libjpeg's smallest sufficient scale; return the size of the whole picture.

    And whether all of it is there. Damaged: more than a twentieth of the rows is missing.
    """
    size, whole = opened.size, not carved.incomplete
    if isinstance(opened, JpegImagePlugin.JpegImageFile):
        opened.draft(None, sizes.decoded(size, max_side))
        if carved.unended:
            rows = unended.load(opened, carved.picture)
            whole = rows == 1
            if rows < 1 - MOST_MISSING and not carved.refining:
                raise Damaged("rows are missing", ends_early=True)
        opened.load()
    else:
        opened.load()
        size = opened.size  # HEIF's library learns some sizes only by decoding
        validation.check_size(size)
    for buffer in ("fp", "_decoder", "_heif_file"):  # up to 12 bytes a pixel that the plugins would hold on to
        if getattr(opened, buffer, None) is not None:
            setattr(opened, buffer, None)
    return size, whole


def _scaled(opened: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the picture resized to ``size``, without a palette and with 8 bits a channel."""
    image = opened
    if image.mode in ("P", "PA") or (image.mode in ("1", "L", "RGB") and "transparency" in image.info):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    if image.size != size:
        # 40 % of the time of LANCZOS over twelve megapixels, and no difference that shows.
        image = image.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0)
    return image


def _eight_bits(image: Image.Image, bits: int) -> Image.Image:
    """Return a PNG or TIFF with 8 bits a channel.

    With alpha where one level of grey of 16 bits is transparent: Pillow gives the transparent colour in the
    bits of the file, and compares it with samples of 8 bits.
    """
    key = image.info.get("transparency")
    if image.mode.startswith("I;16"):
        image = image.convert("I")  # the only mode with a table of 65,536 entries
        grey = image.point([value >> 8 for value in range(65_536)], "L")
        if not isinstance(key, int):
            return grey
        alpha = image.point([255 * (value != key) for value in range(65_536)], "L")
        return Image.merge("LA", (grey, alpha))
    if image.mode == "L" and isinstance(key, int):
        most = (1 << bits) - 1
        image.info["transparency"] = (key & most) * 255 // most  # RFC 2083: the least significant bits are used
    elif image.mode == "RGB" and isinstance(key, tuple) and bits == 16:
        image.info["transparency"] = tuple(value >> 8 for value in key)
    return image


def _framed(image: Image.Image, frame: tuple[int, int, int, int]) -> Image.Image:
    """Return a picture that is transparent outside of its only frame."""
    framed = Image.new("RGBA", image.size)
    framed.paste(image.convert("RGBA").crop(frame), frame)
    return framed


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return the colours and the alpha; None where all of it is opaque."""
    if image.mode not in ("RGBA", "RGBa", "LA", "La"):
        return image, None
    grey = image.mode.startswith("L")
    image = image.convert("LA" if grey else "RGBA")
    alpha = image.getchannel("A")
    return image.convert("L" if grey else "RGB"), None if alpha.getextrema() == (255, 255) else alpha
