"""Gemini's batch interface on the loopback, as strict as its documents, beside the usual one.

https://ai.google.dev/gemini-api/docs/batch-api and https://ai.google.dev/api/batch-api: inline requests of at
most 20 MB in all, 100 batches at once, each request with its own generation config, answers with the metadata
of their requests in any order; a finished batch is billed once, however often it is fetched. A batch that is
cancelled begins no further request and ends as cancelled some time later; one that has ended cannot be
cancelled. Whether the answers that it had by then are handed out is not documented: see ``keeps_answers``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from tests.fake_gemini import CONNECTIONS, FakeGemini, Handler, snake
from tests.gemini_replies import Asked, Reply, answer, description, error

BYTES, OPEN = 20 * 1024 * 1024, 100
RUNS = ("BATCH_STATE_PENDING", "BATCH_STATE_RUNNING")


class FakeBatches(FakeGemini):
    """The server. text_of: by the number of the photo, the text of its answer; None for an error.

    billed: (input, output) tokens of each answer of a batch. lose: after that many creations the response is
    lost. keeps_answers: a cancelled batch has the answers that it had before. options: those of FakeGemini.
    """

    def __init__(
        self,
        text_of: Callable[[int], str | None] | None = None,
        lose: int | None = None,
        *,
        keeps_answers: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(handler=BatchHandler, **options)
        self._text_of = text_of or (lambda number: json.dumps(description(caption=f"Photo {number}.")))
        self.batches: dict[str, dict[str, Any]] = {}
        self.billed: list[tuple[int, int]] = []
        self.cancelled: list[str] = []
        self.lose, self.keeps_answers = lose, keeps_answers

    def create(self, path: str, body: bytes) -> Reply | None:
        """Accept a batch; None where the response is lost."""
        problem = self._problem(path, body)
        if problem is not None:
            return error(400, "INVALID_ARGUMENT", problem)
        model = path.partition("/v1beta/")[2].partition(":")[0]
        if not self.offers(model):
            return error(404, "NOT_FOUND", f"{model} is not found for API version v1beta.")
        with self._lock:
            batch = json.loads(body)["batch"]
            name = f"batches/{len(self.batches) + 1}"
            self.batches[name] = {
                "name": name,
                "metadata": {
                    "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
                    "name": name,
                    "displayName": batch["displayName"],
                    "createTime": datetime.now(UTC).isoformat(),
                    "model": model,
                    "state": "BATCH_STATE_PENDING",
                },
                "requests": batch["inputConfig"]["requests"]["requests"],
                "responses": [],
            }
            return None if len(self.batches) == self.lose else self._shown(name)

    def _problem(self, path: str, body: bytes) -> str | None:
        if not path.startswith("/v1beta/models/"):
            return f"unknown path {path}"
        if len(body) > BYTES:
            return "Request payload size exceeds the limit: 20971520 bytes."
        batch = json.loads(body).get("batch", {})
        if {"displayName", "inputConfig"} != set(batch):
            return f"a batch of {sorted(batch)}"
        if sum(one["metadata"]["state"] in RUNS for one in self.batches.values()) >= OPEN:
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

    def look(self, path: str) -> Reply:
        """Return a batch, or a page of all."""
        path, _, query = path.partition("?")
        name = path.removeprefix("/v1beta/")
        if name == "batches":
            options = dict(part.split("=") for part in query.split("&") if part)
            size, first = int(options.get("pageSize", 50)), int(options.get("pageToken", 0))
            names = list(reversed(self.batches))[first : first + size]
            more = {"nextPageToken": str(first + size)} if first + size < len(self.batches) else {}
            return Reply(body={"operations": [self._shown(one).body for one in names], **more})
        return self._shown(name) if name in self.batches else _not_found()

    def cancel(self, path: str) -> Reply:
        """Begin to cancel a batch."""
        name = path.removeprefix("/v1beta/").removesuffix(":cancel")
        if name not in self.batches:
            return _not_found()
        if self.batches[name]["metadata"]["state"] not in RUNS:
            return error(400, "FAILED_PRECONDITION", "The batch has ended.")
        self.cancelled.append(name)
        return Reply(body={})

    def _shown(self, name: str) -> Reply:
        hidden = {"requests", "responses"}
        return Reply(body={key: value for key, value in self.batches[name].items() if key not in hidden})

    def run(self, count: int) -> None:
        """Answer so many further requests of each batch that has not ended."""
        for batch in self.batches.values():
            if batch["metadata"]["state"] in RUNS and batch["name"] not in self.cancelled:
                batch["metadata"]["state"] = RUNS[1]
                self._run(batch, count)

    def _run(self, batch: dict[str, Any], count: int) -> None:
        left = batch["requests"][: len(batch["requests"]) - len(batch["responses"])]
        for one in list(reversed(left))[:count]:  # in another order than that of the requests
            batch["responses"].append(self._response(batch, one))

    def finish(self, state: str = "SUCCEEDED") -> None:
        """End all batches that have not ended: as cancelled where that was requested, else in this state."""
        for batch in self.batches.values():
            if batch["metadata"]["state"] not in RUNS:
                continue
            ended = "CANCELLED" if batch["name"] in self.cancelled else state
            batch["metadata"]["state"] = f"BATCH_STATE_{ended}"
            batch["done"] = True
            if ended == "SUCCEEDED":
                self._run(batch, len(batch["requests"]))
            else:  # https://google.aip.dev/151; 1 is CANCELLED, 13 is INTERNAL
                batch["error"] = {"code": 1 if ended == "CANCELLED" else 13, "message": f"It {ended.lower()}."}
            if ended == "SUCCEEDED" or (batch["responses"] and self.keeps_answers):
                batch["metadata"]["output"] = {"inlinedResponses": {"inlinedResponses": batch["responses"]}}

    def _response(self, batch: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
        number = len(self.billed)
        asked = Asked("POST", "", batch["metadata"]["model"], {}, snake(one["request"]))
        objection, text = self.objection(asked), self._text_of(number)
        if objection is not None or text is None:
            self.billed.append((0, 0))
            message = objection.body["error"]["message"] if objection else "Internal error."
            failed = {"code": 3 if objection else 13, "message": message}  # google.rpc.Code
            return {"metadata": one["metadata"], "error": failed}
        tokens = 700 + number, 90 + number % 7
        self.billed.append(tokens)
        usage = {"promptTokenCount": tokens[0], "candidatesTokenCount": tokens[1]}
        return {"metadata": one["metadata"], "response": answer(text, usageMetadata=usage)(asked).body}


class BatchHandler(Handler):
    """One connection."""

    @property
    def fake(self) -> FakeBatches:
        """The server."""
        assert isinstance(self.server.fake, FakeBatches)
        return self.server.fake

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
        """Create or cancel a batch, or answer at once."""
        _, _, verb = self.path.partition(":")
        if verb not in ("batchGenerateContent", "cancel"):
            super().do_POST()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        reply = self.fake.cancel(self.path) if verb == "cancel" else self.fake.create(self.path, body)
        if reply is None:
            self.close_connection = True
            CONNECTIONS["reset"](self)
        else:
            self.send(reply)

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        """Show a batch, or a page of all."""
        self.send(self.fake.look(self.path))


def _not_found() -> Reply:
    return error(HTTPStatus.NOT_FOUND, "NOT_FOUND", "Requested entity was not found.")
