"""Uploads that are not finished, as the browser remembers them."""

from __future__ import annotations

from tests.browser.chromium import Browser

_COUNTS = """
const open = indexedDB.open("caption-gallery-uploads");
const done = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
return done(open).then((database) => {
  const counts = ["entries", "files"].map((name) => done(database.transaction(name).objectStore(name).count()));
  return Promise.all(counts).then((found) => {
    database.close();
    return found;
  });
});
"""


def remembered(browser: Browser) -> tuple[int, int]:
    """Return how many uploads the browser remembers, and of how many of them it has the file."""
    entries, files = browser.run(_COUNTS)
    return entries, files


def kept(browser: Browser) -> bool:
    """Whether there are uploads that are not finished, and the browser has stored the file of each."""
    entries, files = remembered(browser)
    return entries > 0 and entries == files
