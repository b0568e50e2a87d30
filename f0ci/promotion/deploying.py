"""Running an environment's deploy recipe in a temporary checkout of the release's commit."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f0ci.core.errors import F0ciError, InputError
from f0ci.core.outcome import Outcome
from f0ci.promotion.site import Site
from f0ci.promotion.state import Promotion
from f0ci.recipes.model import Recipe
from f0ci.recipes.records import RunRecord, StepRecord

if TYPE_CHECKING:
    from f0ci.runner.interface import Order
    from f0ci.runner.journal import Journal

# what a person reads of a failed step before they look further
SHOWN_LINES = 20
EventSink = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Deployment:
    """How a deploy recipe ended.

    Attributes:
        outcome: skipped where the environment has no deploy recipe; errored where it could not be started, so that
            nothing is known to be bad.
        reason: what went wrong, or what was done.
        run: id of the run, which the journal of the repository knows where it was made, or None.
        output: the end of what failed steps printed; shown to whoever runs the command, never part of an event.
    """

    outcome: Outcome
    reason: str
    run: str | None = None
    output: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the deployment as data of an event."""
        return {"outcome": str(self.outcome), "reason": self.reason, "run": self.run}


def has_deploy_recipe(site: Site, commit: str, environment: str) -> bool:
    """Tell whether a commit's workflow has a deploy recipe for an environment.

    Raises:
        InputError: the commit's workflow cannot be read.
    """
    from f0ci.source.project import load_project
    from f0ci.workflows.reading import read_workflow

    held = site.repository.tree(commit)
    described = read_workflow(held, load_project(held).workflow).environment(environment)
    return described is not None and described.deploy is not None


def deploy(
    site: Site,
    promotion: Promotion,
    commit: str,
    release: str,
    step: int,
    tree: str,
    on_event: EventSink | None,
    *,
    attempt: str | None = None,
) -> Deployment:
    """Run the deploy recipe that a release brings for an environment.

    Args:
        site: the repository.
        promotion: on whose behalf.
        commit: source commit of the release.
        release: its digest.
        step: index of the plan's step, or -1 for a rollback.
        tree: the environment's tree, handed to the recipe as a folder.
        on_event: is told what the recipe does.
        attempt: set where the same step is deployed once more on purpose, so that its effect is not taken for done.
    """
    from f0ci.environments.loading import load_environment
    from f0ci.expressions.evaluation import evaluate
    from f0ci.runner.frozen import freeze
    from f0ci.runner.interface import Order
    from f0ci.runner.options import RunOptions
    from f0ci.runner.runs import PROMOTION
    from f0ci.source.project import load_project
    from f0ci.source.tree import DirectoryTree
    from f0ci.workflows.reading import read_workflow

    held = site.repository.tree(commit)
    project = load_project(held)
    described = read_workflow(held, project.workflow).environment(promotion.environment)
    if described is None or described.deploy is None:
        # nothing is written to disk for it: a repository may be large
        return Deployment(Outcome.SKIPPED, "the environment has no deploy recipe")
    with tempfile.TemporaryDirectory(prefix="f0ci-deploy-") as temporary:
        source, rendered = Path(temporary, "source"), Path(temporary, "rendered")
        site.repository.checkout_to(commit, source)
        site.repository.checkout_to(tree, rendered)
        configuration = load_environment(DirectoryTree(source), project, described.config, release=release)
        around = {"config": configuration.config, **configuration.spoken, "release": release}
        options = RunOptions(
            release=release,
            idempotency_key=f"{promotion.id}/{step}" + (f"/{attempt}" if attempt else ""),
            variables={
                PROMOTION: promotion.id,
                "F0CI_RENDERED": str(rendered),
                "F0CI_REPOSITORY": str(site.root),
                "F0CI_PERCENT": str(promotion.plan["steps"][step]["percent"] if step >= 0 else 100),
                "F0CI_PHASE": _phase_of(promotion, step),
            },
        )
        try:
            plan = freeze(source, project, described.deploy.recipe, configuration)
            refuse_waiting(plan.recipes)
            record = _run(
                site.root,
                Path(temporary, "journal.sqlite"),
                Order(plan, evaluate(described.deploy.parameters, around), options),
                on_event,
            )
        except F0ciError as error:
            return Deployment(Outcome.ERRORED, f"the deploy recipe could not run: {error}")
    if record.outcome is Outcome.PASSED:
        return Deployment(Outcome.PASSED, f"{described.deploy.recipe} passed", record.run)
    bad = [
        f"step {one.name!r} {one.outcome}: {one.message}" for one in record.steps if one.outcome >= Outcome.INCONCLUSIVE
    ]
    return Deployment(
        Outcome.FAILED,
        f"deploy recipe {described.deploy.recipe!r} {record.outcome}" + (f" ({'; '.join(bad)})" if bad else ""),
        record.run,
        tuple(_output_of(record.steps)),
    )


def _phase_of(promotion: Promotion, step: int) -> str:
    if step < 0 or promotion.purpose == "rollback":
        return "rollback"
    return str(promotion.plan["steps"][step].get("phase", "shift"))


def _run(root: Path, spare: Path, order: Order, on_event: EventSink | None) -> RunRecord:
    """Run a deploy recipe, recorded in the journal of the repository, or where that cannot be used in a spare file."""
    from f0ci.runner.engine import EmbeddedEngine

    with _journal(root, spare, order.plan.recipe.path, on_event) as journal:
        engine = EmbeddedEngine(journal, on_event=on_event)
        record = engine.run(order)
        if record.outcome is Outcome.WAITING:
            # in a recipe whose name only the run knew
            engine.cancel(record.run, "a promotion runs its deploy recipe to its end")
        return record


def _journal(root: Path, spare: Path, recipe: str, on_event: EventSink | None) -> Journal:
    from f0ci.runner.events import StepNoted
    from f0ci.runner.journal import Journal, JournalError, default_path

    try:
        return Journal(default_path(root))
    except JournalError as error:
        # a rollback must not fail for want of a journal
        if on_event is not None:
            on_event(StepNoted(recipe, "journal", f"f0ci runs will not know of it: {error.message}"))
        return Journal(spare)


def refuse_waiting(recipes: Mapping[str, Recipe]) -> None:
    """Refuse a deploy recipe that waits before anything of it happens: a promotion runs it to its end.

    Args:
        recipes: the recipe and all that it calls, by file.

    Raises:
        InputError: a step waits.
    """
    for recipe in recipes.values():
        for step in recipe.steps:
            if step.kind == "wait":
                raise InputError(
                    f"step {step.name!r} waits, and a promotion runs its deploy recipe to its end",
                    "say what is waited for in the workflow: approval_required, a gate, a pause of the rollout",
                    place=str(recipe.document.location(step.at)),
                )


def _output_of(steps: Iterable[StepRecord]) -> Iterator[str]:
    for step in steps:
        if step.steps:
            yield from _output_of(step.steps)
        elif step.outcome >= Outcome.INCONCLUSIVE:
            yield from step.output.splitlines()[-SHOWN_LINES:]
