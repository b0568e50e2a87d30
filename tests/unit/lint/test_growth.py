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


def _get(number: int) -> str:
    return f"#{{context.get('x{number}')}}"


CASES: dict[str, Callable[[int], str]] = {
    "parameters with defaults": _parameters,
    "misspelt dependencies": _steps(lambda i, _: f"  - {{name: step_{i}, run: echo, depends_on: [stap_{i}]}}\n"),
    "comments that ignore": _steps(lambda i, _: f"  # f0ci: ignore[plain-http]\n  - {{name: s{i}, run: echo}}\n"),
    "a circle": _steps(lambda i, n: f"  - {{name: s{i}, run: echo, depends_on: [s{(i + 1) % n}]}}\n"),
    "conditions": _steps(lambda i, n: f"  - {{name: s{i}, run: echo, condition: '#{{config.x == {n}{i}}}'}}\n"),
    "comments that silence": _steps(
        lambda i, _: f"  - {{name: s{i}, run: echo, k{i}: 1}}  # f0ci: ignore[unknown-key] known\n"
    ),
    "keys of the context": _steps(
        lambda i, _: f'  - {{name: s{i}, module: a.b, success: {{ctx_has_keys: [k{i}]}}, args: {{x: "{_get(i)}"}}}}\n'
    ),
    "recipes that are missing": _steps(lambda i, _: f"  - {{name: s{i}, recipe_path: r{i}.yaml}}\n"),
    "doubtful versions": lambda n: f"{_HEAD}x: [{', '.join(f'1.{n}{i}0' for i in range(n))}]\nsteps: []\n",
}


def _calls(text: str, config: str = "x: 1\n") -> int:
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    files = {"recipes/a.yaml": text, "environments/dev/config.yaml": config}
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


def test_work_grows_with_the_references_between_keys() -> None:
    def config(n: int) -> str:
        return "k0: 1\n" + "".join(f"k{i}: '#{{config.k{i - 1}}}'\n" for i in range(1, n))

    recipe = f"{_HEAD}steps:\n  - {{name: a, run: echo}}\n"
    _calls(recipe, config(_SMALL - 1))

    small, large = _calls(recipe, config(_SMALL)), _calls(recipe, config(_LARGE))

    assert large <= 1.3 * (_LARGE / _SMALL) * small
