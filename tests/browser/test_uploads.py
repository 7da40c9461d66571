"""Files on their way from a browser into the gallery."""

from __future__ import annotations

import io
import re
from pathlib import Path

from PIL import Image as Pillow

from tests.browser.chromium import Browser
from tests.browser.unfinished import kept
from tests.web.stage import Stage, photo

NAMES = [f"IMG_{number:04}.jpg" for number in range(8)]


def done(browser: Browser, count: int) -> list[str]:
    """The captions, once ``count`` cards are done and nothing else is there."""

    def captions() -> list[str] | None:
        cards = browser.run("return [...document.querySelectorAll('#grid .card')].map((c) => c.dataset.status)")
        return browser.texts("#grid .caption") if cards == ["done"] * count else None

    return browser.wait(captions)


def test_dropped_photos_are_described_without_a_reload(browser: Browser, stage: Stage) -> None:
    """Newest first, each with its thumbnail, on the very page on which they were dropped."""
    browser.open()
    browser.drop(*[(name, photo(number)) for number, name in enumerate(NAMES)])
    captions = done(browser, len(NAMES))
    assert {f"A photo that somebody named {name[:-4]}." for name in NAMES} == set(captions)
    assert not browser.reloaded
    loaded = "return [...document.querySelectorAll('.thumb')].every((i) => i.complete && i.naturalWidth >= 200)"
    browser.wait(lambda: browser.run(loaded))


def test_the_page_and_the_server_agree_on_the_order(browser: Browser, stage: Stage) -> None:
    """A reload after one upload after another moves nothing."""
    browser.open()
    for number, name in enumerate(NAMES[:3]):
        browser.drop((name, photo(number)))
        done(browser, number + 1)
    before = browser.texts("#grid .caption")
    browser.open()
    browser.wait(lambda: len(browser.texts("#grid .caption")) == 3)
    assert before == browser.texts("#grid .caption")


def test_chosen_photos_are_uploaded(browser: Browser, stage: Stage, tmp_path: Path) -> None:
    """The file dialogue takes many at once."""
    for number, name in enumerate(NAMES[:2]):
        (tmp_path / name).write_bytes(photo(number))
    browser.open()
    browser.run("return document.getElementById('files')").send_keys(
        "\n".join(str(tmp_path / name) for name in NAMES[:2])
    )
    done(browser, 2)


def test_a_pasted_photo_is_uploaded(browser: Browser, stage: Stage) -> None:
    """A screenshot comes from the clipboard."""
    browser.open()
    browser.drop(("image.jpg", photo()), by="paste")
    done(browser, 1)


def test_sample_photos_take_the_very_same_path(browser: Browser, stage: Stage) -> None:
    """The empty gallery offers them; all arrive in the bucket."""
    browser.open()
    browser.click("#samples")
    done(browser, 6)
    assert 6 == stage.bucket.posts


def test_the_invitation_goes_once_there_is_something_to_see(browser: Browser, stage: Stage) -> None:
    """The two actions exclude each other."""
    browser.open()
    assert browser.all("#empty")
    browser.drop(("cat.jpg", photo()))
    browser.wait(lambda: browser.all("#grid .card"))
    assert [] == browser.all("#empty")


def test_add_photos_on_another_page_leads_to_the_file_picker(browser: Browser, stage: Stage, axe: str) -> None:
    """The form for one photo at a time is for browsers without scripts."""
    stage.add("cat.jpg", photo())
    browser.open("/albums", drawn=False)
    browser.click("#add")
    browser.wait(lambda: browser.has("dialog h2", "Add photos"))
    assert (f"{browser.origin}/", []) == (browser.driver.current_url, browser.violations(axe))
    browser.run("document.getElementById('files').addEventListener('click', (e) => (window.picked = e.type))")
    browser.click("dialog .primary")
    browser.wait(lambda: browser.run("return window.picked") == "click")
    assert [] == browser.all("dialog")
    browser.open("/")
    assert [] == browser.all("dialog")


def test_what_is_no_photo_is_refused_before_it_is_sent(browser: Browser, stage: Stage) -> None:
    """The content decides, not the name; nothing reaches the bucket or the database."""
    browser.open()
    browser.drop(("notes.jpg", b"These are notes, whatever the name says."))
    browser.wait(lambda: browser.has("#refused .why", "not a photo that can be shown here"))
    assert ["1 file not accepted"] == browser.texts("#refused h2")
    assert [] == browser.texts(".chip")
    assert (0, 0) == (stage.bucket.posts, len(stage.images.rows))


def test_an_empty_file_is_refused(browser: Browser, stage: Stage) -> None:
    browser.open()
    browser.drop(("cat.jpg", b""))
    browser.wait(lambda: browser.has("#refused .why", "This file is empty."))


def test_the_first_bytes_say_what_a_file_is(browser: Browser, stage: Stage) -> None:
    """A PNG named .txt is a PNG, and its form is one for PNGs."""
    out = io.BytesIO()
    Pillow.new("RGB", (300, 200), "teal").save(out, "PNG")
    browser.open()
    browser.drop(("picture.txt", out.getvalue()))
    done(browser, 1)
    assert ["image/png"] == [image.media_type for image in stage.images.rows.values()]


def test_a_lost_connection_is_tried_again_by_itself(browser: Browser, stage: Stage) -> None:
    """The upload continues without an action of the user."""
    stage.bucket.faults = ["drop", "SlowDown"]
    browser.open()
    browser.drop(("cat.jpg", photo()))
    done(browser, 1)
    assert 3 == stage.bucket.posts


def test_a_form_that_has_run_out_is_asked_for_anew(browser: Browser, stage: Stage) -> None:
    """S3 says AccessDenied to it; the row that it belonged to goes to the trash."""
    stage.bucket.faults = ["AccessDenied"]
    browser.open()
    browser.drop(("cat.jpg", photo()))
    done(browser, 1)
    assert ["deleted", "done"] == [image.status for image in stage.images.rows.values()]


def test_what_the_storage_refuses_is_said_in_a_sentence(browser: Browser, stage: Stage) -> None:
    """Never S3's XML; and trying again mends it where it can be mended."""
    stage.bucket.faults = ["EntityTooLarge"]
    browser.open()
    browser.drop(("cat.jpg", photo()))
    browser.wait(lambda: browser.has(".why", "larger than declared"))
    assert "<Error>" not in browser.run("return document.body.innerText")
    browser.click("#grid [data-action=retry]")
    done(browser, 1)


def test_an_upload_can_be_cancelled(browser: Browser, stage: Stage) -> None:
    """The card and the row are removed at once."""
    stage.bucket.hold.clear()
    browser.open()
    browser.drop(("cat.jpg", photo()))
    browser.wait(lambda: stage.bucket.posts == 1)
    browser.click("#grid [data-action=remove]")
    browser.wait(lambda: not browser.all("#grid .card"))
    browser.wait(lambda: ["deleted"] == [image.status for image in stage.images.rows.values()])


def test_two_at_a_time_out_of_a_long_queue(browser: Browser, stage: Stage) -> None:
    """The third waits; all of them can be cancelled together."""
    stage.bucket.hold.clear()
    browser.open()
    browser.drop(*[(f"{number}.jpg", photo(number, (40, 30))) for number in range(60)])
    browser.wait(lambda: stage.bucket.posts == 2)
    assert browser.has("#tray", "Uploaded 0 of 60")
    assert browser.has("#grid h2", "Just added · 60")
    local = "return [...document.querySelectorAll('#grid .thumb')].map((i) => i.src.split(':')[0])"
    assert {"blob"} == set(browser.run(local))
    browser.click("#tray button")
    browser.wait(lambda: not browser.all("#grid .card"))
    assert 2 == stage.bucket.posts


def test_hundreds_of_files_all_arrive(browser: Browser, stage: Stage) -> None:
    """The summary disappears with the last one."""
    browser.open()
    small = photo(0, (40, 30))
    browser.drop(*[(f"{number}.jpg", small + number.to_bytes(2, "big")) for number in range(200)])
    browser.wait(lambda: browser.has("#tray", "All 200 photos described"), 360)
    images = stage.images.rows.values()
    assert (200, {"done"}) == (len(images), {image.status for image in images})
    assert browser.run("return document.querySelectorAll('*').length") < 1000
    browser.wait(lambda: not browser.all("#tray"))


def test_progress_is_shown_while_a_file_is_sent(browser: Browser, stage: Stage) -> None:
    """A bar with a name of its own for those who do not see it."""
    stage.bucket.hold.clear()
    browser.open()
    browser.drop(("cat.jpg", photo()))
    bar = browser.find("#grid progress")
    assert "Upload of cat.jpg" == bar.get_attribute("aria-label")
    browser.wait(lambda: bar.get_property("value") == 100)
    assert "blob:" in browser.find("#grid .thumb").get_attribute("src")
    stage.bucket.hold.set()
    done(browser, 1)


def test_leaving_while_files_are_on_their_way_is_asked_about(browser: Browser, stage: Stage) -> None:
    """The question is not asked once all uploads have arrived."""
    stage.bucket.hold.clear()
    browser.open()
    browser.drop(("cat.jpg", photo()))
    browser.wait(lambda: stage.bucket.posts == 1)
    assert browser.asks_before_leaving
    stage.bucket.hold.set()
    done(browser, 1)
    assert not browser.asks_before_leaving


def test_an_upload_during_a_search_shows_everything_again(browser: Browser, stage: Stage) -> None:
    """The new card is never hidden behind old words."""
    stage.add("dog.jpg", photo(1))
    browser.open("/?q=nothing+like+it")
    browser.drop(("cat.jpg", photo()))
    done(browser, 2)
    assert "" == browser.find("#q").get_property("value")


def test_a_file_above_the_limit_is_refused_before_it_is_sent(chromium: Browser) -> None:
    """The message contains both sizes."""
    stage = Stage(max_bytes=200_000)
    try:
        chromium.prepare(stage.origin)
        chromium.open()
        chromium.drop(("large.jpg", photo() + bytes(300_000)))
        chromium.wait(lambda: chromium.has("#refused .why", "the limit is 195 KiB"))
        assert 0 == stage.bucket.posts
    finally:
        stage.close()


def test_a_thousand_files_that_are_not_accepted_are_one_row(browser: Browser, stage: Stage) -> None:
    """They are grouped by their reason, and make no tiles and no long announcement."""
    browser.open()
    browser.run("""
      window.nodes = document.querySelectorAll("*").length;
      const transfer = new DataTransfer();
      for (let n = 0; n < 1000; n += 1) transfer.items.add(new File(["text"], `note ${n}.txt`));
      const event = {dataTransfer: transfer, bubbles: true, cancelable: true};
      document.body.dispatchEvent(new DragEvent("drop", event));
    """)
    browser.wait(lambda: browser.has("#refused h2", "1000 files not accepted"))
    assert 1 == len(browser.all("#refused .why"))
    assert browser.run("return document.querySelectorAll('*').length - window.nodes") < 100
    assert browser.run("return document.getElementById('live').textContent.length") <= 150


def test_addresses_of_local_files_are_revoked(browser: Browser, stage: Stage) -> None:
    """Each preview's, once the server has a picture or the tile has gone."""
    browser.open()
    browser.run("""
      window.made = new Set();
      const [make, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
      URL.createObjectURL = (file) => {
        const url = make.call(URL, file);
        window.made.add(url);
        window.any = true;
        return url;
      };
      URL.revokeObjectURL = (url) => { window.made.delete(url); revoke.call(URL, url); };
    """)
    browser.drop(*[(name, photo(number)) for number, name in enumerate(NAMES)])
    done(browser, len(NAMES))
    browser.wait(lambda: browser.run("return window.any && window.made.size === 0"))


def test_a_session_that_ends_during_uploads_loses_no_file(browser: Browser, stage: Stage) -> None:
    """The queue waits; after a sign-in elsewhere one button continues it."""
    browser.open()
    browser.run("""
      const answer = window.fetch;
      window.ended = true;
      window.fetch = (path, options) => window.ended && options?.method === "POST"
        ? Promise.resolve(new Response('{"code": "sign_in", "detail": "Sign in."}', {status: 401}))
        : answer(path, options);
    """)
    browser.drop(*[(name, photo(number)) for number, name in enumerate(NAMES)])
    browser.wait(lambda: browser.has("#toast", "You are signed out."))
    assert not browser.reloaded
    browser.run("window.ended = false")
    browser.click("#tray button")
    done(browser, len(NAMES))


def large(number: int = 0, megabytes: int = 18) -> bytes:
    """A JPEG that is sent in parts: decoders stop at its end, whatever follows."""
    return photo(number) + bytes(megabytes * 2**20)


def test_large_file_is_sent_in_parts_and_a_cut_repeats_one_of_them(browser: Browser, stage: Stage) -> None:
    stage.bucket.faults = ["drop"]
    browser.open()
    browser.drop(("large.jpg", large()))
    done(browser, 1)
    assert ([1, 1, 2, 3], 0) == (stage.bucket.puts, stage.bucket.posts)
    assert [large()] == [data for key, data in stage.bucket.objects.items() if key.startswith("raw/")]


def test_upload_continues_by_itself_after_a_reload(browser: Browser, stage: Stage) -> None:
    """The file is in the browser's storage; the parts that have arrived are not sent again."""
    browser.open()
    browser.drop(("large.jpg", large()), ("small.jpg", photo(1)))
    browser.wait(lambda: 1 in stage.bucket.puts)
    stage.bucket.hold.clear()  # what is sent from now on does not arrive
    browser.wait(lambda: len(stage.bucket.puts) >= 2)
    stage.bucket.faults = ["drop"] * 10
    browser.open()
    stage.bucket.faults = []
    stage.bucket.hold.set()
    # A page that nobody has touched may not ask before it is left, and says so in the console
    assert all("beforeunload" in line for line in browser.console())
    done(browser, 2)
    assert 1 == stage.bucket.puts.count(1)
    assert 2 == len(stage.images.rows)


def test_line_counts_on_after_a_reload(browser: Browser, stage: Stage) -> None:
    """The next page says how many of the files are left, without one that was here already."""
    arrive = stage.bucket.on_object

    def hold_after_two(key: str, data: bytes) -> None:
        arrive(key, data)
        if len(stage.images.rows) > 2:
            stage.bucket.hold.clear()

    stage.add("same.jpg", photo(0))
    browser.open()
    browser.drop(*[(name, photo(number)) for number, name in enumerate(NAMES[:7])])
    stage.bucket.on_object = hold_after_two
    browser.wait(lambda: not stage.bucket.hold.is_set())
    said = re.compile(r"(?:Uploaded|Described) \d of \d")
    browser.wait(lambda: said.match("".join(browser.texts("#tray .line"))))
    browser.wait(lambda: kept(browser))
    stage.bucket.faults = ["drop"] * 20
    browser.open()
    stage.bucket.faults = []
    stage.bucket.on_object = arrive
    browser.wait(lambda: browser.has("#tray .line", "7 left"))
    [line] = browser.texts("#tray .line")
    assert re.fullmatch(r"\d of 7 left", line), line
    assert int(line[0]) < 7
    stage.bucket.hold.set()
    browser.wait(lambda: browser.has("#tray .line", "All 7 photos described"))
    browser.console()  # a page that nobody has touched may not ask before it is left, and says so


def test_file_that_is_here_already_is_named_and_uploaded_only_on_request(
    browser: Browser, stage: Stage
) -> None:
    browser.open()
    browser.drop(("cat.jpg", photo()))
    done(browser, 1)
    browser.drop(("same.jpg", photo()))
    browser.wait(lambda: browser.has("#present h2", "1 photo is here already"))
    assert "" not in browser.texts("#tray .line"), "an empty box"
    browser.click("#present button:last-child")
    browser.drop(("same.jpg", photo()), ("new.jpg", photo(1)))
    browser.wait(lambda: browser.has("#present h2", "1 photo is here already"))
    done(browser, 2)
    [image] = [image for image in stage.images.rows.values() if image.name == "cat.jpg"]
    assert browser.find("#present a").get_attribute("href").endswith(f"/photo/{image.public_id}")
    browser.click("#present button")
    done(browser, 3)


def test_same_file_twice_in_one_drop_ends_as_one_photo(browser: Browser, stage: Stage) -> None:
    browser.open()
    browser.drop(("one.jpg", photo()), ("two.jpg", photo()))
    browser.wait(lambda: browser.has("#present h2", "1 photo is here already"))
    done(browser, 1)
    assert 1 == len(stage.images.rows)
