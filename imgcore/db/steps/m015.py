"""The backoff of circuit breakers, and the upgrade of local descriptions."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m015_breaker_backoff(schema: Schema) -> None:
    """How often a service failed to answer, and when a model last failed to describe an image for good."""
    schema.column("gates", "failures", "{int}")
    schema.column("images", "undescribed_at", "{time}")
    schema.index("images_source", "images", "source, id")
