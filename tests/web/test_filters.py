"""Filters in the API: the list, the months and one month, alone and with words; tags."""

from __future__ import annotations

from datetime import datetime

import pytest

from imgcore.accounts.models import Visibility
from imgcore.gallery.models import Source, TaskKind, TaskStatus, UploadStatus
from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import add_done, add_failed, add_image
from tests.web.peopling import Site

MAY, JUNE = datetime(2025, 5, 3), datetime(2025, 6, 1)  # noqa: DTZ001 - a camera knows no time zone


@pytest.fixture
def filled(gallery: Gallery) -> Gallery:
    """Return a gallery of six photos that differ, and a file that was rejected."""
    add_done(gallery, "may.jpg", taken_at=MAY, camera="Contoso Phone 7", tags=("Zürich", "cat"))
    add_done(gallery, "june.jpg", taken_at=JUNE, camera="Fabrikam X", tags=("window",), width=3000, height=4000)
    add_done(gallery, "human.jpg", source=Source.HUMAN, width=100, height=100, format="PNG")
    add_failed(gallery, "failed.jpg")
    add_image(gallery, "waiting.jpg")
    none = add_done(gallery, "undescribed.jpg", caption=None, alt_text=None, tags=(), source=None)
    assert none.source is None
    rejected = add_image(gallery, "rejected.jpg")
    gallery.images.change(rejected.public_id, upload_status=UploadStatus.REJECTED)
    for kind in TaskKind:
        gallery.images.set_task(rejected.public_id, kind, TaskStatus.SKIPPED)
    return gallery


def names(client: Client, query: str) -> set[str]:
    answer = client.get(f"/api/v1/images?limit=100&{query}")
    assert 200 == answer.status, answer.text
    return {image["name"].removesuffix(".jpg") for image in answer.json["images"]}


EVERY = [
    ("taken_from=2025-05-03&taken_to=2025-05-03", {"may"}),
    ("taken_from=2025-05-04", {"june"}),
    ("taken_to=2025-05", {"may"}),
    ("uploaded_from=2026-11-21&uploaded_to=2026-11-21", {"may", "june", "human", "failed", "waiting",
                                                        "undescribed", "rejected"}),
    ("uploaded_to=2026-11-20", set()),
    ("month=2025-06", {"june"}),
    ("tag=zurich", {"may"}),
    ("tag=CAT", {"may", "human"}),
    ("camera=contoso+phone+7", {"may"}),
    ("camera=contoso", set()),
    ("q=camera:contoso", {"may"}),
    ("source=human", {"human"}),
    ("status=failed", {"failed", "rejected"}),
    ("status=waiting", {"waiting"}),
    ("status=undescribed", {"failed", "waiting", "undescribed"}),
    ("type=png", {"human"}),
    ("orientation=portrait", {"june"}),
    ("orientation=square", {"human"}),
    ("owner=nobody", set()),
    ("q=may&status=failed", set()),
    ("q=windowsill&orientation=portrait", {"june"}),
    ("q=-tag:cat+cat&taken_from=2025", {"june"}),
    ("q=before:2025-06", {"may"}),
    ("q=after:2025-05+before:2025-07", {"june"}),
    ("q=rejected", set()),
    ("q=rejected&status=failed", {"rejected"}),
    ("q=failed", {"failed"}),
    ("q=%3F%3F&tag=cat", set()),
    ("tag=cat&type=jpeg&orientation=landscape&month=2025-05&source=local", {"may"}),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), EVERY, ids=[query for query, _ in EVERY])
def test_filter_finds_what_it_names(client: Client, filled: Gallery, query: str, expected: set[str]) -> None:
    """The months hold the photos of the list; a rejected file is shown among those that failed only."""
    assert expected == names(client, query)

    answer = client.get(f"/api/v1/timeline?{query}").json
    shown = expected if "status=failed" in query else expected - {"rejected"}
    assert (len(shown), True) == (answer["total"], answer["exact"])
    for each in answer["months"]:
        rows = client.get(f"/api/v1/timeline/{each['month']}?{query}").json["photos"]
        assert each["count"] == len(rows)


def test_album_finds_ones_own_photos_for_those_who_see_it(home: Site) -> None:
    """Members find their own photos in it, others find none."""
    app = home.app()
    owner, other = home.program(app, "owner", "read", "edit"), home.program(app, "other", "read", "edit")
    one, two = (home.upload("owner", f"{name}.jpg").public_id for name in ("one", "two"))
    home.upload("owner", "three.jpg")
    theirs = home.upload("other", "theirs.jpg").public_id
    album = owner.send("POST", "/api/v1/albums", {"name": "A", "ids": [one, two]}).json["id"]
    assert {"one", "two"} == names(owner, f"album={album}")
    assert {"two"} == names(owner, f"album={album}&q=two")
    assert 2 == owner.get(f"/api/v1/timeline?album={album}").json["total"]
    assert set() == names(owner, "album=" + "0" * 32)
    assert set() == names(other, f"album={album}")
    owner.send("PUT", f"/api/v1/albums/{album}/members/other", {"may": "add"})
    assert set() == names(other, f"album={album}")
    other.send("POST", f"/api/v1/albums/{album}/images", {"ids": [theirs]})
    assert {"theirs"} == names(other, f"album={album}")


def test_tags_of_the_alt_text_are_not_enough(client: Client, filled: Gallery) -> None:
    assert "windowsill" in filled.pages.page(cursor=None, limit=1, query="windowsill").images[0].alt_text
    assert set() == names(client, "tag=windowsill")


@pytest.mark.parametrize("path", ["images", "timeline", "timeline/2025-05"])
@pytest.mark.parametrize(
    ("query", "code"),
    [("taken_from=may", "taken_from"), ("status=done", "status"), ("type=svg", "type"), ("month=5", "month")],
)
def test_filter_that_does_not_parse_is_400(client: Client, path: str, query: str, code: str) -> None:
    answer = client.get(f"/api/v1/{path}?{query}")
    assert (400, code) == (answer.status, answer.json["code"])
    assert code in answer.json["detail"]


def test_windows_of_a_filtered_month_join_up(client: Client, gallery: Gallery) -> None:
    for _ in range(5):
        add_done(gallery, taken_at=MAY)
    seen: list[str] = []
    offset = 0
    while offset is not None:
        answer = client.get(f"/api/v1/timeline/2025-05?tag=cat&limit=2&offset={offset}").json
        seen += [row["id"] for row in answer["photos"]]
        offset = answer["next"]
    assert list(reversed(gallery.images.rows)) == seen


def test_more_matches_than_are_counted_give_upper_bounds(
    client: Client, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    from imgcore.db import timeline_search

    for number in range(6):
        add_done(gallery, taken_at=MAY, tags=("cat",) if number % 2 else ("dog",))
    monkeypatch.setattr(timeline_search, "MOST_COUNTED", 1)
    answer = client.get("/api/v1/timeline?tag=cat").json

    assert (False, [{"month": "2025-05", "count": 6}]) == (answer["exact"], answer["months"])


def test_tags_are_listed_as_written_with_counts(client: Client, filled: Gallery) -> None:
    answer = client.get("/api/v1/tags").json
    assert None is answer["next"]
    assert [("cat", 2, False), ("window", 2, False), ("Zürich", 1, False)] == [
        (each["tag"], each["count"], each["more"]) for each in answer["tags"]
    ]
    assert ["Zürich"] == [each["tag"] for each in client.get("/api/v1/tags?q=zu").json["tags"]]
    first = client.get("/api/v1/tags?limit=1").json
    second = client.get(f"/api/v1/tags?limit=1&cursor={first['next']}").json
    assert ["cat", "window"] == [found["tags"][0]["tag"] for found in (first, second)]


def test_page_of_tags_links_each_to_its_photos(client: Client, filled: Gallery) -> None:
    page = client.get("/tags").text
    for href, tag, count in (("cat", "cat", 2), ("Z%C3%BCrich", "Zürich", 1)):
        assert f'<a href="/?tag={href}"><span dir="auto">{tag}</span> <span class="hint">{count}<' in page
    found = client.get("/tags?q=zu").text
    assert ("?tag=Z" in found, "?tag=cat" in found) == (True, False)
    assert "No tag begins with “<bdi>&lt;b&gt;</bdi>”." in client.get("/tags?q=%3Cb%3E").text
    assert 422 == client.get("/tags?cursor=x").status


def test_page_of_tags_says_where_tags_come_from(client: Client) -> None:
    assert "There are no tags yet." in client.get("/tags").text


def test_tags_of_photos_in_the_trash_are_not_listed(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery)
    gallery.delete(image.public_id)
    assert [] == client.get("/api/v1/tags").json["tags"]


@pytest.mark.parametrize("cursor", ["x", "aWQ8Mw", "_w"])
def test_tags_refuse_a_cursor_of_another_list(client: Client, cursor: str) -> None:
    answer = client.get(f"/api/v1/tags?cursor={cursor}")
    assert (422, "cursor") == (answer.status, answer.json["code"])


def test_filters_and_tags_show_own_photos_only(home: Site) -> None:
    mine, theirs = home.upload("owner", "mine.jpg"), home.upload("other", "theirs.jpg")
    for image in (mine, theirs):
        home.gallery.images.change(image.public_id, tags=("cat", image.name.removesuffix(".jpg")))
    client = home.browser(home.app(), "owner")
    shared = home.browser(home.app(Visibility.SHARED), "owner")

    assert {"mine"} == names(client, "tag=cat")
    assert {"mine"} == names(client, "status=waiting")
    assert set() == names(client, "owner=other")
    assert {"theirs"} == names(shared, "owner=other")
    assert {"mine"} == names(shared, "owner=owner")
    assert {"mine"} == names(client, f"similar={mine.public_id}")
    assert set() == names(client, f"similar={theirs.public_id}")
    assert {"theirs"} == names(shared, f"similar={theirs.public_id}")
    assert 1 == client.get("/api/v1/timeline?tag=cat").json["total"]
    tags = {each["tag"]: each["count"] for each in client.get("/api/v1/tags").json["tags"]}
    assert {"cat": 1, "mine": 1} == tags
    assert {"cat": 2, "mine": 1, "theirs": 1} == {
        each["tag"]: each["count"] for each in shared.get("/api/v1/tags").json["tags"]
    }


def test_album_that_is_not_shared_finds_nothing_for_those_who_see_its_photos(home: Site) -> None:
    """Seeing the photos of others is no right to their albums."""
    app = home.app(Visibility.SHARED)
    owner, other = home.program(app, "owner", "read", "edit"), home.program(app, "other", "read", "edit")
    photo = home.upload("owner", "one.jpg").public_id
    album = owner.send("POST", "/api/v1/albums", {"name": "A", "ids": [photo]}).json["id"]
    assert {"one"} == names(other, "q=one")
    assert set() == names(other, f"album={album}")


def test_page_offers_the_owner_to_those_who_see_the_photos_of_others(home: Site) -> None:
    def offers(visibility: Visibility) -> dict[str, bool]:
        app = home.app(visibility)
        return {name: 'name="owner"' in home.browser(app, name).get("/").text for name in ("boss", "owner")}

    assert {"boss": True, "owner": False} == offers(Visibility.PRIVATE)
    assert {"boss": True, "owner": True} == offers(Visibility.SHARED)


def test_similar_photos_are_linked_from_a_photo_and_kept_by_the_filters(
    client: Client, gallery: Gallery
) -> None:
    image = add_done(gallery, "one.jpg")
    path = f"/?similar={image.public_id}"
    assert f'href="{path}"' in client.get(f"/images/{image.public_id}").text
    page = client.get(path).text
    assert f'<input type="hidden" name="similar" value="{image.public_id}">' in page
    assert f'href="/images/{image.public_id}"' in page
    nothing = client.get("/?similar=0f").text
    assert "Similar photos</span>" in nothing
    assert "0f</span>" not in nothing
