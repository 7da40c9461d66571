"""Buckets on an emulator that enforces every condition, with the web process's own identity."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import pytest
from botocore.stub import Stubber

from imgcore.aws.s3 import S3Storage
from imgcore.errors import Misconfigured, NotFound, Rejected, Unavailable
from imgcore.gallery.models import UploadForm
from tests.cloud import Cloud

JPEG = b"\xff\xd8\xff\xe0 not much of an image"


@pytest.fixture
def master(aws: Cloud, names: dict[str, str]) -> S3Storage:
    """The same buckets for somebody who may do everything."""
    return S3Storage(aws.client("s3"), names["UPLOADS_BUCKET"], names["DERIVED_BUCKET"])


def key() -> str:
    return f"raw/{uuid.uuid4().hex}.jpg"


def form(storage: S3Storage, name: str, **changes: Any) -> UploadForm:
    wanted = {"media_type": "image/jpeg", "min_bytes": 1, "max_bytes": 1000, "expires_in": 60} | changes
    return storage.form(name, **wanted)


def post(form: UploadForm, data: bytes = JPEG, **changes: str) -> int:
    """Send it as a browser does; the status."""
    boundary = uuid.uuid4().hex
    fields = form.fields | changes
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'.encode()
    body = b"".join([*parts, file, data, f"\r\n--{boundary}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    try:
        with urlopen(Request(form.url, body, headers), timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_a_form_takes_the_file_it_was_made_for(storage: S3Storage) -> None:
    """Key, type and size fit; the object is there, with its size."""
    name = key()

    assert 201 == post(form(storage, name))
    found = storage.find(name)
    assert found is not None
    assert (name, len(JPEG)) == (found.key, found.size)
    assert found.etag


@pytest.mark.parametrize(
    ("changes", "fields", "data"),
    [
        ({}, {"key": "raw/another.jpg"}, JPEG),
        ({}, {"Content-Type": "text/html"}, JPEG),
        ({"max_bytes": 5}, {}, JPEG),
        ({"min_bytes": 500}, {}, JPEG),
        ({}, {}, b""),
        ({"expires_in": -10}, {}, JPEG),
        ({}, {"x-amz-signature": "0" * 64}, JPEG),
        ({}, {"policy": "e30="}, JPEG),
    ],
    ids=["key", "type", "too large", "too small", "empty", "expired", "signature", "policy"],
)
def test_a_form_takes_nothing_else(
    storage: S3Storage, changes: dict[str, Any], fields: dict[str, str], data: bytes
) -> None:
    """Another key, type or size, an ended form, a forged one: refused, and nothing is stored."""
    name = key()

    assert post(form(storage, name, **changes), data, **fields) in (400, 403)
    assert storage.find(name) is None


def test_a_form_without_javascript_leads_back(storage: S3Storage) -> None:
    """S3 sends the browser where the form said, and nowhere else."""
    made = form(storage, key(), redirect="http://127.0.0.1:9/images/x")

    assert "http://127.0.0.1:9/images/x" == made.fields["success_action_redirect"]
    assert 403 == post(made, success_action_redirect="http://elsewhere.test/")


def test_what_was_uploaded_is_read_with_its_version(storage: S3Storage, master: S3Storage) -> None:
    """The very version that the event named, after it was overwritten."""
    name = key()
    post(form(storage, name))
    first = storage.find(name)
    assert first is not None
    assert first.version_id is not None
    post(form(storage, name), b"another")

    stored = master.read(name, max_bytes=1000, version_id=first.version_id)

    assert (JPEG, first.etag, first.version_id) == (stored.data, stored.etag, stored.version_id)
    assert b"another" == master.read(name, max_bytes=1000).data


def test_original_url_leads_to_the_version_that_was_received(storage: S3Storage, master: S3Storage) -> None:
    """It does so while the second use of the form has not been removed yet."""
    name = key()
    post(form(storage, name))
    first = storage.find(name)
    assert first is not None
    post(form(storage, name), b"another")
    second = storage.find(name)
    assert second is not None
    assert second.version_id is not None

    with urlopen(storage.original_url(name, download_as="a.jpg", version_id=first.version_id)) as answer:
        assert JPEG == answer.read()
    for _ in range(2):
        master.remove_version(name, second.version_id)
    assert first == storage.find(name)


def test_hidden_original_is_gone_and_its_version_stays(storage: S3Storage, master: S3Storage) -> None:
    name = key()
    post(form(storage, name))
    first = storage.find(name)
    assert first is not None
    for _ in range(2):
        master.hide(name)
    assert storage.find(name) is None
    assert JPEG == master.read(name, max_bytes=1000, version_id=first.version_id).data


def test_ping_names_a_bucket_that_has_vanished(aws: Cloud, names: dict[str, str], storage: S3Storage) -> None:
    """HeadObject answers 404 for a missing key and for a missing bucket."""
    client = aws.client("s3", names)
    storage.ping()

    for uploads, derived in (("gone", names["DERIVED_BUCKET"]), (names["UPLOADS_BUCKET"], "gone")):
        with pytest.raises(Unavailable, match="bucket refused the request"):
            S3Storage(client, uploads, derived).ping()


def test_derived_images_exist_all_or_not(storage: S3Storage, master: S3Storage) -> None:
    name = uuid.uuid4().hex
    keys = [f"thumbnails/{name}/200.webp", f"thumbnails/{name}/400.webp", f"display/{name}/1600.webp"]
    found = []
    for key in keys:
        found.append(storage.has_derived(keys))
        master.write(key, b"webp", "image/webp")

    assert [False, False, False, True] == [*found, storage.has_derived(keys)]


@pytest.mark.parametrize("offset", [0, 150, 299])
def test_original_url_is_valid_for_five_to_ten_minutes(offset: int, aws: Cloud, names: dict[str, str]) -> None:
    """A link to a photo that was deleted since ends soon; those to thumbnails are valid for an hour at most."""
    begin = 1_790_000_100
    storage = S3Storage(
        aws.client("s3", names), names["UPLOADS_BUCKET"], names["DERIVED_BUCKET"], clock=lambda: begin + offset
    )
    query = parse_qs(urlsplit(storage.original_url("raw/a.jpg", download_as="a.jpg")).query)

    signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    left = signed + int(query["X-Amz-Expires"][0]) - (begin + offset)
    assert 300 <= left <= 600


def test_objects_of_both_buckets_are_streamed_to_the_web_process(storage: S3Storage, master: S3Storage) -> None:
    name, display, data = key(), f"display/{uuid.uuid4().hex}/1600.webp", JPEG * 9000
    assert 201 == post(form(storage, name, max_bytes=len(data)), data)
    master.write(display, b"derived", "image/webp")
    parts = list(storage.chunks(name, derived=False))
    assert (data, True) == (b"".join(parts), len(parts) > 2)
    assert b"derived" == b"".join(storage.chunks(display, derived=True))
    for missing, derived in ((key(), False), (display.replace("1600", "9"), True)):
        with pytest.raises(NotFound):
            storage.chunks(missing, derived=derived)


def test_a_large_object_is_refused_before_it_is_read(storage: S3Storage) -> None:
    """The length differs."""
    name = key()
    post(form(storage, name))

    with pytest.raises(Rejected) as caught:
        storage.read(name, max_bytes=10)
    assert "too_large" == caught.value.code


def test_what_is_not_there_is_not_found(storage: S3Storage) -> None:
    """None for find, NotFound for read."""
    assert storage.find(key()) is None
    with pytest.raises(NotFound):
        storage.read(key(), max_bytes=10)


def test_derived_images_are_written_for_browsers(master: S3Storage, storage: S3Storage) -> None:
    """The address works, carries the type, and may be kept."""
    name = f"thumbnails/{uuid.uuid4().hex}/200.webp"
    master.write(name, b"webp", "image/webp")

    with urlopen(storage.url(name), timeout=10) as answer:
        assert (b"webp", "image/webp") == (answer.read(), answer.headers["Content-Type"])
        assert "immutable" in answer.headers["Cache-Control"]


def test_an_address_is_the_same_within_its_window(aws: Cloud, names: dict[str, str]) -> None:
    """The browser's cache works; the next window has another address."""
    now = [1_800_000_000.0]
    storage = S3Storage(
        aws.client("s3", names), names["UPLOADS_BUCKET"], names["DERIVED_BUCKET"], clock=lambda: now[0]
    )
    first = storage.url("thumbnails/x/200.webp")
    now[0] += 1.0
    another_process = S3Storage(
        aws.client("s3", names), names["UPLOADS_BUCKET"], names["DERIVED_BUCKET"], clock=lambda: now[0]
    )

    assert first == storage.url("thumbnails/x/200.webp") == another_process.url("thumbnails/x/200.webp")
    now[0] += 1800.0
    assert first != storage.url("thumbnails/x/200.webp")


def test_an_original_is_a_download_and_never_a_page(storage: S3Storage) -> None:
    """The original is an attachment of no known type, under its own name."""
    name = key()
    post(form(storage, name), b"<script>")

    url = storage.original_url(name, download_as='é"t\\é.jpg')
    with urlopen(url, timeout=10) as answer:
        assert "application/octet-stream" == answer.headers["Content-Type"]
        disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="__t__.jpg"')
    assert disposition.endswith("filename*=UTF-8''%C3%A9%22t%5C%C3%A9.jpg")
    assert ["application/octet-stream"] == parse_qs(urlsplit(url).query)["response-content-type"]


def test_an_address_without_its_signature_is_refused(storage: S3Storage, master: S3Storage) -> None:
    """Both buckets are private."""
    name = f"thumbnails/{uuid.uuid4().hex}/200.webp"
    master.write(name, b"webp", "image/webp")

    with pytest.raises(HTTPError) as caught:
        urlopen(storage.url(name).partition("?")[0], timeout=10)
    assert 403 == caught.value.code


def test_what_leaves_the_trash_leaves_in_every_version(storage: S3Storage, master: S3Storage) -> None:
    """Removing a missing object is no error."""
    name, derived = key(), f"display/{uuid.uuid4().hex}/1600.webp"
    neighbour = f"{name}.jpg"  # whose name begins with the other's
    for text in (b"one", b"two"):
        post(form(storage, name), text)
    post(form(storage, neighbour))
    first = storage.find(name)
    assert first is not None
    master.write(derived, b"webp", "image/webp")

    master.remove([name, key()], [derived, "display/none.webp"])

    assert storage.find(name) is None
    assert storage.find(neighbour) is not None
    with pytest.raises(NotFound):
        master.read(name, max_bytes=10, version_id=first.version_id)


def test_the_web_process_may_not_write_derived_images(storage: S3Storage) -> None:
    """Only the thumbnail function may; the refusal is said as one."""
    with pytest.raises(Unavailable, match="derived bucket refused the request: AccessDenied"):
        storage.write("display/x.webp", b"webp", "image/webp")


def test_what_passes_is_said_to_pass(aws: Cloud) -> None:
    """S3 asks to slow down, or has an error of its own: nothing is concluded about the file."""
    client = aws.client("s3")
    with Stubber(client) as stub:
        stub.add_client_error("get_object", "SlowDown")
        with pytest.raises(Unavailable, match="uploads bucket cannot be reached just now"):
            S3Storage(client, "uploads", "derived").read(key(), max_bytes=10)


def test_the_origins_are_those_of_forms_and_addresses(storage: S3Storage, names: dict[str, str]) -> None:
    """One on the emulator; on AWS one for each bucket."""
    assert [names["AWS_ENDPOINT_URL"]] == list(storage.origins())


def test_ready_where_the_bucket_answers(storage: S3Storage) -> None:
    """ping says nothing when all is well."""
    storage.ping()


def test_a_bucket_out_of_reach_is_unavailable(aws: Cloud, names: dict[str, str]) -> None:
    """A refused connection gives one sentence."""
    client = aws.client("s3", names | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})

    with pytest.raises(Unavailable, match="cannot be reached just now"):
        S3Storage(client, "u", "d").find("raw/x")


def test_a_bucket_that_is_not_there_is_said(aws: Cloud) -> None:
    """The error names the part and S3's code."""
    with pytest.raises(Unavailable, match="NoSuchBucket"):
        S3Storage(aws.client("s3"), "no-such-bucket", "d").read("raw/x", max_bytes=1)


def test_no_credentials_are_a_setting_that_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error is not Unavailable."""
    import boto3

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    client = boto3.session.Session(region_name="us-east-1").client("s3", endpoint_url="http://127.0.0.1:1")

    with pytest.raises(Misconfigured, match="No AWS credentials"):
        S3Storage(client, "u", "d").url("x")
