"""Drawing metrics over time as SVG: the points, the bounds, what evidence rules out, and the moments of verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 960, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 20, 34, 30
_COLOURS = {"passed": "#1a7f37", "failed": "#cf222e", "undecided": "#9a6700"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A verdict.

    Attributes:
        start: when its window began.
        at: when it was certain.
        end: when its window ended.
        outcome: `passed`, `failed` or `undecided`.
        text: for people who point at it.
    """

    start: datetime
    at: datetime
    end: datetime
    outcome: str
    text: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One metric over time.

    Attributes:
        title: the metric.
        unit: of its values; `%` shows shares as percentages.
        lines: points in order of time, one list for each stretch without a gap.
        bounds: conditions, each with its number.
        bands: moments with the smallest and largest value that evidence does not rule out then.
        marks: verdicts.
        trends: what all points of a window say together so far, one list a window.
    """

    title: str
    unit: str
    lines: tuple[tuple[tuple[datetime, float], ...], ...]
    bounds: tuple[tuple[str, float], ...] = ()
    bands: tuple[tuple[tuple[datetime, float, float], ...], ...] = ()
    marks: tuple[Mark, ...] = ()
    trends: tuple[tuple[tuple[datetime, float], ...], ...] = ()


def draw(panels: Sequence[Panel], title: str) -> str:
    """Return an SVG document with one panel below the other, all over the same time."""
    height = 40 + _HEIGHT * len(panels) + 26
    moments = [moment for panel in panels for moment in _moments(panel)]
    body = [_text(_LEFT, 24, title, size=16, weight="bold")]
    if moments:
        first, last = min(moments), max(moments)
        for number, panel in enumerate(panels):
            body.extend(_panel(panel, 40 + _HEIGHT * number, first, last))
    else:
        body.append(_text(_LEFT, 60, "nothing was measured", size=13))
    body.extend(_legend(height - 10))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _panel(panel: Panel, top: float, first: datetime, last: datetime) -> Iterable[str]:
    inner = _HEIGHT - _TOP - _BOTTOM
    values = [value for line in panel.lines for _, value in line] + [bound for _, bound in panel.bounds]
    highest = max([*values, *(high for band in panel.bands for _, _, high in band[len(band) // 4 :])], default=1.0)
    lowest = min([0.0, *values])
    # a band is wide at first; it may leave the picture rather than squeeze what matters
    highest = min(highest, 3 * max(values, default=1.0)) or 1.0
    span = max((last - first).total_seconds(), 1.0)

    def across(moment: datetime) -> float:
        return _LEFT + (moment - first).total_seconds() / span * (_WIDTH - _LEFT - _RIGHT)

    def down(value: float) -> float:
        share = min(1.0, max(0.0, (value - lowest) / ((highest - lowest) * 1.08)))
        return top + _TOP + inner * (1 - share)

    base = top + _TOP + inner
    yield _text(_LEFT, top + 22, panel.title, size=13, weight="bold")
    for mark in panel.marks:
        colour = _COLOURS[mark.outcome]
        left, right = across(mark.start), max(across(mark.end), across(mark.start) + 1)
        yield (
            f'<rect x="{left:.1f}" y="{top + _TOP:.1f}" width="{right - left:.1f}" height="{inner}" fill="{colour}" '
            f'fill-opacity="0.07" stroke="#d0d7de" stroke-width="0.5"><title>{escape(mark.text)}</title></rect>'
        )
    for band in panel.bands:
        if band:
            upper = [f"{across(moment):.1f},{down(high):.1f}" for moment, _, high in band]
            lower = [f"{across(moment):.1f},{down(low):.1f}" for moment, low, _ in reversed(band)]
            yield f'<polygon points="{" ".join([*upper, *lower])}" fill="#0969da" fill-opacity="0.22"/>'
    for step in range(3):
        value = lowest + (highest - lowest) * step / 2
        level = f'y1="{down(value):.1f}" y2="{down(value):.1f}"'
        yield f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" {level} stroke="#d0d7de"/>'
        yield _text(_LEFT - 8, down(value) + 4, _number(value, panel.unit), size=11, anchor="end")
    faint = ("#8c959f", 0.6) if panel.trends else ("#0969da", 1.3)
    for lines, (colour, width) in ((panel.lines, faint), (panel.trends, ("#0550ae", 2.0))):
        for line in lines:
            points = " ".join(f"{across(moment):.1f},{down(value):.1f}" for moment, value in line)
            yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
    for name, bound in panel.bounds:
        yield (
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{down(bound):.1f}" y2="{down(bound):.1f}" '
            f'stroke="#cf222e" stroke-dasharray="6 4"/>'
        )
        yield _text(_WIDTH - _RIGHT, down(bound) - 4, name, size=11, anchor="end", colour="#cf222e")
    for mark in panel.marks:
        at = across(mark.at)
        yield (
            f'<path d="M{at:.1f} {base:.1f} l-5 9 h10 z" fill="{_COLOURS[mark.outcome]}">'
            f"<title>{escape(mark.text)}</title></path>"
        )
    for moment, anchor in ((first, "start"), (last, "end")):
        label = f"{moment:%Y-%m-%d %H:%M:%S}"
        yield _text(_LEFT if anchor == "start" else _WIDTH - _RIGHT, base + 22, label, size=11, anchor=anchor)


def _legend(top: float) -> Iterable[str]:
    left = _LEFT
    for outcome, colour in _COLOURS.items():
        yield f'<path d="M{left} {top - 9} l-5 9 h10 z" fill="{colour}"/>'
        yield _text(left + 10, top, f"{outcome} at this moment", size=11)
        left += 190
    yield f'<rect x="{left - 6}" y="{top - 9}" width="12" height="9" fill="#0969da" fill-opacity="0.3"/>'
    yield _text(left + 10, top, "not ruled out by the evidence so far", size=11)


def _moments(panel: Panel) -> Iterable[datetime]:
    for line in panel.lines:
        yield from (moment for moment, _ in line)
    for mark in panel.marks:
        yield from (mark.start, mark.at, mark.end)


def _number(value: float, unit: str) -> str:
    return f"{value * 100:.3g} %" if unit == "%" else f"{value:.3g}{' ' + unit if unit else ''}"


def _text(
    x: float, y: float, text: str, *, size: int, weight: str = "normal", anchor: str = "start", colour: str = "#1f2328"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{colour}">{escape(text)}</text>'
    )
