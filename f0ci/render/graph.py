"""Pictures of what runs after what: a recipe with everything it calls, or the stages of a workflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from f0ci.core.errors import InputError, UsageError
from f0ci.core.suggestions import did_you_mean
from f0ci.recipes.model import Recipe, Step
from f0ci.workflows.model import Stage, Workflow, WorkflowEnvironment

FORMS = ("text", "mermaid", "dot")


@dataclass(frozen=True, slots=True)
class Node:
    """One step, stage or environment.

    Attributes:
        name: unique in its graph.
        notes: what else is worth knowing, a short text each.
        condition: when it runs, or None for always.
        group: its parallel group, or None.
        calls: key of the graph that it runs, or None.
    """

    name: str
    notes: tuple[str, ...] = ()
    condition: str | None = None
    group: str | None = None
    calls: str | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """What one recipe or workflow consists of.

    Attributes:
        title: its name.
        detail: its file.
        batches: nodes in the order in which they can start; those of one batch run side by side.
        before: for each node the nodes it waits for.
        on_error: nodes that run only after a failure.
    """

    title: str
    detail: str
    batches: tuple[tuple[Node, ...], ...]
    before: Mapping[str, tuple[str, ...]]
    on_error: tuple[Node, ...] = ()

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Return every node, in the order of the batches, those for failures last."""
        return (*(node for batch in self.batches for node in batch), *self.on_error)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Graphs that call each other.

    Attributes:
        root: key of the one to begin with.
        graphs: by key.
    """

    root: str
    graphs: Mapping[str, Graph]


def graph(subject: Mapping[str, Recipe] | Workflow, form: str = "text") -> str:
    """Return a picture of a recipe or a workflow.

    Args:
        subject: a recipe with all that it calls, by file, itself first; or a workflow.
        form: `text` for terminals, `mermaid` for Markdown, `dot` for Graphviz.

    Raises:
        UsageError: there is no such form.
        InputError: steps or stages wait for each other in a circle.
    """
    from f0ci.render import graph_forms

    drawing = _draw_workflow(subject) if isinstance(subject, Workflow) else _draw_recipes(subject)
    write = {"text": graph_forms.to_text, "mermaid": graph_forms.to_mermaid, "dot": graph_forms.to_dot}.get(form)
    if write is None:
        raise UsageError(f"there is no graph form {form!r}", did_you_mean(form, FORMS, noun="forms"))
    return write(drawing)


def _draw_recipes(recipes: Mapping[str, Recipe]) -> Drawing:
    return Drawing(next(iter(recipes)), {path: _recipe_graph(recipe, recipes) for path, recipe in recipes.items()})


def _recipe_graph(recipe: Recipe, recipes: Mapping[str, Recipe]) -> Graph:
    from f0ci.recipes.graph import order

    ordered = order(recipe)
    nodes = {step.name: _step_node(step, recipe, recipes) for step in recipe.steps}
    return Graph(
        title=f"recipe {recipe.name}",
        detail=recipe.path,
        batches=tuple(tuple(nodes[name] for name in batch) for batch in ordered.batches()),
        before=ordered.predecessors,
        on_error=tuple(nodes[name] for name in ordered.on_error),
    )


def _step_node(step: Step, recipe: Recipe, recipes: Mapping[str, Recipe]) -> Node:
    from f0ci.recipes.composition import find_recipe, is_dynamic
    from f0ci.source.tree import MemoryTree

    calls, notes = None, [step.kind] if step.kind not in {"python", "sub_recipe"} else []
    if step.kind == "sub_recipe" and step.recipe_path is not None:
        if is_dynamic(step.recipe_path):
            notes.append(f"recipe {step.recipe_path}, known only when it runs")
        else:
            calls = find_recipe(MemoryTree(dict.fromkeys(recipes, b"")), step.recipe_path, recipe.path)
    condition = None if step.condition is None else _bare(step.condition)
    return Node(step.name, tuple(notes), condition, step.parallel_group, calls)


def _bare(condition: str | bool) -> str:
    """Return a condition without its delimiters."""
    if isinstance(condition, bool):
        return "true" if condition else "false"
    text = " ".join(condition.split())
    for opening, closing in (("#{", "}"), ("{{", "}}")):
        inner = text.removeprefix(opening).removesuffix(closing)
        if len(text) - len(inner) == len(opening) + len(closing) and opening not in inner:
            return inner.strip()
    return text


def _draw_workflow(workflow: Workflow) -> Drawing:
    if workflow.stages:
        nodes = {stage.name: _stage_node(stage, workflow) for stage in workflow.stages}
        before = {stage.name: tuple(name for name in stage.requires if name in nodes) for stage in workflow.stages}
    else:
        nodes = {each.name: Node(each.name, _environment_notes(each)) for each in workflow.environments}
        before = {each.name: tuple(name for name in each.upstream if name in nodes) for each in workflow.environments}
    path = workflow.document.path
    batches = tuple(tuple(nodes[name] for name in batch) for batch in _batches(before, path))
    return Drawing(path, {path: Graph(f"workflow {workflow.name}", path, batches, before)})


def _stage_node(stage: Stage, workflow: Workflow) -> Node:
    notes: list[str] = []
    if stage.manual_approval:
        notes.append("manual approval")
    if stage.uses is not None:
        notes.append(f"uses {stage.uses.name}")
    if stage.tests:
        notes.append(f"tests {', '.join(test.name for test in stage.tests)}")
    environment = workflow.environment(stage.environment) if stage.environment is not None else None
    if environment is not None:
        notes.append(f"into {environment.name}")
        notes.extend(_environment_notes(environment))
    return Node(stage.name, tuple(notes))


def _environment_notes(environment: WorkflowEnvironment) -> tuple[str, ...]:
    percents = " ".join(f"{percent}%" for percent in environment.steps)
    notes = [f"{environment.strategy} {percents}"]
    if environment.gates:
        notes.append(f"gates {', '.join(dict.fromkeys(gate.kind for gate in environment.gates))}")
    return tuple(notes)


def _batches(before: Mapping[str, tuple[str, ...]], path: str) -> list[tuple[str, ...]]:
    from graphlib import CycleError, TopologicalSorter

    rank = {name: index for index, name in enumerate(before)}
    sorter: Any = TopologicalSorter(before)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise InputError(
            f"stages wait for each other: {circle}", "remove one of these 'requires'", place=path
        ) from error
    found = []
    while sorter.is_active():
        ready = sorter.get_ready()
        found.append(tuple(sorted(ready, key=rank.__getitem__)))
        sorter.done(*ready)
    return found
