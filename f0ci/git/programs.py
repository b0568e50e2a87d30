"""Starting the programs that sign and check signatures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from f0ci.core.errors import GitError
from f0ci.core.values import dataclass
from f0ci.git.process import TOKEN_VARIABLE


@dataclass(frozen=True, slots=True)
class Answered:
    """What a program left behind."""

    code: int
    out: bytes
    err: str

    @property
    def says(self) -> str:
        """Return the last line of its standard error."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        return lines[-1] if lines else "it gave no reason"


def run_program(words: Sequence[str], content: bytes, *, hint: str, env: Mapping[str, str] | None = None) -> Answered:
    """Run a program with standard input and wait for it.

    Args:
        words: the program and its arguments.
        content: standard input.
        hint: how to get the program where it is missing.
        env: additions to the environment.

    Raises:
        GitError: there is no such program.
    """
    import subprocess

    environment = {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}
    environment |= {"LC_ALL": "C", "LANGUAGE": "C", **(env or {})}
    try:
        answer = subprocess.run(list(words), input=content, capture_output=True, env=environment, check=False)
    except (FileNotFoundError, PermissionError) as error:
        raise GitError(f"{words[0]} is not installed", hint) from error
    return Answered(answer.returncode, answer.stdout, answer.stderr.decode("utf-8", "replace"))
