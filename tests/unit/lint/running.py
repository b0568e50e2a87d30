"""Linting of files that a test writes out, without a disk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from f0ci.core.diagnostics import Diagnostic
from f0ci.lint.engine import Report, examine
from f0ci.lint.workspace import load_workspace
from f0ci.source.project import load_project
from f0ci.source.tree import MemoryTree

RECIPE = "metadata: {name: example}\nsteps:\n  - {name: load, run: echo loading}\n"
_FENCE = re.compile(r"^```yaml ?(?P<flags>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^# file: (\S+)\n", re.MULTILINE)


def examine_files(files: Mapping[str, str | bytes], named: Iterable[str] | None = None, **options: Any) -> Report:
    """Lint files held in memory, as `f0ci validate` lints those of a folder."""
    tree = MemoryTree({path: text if isinstance(text, bytes) else text.encode() for path, text in files.items()})
    return examine(load_workspace(tree, load_project(tree), named), **options)


def lint_files(
    files: Mapping[str, str | bytes], named: Iterable[str] | None = None, **options: Any
) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of files held in memory."""
    return examine_files(files, named, **options).diagnostics


def lint_recipe(text: str, **options: Any) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of one recipe."""
    return lint_files({"recipes/example.yaml": text}, **options)


def places(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """Return `rule path:line:column` of each diagnostic."""
    return [f"{one.rule} {one.location}" for one in diagnostics]


def examples(section: str) -> list[tuple[dict[str, bytes], list[str] | None]]:
    """Return what each YAML block of a page's section holds: its files, and those named on the command line.

    A line `# file: path` starts a file; without one the block is a recipe. `latin-1` or `utf-8-sig` after the fence is
    the text's encoding, `tabs` that an arrow is a tab, `named` says that all files are named.
    """
    found: list[tuple[dict[str, bytes], list[str] | None]] = []
    for fence in _FENCE.finditer(section):
        encoding = next((name for name in ("latin-1", "utf-8-sig") if name in fence["flags"]), "utf-8")
        body = fence["body"].replace("→", "\t") if "tabs" in fence["flags"] else fence["body"]
        head, *parts = _FILE.split(body)
        texts = dict(zip(parts[::2], parts[1::2], strict=True)) if parts else {"recipes/example.yaml": head}
        files = {path: text.encode(encoding) for path, text in texts.items()}
        found.append((files, list(files) if "named" in fence["flags"] else None))
    return found
