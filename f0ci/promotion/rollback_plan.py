"""What a rollback by hand would do: to which success, and with which gates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from f0ci import __version__
from f0ci.core.canonical import digest
from f0ci.core.errors import CannotWork, UsageError
from f0ci.promotion.applying import no_way_back, rollback_target
from f0ci.promotion.ledger import Ledgers
from f0ci.promotion.names import short
from f0ci.promotion.objects import source_commit
from f0ci.promotion.plan import BoundPlan
from f0ci.promotion.policy import read_policy, rollback_policy
from f0ci.promotion.rights import believed
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState, Promotion


def choose_target(
    state: EnvironmentState, ledgers: Ledgers, leave: str | None, require: str, to: str | None
) -> tuple[Promotion, bool]:
    """Return the success to go back to, and whether it is the one that needs no approval; pure.

    Raises:
        CannotWork: there is no earlier success.
        UsageError: the release of `to` never succeeded here.
    """
    default = rollback_target(state, ledgers, leave or "", require)
    if to is None:
        if default is None:
            why, hint = no_way_back(state, ledgers, leave or "", require, held=state.hold is not None)
            raise CannotWork(f"{state.environment!r} has {why}", hint)
        return default, True
    found = [
        promotion
        for promotion in state.succeeded()
        if to and promotion.release.startswith(to.lower()) and promotion.applied
    ]
    if len({promotion.release for promotion in found}) > 1:
        raise UsageError(f"{to!r} is the beginning of several releases", "write more digits")
    if not found:
        known = ", ".join(dict.fromkeys(short(promotion.release) for promotion in state.succeeded()))
        raise UsageError(
            f"no release {to!r} succeeded in {state.environment!r}",
            f"these did: {known}" if known else "none did yet",
        )
    return found[0], default is not None and found[0].release == default.release


def release_to_leave(state: EnvironmentState) -> str | None:
    """Return the release that going back leaves: what runs, or what a rollback that did not get through was leaving.

    Asking again after the restored release could not be deployed tries the same one again, not the one before it,
    however often.
    """
    for promotion in (one for one in reversed(state.promotions) if one.applied):
        if promotion.state != "failed":
            break
        if promotion.purpose == "rollback":
            left: str | None = promotion.plan["base"]["release"]
            if left != promotion.release:
                return left
            # it tried again what the one before it had restored
            continue
        if promotion.applied[-1].step < 0:
            return promotion.release
        break
    return state.current.release if state.current else None


def make_rollback_plan(site: Site, ledgers: Ledgers, environment: str, name: str, to: str | None) -> BoundPlan:
    """Return the plan of going back.

    Args:
        site: the repository.
        ledgers: what the ledgers say.
        environment: the workflow's name of it.
        name: id of the promotion, part of what is bound.
        to: digest, or its beginning, of the release; None for the newest earlier good one.

    Raises:
        CannotWork: there is nothing to go back to, or the policy that has to be asked cannot be read.
        UsageError: the release of `to` never succeeded there.
    """
    state = ledgers.environments[environment]
    running = state.current.release if state.current else None
    policy = rollback_policy(site, state, environment)
    leave, require = release_to_leave(state), str(policy.get("require", "none"))
    target, is_default = choose_target(state, believed(site, state, ledgers), leave, require, to)
    gates: list[Mapping[str, Any]] = []
    if not is_default:
        in_force = read_policy(site, state, environment)
        gates = [
            {"kind": gate.kind, "settings": dict(gate.settings)} for gate in in_force.gates if gate.kind == "approval"
        ]
    branch = ledgers.branches[environment]
    bound = {
        "version": 1,
        "purpose": "rollback",
        "promotion": name,
        "environment": environment,
        "release": target.release,
        "source_commit": source_commit(site, state, target.release) or target.plan["source_commit"],
        "base": {"tree": site.repository.tree_of(branch) if branch else None, "release": running},
        "strategy": "rolling",
        "steps": [{"percent": 100, "tree": target.applied[-1].tree}],
        "policy": policy,
        "gates": gates,
        "checks": [],
        "duration": 0,
        "metrics": {},
        "deploy": target.plan.get("deploy"),
        "renderer": __version__,
    }
    return BoundPlan(bound, digest(bound))
