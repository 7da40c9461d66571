"""SQS, CloudTrail, Lambda, instance types and what IAM judges, as AWS has them, for aws_corrections."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any


def audit() -> None:
    """CloudTrail: AWS names the action of every call, whichever protocol it came by.

    LookupEvents returns 50 events a page, the newest first, and a token for the next page.
    """
    from ministack import app
    from ministack.services import cloudtrail

    name, record = app._ct_event_name, cloudtrail.record_event

    def named(service: str, method: str, path: str, headers: Any, query: Any) -> str:
        head, _, operation = path.rpartition("/operation/")
        return operation if head else str(name(service, method, path, headers, query))

    def recorded(*, event_name: str, request_params: dict[str, Any], **further: Any) -> None:
        action = request_params.get("Action") if isinstance(request_params, dict) else None
        record(event_name=str(action or event_name), request_params=request_params, **further)

    def paged(body: dict[str, Any]) -> Any:
        events = list(cloudtrail._get_event_queue())
        end = int(body.get("NextToken") or len(events))
        start = max(0, end - 50)
        page = {"Events": events[start:end][::-1]}
        return cloudtrail._ok(page | ({"NextToken": str(start)} if start else {}))

    app._ct_event_name, cloudtrail.record_event = named, recorded
    cloudtrail._DISPATCH["LookupEvents"] = paged


def queues() -> None:
    """CreateQueue: AWS encrypts every queue with keys of its own where nothing else is asked for."""
    from ministack.services import sqs

    create = sqs._HANDLERS["CreateQueue"]

    def corrected(data: dict[str, Any], url: str) -> Any:
        asked = data.get("Attributes") or {}
        default = {} if "KmsMasterKeyId" in asked else {"SqsManagedSseEnabled": "true"}
        return create(data | {"Attributes": default | asked}, url)

    sqs._HANDLERS["CreateQueue"] = corrected


def lambda_actions() -> None:
    """Lambda: IAM judges limits, recursion and mappings by the names of their own operations."""
    from ministack.core import iam_actions

    known = iam_actions._lambda_action
    limits = {"GET": "GetFunctionConcurrency", "DELETE": "DeleteFunctionConcurrency"}
    recursion = {"GET": "GetFunctionRecursionConfig", "PUT": "PutFunctionRecursionConfig"}
    mappings = {"GET": "GetEventSourceMapping", "PUT": "UpdateEventSourceMapping"}
    mappings["DELETE"] = "DeleteEventSourceMapping"

    def corrected(method: str, path: str) -> str | None:
        parts = [part for part in path.split("/") if part]
        if parts[-1:] == ["concurrency"] and method in limits:
            return limits[method]
        if parts[-1:] == ["recursion-config"] and method in recursion:
            return recursion[method]
        if parts[-2:-1] == ["event-source-mappings"] and method in mappings:
            return mappings[method]
        if parts[-1:] == ["account-settings"]:
            return "GetAccountSettings"
        action: str | None = known(method, path)
        return action

    iam_actions._lambda_action = corrected


def calls() -> None:
    """Note each call that IAM judges, a line of JSON, in the file that CALLS names; AWS does not."""
    from ministack.core import iam_evaluator

    enforce, pin, file = iam_evaluator.enforce, iam_evaluator.pin_request_caller, os.environ.get("CALLS")
    agent: ContextVar[str] = ContextVar("agent", default="")

    def pinned(headers: Any, *further: Any) -> None:
        agent.set(headers.get("user-agent", ""))
        pin(headers, *further)

    def noted(key: str, action: str, service: str, region: str, **further: Any) -> Any:
        answer = enforce(key, action, service, region, **further)
        line = {"key": key, "agent": agent.get(), "action": action, "denied": answer is not None}
        line["resource"] = further.get("resource_arn", "*")
        with Path(file or os.devnull).open("a", encoding="utf-8") as notes:
            notes.write(json.dumps(line) + "\n")
        return answer

    iam_evaluator.enforce, iam_evaluator.pin_request_caller = noted, pinned


# Instance types up to two vCPUs that AWS offers; those with a g after the generation are Graviton's.
OFFERED = r"t3a?\.(nano|micro|small|medium|large)|t4g\.(nano|micro|small|medium|large)|[cm](5|6i|7i|7g)\.large"


def instance_types() -> None:
    """DescribeInstanceTypes: AWS filters by name, and offers Graviton's types, which run arm64 alone."""
    from ministack.services import ec2

    describe = ec2._ACTION_MAP["DescribeInstanceTypes"]

    def corrected(params: Any) -> Any:
        if not (asked := ec2._parse_filters(params).get("instance-type")):
            return describe(params)
        offered = [name for name in asked if re.fullmatch(OFFERED, name)] or ["none"]
        named = {f"InstanceType.{number}": [name] for number, name in enumerate(offered, 1)}
        status, headers, body = describe(named)
        text = re.sub(r"<default(VCpus|Cores)>\d+", r"<default\1>2", body.decode())
        text = re.sub(r"(<instanceType>\w+g\..*?)<item>x86_64", r"\1<item>arm64", text, flags=re.DOTALL)
        if offered == ["none"]:
            text = re.sub(r"<instanceTypeSet>.*</instanceTypeSet>", "<instanceTypeSet/>", text, flags=re.DOTALL)
        return status, headers, text.encode()

    ec2._ACTION_MAP["DescribeInstanceTypes"] = corrected


CORRECTIONS: tuple[Callable[[], None], ...] = (audit, queues, lambda_actions, instance_types, calls)
