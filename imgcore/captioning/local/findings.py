"""The describer's findings in a picture, before they are put into words. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Impression:
    """Shape, light and colours."""

    shape: str  # "wide", "tall", "square" or "panoramic"
    light: str | None  # "dark" or "bright", where it is either
    colors: tuple[str, ...]  # at most two, the larger share first
    foreground: tuple[str, ...]  # at most two, which the middle has more of than the edge
    mostly: bool  # whether these colours are half of the picture or more
    black_and_white: bool
    plain: bool  # one even surface
    drawn: bool  # so many flat patches that it may be no photograph at all


@dataclass(frozen=True, slots=True)
class Subject:
    """The likely subject of the picture. Phrases include their article where they need one: "a cat"."""

    phrase: str
    detail: str | None  # the kind, where that is likely too: "a tabby"
    sure: bool  # True: "looks like"; False: "possibly"
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings in one picture."""

    impression: Impression
    faces: int
    subject: Subject | None
