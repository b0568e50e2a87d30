"""A workflow or the settings name a gate, strategy or provider that is not installed.

## What it does

Reports gates and drift observers of an environment, strategies of stages and environments, providers of metrics, and
providers of secrets in `f0ci.yaml` for which there is no plug-in, with the closest name.

## Why it matters

A gate that cannot be asked keeps its environment closed, a metric that cannot be measured never has a verdict, and a
step that needs a secret fails where its provider cannot be asked.

## Bad

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    staging:
      deployment_strategy: cannary
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
  environments:
    staging:
      deployment_strategy: canary
  pipeline_stages:
    - name: deploy_staging
      environment: staging
# file: environments/staging/config.yaml
processing: {batch_size: 100}
```

## Fix

Correct the name, or install the package that offers it.

## References

- `unknown-step-type`, for the steps of recipes
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from f0ci.core import plugins
from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import did_you_mean
from f0ci.environments.secrets import unknown_providers
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.source.reading import Path

if TYPE_CHECKING:
    from f0ci.workflows.model import Workflow

RULE = Rule("unknown-plugin", Group.WORKFLOW, Severity.ERROR)

# named, not imported: what promotes lies above the linter
_FOLDERS = {
    "gate": "f0ci.promotion.gates",
    "strategy": "f0ci.promotion.strategies",
    "metric provider": "f0ci.analysis.providers",
    "drift observer": "f0ci.promotion.drift",
}


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every plug-in that there is not."""
    del workspace
    for noun, name, at, is_key in _named(workflow):
        known = plugins.names(_FOLDERS[noun])
        if name.replace("_", "-") not in known and name not in known:
            hint = did_you_mean(name.replace("_", "-"), known, noun="there are")
            yield Finding(workflow.document, at, f"there is no {noun} {name!r}", hint, key=is_key)


def check_workspace(workspace: Workspace) -> Iterator[Finding]:
    """Yield every provider of secrets that there is not."""
    document = workspace.project.document
    if document is not None:
        for at, message, hint in unknown_providers(workspace.project):
            yield Finding(document, at, message, hint)


def _named(workflow: Workflow) -> Iterator[tuple[str, str, Path, bool]]:
    """Yield what is named: noun, name, place, and whether the name is a key."""
    for environment in workflow.environments:
        gates = environment.settings.get("gates")
        for name in gates if isinstance(gates, dict) else ():
            yield "gate", str(name), (*environment.at, "gates", name), True
        name = environment.settings.get("deployment_strategy")
        if isinstance(name, str) and name:
            yield "strategy", name, (*environment.at, "deployment_strategy"), False
        observers = environment.settings.get("drift")
        for index, observer in enumerate(observers if isinstance(observers, list) else ()):
            if isinstance(observer, dict) and isinstance(observer.get("kind"), str):
                yield "drift observer", observer["kind"], (*environment.at, "drift", index, "kind"), False
    for stage in workflow.stages:
        name = workflow.document.get((*stage.at, "strategy"))
        if isinstance(name, str) and name:
            yield "strategy", name, (*stage.at, "strategy"), False
    for spec in workflow.metrics.values():
        if spec.provider:
            yield "metric provider", spec.provider, (*spec.at, "provider"), False
