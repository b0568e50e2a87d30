"""Environments wait for each other the wrong way round.

## What it does

Reads which environment waits for which, from the stages and the order gates, and reports circles, an environment that
waits for a later one by its name (staging for production), and an order gate that names other environments than those
whose stages the environment's own stage requires.

## Why it matters

A circle keeps both closed for ever. In the wrong order, production is what tests the release.

## Bad

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    staging: {}
    production: {approval_required: true, rollback_threshold: 0.95}
  pipeline_stages:
    - {name: deploy_production, environment: production}
    - {name: deploy_staging, environment: staging, requires: [deploy_production]}
  metrics:
    success_rate: {provider: file, path: metrics.csv, good: good, total: total}
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
    production: {approval_required: true, rollback_threshold: 0.95}
  pipeline_stages:
    - {name: deploy_staging, environment: staging}
    - {name: deploy_production, environment: production, requires: [deploy_staging]}
  metrics:
    success_rate: {provider: file, path: metrics.csv, good: good, total: total}
# file: environments/staging/config.yaml
processing: {batch_size: 100}
# file: environments/production/config.yaml
processing: {batch_size: 100}
```

## Fix

Let the stage of the later environment require the stage of the earlier one, and leave the order gate out.

## References

- `stage-cycle`, for stages alone
- `production-without-order`
"""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from f0ci.core.diagnostics import Severity
from f0ci.environments.model import with_aliases
from f0ci.lint.rules.base import Finding, Group, Place, Rule, listed
from f0ci.lint.workspace import Workspace
from f0ci.workflows.model import Workflow, WorkflowEnvironment

RULE = Rule("environment-order", Group.WORKFLOW, Severity.ERROR)

# nobody agrees whether testing or staging is first
_RANKS = (("dev",), ("test", "staging"), ("prod",))


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every environment that waits for the wrong ones."""
    del workspace
    by_name = {environment.name: environment for environment in workflow.environments}
    circle = _circle(workflow)
    if circle is not None:
        first, *others = circle
        places = tuple(
            Place(workflow.document, by_name[name].at, f"{name!r} waits as well", key=True) for name in others[:-1]
        )
        message = f"environments wait for each other: {' -> '.join(circle)}"
        yield Finding(workflow.document, by_name[first].at, message, "end the circle", key=True, related=places)
        return
    for environment in workflow.environments:
        for name in environment.upstream:
            mine, other = _rank(environment), _rank(by_name[name])
            if mine is not None and other is not None and mine < other:
                message = f"{environment.name!r} waits for {name!r}, which comes after it"
                place = Place(workflow.document, by_name[name].at, f"{name!r}", key=True)
                hint = f"let the stage of {name!r} require the stage of {environment.name!r}"
                yield Finding(workflow.document, environment.at, message, hint, key=True, related=(place,))
        yield from _disagreement(workflow, environment)


def _circle(workflow: Workflow) -> list[str] | None:
    try:
        TopologicalSorter({one.name: one.upstream for one in workflow.environments}).prepare()
    except CycleError as error:
        # graphlib names each one before the one that waits for it
        return list(reversed(error.args[1]))
    return None


def _rank(environment: WorkflowEnvironment) -> int | None:
    names = with_aliases({environment.name, environment.config})
    return next((rank for rank, words in enumerate(_RANKS) if names & set(words)), None)


def _disagreement(workflow: Workflow, environment: WorkflowEnvironment) -> Iterator[Finding]:
    """Yield an order gate that does not name what the stages require."""
    gates = environment.settings.get("gates")
    order = gates.get("order") if isinstance(gates, dict) else None
    if not isinstance(order, dict) or not order.get("upstream"):
        return
    by_name = {stage.name: stage for stage in workflow.stages if stage.environment is not None}
    own = (stage for stage in workflow.stages if stage.environment == environment.name)
    required = [by_name[name] for stage in own for name in stage.requires if name in by_name]
    left_out = [stage for stage in required if stage.environment not in environment.upstream]
    if left_out:
        at = (*environment.at, "gates", "order", "upstream")
        names = listed(sorted({str(stage.environment) for stage in left_out}))
        message = f"the order gate of {environment.name!r} leaves out {names}, which its stage requires"
        places = tuple(Place(workflow.document, (*one.at, "name"), "the stage that is required") for one in left_out)
        hint = "name the same environments in both, or leave the gate out"
        yield Finding(workflow.document, at, message, hint, related=places, severity=Severity.WARNING)
