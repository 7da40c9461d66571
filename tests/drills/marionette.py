"""Firefox, driven by its own Marionette protocol: Debian has no geckodriver, which selenium would need."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from roles.local_cloud.files.emulator import free_port
from tests.browser.chromium import DROP
from tests.support.programs import program
from tests.support.waiting import wait_for

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of a web element reference (W3C WebDriver)
_ANSWER = 60.0  # seconds until Firefox has answered
_SETTINGS = {
    "browser.download.folderList": 2,  # the folder of browser.download.dir
    "browser.download.always_ask_before_handling_new_types": False,
    "browser.download.alwaysOpenPanel": False,  # it takes the focus
    "ui.prefersReducedMotion": 1,
}
# The first element that fits and is shown, in the middle of the window: bars cover its edges
SHOWN = """
const found = [...document.querySelectorAll(arguments[0])].find((each) => each.checkVisibility());
found?.scrollIntoView({block: "center"});
return found ?? null;
"""


class Firefox:
    """One headless window with an empty profile below ``folder``. ``close`` ends the process."""

    def __init__(self, folder: Path, size: tuple[int, int]) -> None:
        firefox = program("firefox-esr", "firefox", package="firefox-esr")
        port, profile = free_port(), folder / "profile"
        self.downloads = folder / "downloads"
        for made in (profile, self.downloads):
            made.mkdir(parents=True)
        settings = {"marionette.port": port, "browser.download.dir": str(self.downloads), **_SETTINGS}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in settings.items()]
        (profile / "user.js").write_text("".join(lines))
        command = [firefox, "--headless", "--no-remote", "--marionette", "--profile", str(profile)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._socket = _connected(port)
        self._stream = self._socket.makefile("rb")
        self._receive()  # the greeting
        self._number = 0
        self._call("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {}}})
        self.origin = ""
        self.size(*size)

    def close(self) -> None:
        """End the browser."""
        self._socket.close()
        self._process.terminate()
        self._process.wait(30)

    def open(self, path: str = "/") -> None:
        """Go to a page of the gallery."""
        self._call("WebDriver:Navigate", {"url": self.origin + path})

    def reload(self) -> None:
        """Load the page anew."""
        self._call("WebDriver:Refresh")

    def back(self) -> None:
        """Go back in the history."""
        self._call("WebDriver:Back")

    def size(self, width: int, height: int, *, mobile: bool = False) -> None:
        """Set the size of the window; Firefox has no narrower one than about 450 pixels."""
        self._call("WebDriver:SetWindowRect", {"width": width, "height": height})

    def new_tab(self) -> None:
        """Open a tab and go on in it."""
        handle = self._call("WebDriver:NewWindow", {"type": "tab"})["handle"]
        self._call("WebDriver:SwitchToWindow", {"handle": handle})

    def run(self, script: str, *arguments: Any) -> Any:
        """Return a script's result."""
        return self._call("WebDriver:ExecuteScript", {"script": script, "args": list(arguments)})["value"]

    def click(self, selector: str) -> None:
        """Click the first element that fits and is shown."""
        self._call("WebDriver:ElementClick", {"id": self._find(selector)})

    def fill(self, selector: str, text: str) -> None:
        """Replace the text of a field."""
        field = {"id": self._find(selector)}
        self._call("WebDriver:ElementClear", field)
        self._call("WebDriver:ElementSendKeys", field | {"text": text})

    def choose(self, paths: Sequence[Path]) -> None:
        """Answer the dialog of the files."""
        found = self._call("WebDriver:FindElement", {"using": "css selector", "value": "#files"})["value"]
        text = "\n".join(str(path) for path in paths)
        self._call("WebDriver:ElementSendKeys", {"id": found[_ELEMENT], "text": text})

    def drop(self, paths: Sequence[Path]) -> None:
        """Drop files, or those of a folder, onto the page."""
        files = [(file.name, base64.b64encode(file.read_bytes()).decode()) for file in files_of(paths)]
        self.run(DROP, files, "drop")

    def press(self, key: str, *modifiers: str) -> None:
        """Press a key while others are held, wherever the focus is."""
        held = [{"type": "keyDown", "value": each} for each in modifiers]
        freed = [{"type": "keyUp", "value": each} for each in reversed(modifiers)]
        stroke = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        source = {"type": "key", "id": "keys", "actions": [*held, *stroke, *freed]}
        self._call("WebDriver:PerformActions", {"actions": [source]})
        if not self.run("return document.hasFocus()"):
            # Tab has left the page for Firefox's own buttons; keys are still sent to the page, which ignores
            # some. Come back to its beginning, as by further Tabs.
            handle = self._call("WebDriver:GetWindowHandle")["value"]
            self._call("WebDriver:SwitchToWindow", {"handle": handle, "focus": True})
            self.run("document.activeElement?.blur(); getSelection().collapse(document.body, 0)")

    def type_month(self, year: str, month: str, name: str) -> None:
        """Type a month: the field is one of text, because Firefox has none for months."""
        for character in f"{year}-{month}":
            self.press(character)

    def picture(self) -> bytes:
        """Return what the window shows, as PNG."""
        return base64.b64decode(self._call("WebDriver:TakeScreenshot", {"full": False})["value"])

    def _find(self, selector: str) -> str:
        found: dict[str, str] = wait_for(lambda: self.run(SHOWN, selector), _ANSWER)  # type: ignore[assignment]
        return found[_ELEMENT]

    def _call(self, name: str, values: dict[str, Any] | None = None) -> Any:
        self._number += 1
        body = json.dumps([0, self._number, name, values or {}])
        self._socket.sendall(f"{len(body.encode())}:{body}".encode())
        _, _, error, result = self._receive()
        if error:
            raise RuntimeError(f"{name}: {error['message']}")
        return result

    def _receive(self) -> Any:
        """Read a message: its length in bytes, a colon, JSON."""
        digits = b""
        while (character := self._stream.read(1)) != b":":
            if not character:
                raise RuntimeError("Firefox has closed the connection.")
            digits += character
        return json.loads(self._stream.read(int(digits)))


def files_of(paths: Sequence[Path]) -> list[Path]:
    """Return the files among paths, and those of the folders among them."""
    return [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]


def _connected(port: int) -> socket.socket:
    def connect() -> socket.socket | None:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=_ANSWER)
        except OSError:
            return None

    return wait_for(connect, _ANSWER)  # type: ignore[return-value]
