"""Pieces of a Jenkinsfile: strings that hold exactly a text, steps that run a script, blocks."""

from __future__ import annotations

from collections.abc import Iterable

from f0ci.pipelines.writers.base import label, script

_BASH = "#!/usr/bin/env bash\n"


def quoted(text: str) -> str:
    """Return a Groovy string that holds exactly a text: nothing is interpolated, line breaks stay readable."""
    fence = "'''" if "\n" in text else "'"
    return fence + "".join(_escaped(char) for char in text) + fence


def _escaped(char: str) -> str:
    if char in "\\'":
        return "\\" + char
    if char == "\n" or (char.isascii() and char.isprintable()):
        return char
    # in the halves that Java's strings are made of; no encoding of the file can change them
    halves = char.encode("utf-16-be")
    return "".join(f"\\u{halves[at]:02x}{halves[at + 1]:02x}" for at in range(0, len(halves), 2))


def sh(title: str, body: str) -> list[str]:
    """Return a step; its script is one element, whose lines are indented no further."""
    return [f"sh label: {quoted(label(title))}, script: {quoted(_BASH + script(body))}"]


def indented(lines: Iterable[str], by: int = 1) -> list[str]:
    """Return the lines of a block."""
    return ["    " * by + line for line in lines]


def choice(name: str, choices: list[str], description: str) -> str:
    """Return a parameter that is one of several texts."""
    listed = ", ".join(map(quoted, choices))
    return f"        choice(name: '{name}', choices: [{listed}], description: '{description}')"


def without_when(stage: list[str]) -> list[str]:
    """Return a stage that does not ask whether it runs."""
    begin, end = stage.index("    when {"), stage.index("    }")
    return stage[:begin] + stage[end + 1 :]
