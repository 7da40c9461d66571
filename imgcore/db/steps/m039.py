"""The sums of the ledger's months."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m039_ledger_months(schema: Schema) -> None:
    """The sums of the answered calls of each month that is over, for each owner: -1 for all calls.

    unsettled: how many calls of the month had no answer then. They are found by an index. The release before
    writes no sums; they are read from its rows.
    """
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS ledger_months (
          month {word} NOT NULL,
          owner_id {int} NOT NULL,
          calls {int} NOT NULL,
          images {int} NOT NULL,
          input_tokens {int} NOT NULL,
          output_tokens {int} NOT NULL,
          price_usd {real} NULL,
          unpriced {int} NOT NULL,
          unsettled {int} NOT NULL,
          PRIMARY KEY (owner_id, month)
        ) {options}
        """
    )
    schema.index("model_calls_state", "model_calls", "state, called_at, owner_id")
