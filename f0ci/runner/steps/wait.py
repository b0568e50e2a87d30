"""Step type `wait`: for a time, an approval or an event, without anybody waiting.

| `args` | the step passes |
|---|---|
| `for: 30m` | that long after it began |
| `until: "2026-12-01T08:00:00Z"` | at that moment |
| `approval: true`, or `{count: 2, by: [alice, bob]}` | when so many different people approved; a rejection fails it |
| `event: build.done`, with `match: {status: ok}` | when such an event arrives |

A run whose steps all wait ends its process; `f0ci runs send` and `f0ci run --resume` take it further. With a `timeout`
the step fails when that is over, or passes where `on_timeout: pass` is among `args`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from f0ci.core.clock import format_time, parse_time
from f0ci.core.duration import parse_duration
from f0ci.core.errors import StepError
from f0ci.core.outcome import Outcome
from f0ci.runner.steps.base import Signal, StepCall, StepResult

_KINDS = ("for", "until", "approval", "event")
_KNOWN = (*_KINDS, "match", "message", "on_timeout")
_APPROVAL, _EVENT = "for an approval", "for the event "


def run(call: StepCall) -> StepResult:
    """Tell whether what the step waits for has happened."""
    asked = call.arguments
    unknown = [name for name in asked if name not in _KNOWN]
    kinds = [kind for kind in _KINDS if kind in asked and asked[kind] is not False]
    if unknown or len(kinds) != 1:
        wrong = f"has {unknown[0]!r} among its args" if unknown else f"names {len(kinds)} things to wait for"
        raise StepError(f"a wait step {wrong}", "give one of for, until, approval and event", terminal=True)
    deadline = None if call.timeout is None else call.since + timedelta(seconds=call.timeout)
    if kinds[0] in {"for", "until"}:
        return wait_for_time(_moment(asked, call.since), call.now, deadline)
    late = deadline is not None and call.now >= deadline
    signals = call.signals if deadline is None else tuple(one for one in call.signals if one.time <= deadline)
    if kinds[0] == "approval":
        result = wait_for_approval(asked["approval"], signals)
    else:
        result = wait_for_event(str(asked["event"]), asked.get("match"), signals)
    words = asked.get("message")
    if result.outcome is not Outcome.WAITING:
        return result
    message = f"{result.message}: {words}" if words else result.message
    if not late:
        return StepResult(Outcome.WAITING, message, next_check=deadline)
    if asked.get("on_timeout") == "pass":
        return StepResult(Outcome.PASSED, f"nothing came within {call.timeout:g}s", outputs={"timed_out": True})
    return StepResult(Outcome.FAILED, f"its time of {call.timeout:g}s is over; {message}", terminal=True)


def wait_for_time(moment: datetime, now: datetime, deadline: datetime | None) -> StepResult:
    """Return passed from a moment on, waiting before it; a deadline before it can only fail."""
    if now >= moment:
        return StepResult(Outcome.PASSED, outputs={"waited_until": format_time(moment)})
    if deadline is not None and deadline < moment:
        raise StepError("the step waits longer than its timeout", "raise the one or lower the other", terminal=True)
    return StepResult(Outcome.WAITING, f"until {format_time(moment)}", next_check=_whole(moment))


def wait_for_approval(asked: Any, signals: tuple[Signal, ...]) -> StepResult:
    """Return whether enough people approved.

    | among the signals that count | result |
    |---|---|
    | a rejection | failed, with its reason |
    | `count` different people approved | passed |
    | fewer | waiting |

    A signal counts where `by` is not given or names its sender; whoever names nobody counts as nobody, so as one.
    """
    rules: Mapping[str, Any] = asked if isinstance(asked, Mapping) else {}
    by, count = rules.get("by"), rules.get("count", 1)
    if not isinstance(count, int) or count < 1 or not (by is None or isinstance(by, list)):
        raise StepError("an approval needs a count of 1 or more and a list of names", "see count and by", terminal=True)
    counted = [one for one in signals if by is None or one.who in by]
    for one in counted:
        if one.kind == "reject":
            reason = f": {one.data}" if one.data else ""
            return StepResult(Outcome.FAILED, f"rejected by {one.who or 'somebody'}{reason}", terminal=True)
    approved = list(dict.fromkeys(one.who for one in counted if one.kind == "approve"))
    if len(approved) >= count:
        names = [who or "somebody" for who in approved]
        return StepResult(Outcome.PASSED, f"approved by {', '.join(names)}", outputs={"approved_by": names})
    whom = f" by {' or '.join(map(str, by))}" if by else ""
    have = f", {len(approved)} of {count} so far" if count > 1 else ""
    return StepResult(Outcome.WAITING, f"{_APPROVAL}{whom}{have}")


def wait_for_event(name: str, match: Any, signals: tuple[Signal, ...]) -> StepResult:
    """Return passed with the first event of a name whose data hold what `match` says, waiting without one."""
    wanted: Mapping[str, Any] = match if isinstance(match, Mapping) else {}
    for one in signals:
        said = one.data if isinstance(one.data, Mapping) else {}
        data = said.get("data")
        fits = all(isinstance(data, Mapping) and data.get(key) == value for key, value in wanted.items())
        if one.kind == "event" and said.get("name") == name and fits:
            return StepResult(Outcome.PASSED, outputs={"event": name, "data": data, "who": one.who})
    return StepResult(Outcome.WAITING, f"{_EVENT}{name!r}")


def as_written(asked: Mapping[str, Any]) -> str:
    """Return what a wait step waits for, as a recipe's author writes it: `approval {count: 2, by: [alice, bob]}`; pure.

    Args:
        asked: the step's arguments, expressions and all.
    """
    kind = next((kind for kind in _KINDS if kind in asked and asked[kind] is not False), None)
    if kind is None:
        return ""
    words = kind if asked[kind] is True else f"{kind} {_flow(asked[kind])}"
    if kind == "event" and "match" in asked:
        words = f"{words}, match {_flow(asked['match'])}"
    return f"{words}: {asked['message']}" if asked.get("message") else words


def _flow(value: Any) -> str:
    """Return a value in YAML on one line; text stands for itself."""
    if isinstance(value, str):
        return value
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True, sort_keys=False)
    return str(text).removesuffix("\n...\n").rstrip("\n")


def answer_to(message: str) -> str | None:
    """Return the options of `f0ci runs send` that end what a waiting step says it waits for, or None; pure."""
    if message.startswith(_APPROVAL):
        return "--approve"
    if not message.startswith(_EVENT):
        return None
    name = re.match(r"'([^']*)'|\"([^\"]*)\"", message.removeprefix(_EVENT))
    return f"--event {shlex.quote(name[1] or name[2])}" if name else None


def _moment(asked: Mapping[str, Any], since: datetime) -> datetime:
    try:
        if "for" in asked:
            span = asked["for"]
            return since + (parse_duration(span) if isinstance(span, str) else timedelta(seconds=float(span)))
        return parse_time(str(asked["until"]))
    except (ValueError, TypeError, OverflowError) as error:
        raise StepError(
            f"a wait step cannot tell its time: {error}",
            "write for: 30m, or until: 2026-12-01T08:00:00Z",
            terminal=True,
        ) from error


def _whole(moment: datetime) -> datetime:
    """Return the first whole second that is not before a moment, for clocks that know no others."""
    moment = moment.astimezone(UTC)
    return moment if moment.microsecond == 0 else moment.replace(microsecond=0) + timedelta(seconds=1)
