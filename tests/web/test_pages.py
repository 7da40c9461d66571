"""The pages, as the server renders them."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from imgcore.gallery.models import Edit, Limits, Source, TaskKind, TaskStatus
from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import add_done, add_failed, add_image
from tests.web.peopling import Site
from web.app import create_app

VIEWS = Path(__file__).parents[2] / "web" / "views"
HOSTILE = "<script>alert(1)</script>\"'`{{7*7}}&amp;"


def test_an_empty_gallery_invites(client: Client) -> None:
    """The page states what may be uploaded."""
    page = client.get("/")
    assert "text/html; charset=utf-8" == page.headers["content-type"].lower()
    assert "Drop photos anywhere on this page" in page.text
    assert (
        "JPEG, PNG, WebP, GIF, AVIF, HEIC, BMP, TIFF, DNG, CR2, CR3, NEF, ARW or RAF, up to 19.1 MiB, "
        "50 megapixels and 30,000 pixels a side each." in page.text
    )


def test_the_newest_comes_first(client: Client, gallery: Gallery) -> None:
    """The card has caption, alt text and both thumbnails."""
    add_done(gallery, "old.jpg", caption="The old one.")
    image = add_done(gallery, "new.jpg", caption="The new one.")
    page = client.get("/").text
    assert page.index("The new one.") < page.index("The old one.")
    assert 'alt="A grey cat sleeps on a sunny windowsill."' in page
    assert f"thumbnails/{image.public_id}/200.webp?X-Amz-Signature=made-up 200w" in page
    assert f"thumbnails/{image.public_id}/400.webp?X-Amz-Signature=made-up 400w" in page


def test_first_photos_of_the_timeline_are_drawn_before_scripts_run(client: Client, gallery: Gallery) -> None:
    """The order is that of the date taken. A search has none."""
    late = datetime(2027, 1, 1)  # noqa: DTZ001 - a camera knows no time zone
    for _ in range(9):
        add_done(gallery)
    first = add_done(gallery, taken_at=late, width=3000, height=4000)
    add_done(gallery, taken_at=late - timedelta(days=9000))
    undecoded = add_image(gallery)
    drawn = first_drawn(client)
    pictures = re.findall(r"<img [^>]*>", drawn)
    assert 7 == len(pictures)  # eight, without the one that has no picture yet
    [newest] = [picture for picture in pictures if first.public_id in picture]
    assert newest == pictures[0]
    assert f"thumbnails/{first.public_id}/grid.webp" in newest
    assert 'width="270" height="360" fetchpriority=high' in newest
    assert undecoded.public_id not in drawn
    assert "" == first_drawn(client, "/?q=cat") == first_drawn(client, "/?sort=uploaded")
    assert "" == first_drawn(client, "/?month=nonsense")


def first_drawn(client: Client, path: str = "/") -> str:
    """Return the list of the photos that are drawn before the scripts of the page run."""
    return client.get(path).text.partition('<ul class="first js"')[2].partition("</ul>")[0]


def test_first_photos_change_with_their_versions(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery, caption="The old words.")
    assert "The old words." in client.get("/").text
    gallery.edit(image.public_id, Edit(caption="The new words."))
    drawn = first_drawn(client)
    assert "The new words." in drawn
    assert "The old words." not in drawn


def test_one_page_holds_forty(client: Client, gallery: Gallery) -> None:
    """The rest is behind a cursor."""
    for number in range(41):
        add_done(gallery, f"{number}.jpg")
    page = client.get("/").text
    assert 40 == page.count('class="card"')
    assert 'href="/?cursor=aWQ8Mg"' in page


@pytest.mark.parametrize("path", sorted(VIEWS.glob("*.tpl")), ids=lambda path: path.stem)
def test_template_shows_no_backslash_at_the_end_of_a_line(path: Path) -> None:
    """Two of them join lines; a single one is text that people see."""
    lines = path.read_text().splitlines()
    assert [] == [line for line in lines if line.endswith("\\") and not line.endswith("\\\\")]


def test_the_next_page_of_a_search_keeps_its_words(client: Client, gallery: Gallery) -> None:
    """Percent-encoded."""
    for number in range(41):
        add_done(gallery, f"{number}.jpg", caption="größer & besser")
    assert 'href="/?cursor=aWQ8Mg&amp;q=gr%C3%B6%C3%9Fer%20%26"' in client.get("/?q=gr%C3%B6%C3%9Fer+%26").text


def test_filters_work_without_scripts(client: Client, gallery: Gallery) -> None:
    """They narrow the list, stay chosen in the form, and are in the link to the next page."""
    add_done(gallery, "a.jpg", caption="A cat.", tags=("cat",))
    for number in range(41):
        add_done(gallery, f"{number}.jpg", caption="A dog.", tags=("dog",))
    page = client.get("/?tag=dog&source=&month=").text
    assert (40, 0) == (page.count('class="card"'), page.count("A cat."))
    assert 'name="tag" type="text" value="dog"' in page
    assert re.search(r'href="/\?cursor=[^"&]+&amp;tag=dog"', page)
    none = client.get("/?tag=bird").text
    assert 'No results for “<span id="sought">bird</span>”' in none
    assert 'class="empty" id="empty" aria-labelledby="invite" hidden' in none


def test_filter_that_is_refused_says_so_without_scripts(client: Client, gallery: Gallery) -> None:
    """The list is there all the same, with one link that leads out."""
    add_done(gallery, caption="A cat.")
    answer = client.get("/?taken_from=soon&q=cat")
    assert 200 == answer.status
    assert 'role="alert">taken_from must be a date: YYYY, YYYY-MM or YYYY-MM-DD. <a href="/">' in answer.text
    assert 1 == answer.text.count('class="card"')


def test_sign_out_and_people_are_in_the_header(home: Site) -> None:
    """Scrolling through an endless list never chases them away."""
    page = home.browser(home.app(), "boss").get("/").text
    header = page[page.index("<header") : page.index("</header>")]
    for words in ('action="/logout"', 'href="/accounts"', 'href="/account"', 'href="/about"'):
        assert words in header
    assert "<footer" not in page


def test_plain_form_says_what_an_answer_of_the_storage_looks_like(client: Client) -> None:
    """The bucket answers a refused file with XML, which leads nowhere by itself."""
    page = client.post("/upload", {"token": client.get("/upload").token, "type": "image/jpeg"}).text
    assert "If the storage does not take the file" in page
    assert "go back to this page" in page


def test_no_page_refreshes_itself(client: Client, gallery: Gallery) -> None:
    """A page that reloads by itself takes the place away from people who read slowly (WCAG 2.2.1)."""
    image = add_image(gallery)
    for path in ("/", f"/images/{image.public_id}"):
        assert "http-equiv" not in client.get(path).text
    assert f'<a href="/images/{image.public_id}">Reload</a>' in client.get(f"/images/{image.public_id}").text


def test_the_viewers_address_is_the_photos_page(client: Client, gallery: Gallery) -> None:
    """A link to the viewer works without scripts and without the list."""
    image = add_done(gallery, caption="A cat.")
    assert ">A cat.</h1>" in client.get(f"/photo/{image.public_id}").text


def test_what_a_model_says_is_escaped(client: Client, gallery: Gallery) -> None:
    """Every place where the text is shown escapes it."""
    image = add_done(
        gallery, f"{HOSTILE}.jpg", caption=HOSTILE, alt_text=HOSTILE, tags=(HOSTILE,), visible_text=HOSTILE
    )
    gallery.images.set_task(image.public_id, TaskKind.CAPTION, TaskStatus.FAILED, message=HOSTILE)
    gallery.breakers.open("gemini", wait=60, reason=HOSTILE, message=HOSTILE)
    for path in ("/", f"/images/{image.public_id}", "/?q=%3Cscript%3E"):
        page = client.get(path).text
        assert "<script>" not in page
        assert "{{7*7}}" in page
    assert html.escape(HOSTILE).replace("&#x27;", "&#039;") in client.get("/").text


def test_about_names_the_describer_and_the_release(client: Client) -> None:
    """The menu of every page leads there, and says that there is no sign-in."""
    page = client.get("/").text
    assert 'href="/about"' in page
    assert "this gallery can be reached from this computer only" in page
    assert "Photos are described by the local describer. Release abc1234." in client.get("/about").text


@pytest.mark.parametrize(
    ("source", "model", "sentence"),
    [
        (Source.LOCAL, None, "Described by the local describer, without Gemini"),
        (Source.GEMINI, "gemini-3.5-flash-lite", "Described by Gemini (gemini-3.5-flash-lite)"),
        (Source.EMBEDDED, None, "From the photo’s own metadata"),
        (Source.HUMAN, None, "Edited by a person"),
    ],
)
def test_who_described_it_is_said(
    client: Client, gallery: Gallery, source: Source, model: str | None, sentence: str
) -> None:
    """Honestly, on the photo's own page."""
    image = add_done(gallery, source=source, model=model)
    assert f'<p class="source">{sentence}</p>' in client.get(f"/images/{image.public_id}").text


def test_a_photos_page_tells_what_is_known(client: Client, gallery: Gallery) -> None:
    """Size, dimensions, type, when it was uploaded; tags lead to a search."""
    image = add_done(gallery, tags=("black & white",), camera="Nikon Z 5")
    page = client.get(f"/images/{image.public_id}").text
    for words in ("4000 × 3000 pixels", "1.2 MiB", "JPEG", "Nikon Z 5", "21 November 2026, 09:01 UTC"):
        assert words in page
    assert 'href="/?q=black%20%26%20white"' in page


def test_a_photo_in_the_trash_offers_its_way_back(client: Client, gallery: Gallery) -> None:
    image = add_done(gallery)
    gallery.delete(image.public_id)
    page = client.get(f"/images/{image.public_id}").text
    assert f'action="/images/{image.public_id}/restore"' in page
    assert "Download" not in page


def test_the_offer_to_undo_names_only_an_id(client: Client) -> None:
    """Anything else in the address is ignored."""
    assert f'action="/images/{"0" * 32}/restore"' in client.get(f"/?deleted={'0' * 32}").text
    assert "/restore" not in client.get("/?deleted=../x").text


def test_the_forms_do_what_they_say(client: Client, gallery: Gallery) -> None:
    """Edit, retry, delete and restore, each back to a page."""
    image = add_failed(gallery)
    path = f"/images/{image.public_id}"
    token = client.get(path).token
    edited = client.post(
        f"{path}/edit", {"token": token, "caption": "Größe", "alt_text": "Ein Hund", "tags": "a, b,"}
    )
    assert (303, f"{path}?done=saved") == (edited.status, edited.headers["location"])
    assert ("Größe", ("a", "b")) == ((row := gallery.get(image.public_id)).caption, row.tags)
    assert 303 == client.post(f"{path}/retry", {"token": token}).status
    assert "waiting" == gallery.get(image.public_id).status
    assert 303 == client.post(f"{path}/delete", {"token": token}).status
    assert 303 == client.post(f"{path}/restore", {"token": token}).status
    assert gallery.get(image.public_id).deleted_at is None


def test_a_form_that_says_too_much_is_refused_in_a_sentence(client: Client, gallery: Gallery) -> None:
    """The page has the same status code as the API."""
    image = add_done(gallery)
    token = client.get("/upload").token
    answer = client.post(f"/images/{image.public_id}/edit", {"token": token, "caption": "x" * 1001})
    assert 422 == answer.status
    assert "caption may have at most 1000 characters." in answer.text


def test_the_plain_upload_leads_to_the_bucket_and_back(client: Client, gallery: Gallery) -> None:
    """The form carries the bucket's own fields, and the way back at the name that we were asked by."""
    token = client.get("/upload").token
    page = client.post(
        "/upload", {"token": token, "type": "image/png", "name": "Größe.png"}, Host="127.0.0.1:81"
    )
    [image] = gallery.images.rows.values()
    assert "Größe.png" == image.name
    assert 'action="http://bucket.localhost:9/uploads"' in page.text
    assert f'name="key" value="{image.image_key}"' in page.text
    assert f'value="http://127.0.0.1:81/images/{image.public_id}"' in page.text
    assert "no-store" == page.headers["cache-control"]


def test_a_type_that_is_not_offered_is_refused(client: Client) -> None:
    """The plain form has the same limit."""
    token = client.get("/upload").token
    answer = client.post("/upload", {"token": token, "type": "text/html"})
    assert 422 == answer.status
    assert "This file type is not supported." in answer.text


def test_types_and_limits_are_those_of_the_gallery(client: Client, gallery: Gallery) -> None:
    """The script and the text use the same limit."""
    object.__setattr__(gallery, "limits", Limits(512, {"image/x-new": "new"}))
    page = Client(create_app(gallery)).get("/").text
    assert 'data-max-bytes="512" data-media-types="image/x-new"' in page
    assert "NEW, up to 512 bytes, 50 megapixels and 30,000 pixels a side each." in page


def test_pages_are_asked_for_again(client: Client, gallery: Gallery) -> None:
    """What is deleted is not shown out of a cache."""
    assert "private, no-cache" == client.get("/").headers["cache-control"]
