"""Validating, as a function for people who embed f0ci."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from f0ci.core.diagnostics import Diagnostic, Severity
from f0ci.core.errors import ExitCode, InputError
from f0ci.lint.engine import examine
from f0ci.lint.reporters.base import Sources, Summary
from f0ci.lint.workspace import load_workspace
from f0ci.source.project import load_project
from f0ci.source.tree import DirectoryTree


@dataclass(frozen=True, slots=True)
class Validation:
    """What validating found.

    Attributes:
        diagnostics: sorted by place.
        summary: how many files and diagnostics of each severity.
        sources: gives the bytes of a file by its path, for snippets.
    """

    diagnostics: tuple[Diagnostic, ...]
    summary: Summary
    sources: Sources

    def exit_code(self, fail_on: Severity = Severity.ERROR) -> ExitCode:
        """Return what the process says: findings at or above a severity, or done."""
        found = any(one.severity >= fail_on for one in self.diagnostics)
        return ExitCode.FINDINGS if found else ExitCode.DONE


def validate(
    root: Path,
    paths: Sequence[Path] = (),
    *,
    strict: bool = False,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
) -> Validation:
    """Lint a repository, or some of its files and folders.

    Args:
        root: the repository's root.
        paths: what to report on; everything where none is named. Cross references are followed in any case.
        strict: unknown keys are errors.
        select: names of rules or groups, in place of those of the settings.
        ignore: names of rules or groups to leave out.

    Raises:
        InputError: a path does not exist, cannot be read, or lies outside the repository.
        UsageError: there is no such rule.
    """
    tree = DirectoryTree(root)
    named = [_inside(tree, path) for path in paths]
    workspace = load_workspace(tree, load_project(tree), named or None)
    report = examine(workspace, strict=strict, select=select, ignore=ignore)
    if paths and not report.summary.files and not report.diagnostics:
        listed = ", ".join(repr(str(path)) for path in paths)
        raise InputError(
            f"nothing to validate below {listed}",
            "name recipes, environment configurations or a workflow, or their folders",
        )

    def source(path: str) -> bytes | None:
        return tree.read(path) if tree.exists(path) else None

    return Validation(report.diagnostics, report.summary, source)


def _inside(tree: DirectoryTree, path: Path) -> str:
    """Return a path as the tree names it.

    Raises:
        InputError: it does not exist, is a broken link, or lies outside.
    """
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - links must not be followed yet
    try:
        real = absolute.resolve(strict=True)
    except FileNotFoundError:
        raise InputError(f"there is no file or folder {str(path)!r}", "check the spelling") from None
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"{str(path)!r} is a symbolic link that leads back to itself", "replace the link by the file"
        ) from error
    parent = absolute.parent.resolve()
    for candidate in (parent / absolute.name, real):
        if candidate.is_relative_to(tree.root):
            return "" if candidate == tree.root else candidate.relative_to(tree.root).as_posix()
    raise InputError(
        f"{str(path)!r} lies outside the repository {str(tree.root)!r}", "name a path inside it, or use -C"
    )
