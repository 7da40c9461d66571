"""Attacks on the object store, the queues and the emulator, as those of ``audit_credentials``."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from imgcore.gallery.models import UploadForm
from tests import images
from tests.browser.attack import ATTACK, OtherOrigin
from tests.browser.chromium import Browser, start
from tests.drills.audit_client import Audited
from tests.pipeline.stage import send

OUTAGE_SECONDS, RECOVERY_SECONDS = 60.0, 30.0
PHOTOS = 8


def second_picture(gallery: Audited) -> tuple[bool, str]:
    """6. Send another picture through a form that has been used."""
    first, second = images.jpeg(640, 480), images.jpeg(640, 480, seed=2)
    size = max(len(first), len(second)) + 10
    first, second = first.ljust(size, b"\0"), second.ljust(size, b"\0")
    public_id, form = gallery.form("form.jpg", size)
    _send(form, first)
    assert gallery.done(public_id, 90) is not None
    status = _send(form, second)
    time.sleep(10)  # the event of the second one
    with urlopen(gallery.image(public_id)["original_url"], timeout=30) as answer:
        replaced = answer.read() == second
    return replaced, f"status {status}, the photo is the {'second' if replaced else 'first'} picture"


def full_disk(gallery: Audited) -> tuple[bool, str]:
    """5. Upload to a disk that is full: is what was acknowledged on it?"""
    objects = gallery.home / "objects"
    photos = [images.jpeg(1600, 1200, seed=number) for number in range(10, 10 + PHOTOS)]
    forms = [gallery.form(f"full {number}.jpg", len(data))[1] for number, data in enumerate(photos)]
    filler = objects / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            for block in (2**16, 2**12):
                try:
                    while file.write(b"\0" * block) == block:
                        pass
                except OSError:
                    continue
        acknowledged = [
            data for form, data in zip(forms, photos, strict=True) if _send(form, data) in (201, 204)
        ]
        time.sleep(5)
    finally:
        filler.unlink(missing_ok=True)
    stored = [path.read_bytes() for path in objects.rglob("*") if path.is_file()]
    lost = sum(not any(data in each for each in stored) for data in acknowledged)
    return lost > 0, f"{len(acknowledged)} of {PHOTOS} acknowledged, {lost} of them are not on the disk"


def database_outage(gallery: Audited) -> tuple[bool, str]:
    """7. Lock the database while an upload arrives: how long after that is it described?"""
    data = images.jpeg(640, 480, seed=3)
    public_id, form = gallery.form("outage.jpg", len(data))
    lock = sqlite3.connect(gallery.home / "gallery.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        _send(form, data)
        time.sleep(OUTAGE_SECONDS)
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    took = gallery.done(public_id, RECOVERY_SECONDS)
    waited = (
        f"described {took:.0f} s later" if took is not None else f"not described {RECOVERY_SECONDS:.0f} s later"
    )
    return took is None, f"locked for {OUTAGE_SECONDS:.0f} s, {waited}"


def page_of_another_origin(gallery: Audited) -> tuple[bool, str]:
    """1. Open a page of another origin in Chromium that attacks the emulator, whose port it knows."""
    public_id = gallery.upload("kept.jpg", images.jpeg(640, 480, seed=4))
    port = json.loads((gallery.home / "emulator.json").read_text())["port"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        driver = start(Path(profile))
        try:
            with ThreadingHTTPServer(("127.0.0.1", 0), OtherOrigin) as server:
                Thread(target=server.serve_forever, daemon=True).start()
                browser = Browser(driver)
                browser.prepare(f"http://127.0.0.1:{server.server_port}")
                browser.open()
                driver.set_script_timeout(60)
                driver.execute_async_script(ATTACK, f"http://127.0.0.1:{port}")
                server.shutdown()
        finally:
            driver.quit()
    statuses = []
    image = gallery.image(public_id)
    for name in ("original_url", "thumbnail_url", "display_url"):
        try:
            with urlopen(image[name], timeout=30) as answer:
                statuses.append(answer.status)
        except HTTPError as error:
            statuses.append(error.code)
        except (URLError, KeyError, TypeError, ValueError):
            statuses.append(0)
    return statuses != [200] * 3, f"the photo's three files are answered with {', '.join(map(str, statuses))}"


def _send(form: UploadForm, data: bytes) -> int:
    """Send a file; return the status, also of an error."""
    try:
        return send(form, data)
    except HTTPError as error:
        return error.code
    except URLError:
        return 0


ATTACKS: dict[str, Callable[[Audited], tuple[bool, str]]] = {
    "6. A second picture through one form": second_picture,
    "7. A database that is away": database_outage,
    "5. A disk that is full": full_disk,
    "1. A page of another origin": page_of_another_origin,
}
