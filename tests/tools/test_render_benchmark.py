"""What the benchmark of `f0ci render` relies on: both programs render the same, and one change is rendered alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.plain_jinja import render_all
from benchmarks.render import change, require_same
from benchmarks.render_sets import write_workspace
from f0ci.commands.rendering_many import check_in, environment_names, render_into


def test_both_render_the_same_and_a_change_is_rendered_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root, ours, plain = tmp_path / "work", tmp_path / "f0ci", tmp_path / "plain"
    write_workspace(root, environments=5, recipes=12, keys=90)
    targets = {name: ours / name for name in environment_names(root)}
    render_into(root, targets, ours)
    render_all(root, plain)

    require_same(ours, plain)
    change(root / "environments/env-03/config.yaml")
    written = {name: len(one.written.written) for name, one in render_into(root, targets, ours).items()}

    assert [name for name, count in written.items() if count > 2] == ["env-03"]
    assert not any(check_in(root, targets).values())
    (plain / "env-01/recipes/recipe_0000.yaml").write_text("steps: []\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="differs"):
        require_same(ours, plain)
