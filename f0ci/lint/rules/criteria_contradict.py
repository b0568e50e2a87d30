"""No value of a metric passes all conditions of its environment.

## What it does

Takes the success criteria and rollback triggers of an environment that are about one metric, and reports them where
every value either fails a criterion or sets off a trigger. Comparisons with a baseline are left alone.

## Why it matters

Every promotion would be rolled back, however good the release is. Most often an operator points the wrong way.

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
    - name: deploy_staging
      environment: staging
      validation: {duration: 30m, success_criteria: error_rate < 1%}
      monitoring: {rollback_triggers: [error_rate < 2%]}
  metrics:
    error_rate: {provider: file, path: metrics.csv, bad: failed, total: total}
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
    - name: deploy_staging
      environment: staging
      validation: {duration: 30m, success_criteria: error_rate < 1%}
      monitoring: {rollback_triggers: [error_rate > 2%]}
  metrics:
    error_rate: {provider: file, path: metrics.csv, bad: failed, total: total}
# file: environments/staging/config.yaml
processing: {batch_size: 100}
```

## Fix

Turn the operator round, or correct the number.

## References

- `unit-mismatch`, `bad-condition`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.workflows.model import Check, Workflow

RULE = Rule("criteria-contradict", Group.WORKFLOW, Severity.ERROR)

_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every metric that cannot pass."""
    del workspace
    for environment in workflow.environments:
        by_metric: dict[str, list[Check]] = {}
        for check in environment.checks:
            if check.condition.quantity is not None:
                by_metric.setdefault(check.condition.metric, []).append(check)
        for metric, checks in by_metric.items():
            if len(checks) < 2 or _can_pass(checks):
                continue
            first, *others = _fewest(checks)
            places = tuple(Place(workflow.document, other.at, f"and {_said(other)}") for other in others)
            message = (
                f"no value of {metric!r} is good in {environment.name!r}: {' and '.join(map(_said, (first, *others)))}"
            )
            yield Finding(workflow.document, first.at, message, "turn an operator round", related=places)


def _fewest(checks: Sequence[Check]) -> Sequence[Check]:
    """Return two checks that exclude each other, or all of them."""
    least = max(checks, key=lambda check: _limits(check)[0])
    most = min(checks, key=lambda check: _limits(check)[1])
    pair = [check for check in checks if check is least or check is most]
    return checks if len(pair) < 2 or _can_pass(pair) else pair


def _can_pass(checks: Sequence[Check]) -> bool:
    """Tell whether a value fulfils all criteria and no trigger."""
    limits = [_limits(check) for check in checks]
    least, most = max(low for low, _ in limits), min(high for _, high in limits)
    if least[0] < most[0]:
        # between two numbers there are more than conditions exclude
        return True
    value = least[0]
    return value == most[0] and all(check.condition.holds(value) is not check.rollback for check in checks)


def _limits(check: Check) -> tuple[tuple[float, bool], tuple[float, bool]]:
    """Return the lowest and the highest value that a check lets pass, and whether the limit itself is beyond them."""
    condition = check.condition
    bound = condition.quantity.base if condition.quantity is not None else 0.0
    operator = _OPPOSITE[condition.operator] if check.rollback else condition.operator
    low, high = (-inf, False), (inf, True)
    match operator:
        case "<":
            high = (bound, False)
        case "<=":
            high = (bound, True)
        case ">":
            low = (bound, True)
        case ">=":
            low = (bound, False)
        case "==":
            low, high = (bound, False), (bound, True)
    return low, high


def _said(check: Check) -> str:
    text = check.condition.text.strip() or str(check.condition.metric)
    return f"{text!r} rolls back" if check.rollback else f"{text!r} must hold"
