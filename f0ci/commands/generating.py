"""Generating pipelines, as functions for people who embed f0ci."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from f0ci.core.errors import InputError
from f0ci.core.files import write_atomically
from f0ci.core.plugins import load, names
from f0ci.pipelines.building import build, unbound
from f0ci.pipelines.currency import FileState, compare
from f0ci.pipelines.guarantees import Guarantee
from f0ci.pipelines.guarantees import guarantees as ask_guarantees
from f0ci.pipelines.model import Pipeline
from f0ci.pipelines.writers.base import VERSION_MARK
from f0ci.source.project import load_project
from f0ci.source.tree import DirectoryTree

WRITERS = "f0ci.pipelines.writers"
# bytes at the beginning of a file that hold the comment which says where it comes from
_HEAD = 500


@dataclass(frozen=True, slots=True)
class Generated:
    """What generating would write.

    Attributes:
        files: text by path.
        states: how each compares with what is there.
        pipeline: what they were written from.
        unbound: place and name of everything that stages use and nothing stands behind.
        set_up: what lies outside the files and has to be made once, by system; first what every system needs, under
            an empty name.
    """

    files: dict[str, str]
    states: tuple[FileState, ...]
    pipeline: Pipeline
    unbound: tuple[tuple[str, str], ...]
    set_up: dict[str, tuple[str, ...]]


def generate(root: Path, systems: Sequence[str]) -> Generated:
    """Return the pipelines of a work tree for some CI systems, writing nothing.

    Args:
        root: the work tree.
        systems: names of writers.

    Raises:
        UsageError: there is no such writer.
        InputError: there is no workflow, or it cannot be generated from.
    """
    from f0ci.workflows.reading import read_workflow

    tree = DirectoryTree(root)
    project = load_project(tree)
    if not tree.exists(project.workflow):
        raise InputError(f"there is no workflow file {project.workflow!r}", "make one with `f0ci init`")
    workflow = read_workflow(tree, project.workflow)
    pipeline = build(workflow, project, tree)
    files: dict[str, str] = {}
    set_up = {"": pipeline.set_up()}
    for system in systems:
        writer = load(WRITERS, system, noun="CI system")
        files.update(writer.write(pipeline))
        tell = getattr(writer, "set_up", None)
        set_up[system] = tell(pipeline) if tell is not None else ()
    missing = tuple((str(workflow.document.location(binding.at)), binding.name) for binding in unbound(workflow))
    return Generated(files, compare(files, tree), pipeline, missing, set_up)


def systems_in(root: Path) -> tuple[str, ...]:
    """Return the CI systems whose pipeline was generated into a work tree, by the mark that generated files carry.

    Raises:
        InputError: there is no workflow, or it cannot be generated from.
    """
    pipeline = generate(root, ()).pipeline
    tree = DirectoryTree(root)

    def is_ours(system: str) -> bool:
        path = str(pipeline.option(system, "file", load(WRITERS, system, noun="CI system").PATH))
        return tree.exists(path) and VERSION_MARK.encode() in tree.read(path)[:_HEAD]

    return tuple(system for system in systems() if is_ours(system))


def write_files(root: Path, generated: Generated) -> tuple[str, ...]:
    """Write what differs, each file whole or not at all, and return the paths."""
    changed = [state.path for state in generated.states if generated.files[state.path] != _held(root, state.path)]
    for path in changed:
        write_atomically(root / path, generated.files[path].encode())
    return tuple(changed)


def guarantees(chosen: Sequence[str]) -> tuple[Guarantee, ...]:
    """Return who keeps which promise, for some CI systems or for all.

    Raises:
        UsageError: there is no such system.
    """
    for system in chosen:
        load(WRITERS, system, noun="CI system")
    return ask_guarantees(tuple(chosen) or systems())


def systems() -> tuple[str, ...]:
    """Return the CI systems that can be generated for."""
    return names(WRITERS)


def _held(root: Path, path: str) -> str | None:
    file = root / path
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None
