"""Read the files of display images, as ``render`` has made them."""

from __future__ import annotations

import io

from PIL import Image

from imgcore.errors import Rejected
from imgcore.gallery.models import PhotoFacts
from imgcore.imaging.photo import Photo


def display_photo(data: bytes) -> Photo:
    """Return the decoded picture. Raises Rejected (``damaged``) where the file cannot be decoded."""
    try:
        with Image.open(io.BytesIO(data), formats=("WEBP",)) as display:
            display.load()
            return Photo(display, PhotoFacts("WEBP", *display.size, len(data), ""))
    except Exception as error:  # as in decode: Pillow raises OSError, SyntaxError, ValueError and others
        raise Rejected(f"The display image cannot be decoded: {error}", code="damaged") from error
