"""Asking metrics now, as a function for people who embed f0ci."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from f0ci.analysis.looking import Question, observe_baseline
from f0ci.analysis.measuring import metric_spec
from f0ci.analysis.observing import observe
from f0ci.analysis.providers.base import Measurement, Query
from f0ci.analysis.sequential import samples_needed
from f0ci.core.clock import Clock, SystemClock
from f0ci.core.errors import F0ciError, UsageError
from f0ci.core.suggestions import did_you_mean
from f0ci.source.project import load_project
from f0ci.source.tree import DirectoryTree
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.model import Check, Workflow, WorkflowEnvironment
from f0ci.workflows.reading import read_workflow
from f0ci.workflows.units import readable

DEFAULT_WINDOW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class MetricAnswer:
    """What a metric says now.

    Attributes:
        environment: the environment that was asked about.
        metric: its name, with `(baseline)` where the baseline was measured.
        state: `ok`, `no data`, `no traffic`, `no baseline`, `several series`, `error` or `not declared`.
        measurement: what was measured, or None where nobody could be asked.
        window: how long the window was.
        note: what to know of it.
    """

    environment: str
    metric: str
    state: str
    measurement: Measurement | None
    window: timedelta
    note: str = ""

    @property
    def is_sound(self) -> bool:
        """Tell whether a condition could be judged by it, were there traffic."""
        return self.state in {"ok", "no traffic", "no baseline"}

    def to_json(self) -> dict[str, Any]:
        """Return it as data."""
        measured = self.measurement
        return {
            "environment": self.environment,
            "metric": self.metric,
            "state": self.state,
            "value": measured.value if measured else None,
            "unit": measured.unit if measured else "",
            "samples": measured.samples if measured else 0,
            "series": measured.series if measured else 0,
            "window_seconds": self.window.total_seconds(),
            "note": self.note,
        }


def check_metrics(
    root: Path, environment: str | None = None, window: timedelta | None = None, clock: Clock | None = None
) -> tuple[MetricAnswer, ...]:
    """Ask every metric that an environment's checks name, for the window that ends now.

    Args:
        root: the repository.
        environment: any name of an environment; None for all that have checks.
        window: how far to look back; by default what the stage watches, or five minutes.
        clock: the time.

    Raises:
        InputError: the workflow cannot be read.
        UsageError: there is no such environment.
    """
    tree = DirectoryTree(root)
    workflow = read_workflow(tree, load_project(tree).workflow)
    running = _running(root)
    now = (clock or SystemClock()).now()
    answers: list[MetricAnswer] = []
    for described in chosen(workflow, environment):
        span = window or described.duration or DEFAULT_WINDOW
        release, stable = running.get(described.name, ("", ""))
        query = Query(described.name, release, now - span, now, now, baseline=stable)
        question = Question(query, stable, now - span, expired=False, end=now)
        for name in dict.fromkeys(check.condition.metric for check in described.checks):
            spec = metric_spec(workflow, name)
            if spec is None:
                note = _undeclared(name, workflow)
                answers.append(MetricAnswer(described.name, name, "not declared", None, span, note))
                continue
            checks = [check for check in described.checks if check.condition.metric == name]
            answers.append(_answer(described.name, name, observe(spec, query, root).measurement, span, spec, checks))
            if any(check.condition.needs_baseline for check in checks):
                base = observe_baseline(spec, question, root)
                beside = base.measurement if base is not None else None
                answers.append(_answer(described.name, f"{name} (baseline)", beside, span, spec, []))
    return tuple(answers)


def chosen(workflow: Workflow, environment: str | None) -> list[WorkflowEnvironment]:
    """Return the environment of a name, or all that have checks.

    Raises:
        UsageError: there is no such environment.
    """
    if environment is None:
        return [one for one in workflow.environments if one.checks]
    found = workflow.environment(environment)
    if found is None:
        known = [one.name for one in workflow.environments]
        raise UsageError(f"there is no environment {environment!r}", did_you_mean(environment, known, noun="there are"))
    return [found]


def _answer(
    environment: str,
    metric: str,
    measured: Measurement | None,
    span: timedelta,
    spec: MetricSpec,
    checks: list[Check],
) -> MetricAnswer:
    if measured is None:
        note = "no other release ran before; nothing is compared with"
        return MetricAnswer(environment, metric, "no baseline", None, span, note)
    state = "ok"
    note = measured.note
    if measured.error is not None:
        state, note = "error", measured.error
    elif measured.series > 1:
        state, note = "several series", note or "wrap the query in sum(), max() or avg(), or ask for fewer labels"
    elif measured.no_traffic:
        state = "no traffic"
    elif measured.value is None or measured.series < 1:
        state = "no data"
    return MetricAnswer(environment, metric, state, measured, span, note or _planned(measured, spec, checks))


def _planned(measured: Measurement, spec: MetricSpec, checks: list[Check]) -> str:
    """Say how many samples evidence would need, at the rate that is measured now."""
    for check in checks:
        quantity = check.condition.quantity
        if measured.hits is None or quantity is None or measured.value is None or spec.judge == "threshold":
            continue
        bound = quantity.base
        if spec.regression is not None:
            bound += spec.regression.base if measured.value < bound else -spec.regression.base
        needed = samples_needed(measured.value, bound, spec.alpha)
        if needed is not None:
            return f"evidence for or against {bound * 100:g} % needs about {needed} samples"
    return ""


def _undeclared(name: str, workflow: Workflow) -> str:
    return did_you_mean(name, workflow.metrics, noun="there are") or "declare it under spec.metrics"


def _running(root: Path) -> dict[str, tuple[str, str]]:
    """Return what each environment runs and ran before, as far as this clone knows; nothing outside of Git."""
    from f0ci.promotion.site import open_site

    try:
        site = open_site(root, SystemClock(), fetch=False)
        states = site.store.read().environments
    except F0ciError:
        return {}
    found = {}
    for name, state in states.items():
        newest = state.newest
        before = newest.plan["base"]["release"] if newest is not None else None
        found[name] = (state.current.release if state.current else "", str(before or ""))
    return found


def shown_value(measured: Measurement | None) -> str:
    """Return a measured value for people."""
    if measured is None or measured.value is None:
        return "-"
    if measured.hits is not None:
        return f"{measured.value * 100:.4g} %"
    return readable(measured.value, measured.unit)
