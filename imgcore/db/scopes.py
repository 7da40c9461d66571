"""The photos of the timeline that a viewer sees, as a condition of its indexes."""

from __future__ import annotations

from typing import Any

from imgcore.gallery.models import Viewer

NOBODY = -1


def owner_seen(viewer: Viewer) -> int | None:
    """Return whose photos the viewer sees: None for everybody's, NOBODY for none.

    The timeline holds received photos only, and each viewer of others' photos sees those.
    """
    if viewer.changes_others or viewer.sees_others:
        return None
    return NOBODY if viewer.account_id is None else viewer.account_id


def scope_of(owner: int | None) -> tuple[str, dict[str, Any]]:
    """Return the first condition of a range of the timeline, with its AND, and its values."""
    return ("", {}) if owner is None else ("owner_id = :owner_id AND", {"owner_id": owner})
