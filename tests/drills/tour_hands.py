"""How somebody works with the page: by mouse, or by keyboard alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from selenium.webdriver.common.keys import Keys

from tests.drills.marionette import files_of
from tests.support.waiting import wait_for

_MOST_TABS = 120
_FOCUSED = "return document.activeElement?.matches(arguments[0]) ?? false"
_BELOW_THE_BAR = """
const cards = [...document.querySelectorAll("#grid .tiles .card")];
const shown = cards.filter((card) => card.getBoundingClientRect().top > 100);
for (const card of cards) delete card.dataset.tour;
for (const [number, card] of shown.entries()) card.dataset.tour = number;
return shown.length;
"""
# What the browser's own picker does, which is outside of the page
_PICK = """
const field = document.querySelector(arguments[0]);
field.value = arguments[1];
field.dispatchEvent(new Event("change", {bubbles: true}));
"""


class Window(Protocol):
    """What the journey needs of a browser. downloads: the folder of what it saves."""

    origin: str
    downloads: Path

    def open(self, path: str = "/") -> None: ...
    def reload(self) -> None: ...
    def back(self) -> None: ...
    def size(self, width: int, height: int, *, mobile: bool = False) -> None: ...
    def new_tab(self) -> None: ...
    def run(self, script: str, *arguments: Any) -> Any: ...
    def click(self, selector: str) -> None: ...
    def fill(self, selector: str, text: str) -> None: ...
    def choose(self, paths: Sequence[Path]) -> None: ...
    def drop(self, paths: Sequence[Path]) -> None: ...
    def press(self, key: str, *modifiers: str) -> None: ...
    def type_month(self, year: str, month: str, name: str) -> None: ...
    def picture(self) -> bytes: ...


class Hands(Protocol):
    """What somebody does in a window."""

    def activate(self, selector: str) -> None:
        """Use a button, a link or a summary."""

    def write(self, selector: str, text: str) -> None:
        """Replace the text of a field."""

    def write_month(self, selector: str, year: str, month: str, name: str) -> None:
        """Fill a field of a month, whose English name is ``name``."""

    def pick(self, selector: str, value: str, label: str) -> None:
        """Choose an option, which people see as ``label``."""

    def search(self, text: str) -> None:
        """Type into the field of the search."""

    def add(self, paths: Sequence[Path]) -> None:
        """Add files to the gallery."""

    def open_photo(self) -> None:
        """Open the first photo below the bar."""

    def select(self, count: int) -> None:
        """Select photos, from the first one below the bar."""

    def remove(self) -> None:
        """Move the first photo below the bar to the trash."""


class Mouse:
    """Clicks and drops; types only words."""

    def __init__(self, window: Window) -> None:
        self._window = window

    def activate(self, selector: str) -> None:
        self._window.click(selector)

    def write(self, selector: str, text: str) -> None:
        self._window.fill(selector, text)

    def write_month(self, selector: str, year: str, month: str, name: str) -> None:
        self._window.run(_PICK, selector, f"{year}-{month}")

    def pick(self, selector: str, value: str, label: str) -> None:
        self._window.run(_PICK, selector, value)

    def search(self, text: str) -> None:
        self._window.fill("#q", text)

    def add(self, paths: Sequence[Path]) -> None:
        self._window.drop(paths)

    def open_photo(self) -> None:
        self._mark()
        self._window.click("[data-tour='0'] .frame")

    def select(self, count: int) -> None:
        self._mark(count)
        for number in range(count):
            self._window.click(f"[data-tour='{number}'] .pick")

    def remove(self) -> None:
        self.select(1)
        self._window.click("#select-bar [data-action=trash]")

    def _mark(self, least: int = 1) -> None:
        wait_for(lambda: self._window.run(_BELOW_THE_BAR) >= least)


class Keyboard:
    """Presses keys and nothing else; the dialog of the files is the system's."""

    def __init__(self, window: Window) -> None:
        self._window = window

    def activate(self, selector: str) -> None:
        self._reach(selector)
        self._window.press(Keys.ENTER)

    def write(self, selector: str, text: str) -> None:
        self._reach(selector)
        self._window.press("a", Keys.CONTROL)
        self._type(text)

    def write_month(self, selector: str, year: str, month: str, name: str) -> None:
        self._reach(selector)
        self._window.type_month(year, month, name)
        self._window.press(Keys.ENTER)

    def pick(self, selector: str, value: str, label: str) -> None:
        self._reach(selector)
        self._type(label)

    def search(self, text: str) -> None:
        self._window.press("/")
        self._type(text)

    def add(self, paths: Sequence[Path]) -> None:
        self._reach("#add")
        self._window.choose(files_of(paths))

    def open_photo(self) -> None:
        self.activate("#grid .frame")

    def select(self, count: int) -> None:
        self._reach("#grid .frame")
        self._window.press("x")
        for _ in range(count - 1):
            self._window.press(Keys.ARROW_RIGHT, Keys.SHIFT)

    def remove(self) -> None:
        self._reach("#grid .frame")
        self._window.press(Keys.DELETE)

    def _reach(self, selector: str) -> None:
        """Press Tab until an element that fits has the focus."""
        wait_for(lambda: self._window.run("return document.querySelector(arguments[0]) !== null", selector))
        for _ in range(_MOST_TABS):
            if self._window.run(_FOCUSED, selector):
                return
            self._window.press(Keys.TAB)
        raise AssertionError(f"{selector} is not reached by {_MOST_TABS} times Tab.")

    def _type(self, text: str) -> None:
        for character in text:
            self._window.press(character)
