"""The address that phones share photos with: the service worker takes them, the server never does."""

from __future__ import annotations

from typing import NoReturn

from web.http.auth import requires
from web.http.errors import Problem
from web.http.headers import NOT_SHARED, SHARE_TARGET
from web.http.responses import Route


class ShareTarget:
    """The handler of photos that were not kept.

    POST: the service worker is missing. GET: it could not keep them, and redirects here.
    """

    def routes(self) -> list[Route]:
        """Return (method, path, handler) of the address."""
        return [("GET", SHARE_TARGET, self.refuse), ("POST", SHARE_TARGET, self.refuse)]

    @requires(authenticate=False)
    def refuse(self) -> NoReturn:
        """Answer that nothing was stored. The body is not read. Problem: 409."""
        raise Problem(409, "not_shared", NOT_SHARED)
