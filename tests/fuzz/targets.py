"""What may be given any bytes: each takes them, and raises where f0ci does not do what it promises for any input."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from f0ci.core.errors import F0ciError
from f0ci.environments.loading import load_environment
from f0ci.expressions.evaluation import evaluate
from f0ci.expressions.parsing import ExpressionError, parse, parse_condition, references
from f0ci.lint.engine import examine
from f0ci.lint.workspace import load_workspace
from f0ci.render import template_sandbox
from f0ci.render.rendering import ReleaseInfo, render
from f0ci.render.templates import Templates, with_parts
from f0ci.source.json import read_json
from f0ci.source.native_yaml import native_reader, python_reader
from f0ci.source.project import Project
from f0ci.source.reading import MAX_DEPTH, Positions, Reading
from f0ci.source.tree import MemoryTree
from f0ci.source.yaml import read_exactly, read_yaml

MOST_SECONDS = 2.0
_BESIDE = {
    "recipes/called.yaml": b"metadata: {name: called}\nparameters:\n  - {name: a, required: true}\nsteps: []\n",
    "environments/dev/config.yaml": b"a: {b: 1}\n",
    "scriptlets/load.py": b"class Load:\n    def run(self, context): ...\n",
}
_VALUES = {"params": {"a": "x", "n": 3}, "config": {"a": {"b": [1, 2]}}, "steps": {}, "environment": "dev"}


class Broken(Exception):
    """A promise that was not kept."""


def documents(data: bytes) -> None:
    """Lint any bytes, as a recipe, a workflow and a configuration at once.

    Raises:
        Broken: a rule failed, a finding points outside the file, or it took too long.
    """
    begun = time.process_time()
    paths = ("recipes/any.yaml", "recipes/any.json", "workflow.yaml", "environments/prod/config.yaml")
    tree = MemoryTree({**_BESIDE, **dict.fromkeys(paths, data)})
    for one in examine(load_workspace(tree, Project())).diagnostics:
        span = one.location.span
        if one.rule == "internal-error":
            raise Broken(one.message)
        if not 1 <= span.line <= span.end_line or span.column < 1 or span.end_column < 1:
            raise Broken(f"{one.rule} stands nowhere: {span}")
    _in_time(begun)


def readers(data: bytes) -> None:
    """Read any bytes with and without positions: two ways through YAML and JSON.

    Raises:
        Broken: they read something else, or it took too long.
    """
    begun = time.process_time()
    for read in (read_yaml, read_json):
        plain, placed = read(data), read(data, positions=True)
        if repr((plain.data, plain.problems, plain.broken)) != repr((placed.data, placed.problems, placed.broken)):
            raise Broken("the same bytes read as something else where positions are asked for")
    _in_time(begun)


def natives(data: bytes) -> None:
    """Read any bytes with the reader in C and with those in Python.

    Raises:
        Broken: they read something else, or one stepped aside where the other did not.
    """
    native, python = native_reader(), python_reader("a comparison")
    plain = native.plain(data, MAX_DEPTH)
    if repr(plain) != repr(python.plain(data, MAX_DEPTH)):
        raise Broken("the reader in C reads something else than the plain one in Python")
    placed = native.placed(data, MAX_DEPTH) if native.placed is not None else None
    if (placed is None) != (plain is None):
        raise Broken("the reader in C steps aside only with positions, or only without")
    if placed is None:
        return
    exact = Reading(positions=Positions())
    read_exactly(data, exact)
    positions = Positions(values=placed[1], keys=placed[2])
    if repr(Reading(data=placed[0], positions=positions)) != repr(exact):
        raise Broken("the reader in C reads something else than the exact one in Python")


def expressions(data: bytes) -> None:
    """Read and evaluate any text as an expression.

    Raises:
        Broken: it took too long, or a reference does not stand where it says.
    """
    begun = time.process_time()
    text = data.decode("utf-8", "replace")
    for read in (parse, parse_condition):
        try:
            template = read(text)
        except ExpressionError as error:
            if not 0 <= error.offset <= len(text):
                raise Broken(f"the error stands outside of the text: {error.offset}") from error
            continue
        for reference in references(template):
            if text[reference.offset : reference.end] != reference.text:
                raise Broken(f"{reference.text!r} does not stand at {reference.offset}")
    for whole in (text, f"#{{{text}}}"):
        try:
            evaluate(whole, _VALUES)
        except (ExpressionError, F0ciError):
            continue
    _in_time(begun)


def configurations(data: bytes) -> None:
    """Render with any bytes as a recipe, as the base of a configuration, as its overlay, and as its schema.

    Raises:
        Broken: it took too long, or the second time gave something else.
    """
    begun = time.process_time()
    whole = {**_BESIDE, "environments/dev/eu/config.yaml": b"a: {b: '#{overlay}'}\n"}
    for path in (
        "recipes/any.yaml",
        "environments/base.yaml",
        "environments/dev/eu/config.yaml",
        "schemas/config.schema.json",
    ):
        found = [_rendered(MemoryTree({**whole, path: data})) for _ in range(2)]
        if found[0] != found[1]:
            raise Broken(f"{path} renders to something else the second time")
    _in_time(begun)


def _rendered(tree: MemoryTree) -> object:
    try:
        environment = load_environment(tree, Project(), "dev/eu")
        return render(tree, Project(), environment, None, ReleaseInfo("ab" * 32)).files
    except F0ciError as error:
        return str(error)


def templates(data: bytes) -> None:
    """Render any bytes as a template.

    Raises:
        Broken: it took too long.
    """
    begun = time.process_time()
    path, scope = "templates/any.yaml.j2", {"release": with_parts("ab" * 32, {"id": "ab" * 6}), **_VALUES}
    most, template_sandbox.MAX_STEPS = template_sandbox.MAX_STEPS, 100_000
    try:
        list(Templates(MemoryTree({path: data}), "templates", [path]).render([path], scope))
    except F0ciError:
        pass
    finally:
        template_sandbox.MAX_STEPS = most
    _in_time(begun)


def _in_time(begun: float) -> None:
    taken = time.process_time() - begun
    if taken > MOST_SECONDS:
        raise Broken(f"it took {taken:.1f} s")


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "documents": documents,
    "readers": readers,
    "natives": natives,
    "expressions": expressions,
    "configurations": configurations,
    "templates": templates,
}
