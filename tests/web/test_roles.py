"""Access control: every route of the application, requested by every role."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcore.accounts.models import Visibility
from tests.web.client import Client
from tests.web.peopling import site
from tests.web.role_scene import SECRET, Scene
from web.app import create_app

ROLES = ("anonymous", "other", "owner", "administrator", "read", "upload", "edit", "admin")
SEES = ("owner", "administrator", "read", "edit")

# (method, route) → the status for each of ROLES. The photo is the owner's, and so are the keys read,
# upload and edit; the key admin is the administrator's. 303 to /login is what nobody gets from a page.
PAGE_READ = (303, 404, 200, 200, 303, 303, 303, 303)
PAGE_EDIT = (303, 404, 303, 303, 303, 303, 303, 303)
PAGE_ANY = (303, 200, 200, 200, 303, 303, 303, 303)
OWN_FORM = (303, 303, 303, 303, 303, 303, 303, 303)
BOSS_FORM = (303, 403, 403, 303, 303, 303, 303, 303)
BOSS_PAGE = (303, 403, 403, 200, 303, 303, 303, 303)
API_READ = (401, 404, 200, 200, 200, 403, 403, 403)
API_EDIT = (401, 404, 200, 200, 403, 403, 200, 403)
EVERYBODY = (200,) * 8
TABLE = {
    ("GET", "/"): PAGE_ANY,
    ("GET", "/images/<public_id>"): PAGE_READ,
    ("GET", "/photo/<public_id>"): PAGE_READ,
    ("GET", "/about"): PAGE_ANY,
    ("GET", "/images/<public_id>/original"): (303, 404, 303, 303, 303, 303, 303, 303),
    ("POST", "/images/<public_id>/edit"): PAGE_EDIT,
    ("POST", "/images/<public_id>/retry"): (303, 404, 409, 409, 303, 303, 303, 303),
    ("POST", "/images/<public_id>/delete"): PAGE_EDIT,
    ("POST", "/images/<public_id>/restore"): PAGE_EDIT,
    ("POST", "/images/<public_id>/recaption"): (303, 404, 409, 409, 303, 303, 303, 303),
    ("GET", "/images/<public_id>/history"): PAGE_READ,
    ("POST", "/images/<public_id>/history/<version>/restore"): (303, 404, 404, 404, 303, 303, 303, 303),
    ("POST", "/images/<public_id>/undo"): (303, 404, 409, 409, 303, 303, 303, 303),
    ("POST", "/images/<public_id>/machine-words"): (303, 404, 409, 409, 303, 303, 303, 303),
    ("GET", "/campaigns"): PAGE_ANY,
    ("POST", "/campaigns"): (303, 422, 422, 422, 303, 303, 303, 303),
    ("POST", "/campaigns/<public_id>/<change>"): (303, 404, 404, 404, 303, 303, 303, 303),
    ("GET", "/albums"): PAGE_ANY,
    ("POST", "/albums"): OWN_FORM,
    ("GET", "/albums/<public_id>"): PAGE_READ,
    ("GET", "/albums/<public_id>/images/<image_id>"): PAGE_READ,
    ("GET", "/albums/<public_id>/add"): PAGE_READ,
    ("POST", "/albums/<public_id>/add"): (303, 404, 422, 422, 303, 303, 303, 303),
    ("POST", "/albums/<public_id>/remove"): (303, 404, 422, 422, 303, 303, 303, 303),
    ("POST", "/albums/<public_id>/move"): (303, 404, 409, 409, 303, 303, 303, 303),
    ("POST", "/albums/<public_id>/edit"): PAGE_EDIT,
    ("POST", "/albums/<public_id>/delete"): PAGE_EDIT,
    ("POST", "/albums/<public_id>/members"): PAGE_EDIT,
    ("POST", "/albums/<public_id>/members/remove"): (303, 404, 404, 404, 303, 303, 303, 303),
    ("GET", "/webhooks"): PAGE_ANY,
    ("POST", "/webhooks"): (303, 200, 200, 200, 303, 303, 303, 303),
    ("POST", "/webhooks/<public_id>/secret"): (303, 404, 200, 404, 303, 303, 303, 303),
    ("POST", "/webhooks/<public_id>/delete"): (303, 404, 303, 404, 303, 303, 303, 303),
    ("GET", "/api/v1/webhooks"): (401, 200, 200, 200, 403, 403, 200, 403),
    ("POST", "/api/v1/webhooks"): (401, 201, 201, 201, 403, 403, 201, 403),
    ("DELETE", "/api/v1/webhooks/<public_id>"): (401, 404, 204, 404, 403, 403, 204, 403),
    ("POST", "/api/v1/webhooks/<public_id>/secret"): (401, 404, 200, 404, 403, 403, 200, 403),
    ("GET", "/api/v1/webhooks/<public_id>/deliveries"): (401, 404, 200, 404, 403, 403, 200, 403),
    ("GET", "/shared"): PAGE_ANY,
    ("GET", "/shared/new"): PAGE_ANY,
    ("POST", "/shared/new"): PAGE_ANY,
    ("POST", "/shared"): (303, 404, 200, 200, 303, 303, 303, 303),
    ("POST", "/shared/<public_id>/revoke"): PAGE_EDIT,
    ("GET", "/share-target"): (409,) * 8,
    ("POST", "/share-target"): (409,) * 8,
    ("GET", "/s/<token>"): EVERYBODY,
    # The form token of a session is not that of the visitor's page, which does not know the session
    ("POST", "/s/<token>"): (303, 403, 403, 403, 303, 303, 303, 303),
    ("GET", "/s/<token>/all.zip"): EVERYBODY,
    ("POST", "/download"): PAGE_ANY,
    ("GET", "/images/<public_id>/embedded"): (303, 404, 422, 422, 303, 303, 303, 303),  # its file is no image
    ("GET", "/s/<token>/<image_id>"): EVERYBODY,
    ("GET", "/s/<token>/<image_id>/download"): (303,) * 8,
    ("GET", "/upload"): PAGE_ANY,
    ("POST", "/upload"): PAGE_ANY,
    ("GET", "/login"): (200, 303, 303, 303, 200, 200, 200, 200),
    ("POST", "/login"): (401,) * 8,
    ("GET", "/login/code"): (303,) * 8,
    ("POST", "/login/code"): (303,) * 8,
    ("POST", "/login/passkey/options"): EVERYBODY,
    ("POST", "/login/passkey"): (303,) * 8,
    ("POST", "/logout"): (303,) * 8,
    ("GET", "/setup"): (303,) * 8,
    ("POST", "/setup"): (403,) * 8,
    ("GET", "/account"): PAGE_ANY,
    ("POST", "/account/password"): (303, 403, 403, 403, 303, 303, 303, 303),
    ("GET", "/account/passkeys"): PAGE_ANY,
    ("POST", "/account/passkeys/options"): (303, 200, 200, 200, 303, 303, 303, 303),
    ("POST", "/account/passkeys"): (303, 403, 403, 403, 303, 303, 303, 303),
    ("POST", "/account/passkeys/<public_id>/remove"): (303, 404, 404, 404, 303, 303, 303, 303),
    ("GET", "/account/second-factor"): PAGE_ANY,
    ("POST", "/account/second-factor"): (303, 422, 422, 422, 303, 303, 303, 303),
    ("POST", "/account/second-factor/codes"): (303, 409, 409, 409, 303, 303, 303, 303),
    ("POST", "/account/second-factor/remove"): (303, 409, 409, 409, 303, 303, 303, 303),
    ("POST", "/account/sessions/end"): OWN_FORM,
    ("POST", "/account/sessions/<public_id>/end"): (303, 404, 404, 404, 303, 303, 303, 303),
    ("POST", "/account/keys"): (303, 200, 200, 200, 303, 303, 303, 303),
    ("POST", "/account/keys/<public_id>/remove"): (303, 404, 404, 404, 303, 303, 303, 303),
    ("POST", "/account/delete"): (303, 403, 403, 403, 303, 303, 303, 303),
    ("POST", "/account/notices"): OWN_FORM,
    ("POST", "/account/notices/stop"): OWN_FORM,
    ("GET", "/accounts"): BOSS_PAGE,
    ("POST", "/accounts"): BOSS_PAGE,
    ("GET", "/accounts/<public_id>"): BOSS_PAGE,
    ("POST", "/accounts/<public_id>/password"): BOSS_PAGE,
    ("POST", "/accounts/<public_id>/second-factor"): (303, 403, 403, 404, 303, 303, 303, 303),
    ("POST", "/accounts/<public_id>/role"): BOSS_FORM,
    ("POST", "/accounts/<public_id>/quota"): BOSS_FORM,
    ("POST", "/accounts/<public_id>/sign-out"): BOSS_FORM,
    ("POST", "/accounts/<public_id>/keys/<key_id>/remove"): BOSS_FORM,
    ("POST", "/accounts/<public_id>/delete"): BOSS_FORM,
    ("GET", "/activity"): PAGE_ANY,
    ("POST", "/activity/retry"): PAGE_ANY,
    ("GET", "/spending"): BOSS_PAGE,
    ("GET", "/security-log"): BOSS_PAGE,
    ("GET", "/admin/jobs"): BOSS_PAGE,
    ("POST", "/admin/jobs/retry"): BOSS_PAGE,
    ("POST", "/admin/jobs/pause"): BOSS_PAGE,
    ("POST", "/admin/jobs/resume"): BOSS_PAGE,
    ("POST", "/api/v1/uploads"): (401, 201, 201, 201, 403, 201, 403, 403),
    ("GET", "/api/v1/uploads/<public_id>"): (401, 404, 200, 200, 403, 200, 403, 403),
    ("POST", "/api/v1/uploads/<public_id>/parts"): (401, 404, 409, 409, 403, 409, 403, 403),
    ("POST", "/api/v1/uploads/<public_id>/finish"): (401, 404, 204, 204, 403, 204, 403, 403),
    ("GET", "/api/v1/duplicates"): (401, 422, 422, 422, 403, 422, 403, 403),
    ("GET", "/api/v1/images"): (401, 200, 200, 200, 200, 403, 403, 403),
    ("GET", "/api/v1/changes"): (401, 200, 200, 200, 200, 403, 403, 403),
    ("GET", "/tags"): PAGE_ANY,
    ("GET", "/trash"): PAGE_ANY,
    ("POST", "/trash/restore"): (303, 422, 422, 422, 303, 303, 303, 303),
    ("POST", "/trash/delete"): (303, 422, 422, 422, 303, 303, 303, 303),
    ("DELETE", "/api/v1/trash"): (401, 200, 200, 200, 403, 403, 200, 403),
    ("POST", "/api/v1/trash/all/restore"): (401, 200, 200, 200, 403, 403, 200, 403),
    ("DELETE", "/api/v1/trash/<public_id>"): (401, 404, 404, 404, 403, 403, 404, 403),
    ("GET", "/api/v1/tags"): (401, 200, 200, 200, 200, 403, 403, 403),
    ("GET", "/api/v1/timeline"): (401, 200, 200, 200, 200, 403, 403, 403),
    ("GET", "/api/v1/timeline/<month>"): (401, 200, 200, 200, 200, 403, 403, 403),
    ("GET", "/api/v1/images/<public_id>"): API_READ,
    ("PATCH", "/api/v1/images/<public_id>"): API_EDIT,
    ("DELETE", "/api/v1/images/<public_id>"): (401, 404, 204, 204, 403, 403, 204, 403),
    ("GET", "/api/v1/images/<public_id>/status"): API_READ,
    ("POST", "/api/v1/images/<public_id>/retry"): (401, 404, 409, 409, 403, 403, 409, 403),
    ("POST", "/api/v1/images/<public_id>/restore"): API_EDIT,
    ("POST", "/api/v1/images/<public_id>/recaption"): (401, 404, 409, 409, 403, 403, 409, 403),
    ("GET", "/api/v1/images/<public_id>/history"): API_EDIT,
    ("POST", "/api/v1/images/<public_id>/history/<version>/restore"): (401, 404, 404, 404, 403, 403, 404, 403),
    ("POST", "/api/v1/images/<public_id>/undo"): (401, 404, 409, 409, 403, 403, 409, 403),
    ("POST", "/api/v1/images/<public_id>/machine-words"): (401, 404, 409, 409, 403, 403, 409, 403),
    ("GET", "/api/v1/campaigns"): (401, 200, 200, 200, 403, 403, 200, 403),
    ("POST", "/api/v1/campaigns"): (401, 422, 422, 422, 403, 403, 422, 403),
    ("GET", "/api/v1/campaigns/<public_id>"): (401, 404, 404, 404, 403, 403, 404, 403),
    ("POST", "/api/v1/campaigns/<public_id>/pause"): (401, 404, 404, 404, 403, 403, 404, 403),
    ("POST", "/api/v1/campaigns/<public_id>/resume"): (401, 404, 404, 404, 403, 403, 404, 403),
    ("POST", "/api/v1/campaigns/<public_id>/cancel"): (401, 404, 404, 404, 403, 403, 404, 403),
    ("GET", "/api/v1/albums"): (401, 200, 200, 200, 200, 403, 403, 403),
    ("POST", "/api/v1/albums"): (401, 201, 201, 201, 403, 403, 201, 403),
    ("GET", "/api/v1/albums/<public_id>"): API_READ,
    ("PATCH", "/api/v1/albums/<public_id>"): API_EDIT,
    ("DELETE", "/api/v1/albums/<public_id>"): (401, 404, 204, 204, 403, 403, 204, 403),
    ("GET", "/api/v1/albums/<public_id>/images"): API_READ,
    ("POST", "/api/v1/albums/<public_id>/images"): API_EDIT,
    ("POST", "/api/v1/albums/<public_id>/images/remove"): API_EDIT,
    ("POST", "/api/v1/albums/<public_id>/images/move"): (401, 404, 409, 409, 403, 403, 409, 403),
    ("PUT", "/api/v1/albums/<public_id>/members/<name>"): API_EDIT,
    ("DELETE", "/api/v1/albums/<public_id>/members/<name>"): (401, 404, 404, 404, 403, 403, 404, 403),
    ("GET", "/api/v1/activity"): (401, 200, 200, 200, 200, 403, 403, 403),
    ("GET", "/api/v1/activity/failed"): (401, 200, 200, 200, 200, 403, 403, 403),
    ("POST", "/api/v1/activity/retry"): (401, 202, 202, 202, 403, 403, 202, 403),
    ("GET", "/api/v1/jobs"): (401, 403, 403, 200, 403, 403, 403, 200),
    ("GET", "/api/v1/spending"): (401, 403, 403, 200, 403, 403, 403, 200),
    ("POST", "/api/v1/jobs/retry"): (401, 403, 403, 202, 403, 403, 403, 202),
    ("POST", "/api/v1/jobs/pause"): (401, 403, 403, 200, 403, 403, 403, 200),
    ("POST", "/api/v1/jobs/resume"): (401, 403, 403, 200, 403, 403, 403, 200),
    ("POST", "/api/v1/bulk"): (401, 200, 200, 200, 403, 403, 200, 403),
    ("POST", "/api/v1/bulk/undo"): (401, 200, 200, 200, 403, 403, 200, 403),
    ("POST", "/api/v1/download"): (401, 200, 200, 200, 200, 403, 403, 403),
    ("GET", "/api/v1/albums/<public_id>/download"): API_READ,
    ("GET", "/api/v1/shares"): (401, 200, 200, 200, 403, 403, 200, 403),
    ("POST", "/api/v1/shares"): (401, 404, 201, 201, 403, 403, 201, 403),
    ("DELETE", "/api/v1/shares/<public_id>"): (401, 404, 204, 204, 403, 403, 204, 403),
    ("GET", "/api/v1/openapi.yaml"): EVERYBODY,
    ("GET", "/api/v1/me"): (401, 200, 200, 200, 200, 200, 200, 200),
    ("GET", "/api/v1/accounts"): (401, 403, 403, 200, 403, 403, 403, 200),
    ("POST", "/api/v1/accounts"): (401, 403, 403, 403, 403, 403, 403, 201),
    ("DELETE", "/api/v1/accounts/<public_id>"): (401, 403, 403, 403, 403, 403, 403, 204),
    ("GET", "/healthz"): EVERYBODY,
    ("GET", "/language/<code>"): (404,) * 8,  # of a language that the gallery lacks
    ("GET", "/readyz"): EVERYBODY,
    ("GET", "/static/<name:path>"): EVERYBODY,
}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One site for the whole table."""
    scene = Scene(tmp_path_factory.mktemp("roles"))
    yield scene
    scene.site.database.close()


def test_every_route_has_a_row(scene: Scene) -> None:
    """A new route says here who may ask it, or this fails; so does a row without a route."""
    routes = {(route.method, route.rule) for route in scene.app.routes}
    assert routes == set(TABLE), "TABLE has one row for each route: the status for each of ROLES"


@pytest.mark.parametrize("role", ROLES)
def test_everybody_gets_what_is_theirs_and_nothing_else(scene: Scene, role: str) -> None:
    """The status of every route; the photo's name in no answer to those who do not see it."""
    scene.site.upload("owner", SECRET)
    answers = {route: scene.ask(role, *route) for route in TABLE}
    assert {route: row[ROLES.index(role)] for route, row in TABLE.items()} == {
        route: answer.status for route, answer in answers.items()
    }
    leaks = [route for route, answer in answers.items() if SECRET.encode() in answer.body]
    assert bool(leaks) is (role in SEES)


def test_a_route_that_declares_nothing_is_an_administrators(tmp_path: Path) -> None:
    """Forgetting it opens nothing."""
    found = site(tmp_path)
    app = found.app()
    app.route("/forgotten", "GET", lambda: "secret")
    assert [303, 403, 200] == [
        found.browser(app, name).get("/forgotten").status for name in (None, "owner", "boss")
    ]


def test_a_key_of_an_administrator_sees_all_only_with_the_scope_admin(scene: Scene) -> None:
    """A key that is meant for reading reads its owner's photos."""
    image = scene.site.upload("owner", SECRET)
    path = f"/api/v1/images/{image.public_id}"
    statuses = [
        scene.site.program(scene.app, "boss", *scopes).get(path).status
        for scopes in (("read",), ("read", "admin"))
    ]
    assert [404, 200] == statuses


@pytest.mark.parametrize(
    ("visibility", "reads", "edits"),
    [
        (Visibility.PRIVATE, (401, 404, 200), (401, 404, 200)),
        (Visibility.SHARED, (401, 200, 200), (401, 403, 200)),
        (Visibility.PUBLIC, (200, 200, 200), (401, 403, 200)),
    ],
)
def test_who_sees_the_photos_of_others(
    scene: Scene, visibility: Visibility, reads: tuple[int, ...], edits: tuple[int, ...]
) -> None:
    """GALLERY_VISIBILITY: anonymous, another, the owner. Nobody but the owner may change them in any case."""
    app = scene.site.app(visibility)
    image = scene.site.upload("owner")
    clients = [scene.site.browser(app, name) for name in (None, "other", "owner")]
    path = f"/api/v1/images/{image.public_id}"
    assert reads == tuple(client.get(path).status for client in clients)
    assert edits == tuple(client.send("PATCH", path, {"caption": "x"}).status for client in clients)


def test_what_is_shared_keeps_its_original_to_the_owner(scene: Scene) -> None:
    """The original says where it was taken. Nor do others see what is on its way, or in the trash."""
    app = scene.site.app(Visibility.SHARED)
    owner, other = scene.site.browser(app, "owner"), scene.site.browser(app, "other")
    image = scene.site.upload("owner")
    path = f"/api/v1/images/{image.public_id}"
    shown = other.get(path).json
    assert (None, True, "owner") == (shown["original_url"], shown["read_only"], shown["owner"])
    assert owner.get(path).json["original_url"]
    awaited = owner.send("POST", "/api/v1/uploads", {"name": "a.jpg", "type": "image/jpeg"}).json["image"]
    owner.request("DELETE", path)
    listed = [found["id"] for found in other.get("/api/v1/images?limit=100").json["images"]]
    assert (404, 404, False) == (
        other.get(path).status,
        other.get(f"/api/v1/images/{awaited['id']}").status,
        awaited["id"] in listed or image.public_id in listed,
    )


def test_download_of_the_original_is_signed_for_the_owner_when_it_begins(scene: Scene) -> None:
    """The others get no link, and nobody gets one to a photo in the trash."""
    app = scene.site.app(Visibility.SHARED)
    owner, other = scene.site.browser(app, "owner"), scene.site.browser(app, "other")
    image = scene.site.upload("owner")
    path = f"/images/{image.public_id}/original"

    answer = owner.get(path)
    assert (303, "no-store") == (answer.status, answer.headers["cache-control"])
    assert f"/uploads/{image.image_key}?X-Amz-Signature=" in answer.headers["location"]
    assert f'href="{path}"' in owner.get(f"/images/{image.public_id}").text
    assert (403, "/login") == (other.get(path).status, Client(app).get(path).headers["location"][:6])
    owner.request("DELETE", f"/api/v1/images/{image.public_id}")
    assert 404 == owner.get(path).status


def test_what_has_no_owner_is_an_administrators(scene: Scene) -> None:
    """Photos from before there were accounts, or that came into the bucket by themselves."""
    image = scene.site.upload(None)
    path = f"/api/v1/images/{image.public_id}"
    browsers = [scene.site.browser(scene.app, name) for name in ("owner", "boss")]
    assert [404, 200] == [browser.get(path).status for browser in browsers]
    assert 200 == Client(create_app(scene.site.gallery)).get(path).status  # and everybody's in open mode


def test_a_list_asked_for_by_ids_leaves_out_what_is_somebody_elses(scene: Scene) -> None:
    """The answer is 404, as for an unknown photo."""
    mine, theirs = scene.site.upload("other").public_id, scene.site.upload("owner").public_id
    answer = scene.site.browser(scene.app, "other").get(f"/api/v1/images?ids={mine},{theirs}")
    assert [mine] == [image["id"] for image in answer.json["images"]]


def test_a_search_finds_nothing_of_somebody_elses(scene: Scene) -> None:
    """The search does not find it by its words either."""
    scene.site.upload("owner", "unfindable.jpg")
    found = [
        len(scene.site.browser(scene.app, name).get("/api/v1/images?q=unfindable").json["images"])
        for name in ("other", "owner", "boss")
    ]
    assert [0, 1, 1] == found


def test_where_it_was_taken_is_the_owners_to_know(scene: Scene) -> None:
    """The page and the API show it; other accounts that see the photo do not."""
    image = scene.site.upload("owner")
    place = "UPDATE images SET latitude = 48.1371, longitude = -11.5754 WHERE id = :id"
    scene.site.database.run(lambda tx: tx.execute(place, id=image.id))
    app = scene.site.app(Visibility.SHARED)
    for name, answers in (("owner", True), ("boss", True), ("other", False)):
        browser = scene.site.browser(app, name)
        page = browser.get(f"/images/{image.public_id}").text
        location = browser.get(f"/api/v1/images/{image.public_id}").json.get("location")
        assert ("48.13710° N, 11.57540° W" in page) is answers
        assert ({"latitude": 48.1371, "longitude": -11.5754} if answers else None) == location
