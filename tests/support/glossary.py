"""The check of words and names: which texts use one that tests/glossary.toml bans."""

from __future__ import annotations

import functools
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from tests.support.texts import Text, texts

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests/glossary.toml"
_KINDS = ("identifier", "prose", "docstring", "task")
# The glossary itself and the test of the check hold banned words.
_OWN = ("tests/glossary.toml", "tests/unit/test_glossary.py")


@dataclass(frozen=True)
class Rule:
    """Words that are not used in some kinds of text, and what is used instead."""

    pattern: str
    use: str
    kinds: frozenset[str]
    excepted: tuple[str, ...]


@dataclass(frozen=True)
class Problem:
    """A banned word where it was found."""

    text: Text
    word: str
    use: str

    def __str__(self) -> str:
        return f"{self.text.path}:{self.text.line}: {self.word!r} in {self.text.kind}; use: {self.use}"


@functools.cache
def rules() -> tuple[Rule, ...]:
    """Return the rules of the glossary file; one for task names or docstrings alone is matched at the start."""
    return tuple(_rule(entry) for entry in tomllib.loads(DATA.read_text())["banned"])


def _rule(entry: dict[str, list[str]]) -> Rule:
    kinds = frozenset(entry.get("where", ["identifier", "prose", "task"]))
    start = "^" if kinds <= {"task", "docstring"} else ""
    pattern = rf"{start}(?:{'|'.join(entry['words'])})(?![\w-])"
    pattern = pattern.replace(" ", r"\s+")  # also over the end of a line
    return Rule(pattern, str(entry["use"]), kinds, tuple(entry.get("except", [])))


@functools.cache
def _matcher(applied: tuple[Rule, ...], kind: str) -> tuple[re.Pattern[str], dict[str, Rule]]:
    """Return one pattern for all rules of this kind of text, and which of its groups is which rule.

    It asks once for the start of a word: no rule is tried at the other characters.
    """
    groups = {f"rule{number}": rule for number, rule in enumerate(applied) if kind in rule.kinds}
    alternatives = [f"(?P<{name}>{rule.pattern})" for name, rule in groups.items()] or ["(?!)"]
    return re.compile(rf"(?<![\w-])(?:{'|'.join(alternatives)})", re.IGNORECASE), groups


def check(name: str, found: Iterable[Text]) -> Iterator[Problem]:
    """Yield a problem for each text of the file ``name`` that breaks a rule."""
    applied = tuple(rule for rule in rules() if not any(fnmatch(name, path) for path in rule.excepted))
    matchers = {kind: _matcher(applied, kind) for kind in _KINDS}
    for text in found:
        pattern, groups = matchers[text.kind]
        for match in pattern.finditer(text.text):
            yield Problem(text, match[0], groups[str(match.lastgroup)].use)


def tracked() -> list[str]:
    """Return the names of the tracked files that exist."""
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
    return [name for name in listed if name and (ROOT / name).is_file() and name not in _OWN]


def problems(names: Iterable[str]) -> Iterator[Problem]:
    """Yield the problems of these tracked files."""
    for name in names:
        yield from check(name, texts(ROOT / name, name))
