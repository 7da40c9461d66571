"""The words of images as CSV and JSON, for ``imgcore export`` and for downloads. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from imgcore.gallery.models import Image

BOM = "\ufeff"  # without it, Excel reads a CSV file in the code page of the computer
FIELDS = (
    "id", "name", "status", "caption", "alt_text", "tags", "visible_text", "safety", "source", "model",
    "width", "height", "size", "media_type", "taken_at", "camera", "uploaded_at", "caption_generated_at",
)  # fmt: skip
VISITOR_FIELDS = ("caption", "alt_text", "tags")


def image_row(image: Image, fields: Sequence[str] = FIELDS) -> dict[str, Any]:
    """Return the fields of an image as JSON can hold them."""
    known = asdict(image) | {"id": image.public_id, "status": image.status}
    return {name: _plain(known[name]) for name in fields}


def csv_line(values: Sequence[Any]) -> str:
    """Return one line of CSV (RFC 4180) with its line break."""
    out = io.StringIO()
    csv.writer(out).writerow([_cell(value) for value in values])
    return out.getvalue()


def csv_row(row: Mapping[str, Any], fields: Sequence[str]) -> str:
    """Return the fields of a row of ``image_row`` as one line of CSV; tags are separated by commas."""
    return csv_line([", ".join(row[name]) if name == "tags" else row[name] for name in fields])


def json_row(row: Mapping[str, Any]) -> str:
    """Return a row as JSON on one line."""
    return json.dumps(row, ensure_ascii=False)


def _cell(value: Any) -> Any:
    """Quote a text that a spreadsheet would run as a formula (OWASP, "CSV Injection")."""
    return f"'{value}" if isinstance(value, str) and value[:1] in set("=+-@\t\r") else value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
