from __future__ import annotations

from collections.abc import Mapping

import pytest

from f0ci.lint.source import Kind
from f0ci.lint.workspace import Workspace, load_workspace
from f0ci.source.project import load_project
from f0ci.source.tree import MemoryTree
from tests.unit.lint.running import RECIPE

WORKFLOW = "apiVersion: framework0.io/v1\nkind: ProductionWorkflow\nspec: {environments: {dev: {}}}\n"


def workspace_of(files: Mapping[str, str], *named: str) -> Workspace:
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    return load_workspace(tree, load_project(tree), named or None)


def kinds(workspace: Workspace) -> dict[str, str]:
    return {source.path: str(source.kind) for source in workspace.sources()}


def test_files_are_known_by_place_and_content() -> None:
    """What a file is follows from its name where that says enough, else from what it holds."""
    files = {
        "f0ci.yaml": "version: 1\n",
        ".f0ci/approvers.yaml": "people: {}\n",
        "workflow.yaml": WORKFLOW,
        "ci/other.yml": WORKFLOW,
        "recipes/a.yaml": RECIPE,
        "anywhere/b.yml": "test_meta: {test_id: 1}\nsteps: []\n",
        "environments/base.yaml": "a: 1\n",
        "environments/dev/config.json": "{}",
        "deep/environments/prod/config.yml": "a: 1\n",
        "k8s/service.yaml": "kind: Service\nsteps: []\n",
        ".github/workflows/ci.yml": "on: push\njobs: {a: {steps: [{run: x}]}}\n",
        "values.yaml": "a: 1\n",
        "package.json": '{"steps": []}',
        "notes.md": "steps:",
    }

    assert kinds(workspace_of(files)) == {
        ".f0ci/approvers.yaml": "approvers",
        "anywhere/b.yml": "recipe",
        "ci/other.yml": "workflow",
        "deep/environments/prod/config.yml": "environment",
        "environments/base.yaml": "environment",
        "environments/dev/config.json": "environment",
        "f0ci.yaml": "project",
        "recipes/a.yaml": "recipe",
        "workflow.yaml": "workflow",
    }


@pytest.mark.parametrize(
    ("path", "text", "known"),
    [
        pytest.param("recipes/a.yaml", "x: [", True, id="anything in the library"),
        pytest.param("other/a.yaml", "steps: [", True, id="a recipe elsewhere"),
        pytest.param("other/a.yaml", "kind: ProductionWorkflow\nspec: [", True, id="a workflow elsewhere"),
        pytest.param("other/a.yaml", "kind: Pod\nsteps: [", False, id="what says that it is something else"),
        pytest.param("other/a.yaml", "jobs: {a: {steps: [", False, id="steps further down"),
        pytest.param("environments/dev/config.json", "{", True, id="a configuration"),
    ],
)
def test_a_broken_file_is_ours_where_it_says_so(path: str, text: str, known: bool) -> None:
    """A syntax error of somebody else's file is somebody else's."""
    assert (path in kinds(workspace_of({path: text}))) is known


def test_named_folders_keep_the_search_inside() -> None:
    """A repository that names its folders is not searched elsewhere, so that test data may be as bad as it likes."""
    files = {
        "f0ci.yaml": "recipes: [recipes/]\nenvironments: environments\n",
        "recipes/a.yaml": RECIPE,
        "tests/data/bad.yaml": "steps: [",
        "tests/data/environments/dev/config.yaml": "a: [",
        "environments/dev/config.yaml": "a: 1\n",
    }
    workspace = workspace_of(files)

    assert list(kinds(workspace)) == ["environments/dev/config.yaml", "f0ci.yaml", "recipes/a.yaml"]
    assert [members.root for members in workspace.environment_sets] == ["environments"]


def test_a_named_folder_is_searched_wherever_it_is() -> None:
    """Whoever names a folder wants to hear of it, even where the settings look elsewhere."""
    files = {
        "f0ci.yaml": "recipes: [recipes]\n",
        "recipes/a.yaml": RECIPE,
        "lib/b.yaml": RECIPE,
        "lib/c.yaml": "a: 1\n",
    }

    assert kinds(workspace_of(files, "lib")) == {"lib/b.yaml": "recipe"}


def test_naming_a_file_reads_it_whatever_it_is() -> None:
    """Somebody who names a file hears of it."""
    files = {"k8s/service.yaml": "kind: Service\n", "src/main.py": "print()", "recipes/a.yaml": RECIPE}

    assert kinds(workspace_of(files, "k8s/service.yaml", "src/main.py")) == {
        "k8s/service.yaml": "other",
        "src/main.py": "other",
    }


def test_embedders_find_everything_by_path() -> None:
    """Documents, recipes, environments and the workflow are there as a whole, too."""
    workspace = workspace_of(
        {"workflow.yaml": WORKFLOW, "recipes/a.yaml": RECIPE, "environments/dev/config.yaml": "a: 1\n"}
    )

    assert list(workspace.documents) == ["environments/dev/config.yaml", "recipes/a.yaml", "workflow.yaml"]
    assert list(workspace.recipes) == ["recipes/a.yaml"]
    assert [environment.name for environment in workspace.environments] == ["dev"]
    assert workspace.workflow is not None
    assert [environment.name for environment in workspace.workflow.environments] == ["dev"]


def test_a_recipe_that_others_refer_to_need_not_be_named() -> None:
    """Naming restricts what is reported, not what is read."""
    workspace = workspace_of({"recipes/a.yaml": RECIPE, "lib/b.yaml": RECIPE, "lib/c.txt": "x"}, "recipes/a.yaml")

    assert workspace.recipe("lib/b.yaml") is not None
    assert workspace.recipe("lib/nothing.yaml") is None
    assert workspace.recipe("lib/c.txt") is None
    assert workspace.source("lib/b.yaml") is workspace.source("lib/b.yaml")


@pytest.mark.parametrize(
    ("path", "root"),
    [
        pytest.param("one/recipes/a.yaml", "one/environments", id="around it"),
        pytest.param("one/deep/recipes/a.yaml", "one/deep/environments", id="the nearest of several"),
        pytest.param("recipes/a.yaml", None, id="none of several"),
    ],
)
def test_environments_of_a_recipe(path: str, root: str | None) -> None:
    """A recipe runs in the environments that stand nearest above it."""
    roots = ("one", "one/deep", "two")
    workspace = workspace_of({f"{folder}/environments/dev/config.yaml": "a: 1\n" for folder in roots})
    members = workspace.environments_of(path)

    assert (members and members.root) == root


def test_environments_of_a_recipe_far_away_are_the_only_ones() -> None:
    """Where there is one set there is no doubt."""
    members = workspace_of({"one/environments/dev/config.yaml": "a: 1\n"}).environments_of("recipes/a.yaml")

    assert members is not None
    assert members.names == ("dev",)


def test_kinds_are_names_of_schemas() -> None:
    """Each kind that f0ci reads has its schema."""
    from f0ci.source.schema import NAMES

    assert {kind.value for kind in Kind} - {"other"} <= set(NAMES)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        pytest.param("steps:\n  - script: make\n    displayName: build\n", False, id="Azure Pipelines"),
        pytest.param("parameters:\n  - {name: a}\nsteps:\n  - task: X@1\n    name: x\n", False, id="its templates"),
        pytest.param("steps:\n  - {name: gcr.io/builders/docker, args: [build]}\n", False, id="Cloud Build"),
        pytest.param("steps:\n  - {label: tests, command: make, key: a}\n  - wait\n", False, id="Buildkite"),
        pytest.param("steps:\n  - {name: a, image: go, commands: [make]}\n", False, id="Woodpecker"),
        pytest.param("description: x\nparameters: {a: {type: string}}\nsteps:\n  - run: make\n", False, id="CircleCI"),
        pytest.param("version: '1.0'\nsteps:\n  build: {type: build}\n", False, id="Codefresh"),
        pytest.param("steps: 500\nrate: 0.1\n", False, id="a number"),
        pytest.param("steps:\n  - do this\n  - do that\n", False, id="a guide"),
        pytest.param("steps:\n  - {name: a, run: make}\n", True, id="a command"),
        pytest.param("steps:\n  - {name: a, type: shell}\n", True, id="a type"),
        pytest.param("steps:\n  - {scriptlet: a.py}\n", True, id="a scriptlet"),
        pytest.param("metadata: {name: a}\nsteps: none\n", True, id="what is no list of steps, under a head"),
        pytest.param("test_meta: {test_id: 1}\n", True, id="a test"),
    ],
)
def test_elsewhere_a_recipe_has_to_look_like_one(text: str, *, known: bool) -> None:
    """Others call their steps so too; among the recipes, and where it is named, a file with `steps` is one."""
    assert kinds(workspace_of({"ci/build.yml": text})) == ({"ci/build.yml": "recipe"} if known else {})
    assert kinds(workspace_of({"ci/build.yml": text}, "ci/build.yml")) == {"ci/build.yml": "recipe"}
    assert kinds(workspace_of({"recipes/build.yml": text})) == {"recipes/build.yml": "recipe"}
