"""What the tests of the laptop's cloud share."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tests.cloud import ROOT, Cloud

PREFIX = "caption-gallery-local"
UPLOADS, DERIVED = f"{PREFIX}-uploads", f"{PREFIX}-derived"
ARN = "arn:aws:{}:us-east-1:000000000000:{}"
SECRET = "gallery-gemini"
# Extra variables of every run: the probe's handlers, and a secret that the caption function alone may read.
PROBE = {
    "functions_thumbnail_handler": "probe.handler",
    "functions_caption_handler": "probe.handler",
    "functions_caption_secret_arns": [ARN.format("secretsmanager", f"secret:{SECRET}-*")],
}


def pack_probe(folder: Path) -> None:
    """thumbnail.zip and caption.zip in that folder, both the probe."""
    folder.mkdir(parents=True)
    for name in ("thumbnail", "caption"):
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            archive.write(ROOT / "tests/deploy/probe.py", "probe.py")


def recap(output: str) -> dict[str, int]:
    """Ansible's recap as counts."""
    (line,) = re.findall(r"^localhost +: (ok=.*)$", output, re.MULTILINE)
    return {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", line)}


def queue_url(aws: Cloud, name: str) -> str:
    """The address of a queue, by its name after the prefix."""
    return f"{aws.emulator.endpoint}/000000000000/{PREFIX}-{name}"


def queue(aws: Cloud, name: str) -> dict[str, Any]:
    """A queue's attributes, those that are JSON read."""
    found = aws.client("sqs").get_queue_attributes(QueueUrl=queue_url(aws, name), AttributeNames=["All"])
    return {
        key: json.loads(text) if text.startswith("{") else text for key, text in found["Attributes"].items()
    }


def ask_probe(aws: Cloud, name: str, service: str, operation: str, parameters: Mapping[str, Any]) -> str | None:
    """The error code of a call that the function makes with its role; None where it is allowed."""
    asked = {"service": service, "operation": operation, "parameters": parameters}
    answer = aws.client("lambda").invoke(FunctionName=f"{PREFIX}-{name}", Payload=json.dumps(asked))
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload["code"]


def ask(aws: Cloud, identity: str, service: str, operation: str, parameters: Mapping[str, Any]) -> str | None:
    """The same for an identity of the laptop's cloud: ``web`` or ``operator``."""
    try:
        getattr(aws.client(service, aws.settings(identity)), operation)(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None
