"""An OpenAI-compatible server on the loopback that answers as Ollama's or llama.cpp's is documented to.

Ollama: https://github.com/ollama/ollama/blob/main/docs/openai.md and server/routes.go (errors).
llama.cpp: https://github.com/ggml-org/llama.cpp/tree/master/tools/server (README, server-common.cpp).
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

GOOD = {
    "caption": "A red barn stands in a snowy field.",
    "alt_text": "Red barn in a snowy field",
    "tags": ["barn", "snow", "field"],
    "visible_text": "",
    "safety": "ok",
}


class Clock:
    """Seconds that pass only when a test says so; a server may wait for one of them."""

    def __init__(self) -> None:
        self.now = 0.0
        self.changed = threading.Condition()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the seconds pass."""
        with self.changed:
            self.now += seconds
            self.changed.notify_all()


@dataclass
class FakeOpenAI:
    """One server. kind: "ollama" or "llama.cpp". models: their names, and whether each can see.

    honours_schema: otherwise response_format is ignored, as by older releases, and the answer is prose around a
    fenced object. loaded_at: the time on ``clock`` from which the model is in memory. key: if one is required.
    answer: the text of the answer, if another than the usual one.
    """

    kind: str = "ollama"
    models: dict[str, bool] = field(default_factory=lambda: {"qwen2.5vl:7b": True, "llama3.2": False})
    honours_schema: bool = True
    loaded_at: float = 0.0
    key: str | None = None
    answer: str | None = None
    clock: Clock = field(default_factory=Clock)
    asked: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    billed: list[tuple[int, int]] = field(default_factory=list)
    loading: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.paths.append(self.path)
                server.asked.append(body)
                status, reply = server.respond(self.path, self.headers.get("Authorization"), body)
                data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.clock.sleep(self.loaded_at)
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def respond(self, path: str, authorization: str | None, body: dict[str, Any]) -> tuple[int, Any]:
        """Return status and body of the response."""
        if self.key is not None and authorization != f"Bearer {self.key}":
            return _error(401, "Invalid API Key", "authentication_error")
        if path != "/v1/chat/completions":
            return (404, b"404 page not found") if self.kind == "ollama" else _error(404, "File Not Found")
        refusal = self._ollama(body) if self.kind == "ollama" else self._llama_cpp(body)
        return refusal or (200, self._described(body))

    def _ollama(self, body: dict[str, Any]) -> tuple[int, Any] | None:
        """Refuse as Ollama does; load the model while the client waits."""
        name = body["model"]
        if name not in self.models:
            return 404, _ollama_error(f'model "{name}" not found, try pulling it first')
        with self.clock.changed:
            self.loading.set()
            self.clock.changed.wait_for(lambda: self.clock.now >= self.loaded_at)
        if not self.models[name] and _images(body):
            return 500, _ollama_error("this model is missing data required for image input")
        return None

    def _llama_cpp(self, body: dict[str, Any]) -> tuple[int, Any] | None:
        """Refuse as llama.cpp's server does. It has one model, whatever the request names."""
        if self.clock() < self.loaded_at:
            return _error(503, "Loading model", "unavailable_error")
        if not all(self.models.values()) and _images(body):
            hint = "if this is unexpected, you may need to provide the mmproj"
            return _error(500, f"image input is not supported - hint: {hint}", "server_error")
        return None

    def _described(self, body: dict[str, Any]) -> dict[str, Any]:
        assert all(base64.b64decode(image, validate=True) for image in _images(body))
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
        fields = {name: GOOD[name] for name in schema["properties"] if name in GOOD} if schema else GOOD
        text = json.dumps(fields)
        if not (schema and self.honours_schema):
            text = f"Sure! Here is the description:\n```json\n{text}\n```\nLet me know if you need more."
        tokens = 800 + len(self.billed), 60
        self.billed.append(tokens)
        name = body["model"] if self.kind == "ollama" else f"/srv/models/{body['model']}.gguf"
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": name,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": self.answer or text},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)},
        }


def _images(body: dict[str, Any]) -> list[str]:
    parts = [part for message in body["messages"] if isinstance(message["content"], list)
             for part in message["content"]]  # fmt: skip
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    assert all(url.startswith("data:image/jpeg;base64,") for url in urls)
    return [url.partition(",")[2] for url in urls]


def _error(code: int, message: str, kind: str = "not_found_error") -> tuple[int, Any]:
    return code, {"error": {"code": code, "message": message, "type": kind}}


def _ollama_error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "api_error", "param": None, "code": None}}


def in_virtual_time(server: FakeOpenAI) -> Callable[[float, Callable[[], Any]], Any]:
    """Return imgcore.captioning.deadline.in_time on the clock of ``server``."""
    from imgcore.captioning.deadline import TimedOut

    def in_time(seconds: float, call: Callable[[], Any], late: Callable[[Any], object]) -> Any:
        results: list[Any] = []
        server.loading.clear()
        thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
        thread.start()
        assert server.loading.wait(30)
        left = server.loaded_at - server.clock()
        server.clock.sleep(min(seconds, max(left, 0.0)))
        if left > seconds:
            raise TimedOut
        thread.join(30)
        return results[0]

    return in_time
