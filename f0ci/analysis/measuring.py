"""Asking a metric's provider; whatever keeps it from answering becomes part of the answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from f0ci.analysis.providers.base import Measurement, Query
from f0ci.core import plugins
from f0ci.core.errors import CannotWork, UsageError
from f0ci.workflows.model import MetricSpec, Workflow

PROVIDERS = "f0ci.analysis.providers"


def provider_names() -> tuple[str, ...]:
    """Return the names of all metric providers, without importing them."""
    return plugins.names(PROVIDERS)


def metric_spec(workflow: Workflow, name: str) -> MetricSpec | None:
    """Return how a metric or detector of a workflow is measured, or None where the workflow does not say.

    A declared metric of that name comes first; a detector bound to a command is measured by running it.
    """
    if name in workflow.metrics:
        return workflow.metrics[name]
    binding = workflow.detectors.get(name)
    if binding is None or binding.run is None:
        return None
    return MetricSpec(name, "command", {"run": binding.run}, at=binding.at)


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
        message = f"{error}; {error.hint}" if error.hint else str(error)
        return Measurement(None, 0, unit=spec.unit, series=0, error=message)
    return replace(answer, unit=answer.unit or spec.unit)
