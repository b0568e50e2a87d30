"""What a promotion does itself, or leaves to be done where no token is: deploying, measuring, asking metrics once.

A command that works apart (`site.apart`) takes what came back, or stops for what has not been done yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from f0ci.core.clock import format_time, parse_time
from f0ci.core.errors import InputError
from f0ci.core.outcome import Outcome
from f0ci.promotion.deploying import Deployment, EventSink, deploy, has_deploy_recipe
from f0ci.promotion.errands import deploy_errand, measure_errand, rehearse_errand
from f0ci.promotion.rehearsing import Objection, rehearse, settle_rehearsal
from f0ci.promotion.rollout import lasting
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState, Promotion
from f0ci.promotion.times import SKEW
from f0ci.promotion.verifying import Verification, verify

if TYPE_CHECKING:
    from f0ci.promotion.plan import Plan


def deployed(
    site: Site, promotion: Promotion, commit: str, release: str, step: int, tree: str, on_event: EventSink | None
) -> Deployment:
    """Run a deploy recipe, or return how it ended elsewhere; the arguments are those of `deploy`.

    Raises:
        LeftError: it is to be run where no token is.
    """
    if site.apart is None or not has_deploy_recipe(site, commit, promotion.environment):
        return deploy(site, promotion, commit, release, step, tree, on_event)
    answer = site.apart.answer(deploy_errand(promotion, commit, release, step, tree))
    site.apart.keep_look(promotion.id, step, answer["look"])
    return Deployment(Outcome[answer["outcome"].upper()], answer["reason"], answer["run"])


def looked(site: Site, promotion: Promotion, step: int, now: datetime) -> Verification:
    """Measure and judge a step, or return what was seen of it elsewhere; the arguments are those of `verify`.

    Raises:
        LeftError: it is to be measured where no token is.
        InputError: what was seen is about another step or time.
    """
    if site.apart is None:
        return verify(site, promotion, step, now)
    seen = site.apart.look_after(promotion.id, step)
    if seen is None and _is_foreign(site, promotion, step):
        seen = site.apart.answer(measure_errand(promotion, step))["look"]
    return verify(site, promotion, step, now) if seen is None else read_look(seen, step, now)


def rehearsed(site: Site, state: EnvironmentState, plan: Plan) -> tuple[str, ...]:
    """Ask every metric of a plan before anything changes, and return what is worth knowing.

    Raises:
        LeftError: one is to be asked where no token is.
        CannotWork: a metric is not declared, its provider cannot answer, or it matches nothing.
    """
    from f0ci.analysis.measuring import any_foreign

    found: Iterable[Objection] = rehearse(site, state, plan)
    if site.apart is not None and any_foreign(plan.content.workflow, plan.content.environment.checks):
        answer = site.apart.answer(rehearse_errand(plan))
        found = map(Objection.from_json, answer["objections"])
    return settle_rehearsal(found)


def look_to_json(look: Verification) -> dict[str, Any]:
    """Return what was seen as data of an answer."""
    return {
        "outcome": str(look.outcome),
        "reasons": list(look.reasons),
        "verification": look.verification,
        "record": dict(look.record) if look.record is not None else None,
        "next_check_at": format_time(look.next_check_at) if look.next_check_at else None,
        "waits_for": list(look.waits_for),
    }


def read_look(seen: Mapping[str, Any], step: int, now: datetime) -> Verification:
    """Return what was seen, from the data of an answer; pure.

    Args:
        seen: fits the schema of answers.
        step: the step that was asked about.
        now: the moment; what was seen later than that was not seen.

    Raises:
        InputError: it is about another step, was seen in the future, or contradicts itself.
    """
    record, outcome = seen["record"], Outcome[seen["outcome"].upper()]
    judges = outcome in {Outcome.PASSED, Outcome.FAILED}
    fits = record is None or (
        record["step"] == step
        and record["outcome"] == seen["outcome"]
        and record["verification"] == seen["verification"]
        and parse_time(record["asked_at"]) <= now + SKEW
    )
    if not fits or (judges and record is None):
        raise InputError(
            f"what was seen of step {step + 1} is not about it, or contradicts itself",
            "nothing of it was taken; run the promotion again: f0ci promote --continue",
        )
    again = seen["next_check_at"]
    return Verification(
        outcome,
        tuple(seen["reasons"]),
        seen["verification"],
        record,
        parse_time(again) if again else None,
        tuple(seen["waits_for"]),
    )


def first_look(site: Site, promotion: Promotion, step: int, result: Deployment, now: datetime) -> Verification | None:
    """Return what can be seen of a step right where its deploy recipe ran, or None where nothing judges it.

    What the recipe wrote down beside the repository is only to be had there.

    Args:
        site: the repository.
        promotion: before the end of the recipe is on record.
        step: index of the plan's step.
        result: how the recipe ended.
        now: when.
    """
    from f0ci.promotion.events import Draft
    from f0ci.promotion.folding import advance
    from f0ci.promotion.ledger import number_in

    if promotion.purpose != "promote" or result.outcome not in {Outcome.PASSED, Outcome.SKIPPED}:
        return None
    state = site.store.read().environments[promotion.environment]
    moment = max(now, state.events[-1].time)
    draft = Draft("deployed", promotion.id, {"step": step, **result.to_json()})
    (event,) = number_in(state, [draft], moment, promotion.requested_by)
    after = advance(promotion, event)
    return verify(site, after, step, moment) if lasting(after, step).judged else None


def _is_foreign(site: Site, promotion: Promotion, step: int) -> bool:
    from f0ci.analysis.measuring import any_foreign
    from f0ci.source.project import load_project
    from f0ci.workflows.reading import read_workflow

    if promotion.purpose != "promote" or not lasting(promotion, step).judged:
        return False
    tree = site.repository.tree(str(promotion.plan["source_commit"]))
    workflow = read_workflow(tree, load_project(tree).workflow)
    described = workflow.environment(promotion.environment)
    return described is not None and any_foreign(workflow, described.checks)
