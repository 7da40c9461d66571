"""A person of a history in processes: acts over HTTP and remembers what was acknowledged."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError

import urllib3

from imgcore.gallery.models import UploadForm
from tests.pipeline.deliveries import colour_picture
from tests.pipeline.ledger import Photo, Tally
from tests.pipeline.stage import send

REST = 45.0  # seconds after which a request without an answer has no effect any more
CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 20.0
AT_ONCE = 80  # photos that one person works on; older ones stay as they are
LOOKS = 1 / 2  # share of the acknowledged changes that are looked at
WEIGHTS = {"upload": 4, "edit": 46, "delete": 12, "restore": 13, "share": 15, "revoke": 8, "recaption": 2}


class Unanswered(Exception):
    """The request failed, or nobody knows whether it has an effect."""


class Refused(Exception):
    """The request was answered with this status of a client's error: it has no effect."""


@dataclass
class Owned:
    """A photo as its owner remembers it. sha256: of the file that was sent."""

    photo: Photo
    sha256: str
    recaptions: int = 0  # tried
    rests_until: float = 0.0


@dataclass
class Link:
    """A share link: its id, and whether it may be revoked."""

    public_id: str
    revoked: set[bool] = field(default_factory=lambda: {False})


class Person:
    """One account. problems: what was answered and must not be."""

    def __init__(self, address: str, key: str, seed: str) -> None:
        self._api = f"{address}/api/v1"
        self._headers = {"Authorization": f"Bearer {key}"}
        self._pool = urllib3.PoolManager(
            retries=False, timeout=urllib3.Timeout(CONNECT_SECONDS, read=ANSWER_SECONDS)
        )
        self.seed = seed
        self._dice = random.Random(seed)
        self.photos: dict[str, Owned] = {}
        self.links: dict[str, Link] = {}  # by title
        self.tallies: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
        self.acknowledged: Counter[str] = Counter()
        self.unanswered: Counter[str] = Counter()
        self.problems: list[str] = []

    def act_until(self, over: threading.Event) -> None:
        """Act without a pause, but for one after each request that failed."""
        while not over.is_set():
            (name,) = self._dice.choices(list(WEIGHTS), list(WEIGHTS.values()))
            try:
                if getattr(self, f"_{name}")() is not False:
                    self.acknowledged[name] += 1
            except Unanswered:
                self.unanswered[name] += 1
                over.wait(0.2)
            except Refused as error:
                self.problems.append(f"{name} was refused: {error}")

    # Actions; False where there is nothing to act on

    def _upload(self) -> None:
        number, rejected = len(self.photos), self._dice.random() < 0.08
        colour, data = colour_picture(number)
        data = b"not a picture" if rejected else data + f"{self.seed} {number}".encode()
        new = {"name": f"{colour} {number}.png", "size": len(data), "type": "image/png"}
        answer = self._request("POST", "/uploads", new)
        owned = Owned(Photo(colour, rejected=rejected, uploaded=False), hashlib.sha256(data).hexdigest())
        self.photos[answer["image"]["id"]] = owned
        try:
            send(UploadForm(**answer["form"]), data)
        except HTTPError as error:
            if error.code < 500:
                raise Refused(f"{error.code} {error.read()[:200]!r}") from error
            raise Unanswered from error
        except OSError as error:
            raise Unanswered from error
        owned.photo.uploaded = True

    def _edit(self) -> bool | None:
        public_id, words = self._choose({False}), f"Words {self.seed} {self._dice.random()}"
        if public_id is None:
            return False
        tally = self.tallies["edit", words]
        self._change(public_id, "words", words, tally, "PATCH", f"/images/{public_id}", {"caption": words})
        return None

    def _delete(self) -> bool | None:
        if (public_id := self._choose({False}, {True, False})) is None:
            return False
        tally = self.tallies["image_deleted", public_id]
        self._change(public_id, "deleted", True, tally, "DELETE", f"/images/{public_id}")
        return None

    def _restore(self) -> bool | None:
        if (public_id := self._choose({True}, {True, False})) is None:
            return False
        tally = self.tallies["image_restored", public_id]
        self._change(public_id, "deleted", False, tally, "POST", f"/images/{public_id}/restore")
        return None

    def _share(self) -> bool | None:
        if (public_id := self._choose({False})) is None:
            return False
        title = f"Link {self.seed} {self._dice.random()}"
        tally = self.tallies["share", title]
        answer = self._tallied(tally, "POST", "/shares", {"ids": [public_id], "title": title})
        self.links[title] = Link(answer["id"])
        self.tallies["share_created", answer["id"]].acknowledged += 1
        return None

    def _revoke(self) -> bool | None:
        opened = [link for link in self.links.values() if link.revoked == {False}]
        if not opened:
            return False
        link = self._dice.choice(opened)
        link.revoked.add(True)
        tally = self.tallies["share_revoked", link.public_id]
        self._tallied(tally, "DELETE", f"/shares/{link.public_id}")
        link.revoked = {True}
        return None

    def _recaption(self) -> bool | None:
        if (public_id := self._choose({False})) is None:
            return False
        self.photos[public_id].recaptions += 1
        try:
            self._request("POST", f"/images/{public_id}/recaption")
        except Refused as error:
            if not str(error).startswith("409"):  # it is not described yet, or was rejected
                raise
            return False
        return None

    # Their parts

    def _choose(self, *possible: set[bool]) -> str | None:
        """Return a photo of which it is certain, or possible, that it is in the trash or not."""
        now = time.monotonic()
        ready = [
            public_id
            for public_id, owned in list(self.photos.items())[-AT_ONCE:]
            if owned.photo.uploaded and owned.rests_until < now and owned.photo.deleted in possible
        ]
        return self._dice.choice(ready) if ready else None

    def _change(
        self, public_id: str, attribute: str, value: Any, tally: Tally, method: str, path: str, body: Any = None
    ) -> None:
        """Change a photo: first it may have either value, after the answer only the new one."""
        owned = self.photos[public_id]
        getattr(owned.photo, attribute).add(value)
        try:
            self._tallied(tally, method, path, body)
        except Unanswered:
            owned.rests_until = time.monotonic() + REST
            raise
        setattr(owned.photo, attribute, {value})
        if self._dice.random() < LOOKS:
            self._look(public_id)

    def _look(self, public_id: str) -> None:
        """Compare a photo with what was acknowledged: at the end, a later change may hide that one was lost."""
        photo = self.photos[public_id].photo
        try:
            answer = self._request("GET", f"/images/{public_id}")
        except Unanswered:
            return
        if (answer["status"] == "deleted") not in photo.deleted:
            self.problems.append(f"{public_id}: is {answer['status']}, in the trash is {photo.deleted}")
        if None not in photo.words and answer["caption"] not in photo.words:
            self.problems.append(f"{public_id}: the words are {answer['caption']!r}, not {photo.words}")

    def _tallied(self, tally: Tally, method: str, path: str, body: Any = None) -> Any:
        try:
            answer = self._request(method, path, body)
        except Unanswered:
            tally.unanswered += 1
            raise
        tally.acknowledged += 1
        return answer

    def _request(self, method: str, path: str, body: Any = None) -> Any:
        try:
            answer = self._pool.request(method, f"{self._api}{path}", json=body, headers=self._headers)
        except urllib3.exceptions.HTTPError as error:
            raise Unanswered from error
        if answer.status == 503:
            raise Unanswered
        if answer.status >= 500:
            self.problems.append(f"{method} {path}: {answer.status} {answer.data[:200]!r}")
            raise Unanswered
        if answer.status >= 400:
            raise Refused(f"{answer.status} {answer.data[:200]!r}")
        return answer.json() if answer.data else None
