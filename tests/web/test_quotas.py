"""Quotas in the API and on the pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imgcore.accounts.models import Quota
from tests.web.client import Client
from tests.web.peopling import PASSWORD, Site, site
from web.app import create_app

UPLOAD = {"name": "a.jpg", "type": "image/jpeg", "size": 1000}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Site]:
    """A site whose accounts may have two photos."""
    found = site(tmp_path)
    quota = Quota(images=2)
    found.gallery = replace(found.gallery, quota=quota)
    object.__setattr__(found.accounts, "default_quota", quota)
    yield found
    found.database.close()


def test_upload_beyond_the_quota_is_refused_with_a_sentence(home: Site) -> None:
    """The API refuses it for a key and a session, and so does the form; another account goes on."""
    app = home.app()
    owner, program = home.browser(app, "owner"), home.program(app, "owner", "upload")
    for client in (owner, program):
        assert 201 == client.send("POST", "/api/v1/uploads", UPLOAD).status
    for client in (owner, program):
        answer = client.send("POST", "/api/v1/uploads", UPLOAD)
        assert (409, "quota_images") == (answer.status, answer.json["code"])
        assert answer.json["detail"].startswith("This account has 2 photos, as many as it may have.")
    page = owner.submit("/upload", "/upload", type="image/jpeg")
    assert (409, True) == (page.status, "as many as it may have" in page.text)
    assert 201 == home.browser(app, "other").send("POST", "/api/v1/uploads", UPLOAD).status


def test_open_mode_has_no_quota(home: Site) -> None:
    client = Client(create_app(home.gallery))
    assert [201] * 3 == [client.send("POST", "/api/v1/uploads", UPLOAD).status for _ in range(3)]


def test_pages_show_what_is_used(home: Site) -> None:
    app = home.app()
    home.upload("owner")
    pages = [
        home.browser(app, "owner").get("/account").text,
        home.browser(app, "boss").get(f"/accounts/{home.people['owner'].public_id}").text,
    ]
    for page in pages:
        assert "Photos, with those in the trash: <strong>1</strong> of 2" in page


def test_administrator_changes_the_quota_of_one_account(home: Site) -> None:
    app = home.app()
    boss, owner = home.browser(app, "boss"), home.browser(app, "owner")
    one = f"/accounts/{home.people['owner'].public_id}"
    answer = boss.submit(one, f"{one}/quota", images="1", gibibytes="3", uploads="", password=PASSWORD)
    assert f"{one}?done=quota" == answer.headers["location"]
    quotas = [home.accounts.quota(home.people[name]) for name in ("owner", "other")]
    assert [Quota(1, 3 * 2**30, 1000), Quota(images=2)] == quotas
    statuses = [owner.send("POST", "/api/v1/uploads", UPLOAD).status for _ in range(2)]
    assert [201, 409] == statuses
    boss.submit(one, f"{one}/quota", images="", gibibytes="", uploads="", password=PASSWORD)
    assert 201 == owner.send("POST", "/api/v1/uploads", UPLOAD).status


def test_spending_is_shown_and_its_quota_changed(home: Site) -> None:
    """Both pages show it; a photo that waits for the quota becomes due, another account's does not."""
    app, spending = home.app(), home.gallery.spending
    boss, account = home.browser(app, "boss"), home.people["owner"]
    cost = {"model": "gemini-3.5-flash-lite", "input_tokens": 500_000, "output_tokens": 0, "outcome": "x"}
    spending.append(spending.entry(**cost, owner_id=account.id))
    spending.append(spending.entry(**cost, owner_id=home.people["other"].id))
    images = [home.upload("owner"), home.upload("other")]
    park = (
        "UPDATE tasks SET status = 'retry', error = 'spend_quota_day', next_at = '2999-01-01 00:00:00.000000'"
        " WHERE kind = 'caption'"
    )
    home.database.run(lambda tx: tx.execute(park))
    one = f"/accounts/{account.public_id}"
    fields = {"images": "5", "spend_day": "0.5", "spend_month": "20", "password": PASSWORD}
    assert f"{one}?done=quota" == boss.submit(one, f"{one}/quota", **fields).headers["location"]
    for page in (home.browser(app, "owner").get("/account").text, boss.get(one).text):
        assert "Descriptions today: <strong>$0.15</strong> of $0.5<" in page
        assert "Descriptions this month: <strong>$0.15</strong> of $20<" in page
    assert (
        "Descriptions today: <strong>$0.15</strong> of no limit"
        in home.browser(app, "other").get("/account").text
    )
    listed = boss.get("/accounts").text
    assert 2 == listed.count("$0.15 for descriptions this month")
    assert 1 == listed.count("$0.00 for descriptions this month")
    home.database.run(lambda tx: tx.execute("UPDATE model_calls SET price_usd = NULL"))
    assert "$0.00 and 1 of unknown price for descriptions this month" in boss.get("/accounts").text
    assert "of originals" in listed
    waiting = home.database.read(
        lambda tx: tx.rows("SELECT image_id FROM tasks WHERE next_at = '2999-01-01 00:00:00.000000'")
    )
    assert [images[1].id] == [row["image_id"] for row in waiting]


@pytest.mark.parametrize("amount", ["x", "-1", "1e9", "1.23456", "٣", "nan", "1,5"])
def test_spending_quota_that_is_no_amount_is_refused(home: Site, amount: str) -> None:
    one = f"/accounts/{home.people['owner'].public_id}"
    answer = home.browser(home.app(), "boss").submit(one, f"{one}/quota", spend_day=amount, password=PASSWORD)
    assert (422, True) == (answer.status, "an amount in US dollars" in answer.text)
    assert Quota(images=2) == home.accounts.quota(home.people["owner"])


@pytest.mark.parametrize("images", ["x", "-1", "1.5", "1" * 10, "٣"])
def test_quota_that_is_no_number_is_refused(home: Site, images: str) -> None:
    one = f"/accounts/{home.people['owner'].public_id}"
    answer = home.browser(home.app(), "boss").submit(one, f"{one}/quota", images=images, password=PASSWORD)
    assert (422, True) == (answer.status, "A quota is a whole number" in answer.text)
    assert Quota(images=2) == home.accounts.quota(home.people["owner"])
