"""A stage uses a name that the workflow does not explain.

## What it does

Reports `uses`, `tests` and detectors among rollback triggers for which there is no command under `spec.bindings`. The
hint is the stanza to add.

## Why it matters

f0ci does not know what `unit_tests` is. A generated pipeline cannot run it, and a detector that nobody runs detects
nothing.

## Bad

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    staging: {}
  pipeline_stages:
    - name: test
      tests: [unit_tests]
    - name: deploy_staging
      environment: staging
      requires: [test]
```

## Good

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    staging: {}
  pipeline_stages:
    - name: test
      tests: [unit_tests]
    - name: deploy_staging
      environment: staging
      requires: [test]
  bindings:
    tests:
      unit_tests: {run: python -m pytest}
# file: environments/staging/config.yaml
processing: {batch_size: 100}
```

## Fix

Add the stanza with the command that the name stands for.

## References

- `metric-without-provider`, for metrics
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import closest
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.workflows.model import Binding, Workflow

RULE = Rule("unbound-name", Group.WORKFLOW, Severity.WARNING)

_SECTIONS = {"uses": "uses", "test": "tests", "detector": "detectors"}
_NOUNS = {"uses": "", "test": "the test ", "detector": "the detector "}


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every name without a command."""
    del workspace
    for binding in _bindings(workflow):
        if binding.run is not None or (binding.kind == "detector" and binding.name in workflow.metrics):
            continue
        section = _SECTIONS[binding.kind]
        bound = workflow.document.get(("spec", "bindings", section), {})
        near = closest(binding.name, map(str, bound)) if isinstance(bound, dict) else None
        name = binding.name if binding.name.replace("_", "").isalnum() else f'"{binding.name}"'
        stanza = f'bindings: {{{section}: {{{name}: {{run: "the command"}}}}}}'
        message = f"nothing says what {_NOUNS[binding.kind]}{binding.name!r} runs"
        hint = f"did you mean {near!r}?" if near else f"add to spec: {stanza}"
        yield Finding(workflow.document, binding.at, message, hint)


def _bindings(workflow: Workflow) -> Iterator[Binding]:
    for stage in workflow.stages:
        if stage.uses is not None:
            yield stage.uses
        yield from stage.tests
    yield from workflow.detectors.values()
