"""Importing a tree's modules without leaving a trace."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from f0ci.core.errors import StepError
from f0ci.runner.modules import describe, find_target, importing_from


def write(root: Path, files: dict[str, str]) -> Path:
    """Write files below a folder."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.mark.parametrize("marker", ["zoo_of_old/__init__.py", "zoo_of_old.py"])
def test_a_module_from_elsewhere_steps_aside_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marker: str
) -> None:
    old, child = ModuleType("zoo_of_old"), ModuleType("zoo_of_old.child")
    old.__file__ = str(tmp_path / "elsewhere" / "zoo_of_old" / "__init__.py")
    monkeypatch.setitem(sys.modules, "zoo_of_old", old)
    monkeypatch.setitem(sys.modules, "zoo_of_old.child", child)
    root = write(tmp_path / "root", {marker: "NAME = 'new'\n"})

    with importing_from(root):
        assert importlib.import_module("zoo_of_old").NAME == "new"
        assert "zoo_of_old.child" not in sys.modules

    assert sys.modules["zoo_of_old"] is old
    assert sys.modules["zoo_of_old.child"] is child


@pytest.mark.parametrize("name", ["json", "yaml", "f0ci", "pytest"])
def test_what_f0ci_needs_stays_unless_the_tree_really_offers_a_module(tmp_path: Path, name: str) -> None:
    before = importlib.import_module(name)
    root = write(tmp_path, {f"{name}/recipe.yaml": "steps: []\n"})

    with importing_from(root):
        assert importlib.import_module(name) is before


def test_a_tree_cannot_replace_what_f0ci_itself_imports(tmp_path: Path) -> None:
    import yaml

    root = write(tmp_path, {"yaml.py": "raise RuntimeError('hijacked')\n"})
    with importing_from(root):
        assert importlib.import_module("yaml") is yaml


def test_installed_modules_stay_even_where_the_tree_holds_the_virtual_environment(tmp_path: Path) -> None:
    site = write(tmp_path, {"venv/site-packages/installed_later.py": ""}) / "venv" / "site-packages"
    with importing_from(tmp_path):
        sys.path.insert(0, str(site))
        module = importlib.import_module("installed_later")
        sys.path.remove(str(site))

    assert sys.modules.pop("installed_later") is module


def test_a_framework_that_is_half_there_is_named(tmp_path: Path) -> None:
    root = write(tmp_path, {"orchestrator/__init__.py": "", "one.py": "import orchestrator.context\n"})

    with importing_from(root), pytest.raises(StepError, match=r"imports 'orchestrator\.context'") as caught:
        find_target("one", "One", root)

    assert caught.value.terminal
    assert "Framework0's own" in str(caught.value.hint)


def test_a_missing_library_is_named(tmp_path: Path) -> None:
    root = write(tmp_path, {"one.py": "import no_such_library.part\n"})

    with importing_from(root), pytest.raises(StepError, match="imports 'no_such_library'") as caught:
        find_target("one", "One", root)

    assert caught.value.hint == "install 'no_such_library' where f0ci runs, or keep it in the repository"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1 / 0\n", "ZeroDivisionError: division by zero at one.py:1"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3 at one.py:2"),
        ("x = (\n", "SyntaxError: '(' was never closed at one.py:1"),
    ],
)
def test_a_module_whose_import_fails_says_where(tmp_path: Path, code: str, words: str) -> None:
    root = write(tmp_path, {"one.py": code})

    with importing_from(root), pytest.raises(StepError) as caught:
        find_target("one", "One", root)

    assert caught.value.message == f"module 'one' cannot be imported: {words}"


def test_a_name_that_two_submodules_define_is_nobodys(tmp_path: Path) -> None:
    root = write(tmp_path, {"many/a.py": "class Twin: ...\n", "many/b.py": "class Twin: ...\n"})

    with importing_from(root), pytest.raises(StepError, match="has no class or function 'Twin'"):
        find_target("many", "Twin", root)


def test_an_error_outside_the_tree_has_no_place(tmp_path: Path) -> None:
    assert describe(ValueError(), tmp_path) == "ValueError"
