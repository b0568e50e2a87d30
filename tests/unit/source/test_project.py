"""Where a repository keeps what."""

from __future__ import annotations

from pathlib import Path

import pytest

from f0ci.core.errors import InputError
from f0ci.source.project import Project, find_root, is_environment_config, load_project
from f0ci.source.tree import DirectoryTree, MemoryTree, subfolders


def test_a_repository_without_settings_has_the_defaults() -> None:
    assert load_project(MemoryTree({})) == Project()


@pytest.mark.parametrize("name", ["f0ci.yaml", "f0ci.yml"])
def test_settings_are_read_and_paths_shortened(name: str) -> None:
    text = "recipes: [./ops/recipes/]\nenvironments: conf/../envs\ncode: [src]\nbranch_prefix: shop\nremote: up\n"
    project = load_project(MemoryTree({name: text.encode()}))

    assert (project.recipes, project.environments, project.code) == (("ops/recipes",), "envs", ("src",))
    assert (project.branch_prefix, project.remote, project.workflow) == ("shop", "up", "workflow.yaml")
    assert project.document is not None
    assert project.document.path == name


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (b"recipe: [x]\n", "f0ci.yaml:1:1", "unknown key 'recipe'"),
        (b"remote: 3\n", "f0ci.yaml:1:9", "3 is a whole number, not text"),
        (b"x: [", "f0ci.yaml:1:4", None),
        (b"- a\n", "f0ci.yaml:1:1", '["a"] is a list, not a mapping'),
        (b"version: 1\nworkflow: ../w.yaml\n", "f0ci.yaml:2:11", "the path '../w.yaml' leaves the repository"),
        (b"templates: /srv\n", "f0ci.yaml:1:12", "the path '/srv' leaves the repository"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(text: bytes, place: str, message: str | None) -> None:
    with pytest.raises(InputError) as caught:
        load_project(MemoryTree({"f0ci.yaml": text}))

    assert caught.value.place == place
    assert message in (None, caught.value.message)


@pytest.mark.parametrize("mark", ["f0ci.yaml", "workflow.yaml", ".git"])
def test_the_root_is_the_nearest_marked_folder(tmp_path: Path, mark: str) -> None:
    folder = tmp_path / "top" / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "file").touch()
    assert find_root(folder) == folder

    (tmp_path / "top" / mark).touch()
    assert find_root(folder) == find_root(folder / "file") == tmp_path / "top"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("environments/dev/config.json", True),
        ("shop/environments/dev/config.yaml", True),
        ("environments/config.json", False),
        ("environments/dev/deep/config.json", False),
        ("envs/dev/config.yml", False),
        ("environments/dev/other.json", False),
    ],
)
def test_what_is_an_environments_configuration(path: str, expected: bool) -> None:
    assert is_environment_config(path) is expected


def test_subfolders_are_the_same_on_disk_and_in_memory(tmp_path: Path) -> None:
    for path in ("envs/dev/config.json", "envs/prod/deep/x", "envs/.hidden/x", "envs/file", "other/x"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "envs/empty").mkdir()
    disk = DirectoryTree(tmp_path)

    assert subfolders(disk, "envs") == ("dev", "empty", "prod")
    assert subfolders(MemoryTree(dict.fromkeys(disk.files(), b"")), "envs") == ("dev", "prod")
    assert subfolders(disk, "nowhere") == subfolders(MemoryTree({}), "nowhere") == ()
    assert subfolders(disk, "") == ("envs", "other")
