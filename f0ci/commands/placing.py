"""Paths as a CI system knows them: from the top of the checkout, which may lie above what f0ci works on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from f0ci.core.diagnostics import Diagnostic, Location
from f0ci.git.checkout import checkout_of

if TYPE_CHECKING:
    from f0ci.commands.validating import Validation


def folder_in_checkout(root: Path) -> str:
    """Return where a folder lies in the Git checkout that holds it: empty at its top, and where there is none."""
    resolved = root.resolve()
    top = checkout_of(resolved)
    return "" if top in {None, resolved} else resolved.relative_to(top).as_posix()


def placed_below(validation: Validation, folder: str) -> Validation:
    """Return what validating found, with paths that begin with a folder; fingerprints follow the paths.

    Args:
        validation: with paths relative to the folder.
        folder: with forward slashes; empty to change nothing.
    """
    if not folder:
        return validation
    sources = validation.sources

    def moved(location: Location) -> Location:
        return replace(location, path=f"{folder}/{location.path}")

    def placed(one: Diagnostic) -> Diagnostic:
        related = tuple(replace(other, location=moved(other.location)) for other in one.related)
        return replace(one, location=moved(one.location), related=related)

    return replace(
        validation,
        diagnostics=tuple(map(placed, validation.diagnostics)),
        summary=replace(validation.summary, checked=tuple(f"{folder}/{path}" for path in validation.summary.checked)),
        sources=lambda path: sources(path.removeprefix(f"{folder}/")),
    )
