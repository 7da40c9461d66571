"""Which photos have words of the local describer."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m042_local_words(schema: Schema) -> None:
    """Photos with a caption, an alt text or tags of the local describer, which a model may replace."""
    local = "CASE WHEN 'local' IN (source, alt_text_source, tags_source) THEN 1 END"
    schema.generated_column("images", "local_words", "{int}", local)
    schema.index("images_local_words", "images", "local_words")
