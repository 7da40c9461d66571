"""Captions, alt texts, tags and thumbnails for images.

>>> import imgcore, pathlib
>>> picture = imgcore.decode(pathlib.Path("cat.jpg").read_bytes(), max_side=1600)  # doctest: +SKIP
>>> imgcore.render(picture, "cat", fit="crop").thumbnail.data                      # doctest: +SKIP

A name is imported from its module at its first use, so that a script loads only the libraries that it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imgcore.captioning.gemini import GeminiCaptioner
    from imgcore.captioning.local import LocalDescriber
    from imgcore.config import Config, Secret
    from imgcore.db.deprecated import SqlRepository
    from imgcore.errors import ImgcoreError
    from imgcore.gallery.models import Description, Image, PhotoFacts, Picture, Renditions
    from imgcore.imaging.decode import decode
    from imgcore.imaging.render import render

__all__ = [
    "Config",
    "Description",
    "GeminiCaptioner",
    "Image",
    "ImgcoreError",
    "LocalDescriber",
    "PhotoFacts",
    "Picture",
    "Renditions",
    "Secret",
    "SqlRepository",
    "decode",
    "render",
]

_MODULES = {
    "Config": "config",
    "Description": "gallery.models",
    "GeminiCaptioner": "captioning.gemini",
    "Image": "gallery.models",
    "ImgcoreError": "errors",
    "LocalDescriber": "captioning.local",
    "PhotoFacts": "gallery.models",
    "Picture": "gallery.models",
    "Renditions": "gallery.models",
    "Secret": "config",
    "SqlRepository": "db.deprecated",
    "decode": "imaging.decode",
    "render": "imaging.render",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'imgcore' has no attribute {name!r}")
    return getattr(import_module(f"imgcore.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
