"""The index of what filters compare."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m027_filters(schema: Schema) -> None:
    """Photos by the status of their tasks, and their facets: camera, type, orientation and dates.

    A photo that has been indexed without them loses the mark at the end of its text, and is indexed anew.
    """
    schema.index("tasks_status_image", "tasks", "status, image_id")
    schema.run(
        "UPDATE images SET search_text = REPLACE(search_text, :mark, '') WHERE unindexed IS NULL", mark="\n"
    )
