"""The pages of albums, share links and jobs in Chromium: accessible by day and by night, on a small phone."""

from __future__ import annotations

from imgcore.collections.models import AlbumOrder
from imgcore.collections.share_models import NewShare
from tests.browser.chromium import Browser
from tests.web.stage import Stage, photo

LONG = "A very long name " * 5 + "Donaudampfschifffahrtsgesellschaftskapitän"


def paths(stage: Stage) -> list[str]:
    """Every page, with photos, long names and no photos."""
    albums, shares = stage.gallery.albums, stage.gallery.shares
    ids = [stage.add(f"{number}.jpg", photo(number)).public_id for number in range(3)]
    album = albums.create(LONG[:100], "Words.\n" * 3, AlbumOrder.HAND).public_id
    albums.add(album, ids)
    empty = albums.create("Empty").public_id
    tokens = [
        shares.create(new)[1]
        for new in (
            NewShare(LONG[:100], album=album, download=True),
            NewShare(ids=(ids[0],), download=True),
            NewShare(ids=tuple(ids), password="made-up words"),
        )
    ]
    inside = [
        f"/albums/{album}",
        f"/albums/{album}/add",
        f"/albums/{album}/images/{ids[1]}",
        f"/albums/{empty}",
    ]
    links = [*(f"/s/{token}" for token in tokens), f"/s/{tokens[0]}/{ids[1]}", "/s/unknown"]
    return [
        "/activity",
        "/albums",
        f"/albums/{empty}",
        *inside,
        "/shared",
        f"/shared/new?album={album}",
        "/admin/jobs",
        *links,
    ]


def test_every_page_is_accessible_and_no_wider_than_a_small_phone(
    browser: Browser, stage: Stage, axe: str
) -> None:
    for path in paths(stage):
        browser.open(path)
        browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
        for scheme in ("light", "dark"):
            browser.media(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
            assert [] == browser.violations(axe), (path, scheme)
        browser.size(320, 844, mobile=True)
        browser.fits(320)
        browser.size(1280, 844, mobile=False)


def test_table_of_jobs_breaks_no_word_on_a_small_phone(browser: Browser, stage: Stage) -> None:
    browser.size(320, 844, mobile=True)
    browser.open("/admin/jobs")
    heads = "return [...document.querySelectorAll('.scroll th')].map((each) => each.clientHeight)"
    assert max(browser.run(heads)) < 45
    browser.size(1280, 844, mobile=False)
