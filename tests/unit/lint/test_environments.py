from __future__ import annotations

from pathlib import Path

import pytest

from f0ci.lint.environments import find_environment_sets, layer_root, may_configure
from f0ci.source.project import Project, load_project
from f0ci.source.tree import DirectoryTree, MemoryTree, Tree


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("a: 1\n" if path.endswith(".yaml") else "")


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("environments/dev/config.json", "environments"),
        ("a/envs/dev/config.yml", "a/envs"),
        ("environments/base.yaml", "environments"),
        ("environments/dev/config.toml", None),
        ("environments/dev/notes.yaml", None),
        ("config.yaml", ""),
    ],
)
def test_layer_root(path: str, root: str | None) -> None:
    """A layer's name says which folder of environments it would belong to."""
    assert layer_root(path) == root


def test_a_folder_that_the_settings_name_may_be_called_anything() -> None:
    """Then it alone counts, whatever others are called."""
    tree = MemoryTree({"f0ci.yaml": b"environments: deploy/envs\n"})
    project = load_project(tree)

    assert may_configure("deploy/envs/dev/config.yaml", project)
    assert may_configure("deploy/envs/base.json", project)
    assert not may_configure("environments/dev/config.yaml", project)
    assert may_configure("environments/dev/config.yaml", Project())


@pytest.mark.parametrize("on_disk", [True, False])
def test_bare_folders(tmp_path: Path, on_disk: bool) -> None:
    """A folder without a configuration is bare where its name or its emptiness says that one was meant."""
    write(tmp_path, "environments/dev/config.yaml", "environments/shared/a.yaml", "environments/qa/readme.md")
    write(tmp_path, "environments/canary/.gitkeep", "environments/.hidden/x")
    (tmp_path / "environments/staging").mkdir()
    disk = DirectoryTree(tmp_path)
    tree: Tree = disk if on_disk else MemoryTree({path: disk.read(path) for path in disk.files()})
    [members] = find_environment_sets(tree, Project(), list(tree.files()))

    # only a disk knows of a folder without any file
    assert members.bare == (("canary", "qa", "staging") if on_disk else ("canary", "qa"))


def test_an_environment_that_cannot_be_loaded_is_known_all_the_same() -> None:
    """It has a configuration; what is wrong with it is another matter."""
    tree = MemoryTree({"environments/dev/config.yaml": b"a: 1\n", "environments/prod/config.yaml": b"extends: no\n"})
    [members] = find_environment_sets(tree, Project(), list(tree.files()))

    assert [environment.name for environment in members.environments] == ["dev"]
    assert members.names == ("dev", "prod")
    assert members.has("production")
    assert not members.has("staging")
