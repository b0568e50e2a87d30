"""Events and states in few words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from f0ci.core.canonical import digest
from f0ci.promotion.events import ENVIRONMENT_EVENTS, STANDING, WORKFLOW_EVENTS, Draft, Event
from f0ci.promotion.folding import fold_environment, fold_workflow
from f0ci.promotion.ledger import Ledgers, number
from f0ci.promotion.state import EnvironmentState, Promotion

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ALICE = "Alice <alice@example.com>"


def hex_of(word: str, length: int = 40) -> str:
    """Return a made-up object id or digest that stands for a word."""
    return digest(word)[:length]


def release(word: str) -> str:
    """Return a made-up release digest."""
    return hex_of(word, 64)


def plan_data(
    promotion: str, word: str, *, purpose: str = "promote", steps: int = 1, base: str | None = None, **more: Any
) -> dict[str, Any]:
    """Return the bound part of a plan."""
    return {
        "version": 1,
        "purpose": purpose,
        "promotion": promotion,
        "environment": promotion.rpartition("-")[0],
        "release": release(word),
        "source_commit": hex_of(f"source of {word}"),
        "base": {"tree": None, "release": release(base) if base else None},
        "steps": [{"percent": 100, "tree": hex_of(f"tree {index} of {word}")} for index in range(steps)],
        "policy": {"commit": hex_of("policy"), "blobs": {}, "require": "none"},
        "gates": [],
        **more,
    }


def requested(promotion: str, word: str, *, through_hold: str | None = None, **more: Any) -> Draft:
    """Return the first event of a promotion of a release."""
    plan = plan_data(promotion, word, **more)
    data = {"purpose": plan["purpose"], "release": plan["release"], "digest": digest(plan), "plan": plan}
    if through_hold:
        data["through_hold"] = through_hold
    return Draft("requested", promotion, data)


def applied(promotion: str, word: str, step: int = 0) -> Draft:
    """Return the event of a step that was brought in."""
    data = {"step": step, "commit": hex_of(f"{promotion} {step}"), "tree": hex_of(f"tree {step} of {word}")}
    return Draft("applied", promotion, {**data, "parent": None})


def rolled_back(promotion: str, to: str) -> Draft:
    """Return the event of a promotion that failed and gave way to the last good release."""
    data = {"step": -1, "to": release(to), "commit": hex_of(f"{promotion} back"), "tree": hex_of(f"tree 0 of {to}")}
    return Draft("rolled_back", promotion, {**data, "parent": None, "reason": "bad"})


def passing(promotion: str, word: str, ending: str = "none", **more: Any) -> tuple[Draft, ...]:
    """Return the events of a promotion: how it ended is `none`, `checked`, `measured`, `failed`, `deploying`, ..."""
    start: tuple[Draft, ...] = (requested(promotion, word, **more),)
    if ending in {"refused", "aborted", "expired", "superseded"}:
        return (*start, Draft(ending, promotion, {"reasons": ["because"]}))
    if ending in {"requested", "waiting"}:
        return start if ending == "requested" else (*start, Draft("waiting", promotion, {"reasons": ["because"]}))
    start = (*start, applied(promotion, word))
    if ending == "deploying":
        return start
    start = (*start, Draft("deployed", promotion, {"step": 0, "outcome": "passed"}))
    if ending == "verifying":
        return start
    if ending.startswith("rolled_back"):
        return (*start, rolled_back(promotion, ending.partition(" ")[2] or "old"))
    if ending == "failed":
        return (*start, Draft("failed", promotion, {"reasons": ["bad"]}))
    return (*start, Draft("succeeded", promotion, {"verification": ending}))


def hold(reason: str = "incident") -> Draft:
    """Return the event that suspends an environment."""
    return Draft("hold", ENVIRONMENT_EVENTS, {"reason": reason, "promotion": None})


def events_of(*drafts: Draft, environment: str = "prod") -> tuple[Event, ...]:
    """Return drafts as events of one ledger."""
    return number((), environment, drafts, NOW, ALICE)


def state_of(*drafts: Draft, environment: str = "prod") -> EnvironmentState:
    """Return what drafts amount to."""
    return fold_environment(environment, events_of(*drafts, environment=environment), None)


def ledgers_of(state: EnvironmentState, *quarantined: str) -> Ledgers:
    """Return ledgers with one environment and some quarantined releases."""
    drafts = [Draft("quarantine", WORKFLOW_EVENTS, {"release": release(word), "reason": "bad"}) for word in quarantined]
    workflow = fold_workflow(number((), WORKFLOW_EVENTS, drafts, NOW, ALICE), None)
    return Ledgers({state.environment: state}, workflow, {state.environment: None})


def newest(*drafts: Draft) -> Promotion:
    """Return the newest promotion that drafts amount to."""
    found = state_of(*drafts).newest
    assert found is not None
    return found


def sample(kind: str, promotion: str = "prod-1", word: str = "new") -> Draft:
    """Return an event of a kind with data that its schema accepts."""
    statement = {
        "type": "f0ci/approval/v1",
        "promotion": promotion,
        "digest": digest(plan_data(promotion, word)),
        "environment": "prod",
        "approver": "bob",
        "decision": "reject" if kind == "rejected" else "approve",
        "time": "2026-11-21T09:00:00Z",
        "expires": None,
        "reason": "",
    }
    signed = {"statement": statement, "signature": {"format": "ssh", "armored": "", "key": ""}}
    plan = plan_data(promotion, word)
    change = applied(promotion, word).data
    known: dict[str, dict[str, Any]] = {
        "replanned": {"digest": digest(plan), "plan": plan, "reason": "it changed"},
        "waiting": {"reasons": ["approval: 0 of 1"], "waits_for": ["approval"], "next_check_at": None},
        "approved": signed,
        "rejected": signed,
        "evidence": {
            "kind": "github",
            "url": "https://ci.example.com/runs/7",
            "job": "promote_prod",
            "reviewer": "bob-on-github",
            "how": "environment protection rule",
            "digest": digest(plan_data(promotion, word)),
        },
        "revoked": {**signed, "statement": {**statement, "decision": "revoke"}},
        "overridden": {**signed, "statement": {**statement, "decision": "override", "gate": "window"}},
        "intent": dict(change),
        "deployed": {"step": 0, "outcome": "passed"},
        "measured": {"step": 0, "outcome": "passed", "judgements": []},
        "resumed": {"step": 0, "reason": "looks good"},
        "restored": {"outcome": "passed"},
        "succeeded": {"verification": "checked"},
        "policy": {"commit": hex_of("policy"), "blobs": {"workflow.yaml": hex_of("workflow")}, "require": "none"},
        "hold": {"reason": "incident", "promotion": None},
        "unhold": {"reason": "over"},
        "repair": {"commit": hex_of("repair"), "tree": hex_of("tree"), "release": release("new")},
        "quarantine": {"release": release(word), "reason": "bad"},
        "unquarantine": {"release": release(word), "reason": "mistake"},
    }
    data = known.get(kind, {"reasons": ["because"]})
    if kind == "requested":
        return requested(promotion, word)
    if kind == "applied":
        return applied(promotion, word)
    if kind == "rolled_back":
        return rolled_back(promotion, "old")
    if kind in {"quarantine", "unquarantine"}:
        return Draft(kind, WORKFLOW_EVENTS, data)
    return Draft(kind, ENVIRONMENT_EVENTS if kind in STANDING else promotion, data)
