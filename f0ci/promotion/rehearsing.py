"""Asking every metric once when a promotion is planned, so that a misspelt one is found before anything changes.

A release that does not run yet has no measurements, so each query is asked about the release that runs, over a window
that ends now, and where nothing matches then, an hour, a day and a week ago: a query that matched then is not misspelt,
whatever became of the service since. What an answer means, by the first row that fits:

    | what is so                                                               | means                                |
    |--------------------------------------------------------------------------|--------------------------------------|
    | nobody declares the metric                                               | refused                              |
    | the provider cannot answer                                               | unknown: refused before a change     |
    | something matched, or the provider cannot tell                           | fine                                 |
    | what deployments write is not there yet                                  | said                                 |
    | nothing ever succeeded here, so that nothing can match                   | said                                 |
    | `on_no_match: wait`, `dry_run`, or a waiver of `on_insufficient_data`    | said                                 |
    | nothing matched                                                          | refused                              |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from f0ci.core.errors import CannotWork
from f0ci.promotion.plan import Plan
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState
from f0ci.workflows.metrics import WAIVED, MetricSpec

if TYPE_CHECKING:
    from f0ci.analysis.providers.base import Measurement, Query

_SPAN = timedelta(minutes=5)
_EARLIER = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
# settings that make the question, as far as a reader needs them
_QUESTIONS = (
    *("query", "good", "bad", "total", "value", "samples"),
    *("path", "environment", "release", "run", "journal", "records", "recipe", "step", "by_release"),
)


class Meaning(StrEnum):
    """What an answer that is not fine means."""

    SAID = "said"
    UNKNOWN = "unknown"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Objection:
    """What is wrong with a metric of a plan.

    Attributes:
        metric: its name.
        meaning: what it means for the promotion.
        message: what is wrong.
        hint: what to do about it.
        place: the condition that names the metric.
    """

    metric: str
    meaning: Meaning
    message: str
    hint: str
    place: str

    def raised(self) -> CannotWork:
        """Return it as an error."""
        return CannotWork(self.message, self.hint, place=self.place)

    def to_json(self) -> dict[str, str | None]:
        """Return it as data of an answer to an errand."""
        return {
            "metric": self.metric,
            "meaning": str(self.meaning),
            "message": self.message,
            "hint": self.hint,
            "place": self.place,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Objection:
        """Return it from the data of an answer, which fits the schema of answers."""
        return cls(**{**data, "meaning": Meaning(data["meaning"])})


def rehearse(site: Site, state: EnvironmentState, plan: Plan) -> Iterator[Objection]:
    """Yield what is wrong with each metric of a plan, in the order of its checks; see the module's table.

    Args:
        site: the repository.
        state: what the environment's ledger says.
        plan: the plan.
    """
    from f0ci.analysis.measuring import measure, metric_spec
    from f0ci.analysis.providers.base import Query

    now, environment = site.clock.now(), plan.content.environment
    running = runs_well(state)
    span = max(_SPAN, environment.duration)
    query = Query(environment.name, running or "", now - span, now, now, baseline=running or "")
    asked: set[str] = set()
    for check in environment.checks:
        name = check.condition.metric
        place = str(plan.content.workflow.document.location(check.at))
        spec = metric_spec(plan.content.workflow, name)
        if spec is None:
            message = f"{environment.name!r} is judged by {name!r}, which nothing measures"
            hint = f"add it to spec.metrics: `{name}: {{provider: file, path: metrics.csv, value: {name}}}`"
            yield Objection(name, Meaning.REFUSED, message, hint, place)
            continue
        specs = _asked(spec, compared=check.condition.needs_baseline and running is not None)
        for one in [one for one in specs if one.name not in asked]:
            asked.add(one.name)
            answer = measure(one, _about(query, plan, running), site.root)
            if answer.error is not None:
                message = f"the metric {one.name!r} cannot be measured: {answer.error}"
                yield Objection(one.name, Meaning.UNKNOWN, message, "mend it before promoting", place)
            elif answer.unwritten:
                message = f"the metric {one.name!r} has nothing to read yet: {answer.note}"
                yield Objection(one.name, Meaning.SAID, message, "a deploy recipe has to write it", place)
            elif answer.unmatched and not any(_matches(measure(one, then, site.root)) for then in _earlier(query)):
                meaning = what_no_match_means(spec, running, now)
                yield _no_match(one, answer, meaning, environment.name, place)


def settle_rehearsal(objections: Iterable[Objection]) -> tuple[str, ...]:
    """Return what is worth knowing of metrics before anything changes.

    Raises:
        CannotWork: a metric is not declared, its provider cannot answer, or it matches nothing.
    """
    said = []
    for objection in objections:
        if objection.meaning is not Meaning.SAID:
            raise objection.raised()
        said.append(objection.message)
    return tuple(said)


def runs_well(state: EnvironmentState) -> str | None:
    """Return the release whose measurements must be there: what runs, if it succeeded, else the newest success; pure.

    A release that failed may never have been measured, and nothing may be between a person and its repair.
    """
    running = state.current.release if state.current else None
    newest: str | None = None
    # newest first, and most often what runs is the newest: a long past is not read
    for promotion in state.succeeded():
        newest = newest or promotion.release
        if promotion.release == running:
            return running
    return newest


def what_no_match_means(spec: MetricSpec, running: str | None, now: datetime) -> Meaning:
    """Return what it means that a metric matches nothing; pure.

    Args:
        spec: the metric.
        running: the release it was asked about, or None where none ever succeeded here.
        now: the moment, at which a waiver must count.
    """
    waived = spec.on_insufficient_data == WAIVED and spec.waiver is not None and spec.waiver.counts_at(now)
    if running is None or spec.on_no_match == "wait" or spec.dry_run or waived:
        return Meaning.SAID
    return Meaning.REFUSED


def _asked(spec: MetricSpec, *, compared: bool) -> Iterator[MetricSpec]:
    """Yield what has to match: the metric, or what a detector watches; and what it is compared with."""
    watched = spec.settings.get("specs")
    yield spec
    if isinstance(watched, dict):
        yield from watched.values()
    if compared and isinstance(spec.baseline, dict):
        yield replace(spec, name=f"{spec.name} (baseline)", settings={**spec.settings, **spec.baseline})


def _about(query: Query, plan: Plan, running: str | None) -> Query:
    """Return the query; where nothing succeeded yet it is about the new release, so that placeholders have a value."""
    return query if running is not None else replace(query, release=str(plan.bound["release"]))


def _earlier(query: Query) -> Iterator[Query]:
    return (replace(query, start=query.start - back, end=query.end - back) for back in _EARLIER)


def _matches(answer: Measurement) -> bool:
    return answer.error is None and (answer.series > 0 or answer.no_traffic)


def _no_match(spec: MetricSpec, answer: Measurement, meaning: Meaning, environment: str, place: str) -> Objection:
    question = ", ".join(f"{key}: {spec.settings[key]}" for key in _QUESTIONS if key in spec.settings)
    message = f"the metric {spec.name!r} matches nothing ({answer.note}); it asks for {question}"
    hint = (
        f"`f0ci metrics check {environment}` shows what it yields; "
        "where only the new release will have it, write `on_no_match: wait`"
    )
    return Objection(spec.name, meaning, message, hint, place)
