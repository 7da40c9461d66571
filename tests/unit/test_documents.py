"""The links between the documents of the repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.documents import ROOT

LISTED = subprocess.check_output(["git", "ls-files", "*.md"], cwd=ROOT, text=True).split()
DOCUMENTS = [ROOT / name for name in LISTED if (ROOT / name).exists()]
FILE = re.compile(r"`((?:docs|imgcore|inventory|lambda_build|playbooks|roles|tests|web)/[\w./*-]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def links(page: Path) -> list[tuple[Path, str]]:
    """Return (file, anchor) of each link of the page to a file of the repository."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    found = [link.partition("#") for link in LINK.findall(text) if not re.match(r"[a-z]+:", link)]
    return [((page.parent / path).resolve() if path else page, anchor) for path, _, anchor in found]


def anchors(page: Path) -> set[str]:
    """Return the anchors of the page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_document_links_lead_to_files_and_headings(page: Path) -> None:
    broken = [
        f"{path}#{anchor}"
        for path, anchor in links(page)
        if not path.exists() or (anchor and anchor not in anchors(path))
    ]
    assert [] == broken


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_document_names_files_that_exist(page: Path) -> None:
    """A name is relative to the repository or to the document."""
    named = FILE.findall(page.read_text())
    assert [] == [name for name in named if not any([*ROOT.glob(name), *page.parent.glob(name)])]


@pytest.mark.parametrize("folder", ["docs", "docs/adr"])
def test_folder_index_links_every_document(folder: str) -> None:
    index = ROOT / folder / "README.md"
    linked = {path for path, _ in links(index)}
    assert set() == set((ROOT / folder).glob("*.md")) - linked - {index}
