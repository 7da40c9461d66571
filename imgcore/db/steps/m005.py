"""The ledger of the models' answers."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m005_model_calls(schema: Schema) -> None:
    """One row for each answer of a model that is billed.

    Neither the image nor the account is a foreign key: what was paid stays when they are deleted.
    """
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS model_calls (
          id {serial},
          call_id {word} NOT NULL UNIQUE,
          called_at {time} NOT NULL,
          public_id {word} NULL,
          owner_id {int} NULL,
          model {name} NOT NULL,
          prompt_version {word} NULL,
          input_tokens {int} NOT NULL,
          output_tokens {int} NOT NULL,
          price_usd {real} NULL,
          price_date {word} NULL,
          counted_usd {real} NOT NULL,
          outcome {word} NOT NULL,
          batch {int} NOT NULL,
          CONSTRAINT model_calls_tokens CHECK (input_tokens >= 0 AND output_tokens >= 0)
        ) {options}
        """
    )
    schema.index("model_calls_at", "model_calls", "called_at, counted_usd")
    schema.index("model_calls_of", "model_calls", "owner_id, called_at")
    schema.index("model_calls_image", "model_calls", "public_id")
