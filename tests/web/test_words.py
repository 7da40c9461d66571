"""History, undo and new descriptions: the API, and the forms of the photo page."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgcore.gallery.models import Edit, Source, TaskKind, TaskStatus
from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import add_done
from tests.web.peopling import site


def test_api_writes_undoes_and_lists_versions(client: Client, gallery: Gallery) -> None:
    path = f"/api/v1/images/{add_done(gallery).public_id}"

    edited = client.send("PATCH", path, {"caption": "Mine."}).json
    assert ("human", "local", True) == (
        edited["caption_source"],
        edited["alt_text_source"],
        edited["alt_text_may_not_fit"],
    )
    versions = client.get(f"{path}/history").json["versions"]
    captions = [version for version in versions if version["field"] == "caption"]
    assert [("Mine.", "human", True), ("A cat asleep on a windowsill.", "local", False)] == [
        (version["value"], version["source"], version["current"]) for version in captions
    ]
    undone = client.send("POST", f"{path}/undo", {}).json
    assert ("A cat asleep on a windowsill.", "local") == (undone["caption"], undone["caption_source"])
    restored = client.send("POST", f"{path}/history/{captions[0]['id']}/restore", {}).json
    assert ("Mine.", "human") == (restored["caption"], restored["caption_source"])
    machine = client.send("POST", f"{path}/machine-words", {"fields": ["caption"]}).json
    assert "A cat asleep on a windowsill." == machine["caption"]


def test_api_stores_words_only_over_those_that_were_shown(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery, tags=("cat", "a, b"))
    path = f"/api/v1/images/{image.public_id}"
    seen = {name: client.get(path).json[name] for name in ("caption", "alt_text", "tags")}
    client.send("PATCH", path, {"caption": "Theirs."})
    refused = client.send("PATCH", path, {"caption": "Mine.", "tags": ["dog"], "shown": seen})
    assert (409, "changed") == (refused.status, refused.json["code"])
    assert ("Theirs.", ("cat", "a, b")) == (
        gallery.get(image.public_id).caption,
        gallery.get(image.public_id).tags,
    )
    stored = client.send("PATCH", path, {"tags": ["dog"], "shown": seen})
    assert (200, "Theirs.", ["dog"]) == (stored.status, stored.json["caption"], stored.json["tags"])
    stored = client.send("PATCH", path, {"caption": "Mine.", "shown": {"caption": "Theirs."}})
    assert (200, "Mine.") == (stored.status, stored.json["caption"])


def test_api_without_anything_to_undo_is_a_conflict(client: Client, gallery: Gallery) -> None:
    path = f"/api/v1/images/{add_done(gallery).public_id}"
    answers = [client.send("POST", f"{path}/{verb}", {}) for verb in ("undo", "machine-words")]
    assert [(409, "nothing_to_restore")] * 2 == [(answer.status, answer.json["code"]) for answer in answers]
    unknown = [client.send("POST", f"{path}/history/{number}/restore", {}) for number in ("9", "x", "9" * 30)]
    assert [404] * 3 == [answer.status for answer in unknown]
    assert 422 == client.send("POST", f"{path}/machine-words", {"fields": ["name"]}).status


def test_recaption_queues_the_caption_and_keeps_the_words(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery)
    answer = client.send("POST", f"/api/v1/images/{image.public_id}/recaption", {})

    assert (202, image.caption) == (answer.status, answer.json["caption"])
    assert [(TaskKind.CAPTION, image.image_key)] == gallery.queues.sent
    assert TaskStatus.PENDING is gallery.get(image.public_id).task(TaskKind.CAPTION).status


def test_photo_page_forms_write_undo_and_show_history(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery, source=Source.GEMINI)
    page = f"/images/{image.public_id}"
    first = client.get(page)
    token = first.token
    assert "<dd>caption, alt text and tags: Gemini</dd>" in first.text
    assert "Undo the last change" not in first.text

    def submit(action: str, **fields: str) -> str:
        answer = client.post(f"{page}/{action}", {"token": token, **fields})
        assert 303 == answer.status
        return client.get(answer.headers["location"]).text

    saved = submit("edit", caption="My <cat>.", alt_text=image.alt_text, tags="cat, window")
    assert "What you wrote is never overwritten automatically." in saved
    assert "the alt text is still that of Gemini" in saved
    assert "caption: Edited by a person; alt text and tags: Gemini" in saved
    assert "Undo the last change" in saved
    listed = client.get(f"{page}/history").text
    assert "My &lt;cat&gt;." in listed
    assert "A cat asleep on a windowsill." in listed
    undone = submit("undo", **client.get(page).form("/undo"))
    assert ">A cat asleep on a windowsill.</h1>" in undone
    assert "Undo the last change" not in undone
    submit(f"history/{_version(gallery, image.public_id, 'My <cat>.')}/restore")
    submit("machine-words", **client.get(page).form("/machine-words"))
    assert image.caption == gallery.get(image.public_id).caption
    assert "The photo will be described again." in submit("recaption")


@pytest.mark.parametrize("action", ["undo", "machine-words"])
def test_photo_page_takes_back_no_change_that_it_did_not_show(
    client: Client, gallery: Gallery, action: str
) -> None:
    """What others wrote after the page was loaded stays; a form that is sent twice goes back once."""
    image = add_done(gallery, source=Source.GEMINI)
    page = f"/images/{image.public_id}"
    gallery.edit(image.public_id, Edit(caption="First."))
    gallery.edit(image.public_id, Edit(caption="Second."))
    form = client.get(page).form(f"/{action}")
    gallery.edit(image.public_id, Edit(alt_text="Another person’s."))

    for sent in (form, form | {"change": ""}):
        answer = client.post(f"{page}/{action}", sent)
        assert 409 == answer.status
        assert "Others changed the words" in answer.text
    now = gallery.get(image.public_id)
    assert ("Second.", "Another person’s.") == (now.caption, now.alt_text)
    form = client.get(page).form(f"/{action}")
    assert [303, 409] == [client.post(f"{page}/{action}", form).status for _ in range(2)]
    now = gallery.get(image.public_id)
    assert (image.caption if action == "machine-words" else "Second.", image.alt_text) == (
        now.caption,
        now.alt_text,
    )


def test_photo_form_stores_only_what_its_sender_changed(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery, source=Source.GEMINI)
    page = f"/images/{image.public_id}"
    form = client.get(page).form("/edit")
    gallery.edit(image.public_id, Edit(alt_text="Another person’s."))
    body = {"ids": [image.public_id], "action": "add_tags", "tags": ["holiday"]}
    assert 200 == client.send("POST", "/api/v1/bulk", body).status

    assert 303 == client.post(f"{page}/edit", form | {"caption": "Mine,\r\nof two lines."}).status

    now = gallery.get(image.public_id)
    assert ("Mine,\nof two lines.", "Another person’s.") == (now.caption, now.alt_text)
    assert (*image.tags, "holiday") == now.tags
    other = add_done(gallery, source=Source.GEMINI)
    page = f"/images/{other.public_id}"
    assert 303 == client.post(f"{page}/edit", client.get(page).form("/edit") | {"caption": "Mine."}).status
    now = gallery.get(other.public_id)
    assert [Source.HUMAN, Source.GEMINI, Source.GEMINI] == [
        now.caption_source,
        now.alt_text_source,
        now.tags_source,
    ]


def test_photo_form_of_words_that_changed_meanwhile_is_shown_again_with_both(
    client: Client, gallery: Gallery
) -> None:
    image = add_done(gallery)
    page = f"/images/{image.public_id}"
    form = client.get(page).form("/edit")
    gallery.edit(image.public_id, Edit(caption="Theirs <b>.", tags=["theirs"]))

    refused = client.post(f"{page}/edit", form | {"caption": "Mine.", "alt_text": "My alt text."})

    assert (409, "no-store") == (refused.status, refused.headers["cache-control"])
    assert "Others changed the caption after this page was loaded" in refused.text
    assert 'id="caption_now">Now: <span dir="auto">Theirs &lt;b&gt;.</span>' in refused.text
    assert 'id="tags_now"' not in refused.text
    assert image.alt_text == gallery.get(image.public_id).alt_text
    again = refused.form("/edit")
    assert ("Mine.", "My alt text.", "theirs") == (again["caption"], again["alt_text"], again["tags"])
    assert 303 == client.post(f"{page}/edit", again).status
    now = gallery.get(image.public_id)
    assert ("Mine.", "My alt text.", ("theirs",)) == (now.caption, now.alt_text, now.tags)
    assert "Theirs &lt;b&gt;." in client.get(f"{page}/history").text


def test_photo_form_with_refused_words_is_shown_again_with_them(client: Client, gallery: Gallery) -> None:
    page = f"/images/{add_done(gallery).public_id}"
    long = "x" * 1001
    refused = client.post(f"{page}/edit", client.get(page).form("/edit") | {"caption": long, "tags": "mine"})
    assert 422 == refused.status
    assert "caption may have at most 1000 characters." in refused.text
    assert (long, "mine") == ((form := refused.form("/edit"))["caption"], form["tags"])


def test_photo_form_of_tags_with_commas_leaves_them(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery, tags=("salt, pepper",))
    page = f"/images/{image.public_id}"
    assert 303 == client.post(f"{page}/edit", client.get(page).form("/edit") | {"caption": "Mine."}).status
    assert ("salt, pepper",) == gallery.get(image.public_id).tags
    changed = client.get(page).form("/edit") | {"tags": "salt, pepper, sugar"}
    assert 303 == client.post(f"{page}/edit", changed).status
    assert ("salt", "pepper", "sugar") == gallery.get(image.public_id).tags


def _version(gallery: Gallery, public_id: str, value: str) -> int:
    return next(version.id for version in gallery.images.history(public_id) if version.value == value)


def test_history_names_the_account_that_wrote(tmp_path: Path) -> None:
    found = site(tmp_path)
    image = found.upload("owner")
    owner = found.browser(found.app(), "owner")
    owner.submit("/upload", f"/images/{image.public_id}/edit", caption="Mine.")

    (version,) = owner.get(f"/api/v1/images/{image.public_id}/history").json["versions"]

    assert ("Mine.", "owner") == (version["value"], version["account"])
    found.database.close()
