"""Does the time of a refused sign-in say whether the name exists? And is trying on and on worth anything?

Serves the gallery with accounts as it is deployed, its own hasher and throttles included, on a free port, and
tries wrong passwords over HTTP: first 1,000 in turn on names that exist and names that do not, each name and
each address no more often than is free; then 1,000 on one name of either kind. Prints medians and counts.
Ends non-zero where the medians differ by 5 % or more, or where more tries got through than are free.
"""

from __future__ import annotations

import http.client
import re
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

from imgcore.accounts import throttle
from imgcore.accounts.models import Role
from tests.web.peopling import PASSWORD, Site, empty_site
from web.server import Server, listen

TRIES = 1000
EACH = 4  # tries of one name, and of one address: fewer than are free
MOST = 0.05  # of the median


class Gallery:
    """The application under its real server, behind a proxy that is us."""

    def __init__(self, site: Site) -> None:
        listener = listen("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        self.server = Server(site.app(), listener, trusted_proxy="127.0.0.1")
        self._thread = threading.Thread(target=self.server.run, kwargs={"drain": 0.0}, daemon=True)
        self._thread.start()
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self._form = self._open()

    def close(self) -> None:
        """Stop serving."""
        self._connection.close()
        self.server.stop(drain=0.0)
        self._thread.join(20)

    def _open(self) -> tuple[str, str]:
        self._connection.request("GET", "/login")
        answer = self._connection.getresponse()
        page, cookie = answer.read().decode(), answer.getheader("Set-Cookie") or ""
        found = re.search(r'name="token" value="([0-9a-f]+)"', page)
        assert found is not None, page
        return cookie.partition(";")[0], found[1]

    def try_(self, name: str, address: str) -> tuple[int, float]:
        """A wrong password from an address: the status, and the seconds until all of the answer was there."""
        cookie, token = self._form
        body = urlencode({"token": token, "name": name, "password": "not the password"})
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": cookie,
            "X-Forwarded-For": address,
        }
        began = time.perf_counter()
        self._connection.request("POST", "/login", body, headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status, time.perf_counter() - began


def main() -> int:
    """0 where nothing can be learnt from the time and nothing is gained by trying."""
    with tempfile.TemporaryDirectory() as folder:
        site = empty_site(Path(folder))
        names = TRIES // 2 // EACH
        print(f"making {names} accounts (Argon2id, the product's own parameters) …", flush=True)
        for number in range(names):
            site.accounts.add(f"person{number:04}", PASSWORD)
        site.accounts.add("target", PASSWORD, Role.ADMINISTRATOR)
        gallery = Gallery(site)
        try:
            alike = timing(gallery, names)
            held = throttled(gallery)
        finally:
            gallery.close()
            site.database.close()
    return 0 if alike and held else 1


def timing(gallery: Gallery, names: int) -> bool:
    """Measure both in turn, so that other load on the machine affects them equally."""
    throttle.TOTAL = throttle.Limit(TRIES, 0.0)  # each attempt shall reach the password
    seconds: dict[str, list[float]] = {"existing": [], "missing": []}
    count = 0
    for round_ in range(EACH):
        for number in range(names):
            pair = [("existing", f"person{number:04}"), ("missing", f"nobody{number:04}")]
            for kind, name in pair if (round_ + number) % 2 else reversed(pair):
                address = f"10.{count // EACH // 65536}.{count // EACH // 256 % 256}.{count // EACH % 256}"
                status, took = gallery.try_(name, address)
                assert status == 401, status
                seconds[kind].append(took)
                count += 1
    medians = {kind: statistics.median(found) for kind, found in seconds.items()}
    difference = abs(medians["existing"] - medians["missing"]) / max(medians.values())
    for kind, found in seconds.items():
        tenths = statistics.quantiles(found, n=10)
        print(
            f"{kind:8} names: {len(found)} tries, median {1000 * medians[kind]:.2f} ms,"
            f" p10 {1000 * tenths[0]:.2f} ms, p90 {1000 * tenths[-1]:.2f} ms"
        )
    print(f"the medians differ by {100 * difference:.2f} % (limit {100 * MOST:.0f} %)", flush=True)
    return difference < MOST


def throttled(gallery: Gallery) -> bool:
    """Try one name of each kind from 1,000 addresses, one after the other."""
    found = {}
    for block, (kind, name) in enumerate((("existing", "target"), ("missing", "phantom"))):
        began = time.perf_counter()
        statuses = Counter(
            gallery.try_(name, f"10.{100 + block}.{number // 256}.{number % 256}")[0] for number in range(TRIES)
        )
        found[kind] = statuses
        print(
            f"{kind:8} name, {TRIES} tries in {time.perf_counter() - began:.1f} s:"
            f" {statuses[401]} answered 401, {statuses[429]} answered 429",
            flush=True,
        )
    # The name's attempts of an hour are free; another may pass for each wait that is over meanwhile
    return all(
        statuses[401] <= throttle.NAME.free + 3 and sum(statuses.values()) == TRIES
        for statuses in found.values()
    )


if __name__ == "__main__":
    sys.exit(main())
