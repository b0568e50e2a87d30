"""The Python modules of a tree, found as the runner finds them: below the tree's root before anywhere else.

An answer is given only where it is certain. A module whose first name is not a package of the tree may be installed
where f0ci runs; of it nothing is known.
"""

from __future__ import annotations

import ast
import posixpath
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from f0ci.core.errors import InputError
from f0ci.core.own_imports import OWN_IMPORTS
from f0ci.core.values import dataclass
from f0ci.lint.python_source import PythonSource, bindings_of, read_source
from f0ci.source.traced import remember
from f0ci.source.tree import Tree, subfolders

# compiled modules are found by the interpreter, and not read here
_COMPILED = (".so", ".abi3.so", ".pyd", ".pyc", f".{sys.implementation.cache_tag}.so")
_METHODS = frozenset({"run", "execute"})
# how far names are followed from module to module
_FARTHEST = 12


@dataclass(frozen=True, slots=True)
class Module:
    """A module or package that is in the tree.

    Attributes:
        name: dotted.
        file: its source, or None for a folder without `__init__.py`.
        folder: where its submodules are, or None for a plain module.
    """

    name: str
    file: str | None
    folder: str | None


@dataclass(frozen=True, slots=True)
class Missing:
    """A module that certainly is not in the tree though its package is.

    Attributes:
        name: dotted.
        expected: the file that would be it.
        part: that part of the name which is not there.
        known: what could stand for that part, and the dotted name that it makes.
    """

    name: str
    expected: str
    part: str
    known: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Code:
    """The modules of a tree; each is looked for and read once."""

    tree: Tree
    _found: dict[tuple[str, ...], Any] = field(default_factory=dict, repr=False)

    def find(self, name: str) -> Module | Missing | None:
        """Return a module by its dotted name; None where the tree does not tell."""
        return remember(self.tree, self._found, ("find", name), lambda: self._find(name))

    def source(self, module: Module) -> PythonSource | None:
        """Return a module's source, or None where there is none or it cannot be read."""
        return self._source(module.file) if module.file is not None else None

    def holds(self, folder: str, top: str) -> bool:
        """Tell whether a folder holds a module or package of a name."""
        here = posixpath.join(folder, top)
        return remember(
            self.tree,
            self._found,
            ("holds", folder, top),
            lambda: self.tree.exists(f"{here}.py") or top in subfolders(self.tree, folder),
        )

    def has_home(self, folder: str, top: str) -> bool:
        """Tell whether a folder or one above it, but for the root, holds a module or package of a name."""
        return remember(
            self.tree,
            self._found,
            ("home", folder, top),
            lambda: bool(folder) and (self.holds(folder, top) or self.has_home(posixpath.dirname(folder), top)),
        )

    @staticmethod
    def is_taken(top: str) -> bool:
        """Tell whether a name is one that the interpreter or f0ci has imported before any tree is looked at."""
        return top in sys.stdlib_module_names or top in OWN_IMPORTS

    def homes(self, package: Module, name: str) -> tuple[str, ...]:
        """Return the direct submodules of a package whose text defines a name, as the runner looks for them."""
        definition = re.compile(rf"^(?:class|def)\s+{re.escape(name)}\b", re.MULTILINE)
        return tuple(
            f"{package.name}.{stem}"
            for stem, file in self._files(package.folder)
            if definition.search(self._text(file))
        )

    def class_of(self, module: Module, name: str) -> tuple[Module, ast.ClassDef] | None:
        """Return the class that a module certainly means by a name, its own or an imported one of the tree."""
        for _ in range(_FARTHEST):
            source = self.source(module)
            if source is None or source.is_open:
                return None
            statement = source.definition(name)
            if isinstance(statement, ast.ClassDef):
                return module, statement
            if not isinstance(statement, ast.ImportFrom):
                return None
            target = self.find(_absolute(module, statement))
            if not isinstance(target, Module):
                return None
            name = next(alias.name for alias in statement.names if (alias.asname or alias.name) == name)
            module = target
        return None

    def class_without_methods(self, module: Module, name: str) -> tuple[Module, ast.ClassDef] | None:
        """Return the class that a step means by a name of a module, where it certainly has no method to call."""
        return remember(
            self.tree, self._found, ("lacking", module.name, name), lambda: self._class_without_methods(module, name)
        )

    def _class_without_methods(self, module: Module, name: str) -> tuple[Module, ast.ClassDef] | None:
        source = self.source(module)
        if source is not None and (source.is_open or name in source.names):
            found = self.class_of(module, name)
        else:
            homes = self.homes(module, name)
            home = self.find(homes[0]) if len(homes) == 1 else None
            found = self.class_of(home, name) if isinstance(home, Module) else None
        return found if found is not None and self.lacks_methods(*found) else None

    def lacks_methods(self, module: Module, node: ast.ClassDef, depth: int = 0) -> bool:
        """Tell whether a class certainly has neither `run` nor `execute`, of its own or of a base."""
        source = self.source(module)
        body = bindings_of(node.body)
        if source is None or source.patches or node.decorator_list or node.keywords or depth > _FARTHEST:
            return False
        if _METHODS & body.keys() or (depth and "__init_subclass__" in body) or "*" in body:
            return False
        return all(self._base_lacks_methods(module, source, base, depth) for base in node.bases)

    def _base_lacks_methods(self, module: Module, source: PythonSource, base: ast.expr, depth: int) -> bool:
        if not isinstance(base, ast.Name):
            return False
        if base.id == "object" and "object" not in source.names:
            return not source.is_open
        statement = source.definition(base.id)
        if isinstance(statement, ast.ImportFrom) and (statement.module, statement.level) == ("abc", 0):
            return any(alias.name == "ABC" and (alias.asname or "ABC") == base.id for alias in statement.names)
        found = self.class_of(module, base.id)
        return found is not None and self.lacks_methods(*found, depth + 1)

    def _find(self, name: str) -> Module | Missing | None:
        parts = name.split(".")
        if not all(parts) or any(char in name for char in "/\\\0") or self.is_taken(parts[0]):
            return None
        folder, found = "", Module("", None, "")
        for index, part in enumerate(parts):
            if found.folder is None:
                return Missing(name, f"{folder}/{part}.py", part)
            dotted = ".".join(parts[: index + 1])
            here = posixpath.join(folder, part)
            child = self._child(dotted, folder, part)
            if child is None:
                is_unknown = not index or any(self.tree.exists(f"{here}{suffix}") for suffix in _COMPILED)
                if is_unknown:
                    return None
                return Missing(name, f"{here}.py", part, self._beside(found, parts[index + 1 :]))
            source = self.source(child)
            if child.file is not None and index < len(parts) - 1 and (source is None or source.moves_modules):
                return None
            folder, found = here, child
        return found

    def _child(self, dotted: str, folder: str, part: str) -> Module | None:
        here = posixpath.join(folder, part)
        if self.tree.exists(f"{here}/__init__.py"):
            return Module(dotted, f"{here}/__init__.py", here)
        if self.tree.exists(f"{here}.py"):
            return Module(dotted, f"{here}.py", None)
        if part not in subfolders(self.tree, folder):
            return None
        # a folder at the top that holds no Python is no package of the repository
        holds_python = folder or any(path.endswith(".py") for path in self.tree.files(here))
        return Module(dotted, None, here) if holds_python else None

    def _beside(self, package: Module, rest: list[str]) -> dict[str, str]:
        """Return the names in a package under which what was asked for is found, each with the whole dotted name."""
        folder = package.folder or ""
        stems = {stem for stem, _ in self._files(folder)} | {
            name for name in subfolders(self.tree, folder) if name.isidentifier() and name != "__pycache__"
        }
        dotted = {stem: ".".join([package.name, stem, *rest]) for stem in sorted(stems - {"__init__"})}
        return {stem: name for stem, name in dotted.items() if isinstance(self.find(name), Module)}

    def _files(self, folder: str | None) -> Iterator[tuple[str, str]]:
        """Yield the stem and path of every Python file right below a folder."""
        if folder is None:
            return
        for path in self.tree.files(folder):
            name = path.removeprefix(f"{folder}/")
            if name.endswith(".py") and "/" not in name:
                yield name.removesuffix(".py"), path

    def _source(self, path: str) -> PythonSource | None:
        return remember(self.tree, self._found, ("source", path), lambda: self._read(path))

    def _read(self, path: str) -> PythonSource | None:
        try:
            raw = self.tree.read(path)
        except InputError:
            return None
        return read_source(path, raw)

    def _text(self, path: str) -> str:
        try:
            return self.tree.read(path).decode("utf-8", "replace")
        except InputError:
            return ""


def _absolute(module: Module, statement: ast.ImportFrom) -> str:
    """Return the dotted name of the module that a statement imports from; empty where it leads out of the package."""
    if not statement.level:
        return statement.module or ""
    package = module.name.split(".") if module.folder is not None else module.name.split(".")[:-1]
    kept = len(package) - (statement.level - 1)
    if kept < 1:
        return ""
    return ".".join([*package[:kept], *([statement.module] if statement.module else [])])
