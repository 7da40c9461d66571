"""botocore sessions and clients with timeouts, and secrets of AWS Secrets Manager.

boto3 would add 30 modules for transfers and resources that nothing here uses, a tenth of a cold start.
"""

from __future__ import annotations

import os
from typing import Any

from imgcore.aws.presign import note_metadata_ends
from imgcore.errors import Misconfigured, Unavailable


def create_session() -> Any:
    """Return a botocore session for the region in AWS_DEFAULT_REGION or AWS_REGION.

    botocore itself reads only the first of them; other SDKs read the second. Misconfigured where no region is
    set.
    """
    from botocore.session import Session

    session = Session()
    if region := os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION"):
        session.set_config_variable("region", region)
    if session.get_config_variable("region") is None:
        raise Misconfigured("AWS_REGION is not set.")
    note_metadata_ends(session)
    return session


def create_client(service: Any, session: Any = None, *, retries: int = 3) -> Any:
    """Return a botocore client of ``service``; credentials and endpoint come from AWS's own variables.

    session: reused by several clients, because it loads credentials and service descriptions once. retries: of
    a failed call.
    """
    from botocore.config import Config as BotoConfig

    return (session or create_session()).create_client(
        service,
        config=BotoConfig(
            connect_timeout=3,
            read_timeout=20,
            retries={"mode": "standard", "max_attempts": retries},
            max_pool_connections=20,
            **(_s3_settings() if service == "s3" else {}),
        ),
    )


def _s3_settings() -> dict[str, Any]:
    """Return botocore's settings by which every bucket is reached at the host of its region.

    By default botocore presigns for the global host, which answers 307 for a new bucket outside us-east-1 for
    up to a day, and 400 in regions that an account must opt in to. Emulators, behind an endpoint of their own,
    serve buckets by path.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    style = {"addressing_style": "path" if endpoint else "virtual", "us_east_1_regional_endpoint": "regional"}
    return {"signature_version": "s3v4", "s3": style}


_NOT_RETURNED = "AWS Secrets Manager does not return the secret."
_SECRET_CODES = {
    "ResourceNotFoundException": "secret_missing",
    "AccessDeniedException": "secret_refused",
}


def get_secret(secret_id: str) -> str:
    """Return the text of a secret in AWS Secrets Manager.

    Unavailable where it cannot be fetched: ``secret_missing`` where there is none or it has no value,
    ``secret_refused`` where it may not be read, else ``secret``.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return str(create_client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"])
    except ClientError as error:
        code = _SECRET_CODES.get(error.response.get("Error", {}).get("Code", ""), "secret")
        raise Unavailable(_NOT_RETURNED, code=code) from error
    except (BotoCoreError, KeyError) as error:
        raise Unavailable(_NOT_RETURNED, code="secret") from error
