"""A detector watches what is no metric.

## What it does

Reports each name under `metrics` of a metric with `provider: anomaly` that is not declared under `spec.metrics`, or
that is a detector itself.

## Why it matters

The detector cannot be measured then, and what cannot be measured never opens the way.

## Bad

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    staging: {}
  metrics:
    requests: {provider: file, path: metrics.csv, value: requests}
    unusual: {provider: anomaly, metrics: [request], season: 1w}
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
  metrics:
    requests: {provider: file, path: metrics.csv, value: requests}
    unusual: {provider: anomaly, metrics: [requests], season: 1w}
# file: environments/staging/config.yaml
processing: {batch_size: 100}
```

## Fix

Correct the name, or declare the metric under `spec.metrics`.

## References

- `metric-without-provider`, for metrics that conditions name
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import did_you_mean
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.workflows.model import Workflow

RULE = Rule("unknown-metric", Group.WORKFLOW, Severity.ERROR)

_DETECTOR = "anomaly"


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every watched name that is no metric."""
    del workspace
    able = [name for name, spec in workflow.metrics.items() if spec.provider != _DETECTOR]
    for detector, spec in workflow.metrics.items():
        watched = spec.settings.get("metrics")
        if spec.provider != _DETECTOR or not isinstance(watched, list):
            continue
        for at, name in enumerate(watched):
            if not isinstance(name, str) or name in able:
                continue
            what = "is a detector itself" if name in workflow.metrics else "nobody declares"
            message = f"{detector!r} watches {name!r}, which {what}"
            hint = did_you_mean(name, able, noun="there are") or "declare it under spec.metrics"
            yield Finding(workflow.document, (*spec.at, "metrics", at), message, hint)
