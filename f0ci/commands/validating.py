"""Validating, as a function for people who embed f0ci."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from f0ci.core.diagnostics import Diagnostic, Severity
from f0ci.core.errors import ExitCode, InputError
from f0ci.core.folders import holds_source
from f0ci.core.values import dataclass
from f0ci.expressions.templating import SUFFIX
from f0ci.git.ignored import ignored_below
from f0ci.lint.cache import open_cache
from f0ci.lint.report import Report
from f0ci.lint.reporters.base import Sources, Summary, summarize
from f0ci.source.traced import TracedTree
from f0ci.source.tree import DirectoryTree
from f0ci.source.worktree import WorkTree

if TYPE_CHECKING:
    from f0ci.lint.workspace import Workspace

_GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Validation:
    """What validating found.

    Attributes:
        diagnostics: sorted by place.
        summary: how many files and diagnostics of each severity.
        sources: gives the bytes of a file by its path, for snippets.
        known: how many findings a baseline kept out.
        gone: how many findings of a baseline are no longer there.
    """

    diagnostics: tuple[Diagnostic, ...]
    summary: Summary
    sources: Sources
    known: int = 0
    gone: int = 0

    def exit_code(self, fail_on: Severity = Severity.ERROR) -> ExitCode:
        """Return what the process says: findings at or above a severity, or done."""
        found = any(one.severity >= fail_on for one in self.diagnostics)
        return ExitCode.FINDINGS if found else ExitCode.DONE

    def as_baseline(self) -> str:
        """Return the text of a baseline that knows every one of these findings."""
        from f0ci.lint.baseline import baseline_text

        return baseline_text(self.diagnostics, self.sources)

    def against(self, baseline: Path) -> Validation:
        """Return what a baseline does not know of these findings.

        Raises:
            InputError: the baseline cannot be read, or is none.
        """
        from f0ci.lint.baseline import compare, read_baseline

        try:
            raw = baseline.read_bytes()
        except OSError as error:
            raise InputError(
                f"cannot read the baseline {str(baseline)!r}: {error.strerror}", "write one with --write-baseline"
            ) from error
        left = compare(self.diagnostics, self.sources, read_baseline(str(baseline), raw))
        summary = summarize(left.new, self.summary.files, self.summary.checked)
        return replace(self, diagnostics=left.new, summary=summary, known=left.known, gone=left.gone)


def validate(
    root: Path,
    paths: Sequence[Path] = (),
    *,
    strict: bool = False,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    edited: Mapping[Path, bytes] | None = None,
    jobs: int | None = 1,
    cache: Path | None = None,
) -> Validation:
    """Lint a repository, or some of its files and folders.

    Args:
        root: the repository's root.
        paths: what to report on, glob patterns among them; everything where none is named. Cross references are
            followed in any case. What Git ignores is left out, unless a path names it or a folder in it.
        strict: unknown keys are errors.
        select: names of rules or groups, in place of those of the settings.
        ignore: names of rules or groups to leave out.
        edited: texts that stand for files, as an editor holds them.
        jobs: processes that share the files; None for as many as pay. More than one only where this process has no
            other threads; what is found is the same for any number.
        cache: a folder outside the repository for what was found, so that the next call looks only at what changed;
            None to look at everything and write nothing. It changes nothing of what is found.

    Raises:
        InputError: a path does not exist, cannot be read, or lies outside the repository.
        UsageError: there is no such rule.
    """
    folder = DirectoryTree(root)
    texts = {_inside(folder, path, may_be_new=True): text for path, text in (edited or {}).items()}
    new = {Path(os.path.abspath(path)) for path in edited or ()}  # noqa: PTH100 - as in _inside
    ignored = ignored_below(folder.root)
    named: list[str] = []
    for path in paths:
        found = [_inside(folder, one, may_be_new=one.absolute() in new) for one in _expanded(path)]
        # a pattern names nothing by itself: what it matches is looked for as in a folder
        named += found if found and _is_name(path) else [one for one in found if _is_looked_for(one, ignored)]
    if paths and not named:
        raise InputError(
            f"Git ignores, or hidden folders hold, all that matches {', '.join(repr(str(path)) for path in paths)}",
            "name the files or their folders without a pattern",
        )
    ignored = tuple(path for path in ignored if not any(_touch(path, name) for name in named))
    report: Report | None = None
    tree: WorkTree
    loaded: list[Workspace] = []

    def load() -> Workspace:
        from f0ci.lint.workspace import load_workspace
        from f0ci.source.project import load_project

        if not loaded:
            loaded.append(load_workspace(tree, load_project(tree), named or None))
        return loaded[0]

    if cache is None or texts:
        tree, known = WorkTree(root, ignored=ignored, edited=texts), None
    else:
        tree = TracedTree(root, ignored=ignored)
        known = open_cache(cache, tree.root, (strict, sorted(select), sorted(ignore)), jobs=jobs)
        report = known.report(tree, sorted(named), load) if known is not None else None
    if report is None:
        from f0ci.lint.engine import examine

        report = examine(load(), strict=strict, select=select, ignore=ignore, jobs=jobs, cache=known)
    if not report.summary.files and not report.diagnostics and not _holds_template(tree, named):
        listed = ", ".join(repr(str(path)) for path in paths or (root,))
        raise InputError(
            f"nothing to validate below {listed}",
            _where_to_look(named),
        )

    # what is only shown need not be noted
    shown = WorkTree(root, ignored=ignored, edited=texts)

    def source(path: str) -> bytes | None:
        try:
            return shown.read(path) if shown.exists(path) else None
        except InputError:
            return None

    return Validation(report.diagnostics, report.summary, source)


def _holds_template(tree: WorkTree, named: Sequence[str]) -> bool:
    """Tell whether rules looked at a template, which is no file of its own kind."""
    return any(path.endswith(SUFFIX) for folder in named or ("",) for path in tree.files(folder))


def _expanded(path: Path) -> Iterator[Path]:
    """Yield what a glob pattern means (`**` is any number of folders), or the path itself where it is none.

    Raises:
        InputError: nothing matches the pattern.
    """
    if _is_name(path):
        yield path
        return
    from glob import iglob

    # pathlib takes no absolute pattern
    matches = sorted(iglob(str(path), recursive=True))  # noqa: PTH207
    if not matches:
        raise InputError(f"nothing matches {str(path)!r}", "check the pattern; ** stands for any number of folders")
    yield from map(Path, matches)


def _is_name(path: Path) -> bool:
    return not _GLOB & set(str(path)) or os.path.lexists(path)


def _is_looked_for(path: str, ignored: Sequence[str]) -> bool:
    """Tell whether a search without any names would meet a path."""
    folders = path.split("/")[:-1]
    return all(map(holds_source, folders)) and not any(_touch(one, path) for one in ignored)


def _touch(ignored: str, named: str) -> bool:
    """Tell whether somebody asked for what is ignored: for a folder in it, or for itself."""
    return named == ignored or named.startswith(f"{ignored}/")


def _inside(tree: DirectoryTree, path: Path, *, may_be_new: bool = False) -> str:
    """Return a path as the tree names it.

    Raises:
        InputError: it does not exist, is a broken link, or lies outside.
    """
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - links must not be followed yet
    try:
        real = absolute.resolve(strict=not may_be_new)
    except FileNotFoundError:
        raise InputError(f"there is no file or folder {str(path)!r}", "check the spelling") from None
    except PermissionError as error:
        hint = "let the account that runs f0ci look into its folder"
        raise InputError(f"cannot read {str(path)!r}: {error.strerror}", hint) from error
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"{str(path)!r} is a symbolic link that leads back to itself", "replace the link by the file"
        ) from error
    parent = absolute.parent.resolve()
    if (parent / absolute.name).is_relative_to(tree.root) and not real.is_relative_to(tree.root):
        raise InputError(
            f"{str(path)!r} is a symbolic link that leads out of the repository",
            "name what is inside; links that leave the repository are not followed",
        )
    for candidate in (parent / absolute.name, real):
        if candidate.is_relative_to(tree.root):
            return "" if candidate == tree.root else candidate.relative_to(tree.root).as_posix()
    raise InputError(
        f"{str(path)!r} lies outside the repository {str(tree.root)!r}", "name a path inside it, or use -C"
    )


def _where_to_look(named: Sequence[str]) -> str:
    """Return what to do where nothing was found."""
    skipped = next((part for path in named for part in path.split("/") if part and not holds_source(part)), None)
    if skipped is not None:
        return f"folders called {skipped!r} are not searched: name the files in it"
    if not any(named):
        return "make recipes, environments and a workflow with `f0ci init`, or name the files"
    return "name recipes, environment configurations or a workflow, or their folders"
