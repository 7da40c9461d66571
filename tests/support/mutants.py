"""Make mutants of a module: copies with one small fault each, which its tests have to notice. Pure.

Mutated are comparisons, arithmetic, ``and`` and ``or``, ``not``, numbers, booleans, raised errors, calls whose
result is not used, and conditions and locks of SQL statements in strings.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
}  # fmt: skip
# A condition on one column after WHERE or AND, such as ``image_id = :image_id`` or ``told_at IS NULL``
_CONDITION = re.compile(
    r"(?:(?<=WHERE )|(?<= AND ))"
    r"[a-z_.]+ (?:(?:=|<>|<=|<|>|>=) (?::\w+|'[^']*'|\{[^}]*\})|IS (?:NOT )?NULL|IN \([^)]*\))"
)
_LOCK = " {for_update}"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: where it is, what it changes, and the module's source with it."""

    line: int
    change: str
    source: str


def mutants(source: str) -> list[Mutant]:
    """Return every mutant of a module's source, in the order of its lines."""
    tree = ast.parse(source)
    found = {}
    ignored = {id(each) for part in _ignored(tree) for each in ast.walk(part)}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in ignored:
            continue
        for change, replace in _changes(node):
            copied = copy.deepcopy(tree)
            target = next(each for index, each in enumerate(ast.walk(copied)) if index == number)
            replace(target)
            mutated = ast.unparse(ast.fix_missing_locations(copied))
            found[mutated] = Mutant(getattr(node, "lineno", 0), change, mutated)
    return sorted(found.values(), key=lambda mutant: (mutant.line, mutant.change))


def _ignored(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield decorators, such as ``dataclass(slots=True)``, calls that only log, and the start of programs.

    Also ``strict`` of zip(): it is an assertion, which no result shows while it holds.
    """
    for node in ast.walk(tree):
        yield from getattr(node, "decorator_list", [])
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="logger" | "_log")))):
                yield node
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))) | ast.keyword(arg="strict"):
                yield node


Change = tuple[str, Callable[[ast.AST], None]]


def _changes(node: ast.AST) -> Iterator[Change]:
    """Yield what can be changed in a node, and how."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            other = _COMPARISONS[type(op)]
            yield f"{_name(op)} → {other.__name__}", _set("ops", [other()])
        case ast.BinOp(op=op) if type(op) in _OPERATORS:
            other_operator = _OPERATORS[type(op)]
            yield f"{_name(op)} → {other_operator.__name__}", _set("op", other_operator())
        case ast.BoolOp(op=op):
            swapped = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"{_name(op)} → {_name(swapped)}", _set("op", swapped)
        case ast.UnaryOp(op=ast.Not()):
            yield "not removed", _double_not
        case ast.Constant(value=bool() as value):
            yield f"{value} → {not value}", _set("value", not value)
        case ast.Constant(value=int() | float() as number):
            yield f"{number} → {number + 1}", _set("value", number + 1)
        case ast.Constant(value=str() as text):
            yield from _sql_changes(text)
        case ast.Raise():
            yield "raise removed", _empty
        case ast.Expr(value=ast.Call()):
            yield f"{ast.unparse(node)[:60]} removed", _set("value", ast.Constant(None))


def _sql_changes(text: str) -> Iterator[Change]:
    for found in _CONDITION.finditer(text):
        changed = f"{text[: found.start()]}{_always(found[0])}{text[found.end() :]}"
        yield f"{found[0]} → always", _set("value", changed)
    if _LOCK in text:
        yield "FOR UPDATE removed", _set("value", text.replace(_LOCK, ""))


def _always(condition: str) -> str:
    """Return a condition that is always true and names the same parameters."""
    named = re.findall(r":\w+", condition)
    return " AND ".join(f"({name} = {name} OR {name} IS NULL)" for name in named) or "1 = 1"


def _name(node: ast.AST) -> str:
    return type(node).__name__


def _set(name: str, value: object) -> Callable[[ast.AST], None]:
    return lambda node: setattr(node, name, value)


def _double_not(node: ast.AST) -> None:
    assert isinstance(node, ast.UnaryOp)
    node.operand = ast.UnaryOp(ast.Not(), node.operand)


def _empty(node: ast.AST) -> None:
    """Turn a raise statement into an expression that does nothing."""
    node.__class__ = ast.Expr  # type: ignore[assignment]
    node.__dict__ = {**node.__dict__, "value": ast.Constant(None)}
