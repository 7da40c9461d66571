"""Descriptions by further models."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m016_sources(schema: Schema) -> None:
    """Drop the list of the sources that a description may have; the sources of its fields have none either.

    MySQL would copy the whole table to check a longer list.
    """
    schema.drop_check("images", "images_source", "source IN ('human', 'gemini', 'embedded', 'local')")
