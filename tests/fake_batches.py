"""Gemini's batch interface on the loopback, as strict as its documents.

https://ai.google.dev/gemini-api/docs/batch-api and https://ai.google.dev/api/batch-api: inline requests of at
most 20 MB in all, 100 batches at once, each request with its own generation config, answers with the metadata
of their requests in any order; a finished batch is billed once, however often it is fetched.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.fake_gemini import Asked, answer, description, error

BYTES, OPEN = 20 * 1024 * 1024, 100


class FakeBatches:
    """The server. answers: by the number of the photo, the text of its answer; None for an error.

    billed: (input, output) tokens of each answer. lose: after that many creations the response is lost.
    """

    def __init__(self, text_of: Callable[[int], str | None] | None = None, lose: int | None = None) -> None:
        self._text_of = text_of or (lambda number: json.dumps(description(caption=f"Photo {number}.")))
        self.batches: dict[str, dict[str, Any]] = {}
        self.billed: list[tuple[int, int]] = []
        self.lose = lose
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self._send(*server.create(self.path, body))

            def do_GET(self) -> None:
                self._send(*server.look(self.path))

            def _send(self, status: int, reply: Any) -> None:
                if status == 0:
                    self.connection.close()
                    return
                data = json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def create(self, path: str, body: bytes) -> tuple[int, Any]:
        """Accept a batch."""
        problem = self._problem(path, body)
        if problem is not None:
            reply = error(400, "INVALID_ARGUMENT", problem)
            return reply.status, reply.body
        with self._lock:
            batch = json.loads(body)["batch"]
            name = f"batches/{len(self.batches) + 1}"
            requests = batch["inputConfig"]["requests"]["requests"]
            self.batches[name] = {
                "name": name,
                "metadata": {
                    "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
                    "name": name,
                    "displayName": batch["displayName"],
                    "model": path.partition("/v1beta/")[2].partition(":")[0],
                    "state": "BATCH_STATE_PENDING",
                },
                "requests": requests,
            }
            if self.lose is not None and len(self.batches) == self.lose:
                return 0, None
            return 200, self._shown(name)

    def _problem(self, path: str, body: bytes) -> str | None:
        if not path.startswith("/v1beta/models/") or not path.endswith(":batchGenerateContent"):
            return f"unknown path {path}"
        if len(body) > BYTES:
            return "Request payload size exceeds the limit: 20971520 bytes."
        batch = json.loads(body).get("batch", {})
        if {"displayName", "inputConfig"} != set(batch):
            return f"a batch of {sorted(batch)}"
        if sum("PENDING" in one["metadata"]["state"] for one in self.batches.values()) >= OPEN:
            return "Too many concurrent batch requests."
        keys = []
        for one in batch["inputConfig"]["requests"]["requests"]:
            if {"request", "metadata"} != set(one) or set(one["metadata"]) != {"key"}:
                return f"a request of {sorted(one)}"
            known = {"contents", "systemInstruction", "generationConfig"}
            if set(one["request"]) - known or not set(one["request"]) >= {"contents", "generationConfig"}:
                return f"Unknown name in a request: {sorted(one['request'])}"
            keys.append(one["metadata"]["key"])
        return None if keys and len(set(keys)) == len(keys) else "keys that are missing or repeated"

    def look(self, path: str) -> tuple[int, Any]:
        """Return a batch, or a page of all."""
        path, _, query = path.partition("?")
        name = path.removeprefix("/v1beta/")
        if name == "batches":
            options = dict(part.split("=") for part in query.split("&") if part)
            size, first = int(options.get("pageSize", 50)), int(options.get("pageToken", 0))
            names = list(reversed(self.batches))[first : first + size]
            more = {"nextPageToken": str(first + size)} if first + size < len(self.batches) else {}
            return 200, {"operations": [self._shown(one) for one in names], **more}
        if name not in self.batches:
            reply = error(404, "NOT_FOUND", "Requested entity was not found.")
            return reply.status, reply.body
        return 200, self._shown(name)

    def _shown(self, name: str) -> dict[str, Any]:
        return {key: value for key, value in self.batches[name].items() if key != "requests"}

    def finish(self, state: str = "SUCCEEDED") -> None:
        """Finish all batches that are not; the answers come in the reverse order of the requests."""
        for batch in self.batches.values():
            if "PENDING" not in batch["metadata"]["state"]:
                continue
            batch["metadata"]["state"] = f"BATCH_STATE_{state}"
            batch["done"] = True
            if state == "SUCCEEDED":
                responses = [self._response(batch, one) for one in reversed(batch["requests"])]
                batch["metadata"]["output"] = {"inlinedResponses": {"inlinedResponses": responses}}

    def _response(self, batch: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
        number = len(self.billed)
        text = self._text_of(number)
        if text is None:
            self.billed.append((0, 0))
            return {"metadata": one["metadata"], "error": {"code": 13, "message": "Internal error."}}
        tokens = 700 + number, 90 + number % 7
        self.billed.append(tokens)
        usage = {"promptTokenCount": tokens[0], "candidatesTokenCount": tokens[1]}
        asked = Asked("POST", "", batch["metadata"]["model"], {}, {})
        return {"metadata": one["metadata"], "response": answer(text, usageMetadata=usage)(asked).body}
