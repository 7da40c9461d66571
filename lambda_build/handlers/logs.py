"""Write each log record as one line of JSON, which CloudWatch Logs can filter and count."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

_request: dict[str, Any] = {}


def configure() -> None:
    """Replace the runtime's plain-text handler. Libraries log warnings and errors only."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    for ours in ("imgcore", __package__):
        logging.getLogger(ours).setLevel(logging.INFO)


def begin(context: Any) -> None:
    """Add the id of the request to every record from now on."""
    _request["request_id"] = getattr(context, "aws_request_id", None)


class JsonFormatter(logging.Formatter):
    """time (UTC), level, logger, message, request_id, what ``extra={"fields": …}`` adds, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; values that JSON lacks are written as their str()."""
        record_fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_request,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            record_fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(record_fields, default=str)
