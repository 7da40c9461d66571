"""Debian's Chromium, driven by its own chromedriver, and the gestures that people make in it."""

from __future__ import annotations

import base64
import functools
import json
import pkgutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.axe import violations
from tests.support.programs import program

FLAGS = (
    "--headless",
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--kiosk",  # no tab with a spinner and no toolbar: drawing them took a quarter of the processor time
)

WIDE = (1400, 900)
PHONE = (390, 844)

MARK = "document.documentElement.dataset.mark = 'still here';"
DRAWN = """
const gallery = document.getElementById("gallery");
return gallery === null || gallery.dataset.ready !== undefined;
"""

DROP = """
const transfer = new DataTransfer();
for (const [name, data, zeros = 0] of arguments[0]) {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  transfer.items.add(new File([bytes, new Uint8Array(zeros)], name));
}
const type = arguments[1];
if (type === "paste") {
  const event = {clipboardData: transfer, bubbles: true, cancelable: true};
  document.dispatchEvent(new ClipboardEvent("paste", event));
} else {
  for (const step of type === "drop" ? ["dragenter", "dragover", "drop"] : [type]) {
    document.body.dispatchEvent(new DragEvent(step, {dataTransfer: transfer, bubbles: true, cancelable: true}));
  }
}
"""


def start(profile: Path, *, scripts: bool = True, flags: Sequence[str] = ()) -> webdriver.Chrome:
    """A Chromium with an empty profile in ``profile``; without ``scripts`` as people set it, for good.

    flags: further options of its command line.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium", "chromium-browser", "google-chrome", package="chromium")
    for flag in (*FLAGS, *flags, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    if not scripts:
        setting = {"profile.managed_default_content_settings.javascript": 2}
        options.add_experimental_option("prefs", setting)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(
        options=options, service=Service(program("chromedriver", package="chromium-driver"))
    )


def _gone(error: WebDriverException) -> bool:
    """Whether the page has drawn an element anew, or another page has come, since the element was found."""
    return isinstance(error, StaleElementReferenceException) or "not belong to the document" in str(error.msg)


@functools.cache
def _all_shown() -> str:
    """Return a script: all elements of a selector that Selenium takes for displayed, in one round trip.

    Selenium's own is_displayed sends this function once for each element.
    """
    displayed = pkgutil.get_data("selenium.webdriver.remote", "isDisplayed.js")
    assert displayed is not None
    found = "[...document.querySelectorAll(arguments[0])]"
    return f"const displayed = {displayed.decode()};\nreturn {found}.filter((element) => displayed(element));"


class Browser:
    """One window. ``origin`` is put before every path. scripts: whether pages may run theirs."""

    def __init__(self, driver: webdriver.Chrome, *, scripts: bool = True) -> None:
        self.driver = driver
        self.scripts = scripts
        self.origin = ""
        self.entries: list[dict[str, Any]] = []  # of the console, of the current test

    # How it is set up

    def prepare(self, origin: str) -> None:
        """Reset the browser: wide, light, no cookies, an empty console, nothing stored.

        The port of the origin may have been an earlier gallery's, whose uploads would go on here.
        """
        self.origin = origin
        self.size(*WIDE)
        self.media()
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        self.driver.get_log("browser")
        self.entries.clear()

    def size(self, width: int, height: int, *, mobile: bool = False) -> None:
        """The viewport, in CSS pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 2 if mobile else 1, "mobile": mobile}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def media(self, **features: str) -> None:
        """prefers_color_scheme="dark", prefers_reduced_motion="reduce", …; light where nothing is said."""
        wanted = {"prefers_color_scheme": "light", **features}
        listed = [{"name": name.replace("_", "-"), "value": value} for name, value in wanted.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": listed})

    # What people do

    def open(self, path: str = "/", *, drawn: bool = True) -> None:
        """Go to a page, and mark it: the mark is gone after a reload.

        drawn: wait until the gallery has drawn its list, or said why it cannot.
        """
        self.driver.get(self.origin + path)
        if not self.run(MARK + DRAWN) and drawn:
            self.wait(lambda: self.run(DRAWN))

    @property
    def reloaded(self) -> bool:
        """Whether the page is another than the one that ``open`` marked."""
        return self.run("return document.documentElement.dataset.mark") is None

    @property
    def asks_before_leaving(self) -> bool:
        """Whether the page would ask the person before it is closed or left."""
        return bool(self.run("return !window.dispatchEvent(new Event('beforeunload', {cancelable: true}))"))

    def drop(self, *files: tuple[str, bytes], by: str = "drop") -> None:
        """Drop (or paste) files anywhere on the page.

        Zeros at the end of a file are added in the page: 18 MB through WebDriver take four seconds.
        """
        heads = [(name, data.rstrip(b"\0"), len(data)) for name, data in files]
        listed = [(name, base64.b64encode(head).decode(), size - len(head)) for name, head, size in heads]
        self.run(DROP, listed, by)

    def click(self, selector: str) -> None:
        """The first element that fits, scrolled to the middle: bars cover the edges of the window.

        The page may draw the element anew between finding and clicking it; then the new one is clicked, as
        people do.
        """

        def clicked() -> bool:
            element = self.find(selector)
            self.run("arguments[0].scrollIntoView({block: 'center'})", element)
            element.click()
            return True

        self.wait(clicked)

    def fill(self, **fields: str) -> None:
        """Type into the fields of these ids.

        A page focuses its field with ``autofocus`` when it draws its first frame, and complains if another has
        the focus already. Without scripts no frame can be waited for.
        """
        self.find(", ".join(f"#{id_}" for id_ in fields))
        if self.scripts:
            self.run("return new Promise((drawn) => requestAnimationFrame(() => drawn(true)))")
        for id_, text in fields.items():
            self.find(f"#{id_}").send_keys(text)

    def press(self, keys: str) -> None:
        """Keys, wherever the focus is."""

        def pressed() -> bool:
            self.driver.switch_to.active_element.send_keys(keys)
            return True

        self.wait(pressed)

    # What people see

    def find(self, selector: str) -> WebElement:
        """The first element that fits, as soon as there is one."""
        return self.wait(lambda: self.all(selector))[0]

    def all(self, selector: str) -> list[WebElement]:
        """Every element that fits and is shown."""
        return self.run(_all_shown(), selector)

    def texts(self, selector: str) -> list[str]:
        """Return the texts, read in one script, so that no element can go stale meanwhile."""
        return self.run(
            "return [...document.querySelectorAll(arguments[0])]"
            ".filter((e) => e.checkVisibility()).map((e) => e.innerText.trim())",
            selector,
        )

    def text(self, selector: str) -> str:
        """Return the text of the first element that fits, as soon as there is one."""
        return str(self.wait(lambda: self.texts(selector))[0])

    def has(self, selector: str, text: str) -> bool:
        """Whether any element that fits shows this text, now."""
        return any(text in found for found in self.texts(selector))

    @property
    def focus(self) -> str:
        """The focused element's id, or its class."""
        return self.run("return document.activeElement.id || document.activeElement.className")

    def run(self, script: str, *arguments: Any) -> Any:
        """A script's result."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition: Callable[[], Any], seconds: float = 60.0, every: float = 0.1) -> Any:
        """The first true value of ``condition``. AssertionError with the page's text after ``seconds``.

        An element that is gone while it is looked at is looked for again.
        every: the longest pause between two checks. The first is short, because most pages change at once; a
        check costs 8 ms of processor time, which the page needs too.
        """
        end, pause = time.monotonic() + seconds, 0.02
        while time.monotonic() < end:
            try:
                if value := condition():
                    return value
            except WebDriverException as error:
                if not _gone(error):
                    raise
            time.sleep(min(pause, every))
            pause *= 1.5
        text = self.run("return document.body.innerText")
        raise AssertionError(f"Not within {seconds} s. The page says:\n{text}")

    @contextmanager
    def offline(self) -> Iterator[None]:
        """Take the network away until the end of the block."""
        conditions = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)
        try:
            yield
        finally:
            self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions | {"offline": False})

    def console(self) -> list[str]:
        """Return the page's errors and warnings since the last call, without those of failed requests."""
        entries = self.driver.get_log("browser")
        self.entries += entries
        return [entry["message"] for entry in entries if entry["source"] != "network"]

    def save(self, folder: Path, name: str) -> None:
        """Write a screenshot, the page's source and the console of the current test into a folder.

        A browser that has crashed has nothing to save; the failure of the test says so already.
        """
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(WebDriverException):
            self.console()
            self.driver.save_screenshot(str(folder / f"{name}.png"))
            (folder / f"{name}.html").write_text(self.driver.page_source)
        (folder / f"{name}.console.json").write_text(json.dumps(self.entries, indent=1))

    def fits(self, width: int) -> None:
        """Wait until the page is no wider than this: it is laid out anew with the frame after a change."""
        self.wait(lambda: self.run("return document.documentElement.scrollWidth") <= width)

    def violations(self, axe: str) -> list[str]:
        """Return what axe-core finds, one line a finding. axe: its source."""
        return violations(self.run, axe)
