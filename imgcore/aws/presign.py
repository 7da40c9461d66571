"""Presigned GET URLs of S3 (Signature Version 4 in the query), byte for byte those of botocore.

botocore takes 300 µs for a URL, because it resolves the endpoint and builds a request; a page has 120.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from math import ceil, inf
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ALGORITHM = "AWS4-HMAC-SHA256"
_SIGNING_SECONDS = 5  # botocore reads the clock itself, later: a thread may have to wait for the processor
_DEFAULT_PORTS = {"http": 80, "https": 443}


# When the keys of instance profiles expire, by access key: botocore's own note of it may be later.
_METADATA_ENDS: dict[str, float] = {}


class Credentials(NamedTuple):
    """The credentials that sign; ``token`` belongs to those of a role.

    expires: when they expire, in seconds since the epoch; None where that is unknown, as for those of a user.
    """

    access_key: str
    secret_key: str
    token: str | None
    expires: float | None = None

    def life(self, seconds: int, *, signed_at: int, now: float) -> int:
        """Return for how long a signature of ``signed_at`` can be valid: ``seconds``, or until these expire.

        It is a second at least, because AWS refuses less. Credentials that have expired set no limit: the
        metadata service had no others, and AWS may still accept them.
        """
        if self.expires is None or self.expires <= now:
            return seconds
        return max(1, min(seconds, int(self.expires) - signed_at))


class Bucket(NamedTuple):
    """The place of a bucket: URL before the keys, Host header, path before the keys, region."""

    url: str
    host: str
    path: str
    region: str


def bucket_of(client: S3Client, name: str) -> Bucket:
    """Return the place of bucket ``name``, as botocore's endpoint rules and the client's settings give it."""
    template = client.generate_presigned_url("get_object", Params={"Bucket": name, "Key": "x"})
    url = template.partition("?")[0].removesuffix("x")
    parts = urlsplit(template)
    scope = parse_qs(parts.query)["X-Amz-Credential"][0].split("/")
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    if parts.port is not None and parts.port != _DEFAULT_PORTS.get(parts.scheme):
        host = f"{host}:{parts.port}"
    return Bucket(url, host, urlsplit(url).path, scope[-3])


def credentials_of(client: S3Client) -> Credentials:
    """Return the client's present credentials; those of a role are renewed before they expire.

    Raises botocore's NoCredentialsError. botocore has no public way from a client to its credentials.
    """
    renewed: Any = client._request_signer._credentials  # type: ignore[attr-defined]
    if renewed is None:
        from botocore.exceptions import NoCredentialsError  # an import takes a third of a URL's time

        raise NoCredentialsError
    while True:
        found = renewed.get_frozen_credentials()
        end = getattr(renewed, "_expiry_time", None)
        # Another thread may renew them between these two lines; it sets the key before the end.
        if found.access_key == getattr(renewed, "_access_key", found.access_key):
            break
    if end is None:
        return Credentials(found.access_key, found.secret_key, found.token)
    expires = min(end.timestamp(), _METADATA_ENDS.get(found.access_key, inf))
    return Credentials(found.access_key, found.secret_key, found.token, expires)


def life_now(client: S3Client, seconds: int, now: float) -> int:
    """Return for how many seconds, at most ``seconds``, what botocore signs next can be valid."""
    return credentials_of(client).life(seconds, signed_at=ceil(now) + _SIGNING_SECONDS, now=now)


def note_metadata_ends(session: Any) -> None:
    """Note when credentials of an instance profile expire, as the metadata service states it.

    botocore takes a later time where it gets credentials that expire within 20 minutes, so that it does not ask
    the service at each call (InstanceMetadataFetcher._evaluate_expiration). session: botocore's.
    """
    fetcher = session.get_component("credential_provider").get_provider("iam-role")._role_fetcher
    extend = fetcher._evaluate_expiration

    def evaluate(found: dict[str, Any]) -> None:
        with suppress(ValueError):  # botocore, too, leaves a time as it is that it cannot read
            _METADATA_ENDS[found["access_key"]] = datetime.fromisoformat(found["expiry_time"]).timestamp()
        extend(found)

    fetcher._evaluate_expiration = evaluate


def presigned_url(
    bucket: Bucket,
    key: str,
    credentials: Credentials,
    *,
    signed_at: int,
    expires_in: int,
    parameters: Mapping[str, str] | None = None,
) -> str:
    """Return the URL that reads an object.

    signed_at: seconds since the epoch. expires_in: seconds of validity. parameters: of GetObject, such
    as ``response-content-type`` and ``versionId``, in the order of the URL.
    """
    signer = _signer(bucket, credentials, signed_at, expires_in)
    path = quote(key, safe="/~")
    query, canonical_query = signer.query, signer.canonical_query
    if parameters:
        own = [f"{name}={quote(value, safe='-._~')}" for name, value in parameters.items()]
        query, canonical_query = "&".join([*own, query]), "&".join([canonical_query, *sorted(own)])
    request = f"GET\n{bucket.path}{path}\n{canonical_query}\nhost:{bucket.host}\n\nhost\nUNSIGNED-PAYLOAD"
    text = signer.string_to_sign + hashlib.sha256(request.encode()).hexdigest()
    inner, outer = signer.inner.copy(), signer.outer.copy()
    inner.update(text.encode())
    outer.update(inner.digest())
    return f"{bucket.url}{path}?{query}&X-Amz-Signature={outer.hexdigest()}"


class _Signer(NamedTuple):
    """What all URLs of one bucket and time have in common.

    inner, outer: both hashes of HMAC (RFC 2104) after the key. Copies of them take half the time of hmac's.
    """

    inner: hashlib._Hash
    outer: hashlib._Hash
    query: str
    canonical_query: str  # the same parameters in the order of their names
    string_to_sign: str  # all but the hash of the request


@lru_cache(maxsize=16)
def _signer(bucket: Bucket, credentials: Credentials, signed_at: int, expires_in: int) -> _Signer:
    timestamp = datetime.fromtimestamp(signed_at, UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = (timestamp[:8], bucket.region, "s3", "aws4_request")
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    credential = quote("/".join((credentials.access_key, *scope)), safe="-._~")
    first = f"X-Amz-Algorithm={_ALGORITHM}&X-Amz-Credential={credential}&X-Amz-Date={timestamp}"
    first += f"&X-Amz-Expires={expires_in}"
    token = (
        "" if credentials.token is None else f"&X-Amz-Security-Token={quote(credentials.token, safe='-._~')}"
    )
    headers = "&X-Amz-SignedHeaders=host"
    text = f"{_ALGORITHM}\n{timestamp}\n{'/'.join(scope)}\n"
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in key.ljust(64, b"\0"))) for pad in (0x36, 0x5C))
    return _Signer(inner, outer, first + headers + token, first + token + headers, text)
