"""The module lambda_recursion."""

from __future__ import annotations

from unittest.mock import Mock, call

import pytest

from tests.deploy.module_run import Failed, denied, run, writes
from tests.loading import module_at

recursion = module_at("roles/functions/library/lambda_recursion.py")


class NotFound(Exception):
    """The function does not exist."""


def function(loop: str) -> Mock:
    """Return a client with a function of this configuration."""
    client = Mock()
    client.exceptions.ResourceNotFoundException = NotFound
    client.get_function_recursion_config.return_value = {"RecursiveLoop": loop}
    return client


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("wanted", ["Allow", "Terminate"])
@pytest.mark.parametrize("found", ["Allow", "Terminate"])
def test_recursive_loop_detection_is_set_where_it_differs(found: str, wanted: str, check: bool) -> None:
    client = function(found)
    result = run(recursion, client, check=check, function_name="f", recursive_loop=wanted)
    written = call(FunctionName="f", RecursiveLoop=wanted)
    assert {"changed": found != wanted} == result
    assert call(FunctionName="f") == client.get_function_recursion_config.call_args
    assert ([written] if found != wanted and not check else []) == (
        client.put_function_recursion_config.call_args_list
    )


def test_function_that_is_missing_is_a_change_in_check_mode_alone() -> None:
    client = function("Terminate")
    client.get_function_recursion_config.side_effect = NotFound
    assert {"changed": True} == run(recursion, client, check=True, function_name="f", recursive_loop="Allow")
    with pytest.raises(Failed, match="The function f does not exist"):
        run(recursion, client, function_name="f", recursive_loop="Allow")
    assert [] == writes(client)


def test_recursive_loop_detection_that_is_denied_fails() -> None:
    client = function("Terminate")
    client.put_function_recursion_config.side_effect = denied("PutFunctionRecursionConfig")
    with pytest.raises(
        Failed, match=r"Failed to set the recursive loop detection of function f: .*Not allowed"
    ):
        run(recursion, client, function_name="f", recursive_loop="Allow")


def test_other_values_are_refused() -> None:
    with pytest.raises(Failed, match="must be one of: Allow, Terminate"):
        run(recursion, function("Terminate"), function_name="f", recursive_loop="Sometimes")
