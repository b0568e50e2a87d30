"""The command line in this process: exit code, stdout, stderr."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from f0ci.cli.boundary import run
from tests.line.conftest import Answer

Command = Callable[..., Answer]


@pytest.fixture
def f0ci(capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs a command in a folder: `f0ci(folder, "validate")`."""
    return commands(capsys)


def commands(capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs a command in a folder, in this process."""

    def call(folder: Path, *args: str) -> Answer:
        capsys.readouterr()
        code = run(["-C", str(folder), *args])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call
