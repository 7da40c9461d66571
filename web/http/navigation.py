"""The main destinations of the gallery, which every page of it links."""

from __future__ import annotations

from dataclasses import dataclass

from bottle import request

from web.http.auth import caller


@dataclass(frozen=True, slots=True)
class Destination:
    """One link. icon: the path of a 24 × 24 SVG. path: of the page; those below it belong to it too."""

    name: str
    path: str
    icon: str

    @property
    def current(self) -> bool:
        """Whether the requested page is this one, or one below it."""
        asked = str(request.path)
        return asked == self.path or (self.path != "/" and asked.startswith(f"{self.path}/"))


_DESTINATIONS = (
    Destination("Photos", "/", "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9h.01"),
    Destination("Albums", "/albums", "M4 8h16v12H4zM6 5h12M8 2h8"),
    Destination("Tags", "/tags", "M4 4h8l8 8-8 8-8-8zM8.5 8.5h.01"),
    Destination("Shared", "/shared", "M12 15V4M8 8l4-4 4 4M5 12v8h14v-8"),
    Destination("Activity", "/activity", "M3 12h4l3-8 4 16 3-8h4"),
    Destination("Trash", "/trash", "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13"),
)


def destinations() -> tuple[Destination, ...]:
    """Return the destinations that the caller may open; none before the sign-in."""
    return _DESTINATIONS if caller().open or caller().account else ()
