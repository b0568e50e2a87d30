"""The lines of a recipe's shell commands, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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


def commands_of(recipe: Recipe, workspace: Workspace, *words: str) -> Sequence[tuple[Step, str]]:
    """Return the shell commands of a recipe, each with its step, where any of them holds one of some words."""
    commands, text = workspace.once("commands", recipe, _commands)
    return commands if any(map(text.__contains__, words)) else ()


def _commands(recipe: Recipe) -> tuple[Sequence[tuple[Step, str]], str]:
    """Return the commands, and all of them as one text: what is not in that is in none."""
    found = [(step, step.run) for step in recipe.steps if step.run is not None and step.kind == "shell"]
    return found, "\n".join([command for _, command in found])


def lines_of(recipe: Recipe, workspace: Workspace, *words: str) -> Iterator[CommandLine]:
    """Yield every line of the shell commands that hold one of some words, but for comments and empty lines."""
    for step, command in commands_of(recipe, workspace, *words):
        if not any(map(command.__contains__, words)):
            continue
        at = (*step.at, "run" if step.raw.get("run") == command else "command")
        offset = 0
        for number, text in enumerate(command.split("\n")):
            if text.strip() and not text.lstrip().startswith("#"):
                yield CommandLine(recipe, step, text, at, offset, number)
            offset += len(text) + 1
