"""Compare the gallery at the end of a history in processes with what was acknowledged to people."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from imgcore import bootstrap
from imgcore.db.connection import Database
from imgcore.db.images import ImageRepository
from imgcore.gallery.models import Image
from tests.drills.process_people import Owned, Person
from tests.pipeline.processes import Gallery

SETTLE_SECONDS = 420.0
DEAD = ("thumbnail-dead", "caption-dead")
Images = Mapping[str, Image]


def verdict(gallery: Gallery, people: Sequence[Person]) -> list[str]:
    """Wait until nothing is left to do; return what does not hold then."""
    photos = {public_id: owned for person in people for public_id, owned in person.photos.items()}
    with closing(bootstrap.database(gallery.config)) as database:
        images = _settled(database, photos)
        found = [problem for person in people for problem in person.problems]
        found += _photo_violations(gallery, photos, images)
        found += _tally_violations(people, _counted(gallery, database))
        found += _link_violations(people, database)
        found += _result_violations(gallery, photos)
        found += _dead_letters(gallery)
    return found


def _settled(database: Database, photos: Mapping[str, Owned]) -> Images:
    """Return the photos as soon as nothing changes any more, or after SETTLE_SECONDS."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        images = _images(database, list(photos))
        left = [
            image
            for public_id, image in images.items()
            if image.status in ("waiting", "working")
            or (photos[public_id].photo.uploaded and image.status in ("awaiting", "expired"))
        ]
        if not left or time.monotonic() > deadline:
            return images
        time.sleep(2.0)


def _images(database: Database, ids: list[str]) -> Images:
    repository = ImageRepository(database)
    parts = [ids[start : start + 100] for start in range(0, len(ids), 100)]
    return {image.public_id: image for part in parts for image in repository.get_many(part)}


def _photo_violations(gallery: Gallery, photos: Mapping[str, Owned], images: Images) -> Iterator[str]:
    settings, s3 = gallery.settings(), gallery.aws.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=settings["DERIVED_BUCKET"])
    derived = {item["Key"] for page in pages for item in page.get("Contents", [])}
    for public_id, owned in photos.items():
        image = images.get(public_id)
        yield from owned.photo.violations(public_id, image, lambda keys: set(keys) <= derived)
        if image is not None and owned.photo.uploaded:
            version = {"VersionId": image.version_id} if image.version_id else {}
            got = s3.get_object(Bucket=settings["UPLOADS_BUCKET"], Key=image.image_key, **version)
            if hashlib.sha256(got["Body"].read()).hexdigest() != owned.sha256:
                yield f"{public_id}: the stored file is another one"


def _counted(gallery: Gallery, database: Database) -> Mapping[tuple[str, str], int]:
    """How often each tallied action took effect: edits and links in tables, the others in the security log."""
    words = "SELECT value, COUNT(*) AS number FROM word_versions WHERE field = 'caption' GROUP BY value"
    links = "SELECT title, COUNT(*) AS number FROM shares GROUP BY title"
    counted: Counter[tuple[str, str]] = Counter()
    for kind, name, query in (("edit", "value", words), ("share", "title", links)):
        rows = database.read(lambda tx, query=query: tx.rows(query))
        counted.update({(kind, row[name]): row["number"] for row in rows})
    for line in gallery.log("web").read_text(errors="replace").splitlines():
        if line.startswith('{"time"'):
            entry: dict[str, Any] = json.loads(line)
            counted[entry["event"], entry["subject"]] += 1
    return counted


def _tally_violations(people: Sequence[Person], counted: Mapping[tuple[str, str], int]) -> Iterator[str]:
    for person in people:
        for (kind, key), tally in person.tallies.items():
            if problem := tally.violation(f"{kind} {key}", counted.get((kind, key), 0)):
                yield problem


def _link_violations(people: Sequence[Person], database: Database) -> Iterator[str]:
    rows = database.read(lambda tx: tx.rows("SELECT public_id, revoked_at FROM shares"))
    revoked = {row["public_id"]: row["revoked_at"] is not None for row in rows}
    for person in people:
        for title, link in person.links.items():
            if revoked.get(link.public_id) not in link.revoked:
                yield f"{title}: revoked {revoked.get(link.public_id)}, not {link.revoked}"


def _result_violations(gallery: Gallery, photos: Mapping[str, Owned]) -> Iterator[str]:
    """Each task has one result, and one more for each time that another description was asked for."""
    results = Counter(gallery.results.read_text().splitlines())
    for public_id, owned in photos.items():
        for kind, most in (("thumbnail", 1), ("caption", 1 + owned.recaptions)):
            if results[f"{public_id} {kind}"] > most:
                yield f"{public_id}: {results[f'{public_id} {kind}']} results of {kind} are stored, not {most}"


def _dead_letters(gallery: Gallery) -> Iterator[str]:
    sqs, project = gallery.aws.client("sqs"), "caption-gallery-local"
    for name in DEAD:
        url = sqs.get_queue_url(QueueName=f"{project}-{name}")["QueueUrl"]
        got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        if (number := int(got["Attributes"]["ApproximateNumberOfMessages"])) > 0:
            yield f"{number} dead letters in {name}"
