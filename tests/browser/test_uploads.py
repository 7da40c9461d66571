"""Files on their way from a browser into the gallery."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image as Pillow

from tests.browser.chromium import Browser
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
    assert before == browser.texts("#grid .caption")


def test_chosen_photos_are_uploaded(browser: Browser, stage: Stage, tmp_path: Path) -> None:
    """The file dialogue takes many at once."""
    for name in NAMES[:2]:
        (tmp_path / name).write_bytes(photo())
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


def test_what_is_dragged_over_the_page_is_welcomed(browser: Browser, stage: Stage) -> None:
    """The whole page says that it takes files, and stops saying so."""
    browser.open()
    browser.drop(("cat.jpg", photo()), by="dragenter")
    browser.wait(lambda: browser.all("#drop"))
    browser.drop(("cat.jpg", photo()), by="dragleave")
    browser.wait(lambda: not browser.all("#drop"))


def test_what_is_no_photo_is_refused_before_it_is_sent(browser: Browser, stage: Stage) -> None:
    """The content decides, not the name; nothing reaches the bucket or the database."""
    browser.open()
    browser.drop(("notes.jpg", b"These are notes, whatever the name says."))
    browser.wait(lambda: browser.has(".why", "not a photo that can be shown here"))
    assert ["Not accepted"] == browser.texts(".chip")
    assert (0, 0) == (stage.bucket.posts, len(stage.images.rows))


def test_an_empty_file_is_refused(browser: Browser, stage: Stage) -> None:
    browser.open()
    browser.drop(("cat.jpg", b""))
    browser.wait(lambda: browser.has(".why", "This file is empty."))


def test_the_first_bytes_say_what_a_file_is(browser: Browser, stage: Stage) -> None:
    """A PNG named .txt is a PNG, and its form is one for PNGs."""
    out = io.BytesIO()
    Pillow.new("RGB", (300, 200), "teal").save(out, "PNG")
    browser.open()
    browser.drop(("picture.txt", out.getvalue()))
    done(browser, 1)
    assert ["image/png"] == [image.media_type for image in stage.images.rows.values()]


def test_every_type_is_recognised_by_its_first_bytes(browser: Browser, stage: Stage) -> None:
    """The containers of AVIF and HEIC name their brands in any order."""
    box = "\0\0\0\x1cftyp{}\0\0\0\0{}"
    heads = {
        "\xff\xd8\xff\xe0": "image/jpeg",
        "\x89PNG\r\n\x1a\n": "image/png",
        "GIF89a": "image/gif",
        "RIFF\1\2\3\4WEBPVP8 ": "image/webp",
        "RIFF\1\2\3\4WAVEfmt ": None,
        box.format("avif", "mif1miaf"): "image/avif",
        box.format("mif1", "avifmiaf"): "image/avif",
        box.format("heic", "mif1heic"): "image/heic",
        box.format("mif1", "miafheix"): "image/heic",
        box.format("mif1", "miafMiHB"): "image/heif",
        box.format("mif2", "mif1heic"): "image/heic",
        box.format("miaf", "avifmif1"): "image/avif",
        box.format("abcd", "xyzaxyza") + "\0\0\1\0meta\0\0\0\0\0\0\0!hdlr\0\0\0\0\0\0\0\0pict": "image/heif",
        box.format("isom", "mp41iso2"): None,
        "II*\0\x08\0\0\0": "image/tiff",
        "MM\0*\0\0\0\x08": "image/tiff",
        "BM\x36\0": "image/bmp",
        "FUJIFILMCCD-RAW 0201": "image/x-fuji-raf",
        box.format("crx ", "isomcrx "): "image/x-canon-cr3",
        "IIU\0\x08": None,
        "%PDF-1.7": None,
        "": None,
    }
    browser.open()
    script = """
      const done = arguments[arguments.length - 1];
      const prefix = document.getElementById("gallery").dataset.static;
      import(prefix + "/js/sniff.js").then(({mediaType}) => done(arguments[0].map(
        (head) => mediaType(Uint8Array.from(head, (c) => c.charCodeAt(0))))));
    """
    assert list(heads.values()) == browser.driver.execute_async_script(script, list(heads))


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
    browser.click(".upload .again")
    done(browser, 1)


def test_an_upload_can_be_cancelled(browser: Browser, stage: Stage) -> None:
    """The card and the row are removed at once."""
    stage.bucket.hold.clear()
    browser.open()
    browser.drop(("cat.jpg", photo()))
    browser.wait(lambda: stage.bucket.posts == 1)
    browser.click(".upload .cancel")
    browser.wait(lambda: not browser.all("#grid .card"))
    browser.wait(lambda: ["deleted"] == [image.status for image in stage.images.rows.values()])


def test_two_at_a_time_out_of_a_long_queue(browser: Browser, stage: Stage) -> None:
    """The third waits; all of them can be cancelled together."""
    stage.bucket.hold.clear()
    browser.open()
    browser.drop(*[(f"{number}.jpg", photo(number, (40, 30))) for number in range(60)])
    browser.wait(lambda: stage.bucket.posts == 2)
    assert 58 == browser.texts(".chip").count("Queued")
    assert browser.has("#tray", "Uploaded 0 of 60")
    browser.click("#tray button")
    browser.wait(lambda: not browser.all("#grid .card"))
    assert 2 == stage.bucket.posts


def test_hundreds_of_files_all_arrive(browser: Browser, stage: Stage) -> None:
    """The summary disappears with the last one."""
    browser.open()
    data = photo(0, (40, 30))
    browser.drop(*[(f"{number}.jpg", data) for number in range(200)])
    browser.wait(lambda: len(stage.images.rows) == 200, 60)
    done(browser, 200)
    assert [] == browser.all("#tray")


def test_progress_is_shown_while_a_file_is_sent(browser: Browser, stage: Stage) -> None:
    """A bar with a name of its own for those who do not see it."""
    stage.bucket.hold.clear()
    browser.open()
    browser.drop(("cat.jpg", photo()))
    bar = browser.find(".upload progress")
    assert "Upload of cat.jpg" == bar.get_attribute("aria-label")
    browser.wait(lambda: bar.get_property("value") == 100)
    stage.bucket.hold.set()
    done(browser, 1)


def test_leaving_while_files_are_on_their_way_is_asked_about(browser: Browser, stage: Stage) -> None:
    """The question is not asked once all uploads have arrived."""
    leaving = "return !window.dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    stage.bucket.hold.clear()
    browser.open()
    browser.drop(("cat.jpg", photo()))
    browser.wait(lambda: stage.bucket.posts == 1)
    assert browser.run(leaving)
    stage.bucket.hold.set()
    done(browser, 1)
    assert not browser.run(leaving)


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
        chromium.wait(lambda: chromium.has(".why", "the limit is 195 KiB"))
        assert 0 == stage.bucket.posts
    finally:
        stage.close()
