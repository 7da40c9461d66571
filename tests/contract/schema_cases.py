"""API requests generated from openapi.yaml: how many there are, and corrections that no schema can express."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.python._constants.orchestrator import make_constants_value_source

from imgcore.gallery.places import Place
from imgcore.webhooks.sender import literal

# The drill openapi has a profile with more examples than the default of Hypothesis.
THOROUGH = settings.default.max_examples > 100
EXAMPLES = settings.default.max_examples // 5
GENERATED = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), derandomize=True)


def operations(schema: Any) -> list[str]:
    """Return the label of every operation, "METHOD path"."""
    return [result.ok().label for result in schema.get_all_operations()]


def check_operation(schema: Any, label: str, check: Callable[[schemathesis.Case], None]) -> None:
    """Call ``check`` with examples, systematic variants and random requests of one operation.

    ``schema.parametrize()`` makes them when tests are collected: in each worker for all operations, which takes
    longer than to collect every other test. Its lazy form uses an attribute that pytest 9.2 has removed.
    """
    load_all_checks()
    [operation] = [result.ok() for result in schema.get_all_operations() if result.ok().label == label]
    build_operation_test(
        config=schema.config,
        operation=operation,
        test_func=check,
        given_kwargs={},
        feedback=FeedbackSources(constants_value_source=make_constants_value_source(schema)),
        explicit_settings=GENERATED,
    )()


def expect_limit_of_bodies(schema: Any) -> None:
    """Accept 413 for wrong data: a body may be too large before it is found to be wrong."""
    check = schema.config.checks.negative_data_rejection
    check.expected_statuses = [*check.expected_statuses, "413"]


def known_query(case: schemathesis.Case) -> None:
    """No schema can tell a cursor that was handed out, nor a private address, nor count words."""
    query = case.query or {}
    cursor = query.get("cursor")
    if isinstance(cursor, str) and len(cursor) <= 200 and "\0" not in cursor:
        month = (case.path_parameters or {}).get("month")
        known = {"/tags": "dGFnPWE", "/timeline/{month}": Place(f"{month}-02 00:00:00.000000", 1).text()}
        known["/shares"] = Place(1, 3).text()
        query["cursor"] = known.get(case.path, "aWQ8Mw")  # after tag=a, below a day, before the third
    if query.get("deleted") == "1" or case.path.startswith("/albums"):  # of a time, or a place by hand
        query.pop("cursor", None)
    if isinstance(query.get("since"), str) and len(query["since"]) <= 200 and "\0" not in query["since"]:
        del query["since"]
    if isinstance(query.get("q"), str) and len(query["q"].split()) > 16 and len(query["q"]) <= 200:
        query["q"] = "many words"
    body = case.body
    if isinstance(body, dict) and isinstance(body.get("url"), str):
        host = re.match("https://([a-z0-9.-]+)", body["url"])
        if host and literal(host[1]):  # such as https://0, which is a private address
            body["url"] = body["url"].replace(host[0], "https://example.org", 1)
    if isinstance(body, dict) and isinstance(body.get("query"), dict):
        if isinstance(body.get("cursor"), str):
            body["cursor"] = "aWQ8Mw"
        words = body["query"].get("q")
        if isinstance(words, str) and len(words.split()) > 16 and len(words) <= 200:
            body["query"]["q"] = "many words"
