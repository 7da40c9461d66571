"""The words that photos are searched by."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m009_words(schema: Schema) -> None:
    """Each word of each photo, and each word once, which tells what a prefix stands for.

    The release before goes on writing ``search_text`` without words, and without the line break at its end:
    ``unindexed`` finds those rows, for ``migrate`` and for the sweep.
    """
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS words (
          word {word} NOT NULL,
          image_id {int} NOT NULL,
          PRIMARY KEY (word, image_id),
          CONSTRAINT words_image FOREIGN KEY (image_id) REFERENCES images (id) ON DELETE CASCADE
        ) {clustered}
        """
    )
    schema.index("words_of", "words", "image_id, word")
    schema.run("CREATE TABLE IF NOT EXISTS vocabulary (word {word} NOT NULL PRIMARY KEY) {clustered}")
    ended = "CASE WHEN SUBSTR(search_text, -1) = '\n' THEN NULL ELSE 1 END"
    schema.generated_column("images", "unindexed", "{int}", ended)
    schema.index("images_unindexed", "images", "unindexed")
