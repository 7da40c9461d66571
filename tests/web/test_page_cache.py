"""The page from the cache: rendered once, compressed apart from its token. See also test_cache_truth.py."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from imgcore.db.pages import PageRepository
from imgcore.gallery.models import Edit, TaskKind, TaskStatus
from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import FakeStorage, add_done, add_failed, fake_gallery
from web.app import create_app
from web.http.page_cache import TOKEN_MARK, Cache, CachedPage


def test_a_page_that_is_known_is_not_rendered_again(
    gallery: Gallery, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_done(gallery)
    first = client.get("/")
    monkeypatch.setattr("web.http.cards.Cards.of_page", None)  # a call would raise

    assert first.body == client.get("/").body
    assert (304, b"") == ((again := client.get("/", if_none_match=first.headers["etag"])).status, again.body)
    assert "private, no-cache" == again.headers["cache-control"]


def test_only_changed_cards_are_read(gallery: Gallery, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    images = [add_done(gallery, f"{n}.jpg") for n in range(5)]
    client.get("/")
    read: list[int] = []
    tiles = PageRepository.tiles
    monkeypatch.setattr(PageRepository, "tiles", lambda self, ids: read.extend(ids) or tiles(self, ids))
    gallery.images.edit(images[2].public_id, Edit(caption="Changed."))

    assert "Changed." in client.get("/").text
    assert [images[2].id] == read


def test_new_urls_make_a_new_page(gallery: Gallery, client: Client) -> None:
    """The URLs of half an hour ago are not served for ever."""
    add_done(gallery)
    client.get("/")
    storage = gallery.storage
    assert isinstance(storage, FakeStorage)
    storage.signature = "another"

    assert "X-Amz-Signature=another" in client.get("/").text


def test_the_original_of_a_card_has_no_url(gallery: Gallery, client: Client) -> None:
    add_done(gallery)

    assert "/uploads/" not in client.get("/").text


def test_each_browser_gets_its_own_token(gallery: Gallery) -> None:
    add_done(gallery)
    app = create_app(gallery)
    first, second = Client(app), Client(app)
    pages = [browser.get("/") for browser in (first, second, first)]

    assert pages[0].token == pages[2].token != pages[1].token
    assert pages[0].headers["etag"] == pages[2].headers["etag"] != pages[1].headers["etag"]
    for page in pages:
        assert {page.token} == set(re.findall(r'name="token" value="([0-9a-f]+)"', page.text))


def test_the_token_is_stored_uncompressed_and_once(gallery: Gallery, client: Client) -> None:
    """The compressed page holds the bytes of the token as they are, and no block refers to them."""
    for n in range(10):
        add_done(gallery, f"{n}.jpg")
    plain = client.get("/")
    packed = client.get("/", accept_encoding="gzip")

    assert plain.body == gzip.decompress(packed.body)
    assert packed.body.count(plain.token.encode()) == plain.body.count(plain.token.encode()) == 1


def test_a_failed_photo_is_retried_by_the_form_of_the_page(gallery: Gallery, client: Client) -> None:
    image = add_failed(gallery)
    page = client.get("/")

    assert f'form="act" formaction="/images/{image.public_id}/retry"' in page.text
    assert 303 == client.post(f"/images/{image.public_id}/retry", {"token": page.token}).status
    assert TaskStatus.PENDING is gallery.get(image.public_id).task(TaskKind.CAPTION).status


@pytest.mark.parametrize("lengths", [(5000,), (0, 0), (3, 80_000), (80_000, 1, 0, 300)])
def test_kept_page_with_each_token_is_valid_gzip(lengths: tuple[int, ...]) -> None:
    parts = [bytes(number * place % 251 for number in range(length)) for place, length in enumerate(lengths, 7)]
    page = CachedPage(TOKEN_MARK.encode().join(parts))
    for token in ("a" * 32, "b" * 32, "0123456789abcdef" * 2, ""):
        assert gzip.decompress(page.gzipped(token)) == page.plain(token) == token.encode().join(parts)


def test_a_cache_is_bounded_by_bytes() -> None:
    pages = [CachedPage(b"x" * 1000) for _ in range(5)]
    cache: Cache[CachedPage] = Cache(3 * pages[0].size)
    for number, page in enumerate(pages):
        cache.put(number, page)
        cache.get(0)

    assert [True, False, False, True, True] == [cache.get(number) is not None for number in range(5)]
    assert cache.size == 3 * pages[0].size


def test_a_page_of_another_folder_is_another(tmp_path: Path) -> None:
    """Two galleries in one process share nothing."""
    galleries = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        galleries.append(fake_gallery(tmp_path / name))
        add_done(galleries[-1], caption=f"Gallery {name}.")
    texts = [Client(create_app(gallery)).get("/").text for gallery in galleries]
    for gallery in galleries:
        gallery.images.database.close()

    assert ["Gallery one." in texts[0], "Gallery one." in texts[1]] == [True, False]
