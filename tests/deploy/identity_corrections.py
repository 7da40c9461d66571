"""Permissions boundaries, as IAM has them: a further correction of the stand-in, for aws_corrections."""

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


CORRECTIONS: tuple[Callable[[], None], ...] = (boundaries,)
