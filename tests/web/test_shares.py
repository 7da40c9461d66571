"""Share links: who creates them, what visitors see, and what a link that has ended shows."""

from __future__ import annotations

import re
from html import escape
from io import BytesIO
from zipfile import ZipFile

import pytest

from imgcore.accounts.models import Role, Visibility
from imgcore.accounts.passwords import Argon2Hasher
from imgcore.accounts.security_log import SecurityEvent
from imgcore.db.connection import Database
from tests import images
from tests.contract.images import multiply
from tests.support.hostile_texts import TEXTS
from tests.web.client import Answer, Client
from tests.web.peopling import Browser, Site
from tests.web.test_check_order import Recorder
from web.app import Application

PATH = "/api/v1/shares"
PASSWORD = "made-up words"
WORDS = {"caption": "A red door.", "alt_text": "Door, red.", "tags": ("door",)}
PLACE = {"latitude": 48.1, "longitude": 11.5}


@pytest.fixture
def owner(home: Site, app: Application) -> Browser:
    return home.browser(app, "owner")


def described(home: Site, name: str = "IMG_private_name.jpg", **more: object) -> str:
    image = home.upload("owner", name).public_id
    keys = {"thumbnail_key": f"thumbnails/{image}/200.webp", "display_key": f"display/{image}/1600.webp"}
    home.gallery.images.change(image, **(WORDS | PLACE | keys | more))
    return image


def shared(owner: Client, **body: object) -> tuple[str, str]:
    """A new link: its id and its path."""
    answer = owner.send("POST", PATH, body)
    assert 201 == answer.status, answer.text
    return answer.json["id"], answer.json["url"].removeprefix("http://localhost:8000")


def test_link_shows_pictures_and_words_of_its_photos_only(home: Site, app: Application, owner: Browser) -> None:
    image, hidden = described(home), described(home, caption="A secret garden.")
    _, path = shared(owner, ids=[image])
    for page in (Client(app).get(path), Client(app).get(f"{path}/{image}")):
        assert 200 == page.status
        assert all(word in page.text for word in ("A red door.", "Door, red.", f"display/{image}/1600.webp"))
        absent = ("IMG_private_name", "48.1", "11.5", "owner", "secret garden", hidden, "/uploads/", "/login")
        assert [] == [word for word in absent if word in page.text]
    assert 404 == Client(app).get(f"{path}/{hidden}").status
    assert 303 == Client(app).get(f"/images/{image}").status
    assert 401 == Client(app).get(f"/api/v1/images/{image}").status


def test_link_is_not_indexed_or_cached_and_has_a_preview_card(
    home: Site, app: Application, owner: Browser
) -> None:
    _, path = shared(owner, ids=[described(home)], title="Doors")
    page = Client(app).get(path)
    assert ("no-store", True) == (page.headers["cache-control"], "noindex" in page.headers["x-robots-tag"])
    assert '<meta name="robots" content="noindex' in page.text
    for name, content in (
        ("og:title", "Doors"),
        ("og:description", "A red door."),
        ("og:image:alt", "Door, red."),
    ):
        assert f'<meta property="{name}" content="{content}">' in page.text
    assert re.search(r'<meta property="og:image" content="http://[^"]+/display/', page.text)


def test_selection_is_shown_in_its_order_and_pages_lead_to_each_other(
    home: Site, app: Application, owner: Browser
) -> None:
    ids = [described(home) for _ in range(3)]
    _, path = shared(owner, ids=[ids[2], ids[0], ids[1]])
    shown = re.findall(r'data-id="([0-9a-f]{32})"', Client(app).get(path).text)
    middle = Client(app).get(f"{path}/{ids[0]}").text
    assert [ids[2], ids[0], ids[1]] == shown
    assert (True, True, True) == (
        f'rel="prev" href="{path}/{ids[2]}"' in middle,
        f'rel="next" href="{path}/{ids[1]}"' in middle,
        "2 of 3" in middle,
    )


def test_album_link_follows_the_album(home: Site, app: Application, owner: Browser) -> None:
    first, second = described(home), described(home)
    album = owner.send("POST", "/api/v1/albums", {"name": "Doors", "ids": [first]}).json["id"]
    _, path = shared(owner, album=album)
    assert 404 == Client(app).get(f"{path}/{second}").status
    owner.send("POST", f"/api/v1/albums/{album}/images", {"ids": [second]})
    owner.send("POST", f"/api/v1/albums/{album}/images/remove", {"ids": [first]})
    assert (404, 200) == tuple(Client(app).get(f"{path}/{image}").status for image in (first, second))
    owner.request("DELETE", f"/api/v1/albums/{album}")
    assert 404 == Client(app).get(path).status


def test_album_link_shows_no_photo_of_another_account(home: Site, app: Application, owner: Browser) -> None:
    """Another account's photo in the album was added for its members, not for everybody."""
    other = home.browser(app, "other")
    album = owner.send("POST", "/api/v1/albums", {"name": "Doors", "ids": [described(home)]}).json["id"]
    owner.send("PUT", f"/api/v1/albums/{album}/members/other", {"may": "add"})
    theirs = home.upload("other").public_id
    assert "1 added." == other.send("POST", f"/api/v1/albums/{album}/images", {"ids": [theirs]}).json["summary"]
    _, path = shared(owner, album=album)
    assert (404, 1) == (Client(app).get(f"{path}/{theirs}").status, owner.get(PATH).json["shares"][0]["images"])
    assert 403 == other.send("POST", PATH, {"album": album}).status


def test_deleted_photo_is_not_shown_and_returns_when_restored(
    home: Site, app: Application, owner: Browser
) -> None:
    image = described(home)
    _, path = shared(owner, ids=[image])
    owner.request("DELETE", f"/api/v1/images/{image}")
    page = Client(app).get(path)
    assert (200, True) == (page.status, "No photos are shown" in page.text)
    assert 404 == Client(app).get(f"{path}/{image}").status
    owner.send("POST", f"/api/v1/images/{image}/restore", {})
    assert "A red door." in Client(app).get(path).text


def without_ids(answer: Answer) -> str:
    return re.sub("[0-9a-f]{16}", "", answer.text)


def test_guessed_expired_and_revoked_links_have_one_answer(
    home: Site, app: Application, owner: Browser
) -> None:
    paths = []
    for _ in range(2):
        paths.append(shared(owner, ids=[described(home)])[1])
    revoked, _ = owner.get(PATH).json["shares"]
    assert 204 == owner.request("DELETE", f"{PATH}/{revoked['id']}").status
    past = "UPDATE shares SET expires_at = {ago:second} WHERE public_id <> :revoked"
    home.database.run(lambda tx: tx.execute(past, second=1, revoked=revoked["id"]))
    guesses = ["/s/" + "A" * 32, "/s/x", "/s/" + "é" * 32, "/s/../../etc"]
    answers = [Client(app).get(path) for path in [*paths, *guesses[:3]]]
    assert [404] * 5 == [answer.status for answer in answers]
    assert 1 == len({without_ids(answer) for answer in answers})
    assert "has ended, or was revoked" in answers[0].text
    assert ["expired", "revoked"] == sorted(share["status"] for share in owner.get(PATH).json["shares"])


def test_malformed_token_uses_no_database(
    app: Application, home: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(monkeypatch, home)
    for path in ("/s/short", "/s/" + "." * 32, f"/s/short/{'0' * 32}", f"/s/short/{'0' * 32}/download"):
        answer, used = recorder.during(Client(app), "GET", path)
        assert (404, []) == (answer.status, used)
    answer, used = recorder.during(Client(app), "POST", "/s/" + "A" * 32)
    assert (403, []) == (answer.status, used)


def test_password_is_needed_and_guesses_are_slowed_down(home: Site, app: Application, owner: Browser) -> None:
    image = described(home)
    _, path = shared(owner, ids=[image], password=PASSWORD, download=True)
    stranger = Client(app)
    for address in (path, f"{path}/{image}", f"{path}/{image}/download"):
        answer = stranger.get(address)
        assert answer.status in (200, 303)
        assert [] == [word for word in ("A red door", image, "og:") if word in answer.text.replace(path, "")]
    form = {"token": stranger.get(path).token}
    statuses = [stranger.post(path, {**form, "password": f"wrong {n}"}).status for n in range(7)]
    assert [403] * 5 + [429] * 2 == statuses
    events = [entry for entry in home.accounts.log.page() if entry.event == SecurityEvent.SHARE_PASSWORD_FAILED]
    assert 5 == len(events)
    friend = Client(app)
    friend.remote = "192.0.2.7"
    answer = friend.post(path, {"token": friend.get(path).token, "password": PASSWORD})
    assert (303, path) == (answer.status, answer.headers["location"])
    [cookie] = [value for value in answer.set_cookies if value.startswith("gallery_share_")]
    assert f"Path={path}" in cookie
    assert "HttpOnly" in cookie
    assert "A red door." in friend.get(path).text
    assert 200 == friend.get(f"{path}/{image}").status


def test_proof_of_one_link_opens_no_other(home: Site, app: Application, owner: Browser) -> None:
    image = described(home)
    paths = [shared(owner, ids=[image], password=PASSWORD)[1] for _ in range(2)]
    friend = Client(app)
    friend.post(paths[0], {"token": friend.get(paths[0]).token, "password": PASSWORD})
    proof = next(value for name, value in friend.cookies.items() if name.startswith("gallery_share_"))
    friend.cookies |= {name.replace(name[-16:], "0" * 16): proof for name in list(friend.cookies)}
    assert "needs a password" in friend.get(paths[1]).text


def test_password_and_token_are_stored_as_hashes_only(home: Site, owner: Browser) -> None:
    _, path = shared(owner, ids=[described(home)], password=PASSWORD)
    rows = home.database.read(lambda tx: tx.rows("SELECT * FROM shares"))
    assert (False, False, True) == (
        path.removeprefix("/s/") in str(rows),
        PASSWORD in str(rows),
        rows[0]["password"].startswith("$argon2id$"),
    )


def test_download_is_the_display_image_where_the_link_allows_it(
    home: Site, app: Application, owner: Browser
) -> None:
    image = described(home)
    closed, opened = shared(owner, ids=[image])[1], shared(owner, ids=[image], download=True)[1]
    assert "Download" not in Client(app).get(closed).text
    assert 404 == Client(app).get(f"{closed}/{image}/download").status
    assert "Download this photo" in Client(app).get(opened).text
    answer = Client(app).get(f"{opened}/{image}/download")
    assert (303, True) == (answer.status, f"/display/{image}/1600.webp" in answer.headers["location"])


SECRET = b"Taken at home"


def with_original(home: Site, content: bytes, media_type: str) -> str:
    """Upload a photo with this original."""
    image = described(home, media_type=media_type, format=None)
    home.gallery.storage.objects[home.gallery.images.get(image).image_key] = content
    return image


def sent(app: Application, path: str) -> tuple[str, bytes]:
    """Return the first file of a link's archive."""
    with ZipFile(BytesIO(Client(app).get(f"{path}/all.zip").body)) as archive:
        return archive.namelist()[0], archive.read(archive.namelist()[0])


def test_originals_are_sent_without_metadata_unless_the_link_says_otherwise(
    home: Site, app: Application, owner: Browser
) -> None:
    data = images.with_segments(images.jpeg(64, 48), images.segment(0xFE, SECRET))
    image = with_original(home, data, "image/jpeg")
    _, stripped = shared(owner, ids=[image], download=True, files="originals")
    _, whole = shared(owner, ids=[image], download=True, files="as_uploaded")
    answer = Client(app).get(f"{stripped}/{image}/download")
    assert (200, images.jpeg(64, 48)) == (answer.status, answer.body)
    assert ("no-store", "attachment; filename=\"photo.jpg\"; filename*=UTF-8''photo.jpg") == tuple(
        answer.headers[name] for name in ("cache-control", "content-disposition")
    )
    assert ("photo.jpg", images.jpeg(64, 48)) == sent(app, stripped)
    moved = Client(app).get(f"{whole}/{image}/download")
    assert (303, True) == (moved.status, "/uploads/raw/" in moved.headers["location"])
    assert ("photo.jpg", data) == sent(app, whole)
    assert ["originals as uploaded", "originals without metadata"] == re.findall(
        "originals (?:as uploaded|without metadata)", owner.get("/shared").text
    )


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(SECRET, "image/jpeg"), (images.heic(64, 48), "image/heic")],
    ids=["broken", "HEIC"],
)
def test_original_whose_metadata_cannot_be_removed_is_sent_in_display_size(
    home: Site, app: Application, owner: Browser, content: bytes, media_type: str
) -> None:
    image = with_original(home, content, media_type)
    _, path = shared(owner, ids=[image], download=True, files="originals")
    moved = Client(app).get(f"{path}/{image}/download")
    assert (303, True) == (moved.status, f"/display/{image}/1600.webp" in moved.headers["location"])
    assert ("photo.webp", f"display/{image}/1600.webp".encode()) == sent(app, path)


def test_visits_are_counted(home: Site, app: Application, owner: Browser) -> None:
    _, path = shared(owner, ids=[described(home)])
    assert (0, None) == tuple(owner.get(PATH).json["shares"][0][name] for name in ("opened", "last_opened_at"))
    for _ in range(2):
        Client(app).get(path)
    [share] = owner.get(PATH).json["shares"]
    assert (2, True) == (share["opened"], share["last_opened_at"] is not None)


def test_only_own_photos_are_shared_and_only_own_links_listed(home: Site) -> None:
    app = home.app(Visibility.SHARED)
    owner, other, boss = (home.browser(app, name) for name in ("owner", "other", "boss"))
    mine = described(home)
    share, _ = shared(owner, ids=[mine])
    assert 403 == other.send("POST", PATH, {"ids": [mine]}).status
    assert 404 == other.request("DELETE", f"{PATH}/{share}").status
    assert ([], [share]) == tuple(
        [found["id"] for found in browser.get(PATH).json["shares"]] for browser in (other, boss)
    )
    assert 204 == boss.request("DELETE", f"{PATH}/{share}").status


def test_link_of_a_former_administrator_shows_no_photo_of_others(home: Site, app: Application) -> None:
    home.accounts.add("second", PASSWORD, Role.ADMINISTRATOR)
    boss, image = home.browser(app, "boss"), described(home)
    _, path = shared(boss, ids=[image])
    assert "A red door." in Client(app).get(path).text
    home.accounts.set_role(home.people["boss"], Role.PERSON)
    assert "A red door." not in Client(app).get(path).text


def test_deleted_account_leaves_no_link(home: Site, app: Application, owner: Browser) -> None:
    _, path = shared(owner, ids=[described(home)])
    home.accounts.delete(home.people["owner"], begun=lambda: None)
    assert 404 == Client(app).get(path).status


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "ids"),
        ({"ids": []}, 422, "ids"),
        ({"ids": ["x"], "album": "0" * 32}, 422, "ids"),
        ({"ids": ["x"]}, 404, "not_found"),
        ({"ids": ["0" * 32]}, 404, "not_found"),
        ({"album": "0" * 32}, 404, "not_found"),
        ({"ids": ["x"], "days": 0}, 422, "days"),
        ({"ids": ["x"], "days": 366}, 422, "days"),
        ({"ids": ["x"], "days": 1.5}, 422, "days"),
        ({"ids": ["x"], "password": "short"}, 422, "password"),
        ({"ids": ["x"], "title": "x" * 101}, 422, "name"),
        ({"ids": ["x"], "download": "yes"}, 422, "download"),
        ({"ids": ["x"], "download": True, "files": "all"}, 422, "files"),
        ({"ids": ["x"], "download": True, "files": ["originals"]}, 422, "files"),
    ],
)
def test_api_refuses_a_malformed_link(owner: Browser, body: dict[str, object], status: int, code: str) -> None:
    answer = owner.send("POST", PATH, body)
    assert (status, code) == (answer.status, answer.json["code"])


def test_refused_link_hashes_no_password(owner: Browser, home: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(monkeypatch, home)
    owner.send("POST", PATH, {"ids": ["0" * 32], "password": PASSWORD})
    assert [] == [name for name in recorder.used if name.startswith(Argon2Hasher.__name__)]
    assert f"{Database.__name__}.read" in recorder.used


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_title_and_words_are_shown_as_text(
    home: Site, app: Application, owner: Browser, text: str
) -> None:
    image = described(home, caption=text, alt_text=text, tags=(text,))
    _, path = shared(owner, ids=[image, described(home)], title=text)
    for address in (path, f"{path}/{image}"):
        page = Client(app).get(address)
        assert 200 == page.status
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
    assert escape(text) in page.text.replace("&#039;", "&#x27;")


def test_pages_create_list_and_revoke_a_link(home: Site, app: Application, owner: Browser) -> None:
    image = described(home)
    form = owner.get(f"/shared/new?ids={image}")
    assert (200, True) == (form.status, "Share 1 photo by a link" in form.text)
    made = owner.post("/shared", {"token": form.token, "ids": image, "days": "3", "title": "", "password": ""})
    [path] = set(re.findall(r"/s/[A-Za-z0-9_-]{32}", made.text))
    assert 200 == Client(app).get(path).status
    listed = owner.get("/shared")
    assert path not in listed.text
    [share] = re.findall(r"/shared/([0-9a-f]{32})/revoke", listed.text)
    assert 303 == owner.post(f"/shared/{share}/revoke", {"token": listed.token}).status
    assert (404, True) == (Client(app).get(path).status, "Revoked" in owner.get("/shared").text)
    choice = {"ids": image, "days": "0", "title": "kept", "files": "originals"}
    refused = owner.post("/shared", {"token": form.token} | choice)
    assert (422, True) == (refused.status, 'value="kept"' in refused.text)
    assert '<option value="originals" selected>' in refused.text
    owner.post("/shared", {"token": form.token} | choice | {"days": "1"})
    [share, _] = owner.get(PATH).json["shares"]
    assert (True, "originals") == (share["download"], share["files"])


def test_form_of_a_link_takes_a_thousand_photos(home: Site, owner: Browser) -> None:
    """An address has no room for their ids."""
    described(home)
    list(multiply(home.database, 1000))
    change = "UPDATE images SET public_id = lower(hex(randomblob(16))), owner_id = :owner"
    home.database.run(lambda tx: tx.execute(change, owner=home.people["owner"].id))
    rows = home.database.read(lambda tx: tx.rows("SELECT public_id FROM images"))
    fields = {"token": owner.get("/shared/new").token, "ids": ",".join(row["public_id"] for row in rows)}
    form = owner.post("/shared/new", fields)
    assert (200, True) == (form.status, "Share 1,000 photos by a link" in form.text)
    assert f'name="ids" value="{fields["ids"]}"' in form.text
    made = owner.post("/shared", fields | {"token": form.token, "days": "7", "title": "", "password": ""})
    assert (200, [1000]) == (made.status, [share["images"] for share in owner.get(PATH).json["shares"]])
    assert 422 == owner.post("/shared/new", fields | {"ids": f"{fields['ids']},{'0' * 32}"}).status


def test_form_of_a_link_is_shown_to_our_own_pages_only_and_creates_nothing(home: Site, owner: Browser) -> None:
    fields = {"ids": described(home)}
    token = owner.get("/shared/new").token
    unknown = Client(owner._app)  # an old browser, which does not say what sent a form
    unknown.cookies = owner.cookies
    for given, status in ((fields, 403), (fields | {"token": "0" * 32}, 403), (fields | {"token": token}, 200)):
        assert status == unknown.post("/shared/new", given).status
        assert 200 == owner.post("/shared/new", given).status  # also with the token of an ended session
        for foreign in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://elsewhere.test"}):
            assert 403 == owner.post("/shared/new", given, **foreign).status
    assert [] == owner.get(PATH).json["shares"]
