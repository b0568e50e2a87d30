"""What a Python source defines, told from its syntax tree; nothing is ever imported.

What cannot be known without running the source is said to be unknown: names that a star import or `exec` may bring,
what stands in a condition, what a decorator makes of a class.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping

from f0ci.core.patterns import pattern
from f0ci.core.values import dataclass

# sources beyond this are not read; nobody writes such a scriptlet by hand
LARGEST = 1 << 20
# nor one of more signs than these, which a megabyte of ordinary code has: each may cost two thousand bytes of memory
_SIGN = pattern(rb"[\n;=(\[{,.+<:@]| or ")
MOST_SIGNS = 90_000
_MODULES = rb"\.\s*modules\b|\bimport\b[^\n]*\bmodules\b"
_ANY_NAME = pattern(rb"\bglobals\s*\(|\bexec\s*\(|\b(?:vars|locals)\s*\(\s*\)|" + _MODULES)
_ANY_MODULE = pattern(rb"\b__path__\b|\bmeta_path\b|\bpath_hooks\b|" + _MODULES)
_ANY_METHOD = pattern(rb"\bsetattr\s*\(|\.\s*(?:run|execute)\s*=[^=]")
Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Binding:
    """How a name of a module or class comes to be.

    Attributes:
        node: the statement.
        is_certain: True where it stands outside every condition and loop.
    """

    node: ast.AST
    is_certain: bool


@dataclass(frozen=True, slots=True)
class PythonSource:
    """A module's source.

    Attributes:
        path: its file, relative to the tree.
        names: what its top level binds.
        is_open: True where it may have more names than those.
        moves_modules: True where it may change what is found below it.
        patches: True where it may give methods to a class after its definition.
    """

    path: str
    names: Mapping[str, tuple[Binding, ...]]
    is_open: bool
    moves_modules: bool
    patches: bool

    def definition(self, name: str) -> ast.stmt | None:
        """Return the one statement that certainly makes a name, or None."""
        bindings = self.names.get(name, ())
        if len(bindings) != 1 or not bindings[0].is_certain:
            return None
        node = bindings[0].node
        return node if isinstance(node, ast.stmt) else None

    @property
    def offers(self) -> tuple[str, ...]:
        """The public classes and functions that it defines itself, sorted."""
        defined = (name for name, all_ in self.names.items() if any(isinstance(one.node, Definition) for one in all_))
        return tuple(sorted(name for name in defined if not name.startswith("_")))


def read_source(path: str, raw: bytes) -> PythonSource | None:
    """Return what a source defines, or None where it cannot be read as Python."""
    if len(raw) > LARGEST or (len(raw) > MOST_SIGNS and len(_SIGN.findall(raw)) > MOST_SIGNS):
        return None
    try:
        with warnings.catch_warnings():
            # the linter has nothing to say about how a scriptlet is written
            warnings.simplefilter("ignore")
            module = ast.parse(raw, path)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    names = bindings_of(module.body)
    if b"global" in raw:
        for node in ast.walk(module):
            if isinstance(node, ast.Global):
                for name in node.names:
                    names.setdefault(name, []).append(Binding(node, is_certain=False))
    return PythonSource(
        path,
        {name: tuple(all_) for name, all_ in names.items()},
        is_open="*" in names or "__getattr__" in names or _ANY_NAME.search(raw) is not None,
        moves_modules=_ANY_MODULE.search(raw) is not None,
        patches=_ANY_METHOD.search(raw) is not None,
    )


def bindings_of(body: Iterable[ast.stmt]) -> dict[str, list[Binding]]:
    """Return what the statements of a module or a class bind, by name; `*` for a star import."""
    names: dict[str, list[Binding]] = {}
    for statement in body:
        for node in _scope(statement):
            for name in _bound(node):
                names.setdefault(name, []).append(Binding(node, is_certain=node is statement))
    return names


def _scope(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the nodes of a statement that bind names where it stands, rather than inside a function or class."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Definition | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def _bound(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name
        case ast.Import(names=aliases):
            for alias in aliases:
                yield alias.asname or alias.name.partition(".")[0]
        case ast.ImportFrom(names=aliases):
            for alias in aliases:
                yield alias.asname or alias.name
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name
        case _:
            return
