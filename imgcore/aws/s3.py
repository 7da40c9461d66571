"""The S3 buckets of originals, which are never shown in a page, and of derived images."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from imgcore.aws.presign import Bucket, Credentials, bucket_of, credentials_of, life_now, presigned_url
from imgcore.errors import ImgcoreError, Misconfigured, NotFound, Rejected, Unavailable
from imgcore.gallery.models import RAW_PREFIX, UploadForm
from imgcore.pipeline.models import ObjectCreated, StoredObject
from imgcore.text import attachment, too_large

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

    from imgcore.aws.parts import S3Parts

WINDOW_SECONDS = 1800  # a key has the same URL for half an hour, so that browser caches work
ORIGINAL_WINDOW_SECONDS = 300
CACHE_CONTROL = "private, max-age=86400, immutable"
_PART = 64 * 1024  # bytes of a streamed object in memory at once
_PROBE_KEY, _DERIVED_PROBE_KEY = f"{RAW_PREFIX}ping", "thumbnails/ping/ping"  # no image has these keys


class S3Storage:
    """The buckets (imgcore.gallery.ports.Storage).

    client: botocore's S3 client, which is safe to share between threads. clock: seconds since the epoch.
    """

    def __init__(
        self, client: S3Client, uploads: str, derived: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._uploads = uploads
        self._derived = derived
        self._clock = clock
        self._places: dict[str, Bucket] = {}
        self._periods: dict[int, tuple[int, str]] = {}  # of each window: the second, and the period's name

    @property
    def parts(self) -> S3Parts:
        """Uploads in parts to the bucket of originals."""
        from imgcore.aws.parts import S3Parts

        return S3Parts(self._client, self._uploads, clock=self._clock)

    def form(
        self,
        key: str,
        *,
        media_type: str,
        min_bytes: int,
        max_bytes: int,
        expires_in: int,
        redirect: str | None = None,
    ) -> UploadForm:
        """Return a presigned POST (Amazon S3 API, "POST Object"): exact key and type, a range of sizes."""
        fields = {"Content-Type": media_type}
        fields |= {"success_action_redirect": redirect} if redirect else {"success_action_status": "201"}
        conditions: list[Any] = [{name: value} for name, value in fields.items()]
        conditions.append(["content-length-range", min_bytes, max_bytes])
        with reaching("uploads bucket"):
            post = self._client.generate_presigned_post(
                self._uploads,
                key,
                Fields=fields,
                Conditions=conditions,
                ExpiresIn=life_now(self._client, expires_in, self._clock()),
            )
        return UploadForm(post["url"], post["fields"])

    def find(self, key: str, *, version_id: str | None = None) -> ObjectCreated | None:
        """Return the result of HeadObject as an event; None for status 404."""
        version: dict[str, str] = {"VersionId": version_id} if version_id else {}
        try:
            with reaching("uploads bucket"):
                head = self._client.head_object(Bucket=self._uploads, Key=key, **version)  # type: ignore[arg-type]
        except NotFound:
            return None
        return ObjectCreated(
            self._uploads,
            key,
            size=head["ContentLength"],
            etag=head["ETag"].strip('"'),
            version_id=_version(head.get("VersionId")),
        )

    def read(self, key: str, *, max_bytes: int, version_id: str | None = None) -> StoredObject:
        """Return the object; Rejected by its Content-Length before the body is read."""
        version: dict[str, str] = {"VersionId": version_id} if version_id else {}
        with reaching("uploads bucket"):
            got = self._client.get_object(Bucket=self._uploads, Key=key, **version)  # type: ignore[arg-type]
            with closing(got["Body"]) as body:  # "with" alone hands out the stream that checks no length
                if got["ContentLength"] > max_bytes:
                    raise Rejected(too_large(got["ContentLength"], max_bytes), code="too_large")
                data = body.read()
        return StoredObject(data, got["ETag"].strip('"'), _version(got.get("VersionId")))

    def chunks(self, key: str, *, derived: bool, version_id: str | None = None) -> Iterator[bytes]:
        """Return the body of an object in parts of 64 KiB. A missing one is noticed here, not by the reader."""
        bucket, what = (self._derived, "derived bucket") if derived else (self._uploads, "uploads bucket")
        version: dict[str, str] = {"VersionId": version_id} if version_id else {}
        try:
            with reaching(what):
                got = self._client.get_object(Bucket=bucket, Key=key, **version)  # type: ignore[arg-type]
        except Unavailable:  # 403: the web hosts may not list the whole derived bucket, so S3 does not say 404
            if derived and not self.has_derived([key]):
                raise NotFound("This photo has no file in this size.") from None
            raise

        def parts() -> Iterator[bytes]:
            with reaching(what), closing(got["Body"]) as body:
                yield from body.iter_chunks(_PART)

        return parts()

    def has_derived(self, keys: Sequence[str]) -> bool:
        """Return whether the derived bucket lists these keys; a listing tells a missing key from a refusal."""
        with reaching("derived bucket"):
            for folder in {key.rpartition("/")[0] for key in keys}:
                got = self._client.list_objects_v2(Bucket=self._derived, Prefix=f"{folder}/")
                there = {item["Key"] for item in got.get("Contents", [])}
                if not there >= {key for key in keys if key.startswith(f"{folder}/")}:
                    return False
        return True

    def write(self, key: str, data: bytes, media_type: str) -> None:
        """Store a derived image."""
        with reaching("derived bucket"):
            self._client.put_object(
                Bucket=self._derived, Key=key, Body=data, ContentType=media_type, CacheControl=CACHE_CONTROL
            )

    def url(self, key: str, *, download_as: str | None = None) -> str:
        """Return a presigned GET URL of a derived image, the same one for half an hour."""
        return self._presigned(self._derived, key, download_as)

    def original_url(self, key: str, *, download_as: str, version_id: str | None = None) -> str:
        """Return a presigned GET URL of an original, as an attachment that browsers do not render.

        It lives for ten minutes at most: a link to a photo that was deleted since ends soon.
        """
        return self._presigned(self._uploads, key, download_as, version_id, window=ORIGINAL_WINDOW_SECONDS)

    def expires_at(self) -> datetime:
        """Return until when the URLs of derived images are valid: the end of the next window at most."""
        with reaching("bucket"):
            signed_at, life = self._validity(credentials_of(self._client), WINDOW_SECONDS)
        return datetime.fromtimestamp(signed_at + life, UTC)

    def period(self, *, originals: bool = False) -> str:
        """Return a name of the present window and credentials, within which a key has one URL.

        Credentials that replace them are seen after a second. originals: within which also an original has
        one; its windows are parts of the others.
        """
        window = ORIGINAL_WINDOW_SECONDS if originals else WINDOW_SECONDS
        second = int(self._clock())
        known_at, known = self._periods.get(window, (None, ""))
        if known_at == second:  # each request asks
            return known
        with reaching("bucket"):
            credentials = credentials_of(self._client)
        signed_at, life = self._validity(credentials, window)
        name = f"{signed_at} {life} {credentials.access_key}"
        self._periods[window] = second, name
        return name

    def origins(self) -> Sequence[str]:
        """Return the origins of forms and URLs of both buckets."""
        with reaching("bucket"):
            urls = [self._place(name).url for name in (self._uploads, self._derived)]
        urls.append(self.form(_PROBE_KEY, media_type="x", min_bytes=1, max_bytes=1, expires_in=1).url)
        parts = [urlsplit(url) for url in urls]
        return list(dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts))

    def ping(self) -> None:
        """Check that both buckets exist; HeadObject answers 404 also for a missing bucket."""
        with reaching("uploads bucket"), suppress(self._client.exceptions.NoSuchKey):
            self._client.get_object(Bucket=self._uploads, Key=_PROBE_KEY)
        self.has_derived([_DERIVED_PROBE_KEY])

    def remove(self, upload_keys: Sequence[str], derived_keys: Sequence[str]) -> None:
        """Delete all versions of the originals, and the derived images."""
        with reaching("uploads bucket"):
            for key in upload_keys:
                pages = self._client.get_paginator("list_object_versions")
                for page in pages.paginate(Bucket=self._uploads, Prefix=key):
                    found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                    versions = [item["VersionId"] for item in found if item["Key"] == key]
                    self._delete(self._uploads, [{"Key": key, "VersionId": each} for each in versions])
        with reaching("derived bucket"):
            self._delete(self._derived, [{"Key": key} for key in derived_keys])

    def remove_version(self, key: str, version_id: str) -> None:
        """Delete this version of an original; S3 answers 204 also where it is gone."""
        with reaching("uploads bucket"):
            self._client.delete_object(Bucket=self._uploads, Key=key, VersionId=version_id)

    def hide(self, key: str) -> None:
        """Put a delete marker over the versions of an original."""
        with reaching("uploads bucket"):
            self._client.delete_object(Bucket=self._uploads, Key=key)

    def _delete(self, bucket: str, objects: Sequence[ObjectIdentifierTypeDef]) -> None:
        """Delete up to 1,000 objects by one request, whose answer names those that were refused."""
        from botocore.exceptions import ClientError

        if not objects:
            return
        got = self._client.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        for refused in got.get("Errors", []):
            if refused.get("Code") not in {"NoSuchKey", "NoSuchVersion"}:
                raise ClientError({"Error": {"Code": refused.get("Code", "")}}, "DeleteObjects")

    def _presigned(
        self,
        bucket: str,
        key: str,
        download_as: str | None,
        version_id: str | None = None,
        window: int = WINDOW_SECONDS,
    ) -> str:
        """Return the URL signed at the start of the present window: the same one in every process.

        It is valid for two windows, so one from the end of a window is valid for another one; and never longer
        than the credentials that sign it.
        """
        parameters = None
        if download_as is not None or version_id is not None:
            parameters = _parameters(download_as, version_id)
        try:
            credentials = credentials_of(self._client)
            signed_at, life = self._validity(credentials, window)
            return presigned_url(
                self._places.get(bucket) or self._place(bucket),
                key,
                credentials,
                signed_at=signed_at,
                expires_in=life,
                parameters=parameters,
            )
        except Exception:
            with reaching("bucket"):  # only now: it would take a quarter of the time
                raise

    def _validity(self, credentials: Credentials, window: int) -> tuple[int, int]:
        """Return when URLs of the present window are signed, and for how many seconds they are valid."""
        now = self._clock()
        signed_at = int(now // window) * window
        return signed_at, credentials.life(2 * window, signed_at=signed_at, now=now)

    def _place(self, bucket: str) -> Bucket:
        if bucket not in self._places:
            self._places[bucket] = bucket_of(self._client, bucket)
        return self._places[bucket]


def _parameters(download_as: str | None, version_id: str | None) -> dict[str, str]:
    parameters = {}
    if download_as is not None:
        parameters["response-content-disposition"] = attachment(download_as)
        parameters["response-content-type"] = "application/octet-stream"
    if version_id is not None:
        parameters["versionId"] = version_id
    return parameters


def _version(version_id: str | None) -> str | None:
    return version_id if version_id not in (None, "null") else None


@contextmanager
def reaching(what: str) -> Iterator[None]:
    """Translate the errors of botocore. what: the name of the bucket in messages."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ImgcoreError:
        raise
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in {"NoSuchKey", "404", "NoSuchVersion", "NoSuchUpload", "NotFound"}:
            raise NotFound("The uploaded file does not exist any more. Upload it again.") from error
        if code in {"NoSuchBucket", "AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch"}:
            raise Unavailable(f"The {what} refused the request: {code}.", code="storage_refused") from error
        raise Unavailable(f"The {what} cannot be reached just now.", code="storage") from error
    except NoCredentialsError as error:
        raise Misconfigured("No AWS credentials are set.", code="no_credentials") from error
    except (BotoCoreError, OSError) as error:
        raise Unavailable(f"The {what} cannot be reached just now.", code="storage") from error
