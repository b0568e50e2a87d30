from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from f0ci import __version__
from f0ci.core.canonical import pretty_json
from f0ci.core.errors import InputError, UsageError
from f0ci.environments.loading import load_environment
from f0ci.expressions.evaluation import evaluate
from f0ci.git.repository import Repository
from f0ci.recipes.composition import find_recipe, load_closure, sub_recipes
from f0ci.recipes.reading import read_recipe
from f0ci.render.rendering import ReleaseInfo, RenderedTree, render
from f0ci.source.project import load_project
from f0ci.source.tree import DirectoryTree, MemoryTree, Tree
from f0ci.workflows.model import Deploy, WorkflowEnvironment
from f0ci.workflows.rollouts import traffic_document
from tests.conftest import Golden
from tests.unit.environments.workspaces import DEV, PROD, workspace

_SHOP = Path(__file__).parents[2] / "cases/render/shop/input"
_RELEASE = ReleaseInfo("0123456789abcdef" * 4)
_RECIPE = {"recipes/a.yaml": "metadata: {name: a}\nsteps: []\n"}


def _render(tree: Tree, name: str = "dev", release: ReleaseInfo | None = _RELEASE, **options: Any) -> RenderedTree:
    project = load_project(tree)
    environment = load_environment(tree, project, name)
    return render(tree, project, environment, options.pop("workflow_environment", None), release, **options)


def _same_for_every_version(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path: content.replace(__version__.encode(), b"VERSION") for path, content in files.items()}


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_a_whole_workspace(name: str, golden: Golden) -> None:
    rendered = _render(DirectoryTree(_SHOP), name)

    golden.check_tree(f"render/shop/{name}", _same_for_every_version(dict(rendered.files)))
    golden.check(f"render/shop/{name}.provenance.json", pretty_json(rendered.provenance))
    assert list(rendered.files) == sorted(rendered.files)


def test_a_commit_renders_as_its_folder(make_repository: Callable[..., Path]) -> None:
    files = {path.relative_to(_SHOP).as_posix(): path.read_bytes() for path in _SHOP.rglob("*") if path.is_file()}
    tree = Repository.open(make_repository("shop", files)).tree("HEAD")

    assert _render(tree, "prod").files == _render(DirectoryTree(_SHOP), "prod").files


_PROGRAM = """
import hashlib, sys
from pathlib import Path
from f0ci.environments.loading import load_environment
from f0ci.render.rendering import ReleaseInfo, render
from f0ci.source.project import load_project
from f0ci.source.tree import DirectoryTree
tree = DirectoryTree(Path(sys.argv[1]))
project = load_project(tree)
rendered = render(tree, project, load_environment(tree, project, "prod"), None, ReleaseInfo("ab" * 32))
everything = repr((sorted(rendered.files.items()), rendered.provenance)).encode()
print(hashlib.sha256(everything).hexdigest())
"""


def test_the_surroundings_change_nothing(tmp_path: Path) -> None:
    surroundings: list[tuple[dict[str, str], Path]] = [
        ({"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C"}, tmp_path),
        ({"PYTHONHASHSEED": "2", "TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8"}, _SHOP),
        ({"PYTHONHASHSEED": "77", "TZ": "America/St_Johns", "PYTHONUTF8": "1", "CONFIG": "x"}, Path("/")),
    ]

    found = set()
    for variables, folder in surroundings:
        answer = subprocess.run(
            [sys.executable, "-c", _PROGRAM, str(_SHOP)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **variables},
            capture_output=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr.decode()
        found.add(answer.stdout)

    assert len(found) == 1


def test_twice_is_the_same() -> None:
    tree = DirectoryTree(_SHOP)

    assert _render(tree, "prod") == _render(tree, "prod")


def test_a_rendered_recipe_means_what_the_recipe_means() -> None:
    tree = DirectoryTree(_SHOP)
    rendered = MemoryTree(dict(_render(tree, "dev").files))
    config = json.loads(rendered.read("config.json"))
    known = {"config": config, "environment": "dev", "release": _RELEASE.digest}
    run = {
        "params": {"day": "monday", "greeting": "hi"},
        "greeting": "hi",
        "steps": {"load": {"outputs": {"count": 5}}},
        "context": {"orders": 1},
    }

    compared = 0
    for path in load_closure(tree, "recipes/orders.yaml"):
        written, resolved = (
            read_recipe(tree, path),
            read_recipe(rendered, path if path[:8] == "recipes/" else f"recipes/{path}"),
        )
        for before, after in zip(written.steps, resolved.steps, strict=True):
            assert evaluate(before.arguments, {**known, **run}) == evaluate(after.arguments, {**known, **run})
            assert evaluate(before.env, {**known, **run}) == evaluate(after.env, run)
            assert before.run == after.run
            compared += len(before.arguments) + len(before.env)
    assert compared > 10


def test_rendered_recipes_find_each_other() -> None:
    rendered = MemoryTree(dict(_render(DirectoryTree(_SHOP), "dev").files))

    for path in rendered.files("recipes"):
        recipe = read_recipe(rendered, path)
        for _, called in sub_recipes(recipe):
            assert find_recipe(rendered, called, path)
    assert set(load_closure(rendered, "recipes/orders.yaml")) == {
        "recipes/orders.yaml",
        "recipes/library/checkout.yaml",
        "recipes/shared/tidy.yml",
    }


def test_a_recipe_that_moves_is_called_where_it_went() -> None:
    step = "- {name: s, type: sub_recipe, recipe_path: %s}\n"
    tree = workspace(
        {
            "environments/dev/config.json": DEV,
            "f0ci.yaml": "recipes: [lib]\n",
            "lib/main.yaml": "metadata: {name: m}\nsteps:\n"
            + step % "lib/part.yaml"
            + step.replace("s,", "t,") % "part.yaml"
            + step.replace("s,", "u,") % "'#{params.which}'",
            "lib/part.yaml": "metadata: {name: p}\nsteps: []\n",
        }
    )

    main = read_recipe(MemoryTree(dict(_render(tree).files)), "recipes/lib/main.yaml")

    assert [each.recipe_path for each in main.steps] == ["recipes/lib/part.yaml", "part.yaml", "#{params.which}"]


def test_without_a_release() -> None:
    tree = workspace(
        {
            "environments/dev/config.json": DEV,
            "recipes/a.yaml": "name: a\nsteps:\n- {name: s, args: {r: 'x#{release}', e: '#{environment}'}}\n",
        }
    )

    files = _render(tree, release=None).files

    assert json.loads(files["release.json"])["digest"] is None
    assert json.loads(files["traffic.json"]) == traffic_document({}, None, None, {})
    assert b"r: x#{release}\n    e: dev\n" in files["recipes/a.yaml"]


def test_rollout_and_parameters_reach_templates() -> None:
    tree = workspace(
        {
            "environments/prod/config.json": PROD,
            "templates/a.txt.j2": "{{ rollout.traffic.old }}/{{ params.region }}/{{ params.size }}/{{ params.env }}",
        }
    )
    rollout = {"releases": ["new", "old"], "traffic": {"new": 25, "old": 75}}
    deploy = Deploy(
        "recipes/deploy.yaml", {"region": "eu", "size": "#{config.processing.batch_size}", "env": "#{environment}"}
    )

    described = WorkflowEnvironment("live", "prod", deploy=deploy)
    files = _render(tree, "prod", workflow_environment=described, rollout=rollout).files

    assert files["a.txt"] == b"75/eu/1000/prod"
    assert json.loads(files["traffic.json"]) == rollout
    assert json.loads(files["release.json"])["environment"] == "live"


def test_templates_see_defaults_of_the_deploy_recipe() -> None:
    tree = workspace(
        {
            "environments/prod/config.json": PROD,
            "recipes/deploy.yaml": (
                "metadata: {name: deploy}\nparameters:\n- {name: a, default: '#{config.processing.batch_size}'}\n"
                "- {name: b, default: 2}\n- {name: c}\nsteps: []\n"
            ),
            "templates/a.txt.j2": "{{ params.a }}/{{ params.b }}/{{ params.c is defined }}",
        }
    )
    described = WorkflowEnvironment("live", "prod", deploy=Deploy("recipes/deploy.yaml", {"b": 3}))

    assert _render(tree, "prod", workflow_environment=described).files["a.txt"] == b"1000/3/false"


def test_roots_and_fixed_parameters() -> None:
    files = {
        "environments/dev/config.json": DEV,
        "recipes/root.yaml": (
            "metadata: {name: root}\nparameters:\n- {name: a, required: true}\n- {name: b, default: 2}\n"
            "steps:\n- {name: s, type: sub_recipe, recipe_path: other/sub.yaml, condition: 'params.a == 1',"
            " parameters: {b: '#{params.b + params.a}'}}\n"
        ),
        "other/sub.yaml": "metadata: {name: sub}\nsteps:\n- {name: s, args: {b: '#{params.b}'}}\n",
        "recipes/unused.yaml": "metadata: {name: unused}\nsteps:\n- {name: s, args: {b: '#{config.nowhere}'}}\n",
    }

    rendered = _render(workspace(files), roots=["recipes/root.yaml"], parameters={"a": 1}).files

    assert sorted(path for path in rendered if path.startswith("recipes/")) == [
        "recipes/other/sub.yaml",
        "recipes/root.yaml",
    ]
    assert b"condition: true\n" in rendered["recipes/root.yaml"]
    assert b"b: 3\n" in rendered["recipes/root.yaml"]
    assert b"b: '#{params.b}'\n" in rendered["recipes/other/sub.yaml"]
    with pytest.raises(InputError, match="needs the parameter 'a'"):
        _render(workspace(files), roots=["recipes/root.yaml"], parameters={})
    with pytest.raises(UsageError):
        _render(workspace(files), parameters={"a": 1})


@pytest.mark.parametrize(
    ("files", "place", "message", "hint"),
    [
        (
            {"recipes/a.yaml": "name: a\nsteps:\n- name: s\n  args:\n    x: [1, '#{config.output.formatz}']\n"},
            "recipes/a.yaml:5:12",
            "'config.output' has no key 'formatz'",
            "did you mean 'formats'?",
        ),
        (
            {"recipes/a.yaml": "metadata: {name: a}\nsteps:\n- {name: s, condition: 'confg.x == 1'}\n"},
            "recipes/a.yaml:3:24",
            "the name 'confg' is not defined",
            "did you mean 'config'?",
        ),
        (
            {"recipes/a.yaml": "metadata: {name: a}\nsteps:\n- {name: s, args: {a: '#{config.'}}\n"},
            "recipes/a.yaml:3:23",
            "",
            None,
        ),
        (
            {"recipes/a.yaml": "steps: [\n"},
            "recipes/a.yaml:1:8",
            "not valid YAML",
            None,
        ),
        (
            {"recipes/a.yaml": "metadata: {name: a}\nsteps:\n- {name: s, type: sub_recipe, recipe_path: b.yaml}\n"},
            "recipes/a.yaml:3:44",
            "step 's': there is no recipe 'b.yaml'",
            None,
        ),
        (
            {"templates/config.json.j2": "{}"},
            "templates/config.json.j2",
            "'environments/dev' and 'templates/config.json.j2' both render to 'config.json'",
            "rename one of them",
        ),
        (
            {**_RECIPE, "templates/recipes/a.yaml.j2": "a: 1"},
            "templates/recipes/a.yaml.j2",
            "'recipes/a.yaml' and 'templates/recipes/a.yaml.j2' both render to 'recipes/a.yaml'",
            "rename one of them",
        ),
        (
            {"templates/x.j2": "a", "templates/x/y.j2": "b"},
            "templates/x/y.j2",
            "'templates/x.j2' renders to 'x', which is a folder for 'x/y'",
            "rename one of them",
        ),
        *(
            (
                {f"templates/{name}.j2": "{}"},
                f"templates/{name}.j2",
                f"the output path {name!r} is not one that a rendered tree may hold",
                "rename the file so that it stays inside the tree",
            )
            for name in ("..", "../x", "a/../../x", ".git/hooks/pre-commit", "a/.GIT/x", ".f0ci-rendered.json", "")
        ),
    ],
)
def test_what_cannot_be_rendered(files: dict[str, Any], place: str, message: str, hint: str | None) -> None:
    with pytest.raises(InputError) as raised:
        _render(workspace({"environments/dev/config.json": DEV, **files}))

    assert raised.value.place == place
    assert raised.value.message.startswith(message)
    if hint is not None:
        assert raised.value.hint == hint
