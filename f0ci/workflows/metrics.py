"""How a metric is measured and judged, as a workflow declares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from f0ci.core.duration import parse_duration
from f0ci.core.values import dataclass
from f0ci.source.reading import Path
from f0ci.workflows.units import SUFFIXES, Quantity

STABLE, BEFORE = "stable", "before"
WAIVED = "pass-with-waiver"
DEFAULT_ALPHA = 0.01
DEFAULT_ERROR_LIMIT = 4
# keys of a metric that judging uses; all others belong to its provider
METRIC_KEYS = frozenset(
    {
        "provider",
        "unit",
        "min_samples",
        "on_insufficient_data",
        "on_no_traffic",
        "on_provider_error",
        "on_no_match",
        "description",
        "interval",
        "count",
        "delay",
        "failure_limit",
        "consecutive_error_limit",
        "judge",
        "alpha",
        "regression",
        "baseline",
        "dry_run",
        "waiver",
    }
)


@dataclass(frozen=True, slots=True)
class Waiver:
    """Why a missing answer does not stop a promotion, and how long that counts.

    Attributes:
        reason: for people; it is recorded with the promotion.
        until: the last day, UTC; after it a missing answer waits for a person.
    """

    reason: str
    until: date

    def counts_at(self, moment: datetime) -> bool:
        """Tell whether it counts at a moment."""
        return moment.astimezone(UTC).date() <= self.until


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """How a metric is measured and judged.

    Attributes:
        name: as conditions use it.
        provider: name of the provider plug-in, such as `file`.
        settings: the provider's own settings, plain JSON data.
        unit: the unit of the measured number (`%`, `s`, `ms`, ...), or empty for a plain number or ratio.
        min_samples: fewer samples than this are insufficient data; 1 or more.
        on_insufficient_data: `wait`, `pause`, `fail` or `pass-with-waiver`.
        on_no_traffic: `wait`, `pause`, `fail` or `pass-with-waiver`.
        on_provider_error: `wait`, `pause`, `fail` or `pass-with-waiver`.
        on_no_match: `refuse` or `wait`: what it means when a promotion is planned that nothing matches.
        interval: how far apart points are measured, or None where the whole window is one.
        count: at most so many points, from the window's beginning; None for as many as fit.
        delay: how late data may arrive; a point is asked for that much after its end.
        failure_limit: so many points may break a condition; None judges all points together.
        consecutive_error_limit: so many errors of the provider in a row, at the end, are passed over.
        judge: `auto`, `sequential` or `threshold`.
        alpha: the chance of a false alarm over all looks together, above 0 and below 1.
        regression: the smallest excess over the bound that must be ruled out before a pass, or None.
        baseline: `stable`, `before`, or settings that replace those of the provider.
        dry_run: True where it is measured and recorded but decides nothing.
        waiver: what `pass-with-waiver` rests on, or None.
        at: where it is declared.
    """

    name: str
    provider: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    unit: str = ""
    min_samples: int = 1
    on_insufficient_data: str = "wait"
    on_no_traffic: str = "wait"
    on_provider_error: str = "wait"
    on_no_match: str = "refuse"
    interval: timedelta | None = None
    count: int | None = None
    delay: timedelta = timedelta()
    failure_limit: int | None = None
    consecutive_error_limit: int = DEFAULT_ERROR_LIMIT
    judge: str = "auto"
    alpha: float = DEFAULT_ALPHA
    regression: Quantity | None = None
    baseline: str | Mapping[str, Any] = STABLE
    dry_run: bool = False
    waiver: Waiver | None = None
    at: Path = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data, times in seconds."""
        return {
            "provider": self.provider,
            "settings": dict(self.settings),
            "unit": self.unit,
            "min_samples": self.min_samples,
            "on_insufficient_data": self.on_insufficient_data,
            "on_no_traffic": self.on_no_traffic,
            "on_provider_error": self.on_provider_error,
            "interval": self.interval.total_seconds() if self.interval else None,
            "count": self.count,
            "delay": self.delay.total_seconds(),
            "failure_limit": self.failure_limit,
            "consecutive_error_limit": self.consecutive_error_limit,
            "judge": self.judge,
            "alpha": self.alpha,
            "regression": str(self.regression) if self.regression else None,
            "baseline": self.baseline if isinstance(self.baseline, str) else dict(self.baseline),
            "dry_run": self.dry_run,
            "waiver": {"reason": self.waiver.reason, "until": str(self.waiver.until)} if self.waiver else None,
        }


def metric_from(name: str, raw: Mapping[str, Any]) -> MetricSpec:
    """Return a metric as it is declared; what does not fit the schema is left at its default."""
    baseline = raw.get("baseline")
    alpha = raw.get("alpha")
    return MetricSpec(
        name=name,
        provider=_text(raw, "provider", ""),
        settings={key: value for key, value in raw.items() if key not in METRIC_KEYS},
        unit=_text(raw, "unit", ""),
        min_samples=_count(raw, "min_samples", 1) or 1,
        on_insufficient_data=_text(raw, "on_insufficient_data", "wait"),
        on_no_traffic=_text(raw, "on_no_traffic", "wait"),
        on_provider_error=_text(raw, "on_provider_error", "wait"),
        on_no_match=_text(raw, "on_no_match", "refuse"),
        interval=_span(raw, "interval"),
        count=_count(raw, "count", 1),
        delay=_span(raw, "delay") or timedelta(),
        failure_limit=_count(raw, "failure_limit", 0),
        consecutive_error_limit=_or(_count(raw, "consecutive_error_limit", 0), DEFAULT_ERROR_LIMIT),
        judge=_text(raw, "judge", "auto"),
        alpha=float(alpha) if isinstance(alpha, float) and 0 < alpha < 1 else DEFAULT_ALPHA,
        regression=_quantity(raw.get("regression")),
        baseline=baseline if isinstance(baseline, Mapping | str) and baseline else STABLE,
        dry_run=raw.get("dry_run") is True,
        waiver=_waiver(raw.get("waiver")),
        at=("spec", "metrics", name),
    )


def _text(raw: Mapping[str, Any], key: str, default: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) and value else default


def _count(raw: Mapping[str, Any], key: str, least: int) -> int | None:
    value = raw.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= least else None


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _span(raw: Mapping[str, Any], key: str) -> timedelta | None:
    try:
        return parse_duration(str(raw[key])) or None
    except (KeyError, ValueError):
        return None


def _quantity(value: Any) -> Quantity | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Quantity(float(value))
    if not isinstance(value, str):
        return None
    unit = next((unit for unit in sorted(SUFFIXES, key=len, reverse=True) if value.endswith(unit)), "")
    try:
        return Quantity(float(value.removesuffix(unit)), unit)
    except ValueError:
        return None


def _waiver(value: Any) -> Waiver | None:
    if not isinstance(value, Mapping):
        return None
    try:
        return Waiver(str(value["reason"]), date.fromisoformat(str(value["until"])))
    except (KeyError, ValueError):
        return None
