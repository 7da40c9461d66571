"""Several people in the product as `make run` starts it with accounts: who sees what, whose notice comes."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests import images
from tests.browser.chromium import Browser
from tests.browser.people import add_account, set_up, sign_in, sign_out_the_first
from tests.browser.whole import Whole, alive, whole

pytestmark = pytest.mark.timeout(600)
PASSWORD = "four quiet herons fishing"
SWEPT = 150.0  # seconds: what the schedule needs at most, and some more


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the data folder."""
    return tmp_path / "home"


@pytest.fixture
def running(home: Path) -> Iterator[Whole]:
    """A gallery that nobody has an account of; a batch has ended after five quiet seconds."""
    with whole(home, ACCOUNTS="on", BATCH_QUIET_SECONDS="5") as found:
        yield found
    assert (0, []) == (found.process.returncode, alive(home))


def upload(browser: Browser, *names: str) -> None:
    """Drop photos and wait until they are described."""
    browser.open("/")
    browser.drop(*((name, images.jpeg(800, 600, seed=number)) for number, name in enumerate(names, 1)))
    browser.wait(lambda: len(browser.all("#grid .card[data-status=done] .caption")) == len(names), 60)


def photos(browser: Browser) -> int:
    """How many there are, after a reload."""
    browser.open("/")
    return len(browser.all("#grid .card"))


def wants_mail(browser: Browser, address: str) -> None:
    """Give an address on the account's page; it waits for nothing here, since the emulator confirms."""
    browser.open("/account")
    browser.fill(address=address)
    browser.click("form[action='/account/notices'] button")
    browser.wait(lambda: browser.all("[data-delivery=confirmed]"))


def notices(browser: Browser) -> list[str]:
    """What the account's page shows of them, opened."""
    browser.open("/account")
    browser.run("for (const letter of document.querySelectorAll('.notification')) letter.open = true")
    return browser.texts(".notification pre")


def letters(home: Path) -> dict[str, str]:
    """What was written to the folder of letters: the address's name → the text; nobody gets two."""
    found = {}
    for path in (home / "mail").glob("*.eml"):
        letter = email.message_from_bytes(path.read_bytes(), EmailMessage, policy=email.policy.default)
        name = letter["To"].addresses[0].display_name
        assert name not in found
        found[name] = letter.get_content().strip()
    return found


def test_two_people_their_photos_and_their_notices(
    chromium: Browser, second_chromium: Browser, running: Whole, home: Path
) -> None:
    """Token → administrator → second account → photos apart → one's own notice → signed out from afar."""
    boss, ada = chromium, second_chromium
    for window in (boss, ada):
        window.prepare(running.origin)
    token = boss.wait(lambda: re.search(r"/setup with the token (\S+)", running.output))[1]

    boss.open("/")
    set_up(boss, token, "Boss", PASSWORD)
    sign_in(ada, "ada", add_account(boss, "ada", PASSWORD))

    for window, name in ((boss, "boss"), (ada, "ada")):
        wants_mail(window, f"{name}@example.org")
    upload(boss, "mountain.jpg")
    assert 0 == photos(ada)
    upload(ada, "beach.jpg", "harbour.jpg")
    assert (2, 3) == (photos(ada), photos(boss))

    mine = boss.wait(lambda: notices(boss), SWEPT)
    hers = ada.wait(lambda: notices(ada), SWEPT)
    assert (1, 1) == (len(mine), len(hers))
    assert {"boss": mine[0], "ada": hers[0]} == letters(home)
    assert mine[0].startswith("The photo that you uploaded on")
    assert hers[0].startswith("Of the 2 photos that you uploaded on")

    sign_out_the_first(boss)  # ada
    ada.open("/")
    assert ["Sign in"] == ada.texts("h1")
    assert ([], []) == (boss.console(), ada.console())
    assert not [
        secret for secret in (token, PASSWORD) if secret in (home / "logs" / "emulator.log").read_text()
    ]
