"""The lines of a recipe's shell commands, each with its place."""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Span
from f0ci.core.values import dataclass
from f0ci.lint.lines import split_lines
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe, Step
from f0ci.source.reading import Path


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One line of a command.

    Attributes:
        recipe: whose command it is.
        step: the step that runs it.
        text: the line without its comment; what stands in quotes stays.
        at: path of the command.
        offset: where the line begins inside the command, in code points.
        number: which of the command's lines it is, from 0.
    """

    recipe: Recipe
    step: Step
    text: str
    at: Path
    offset: int
    number: int

    def place(self, start: int, text: str) -> tuple[Path | Span, tuple[int, int] | None]:
        """Return where a part of the line stands, as a finding takes it: `at` and `within`."""
        document = self.recipe.document
        span = document.span(self.at)
        if span.line == span.end_line:
            return self.at, (self.offset + start, len(text))
        lines = split_lines(document.path, document.raw)
        # a block is written line by line behind its mark; anything else is placed as a whole
        line = span.line + 1 + self.number
        written = lines[line - 1] if line <= len(lines) else ""
        column = written.find(text)
        if column < 0:
            return self.at, None
        return Span(line, column + 1, line, column + 1 + len(text)), None


def shell_steps(recipe: Recipe, workspace: Workspace) -> tuple[Step, ...]:
    """Return the steps that run a shell command."""
    return workspace.once("shell steps", recipe, _shell_steps)


def _shell_steps(recipe: Recipe) -> tuple[Step, ...]:
    return tuple(step for step in recipe.steps if step.run is not None and step.kind == "shell")


def lines_of(recipe: Recipe, workspace: Workspace, *words: str) -> Iterator[CommandLine]:
    """Yield every line of the shell commands that hold one of some words, but for comments and empty lines."""
    for step in shell_steps(recipe, workspace):
        if step.run is None or not any(map(step.run.__contains__, words)):
            continue
        at = (*step.at, "run" if step.raw.get("run") == step.run else "command")
        offset = 0
        for number, text in enumerate(step.run.split("\n")):
            if text.strip() and not text.lstrip().startswith("#"):
                yield CommandLine(recipe, step, text, at, offset, number)
            offset += len(text) + 1
