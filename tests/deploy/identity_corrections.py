"""Boundaries and instance profiles, as IAM judges them: further corrections, for aws_corrections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

SETS = {"iam:CreateRole", "iam:PutRolePermissionsBoundary"}
CHANGES = {
    *("iam:AttachRolePolicy", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy"),
    *("iam:DetachRolePolicy", "iam:PutRolePolicy"),
}


def boundaries() -> None:
    """The condition key iam:PermissionsBoundary: the boundary that a call sets, else that of its role.

    Source: Service Authorization Reference of IAM, condition keys.
    """
    from ministack.core import iam_actions
    from ministack.services import iam

    known = iam_actions.request_tag_context

    def corrected(service: str, action: str, body: bytes, *further: Any) -> dict[str, Any]:
        context: dict[str, Any] = known(service, action, body, *further)
        if action not in SETS | CHANGES:
            return context
        asked = {name: values[0] for name, values in parse_qs((body or b"").decode()).items()}
        role = iam._roles.get(asked.get("RoleName", "")) or {}
        boundary = asked.get("PermissionsBoundary") if action in SETS else role.get("PermissionsBoundary")
        return context | ({"iam:PermissionsBoundary": boundary} if boundary else {})

    iam_actions.request_tag_context = corrected


def profiles() -> None:
    """A call that names an instance profile is judged as about that profile.

    Source: Service Authorization Reference of IAM, resource types.
    """
    from ministack.core import iam_actions

    known: Callable[..., str] = iam_actions.extract_resource_arn

    def corrected(service: str, *request: Any) -> str:
        *_, parameters, _region, account = request
        named = parameters.get("InstanceProfileName") if service == "iam" else None
        if not named:
            return known(service, *request)
        name = named[0] if isinstance(named, list) else named
        return f"arn:aws:iam::{account}:instance-profile/{name}"

    iam_actions.extract_resource_arn = corrected


CORRECTIONS: tuple[Callable[[], None], ...] = (boundaries, profiles)
