"""What the judgements of one look mean together: pure.

`conclude` answers for all checks of a look, by the first row that fits:

    | what was judged                                                      | outcome      |
    |----------------------------------------------------------------------|--------------|
    | nothing, or only what decides nothing                                | skipped      |
    | a check failed, or could not be judged and its policy is `fail`      | failed       |
    | there is too little data or no traffic, and the window is not over   | waiting      |
    | a check whose metric nobody declares, so that waiting changes nothing| errored      |
    | a check could not be judged and its policy is `pause` (or unknown)   | inconclusive |
    | a check could not be judged and its waiver is over, or there is none | inconclusive |
    | no check was judged, every one was waived                            | inconclusive |
    | a check could not be judged, `wait`, and the deadline has passed     | inconclusive |
    | a check could not be judged, `wait`, before the deadline             | waiting      |
    | every check passed, or has a waiver that counts                      | passed       |

A check without an answer therefore never counts as passed, however long it waits. What a waiver lets through is no
measured success: its verification is `none`, and its reason is among the reasons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from f0ci.analysis.judging import Judgement, Verdict
from f0ci.core.outcome import Outcome, worst
from f0ci.workflows.metrics import WAIVED, MetricSpec


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What all judgements of one look say together.

    Attributes:
        outcome: see the module's table.
        reasons: what led to it, worst first; for `passed`, what every check rests on.
        verification: `measured` where every check was answered and passed, else `none`.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    verification: str = "none"


def conclude(
    judgements: Sequence[Judgement],
    policies: Mapping[str, MetricSpec],
    *,
    expired: bool = False,
    at: datetime | None = None,
    complete: bool = True,
) -> Conclusion:
    """Say what some judgements mean together; see the table above.

    Args:
        judgements: one for each check.
        policies: the metrics' specifications by name, whose `on_...` say what a missing answer means.
        expired: True once the window's deadline has passed, after which nobody waits any longer.
        at: the window's end, at which a waiver must still count; None knows no waiver that does.
        complete: False while the window lasts, in which too little data and no traffic may still become enough.
    """
    deciding = [judgement for judgement in judgements if not judgement.dry_run]
    if not deciding:
        said = tuple(f"decides nothing: {judgement.reason}" for judgement in judgements)
        return Conclusion(Outcome.SKIPPED, said or ("nothing was checked",))
    weighed = [_weigh(j, policies.get(j.metric), expired=expired, at=at, complete=complete) for j in deciding]
    outcome = worst(each for each, _ in weighed)
    waived = [judgement.verdict is not Verdict.PASSED for judgement in deciding]
    if outcome is Outcome.PASSED and all(waived):
        return Conclusion(Outcome.INCONCLUSIVE, ("every check was waived, nothing was measured",))
    ordered = sorted(weighed, key=lambda pair: -pair[0])
    reasons = tuple(dict.fromkeys(r for each, r in ordered if outcome is Outcome.PASSED or each > Outcome.PASSED))
    return Conclusion(outcome, reasons, "measured" if outcome is Outcome.PASSED and not any(waived) else "none")


def _weigh(
    judgement: Judgement, spec: MetricSpec | None, *, expired: bool, at: datetime | None, complete: bool
) -> tuple[Outcome, str]:
    reason = judgement.reason
    if judgement.verdict is Verdict.PASSED:
        return Outcome.PASSED, reason
    if judgement.verdict is Verdict.FAILED:
        return Outcome.FAILED, reason
    if spec is None:
        return Outcome.ERRORED, reason
    if not complete and judgement.verdict is not Verdict.PROVIDER_ERROR:
        return Outcome.WAITING, reason
    policy = {
        Verdict.INSUFFICIENT_DATA: spec.on_insufficient_data,
        Verdict.NO_TRAFFIC: spec.on_no_traffic,
        Verdict.PROVIDER_ERROR: spec.on_provider_error,
    }[judgement.verdict]
    if policy == "fail":
        return Outcome.FAILED, reason
    if policy == WAIVED:
        if spec.waiver is None or at is None or not spec.waiver.counts_at(at):
            over = f"its waiver is over since {spec.waiver.until}" if spec.waiver else "it has no waiver"
            return Outcome.INCONCLUSIVE, f"{reason}; {over}"
        return Outcome.PASSED, f"{reason}; waived until {spec.waiver.until}: {spec.waiver.reason}"
    return (Outcome.WAITING if policy == "wait" and not expired else Outcome.INCONCLUSIVE), reason
