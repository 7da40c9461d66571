"""``python -m web``: serve the gallery on HOST (127.0.0.1) and PORT (8000; 0 takes any free one)."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from imgcore import bootstrap, bootstrap_accounts
from imgcore.accounts.models import Visibility
from imgcore.accounts.security_log import lines as events
from imgcore.config import Config, is_loopback
from imgcore.errors import ImgcoreError, Misconfigured
from imgcore.gallery.listing import Sort
from imgcore.gallery.models import EVERYBODY
from web.app import create_app
from web.processes import serve_in_processes
from web.server import BACKLOG, Server, listen

if TYPE_CHECKING:
    from imgcore.gallery.service import Gallery

# How long a thread may keep Python from the others: a health check waits for each busy thread several times
SWITCH_SECONDS = 0.001


def main(environ: Mapping[str, str]) -> int:
    """Serve until stopped. Return 0, or 1 after one sentence on standard error if the start fails."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    _print_security_events()
    try:
        config = Config.read(environ)
        host = _host(config)
        shown = f"[{host}]" if ":" in host else host
        database = bootstrap.limited_database(config)
        accounts = bootstrap_accounts.accounts(config, database)
        gallery = bootstrap.gallery(config, database)
        if accounts:  # a host whose release needs a newer schema gets no traffic before that is there
            gallery.images.ping()
        app = create_app(
            gallery,
            hosts=[shown, *config.gallery_hosts],
            accounts=accounts,
            visibility=Visibility(config.gallery_visibility),
            api_rate=config.api_rate,
            subscriptions=bootstrap_accounts.subscriptions(config, database),
        )
        token = accounts.offer_set_up() if accounts else None
        try:
            listener = listen(host, config.port)
        except OSError as error:
            raise Misconfigured(
                f"{host}:{config.port} cannot be used: {error.strerror}. Choose another PORT."
            ) from error
    except ImgcoreError as error:
        print(error.message, file=sys.stderr)
        return 1

    def introduce() -> None:
        print(f"The gallery is at http://{shown}:{listener.getsockname()[1]}/", flush=True)
        if token:
            print(f"There is no administrator yet. Create one at /setup with the token {token}", flush=True)

    def serve(ready: Callable[[], None] = lambda: None) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        threading.Thread(target=_count_photos, args=(gallery,), daemon=True).start()
        server = Server(
            app,
            listener,
            trusted_proxy=config.trusted_proxy,
            proxies=config.trusted_proxy_count,
            proto_header=config.forwarded_proto_header,
            delay=config.drain_delay,
        )
        server.run(drain=config.drain, ready=ready)

    count = config.web_processes or os.cpu_count() or 1
    if count > 1:
        database.close()  # the parent needs no connection any more, and the processes open their own
        listener.listen(BACKLOG)  # so that the address accepts connections from the moment it is printed
        return serve_in_processes(count, serve, introduce, listener)
    serve(introduce)
    return 0


def _count_photos(gallery: Gallery) -> None:
    """Count the months of the timeline before the first visitor waits for that.

    Requests are answered meanwhile: neither a large gallery nor a database that is away delays the start.
    """
    if gallery.timeline is not None:
        with contextlib.suppress(ImgcoreError):  # counted for the first request instead
            gallery.timeline.months(EVERYBODY, Sort.TAKEN)


def _print_security_events() -> None:
    """Print security events to standard error as JSON lines, with nothing before or after them."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    events.handlers = [handler]
    events.setLevel(logging.INFO)
    events.propagate = False


def _host(config: Config) -> str:
    """Return the address to listen on. Misconfigured where others could reach a gallery without accounts."""
    host = config.host
    if config.accounts != "on" and not is_loopback(host):
        raise Misconfigured(
            f"HOST is {host}, but without accounts the gallery serves this machine only:"
            " leave HOST at 127.0.0.1."
        )
    return "127.0.0.1" if host.lower() == "localhost" else host.strip("[]")


if __name__ == "__main__":
    sys.exit(main(os.environ))
