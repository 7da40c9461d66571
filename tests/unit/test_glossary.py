"""Names, comments, messages and documents use the words of the glossary, tests/glossary.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import glossary
from tests.support.texts import texts, words

BAD = [
    ("queue.py", "def unheard() -> None: ...\n", "unheard"),
    ("queue.py", "limit.forgive(key)\n", "forgive"),
    ("queue.py", "connect(patience=3)\n", "patience"),
    ("queue.py", "class EnterGate: ...\n", "gate"),
    ("queue.py", "x = 1  # whoever comes first\n", "whoever"),
    ("queue.py", 'raise ValueError("The server says no.")\n', "says no"),
    ("queue.py", 'def f() -> None:\n    """Import rules of the\n    house."""\n', "the\n    house"),
    ("queue.py", 'def f() -> None:\n    """As each of them."""\n', "As"),
    ("page.md", "The rooms of the package.\n", "rooms"),
    ("tasks.yml", "- name: Have the hosts\n", "Have"),
    ("tasks.yml", "- name: 'Say who the hosts are'\n", "Say"),
    ("tasks.yml", "description: How the rooms are named.\n", "rooms"),
    ("page.tpl", '<img alt="A photograph"><p>Text</p>\n', "photograph"),
    ("page.tpl", "<p>One photograph</p>\n", "photograph"),
    ("page.js", "const forgive = 1;\n", "forgive"),
    ("page.js", "// it was told\n", "told"),
    ("page.css", "/* the walls */\n", "walls"),
    ("run.sh", "# patient\n", "patient"),
    ("run", "#!/usr/bin/env bash\n# patient\n", "patient"),
    ("ansible.cfg", "# whoever runs this\n", "whoever"),
    ("texts.json", '{"told": ["The rooms", "of"]}\n', "told"),
    ("texts.json", '{"a": [{"b": "The rooms"}]}\n', "rooms"),
    ("unheard.png", "", "unheard"),
    ("mailbox", "", "mailbox"),
]
GOOD = [
    ("queue.py", "def gateway() -> None: ...\n"),
    ("queue.py", 'URL = "letter"\n'),
    ("queue.py", "retold = 1\n"),
    ("page.md", "Run `make gate` and\n\n```sh\nunheard\n```\n"),
    ("tasks.yml", "- name: Look up the AWS account\n"),
    ("tasks.yml", "- name: Create the instance profile\n"),
    ("page.tpl", '<div class="gate"></div>\n'),
    ("page.js", 'const name = "gate";\n'),
    ("picture.png", "told"),
    ("texts.json", '{"gateway": "letter"}\n'),
]


def found_in(folder: Path, name: str, source: str) -> list[str]:
    path = folder / name
    path.write_text(source)
    return [problem.word for problem in glossary.check(name, texts(path, name))]


@pytest.mark.parametrize(("name", "source", "word"), BAD, ids=str)
def test_glossary_finds_a_banned_word(tmp_path: Path, name: str, source: str, word: str) -> None:
    assert word in found_in(tmp_path, name, source)


@pytest.mark.parametrize(("name", "source"), GOOD, ids=str)
def test_glossary_accepts_standard_words(tmp_path: Path, name: str, source: str) -> None:
    assert [] == found_in(tmp_path, name, source)


def test_words_of_identifiers_are_split() -> None:
    assert {"enter gate"} == {words(name) for name in ("enter_gate", "EnterGate", "ENTER_GATE", "_enter_gate")}
    assert "sns 2 mailbox" == words("SNS2Mailbox")


def test_exceptions_match_tracked_files() -> None:
    """An exception for a file that is no longer there is removed."""
    names = glossary.tracked()
    patterns = {pattern for rule in glossary.rules() for pattern in rule.excepted}

    assert set() == {p for p in patterns if not any(glossary.fnmatch(name, p) for name in names)}


def test_tracked_files_use_the_words_of_the_glossary() -> None:
    assert [] == [str(problem) for problem in glossary.problems(glossary.tracked())]
