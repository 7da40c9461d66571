"""How a photo was taken, for pages and for the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from imgcore.gallery.models import PhotoDetails

_ANIMATION = "Animation; the first frame is shown. The original holds all of it."
_PREVIEW = "Camera raw file; the camera's own preview is shown. The original holds the raw pixels."
_INCOMPLETE = "The file is cut off: the end of the picture is missing or less sharp."


def details_json(details: PhotoDetails) -> dict[str, Any]:
    """Return what is known of how a photo was taken."""
    return {name: value for name, value in asdict(details).items() if value}


def rows(details: PhotoDetails) -> list[tuple[str, str]]:
    """Return (label, text) for the photo page."""
    parts = [
        _seconds(details.exposure_time) if details.exposure_time else "",
        f"f/{details.f_number:.3g}" if details.f_number else "",
        f"ISO {details.iso}" if details.iso else "",
        _length(details),
    ]
    found = [("Exposure", ", ".join(filter(None, parts))), ("Lens", details.lens or "")]
    notes = [_ANIMATION] * details.animated + [_PREVIEW] * details.preview + [_INCOMPLETE] * details.incomplete
    return [(label, words) for label, words in [*found, ("Note", " ".join(notes))] if words]


def _seconds(time: float) -> str:
    """Return an exposure time as cameras show it: 1/250 s, 0.3 s, 30 s."""
    return f"1/{1 / time:.0f} s" if time < 0.3 else f"{time:.3g} s"


def _length(details: PhotoDetails) -> str:
    length, equivalent = details.focal_length, details.focal_length_35mm
    if not length:
        return ""
    full_frame = f" ({equivalent} mm on 35 mm film)" if equivalent and equivalent != round(length) else ""
    return f"{length:.3g} mm{full_frame}" if length < 1000 else f"{length:.0f} mm{full_frame}"
