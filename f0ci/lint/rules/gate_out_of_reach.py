"""A gate asks for more people than may answer it.

## What it does

Reports groups of a gate that the approvers file does not have, and approvals that are asked of more people than the
named groups have together. Without an approvers file nothing is said.

## Why it matters

The gate can never pass: the promotion waits until its deadline, whoever signs, and then ends. That shows when somebody
wants to deploy.

## Bad

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: shop}
spec:
  environments:
    staging:
      gates:
        approval: {count: 2, groups: [release-manager]}
  pipeline_stages:
    - name: deploy_staging
      environment: staging
# file: environments/staging/config.yaml
processing: {batch_size: 100}
# file: .f0ci/approvers.yaml
version: 1
people:
  alice: {emails: [alice@example.com]}
  bob: {emails: [bob@example.com]}
groups:
  release-managers: [alice, bob]
```

## Good

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: shop}
spec:
  environments:
    staging:
      gates:
        approval: {count: 2, groups: [release-managers]}
  pipeline_stages:
    - name: deploy_staging
      environment: staging
# file: environments/staging/config.yaml
processing: {batch_size: 100}
# file: .f0ci/approvers.yaml
version: 1
people:
  alice: {emails: [alice@example.com]}
  bob: {emails: [bob@example.com]}
groups:
  release-managers: [alice, bob]
```

## Fix

Correct the group's name, list more people in the approvers file, or ask for fewer.

## References

- `docs/gates.md`; `f0ci doctor`, which also knows who wrote what is promoted and so may not approve it
- `pause-without-approvers`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from f0ci.core.counting import counted
from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import did_you_mean
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.source.reading import Path, mapping_of
from f0ci.workflows.model import Workflow

RULE = Rule("gate-out-of-reach", Group.WORKFLOW, Severity.ERROR)


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every group that is not there, and every approval that too few may give."""
    approvers = _approvers(workspace)
    if approvers is None:
        return
    people, groups = mapping_of(approvers.get("people")), mapping_of(approvers.get("groups"))
    file = workspace.project.approvers
    for kind, at, settings in _asking(workflow):
        named = settings.get("groups") or ()
        if not isinstance(named, list | tuple) or not all(isinstance(name, str) for name in named):
            continue
        unknown = [index for index, name in enumerate(named) if name not in groups]
        for index in unknown:
            hint = did_you_mean(named[index], map(str, groups), noun="groups") or f"add it to {file!r}"
            message = f"there is no group {named[index]!r} in {file!r}"
            yield Finding(workflow.document, (*at, "groups", index), message, hint)
        if kind == "approval" and not unknown:
            yield from _too_few(workflow, at, settings, _members(named, groups, people), file)


def _asking(workflow: Workflow) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
    """Yield what asks people: the kind of gate, where it stands, its settings; of a window, those of overrides."""
    for environment in workflow.environments:
        for gate in environment.gates:
            settings = mapping_of(gate.settings)
            if gate.kind == "window":
                yield gate.kind, (*gate.at, "override"), mapping_of(settings.get("override"))
            else:
                yield gate.kind, gate.at, settings


def _too_few(
    workflow: Workflow, at: Path, settings: Mapping[str, Any], members: frozenset[str], file: str
) -> Iterator[Finding]:
    count = settings.get("count", 1)
    if not isinstance(count, int) or count <= len(members):
        return
    able = f"{', '.join(sorted(members)[:5])} may" if members else "nobody may"
    message = f"{counted(count, 'approval')} needed, and {able} give one"
    hint = f"list more people in {file!r}" + (", or ask for fewer" if count > 1 else "")
    yield Finding(workflow.document, (*at, "count") if "count" in settings else at, message, hint)


def _members(named: Sequence[str], groups: Mapping[str, Any], people: Mapping[str, Any]) -> frozenset[str]:
    """Return who belongs to any of some groups; no group means everybody."""
    if not named:
        return frozenset(map(str, people))
    lists = [groups[name] for name in named if isinstance(groups[name], list)]
    return frozenset(str(name) for several in lists for name in several if name in people)


def _approvers(workspace: Workspace) -> Mapping[str, Any] | None:
    """Return what the approvers file says, or None where there is none or it cannot be read."""
    source = workspace.source(workspace.project.approvers)
    if source is None or source.document.broken or not isinstance(source.document.data, Mapping):
        return None
    return source.document.data
