"""Write the price table of Gemini's models: ``make lock`` runs it where genai-prices is installed.

The table is made from the package genai-prices (MIT). Its data need 1.5 MiB and longer to import than a whole
Lambda function: too much for looking up two numbers.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

PATH = Path(__file__).parents[1] / "imgcore/captioning/prices.json"

# Models that do not answer a photo with text.
_OTHERS = re.compile(r"tts|live|image|embedding|audio|computer-use|robotics|omni|translate")


def rates(models: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield the prices of ``models``, each from its day on: US dollars per million tokens, standard tier."""
    for model in models:
        if not model.id.startswith("gemini-") or _OTHERS.search(model.id):
            continue
        prices = model.prices if isinstance(model.prices, list) else [model.prices]
        for entry in prices:
            constraint = getattr(entry, "constraint", None)
            price: Any = getattr(entry, "prices", entry)
            tokens = _base(price.input_mtok), _base(price.output_mtok)
            if None not in tokens and (constraint is None or hasattr(constraint, "start_date")):
                since = (constraint.start_date if constraint else date.min).isoformat()
                yield {"model": model.id, "since": since, "input": tokens[0], "output": tokens[1]}


def _base(price: Any) -> float | None:
    """Return the price of the first tier: a photo and its description are far below any other."""
    return None if price is None else float(getattr(price, "base", price))


def main() -> int:
    """Write the table, with its day and its source."""
    providers = import_module("genai_prices.data").providers  # not among the locked packages
    google = next(provider for provider in providers if provider.id == "google")
    ordered = sorted(rates(google.models), key=lambda rate: (rate["model"], rate["since"]))
    lines = ",\n".join(json.dumps(rate) for rate in ordered)
    source = f"genai-prices {version('genai-prices')}"
    today = datetime.now(UTC).date()
    PATH.write_text(f'{{\n"as_of": "{today}",\n"source": "{source}",\n"rates": [\n{lines}\n]\n}}\n')
    sys.stdout.write(f"{PATH}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
