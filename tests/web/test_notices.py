"""What the account page says of notices: an address is given, confirmed, stopped; letters are shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from imgcore.db.notifications import NotificationRepository
from imgcore.db.subscriptions import SubscriptionRepository
from imgcore.errors import Invalid, Unavailable
from imgcore.gallery.models import Viewer
from imgcore.notifications.models import NotificationMessage
from imgcore.notifications.subscriptions import SubscriptionService
from tests.web.client import Client
from tests.web.peopling import Browser, Site, site
from web.app import create_app

BATCH = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site; hashing three passwords takes longer than a test."""
    made = site(tmp_path_factory.mktemp("notices"))
    yield made
    made.database.close()


@pytest.fixture
def home(opened: Site) -> Site:
    """Return an application with a topic without subscriptions, and without notifications."""
    opened.topic.known.clear()
    opened.topic.confirmed.clear()
    opened.topic.broken = None
    for table in ("addresses", "notices", "throttles", "images"):
        opened.database.run(lambda tx, table=table: tx.execute(f"DELETE FROM {table}"))
    return opened


@pytest.fixture
def browser(home: Site) -> Browser:
    """The owner's."""
    return home.browser(home.app(), "owner")


def tell(home: Site, name: str | None, subject: str) -> None:
    """Store a notification as the sweep does after it was sent."""
    who = home.people[name].id if name else None
    home.gallery.for_viewer(Viewer(who)).request_upload("cat.jpg", 1, "image/jpeg", batch=BATCH)
    home.database.run(lambda tx: tx.execute("UPDATE images SET deleted_at = uploaded_at, listed_id = NULL"))
    board = NotificationRepository(home.database)
    while (ended := board.claim_finished_batch(after=0, quiet=-60, lease=60)) is not None:
        board.complete_notification(
            ended, NotificationMessage(ended.number, None, None, subject, f"The body of {subject}")
        )


def test_without_an_address_it_asks_for_one(browser: Browser) -> None:
    """The page says that no e-mail is sent."""
    page = browser.get("/account").text
    assert 'data-delivery="off"' in page
    assert 'action="/account/notices"' in page
    assert 'action="/account/notices/stop"' not in page


def test_an_address_waits_until_it_is_confirmed(home: Site, browser: Browser) -> None:
    """Both is seen."""
    browser.submit("/account", "/account/notices", address="anna@example.org")
    before = browser.get("/account").text
    home.topic.confirm("anna@example.org")
    after = browser.get("/account").text
    assert ("anna@example.org" in before, 'data-delivery="pending"' in before) == (True, True)
    assert 'data-delivery="confirmed"' in after


def test_it_is_for_the_owners_letters_alone(home: Site, browser: Browser) -> None:
    """The filter policy names the account's id."""
    browser.submit("/account", "/account/notices", address="anna@example.org")
    assert [("anna@example.org", home.people["owner"].public_id)] == list(home.topic.known.values())


def test_an_address_that_was_never_confirmed_is_seen(home: Site, browser: Browser) -> None:
    """The topic forgets it after days; so does one that was stopped by the link in a letter."""
    browser.submit("/account", "/account/notices", address="anna@example.org")
    home.topic.forget("anna@example.org")
    assert 'data-delivery="stopped"' in browser.get("/account").text


def test_a_topic_that_does_not_answer_hides_no_page(home: Site, browser: Browser) -> None:
    """It says that it cannot be asked."""
    browser.submit("/account", "/account/notices", address="anna@example.org")
    home.topic.broken = Unavailable("The mail service cannot be reached just now.")
    answer = browser.get("/account")
    assert (200, True) == (answer.status, 'data-delivery="unknown"' in answer.text)


def test_notices_are_stopped(home: Site, browser: Browser) -> None:
    """The subscription to the topic is removed too."""
    browser.submit("/account", "/account/notices", address="anna@example.org")
    home.topic.confirm("anna@example.org")
    answer = browser.submit("/account", "/account/notices/stop")
    assert ("/account?done=stopped", {}) == (answer.headers["location"], home.topic.known)
    assert 'data-delivery="off"' in browser.get("/account").text


@pytest.mark.parametrize(
    "address", ["", "anna", "anna@", "@example.org", "a b@example.org", "a@b@c.org", "a,b@c.org"]
)
def test_what_is_no_address_is_refused_in_place(browser: Browser, address: str) -> None:
    """The field keeps what was entered."""
    answer = browser.submit("/account", "/account/notices", address=address)
    assert (422, True) == (answer.status, "Enter an e-mail address" in answer.text)
    assert f'value="{address}"' in answer.text


def notices_section(client: Browser, address: str) -> str:
    """What the page says about the subscription, without form tokens."""
    page = client.get("/account").text
    section = page[page.index('id="notices"') : page.index("No notifications yet.")]
    return re.sub("[0-9a-f]{32}", "", section).replace(address, "ADDRESS")


@pytest.mark.parametrize("confirmed", [True, False])
def test_address_of_another_account_is_answered_like_a_free_one(
    home: Site, browser: Browser, confirmed: bool
) -> None:
    """The answers and the pages of three steps are the same; the other account keeps the address."""
    browser.submit("/account", "/account/notices", address="anna@example.org")
    if confirmed:
        home.topic.confirm("anna@example.org")
    before = dict(home.topic.known)
    found = []
    for name, address in (("other", "anna@example.org"), ("boss", "free@example.org")):
        client = home.browser(home.app(), name)
        steps = [client.submit("/account", "/account/notices", address=address) for _ in range(2)]
        shown = notices_section(client, address)
        stopped = client.submit("/account", "/account/notices/stop")
        answers = [(step.status, step.headers["location"]) for step in (*steps, stopped)]
        found.append((answers, shown, notices_section(client, address)))
    assert found[0] == found[1]
    assert 'data-delivery="pending"' in found[0][1]
    assert before == {arn: each for arn, each in home.topic.known.items() if each[0] == "anna@example.org"}
    assert home.topic.known[next(iter(before))][1] == home.people["owner"].public_id


def test_address_of_another_account_ends_as_an_unconfirmed_one_does(home: Site, browser: Browser) -> None:
    """The topic deletes what is not confirmed within two days."""
    browser.submit("/account", "/account/notices", address="anna@example.org")
    other = home.browser(home.app(), "other")
    other.submit("/account", "/account/notices", address="anna@example.org")
    age = "UPDATE addresses SET asked_at = {ago:age} WHERE account_id = :id"
    home.database.run(lambda tx: tx.execute(age, age=49 * 3_600_000_000, id=home.people["other"].id))
    assert 'data-delivery="stopped"' in other.get("/account").text
    assert 'data-delivery="pending"' in browser.get("/account").text


def test_address_that_another_account_gives_up_can_be_entered_again(home: Site, browser: Browser) -> None:
    other = home.browser(home.app(), "other")
    browser.submit("/account", "/account/notices", address="anna@example.org")
    home.topic.confirm("anna@example.org")
    other.submit("/account", "/account/notices", address="anna@example.org")
    browser.submit("/account", "/account/notices/stop")
    other.submit("/account", "/account/notices", address="anna@example.org")
    assert [("anna@example.org", home.people["other"].public_id)] == list(home.topic.known.values())


def test_strangers_are_not_flooded(browser: Browser) -> None:
    """Each address that is given makes the topic write there."""
    answers = [
        browser.submit("/account", "/account/notices", address=f"stranger{number}@example.org").status
        for number in range(7)
    ]
    assert [303] * 5 + [429, 429] == answers


def test_one_sees_ones_own_letters_alone(home: Site) -> None:
    """An administrator does not see them either."""
    tell(home, "owner", "Two photos are ready")
    pages = {name: home.browser(home.app(), name).get("/account").text for name in ("owner", "other", "boss")}
    assert {"owner": True, "other": False, "boss": False} == {
        name: "The body of Two photos are ready" in page for name, page in pages.items()
    }


def test_open_mode_shows_everybodys_letters_and_asks_for_no_address(home: Site) -> None:
    """Open mode has no accounts."""
    tell(home, None, "One photo is ready")
    service = SubscriptionService(None, NotificationRepository(home.database), None)  # type: ignore[arg-type] - no address is asked for
    page = Client(create_app(home.gallery, subscriptions=service)).get("/account").text
    assert ("The body of One photo is ready" in page, "/account/notices" in page) == (True, False)


def test_stopping_twice_is_no_error(home: Site) -> None:
    """The same holds if no address was ever given."""
    service, owner = (
        SubscriptionService(
            SubscriptionRepository(home.database), NotificationRepository(home.database), home.topic
        ),
        home.people["owner"],
    )
    service.subscribe(owner, "anna@example.org")
    home.topic.confirm("anna@example.org")
    service.stop(owner)
    service.stop(owner)
    assert "off" == service.status(owner).delivery


def test_without_a_topic_no_address_is_taken(home: Site) -> None:
    """It would never be written to."""
    service = SubscriptionService(SubscriptionRepository(home.database), NotificationRepository(home.database))
    with pytest.raises(Invalid, match="sends no e-mail"):
        service.subscribe(home.people["owner"], "anna@example.org")


def test_what_cannot_be_taken_off_the_topic_now_is_tried_again(home: Site) -> None:
    """A page is shown all the same; the next visit takes it off."""
    service, owner = (
        SubscriptionService(
            SubscriptionRepository(home.database), NotificationRepository(home.database), home.topic
        ),
        home.people["owner"],
    )
    for name in ("old", "new"):
        service.subscribe(owner, f"{name}@example.org")
    home.topic.confirm("old@example.org")
    home.topic.broken = Unavailable("SNS is away.")
    assert "unknown" == service.status(owner).delivery
    home.topic.broken = None
    service.status(owner)
    assert ["new@example.org"] == [address for address, _ in home.topic.known.values()]
