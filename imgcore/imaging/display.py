"""Read the files of display images, as ``render`` has made them."""

from __future__ import annotations

import io

from PIL import Image

from imgcore.errors import Rejected


def display_image(data: bytes) -> Image.Image:
    """Return the decoded picture. Raises Rejected (``damaged``) where the file cannot be decoded."""
    try:
        with Image.open(io.BytesIO(data), formats=("WEBP",)) as display:
            display.load()
            return display
    except Exception as error:  # as in decode: Pillow raises OSError, SyntaxError, ValueError and others
        raise Rejected(f"The display image cannot be decoded: {error}", code="damaged") from error
