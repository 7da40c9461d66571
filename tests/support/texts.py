"""The texts of a tracked file that people read: names, docstrings, comments, messages, documents."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_COMMENT = re.compile(
    r"(?:^|\s\s)\s*#\s?(.*)$"
)  # as ruff formats them; within a long string they are prose too
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_TASK = re.compile(r"^\s*-\s+name:\s+(.+)$")
_SCRIPT_TOKEN = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<string>\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`)|(?P<name>[A-Za-z_$][\w$]*)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Text:
    """One piece of text. kind: identifier, prose, docstring (the first line of one) or task."""

    path: str
    line: int
    kind: str
    text: str


def texts(path: Path, name: str) -> Iterator[Text]:
    """Yield the texts of the file at ``path`` and the words of ``name``, its path in the repository.

    A binary file has only the words of its name.
    """
    for part in Path(name).parts:
        yield Text(name, 1, "identifier", words(part))
    reader = _READERS.get(path.suffix)
    if not path.suffix and (path.name == "Makefile" or path.read_bytes().startswith(b"#!")):
        reader = _shell
    if reader:
        for line, kind, text in reader(path.read_text("utf-8")):
            yield Text(name, line, kind, text)


@functools.cache
def words(identifier: str) -> str:
    """Return the words of an identifier: ``send_mail``, ``SendMail`` and ``SEND_MAIL`` are "send mail"."""
    return " ".join(_WORD.findall(identifier)).lower()


_Found = Iterator[tuple[int, str, str]]


def _python(source: str) -> _Found:
    for number, line in enumerate(source.splitlines(), 1):
        if "#" in line and (found := _COMMENT.search(line)):
            yield number, "prose", found[1]
    named = set()
    for node in ast.walk(ast.parse(source)):
        if (name := _name(node)) and name not in named:
            named.add(name)
            yield getattr(node, "lineno", 1), "identifier", words(name)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, "prose", node.value
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if documented and (text := ast.get_docstring(node)):
            yield getattr(node, "lineno", 1), "docstring", text.splitlines()[0]


def _name(node: ast.AST) -> str | None:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return node.name
        case ast.arg() | ast.keyword():
            return node.arg
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
    return None


def _markdown(source: str) -> _Found:
    """Prose outside of blocks of code and of `code`; the first line of a page is no docstring."""
    block = False
    for number, line in enumerate(source.splitlines(), 1):
        if line.lstrip().startswith("```"):
            block = not block
        elif not block:
            yield number, "prose", re.sub(r"`[^`]*`|\]\([^)]*\)", " ", line)


def _yaml(source: str) -> _Found:
    """Task names, comments and every line of values; variables of templates are identifiers."""
    for number, line in enumerate(source.splitlines(), 1):
        if found := _TASK.match(line):
            yield number, "task", found[1].strip("'\"")
        for expression in re.findall(r"\{\{(.*?)\}\}", line):
            yield from ((number, "identifier", words(name)) for name in re.findall(r"[a-z_]\w*", expression))
        yield number, "prose", re.sub(r"\{\{.*?\}\}", " ", line)


def _template(source: str) -> _Found:
    """The text of a page: tags and their attributes are left out, but for those that are read aloud."""
    aloud = " ".join(re.findall(r"(?:alt|title|placeholder|aria-label|content)=\"([^\"]*)\"", source))
    blank = re.sub(r"<[^>]*>", lambda tag: "\n" * tag[0].count("\n"), source)
    for number, line in enumerate(blank.splitlines(), 1):
        yield number, "prose", line
    yield 1, "prose", aloud


def _script(source: str) -> _Found:
    for token in _SCRIPT_TOKEN.finditer(source):
        line = source.count("\n", 0, token.start()) + 1
        if token["name"]:
            yield line, "identifier", words(token["name"])
        elif token["comment"] or " " in token[0]:
            yield line, "prose", token[0]


def _style(source: str) -> _Found:
    for comment in re.finditer(r"/\*.*?\*/", source, re.DOTALL):
        yield source.count("\n", 0, comment.start()) + 1, "prose", comment[0]


def _json(source: str) -> _Found:
    """Names are identifiers; values that have more than one word are prose."""
    for number, line in enumerate(source.splitlines(), 1):
        for string, colon in re.findall(r'"((?:[^"\\]|\\.)*)"(\s*:)?', line):
            if colon:
                yield number, "identifier", words(string)
            elif " " in string:
                yield number, "prose", string


def _shell(source: str) -> _Found:
    for number, line in enumerate(source.splitlines(), 1):
        yield number, "prose", line


_READERS = {
    ".py": _python,
    ".md": _markdown,
    ".yml": _yaml,
    ".yaml": _yaml,
    ".tpl": _template,
    ".j2": _shell,
    ".js": _script,
    ".css": _style,
    ".sh": _shell,
    ".toml": _shell,
    ".cfg": _shell,
    ".json": _json,
}
