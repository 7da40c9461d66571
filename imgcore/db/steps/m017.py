"""The timeline, and the time of each image's last change."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m017_timeline(schema: Schema) -> None:
    """The place of each image on the timeline, in both orders, and when what a card shows changed last.

    An image is on the timeline while the gallery lists it and its file has been received. The columns are
    computed, so that they also hold for rows that the release before writes; it does not set ``changed_at``.
    """
    on_timeline = "listed_id IS NOT NULL AND upload_status = 'received'"
    for name, place in (("timeline_at", "COALESCE(taken_at, uploaded_at)"), ("timeline_upload", "uploaded_at")):
        schema.generated_column("images", name, "{time}", f"CASE WHEN {on_timeline} THEN {place} END")
        schema.index(f"images_{name}", "images", name)
        schema.index(f"images_{name}_of", "images", f"owner_id, {name}")
    schema.column("images", "changed_at", "{time}")
    schema.index("images_changed", "images", "changed_at")
