"""A module that is imported when something of it is asked for."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

from f0ci.core.late import imported_late


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Offer a package whose parts can be imported, and forget it afterwards."""
    (tmp_path / "slow_package").mkdir()
    (tmp_path / "slow_package" / "__init__.py").write_text("ANSWER = 42\n")
    (tmp_path / "slow_package" / "part.py").write_text("ANSWER = 43\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("slow_package", "slow_package.part"):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, name)
    return "slow_package"


def test_who_imports_it_meanwhile_has_it_at_the_first_use(module: str) -> None:
    with imported_late(module):
        late = import_module(module)

    assert module not in sys.modules
    assert late.ANSWER == 42
    assert sys.modules[module] is not late


def test_it_can_be_used_at_once(module: str) -> None:
    with imported_late(module):
        late = import_module(module)

        assert late.ANSWER == 42

    assert sys.modules[module].ANSWER == 42


def test_a_part_of_it_brings_the_whole(module: str) -> None:
    with imported_late(module):
        part = import_module(f"{module}.part")

    assert part.ANSWER == 43
    assert sys.modules[module].ANSWER == 42


def test_what_is_imported_already_stays(module: str) -> None:
    real = import_module(module)

    with imported_late(module):
        assert import_module(module) is real

    assert sys.modules[module] is real


def test_what_it_does_not_have_is_said_as_always(module: str) -> None:
    with imported_late(module):
        late = import_module(module)

    with pytest.raises(AttributeError, match="QUESTION"):
        _ = late.QUESTION
