"""No request leads to an error of the server: each is answered, with the security headers, below 500."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.web.client import Answer, Client
from tests.web.fuzz import Request, requests
from tests.web.peopling import empty_site, site
from web.app import create_app

COUNT = int(os.environ.get("FUZZ_REQUESTS", "5000"))


def wrong(answer: Answer, sent: Request) -> str | None:
    """Why this is not a sound answer; None if it is one."""
    if answer.status >= 500 and not (answer.status == 503 and sent.path.startswith("/readyz")):
        return f"{answer.status}: {sent}"
    missing = {"content-security-policy", "x-content-type-options"} - answer.headers.keys()
    return f"lacks {missing}: {sent}" if missing else None


@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
@pytest.mark.parametrize("kind", ["accounts", "open mode", "not set up"])
def test_no_request_leads_to_an_error_of_the_server(tmp_path: Path, kind: str) -> None:
    """A third of the requests for each; half with a session."""
    home = empty_site(tmp_path) if kind == "not set up" else site(tmp_path)
    try:
        app = create_app(home.gallery) if kind == "open mode" else home.app(api_rate=1_000_000)
        clients = [Client(app)]
        if kind == "accounts":
            clients += [home.browser(app, "owner"), home.program(app, "owner", "read")]
        statuses: Counter[int] = Counter()
        rules = sorted({route.rule for route in app.routes})
        found = []
        for number, sent in enumerate(requests(COUNT // 3 + 1, rules, seed=len(kind))):
            client = clients[number % len(clients)]
            cookies, headers = dict(client.cookies), dict(sent.headers)
            answer = client.request(sent.method, sent.path, sent.body, headers)
            client.cookies = cookies  # what a request changes does not weaken the next one
            statuses[answer.status] += 1
            if problem := wrong(answer, sent):
                found.append(problem)
        assert [] == found[:5]
        assert {200, 400, 404, 405} <= statuses.keys()
    finally:
        home.database.close()
