"""Finding plug-ins: the files of a folder, then what other distributions offer through entry points.

A plug-in folder is a package whose modules, but for `base`, are one plug-in each. A module's file name is the
plug-in's name with underscores for hyphens. Nothing is imported before it is asked for.
"""

from __future__ import annotations

import importlib
import os
import sys
from functools import cache
from types import ModuleType

import f0ci
from f0ci.core.errors import CannotWork, UsageError
from f0ci.core.suggestions import did_you_mean


@cache
def own_names(package: str) -> tuple[str, ...]:
    """Return the names of the plug-ins that a package's folder holds, sorted, without importing them."""
    names = []
    for name in _listed(package):
        stem, dot, suffix = name.rpartition(".")
        if dot and suffix == "py" and stem != "base" and not stem.startswith("_"):
            names.append(stem.replace("_", "-"))
    return tuple(sorted(names))


def _listed(package: str) -> list[str]:
    try:
        # pathlib and importlib.resources cost more than the answer, and so does importing the package
        inner = package.split(".")[1:]
        return [name for folder in f0ci.__path__ for name in os.listdir(os.path.join(folder, *inner))]  # noqa: PTH118, PTH208
    except OSError:
        # the package is not in a folder, as in a zip file
        from importlib import resources

        return [entry.name for entry in resources.files(package).iterdir()]


@cache
def distributions() -> tuple[str, ...]:
    """Return the folders that describe what is installed; their names hold the versions.

    Asking the interpreter costs more than a small command. What lies in a zip file or an egg is not looked into: its
    own path stands for it.
    """
    found: list[str] = []
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208
        except OSError:
            if os.path.exists(folder):  # noqa: PTH110
                found.append(folder)
            continue
        found += [os.path.join(folder, name) for name in names if name.endswith((".dist-info", ".egg-info"))]  # noqa: PTH118
    return tuple(sorted(found))


@cache
def is_extended() -> bool:
    """Tell whether any distribution may offer plug-ins."""
    for folder in distributions():
        if not folder.endswith((".dist-info", ".egg-info")):
            return True
        try:
            with open(os.path.join(folder, "entry_points.txt"), "rb") as file:  # noqa: PTH118, PTH123
                if b"[f0ci." in file.read():
                    return True
        except OSError:
            continue
    return False


@cache
def _third_party(group: str) -> dict[str, str]:
    if not is_extended():
        return {}
    from importlib.metadata import entry_points

    return {point.name: point.value for point in entry_points(group=group)}


def names(package: str, group: str | None = None) -> tuple[str, ...]:
    """Return the names of all plug-ins of a kind, sorted.

    Args:
        package: dotted name of the folder, such as `f0ci.promotion.gates`.
        group: entry point group of third parties; by default `f0ci.` and the folder's last word.
    """
    return tuple(sorted({*own_names(package), *_third_party(group or _group(package))}))


def load(package: str, name: str, *, noun: str, group: str | None = None) -> ModuleType:
    """Import one plug-in.

    Args:
        package: dotted name of the folder.
        name: the plug-in's name, with hyphens or underscores.
        noun: what such a plug-in is called in messages.
        group: entry point group of third parties.

    Raises:
        UsageError: no plug-in has the name; the message says the closest.
        CannotWork: a third party's plug-in cannot be imported.
    """
    known = name.replace("_", "-")
    if known in own_names(package):
        return importlib.import_module(f"{package}.{known.replace('-', '_')}")
    others = _third_party(group or _group(package))
    if name in others:
        try:
            return importlib.import_module(others[name].partition(":")[0])
        except ImportError as error:
            raise CannotWork(
                f"{noun} {name!r} cannot be imported: {error}", "reinstall the package that offers it"
            ) from error
    raise UsageError(f"there is no {noun} {name!r}", did_you_mean(name, names(package, group), noun="there are"))


def _group(package: str) -> str:
    return "f0ci." + package.rpartition(".")[2]
