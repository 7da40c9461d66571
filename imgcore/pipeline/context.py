"""What is known about a photo without looking at it, as text for a model. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath

from imgcore.gallery import embedded
from imgcore.gallery.models import Image, PhotoFacts
from imgcore.text import is_boilerplate, one_line, shorten

HINT_CHARACTERS, NAME_CHARACTERS = 500, 100


def context(image: Image, facts: PhotoFacts, gallery_hint: str | None = None) -> str:
    """Return lines about the photo: its file's name, date and caption, and what people said of it.

    gallery_hint: what is said of all photos. A camera's file name says nothing and is left out.
    """
    stem = one_line(PurePosixPath(image.name).stem)
    own = embedded.description(facts)
    known = {
        "File name": shorten(stem, NAME_CHARACTERS) if _says_something(stem) else "",
        "Taken on": f"{facts.taken_at:%Y-%m-%d}" if facts.taken_at else "",
        "The photographer's caption": own.caption if own else "",
        "About all photos of this gallery": shorten(one_line(gallery_hint or ""), HINT_CHARACTERS),
        "About this upload": shorten(one_line(image.hint or ""), HINT_CHARACTERS),
    }
    return "\n".join(f"{name}: {text}" for name, text in known.items() if text)


def _says_something(stem: str) -> bool:
    letters = sum(character.isalpha() for character in stem)
    return letters >= 4 and letters > len(stem) / 2 and not is_boilerplate(stem)
