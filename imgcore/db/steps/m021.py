"""Words in several languages."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m021_languages(schema: Schema) -> None:
    """The languages of an image's words, and of each version: JSON, see imgcore.db.words."""
    schema.column("images", "languages", "{text}")
    schema.column("word_versions", "languages", "{text}")
