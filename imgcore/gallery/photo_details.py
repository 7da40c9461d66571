"""How a photo was taken. Pure data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PhotoDetails:
    """How a photo was taken, as its camera wrote it, and what is shown of its file."""

    utc_offset: str | None = None  # of the camera's clock: "+02:00"
    exposure_time: float | None = None  # seconds
    f_number: float | None = None  # focal length / aperture's diameter
    iso: int | None = None
    focal_length: float | None = None  # millimetres
    focal_length_35mm: int | None = None  # millimetres; of the same angle of view on 35 mm film
    lens: str | None = None
    animated: bool = False  # the first frame is shown
    preview: bool = False  # a camera raw file: the JPEG that the camera put into it is shown
    incomplete: bool = False  # the file is cut off: the last rows, or fine details, are missing


NO_DETAILS = PhotoDetails()
