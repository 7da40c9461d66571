"""Files under /static."""

from __future__ import annotations

import gzip
import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import add_done
from web.http.assets import SHEETS
from web.limits import LIMITS

STATIC = Path(__file__).parents[2] / "web" / "static"


def prefix(client: Client) -> str:
    """Return the address of this release's files."""
    return re.search(r'href="(/static/[0-9a-f]+)/icon.svg"', client.get("/").text)[1]


def test_this_releases_files_are_kept_for_good(client: Client) -> None:
    """The address of all files changes with any of them."""
    answer = client.get(f"{prefix(client)}/css/viewer.css")
    assert "public, max-age=31536000, immutable" == answer.headers["cache-control"]
    assert "text/css; charset=utf-8" == answer.headers["content-type"]
    assert (STATIC / "css" / "viewer.css").read_bytes() == answer.body


def test_files_without_a_release_are_asked_for_again(client: Client) -> None:
    """An unchanged file is answered with 304."""
    first = client.get("/static/icon.svg")
    assert ("no-cache", "image/svg+xml") == (first.headers["cache-control"], first.headers["content-type"])
    again = client.get("/static/icon.svg", If_None_Match=first.headers["etag"])
    assert (304, b"") == (again.status, again.body)


def test_text_is_compressed_for_those_who_can_read_it(client: Client) -> None:
    path = f"{prefix(client)}/js/gallery.js"
    plain, packed = client.get(path), client.get(path, Accept_Encoding="br, gzip")
    assert plain.body == gzip.decompress(packed.body)
    assert ("gzip", None) == (packed.headers["content-encoding"], plain.headers.get("content-encoding"))
    assert len(packed.body) < len(plain.body) / 2


def test_nothing_else_on_the_disk_can_be_reached(client: Client) -> None:
    """The file system is never asked."""
    for name in ("../app.py", "..%2fapp.py", "/etc/passwd", "css/../../app.py", "css", ""):
        assert 404 == client.get(f"/static/{name}").status


def test_every_import_of_a_script_is_there(client: Client) -> None:
    """No build step would tell."""
    scripts = list((STATIC / "js").rglob("*.js"))
    assert scripts
    for path in scripts:
        for name in re.findall(r'(?:from |import |import\()"(\.[^"]+)"', path.read_text()):
            assert (path.parent / name).is_file(), f"{path.name} imports {name}"


def later(page: str) -> list[str]:
    """Return the modules that a page names to be loaded after its pictures."""
    found = re.search(r'<meta name="modules" content="([^"]+)">', page)
    return found[1].split() if found else []


def give_picture(gallery: Gallery) -> None:
    """Add a photo that the server draws."""
    image = add_done(gallery)
    changed = {"grid_key": f"thumbnails/{image.public_id}/grid.webp", "width": 640, "height": 480}
    gallery.images.change(image.public_id, **changed)


def test_page_with_pictures_names_every_module(client: Client, gallery: Gallery) -> None:
    give_picture(gallery)
    named = {STATIC / "js" / name for name in later(client.get("/").text)}
    entry = STATIC / "js" / "gallery.js"
    assert {entry, *imported(entry)} == named


def test_page_has_one_stylesheet(client: Client, gallery: Gallery) -> None:
    """It is joined from files by component, in their order, without their comments."""
    page = client.get("/").text
    (path,) = re.findall(r'<link rel="stylesheet" href="([^"]+)">', page)
    sheet = client.get(path)
    assert "text/css; charset=utf-8" == sheet.headers["content-type"]
    parts = [(STATIC / "css" / f"{name}.css").read_text() for name in SHEETS["gallery"]]
    rules = re.sub(r"/\*.*?\*/\s*", "", "\n".join(parts), flags=re.DOTALL)
    assert rules == sheet.text


def test_scripts_are_sent_without_their_comments(client: Client) -> None:
    """Lines keep their numbers. No text of a script spans lines, so none holds what looks like a comment."""
    for path in (STATIC / "js").rglob("*.js"):
        source = path.read_text().splitlines()
        sent = client.get(f"/static/{path.relative_to(STATIC)}").text.splitlines()
        assert all(line.count("`") % 2 == 0 for line in source), path
        assert len(source) == len(sent), path
        code = [(at, line) for at, line in enumerate(sent) if line.strip()]
        assert all(line.strip() in source[at] for at, line in code), path
        assert not [line for _, line in code if re.match(r"\s*(//|/?\*)", line)], path
        dropped = "\n".join(line for at, line in enumerate(source) if not sent[at].strip())
        assert not re.sub(r"^\s*//[^\n]*|/\*\*.*?\*/|\s", "", dropped, flags=re.DOTALL | re.MULTILINE), path


def test_every_stylesheet_belongs_to_a_page() -> None:
    """Those that scripts load belong to a module of the same name."""
    joined = {f"{name}.css" for parts in SHEETS.values() for name in parts}
    late = {"viewer.css", "dialogs.css"}
    assert joined | late == {path.name for path in (STATIC / "css").glob("*.css")}
    templates = "".join(path.read_text() for path in (STATIC.parent / "views").glob("*.tpl"))
    assert set(re.findall(r"sheet='(\w+)'", templates)) <= set(SHEETS)


@pytest.mark.parametrize("script", ["gallery", "photo"])
def test_page_preloads_every_module(client: Client, gallery: Gallery, script: str) -> None:
    """Those that only another module imports as well."""
    page = client.get("/" if script == "gallery" else f"/images/{add_done(gallery).public_id}").text
    preloaded = re.findall(r'rel="modulepreload" href="/static/[0-9a-f]+/js/([a-z/]+\.js)"', page)
    entry = STATIC / "js" / f"{script}.js"
    started = {entry} if script == "gallery" else set()  # by start.js, which the others do not need
    assert imported(entry) | started == {STATIC / "js" / name for name in preloaded}
    assert len(preloaded) == len(set(preloaded))


def test_every_script_belongs_to_a_page() -> None:
    names = ("gallery", "passkeys", "photo", "problem", "start", "theme", "worker/hash", "worker/share")
    entries = [STATIC / "js" / f"{name}.js" for name in names]
    assert set((STATIC / "js").rglob("*.js")) == set(entries).union(
        *(imported(entry, late=True) for entry in entries)
    )


def test_manifest_names_icons_of_the_sizes_that_they_have(client: Client) -> None:
    """Installed, the gallery is a window of its own that starts at the list."""
    address = re.search(r'rel="manifest" href="([^"]+)"', client.get("/").text)[1]
    answer = client.get(address)
    assert "application/manifest+json" == answer.headers["content-type"]
    manifest = json.loads(answer.body)
    assert ("standalone", "/", "/") == tuple(manifest[name] for name in ("display", "start_url", "scope"))
    for icon in manifest["icons"]:
        found = client.get(f"{address.rpartition('/')[0]}/{icon['src']}")
        assert icon["type"] == found.headers["content-type"]
        if icon["type"] == "image/png":
            assert icon["sizes"] == "{}x{}".format(*Image.open(io.BytesIO(found.body)).size)


def test_manifest_accepts_shared_files_as_the_page_does(client: Client) -> None:
    """The system's "Share" offers the gallery for the types and endings of the file dialog."""
    target = json.loads((STATIC / "manifest.webmanifest").read_text())["share_target"]
    [files] = target["params"]["files"]
    accepted = re.search(r'id="files" type="file" .*accept="([^"]+)"', client.get("/").text)[1]
    assert accepted.split(",") == files["accept"]
    assert ("POST", "/share-target", "multipart/form-data", "photos") == (
        target["method"],
        target["action"],
        target["enctype"],
        files["name"],
    )


def test_only_the_share_worker_may_have_a_wider_scope(client: Client) -> None:
    """It serves the address of the share target, and no page goes through it."""
    for path in (STATIC / "js").rglob("*.js"):
        name = path.relative_to(STATIC).as_posix()
        expected = "/share-target" if name == "js/worker/share.js" else None
        assert expected == client.get(f"/static/{name}").headers.get("service-worker-allowed")


def test_first_view_is_within_its_budget(client: Client, gallery: Gallery) -> None:
    """The page, its styles, and the scripts that it loads before anything is done: 60 kB of gzip."""
    give_picture(gallery)
    for _ in range(LIMITS.page_size):
        add_done(gallery)
    page = client.get("/", Accept_Encoding="gzip")
    parts = {"the page": len(page.body)} | {
        path: len(client.get(path, Accept_Encoding="gzip").body)
        for path in re.findall(
            r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', gzip.decompress(page.body).decode()
        )
        + [f"{prefix(client)}/js/{name}" for name in later(gzip.decompress(page.body).decode())]
    }
    largest = sorted(parts.items(), key=lambda part: -part[1])[:8]
    assert sum(parts.values()) <= 60_000, f"{sum(parts.values())} bytes; the largest: {largest}"
    assert parts["the page"] <= 14_600, (
        "more than the ten packets that a server sends before it waits (RFC 6928)"
    )


def test_scripts_do_not_compete_with_the_first_pictures(client: Client, gallery: Gallery) -> None:
    """The server draws the first photos. Its page names the scripts, which are loaded after the pictures."""
    give_picture(gallery)
    page = client.get("/").text
    scripts = re.findall(r'<(?:link rel="modulepreload"|script type="module") [^>]+>', page)
    assert 1 == len(scripts)
    assert "/js/start.js" in scripts[0]
    assert "gallery.js" in later(page)
    assert [] == [each for each in scripts if 'fetchpriority="low"' not in each]
    assert 1 == page.count("fetchpriority=high")
    assert "data:image" not in page, "a placeholder of each card makes the page a third larger"


def test_parts_of_later_views_are_not_in_the_first() -> None:
    """The viewer and the upload queue come with their first use."""
    entry, folder = STATIC / "js" / "gallery.js", STATIC / "js"
    first = {path.relative_to(folder).as_posix() for path in imported(entry)}
    every = {path.relative_to(folder).as_posix() for path in imported(entry, late=True)}
    names = ("viewer", "scrubber", "info", "help", "uploads", "selectactions", "shared")
    late = {f"view/{name}.js" for name in names} | {"core/bulk.js", "core/uploads.js"}
    assert (late, set()) == (late & every, late & first)


def imported(script: Path, *, late: bool = False) -> set[Path]:
    """Return all modules that a script imports, directly or not; also those it loads later, if ``late``."""
    pattern = r'(?:^import .*|\bimport\()"(\.[^"]+)"' if late else r'^import .*"(\.[^"]+)";$'
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        path = waiting.pop()
        named = re.findall(pattern, path.read_text(), re.MULTILINE)
        new = {(path.parent / name).resolve() for name in named} - found
        found |= new
        waiting += new
    return found


def test_the_samples_are_listed_with_their_authors(client: Client) -> None:
    """Six, each with a file, a title, a credit and a licence, which the empty page names."""
    listed = json.loads(client.get("/static/samples/samples.json").body)
    page = client.get("/").text
    assert 6 == len(listed)
    for sample in listed:
        assert "image/jpeg" == client.get(f"/static/samples/{sample['file']}").headers["content-type"]
        assert f"{sample['title']} by {sample['credit']} ({sample['licence']})" in page
