"""The commands of README.md, docs/ and CONTRIBUTING.md."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md")
ACTIVATION = ". .venv/bin/activate"
_INLINE = re.compile(r"`((?:[A-Z_]+=\S+ )*(?:make|imgcore|imgload|ansible-playbook|python -m) [^`]*)`")
_ASSIGNMENT = re.compile(r"[A-Z_]+=")


@dataclass(frozen=True)
class Command:
    """One command of a page.

    block: it stands in a block of code, to be pasted; else within a sentence. activated: .venv was activated by
    the block, or by an earlier one of the page.
    """

    page: Path
    line: int
    text: str
    block: bool
    activated: bool

    @property
    def words(self) -> list[str]:
        """The words of the command, without leading assignments and without a trailing comment."""
        words = shlex.split(self.text, comments=True)
        while words and _ASSIGNMENT.match(words[0]):
            del words[0]
        return words

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}: {self.text.partition('  #')[0].strip()}"


def commands(page: Path) -> Iterator[Command]:
    """Yield the commands of a page: lines of ```sh blocks, and `make …` and such within sentences."""
    activated = False
    for number, language, line in _lines(page):
        if language == "sh":
            activated = activated or line.partition("#")[0].strip() == ACTIVATION
            if line.strip() and not line.lstrip().startswith("#"):
                yield Command(page, number, line.strip(), True, activated)
        elif language is None:
            for found in _INLINE.finditer(line):
                if not {"…", "|"} & set(_ASSIGNMENT.sub("", found[1].partition("make")[2] or found[1])):
                    yield Command(page, number, found[1], False, activated)


def python_code(page: Path) -> str:
    """Return what stands in the ```python blocks of a page."""
    return "".join(f"{line}\n" for _, language, line in _lines(page) if language == "python")


def _lines(page: Path) -> Iterator[tuple[int, str | None, str]]:
    """Yield each line with its number and the language of its block; None outside of blocks."""
    language: str | None = None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.lstrip().startswith("```"):
            language = None if language is not None else line.strip().removeprefix("```")
        else:
            yield number, language, line
