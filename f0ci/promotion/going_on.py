"""What a person does next where a promotion ended badly, or an environment is held: the exact commands; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from f0ci.promotion.applying import rollback_target
from f0ci.promotion.ledger import Ledgers
from f0ci.promotion.names import short
from f0ci.promotion.state import EnvironmentState, Promotion

# ends that say nothing bad of the release
_ASKED_AGAIN = frozenset({"refused", "expired"})


@dataclass(frozen=True, slots=True)
class Way:
    """One way to go on.

    Attributes:
        when: in which case, as the end of a sentence that begins with `next`; empty where there is no other.
        commands: what to call, in order; `REASON` is for a person to write.
    """

    when: str
    commands: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the way as data."""
        return {"when": self.when, "commands": list(self.commands)}


def ways_on(ledgers: Ledgers, environment: str, now: datetime) -> tuple[Way, ...]:
    """Return the ways to go on in an environment; pure.

    newest promotion                                      way
    none, or succeeded, or called off                     lift the hold, where there is one
    a deploy recipe is still to run                       take it further
    waits, or is watched                                  what it waits for
    went back, and the deploy recipe did not get through  go back again: it runs once more, for the same release
    failed or was rolled back                             a mended release; or the same one, let in again
    refused, or expired                                   ask again
    ended in another way                                  lift the hold, where there is one
    what runs is quarantined, and something was before    go back

    Args:
        ledgers: what the ledgers say.
        environment: the environment.
        now: the moment, at which a hold may be over.
    """
    state = ledgers.environments[environment]
    name, newest = environment, state.newest
    held = state.hold is not None and state.hold.is_in_force(now)
    if state.unfinished is not None:
        if state.unfinished.state in {"deploying", "rolled_back"}:
            return (Way("unless a command is at work on it", (f"f0ci promote {name} --continue",)),)
        return (Way("", (f"f0ci why {name}",)),)
    if newest is not None and newest.state == "failed" and is_way_back(newest):
        return (Way("", (f"f0ci rollback {name} --reason REASON",)),)
    if newest is not None and newest.state in {"failed", "rolled_back"} and not newest.was_called_off:
        quarantined = ledgers.workflow.quarantine_of(newest.release) is not None
        return mended_or_again(state, newest.release, quarantined=quarantined, held=held)
    lifted = (Way("once nothing needs the hold any more", (f"f0ci unhold {name} --reason REASON",)),) if held else ()
    if newest is not None and newest.state in _ASKED_AGAIN and ledgers.workflow.quarantine_of(newest.release) is None:
        again = f"f0ci promote {name} --release {short(newest.release)}"
        return (*lifted, Way("once that is no longer so", (again,)))
    running = state.current.release if state.current else None
    if running is None or ledgers.workflow.quarantine_of(running) is None:
        return lifted
    if rollback_target(state, ledgers, running, "none") is None:
        return lifted
    return (*lifted, Way("to leave the quarantined release", (f"f0ci rollback {name} --reason REASON",)))


def is_way_back(promotion: Promotion) -> bool:
    """Tell whether the newest thing a promotion did was going back."""
    return promotion.purpose == "rollback" or (bool(promotion.applied) and promotion.applied[-1].step < 0)


def mended_or_again(state: EnvironmentState, release: str, *, quarantined: bool, held: bool) -> tuple[Way, ...]:
    """Return the ways on after a release failed: another one, or, where it was not its fault, the same.

    Args:
        state: the environment.
        release: digest of the release.
        quarantined: whether it is kept out of every environment.
        held: whether the environment is held.
    """
    through = " --through-hold REASON" if held else ""
    lift = (f"f0ci quarantine {short(release)} --lift --reason REASON",) if quarantined else ()
    again = f"f0ci promote {state.environment} --release {short(release)}{through}"
    mended, first = f"f0ci promote {state.environment}{through}", _upstream(state)
    return (
        Way(f"with a mended release, once it succeeded in {' and '.join(first)}", (mended,))
        if first
        else Way("with a mended release, once it is committed and pushed", ("f0ci release create", mended)),
        Way("with the same release, where it was not at fault", (*lift, again)),
    )


def _upstream(state: EnvironmentState) -> tuple[str, ...]:
    """Return the environments that a release has to come through first, by the newest plan."""
    gates = state.newest.plan["gates"] if state.newest is not None else ()
    return tuple(dict.fromkeys(name for gate in gates for name in gate["settings"].get("upstream", ())))
