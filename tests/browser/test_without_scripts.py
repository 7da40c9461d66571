"""The same gallery in a browser without JavaScript."""

from __future__ import annotations

from pathlib import Path

from imgcore.gallery.models import TaskKind, TaskStatus
from tests.browser.chromium import Browser
from tests.web.fakes import add_failed
from tests.web.stage import Stage, photo


def test_a_photo_is_uploaded_by_plain_forms(plain: Browser, stage: Stage, tmp_path: Path) -> None:
    """Type, file, the bucket, and back to the photo's page, whose link shows what has changed since."""
    (tmp_path / "cat.jpg").write_bytes(photo())
    plain.driver.get(stage.origin)
    plain.click("#add")
    plain.find("#name").send_keys("Katze – größer.jpg")
    plain.click("main button")
    plain.find("#file").send_keys(str(tmp_path / "cat.jpg"))
    plain.click("main button")
    plain.wait(lambda: plain.driver.current_url.startswith(f"{stage.origin}/images/"))
    plain.wait(lambda: [image.status for image in stage.images.rows.values()] == ["done"])
    plain.click("noscript a, .words .hint a")
    plain.wait(lambda: "A photo that somebody named Katze – größer." in plain.driver.title)
    [image] = stage.images.rows.values()
    assert (1, "done") == (stage.bucket.posts, image.status)


def test_the_next_page_is_a_link(plain: Browser, stage: Stage) -> None:
    """Pages are linked by cursor; the last page has none."""
    data = photo()
    for number in range(45):
        stage.add(f"{number}.jpg", data)
    plain.driver.get(stage.origin)
    assert 40 == len(plain.all("#grid .card"))
    plain.click("#more a")
    plain.wait(lambda: 5 == len(plain.all("#grid .card")))
    assert [] == plain.all("#more")


def test_a_failed_photo_is_tried_again_by_a_form(plain: Browser, stage: Stage) -> None:
    image = add_failed(stage.gallery)
    stage.bucket.objects[image.image_key] = photo()
    plain.driver.get(stage.origin)
    plain.click(".retry button")
    plain.wait(lambda: stage.gallery.get(image.public_id).status == "done")
    plain.driver.refresh()
    plain.wait(lambda: "A photo that somebody named dog." in plain.driver.title)


def test_a_photo_is_deleted_and_brought_back_by_forms(plain: Browser, stage: Stage) -> None:
    """The page after the deletion offers to restore the photo."""
    image = stage.add("cat.jpg", photo())
    plain.driver.get(f"{stage.origin}/images/{image.public_id}")
    plain.driver.find_element("css selector", "form[action$='/delete'] button").click()
    plain.wait(lambda: plain.all(".undo"))
    assert "deleted" == stage.gallery.get(image.public_id).status
    plain.click(".undo button")
    plain.wait(lambda: "done" == stage.gallery.get(image.public_id).status)
    plain.wait(lambda: plain.driver.current_url.endswith(image.public_id))


def test_words_are_edited_by_a_form(plain: Browser, stage: Stage) -> None:
    """Non-ASCII characters are preserved."""
    image = stage.add("cat.jpg", photo())
    plain.driver.get(f"{stage.origin}/images/{image.public_id}")
    plain.click(".edit summary")
    plain.find("#caption").clear()
    plain.find("#caption").send_keys("Ähnlich wie “früher” – ок")
    plain.click(".edit button")
    plain.wait(lambda: "Ähnlich wie “früher” – ок" in plain.driver.title)
    assert "Ähnlich wie “früher” – ок" == stage.gallery.get(image.public_id).caption


def test_search_is_a_plain_form(plain: Browser, stage: Stage) -> None:
    """The address can be bookmarked."""
    stage.add("cat.jpg", photo())
    stage.add("dog.jpg", photo())
    plain.driver.get(stage.origin)
    plain.find("#q").send_keys("cat\n")
    plain.wait(lambda: plain.driver.current_url.endswith("/?q=cat"))
    assert ["A photo that somebody named cat."] == [e.text for e in plain.all("#grid .caption")]


def test_a_photos_page_offers_to_reload_until_it_is_settled(plain: Browser, stage: Stage) -> None:
    """It never reloads by itself (WCAG 2.2.1)."""
    image = stage.add("cat.jpg", photo())
    plain.driver.get(f"{stage.origin}/images/{image.public_id}")
    assert "Reload" not in plain.driver.page_source
    stage.images.set_task(image.public_id, TaskKind.CAPTION, TaskStatus.PENDING)
    plain.driver.get(f"{stage.origin}/images/{image.public_id}")
    assert plain.has("a", "Reload")
    assert "http-equiv" not in plain.driver.page_source


def test_buttons_that_need_scripts_are_not_there(plain: Browser, stage: Stage) -> None:
    """The page shows no control that needs a script."""
    plain.driver.get(stage.origin)
    assert [] == plain.all("#samples")
    assert "Without JavaScript" in plain.text(".plain")
