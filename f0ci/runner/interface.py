"""What any engine offers that carries runs on.

An engine records a run before anything of it happens (`start`), carries it on until it is over or waits (`resume`),
takes what people and systems send to waiting steps (`send`), ends runs (`cancel`) and knows them all (`list`). What
every engine must do is checked by the conformance suite in `tests/unit/runner/conformance.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Protocol

from f0ci.core.values import dataclass
from f0ci.recipes.records import RunRecord
from f0ci.runner.frozen import Plan
from f0ci.runner.options import RunOptions
from f0ci.runner.runs import RunRow


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run.

    Attributes:
        plan: what the run follows; frozen.
        parameters: values by name.
        options: how it differs from what the recipe says; `options.run` is the run's id, and makes starting it twice
            the same as once.
        values: what the context holds at the start.
    """

    plan: Plan
    parameters: Mapping[str, Any] = field(default_factory=dict)
    options: RunOptions = field(default_factory=RunOptions)
    values: Mapping[str, Any] = field(default_factory=dict)


class Engine(Protocol):
    """Carries runs on."""

    def start(self, order: Order) -> str:
        """Record a run and return its id; nothing of it happens yet.

        Raises:
            UsageError: the id belongs to a run of something else.
            InputError: the parameters do not fit.
        """
        ...

    def resume(self, run: str) -> RunRecord:
        """Carry a run on until it is over or waits, and return how it stands; what is recorded does not happen again.

        Raises:
            UsageError: there is no such run.
            Refused: somebody else carries it on.
        """
        ...

    def send(
        self, run: str, step: str, kind: str, *, who: str | None = None, data: Any = None, key: str | None = None
    ) -> bool:
        """Send `approve`, `reject` or `event` to a step; return False where the same key was sent before.

        Raises:
            UsageError: there is no such run or step, or the step waits for nothing of the kind.
            Refused: the run, or the step, is over.
        """
        ...

    def cancel(self, run: str, reason: str) -> RunRow:
        """Have a run end."""
        ...

    def list(self, *, state: str | None = None, recipe: str | None = None, limit: int = 50) -> tuple[RunRow, ...]:
        """Return runs, newest first."""
        ...
