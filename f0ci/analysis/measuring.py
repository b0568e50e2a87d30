"""Asking a metric's provider; whatever keeps it from answering becomes part of the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from f0ci.analysis.providers.base import Measurement, Point, Query, intervals
from f0ci.core import plugins
from f0ci.core.errors import CannotWork, UsageError
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.model import Check, Workflow

PROVIDERS = "f0ci.analysis.providers"


def metric_spec(workflow: Workflow, name: str) -> MetricSpec | None:
    """Return how a metric or detector of a workflow is measured, or None where the workflow does not say.

    A declared metric of that name comes first; a detector bound to a command is measured by running it.
    """
    if name in workflow.metrics:
        return _with_watched(workflow, workflow.metrics[name])
    binding = workflow.detectors.get(name)
    if binding is None or binding.run is None:
        return None
    return MetricSpec(name, "command", {"run": binding.run}, at=binding.at)


def _with_watched(workflow: Workflow, spec: MetricSpec) -> MetricSpec:
    """Return a metric that watches others together with how those are measured."""
    watched = spec.settings.get("metrics")
    if spec.provider != "anomaly" or not isinstance(watched, list):
        return spec
    specs = {name: workflow.metrics[name] for name in map(str, watched) if name in workflow.metrics}
    return replace(spec, settings={**spec.settings, "specs": specs})


def is_foreign(spec: MetricSpec) -> bool:
    """Tell whether measuring a metric, or what it watches, may run code of the repository or needs a secret.

    Of a provider that is not there nobody knows.
    """
    watched, baseline = spec.settings.get("specs"), spec.baseline
    settings = {**spec.settings, **(baseline if isinstance(baseline, Mapping) else {})}
    try:
        provider = plugins.load(PROVIDERS, spec.provider, noun="metric provider")
    except UsageError:
        return True
    if not getattr(provider, "RUNS_NOTHING", False):
        return True
    return any(name.endswith("_env") for name in settings) or any(
        is_foreign(one) for one in (watched.values() if isinstance(watched, Mapping) else ())
    )


def any_foreign(workflow: Workflow, checks: Iterable[Check]) -> bool:
    """Tell whether measuring for some checks may run code of the repository or needs a secret."""
    specs = (metric_spec(workflow, check.condition.metric) for check in checks)
    return any(spec is not None and is_foreign(spec) for spec in specs)


def measure(spec: MetricSpec, query: Query, root: Path) -> Measurement:
    """Ask a metric's provider.

    Args:
        spec: how the metric is measured.
        query: what is asked; its settings and metric are taken from `spec`.
        root: folder that relative paths of settings start from.

    Returns:
        The provider's answer, in the metric's unit where the provider names none. Where there is no such
        provider or it could not answer, the measurement carries the error.
    """
    asked = replace(query, settings=spec.settings, metric=spec.name)
    try:
        module = plugins.load(PROVIDERS, spec.provider, noun="metric provider")
        answer: Measurement = module.measure(asked, root)
    except (CannotWork, UsageError) as error:
        return _error(spec, error)
    return replace(answer, unit=answer.unit or spec.unit)


def measure_points(spec: MetricSpec, query: Query, root: Path) -> tuple[Point, ...]:
    """Ask a metric's provider for each interval of a window.

    Args:
        spec: how the metric is measured; it has an interval.
        query: the window; its whole intervals are asked for, from its beginning on.
        root: folder that relative paths of settings start from.

    Returns:
        One point an interval, in order of time; a question that failed for all is an error in each.
    """
    interval = spec.interval or query.end - query.start
    spans = intervals(query, interval)
    asked = replace(query, settings=spec.settings, metric=spec.name)
    try:
        module = plugins.load(PROVIDERS, spec.provider, noun="metric provider")
        if not hasattr(module, "measure_points"):
            return tuple(Point(a, b, measure(spec, replace(query, start=a, end=b), root)) for a, b in spans)
        points: tuple[Point, ...] = module.measure_points(asked, root, interval)
    except (CannotWork, UsageError) as error:
        return tuple(Point(start, end, _error(spec, error)) for start, end in spans)
    return tuple(replace(p, measurement=replace(p.measurement, unit=p.measurement.unit or spec.unit)) for p in points)


def _error(spec: MetricSpec, error: CannotWork | UsageError) -> Measurement:
    message = f"{error}; {error.hint}" if error.hint else str(error)
    return Measurement(None, 0, unit=spec.unit, series=0, error=message)
