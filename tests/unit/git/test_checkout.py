from __future__ import annotations

from pathlib import Path

from f0ci.git.checkout import checkout_of
from tests.conftest import git


def test_the_nearest_checkout_counts(tmp_path: Path) -> None:
    """A work tree beside its repository has a file called `.git`; a repository may lie in another."""
    outer, inner = tmp_path / "outer", tmp_path / "outer/inner"
    for folder in (outer, inner):
        folder.mkdir()
        git(folder, "init", "--quiet")
    (inner / "a/b").mkdir(parents=True)
    (outer / "x").mkdir()
    (outer / "x/.git").write_text("gitdir: elsewhere\n", encoding="utf-8")

    assert checkout_of(inner / "a/b") == checkout_of(inner) == inner
    assert checkout_of(outer / "x") == outer / "x"
    assert checkout_of(outer) == outer
    assert checkout_of(tmp_path) is None
