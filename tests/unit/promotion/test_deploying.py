"""What promotions refuse to deploy with."""

from __future__ import annotations

from pathlib import Path

import pytest

from f0ci.core.errors import InputError
from f0ci.promotion.deploying import refuse_waiting
from f0ci.runner.executing import load_checked_closure
from f0ci.source.project import Project
from f0ci.source.tree import DirectoryTree
from tests.conftest import write_files

SHIP = "metadata: {name: ship}\nsteps:\n  - {name: ship, run: ./ship.sh}\n"
CALLS = SHIP + "  - {name: more, type: sub_recipe, recipe_path: recipes/inner.yaml}\n"
WAITS = "metadata: {name: inner}\nsteps:\n  - {name: ask, type: wait, args: {approval: true}}\n"


def refused(root: Path) -> None:
    refuse_waiting(load_checked_closure(DirectoryTree(root), Project(), "recipes/deploy.yaml"))


def test_a_deploy_recipe_that_waits_is_refused_with_its_place(tmp_path: Path) -> None:
    write_files(tmp_path, {"recipes/deploy.yaml": CALLS, "recipes/inner.yaml": WAITS})
    with pytest.raises(InputError, match="step 'ask' waits, and a promotion runs its deploy recipe") as caught:
        refused(tmp_path)
    assert caught.value.place == "recipes/inner.yaml:3:5"
    assert "approval_required" in str(caught.value.hint)


def test_a_deploy_recipe_that_does_not_wait_is_run(tmp_path: Path) -> None:
    write_files(tmp_path, {"recipes/deploy.yaml": SHIP})
    refused(tmp_path)
