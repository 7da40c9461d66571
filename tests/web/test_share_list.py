"""The list of share links, and links to photos of which some are not their creator's."""

from __future__ import annotations

import re

import pytest

from imgcore.accounts.models import Visibility
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


def test_link_leaves_out_photos_of_others_and_those_that_are_gone(home: Site) -> None:
    other = home.browser(home.app(Visibility.SHARED), "other")
    mine, gone, theirs = (home.upload(name).public_id for name in ("other", "other", "owner"))
    other.request("DELETE", f"/api/v1/images/{gone}")

    made = other.send("POST", PATH, {"ids": [theirs, gone, mine]})
    assert (201, 1, "image") == (made.status, made.json["images"], made.json["kind"])
    assert "1 was not found, 1 is not yours." == made.json["summary"]
    results = [(found["id"], found["status"]) for found in made.json["left_out"]]
    assert [(theirs, "forbidden"), (gone, "not_found")] == results
    everything = other.send("POST", PATH, {"query": {}})
    assert (201, 1) == (everything.status, everything.json["images"])
    whole = other.send("POST", PATH, {"ids": [mine]}).json
    assert ([], "") == (whole["left_out"], whole["summary"])

    for ids, status in (([theirs], 403), ([gone], 404), ([gone, theirs], 403)):
        refused = other.send("POST", PATH, {"ids": ids})
        assert (status, True) == (refused.status, "There is no photo to share: 1 " in refused.json["detail"])
    assert 3 == len(other.get(PATH).json["shares"])


def test_form_of_a_link_counts_the_photos_that_it_will_show(home: Site) -> None:
    other = home.browser(home.app(Visibility.SHARED), "other")
    mine, theirs = home.upload("other").public_id, home.upload("owner").public_id
    form = other.get("/shared/new?selection=%3F")
    assert "Share 1 photo by a link" in form.text
    assert "Photos are left out: 1 is not yours." in form.text
    form = other.get(f"/shared/new?ids={mine},{theirs}")
    made = other.post("/shared", {"token": form.token, "ids": f"{mine},{theirs}", "days": "3", "title": ""})
    assert (200, True) == (made.status, "It leaves photos out: 1 is not yours." in made.text)
    assert "Photos are left out" not in other.get(f"/shared/new?ids={mine}").text
