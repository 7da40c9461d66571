"""The list of share links: what it holds, and how it leads to all of them."""

from __future__ import annotations

import re

import pytest

from tests.web.peopling import Site

PATH = "/api/v1/shares"


def test_open_link_is_reached_and_revoked_behind_those_of_another_account(
    home: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgcore.db.shares.LISTED", 2)
    app = home.app()
    boss = home.browser(app, "boss")
    mine = boss.send("POST", PATH, {"ids": [home.upload("boss").public_id], "title": "Mine"}).json["id"]
    theirs = home.upload("owner").public_id
    owner = home.browser(app, "owner")
    others = [owner.send("POST", PATH, {"ids": [theirs]}).json["id"] for _ in range(3)]

    first = boss.get(PATH).json
    assert others[:0:-1] == [share["id"] for share in first["shares"]]
    second = boss.get(f"{PATH}?cursor={first['next']}").json
    assert ([others[0], mine], None) == ([share["id"] for share in second["shares"]], second["next"])
    assert 422 == boss.get(f"{PATH}?cursor=1").status

    page = boss.get("/shared")
    [more] = re.findall(r'href="(/shared\?cursor=[^"]+)"', page.text)
    last = boss.get(more)
    assert ("Mine" in page.text, "Mine" in last.text, "More links" in last.text) == (False, True, False)
    [revoke] = re.findall(rf'action="(/shared/{mine}/revoke[^"]*)"', last.text)
    done = boss.post(revoke, {"token": last.token}).headers["location"]
    shown = boss.get(done).text
    assert ("The link is revoked." in shown, "First links" in shown) == (True, True)
    ended = boss.get(f"{PATH}?cursor={first['next']}").json["shares"]
    assert [(others[0], "open"), (mine, "revoked")] == [(share["id"], share["status"]) for share in ended]
    assert page.text.count("<li>") == boss.get("/shared?cursor=1").text.count("<li>")
