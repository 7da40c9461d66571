"""Notices for all users of the gallery: the model refuses its key, tasks are paused, a cap is reached."""

from __future__ import annotations

from imgcore.errors import ImgcoreError
from imgcore.gallery.models import Notice, TaskKind
from imgcore.pipeline.models import WAITING, Conditions

_PAUSED = {TaskKind.THUMBNAIL: "the previews of new photos", TaskKind.CAPTION: "the descriptions of photos"}


def notices(conditions: Conditions, cap: ImgcoreError | None) -> tuple[Notice, ...]:
    """Return the notices of these conditions of the pipeline. cap: on spending, where it is reached."""
    if not (conditions.paused or conditions.reason or cap):
        return ()
    found = []
    if paused := [what for kind, what in _PAUSED.items() if kind in conditions.paused]:
        text = f"An administrator has paused {' and '.join(paused)}; they go on later."
        found.append(Notice("paused", text))
    if cap is not None:
        found.append(Notice(cap.code, cap.message))
    reason, message = conditions.reason, conditions.message
    # A pause ends by itself; a refused key stays refused until somebody replaces it
    if reason and message and not (conditions.closed and reason in WAITING):
        found.append(Notice(reason, message))
    return tuple(found)
