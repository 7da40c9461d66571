"""Presigned URLs over a day of EC2's credentials, which last six hours: at no minute is an image dead.

No URL and no form states that it is valid longer than the credentials that sign it. The instance metadata
service offers new credentials at least five minutes before the old ones expire ("Retrieve security credentials
from instance metadata", EC2 User Guide); here, at exactly that time.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.credentials import RefreshableCredentials

from imgcore.aws.clients import create_client
from imgcore.aws.presign import Credentials, credentials_of
from imgcore.aws.s3 import S3Storage
from imgcore.gallery.models import UploadForm

MIDNIGHT = datetime(2026, 11, 29, tzinfo=UTC)
LIFE, RENEWED_BEFORE = timedelta(hours=6), timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
DAY = [number * MINUTE for number in range(24 * 60)]


class Host:
    """A web host whose clock is ours: its role's credentials, and the URLs that it signs."""

    def __init__(self, began: timedelta) -> None:
        """began: the age of its first credentials at midnight."""
        self.now, self.began = MIDNIGHT, MIDNIGHT - began
        session = boto3.session.Session(region_name="eu-central-1")
        keys = RefreshableCredentials.create_from_metadata(self.offered(), self.offered, "iam-role")
        keys._time_fetcher = lambda: self.now
        session._session._credentials = keys  # type: ignore[attr-defined]
        client = session.client("s3", config=Config(signature_version="s3v4"))
        self.storage = S3Storage(client, "uploads", "derived", clock=lambda: self.now.timestamp())

    def offered(self) -> dict[str, str]:
        """Return the credentials that the metadata service offers now; the key tells when they expire."""
        number = (self.now + RENEWED_BEFORE - self.began) // (LIFE - RENEWED_BEFORE)
        expires = self.began + number * (LIFE - RENEWED_BEFORE) + LIFE
        return {
            "access_key": f"made-up-{expires.timestamp():.0f}",
            "secret_key": "made up",
            "token": "token",
            "expiry_time": expires.isoformat(),
        }


def ends(url: str) -> tuple[datetime, datetime]:
    """Return until when a URL states to be valid, and when the credentials expire that signed it."""
    query: dict[str, Any] = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    signed = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    stated = signed + timedelta(seconds=int(query["X-Amz-Expires"]))
    return stated, expiry(query["X-Amz-Credential"])


def form_ends(form: UploadForm) -> tuple[datetime, datetime]:
    """Return until when a form states to be valid, and when the credentials expire that signed it."""
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    return datetime.fromisoformat(policy["expiration"]), expiry(form.fields["x-amz-credential"])


def expiry(credential: str) -> datetime:
    """Return when the credentials of this name expire."""
    return datetime.fromtimestamp(float(credential.split("/")[0].rsplit("-", 1)[1]), UTC)


AGES = pytest.mark.parametrize("began", [0, 1, 29, 127, 240, 354], ids=lambda began: f"{began} minutes old")


@AGES
def test_page_made_at_any_minute_shows_its_images_for_five_minutes(began: int) -> None:
    host, kept = Host(began * MINUTE), {}
    for minute in DAY:
        host.now = MIDNIGHT + minute
        # A page is kept, and shown again, as long as the period is the same.
        thumbnail = kept.setdefault(host.storage.period(), host.storage.url("thumbnails/x"))
        original = host.storage.original_url("raw/x", download_as="x")
        assert min(*ends(thumbnail), *ends(original)) >= host.now + RENEWED_BEFORE
    assert len({period.split()[2] for period in kept}) >= 4


@AGES
def test_urls_of_a_period_are_the_same_and_end_with_their_credentials(began: int) -> None:
    """Another process has the same credentials, and knows nothing of the URLs before."""
    host, other, kept, limited = Host(began * MINUTE), Host(began * MINUTE), {}, 0
    for minute in DAY:
        host.now = other.now = MIDNIGHT + minute
        url = host.storage.url("thumbnails/x")
        original = host.storage.original_url("raw/x", download_as="x")
        assert kept.setdefault(host.storage.period(), url) == url == other.storage.url("thumbnails/x")
        stated, expire = ends(url)
        assert stated == host.storage.expires_at() <= expire
        limited += stated == expire
        stated, expire = ends(original)
        assert stated <= expire
    assert limited  # else no URL would have been too long


def test_upload_forms_and_parts_end_with_their_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    host, limited = Host(29 * MINUTE), 0
    for module in ("auth", "signers"):
        monkeypatch.setattr(
            f"botocore.{module}.get_current_datetime", lambda **_: host.now.replace(tzinfo=None)
        )
    parts = host.storage.parts
    for minute in DAY:
        host.now = MIDNIGHT + minute
        form = host.storage.form("raw/x", media_type="image/png", min_bytes=1, max_bytes=2, expires_in=3600)
        part = parts.request("raw/x", "upload", 1, size=1, sha256="00" * 32, expires_in=3600)
        for stated, expire in (form_ends(form), ends(part.url)):
            assert host.now + 4 * MINUTE < stated <= expire
            limited += stated < host.now + timedelta(hours=1)
    assert limited


class MetadataService(BaseHTTPRequestHandler):
    """EC2's instance metadata service, version 2, with one role whose credentials expire in ten minutes."""

    now = datetime.now(UTC).replace(microsecond=0)
    expires = now + 10 * MINUTE

    def do_PUT(self) -> None:
        self.answer("token")

    def do_GET(self) -> None:
        """Answer with the role's name, or its credentials."""
        keys = {"AccessKeyId": "AKIA-of-a-role", "SecretAccessKey": "made up", "Token": "token"}
        stated = {"Code": "Success", "Expiration": self.expires.strftime("%Y-%m-%dT%H:%M:%SZ")}
        self.answer("role" if self.path.endswith("/") else json.dumps(keys | stated))

    def answer(self, text: str) -> None:
        """Answer with a text."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def test_credentials_of_the_metadata_service_expire_when_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore prolongs its own note of their end to between 12 and 20 minutes from now."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/does/not/exist")
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED", raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    with ThreadingHTTPServer(("127.0.0.1", 0), MetadataService) as service:
        Thread(target=service.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{service.server_port}/")
        client = create_client("s3")
        credentials = credentials_of(client)
        service.shutdown()

    assert client._request_signer._credentials._expiry_time > MetadataService.expires + MINUTE
    assert credentials.expires == MetadataService.expires.timestamp()


def test_credentials_that_have_expired_set_no_limit() -> None:
    """During an outage of the metadata service they are the only ones, and AWS may accept them."""
    credentials = Credentials("AKIA", "made up", "token", expires=1000.0)
    lives = [credentials.life(3600, signed_at=900, now=now) for now in (900.0, 999.9, 1000.0)]

    assert lives == [100, 100, 3600]


def test_life_of_credentials_that_are_about_to_expire_is_a_second() -> None:
    """AWS refuses a life of zero."""
    credentials = Credentials("AKIA", "made up", "token", expires=1000.0)

    assert [1, 1] == [credentials.life(3600, signed_at=signed_at, now=999.5) for signed_at in (1000, 1005)]
