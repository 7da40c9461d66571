"""A page of another origin that sends an emulator all that a browser lets it send."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import Any

ATTACK = """
const [emulator, done] = arguments;
const paths = ["/_ministack/reset", "/_localstack/state/reset", "/_ministack/config", "/",
  "/?Action=DeleteQueue", "/caption-gallery-local-uploads", "/caption-gallery-local-derived"];
const kinds = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
const body = JSON.stringify({"s3.PERSIST": false, "cloudtrail._recording_enabled": "true"});
const sent = [];
for (const path of paths) {
  for (const kind of kinds) {
    sent.push(fetch(emulator + path, {method: "POST", mode: "no-cors", body, headers: {"Content-Type": kind}}));
  }
  for (const method of ["PUT", "DELETE", "PATCH"]) { sent.push(fetch(emulator + path, {method, body})); }
  sent.push(fetch(emulator + path, {mode: "no-cors"}));
  navigator.sendBeacon(emulator + path, body);
  const frame = document.body.appendChild(Object.assign(document.createElement("iframe"), {name: path}));
  const form = document.createElement("form");
  Object.assign(form, {method: "post", action: emulator + path, target: frame.name});
  document.body.append(form);
  form.submit();
  try { new WebSocket(emulator.replace("http", "ws") + path); } catch { /* refused */ }
}
Promise.allSettled(sent).then((all) => setTimeout(() => done(all.length), 1000));
"""


class OtherOrigin(BaseHTTPRequestHandler):
    """An empty page of another origin."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title><body>")

    def log_message(self, format: str, *args: Any) -> None:
        pass
