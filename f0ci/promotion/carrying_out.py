"""Carrying errands out where no token is, and writing down what came of them.

An errand says what is to be done by names and digests; what that is, the ledgers say, which came along with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from f0ci.core.errors import F0ciError, InputError
from f0ci.promotion.admitting import find_promotion, plan_for
from f0ci.promotion.deploying import EventSink, deploy
from f0ci.promotion.elsewhere import first_look, look_to_json
from f0ci.promotion.errands import Errand, ask_errand, deploy_errand, measure_errand, rehearse_errand
from f0ci.promotion.judging import observe_gates
from f0ci.promotion.objects import require_source
from f0ci.promotion.policy import policy_at
from f0ci.promotion.rehearsing import rehearse
from f0ci.promotion.site import Site
from f0ci.promotion.times import decision_time
from f0ci.promotion.verifying import verify
from f0ci.workflows.model import GateSpec

Say = Callable[[str], None]


def answer(site: Site, errand: Errand, on_stage: Say, on_event: EventSink | None) -> dict[str, Any]:
    """Do what an errand asks for, and return the answer.

    Args:
        site: the repository, with the ledgers as they were when the errand was left.
        errand: what is to be done.
        on_stage: is told, in words, what happens.
        on_event: is told what a deploy recipe does.

    Raises:
        InputError: the ledgers do not ask for it.
        F0ciError: it could not be done, and nothing is known to be bad.
    """
    on_stage(f"{errand.promotion}: {_TITLES[errand.kind]} for {errand.environment}")
    work: Mapping[str, Callable[[], dict[str, Any]]] = {
        "deploy": partial(_deploy, site, errand, on_stage, on_event),
        "measure": partial(_measure, site, errand),
        "ask": partial(_ask, site, errand),
        "rehearse": partial(_rehearse, site, errand),
    }
    return {"errand": errand.digest, "kind": errand.kind, **work[errand.kind]()}


def _deploy(site: Site, errand: Errand, on_stage: Say, on_event: EventSink | None) -> dict[str, Any]:
    ledgers = site.store.read()
    promotion = find_promotion(ledgers, errand.promotion)
    change = promotion.applied[-1] if promotion.applied else None
    if change is None or promotion.state not in {"deploying", "rolled_back"}:
        raise _not_asked(errand)
    back = promotion.state == "rolled_back"
    commit = str(promotion.plan["source_commit"])
    if back:
        commit = require_source(site, ledgers.environments[promotion.environment], change.release)
    release = change.release if back else promotion.release
    step = -1 if back else change.step
    _same(errand, deploy_errand(promotion, commit, release, step, change.tree))
    result = deploy(site, promotion, commit, release, step, change.tree, on_event)
    for line in (result.reason, *(f"    | {line}" for line in result.output)):
        on_stage(line)
    look = None
    try:
        look = None if back else first_look(site, promotion, step, result, site.clock.exact())
    except F0ciError as error:
        # that it was deployed is known all the same; whoever judges looks again
        on_stage(f"nothing could be measured yet: {error}")
    if look is not None:
        on_stage(f"{look.outcome}: {'; '.join(look.reasons)}")
    return {**result.to_json(), "look": look_to_json(look) if look is not None else None}


def _measure(site: Site, errand: Errand) -> dict[str, Any]:
    ledgers = site.store.read()
    promotion = find_promotion(ledgers, errand.promotion)
    if promotion.state != "verifying":
        raise _not_asked(errand)
    step = promotion.applied[-1].step
    _same(errand, measure_errand(promotion, step))
    now = decision_time(site.clock.exact(), ledgers.environments[promotion.environment].events, promotion.environment)
    return {"look": look_to_json(verify(site, promotion, step, now))}


def _ask(site: Site, errand: Errand) -> dict[str, Any]:
    promotion = find_promotion(site.store.read(), errand.promotion)
    kind, commit = str(errand.about.get("gate")), str(errand.about.get("policy"))
    gate = next((one for one in promotion.plan["gates"] if one["kind"] == kind), None)
    if gate is None or site.repository.commit_of(commit) != commit:
        raise _not_asked(errand)
    _same(errand, ask_errand(promotion, kind, gate["settings"], commit))
    policy = policy_at(site, commit, promotion.environment)
    facts = observe_gates(site, (GateSpec(kind, gate["settings"]),), promotion, policy, ask=True)
    return {"facts": dict(facts[kind])}


def _rehearse(site: Site, errand: Errand) -> dict[str, Any]:
    ledgers = site.store.read()
    release = site.require_release(str(errand.about.get("release")))
    plan = plan_for(site, ledgers, errand.environment, release, errand.promotion)
    _same(errand, rehearse_errand(plan))
    found = rehearse(site, ledgers.environments[errand.environment], plan)
    return {"objections": [one.to_json() for one in found]}


_TITLES = {
    "deploy": "running the deploy recipe",
    "measure": "asking the metrics",
    "ask": "asking the command of the gate",
    "rehearse": "asking the metrics once before anything changes",
}


def _same(errand: Errand, asked: Errand) -> None:
    """Check that an errand is the one that the ledgers ask for.

    Raises:
        InputError: it is another one.
    """
    if errand != asked:
        raise _not_asked(errand)


def _not_asked(errand: Errand) -> InputError:
    return InputError(
        f"the ledgers do not ask for this errand of {errand.promotion!r} ({errand.kind})",
        "run the promotion again, which leaves what it needs now: f0ci promote --continue",
    )
