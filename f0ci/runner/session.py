"""What every step of one run shares, sub-recipes included."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f0ci.core.cancellation import Cancellation
from f0ci.core.clock import Clock
from f0ci.core.lifeline import Lifeline
from f0ci.core.redaction import Redactor
from f0ci.core.values import dataclass
from f0ci.recipes.graph import StepGraph
from f0ci.recipes.model import Dialect, Recipe
from f0ci.runner.context import Context
from f0ci.runner.events import Event, Listener
from f0ci.runner.frozen import Plan
from f0ci.runner.options import RunOptions
from f0ci.runner.output import collecting
from f0ci.runner.recording import NoRecorder, Recorder
from f0ci.runner.sealing import Sealer
from f0ci.runner.secret_values import SecretValues
from f0ci.runner.settings import Settings
from f0ci.runner.threads import Threads

if TYPE_CHECKING:
    from f0ci.environments.model import Environment

# what expressions are told of a run that no environment is named for
_NOWHERE: Mapping[str, Any] = {"environment": None, "overlay": ""}


@dataclass(frozen=True, slots=True)
class Session:
    """One run.

    Attributes:
        plan: what it follows.
        options: how it differs from what the recipe says.
        context: the values that steps share.
        redactor: keeps secrets out of events and the record.
        environ: environment for processes, without what only one step knows.
        secrets: answers what `secret://name` means.
        clock: the time for the record.
        sleep: waits between tries, given seconds; None waits until the run is stopped, or the time is over.
        listener: told of events, one at a time, or None.
        recorder: where it is recorded.
        threads: where its steps run.
        sealer: keeps secrets out of the record.
        before: seconds that earlier processes carried it on.
        cancellation: ends the whole run.
        lifeline: ends what its steps started where this process is killed.
    """

    plan: Plan
    options: RunOptions
    context: Context
    redactor: Redactor
    environ: Mapping[str, str]
    secrets: SecretValues
    clock: Clock
    sleep: Callable[[float], object] | None = None
    listener: Listener | None = None
    recorder: Recorder = field(default_factory=NoRecorder)
    threads: Threads = field(default_factory=Threads)
    sealer: Sealer = field(default_factory=Sealer)
    before: float = 0.0
    cancellation: Cancellation = field(default_factory=Cancellation)
    lifeline: Lifeline = field(default_factory=Lifeline)
    # steps that nobody can end at this moment, by path
    unending: set[str] = field(default_factory=set)
    # how steps are tried that say nothing of it, by recipe and step type
    settings: dict[tuple[str, str], Settings] = field(default_factory=dict)
    # which step waits for which, by the prefix of a recipe's steps
    graphs: dict[str, StepGraph] = field(default_factory=dict)
    _telling: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def root(self) -> Path:
        """Return the tree's root on disk."""
        return self.plan.root

    @property
    def environment(self) -> Environment | None:
        """Return where the run takes place."""
        return self.plan.environment

    def tell(self, event: Event) -> None:
        """Hand an event on; what the listener prints is its own, not the step's."""
        if self.listener is None:
            return
        with self._telling, collecting(None):
            if not self._over.is_set():
                self.listener(event)

    def close(self) -> None:
        """Tell nothing any more: a step that could not be ended may still have something to say."""
        with self._telling:
            self._over.set()
        self.lifeline.close()

    def pause(self, seconds: float, cancellation: Cancellation) -> None:
        """Wait before another try."""
        if self.sleep is not None:
            self.sleep(seconds)
        elif seconds > 0:
            cancellation.wait(seconds)

    def idempotency_key_of(self, path: str) -> str:
        """Return what a step's effects are known by, however often it is tried and the run goes on."""
        return f"{self.options.idempotency_key or self.options.run}/{path}"

    def environ_of(self, path: str) -> dict[str, str]:
        """Return the environment for the processes of one step."""
        return {**self.environ, "F0CI_STEP": path, "F0CI_IDEMPOTENCY_KEY": self.idempotency_key_of(path)}


def names_in_scope(
    recipe: Recipe, params: Mapping[str, Any], environment: Environment | None, options: RunOptions
) -> dict[str, Any]:
    """Return what a recipe's expressions see before anything runs; the template dialect also names bare parameters."""
    bare = dict(params) if recipe.dialect is Dialect.TEMPLATE else {}
    return bare | {"params": params, **names_around(environment, options)}


def names_around(environment: Environment | None, options: RunOptions) -> dict[str, Any]:
    """Return what expressions see of the place where a run is, whatever the recipe: defaults of parameters see it."""
    return {
        "config": {} if environment is None else environment.config,
        **(_NOWHERE if environment is None else environment.spoken),
        "release": options.release,
    }
