"""Presigned GET URLs of S3 (Signature Version 4 in the query), byte for byte those of botocore.

botocore takes 300 µs for a URL, because it resolves the endpoint and builds a request; a page has 120.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ALGORITHM = "AWS4-HMAC-SHA256"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Credentials(NamedTuple):
    """The credentials that sign; ``token`` belongs to those of a role."""

    access_key: str
    secret_key: str
    token: str | None


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
    from botocore.exceptions import NoCredentialsError

    renewed: Any = client._request_signer._credentials  # type: ignore[attr-defined]
    if renewed is None:
        raise NoCredentialsError
    found = renewed.get_frozen_credentials()
    return Credentials(found.access_key, found.secret_key, found.token)


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
    signature = signer.key.copy()  # half the time of hmac.digest()
    signature.update(text.encode())
    return f"{bucket.url}{path}?{query}&X-Amz-Signature={signature.hexdigest()}"


class _Signer(NamedTuple):
    """What all URLs of one bucket and time have in common."""

    key: hmac.HMAC
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
    return _Signer(hmac.new(key, digestmod="sha256"), first + headers + token, first + token + headers, text)
