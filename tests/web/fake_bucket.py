"""A bucket that keeps to the part of S3 that a browser sees: POST Object, presigned GET, CORS, XML errors."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

MEDIA_TYPES = {"webp": "image/webp", "jpg": "image/jpeg", "png": "image/png"}


class FakeBucket:
    """Listens on a free port of 127.0.0.1 until ``close``.

    faults: what the next uploads meet, one each: "drop" (the connection is cut) or an S3 error code.
    signature: the only one that a GET may carry; None lets all pass.
    on_part: called with key, number and content of each part.
    hold: cleared, uploads are received but not answered until it is set. objects: key → bytes.
    """

    def __init__(self, on_object: Callable[[str, bytes], None] = lambda key, data: None) -> None:
        self.objects: dict[str, bytes] = {}
        self.faults: list[str] = []
        self.posts = 0
        self.puts: list[int] = []  # numbers of the parts, in the order of their arrival
        self.on_part: Callable[[str, int, bytes], None] = lambda key, number, data: None
        self.signature: str | None = None
        self.hold = threading.Event()
        self.hold.set()
        self.on_object = on_object
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(bucket: FakeBucket) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_OPTIONS(self) -> None:
            self._answer(200)

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if bucket.signature and parts.query != f"X-Amz-Signature={bucket.signature}":
                self._error(403, "AccessDenied")
                return
            key = unquote(parts.path).split("/", 2)[-1]
            data = bucket.objects.get(key)
            if data is None:
                self._error(404, "NoSuchKey")
                return
            self._answer(200, data, MEDIA_TYPES.get(key.rpartition(".")[2], "application/octet-stream"))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bucket.posts += 1
            bucket.hold.wait(30)
            fault = bucket.faults.pop(0) if bucket.faults else None
            if fault == "drop":
                self.close_connection = True
                self.connection.close()
                return
            fields, data = _form(self.headers["Content-Type"], body)
            code = fault or _refusal(fields, data)
            if code:
                self._error(503 if code == "SlowDown" else 400 if code.startswith("Entity") else 403, code)
                return
            bucket.objects[fields["key"]] = data
            bucket.on_object(fields["key"], data)
            redirect = fields.get("success_action_redirect")
            if redirect:
                self._answer(303, headers={"Location": f"{redirect}?bucket=uploads&key={fields['key']}"})
            else:
                self._answer(201)

        def do_PUT(self) -> None:
            parts = urlsplit(self.path)
            asked = dict(parse_qsl(parts.query))
            length = int(self.headers["Content-Length"])
            fault = bucket.faults.pop(0) if bucket.faults else None
            data = self.rfile.read(length // 2 if fault == "drop" else length)
            bucket.puts.append(int(asked["part"]))
            bucket.hold.wait(30)
            if fault == "drop":
                self.close_connection = True
                self.connection.close()
                return
            wrong = hashlib.sha256(data).hexdigest() != self.headers["x-made-up"]
            if code := fault or ("BadDigest" if wrong or len(data) != int(asked["size"]) else None):
                self._error(400, code)
                return
            bucket.on_part(unquote(parts.path).split("/", 2)[-1], int(asked["part"]), data)
            self._answer(200)

        def _error(self, status: int, code: str) -> None:
            xml = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>Made up.</Message></Error>'
            self._answer(status, xml.encode(), "application/xml")

        def _answer(
            self,
            status: int,
            data: bytes = b"",
            media_type: str = "text/plain",
            headers: dict[str, str] | None = None,
        ) -> None:
            self.send_response(status)
            for name, value in {
                "Access-Control-Allow-Origin": "*",
                "Access-Control-Allow-Methods": "GET, POST, PUT",
                "Access-Control-Allow-Headers": "*",
                "Content-Type": media_type,
                "Content-Length": str(len(data)),
                **(headers or {}),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    return Handler


def _form(content_type: str, body: bytes) -> tuple[dict[str, str], bytes]:
    message = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
    )
    fields, data = {}, b""
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if name == "file":
            data = part.get_payload(decode=True)
        else:
            fields[name] = part.get_payload(decode=True).decode()
    return fields, data


def _refusal(fields: dict[str, str], data: bytes) -> str | None:
    low, high = map(int, re.fullmatch(r"(\d+)-(\d+)-\d+", fields["policy"]).groups())
    if len(data) > high:
        return "EntityTooLarge"
    return "EntityTooSmall" if len(data) < low else None
