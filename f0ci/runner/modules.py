"""Importing the scriptlets of a tree: that tree's, whatever was imported before, and without leaving a trace."""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from f0ci.core.errors import StepError
from f0ci.core.own_imports import OWN_IMPORTS
from f0ci.core.suggestions import closest, did_you_mean

# what f0ci itself may import while a run lasts; a tree's folder of that name must not get in between
_KEPT = OWN_IMPORTS
_FRAMEWORK = ("orchestrator", "scriptlets.framework", "src.core")


@contextlib.contextmanager
def importing_from(root: Path) -> Iterator[None]:
    """Import from a tree first for as long as the block runs.

    Modules of the same name that came from elsewhere step aside, those that came from the tree are forgotten at the
    end, and no byte code is written into the tree.
    """
    root = root.resolve()
    aside = {name: sys.modules.pop(name) for name in _in_the_way(root)}
    before = set(sys.modules)
    entry, writes = str(root), sys.dont_write_bytecode
    sys.path.insert(0, entry)
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes
        with contextlib.suppress(ValueError):
            sys.path.remove(entry)
        fresh = [name for name in set(sys.modules) - before if name.partition(".")[0] not in _KEPT]
        # all are asked before any is forgotten: a package without __init__.py asks its parent
        for name in [name for name in fresh if _comes_from(sys.modules[name], root)]:
            del sys.modules[name]
        sys.modules.update(aside)
        importlib.invalidate_caches()


def _in_the_way(root: Path) -> list[str]:
    tops = {name.partition(".")[0] for name in sys.modules} - _KEPT - sys.stdlib_module_names - {"__main__"}
    shadowed = {
        top for top in tops if _offers(root, sys.modules.get(top), top) and not _comes_from(sys.modules.get(top), root)
    }
    return [name for name in sys.modules if name.partition(".")[0] in shadowed]


def _offers(root: Path, current: ModuleType | None, top: str) -> bool:
    if not any((root / name).exists() for name in (top, f"{top}.py")):
        return False
    spec = PathFinder.find_spec(top, [str(root)])
    # a folder without __init__.py gives way to a real package, and stands beside another such folder
    return spec is not None and (spec.origin is not None or getattr(current, "__file__", None) is None)


def _comes_from(module: ModuleType | None, root: Path) -> bool:
    file = getattr(module, "__file__", None)
    places = [file] if file else list(getattr(module, "__path__", ()))
    return any(_inside(place, root) for place in places)


def find_target(module_name: str, function: str, root: Path, *, fallback: str | None = None) -> Any:
    """Return a scriptlet's class or function.

    Args:
        module_name: dotted path of the module, relative to the tree.
        function: name of the class or function.
        root: the tree; `importing_from` must be active for it.
        fallback: a package that may hold the module where the tree's root does not.

    Raises:
        StepError: no such module or name, or the module cannot be imported; trying again cannot help.
    """
    module = _import(module_name, root, fallback)
    if hasattr(module, function):
        return getattr(module, function)
    home = _defining_submodule(module, function)
    if home is not None:
        return getattr(_import(home, root, None), function)
    known = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
    raise StepError(
        f"module {module.__name__!r} has no class or function {function!r}",
        did_you_mean(function, known, noun="it has"),
        terminal=True,
    )


def _defining_submodule(package: ModuleType, function: str) -> str | None:
    """Return the one direct submodule of a package whose source defines a name, without importing any."""
    definition = re.compile(rf"^(?:class|def)\s+{re.escape(function)}\b", re.MULTILINE)
    homes = [
        f"{package.__name__}.{file.stem}"
        for folder in getattr(package, "__path__", ())
        for file in sorted(Path(folder).glob("*.py"))
        if definition.search(file.read_text(encoding="utf-8", errors="replace"))
    ]
    return homes[0] if len(homes) == 1 else None


def _import(name: str, root: Path, fallback: str | None) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name == missing or name.startswith(f"{missing}."):
            if fallback is not None and not name.startswith(f"{fallback}."):
                with contextlib.suppress(_Absent):
                    return _import(f"{fallback}.{name}", root, None)
            raise _Absent(f"there is no module {name!r}", _where_modules_are(name, root), terminal=True) from error
        raise StepError(
            f"module {name!r} imports {missing!r}, which is missing", _how_to_get(missing), terminal=True
        ) from error
    except (Exception, SystemExit) as error:
        raise StepError(
            f"module {name!r} cannot be imported: {describe(error, root)}",
            "mend the module; its own import fails",
            terminal=True,
        ) from error


class _Absent(StepError):
    """The module itself, rather than something it needs, is missing."""


def _where_modules_are(name: str, root: Path) -> str:
    path = name.replace(".", "/")
    folder = root / path.rpartition("/")[0]
    siblings = (
        [entry.stem for entry in folder.iterdir() if entry.suffix == ".py" or entry.is_dir()] if folder.is_dir() else []
    )
    match = closest(path.rpartition("/")[2], siblings)
    prefix = name.rpartition(".")[0]
    if match is not None:
        return f"did you mean {(prefix + '.' if prefix else '') + match!r}?"
    return f"modules are looked for below the repository's root first: expected {path}.py or {path}/"


def _how_to_get(missing: str) -> str:
    if any(missing == part or missing.startswith(f"{part}.") or part.startswith(f"{missing}.") for part in _FRAMEWORK):
        return f"{missing!r} is Framework0's own, which f0ci does not bring: keep it in the repository or install it"
    return f"install {missing.partition('.')[0]!r} where f0ci runs, or keep it in the repository"


def describe(error: BaseException, root: Path) -> str:
    """Return an exception in one line, with the innermost place in the tree where it happened."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return f"{text.partition(' (')[0]} at {_relative(error.filename, root)}:{error.lineno}"
    import traceback

    places = [frame for frame in traceback.extract_tb(error.__traceback__) if _inside(frame.filename, root)]
    return f"{text} at {_relative(places[-1].filename, root)}:{places[-1].lineno}" if places else text


def _inside(filename: str, root: Path) -> bool:
    """Tell whether a file is the tree's own; a virtual environment in the tree is not."""
    file = Path(filename)
    return file.is_absolute() and file.resolve().is_relative_to(root.resolve()) and "site-packages" not in file.parts


def _relative(filename: str, root: Path) -> str:
    return Path(filename).resolve().relative_to(root.resolve()).as_posix() if _inside(filename, root) else filename
