"""What an instance finds on AWS, on loopback.

Its metadata with user data and a role's keys, Secrets Manager on the emulator that enforces them, and a MariaDB
that is reached over TLS with the password from there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from imgcore import bootstrap
from imgcore.config import Config
from roles.local_cloud.files.children import Children
from roles.local_cloud.files.emulator import REGION, Emulator, emulator_at
from tests.cloud import Cloud
from tests.contract.images import CAPTION, THUMBNAIL, claim, description, event, finish, new, stored
from tests.mariadb import MariaDb
from tests.support.repositories import Repositories

SECRET_ID = "made-up/database/app"
UPLOADS, DERIVED = "made-up-uploads", "made-up-derived"
CAPTIONED = "Two herons stand in a flooded meadow."


class Metadata(ThreadingHTTPServer):
    """The instance's metadata, version 2: nothing without a token. It hands out ``user_data`` and the keys."""

    daemon_threads = True

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.user_data: str | None = None
        self.emulator = emulator
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, path: str) -> str | None:
        """What a path holds; None for what is not there."""
        role = "/latest/meta-data/iam/security-credentials/"
        keys = {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "AccessKeyId": self.emulator.access_key,
            "SecretAccessKey": self.emulator.secret_key,
            "Token": "",
            "Expiration": (datetime.now(UTC) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return {
            "/latest/user-data": self.user_data,
            role: "made-up-role",
            f"{role}made-up-role": json.dumps(keys),
        }.get(path)


class _Answer(BaseHTTPRequestHandler):
    server: Metadata

    def do_PUT(self) -> None:
        self._say(200, "made-up-token")

    def do_GET(self) -> None:
        if self.headers.get("X-aws-ec2-metadata-token") != "made-up-token":
            self._say(401, "")
            return
        text = self.server.answer(self.path)
        self._say(404 if text is None else 200, text or "")

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _say(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@dataclass(frozen=True)
class Surroundings:
    """user_data: what suits all that is there. password: the database's, which the host may hold nowhere."""

    metadata: Metadata
    ca: Path
    password: str
    user_data: dict[str, str] = field(default_factory=dict)

    def tell(self, **changes: str) -> None:
        """Hand these settings out as user data."""
        lines = {**self.user_data, **changes}
        self.metadata.user_data = "".join(f"{name}={value}\n" for name, value in lines.items())


@contextmanager
def surroundings(home: Path, server: MariaDb) -> Iterator[Surroundings]:
    """All of it, until the block ends."""
    emulator = emulator_at(home).prepare()
    with Children(home / "logs") as children, server.database() as url:
        children.start("emulator", emulator.command, emulator.environ(), home)
        children.wait(emulator.healthy, "the AWS emulator", 60)
        cloud = Cloud(emulator)
        _add_image(url, cloud.client("s3"))
        known = urlsplit(url)
        secret = {"username": known.username, "password": known.password}
        cloud.client("secretsmanager").create_secret(Name=SECRET_ID, SecretString=json.dumps(secret))
        metadata = Metadata(emulator)
        threading.Thread(target=metadata.serve_forever, daemon=True).start()
        user_data = {
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": emulator.endpoint,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.endpoint,
            "UPLOADS_BUCKET": UPLOADS,
            "DERIVED_BUCKET": DERIVED,
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(server.port),
            "DB_NAME": known.path.lstrip("/"),
            "DB_SECRET_ID": SECRET_ID,
            "DB_CA": "/etc/caption-gallery/ca.pem",
            "HOST": "127.0.0.1",
        }
        try:
            yield Surroundings(metadata, server.ca, str(known.password), user_data)
        finally:
            metadata.shutdown()
            metadata.server_close()


def _add_image(url: str, s3: Any) -> None:
    """Create the schema and the buckets, with one processed image."""
    for bucket in (UPLOADS, DERIVED):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=UPLOADS, VersioningConfiguration={"Status": "Enabled"})
    config = Config.read({"DATABASE_URL": url})
    bootstrap.migrate(config)
    repositories = Repositories(bootstrap.database(config))
    row = new("herons.jpg")
    repositories.images.add(row)
    put = s3.put_object(Bucket=UPLOADS, Key=row.image_key, Body=b"made up")
    image = repositories.images.receive(replace(event(row), version_id=put["VersionId"]), row)
    assert repositories.tasks.finish_caption(
        claim(repositories, image, CAPTION), description(caption=CAPTIONED, alt_text="Two herons.")
    )
    assert finish(repositories, image, claim(repositories, image, THUMBNAIL))
    for key in stored(repositories, image).derived_keys:
        s3.put_object(Bucket=DERIVED, Key=key, Body=b"made up")
