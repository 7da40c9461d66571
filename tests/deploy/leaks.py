"""Looks for secret values where none may be: in files and zips, in a cloud's settings, logs and user data."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.deploy.provision_account import Account

Places = Iterable[tuple[str, bytes]]
# Not the product's: what others made, and what is made anew.
FOREIGN = {
    ".git",
    ".venv",
    ".local",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
}


def leaks(canaries: Iterable[str], places: Places) -> list[str]:
    """The places that hold one of these values, as it is or in base 64."""
    forms = [form for canary in canaries for form in (canary.encode(), base64.b64encode(canary.encode()))]
    return [name for name, content in places if any(form in content for form in forms)]


def files(folder: Path, but: Iterable[str] = ()) -> Places:
    """Every file below a folder, and every file in every zip among them."""
    skipped = FOREIGN | set(but)
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not path.is_symlink() and not skipped & set(inside.parts):
            yield from _opened(str(inside), path.read_bytes())


def _opened(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, content
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.namelist():
                yield from _opened(f"{name}/{entry}", archive.read(entry))


def cloud(aws: Account) -> Places:
    """Every resource's settings, every line of every log, the user data of hosts, all parameters."""
    for key, value in aws.described().items():
        yield key, json.dumps(value, default=str, ensure_ascii=False).encode()
    logs, ec2, ssm = aws.client("logs"), aws.client("ec2"), aws.client("ssm")
    for group in logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        for event in logs.filter_log_events(logGroupName=name)["events"]:
            yield f"log {name}", event["message"].encode()
    for template in ec2.describe_launch_templates()["LaunchTemplates"]:
        asked = {"LaunchTemplateId": template["LaunchTemplateId"]}
        for version in ec2.describe_launch_template_versions(**asked)["LaunchTemplateVersions"]:
            data = version["LaunchTemplateData"].get("UserData", "")
            yield f"user data {template['LaunchTemplateName']}", base64.b64decode(data)
    for parameter in ssm.describe_parameters()["Parameters"]:
        value = ssm.get_parameter(Name=parameter["Name"], WithDecryption=True)["Parameter"]["Value"]
        yield f"parameter {parameter['Name']}", value.encode()
