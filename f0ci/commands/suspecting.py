"""What `f0ci validate` would say of an environment that is rendered, without looking at anything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from f0ci.environments.checks import Finding, check_one
from f0ci.environments.model import Environment
from f0ci.source.project import Project, load_project
from f0ci.source.tree import DirectoryTree


def suspicions(root: Path, environment: Environment) -> tuple[str, ...]:
    """Return what is suspicious about an environment's configuration, as lines; settings and comments may silence it.

    Args:
        root: the work tree, whose settings may switch rules off.
        environment: its layered configuration.
    """
    found = check_one(environment)
    return tuple(_told(found, environment, load_project(DirectoryTree(root)))) if found else ()


def _told(found: Mapping[str, Sequence[Finding]], environment: Environment, project: Project) -> Iterator[str]:
    from f0ci.lint import registry
    from f0ci.lint.ignoring import read_ignores

    choice = registry.choose(project.rules)
    for rule, findings in found.items():
        for finding in findings:
            written = environment.written_at(finding.at)
            if written is None:
                continue
            document, at = written
            location = document.location(at)
            severity = choice.severity_of(rule, document.path)
            ignored = {ignore.line for ignore in read_ignores(document) if ignore.rule == rule}
            if severity is None or ignored & {None, location.span.line}:
                continue
            yield f"{location}: {severity}[{rule}] {finding.message}"
