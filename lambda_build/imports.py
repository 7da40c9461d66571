"""Find the modules that a program needs by reading its imports, without running any of it.

An import at the top level of a module is always followed; an import inside a function is followed where the
function is used. ``imgcore.bootstrap`` imports each adapter inside the function that creates it, so an archive
holds exactly the adapters that its entry point can create.

Code that imports a package which the archive does not hold cannot run there, and neither can what imports
that code. An import guarded by ``except ImportError`` (or ModuleNotFoundError) ends this chain: the guarded
module is left out. Where the chain reaches an entry point, the archive cannot be built.
"""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from lambda_build.targets import BuildError

# A module, and what of it: the name of a function, "" for the code that runs at import, "*" for everything.
Node = tuple[str, str]

_GUARDS = {"ImportError", "ModuleNotFoundError"}


def needed_modules(entries: Sequence[str], roots: Sequence[Path], packages: Collection[str]) -> dict[str, Path]:
    """Return the source file of every module that ``entries`` need, by module name.

    entries: names of modules, all of whose functions are used. roots: folders in which modules are looked up.
    packages: top-level names of everything else that can be imported, besides the standard library.
    BuildError: an entry cannot run with these packages.
    """
    graph = _Graph(roots, packages)
    wanted: list[Node] = [(entry, "*") for entry in entries]
    reached = graph.reach(wanted, without={})
    broken = graph.broken(reached)
    for node in wanted:
        if node in broken:
            raise BuildError(f"{node[0]} cannot run: {broken[node]}.")
    modules = {module for module, _ in graph.reach(wanted, without=broken)}
    return {module: graph.source(module).path for module in sorted(modules)}


class _Code(ast.NodeVisitor):
    """The imports and the names that one piece of code uses."""

    def __init__(self) -> None:
        self.imports: list[tuple[str, str | None, str, bool]] = []  # module, name, local name, guarded
        self.names: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self._guards = 0

    def visit_If(self, node: ast.If) -> None:
        """Skip what only type checkers read."""
        if ast.unparse(node.test) != "TYPE_CHECKING":
            self.visit(node.test)
            self._visit_all(node.body)
        self._visit_all(node.orelse)

    def visit_Try(self, node: ast.Try) -> None:
        """Note which imports may fail."""
        caught = {
            name.id
            for handler in node.handlers
            for name in ast.walk(handler.type or ast.Tuple([]))
            if isinstance(name, ast.Name)
        }
        guarded = bool(caught & _GUARDS)
        self._guards += guarded
        self._visit_all(node.body)
        self._guards -= guarded
        self._visit_all([*node.handlers, *node.orelse, *node.finalbody])

    def visit_Import(self, node: ast.Import) -> None:
        """``import a.b`` binds ``a``, ``import a.b as c`` binds ``c`` to a.b."""
        for alias in node.names:
            local = alias.asname or alias.name.partition(".")[0]
            self.imports.append((alias.name, None, local, self._guards > 0))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """``from a import b``, where b is a module or a name of a."""
        if node.level or node.module is None:
            raise BuildError(f"Line {node.lineno} has a relative import, which is not followed.")
        for alias in node.names:
            self.imports.append((node.module, alias.name, alias.asname or alias.name, self._guards > 0))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """``a.b``, where a may be a module."""
        if isinstance(node.value, ast.Name):
            self.attributes.add((node.value.id, node.attr))
        else:
            self.visit(node.value)

    def visit_Name(self, node: ast.Name) -> None:
        """A name by itself: a function of this module, or a whole module that is handed on."""
        self.names.add(node.id)

    def _visit_all(self, nodes: Sequence[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)


class _Source:
    """One module: the code that runs at import, and its functions by name."""

    def __init__(self, path: Path, text: bytes) -> None:
        self.path = path
        self.pieces: dict[str, _Code] = {"": _Code()}
        for statement in ast.parse(text, str(path)).body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self.pieces[statement.name] = _Code()
                self.pieces[statement.name].visit(statement)
                for part in (*statement.decorator_list, *statement.args.defaults, *statement.args.kw_defaults):
                    self.pieces[""].visit(part or ast.Constant(None))
            else:
                self.pieces[""].visit(statement)


@functools.cache
def _read(path: Path, text: bytes) -> _Source:
    """Return what this text says, read once for all archives of a process."""
    return _Source(path, text)


class _Graph:
    """The modules of some folders with what each piece of their code needs."""

    def __init__(self, roots: Sequence[Path], packages: Collection[str]) -> None:
        self._roots = roots
        self._importable = {*packages, *sys.stdlib_module_names}
        self._sources: dict[str, _Source | None] = {}
        self._known: dict[Node, tuple[tuple[Node, bool], ...]] = {}
        self._aliases: dict[str, dict[str, tuple[str, bool]]] = {}

    def source(self, module: str) -> _Source:
        """The source of a module that is below one of the roots. BuildError: there is none."""
        found = self._find(module)
        if found is None:
            raise BuildError(f"There is no module {module}.")
        return found

    def reach(self, start: Sequence[Node], without: Mapping[Node, str]) -> set[Node]:
        """Everything that ``start`` needs, transitively, except ``without`` and what only that needs."""
        reached: set[Node] = set()
        waiting = [node for node in start if node not in without]
        while waiting:
            node = waiting.pop()
            if node not in reached:
                reached.add(node)
                waiting += [needed for needed, _ in self._edges(node) if needed not in without]
        return reached

    def broken(self, nodes: set[Node]) -> dict[Node, str]:
        """Those of ``nodes`` that cannot run with the packages there are, each with the reason."""
        found = {node: reason for node in nodes if (reason := self._missing(node))}
        while True:
            more = {
                node: found[needed]
                for node in nodes
                if node not in found
                for needed, guarded in self._edges(node)
                if needed in found and not guarded
            }
            if not more:
                return found
            found |= more

    def _edges(self, node: Node) -> tuple[tuple[Node, bool], ...]:
        """What a node needs, and whether it can do without."""
        if node not in self._known:
            self._known[node] = tuple(self._read_edges(node))
        return self._known[node]

    def _read_edges(self, node: Node) -> Iterator[tuple[Node, bool]]:
        module, name = node
        source = self.source(module)
        if name == "*":
            yield from (((module, piece), False) for piece in source.pieces)
            return
        if name:
            yield (module, ""), False
        elif "." in module:
            yield (module.rpartition(".")[0], ""), False
        piece = source.pieces.get(name, _Code())
        for target, guarded in self._modules(piece).values():
            yield (target, ""), guarded
        for imported, symbol, _, guarded in piece.imports:
            if self._find(imported) and symbol and not self._find(f"{imported}.{symbol}"):
                yield (imported, symbol), guarded
        yield from (((module, used), False) for used in piece.names & source.pieces.keys())
        if module not in self._aliases:
            self._aliases[module] = {
                alias: found for code in source.pieces.values() for alias, found in self._modules(code).items()
            }
        aliases = self._aliases[module]
        for local, attribute in piece.attributes:
            if local in aliases:
                yield (aliases[local][0], attribute), aliases[local][1]
        for local in piece.names & aliases.keys():
            yield (aliases[local][0], "*"), aliases[local][1]

    def _modules(self, piece: _Code) -> dict[str, tuple[str, bool]]:
        """The modules that this code imports, by their local names, and whether each import is guarded."""
        found = {}
        for imported, symbol, local, guarded in piece.imports:
            inner = f"{imported}.{symbol}" if symbol else imported
            if self._find(inner):
                found[local] = (inner, guarded)
            elif self._find(imported):
                found[f"{imported} {local}"] = (imported, guarded)  # no name that code can use
        return found

    def _missing(self, node: Node) -> str:
        """Say which unguarded import of the node fails with the packages there are; "" if none does."""
        piece = self.source(node[0]).pieces.get(node[1], _Code())
        for imported, _, _, guarded in piece.imports:
            top = imported.partition(".")[0]
            if not guarded and top not in self._importable and not self._find(imported):
                return f"{node[0]} imports {imported}, which is not among the packages of this archive"
        return ""

    def _find(self, module: str) -> _Source | None:
        if module not in self._sources:
            path = module.replace(".", "/")
            candidates = [root / name for root in self._roots for name in (f"{path}/__init__.py", f"{path}.py")]
            file = next((candidate for candidate in candidates if candidate.is_file()), None)
            self._sources[module] = _read(file, file.read_bytes()) if file else None
        return self._sources[module]
