"""What a model, a file name or a person says is text, wherever it is shown."""

from __future__ import annotations

from imgcore.gallery.models import TaskKind, TaskStatus
from tests.browser.chromium import Browser
from tests.web.stage import Stage, Words, photo

HOSTILE = (
    "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    "\"'`&amp;${7*7}{{7*7}}"
)
HOSTILE_QUERY = "<img src=x onerror=alert(1)> \"'`{{7*7}}"  # HOSTILE has more words than a search may have
WORDS = Words(f"Caption {HOSTILE}", f"Alt {HOSTILE}", (f"tag {HOSTILE}", "plain"))


def unharmed(browser: Browser) -> None:
    """No script of theirs has run, and no element of theirs is there."""
    assert "taken" != browser.driver.title
    assert [] == browser.run("return [...document.querySelectorAll('img[src=x], body script')]")


def test_hostile_words_are_text_as_the_server_renders_them(browser: Browser, stage: Stage) -> None:
    stage.add(f"{HOSTILE}.jpg", photo(), WORDS)
    browser.open()
    browser.find("#grid .card")
    assert [WORDS.caption] == browser.run(
        "return [...document.querySelectorAll('#grid .caption')].map((c) => c.textContent)"
    )
    assert WORDS.alt_text == browser.find("#grid .thumb").get_attribute("alt")
    unharmed(browser)


def test_hostile_words_are_text_as_the_script_fills_them_in(browser: Browser, stage: Stage) -> None:
    """The tile is created by the script after the page was loaded; the viewer shows it too."""
    stage.words["cat.jpg"] = WORDS
    browser.open()
    browser.drop(("cat.jpg", photo()))
    browser.wait(lambda: browser.run("return document.querySelector('#grid .card')?.dataset.status") == "done")
    browser.click("#grid .frame")
    browser.find("#viewer .large")
    assert WORDS.caption == browser.run("return document.querySelector('#viewer .caption').textContent")
    unharmed(browser)


def test_a_hostile_file_name_and_message_are_text(browser: Browser, stage: Stage) -> None:
    """Those that people and the pipeline choose."""
    stage.words[HOSTILE.replace("/", "")] = HOSTILE
    browser.open()
    browser.drop((HOSTILE.replace("/", ""), photo()))
    browser.wait(lambda: browser.has("#grid .why", "onerror"))
    unharmed(browser)


def test_hostile_words_are_text_on_a_photos_page(browser: Browser, stage: Stage) -> None:
    """Title, words, tags, details and the edit form."""
    image = stage.add(f"{HOSTILE}.jpg", photo(), WORDS)
    stage.images.set_task(image.public_id, TaskKind.CAPTION, TaskStatus.FAILED, message=HOSTILE)
    stage.images.change(image.public_id, visible_text=HOSTILE, camera=HOSTILE)
    browser.open(f"/images/{image.public_id}")
    assert browser.has("h1", "onerror")
    assert browser.run("return document.title").startswith(WORDS.caption[:40])
    unharmed(browser)


def test_a_hostile_search_is_text(browser: Browser, stage: Stage) -> None:
    """The heading, the field and the title show it as text."""
    stage.add("cat.jpg", photo())
    browser.open()
    browser.find("#q").send_keys(HOSTILE_QUERY)
    browser.wait(lambda: browser.has("#nothing", "onerror"))
    unharmed(browser)
    browser.driver.refresh()
    browser.wait(lambda: browser.has("#nothing", "onerror"))
    unharmed(browser)


def test_no_script_but_ours_would_run_if_it_got_in(browser: Browser, stage: Stage) -> None:
    """The policy stops inline scripts, handlers and markup from strings, should a mistake let them through."""
    browser.open()
    browser.run("""
      const body = document.body;
      const attempt = (run) => { try { run(); } catch { /* refused */ } };
      const script = document.createElement("script");
      attempt(() => { script.textContent = "document.title = 'taken'"; body.append(script); });
      attempt(() => body.insertAdjacentHTML("beforeend", "<img src=x onerror=\\"document.title='taken'\\">"));
      const button = document.createElement("button");
      attempt(() => { button.setAttribute("onclick", "document.title = 'taken'"); body.append(button); });
      attempt(() => button.click());
    """)
    assert "taken" != browser.driver.title
    assert browser.console()  # the browser has said that it refused
