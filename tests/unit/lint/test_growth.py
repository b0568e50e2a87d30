"""Twice as large a file costs about twice as much, whatever is in it: counted in calls, not in seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from tests.unit.lint.running import lint_files

_HEAD = "metadata: {name: example}\n"
# beyond what caches of expressions hold
_SMALL, _LARGE = 1200, 3600


def _steps(line: Callable[[int, int], str]) -> Callable[[int], str]:
    return lambda n: _HEAD + "steps:\n" + "".join(line(i, n) for i in range(n))


def _parameters(n: int) -> str:
    declared = "".join(f"  - {{name: p{i}, default: {i}}}\n" for i in range(n))
    env = "".join(f"      V{i}: '#{{params.p{i} == {n}{i}}}'\n" for i in range(n))
    return f"{_HEAD}parameters:\n{declared}steps:\n  - name: a\n    run: echo\n    env:\n{env}"


CASES: dict[str, Callable[[int], str]] = {
    "parameters with defaults": _parameters,
    "misspelt dependencies": _steps(lambda i, _: f"  - {{name: step_{i}, run: echo, depends_on: [stap_{i}]}}\n"),
    "comments that ignore": _steps(lambda i, _: f"  # f0ci: ignore[plain-http]\n  - {{name: s{i}, run: echo}}\n"),
    "a circle": _steps(lambda i, n: f"  - {{name: s{i}, run: echo, depends_on: [s{(i + 1) % n}]}}\n"),
    "conditions": _steps(lambda i, n: f"  - {{name: s{i}, run: echo, condition: '#{{config.x == {n}{i}}}'}}\n"),
    "doubtful versions": lambda n: f"{_HEAD}x: [{', '.join(f'1.{n}{i}0' for i in range(n))}]\nsteps: []\n",
}


def _calls(text: str) -> int:
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    files = {"recipes/a.yaml": text, "environments/dev/config.yaml": "x: 1\n"}
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        lint_files(files)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("name", CASES)
def test_work_grows_with_the_file(name: str) -> None:
    _calls(CASES[name](_SMALL - 1))  # what is done once is done now, with other numbers

    small, large = _calls(CASES[name](_SMALL)), _calls(CASES[name](_LARGE))

    assert large <= 1.3 * (_LARGE / _SMALL) * small
