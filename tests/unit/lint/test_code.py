"""What the rules say of scriptlets is what the runner meets: each finding of the cases is tried for real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from f0ci.core.errors import StepError
from f0ci.lint.code import Code, Missing, Module
from f0ci.lint.python_source import LARGEST, MOST_SIGNS, read_source
from f0ci.recipes.model import Dialect, Recipe
from f0ci.recipes.reading import read_recipe
from f0ci.runner.modules import find_target, importing_from
from f0ci.source.tree import DirectoryTree, MemoryTree
from tests.conftest import write_files
from tests.unit.lint.running import lint_files

RULES = ("module-missing", "function-missing", "class-without-run")
CASES = [
    pytest.param(rule, case, id=f"{rule}: {case['name']}")
    for rule in RULES
    for case in yaml.safe_load((Path(__file__).parents[2] / f"cases/rules/{rule}.yaml").read_text(encoding="utf-8"))
    if case.get("findings")
]


def can_run(recipe: Recipe, index: int, root: Path) -> bool:
    """Tell whether the runner finds what a step names, and something in it to call."""
    step = recipe.steps[index]
    assert step.module is not None
    assert step.function is not None
    fallback = "scriptlets" if recipe.dialect is Dialect.TEMPLATE else None
    with importing_from(root):
        try:
            target = find_target(step.module, step.function, root, fallback=fallback)
        except StepError:
            return False
    return callable(target) and (
        not isinstance(target, type) or any(hasattr(target, name) for name in ("run", "execute"))
    )


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_what_is_found_cannot_be_run(rule: str, case: dict[str, Any], tmp_path: Path) -> None:
    """A finding is true: the step stops the run."""
    write_files(tmp_path, case["files"])
    tree = DirectoryTree(tmp_path)
    found = [one for one in lint_files(case["files"]) if one.rule == rule]

    assert found
    for one in found:
        recipe = read_recipe(tree, one.location.path)
        [index] = [i for i, step in enumerate(recipe.steps) if f"step {step.name!r}:" in one.message]
        assert not can_run(recipe, index, tmp_path), one.message


@pytest.mark.parametrize("project", ["enterprise", "zoo"])
def test_scriptlets_that_run_are_not_reported(project: str) -> None:
    """The runner's own example projects, whose recipes run."""
    root = Path(__file__).parents[2] / "projects/runner" / project
    files = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.suffix in {".py", ".yaml", ".json"} and "__pycache__" not in path.parts
    }

    assert [str(one) for one in lint_files(files) if one.rule in RULES] == []


def test_a_source_is_read_once() -> None:
    """Whatever the number of steps that name it."""

    class Counting(MemoryTree):
        reads: list[str]

        def read(self, path: str) -> bytes:
            self.reads.append(path)
            return super().read(path)

    tree = Counting({"a/__init__.py": b"", "a/b.py": b"class C: ...\n"})
    tree.reads = []
    code = Code(tree)
    for _ in range(3):
        module = code.find("a.b")
        assert isinstance(module, Module)
        assert code.class_of(module, "C") is not None
        assert isinstance(code.find("a.c"), Missing)

    assert sorted(tree.reads) == ["a/__init__.py", "a/b.py"]


@pytest.mark.parametrize(
    "raw",
    [
        b"def (",
        b"a = 1\0",
        b"\xff\xfe",
        b"(" * 5000,
        b"#" * (LARGEST + 1),
        b"x\n" * (MOST_SIGNS + 1),
        b"# coding: no-such\nx = 1\n",
    ],
)
def test_what_is_no_python_is_not_known(raw: bytes) -> None:
    """The linter says nothing about it, and does not fail."""
    assert read_source("a.py", raw) is None


def test_a_doubtful_escape_is_not_our_business() -> None:
    """Python warns about it; the linter of recipes does not."""
    assert read_source("a.py", b"x = '\\d'\n") is not None
