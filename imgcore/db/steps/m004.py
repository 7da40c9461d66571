"""The end of the table that notifications replaced."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m004_drop_outbox(schema: Schema) -> None:
    """Drop the outbox, which nothing reads: the rows of ``notices`` do its work.

    Functions of 0.1.0 that still run while this is applied fail to store their results; the queues deliver
    their messages again, to the functions of this release.
    """
    schema.run("DROP TABLE IF EXISTS outbox")
