"""The events that webhooks are called for."""

from __future__ import annotations

from enum import StrEnum


class WebhookEvent(StrEnum):
    """What happened."""

    PHOTO_DESCRIBED = "photo.described"
    PHOTO_FAILED = "photo.failed"
    BATCH_FINISHED = "batch.finished"
