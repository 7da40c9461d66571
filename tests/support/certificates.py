"""One TLS context for all HTTP clients of a test process that trust the same certificates."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import certifi


@contextmanager
def shared_contexts() -> Iterator[None]:
    """Read the file of trusted certificates once; each client of google-genai does so, in 30 ms.

    Contexts for any other file are new ones, because pymysql changes those that it creates.
    """
    create, made = ssl.create_default_context, {}

    def context(*arguments: Any, **named: Any) -> ssl.SSLContext:
        file = named.get("cafile")
        usual = (certifi.where(), os.environ.get("SSL_CERT_FILE"))
        if arguments or named.get("cadata") or file not in usual or not file or not Path(file).is_file():
            return create(*arguments, **named)
        state = Path(file).stat()
        key = (file, named.get("capath"), state.st_mtime_ns, state.st_size)
        if key not in made:
            made[key] = create(**named)
        return made[key]

    with patch.object(ssl, "create_default_context", context):
        yield
