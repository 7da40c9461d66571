"""Calls of models whose answer is not known."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m035_open_calls(schema: Schema) -> None:
    """Add the state of a call (NULL: it was answered) and the most tokens that it can use, with their price.

    The previous release counts a call without an answer as one of no tokens and an unknown price.
    """
    schema.column("model_calls", "state", "{word}")
    schema.column("model_calls", "most_input_tokens", "{int}")
    schema.column("model_calls", "most_output_tokens", "{int}")
    schema.column("model_calls", "most_price_usd", "{real}")
