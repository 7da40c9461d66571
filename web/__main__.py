"""``python -m web``: serve the gallery on HOST (127.0.0.1) and PORT (8000; 0 takes any free one)."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping

from imgcore import bootstrap
from imgcore.accounts.models import Visibility
from imgcore.config import Config
from imgcore.errors import ImgcoreError, Misconfigured
from web.app import create_app
from web.http.hosts import is_loopback
from web.server import DRAIN_SECONDS, Server, listen


def main(environ: Mapping[str, str]) -> int:
    """Serve until stopped. Return 0, or 1 after one sentence on standard error if the start fails."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        config = Config.read(environ)
        host, port = _address(environ, with_accounts=config.accounts == "on")
        delay = _seconds(environ, "DRAIN_DELAY_SECONDS", 0.0)
        drain = _seconds(environ, "DRAIN_SECONDS", DRAIN_SECONDS)
        shown = f"[{host}]" if ":" in host else host
        hosts = [shown, *environ.get("GALLERY_HOSTS", "").split(",")]
        accounts = bootstrap.accounts(config)
        app = create_app(
            bootstrap.gallery(config),
            hosts=hosts,
            accounts=accounts,
            visibility=Visibility(config.gallery_visibility),
            api_rate=config.api_rate,
            subscriptions=bootstrap.subscriptions(config),
        )
        token = accounts.offer_set_up() if accounts else None
        try:
            listener = listen(host, port)
        except OSError as error:
            raise Misconfigured(
                f"{host}:{port} cannot be used: {error.strerror}. Choose another PORT."
            ) from error
    except ImgcoreError as error:
        print(error.message, file=sys.stderr)
        return 1
    server = Server(app, listener, trusted_proxy=environ.get("TRUSTED_PROXY"), delay=delay)

    def introduce() -> None:
        print(f"The gallery is at http://{shown}:{listener.getsockname()[1]}/", flush=True)
        if token:
            print(f"Nobody has an account yet. Make the first one at /setup with the token {token}", flush=True)

    server.run(drain=drain, ready=introduce)
    return 0


def _address(environ: Mapping[str, str], *, with_accounts: bool) -> tuple[str, int]:
    host = environ.get("HOST", "").strip() or "127.0.0.1"
    if not (with_accounts or is_loopback(host)):
        raise Misconfigured(
            f"HOST is {host}, but without accounts the gallery serves this machine only:"
            " leave HOST at 127.0.0.1."
        )
    text = environ.get("PORT", "").strip() or "8000"
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise Misconfigured(f"PORT must be a number from 0 to 65535; it is {text!r}.")
    return "127.0.0.1" if host.lower() == "localhost" else host.strip("[]"), int(text)


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name, "").strip() or str(default)
    if not (text.isascii() and text.replace(".", "", 1).isdigit() and float(text) <= 3600):
        raise Misconfigured(f"{name} must be a number from 0 to 3600; it is {text!r}.")
    return float(text)


if __name__ == "__main__":
    sys.exit(main(os.environ))
