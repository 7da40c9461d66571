"""Sources and history of the words, field by field."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m007_word_versions(schema: Schema) -> None:
    """The source of each field, and every version of its words.

    Words from before have one source for all fields, and no version until they change.
    """
    for field in ("caption", "alt_text", "tags"):
        schema.column("images", f"{field}_source", "{word}")
    # change_id: the same for the fields that one edit or answer wrote. undoes: the change that this one undid.
    # applied: 0 where words of a higher rank stayed.
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS word_versions (
          id {serial},
          image_id {int} NOT NULL,
          change_id {word} NOT NULL,
          field {word} NOT NULL,
          value {text} NOT NULL,
          source {word} NOT NULL,
          applied {int} NOT NULL,
          undoes {word} NULL,
          created_at {time} NOT NULL,
          account_id {int} NULL,
          model {name} NULL,
          prompt_version {word} NULL,
          input_tokens {int} NULL,
          output_tokens {int} NULL,
          price_usd {real} NULL,
          CONSTRAINT word_versions_image FOREIGN KEY (image_id) REFERENCES images (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("word_versions_of", "word_versions", "image_id, id")
