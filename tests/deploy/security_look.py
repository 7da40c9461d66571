"""The environment of an account to describe, and helpers for reading AWS's responses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError


@dataclass(frozen=True)
class Look:
    """The makers of clients, and what the environment's resources are called."""

    make: Callable[[str], Any] = field(compare=False)
    project: str
    env: str

    @property
    def prefix(self) -> str:
        """What every name begins with."""
        return f"{self.project}-{self.env}"

    @cached_property
    def clients(self) -> dict[str, Any]:
        """Those that were made already."""
        return {}

    def client(self, service: str) -> Any:
        """One for each service."""
        if service not in self.clients:
            self.clients[service] = self.make(service)
        return self.clients[service]

    @cached_property
    def account(self) -> str:
        """Return the account's id."""
        return str(self.client("sts").get_caller_identity()["Account"])

    @cached_property
    def vpc_ids(self) -> list[str]:
        """The VPC of this name; there should be one."""
        named = {"Name": "tag:Name", "Values": [f"{self.prefix}-network"]}
        return [vpc["VpcId"] for vpc in self.client("ec2").describe_vpcs(Filters=[named])["Vpcs"]]

    def in_vpc(self) -> list[dict[str, Any]]:
        """The filter that keeps to it."""
        return [{"Name": "vpc-id", "Values": self.vpc_ids or ["none"]}]

    def pages(self, service: str, operation: str, key: str, **given: Any) -> Iterator[Any]:
        """Every item of every page of an answer."""
        for page in self.client(service).get_paginator(operation).paginate(**given):
            yield from page.get(key, [])

    def ask(self, service: str, operation: str, missing: Any = None, **given: Any) -> Any:
        """An answer, or ``missing`` where there is nothing of the kind; other errors are raised."""
        try:
            return getattr(self.client(service), operation)(**given)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code.startswith("NoSuch") or "NotFound" in code or code == "404":
                return missing
            raise


def document(text: str | None) -> dict[str, Any]:
    """A policy; one without statements where there is none."""
    return json.loads(text) if text else {"Statement": []}
