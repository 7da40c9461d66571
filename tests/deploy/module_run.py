"""Run the main function of an Ansible module in this process, with a client of ours."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any
from unittest.mock import Mock, patch

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import RetryingBotoClientWrapper
from botocore.exceptions import ClientError

READS = ("get_", "list_", "describe_", "receive_")


class Failed(Exception):
    """The module ended with fail_json."""


class _Ended(Exception):
    """The module has ended; result: what it returned."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__()
        self.result = result


def run(
    module: ModuleType, client: Mock | Mapping[str, Mock], *, check: bool = False, **params: Any
) -> dict[str, Any]:
    """Run it and return its result. Failed with its message.

    client: that of every service, or one for each, by the service's name followed by the region, if given.
    """

    def client_of(_: object, service: str, retry_decorator: Any = None, region: str = "") -> Any:
        found = client[service + region] if isinstance(client, Mapping) else client
        return RetryingBotoClientWrapper(found, retry_decorator) if retry_decorator else found

    def end(_: object, **result: Any) -> None:
        raise _Ended(result)

    def fail(_: object, msg: str, **result: Any) -> None:
        raise Failed(msg)

    def fail_aws(_: object, error: Exception, msg: str, **result: Any) -> None:
        raise Failed(f"{msg}: {error}")

    with (
        patch_module_args({**params, "_ansible_check_mode": check}),
        patch.object(AnsibleModule, "exit_json", end),
        patch.object(AnsibleModule, "fail_json", fail),
        patch.object(AnsibleAWSModule, "exit_json", end),
        patch.object(AnsibleAWSModule, "fail_json", fail),
        patch.object(AnsibleAWSModule, "fail_json_aws", fail_aws),
        patch.object(AnsibleAWSModule, "client", client_of),
    ):
        try:
            module.main()
        except _Ended as ended:
            return ended.result
    raise AssertionError("The module ended without a result.")


def writes(client: Mock) -> list[str]:
    """Return the names of the calls that write, in their order."""
    names = [name for name, _, _ in client.mock_calls if "." not in name and "(" not in name]
    return [name for name in names if not name.startswith(READS)]


def pages(**of: list[dict[str, Any]]) -> Any:
    """Return a get_paginator whose operations have one page each: operation=[page, …]."""

    def paginator(operation: str) -> Mock:
        return Mock(paginate=Mock(return_value=of[operation]))

    return paginator


def denied(operation: str, code: str = "AccessDenied") -> ClientError:
    """Return an error as AWS's SDK raises it."""
    return ClientError({"Error": {"Code": code, "Message": "Not allowed."}}, operation)
