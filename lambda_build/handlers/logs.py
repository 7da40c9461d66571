"""Every record of the function as one JSON object a line, which CloudWatch Logs can filter and count."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

_request: dict[str, Any] = {}


def configure() -> None:
    """Take the place of the runtime's own plain-text handler. Libraries tell of trouble only."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    for ours in ("imgcore", __package__):
        logging.getLogger(ours).setLevel(logging.INFO)


def begin(context: Any) -> None:
    """From now on every record tells the request that it belongs to."""
    _request["request_id"] = getattr(context, "aws_request_id", None)


class JsonFormatter(logging.Formatter):
    """time (UTC), level, logger, message, request_id, what ``extra={"fields": …}`` adds, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; what JSON cannot say is said by its str()."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_request,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, default=str)
