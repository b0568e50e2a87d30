"""Replaying gates over recorded history, as a function for people who embed f0ci."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from f0ci.analysis.looking import Question, observe_baseline
from f0ci.analysis.measuring import metric_spec
from f0ci.analysis.observing import observe
from f0ci.analysis.providers.base import Observation, Query
from f0ci.analysis.replaying import Injection, Rates, Replayed, Span, consecutive, inject, rates, replay
from f0ci.commands.measuring import chosen
from f0ci.core.clock import SystemClock, format_time
from f0ci.core.errors import InputError, UsageError
from f0ci.source.tree import DirectoryTree
from f0ci.workflows.conditions import ConditionError, parse_condition
from f0ci.workflows.metrics import BEFORE, STABLE, MetricSpec
from f0ci.workflows.model import Workflow, WorkflowEnvironment
from f0ci.workflows.reading import read_workflow

_LATER = timedelta(days=1)
_POINTS = 60


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What is replayed.

    Attributes:
        workflow: the workflow's file, relative to the repository.
        start: the first moment.
        end: the last moment.
        environment: any name of an environment; None for all that have checks.
        window: how long each window is; by default what the stage watches.
        every: how far apart looks are, for metrics without an interval; by default a 60th of the window.
        data: a CSV file that answers instead of the metrics' providers, or None.
        promotions: True to replay what was promoted instead of one window after the other.
        injections: regressions as `metric=5%`, `metric=*2` or `metric=800ms`.
        after: how long after a window's beginning they begin; by default a third of it.
        seed: where chance begins.
    """

    workflow: str
    start: datetime
    end: datetime
    environment: str | None = None
    window: timedelta | None = None
    every: timedelta | None = None
    data: str | None = None
    promotions: bool = False
    injections: tuple[str, ...] = ()
    after: timedelta | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True)
class EnvironmentReplay:
    """What gates would have said of one environment.

    Attributes:
        environment: its name.
        window: how long each window was.
        spans: each window, judged as it was.
        healthy: how often what was healthy would have been rolled back.
        bad: how often what was known to be bad would have been; only of past promotions.
        injected: the same with regressions, by their text.
        observed: what was measured, by metric, a window each.
        specs: how it was judged.
        described: the environment.
    """

    environment: str
    window: timedelta
    spans: tuple[Replayed, ...]
    healthy: Rates
    bad: Rates | None
    injected: Mapping[str, Rates]
    observed: Mapping[str, tuple[Observation, ...]] = field(default_factory=dict)
    specs: Mapping[str, MetricSpec] = field(default_factory=dict)
    described: WorkflowEnvironment | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as data."""
        return {
            "environment": self.environment,
            "window_seconds": self.window.total_seconds(),
            "healthy": _rates_to_json(self.healthy),
            "bad": _rates_to_json(self.bad) if self.bad else None,
            "injected": {name: _rates_to_json(one) for name, one in self.injected.items()},
            "windows": [
                {
                    "name": one.span.name,
                    "start": format_time(one.span.start),
                    "end": format_time(one.span.end),
                    "healthy": one.span.healthy,
                    "outcome": one.outcome,
                    "at": format_time(one.at),
                    "reasons": list(one.reasons),
                }
                for one in self.spans
            ],
        }


def replay_gates(root: Path, request: ReplayRequest) -> tuple[EnvironmentReplay, ...]:
    """Judge history by a workflow's checks.

    Args:
        root: the repository.
        request: what is replayed.

    Raises:
        InputError: the workflow or the data cannot be read, or nothing was measured at all.
        UsageError: there is no such environment, an injection cannot be read, or the time is too short.
    """
    workflow = read_workflow(DirectoryTree(root), request.workflow)
    injections = [parse_injection(text) for text in request.injections]
    return tuple(
        _environment(root, workflow, one, request, injections) for one in chosen(workflow, request.environment)
    )


def parse_injection(text: str) -> Injection:
    """Return the regression that a text such as `error_rate=5%` or `latency_p95=*2` means.

    Raises:
        UsageError: the text means none.
    """
    name, _, value = (part.strip() for part in text.partition("="))
    hint = "write metric=5%, metric=800ms or metric=*2"
    try:
        if value.startswith("*"):
            return Injection(name, factor=float(value[1:]))
        quantity = parse_condition(f"{name} > {value}").quantity
    except (ConditionError, ValueError) as error:
        raise UsageError(f"{text!r} is no regression", hint) from error
    if quantity is None:
        raise UsageError(f"{text!r} is no regression", hint)
    return Injection(name, target=quantity)


def _environment(
    root: Path,
    workflow: Workflow,
    described: WorkflowEnvironment,
    request: ReplayRequest,
    injections: Sequence[Injection],
) -> EnvironmentReplay:
    window = request.window or described.duration
    if not window:
        hint = "give --window, or write validation.duration"
        raise UsageError(f"the stage of {described.name!r} watches for no time", hint)
    spans = list(_promoted(root, described, request, window)) if request.promotions else _windows(request, window)
    if not spans:
        raise UsageError(f"no window of {described.name!r} lies between --from and --to", "choose more time")
    specs = dict(_specs(workflow, described, request, window))
    unknown = [one.metric for one in injections if one.metric not in specs]
    if unknown:
        known = ", ".join(specs)
        raise UsageError(f"no check of {described.name!r} names the metric {unknown[0]!r}", f"it has: {known}")
    compared = {check.condition.metric for check in described.checks if check.condition.needs_baseline}
    seen = [{name: _seen(spec, described, span, root) for name, spec in specs.items()} for span in spans]
    bases = [{name: _base(specs[name], described, span, root) for name in compared & specs.keys()} for span in spans]
    _require_data(described, seen)
    replayed = [replay(described.checks, specs, *one) for one in zip(spans, seen, bases, strict=True)]
    after = request.after if request.after is not None else window / 3
    injected = {}
    for injection in injections:
        regression, rng = replace(injection, after=after), random.Random(request.seed)  # noqa: S311 - reproducible
        worse = [
            replay(described.checks, specs, span, _worse(specs, one, regression, span, rng), base)
            for span, one, base, as_it_was in zip(spans, seen, bases, replayed, strict=True)
            if span.healthy and as_it_was.outcome != "failed"
        ]
        injected[str(injection)] = rates(worse, after)
    bad = [one for one in replayed if not one.span.healthy]
    return EnvironmentReplay(
        described.name,
        window,
        tuple(replayed),
        rates([one for one in replayed if one.span.healthy]),
        rates(bad) if bad else None,
        injected,
        {name: tuple(one[name] for one in seen) for name in specs},
        specs,
        described,
    )


def _worse(
    specs: Mapping[str, MetricSpec],
    seen: Mapping[str, Observation],
    regression: Injection,
    span: Span,
    rng: random.Random,
) -> dict[str, Observation]:
    name = regression.metric
    return {**seen, name: inject(specs[name], seen[name], regression, span.start, rng)}


def _windows(request: ReplayRequest, window: timedelta) -> list[Span]:
    return consecutive(request.start, request.end, window)


def _promoted(root: Path, described: WorkflowEnvironment, request: ReplayRequest, window: timedelta) -> Iterator[Span]:
    """Yield the window of each promotion that ended; what was rolled back or failed counts as bad.

    What somebody called off is neither.
    """
    from f0ci.promotion.site import open_site

    state = open_site(root, SystemClock(), fetch=False).store.read().environments.get(described.name)
    for promotion in state.promotions if state is not None else ():
        deployed = next((event.time for event in promotion.events if event.kind == "deployed"), None)
        if (
            promotion.state not in {"succeeded", "rolled_back", "failed"}
            or deployed is None
            or promotion.was_called_off
        ):
            continue
        if request.start <= deployed and deployed + window <= request.end:
            stable = str(promotion.plan["base"]["release"] or "")
            yield Span(
                deployed,
                deployed + window,
                promotion.id,
                promotion.state == "succeeded",
                promotion.release,
                stable,
                promotion.applied[0].time if promotion.applied else deployed,
            )


def _specs(
    workflow: Workflow, described: WorkflowEnvironment, request: ReplayRequest, window: timedelta
) -> Iterator[tuple[str, MetricSpec]]:
    every = request.every or max(timedelta(seconds=1), window / _POINTS)
    columns = _columns(request.data) if request.data else ()
    for name in dict.fromkeys(check.condition.metric for check in described.checks):
        spec = metric_spec(workflow, name)
        if spec is None:
            continue
        if request.data:
            spec = replace(spec, provider="file", settings=_from_data(name, request.data, columns, spec))
        # one window follows the other, so what ran before is what ran then
        baseline = BEFORE if spec.baseline == STABLE and not request.promotions else spec.baseline
        # a detector looks at the points of others
        interval = spec.interval or (None if spec.provider == "anomaly" else every)
        yield name, replace(spec, interval=interval, baseline=baseline, delay=timedelta())


def _columns(path: str) -> tuple[str, ...]:
    try:
        with Path(path).open(encoding="utf-8-sig") as stream:
            return tuple(name.strip() for name in stream.readline().split(","))
    except OSError as error:
        raise InputError(f"cannot read {path!r}: {error.strerror or error}", "check --data", place=path) from error


def _from_data(name: str, path: str, columns: Sequence[str], spec: MetricSpec) -> dict[str, Any]:
    """Return the settings that read a metric from a table: `name`, or `name.bad` or `name.good` with `name.total`."""
    place = str(Path(path).resolve())
    settings: dict[str, Any] = {"path": place, "format": "csv", "allow_absolute": True, "time": "time"}
    if "environment" in columns:
        settings["environment"] = "environment"
    part = next((key for key in ("bad", "good") if f"{name}.{key}" in columns), None)
    if part is not None and f"{name}.total" in columns:
        return {**settings, part: f"{name}.{part}", "total": f"{name}.total"}
    if name in columns:
        how = {"aggregate": spec.settings["aggregate"]} if "aggregate" in spec.settings else {}
        return {**settings, "value": name, **how}
    hint = f"give it columns 'time' and {name!r}, or '{name}.bad' and '{name}.total'"
    raise InputError(f"{path!r} has no column for the metric {name!r}", hint, place=path)


def _seen(spec: MetricSpec, described: WorkflowEnvironment, span: Span, root: Path) -> Observation:
    return observe(spec, _query(described, span), root)


def _base(spec: MetricSpec, described: WorkflowEnvironment, span: Span, root: Path) -> Observation | None:
    query = _query(described, span)
    changed = span.changed_at or span.start
    return observe_baseline(spec, Question(query, span.stable, changed, expired=True, end=span.end), root)


def _query(described: WorkflowEnvironment, span: Span) -> Query:
    # asked much later, as history is
    return Query(described.name, span.release, span.start, span.end, span.end + _LATER, baseline=span.stable)


def _require_data(described: WorkflowEnvironment, seen: Sequence[Mapping[str, Observation]]) -> None:
    for name in seen[0] if seen else ():
        measured = [one[name].measurement for one in seen]
        if all(one.error is not None for one in measured):
            problem = f"the history of {name!r} in {described.name!r} cannot be measured: {measured[0].error}"
            raise InputError(problem, "check --from and --to, the provider, or give --data")


def _rates_to_json(one: Rates) -> dict[str, Any]:
    return {
        "windows": one.count,
        "rolled_back": one.failed,
        "rolled_back_at_most": one.highest if one.count else None,
        "undecided": one.undecided,
        "delay_median_seconds": one.delay(0.5),
        "delay_p95_seconds": one.delay(0.95),
    }
