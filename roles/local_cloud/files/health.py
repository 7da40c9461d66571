"""Check that the emulator has the playbook's resources, and start the functions' workers."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from emulator import read_settings

PREFIX = "caption-gallery-local"
FUNCTIONS = ("thumbnail", "caption")


READ_TIMEOUT = 300  # seconds; a busy computer takes a minute to start the workers


class WorkerFailed(Exception):
    """A worker of a function does not start. The message has the reason."""


def client(service: str, environ: Mapping[str, str]) -> Any:
    """Return a boto3 client with the endpoint, region and access key of ``environ``."""
    session = _session(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], environ["AWS_REGION"])
    settings = Config(retries={"max_attempts": 0}, read_timeout=READ_TIMEOUT, proxies={})
    return session.client(service, endpoint_url=environ["AWS_ENDPOINT_URL"], config=settings)


@functools.cache
def _session(access_key: str, secret_key: str, region: str) -> Any:  # its types know no service by a variable
    """Return the session of an access key. Each session reads the list of all services and the models anew."""
    return boto3.session.Session(access_key, secret_key, region_name=region)


def resources_exist(root: Mapping[str, str], home: Path) -> bool:
    """Return whether the playbook's buckets, queues, topics, rule and functions (of the built zips) exist."""
    try:
        web = read_settings(home / "web.env")
        functions = client("lambda", root)
        for name in FUNCTIONS:
            function = f"{PREFIX}-{name}"
            code = base64.b64encode(
                hashlib.sha256((home / "dist" / f"{name}.zip").read_bytes()).digest()
            ).decode()
            if functions.get_function_configuration(FunctionName=function)["CodeSha256"] != code:
                return False
            if not functions.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]:
                return False
        uploads = client("s3", root).get_bucket_notification_configuration(Bucket=f"{PREFIX}-uploads")
        (topic,) = uploads["TopicConfigurations"]
        subscriptions = client("sns", root).list_subscriptions_by_topic(TopicArn=topic["TopicArn"])[
            "Subscriptions"
        ]
        client("s3", root).head_bucket(Bucket=f"{PREFIX}-derived")
        client("events", root).describe_rule(Name=f"{PREFIX}-sweep")
        client("sns", root).get_topic_attributes(TopicArn=topic["TopicArn"].replace("-uploads", "-notices"))
        client("sts", web).get_caller_identity()
    except (BotoCoreError, ClientError, OSError, KeyError, ValueError):
        return False
    return len(subscriptions) == len(FUNCTIONS)


def start_workers(root: Mapping[str, str], workers: int) -> None:
    """Start ``workers`` workers of each function in parallel. Raise WorkerFailed if one does not start."""
    functions = client("lambda", root)

    def ping(name: str) -> None:
        try:
            answer = functions.invoke(FunctionName=f"{PREFIX}-{name}", Payload=json.dumps({"task": "ping"}))
        except (BotoCoreError, ClientError) as error:
            raise WorkerFailed(f"The {name} function does not start: {error}") from error
        if "FunctionError" in answer:
            failure = json.loads(answer["Payload"].read())
            raise WorkerFailed(f"The {name} function does not start: {failure.get('errorMessage', failure)}")

    with ThreadPoolExecutor(workers * len(FUNCTIONS)) as pool:
        list(pool.map(ping, FUNCTIONS * workers))
