"""Generated pipelines would use an action that may change.

## What it does

Reports `spec.install` of a workflow where it names an action by a branch or a tag, such as `framework0/action@v1`,
rather than by the 40 digits of a commit. Everything else that generated pipelines use is pinned already.

## Why it matters

A tag is moved with one command. Whoever can move it runs code with the rights of every pipeline that f0ci generates,
the right to write environments among them.

## Bad

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  install: framework0/action@v1
  environments:
    staging: {}
  pipeline_stages:
    - name: deploy_staging
      environment: staging
```

## Good

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  install: framework0/action@0123456789abcdef0123456789abcdef01234567
  environments:
    staging: {}
  pipeline_stages:
    - name: deploy_staging
      environment: staging
# file: environments/staging/config.yaml
processing: {batch_size: 100}
```

## Fix

Write the commit that the tag names today: `git ls-remote https://github.com/OWNER/REPOSITORY TAG`.

## References

- https://docs.github.com/en/actions/reference/security/secure-use#using-third-party-actions
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.core.patterns import pattern
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.workflows.model import Workflow

RULE = Rule("unpinned-action", Group.SECURITY, Severity.WARNING)

_ACTION = pattern(r"(?P<action>[\w.-]+/[\w./-]+)@(?P<ref>\S+)")
_COMMIT = pattern(r"[0-9a-f]{40}|[0-9a-f]{64}")


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield the action where it is not pinned."""
    del workspace
    install = workflow.settings.get("install")
    match = _ACTION.fullmatch(install) if isinstance(install, str) else None
    if match is not None and not _COMMIT.fullmatch(match["ref"]):
        at = ("spec", "install")
        message = f"{match['ref']!r} of {match['action']!r} may mean another commit tomorrow"
        hint = "write the commit's 40 digits in its place"
        yield Finding(workflow.document, at, message, hint, within=(match.start("ref"), len(match["ref"])))
