"""Recipes that call recipes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from f0ci.core.errors import InputError
from f0ci.recipes.composition import find_recipe, load_closure
from f0ci.source.tree import DirectoryTree, MemoryTree


def _calling(*paths: str) -> bytes:
    steps = "".join(
        f"  - name: s{n}\n    type: sub_recipe\n    recipe_path: '{path}'\n" for n, path in enumerate(paths)
    )
    return f"metadata: {{name: r}}\nsteps:\n{steps or '  []'}\n".encode()


def _tree(files: Mapping[str, tuple[str, ...]]) -> MemoryTree:
    return MemoryTree({path: _calling(*calls) for path, calls in files.items()})


@pytest.mark.parametrize(
    ("recipe_path", "found"),
    [
        ("recipes/data/load.yaml", "recipes/data/load.yaml"),
        ("./recipes/data/../data/load.yaml", "recipes/data/load.yaml"),
        ("load.yaml", "recipes/data/load.yaml"),
        ("../report.yaml", "recipes/report.yaml"),
        ("report.yaml", "report.yaml"),
    ],
)
def test_a_path_is_looked_up_below_the_workspace_first_then_beside_the_recipe(recipe_path: str, found: str) -> None:
    tree = _tree(
        dict.fromkeys(("recipes/data/load.yaml", "recipes/report.yaml", "report.yaml", "recipes/data/report.yaml"), ())
    )

    assert find_recipe(tree, recipe_path, "recipes/data/main.yaml") == found


@pytest.mark.parametrize(
    ("recipe_path", "message", "hint"),
    [
        ("/etc/passwd", "the path '/etc/passwd' is absolute", "write it relative to the repository or to this recipe"),
        ("~/r.yaml", "the path '~/r.yaml' is absolute", "write it relative to the repository or to this recipe"),
        ("C:\\r.yaml", "the path 'C:\\\\r.yaml' is absolute", "write it relative to the repository or to this recipe"),
        ("../../r.yaml", "the path '../../r.yaml' leaves the repository", "keep the recipe inside the repository"),
        ("recipes/laod.yaml", "there is no recipe 'recipes/laod.yaml'", "did you mean 'recipes/load.yaml'?"),
        ("library/load.yaml", "there is no recipe 'library/load.yaml'", "did you mean 'recipes/load.yaml'?"),
        ("other/laod.yaml", "there is no recipe 'other/laod.yaml'", "did you mean 'recipes/load.yaml'?"),
        # a folder that both are in makes no other name close
        ("recipes/nowhere.yaml", "there is no recipe 'recipes/nowhere.yaml'", "recipes: recipes/load.yaml"),
        ("zzz", "there is no recipe 'zzz'", "recipes: recipes/load.yaml"),
        ("recipes", "there is no recipe 'recipes'", None),
    ],
)
def test_a_path_that_names_no_recipe_is_refused(recipe_path: str, message: str, hint: str | None) -> None:
    tree = _tree({"recipes/load.yaml": (), "recipes/main.yaml": ()})

    with pytest.raises(InputError) as caught:
        find_recipe(tree, recipe_path, "recipes/main.yaml")
    assert caught.value.message == message
    if hint:
        assert caught.value.hint == hint


def test_links_that_lead_out_or_in_a_circle_are_refused(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    (root / "recipes").mkdir(parents=True)
    (tmp_path / "outside.yaml").write_bytes(_calling())
    (root / "recipes/real.yaml").write_bytes(_calling())
    (root / "recipes/inside.yaml").symlink_to("real.yaml")
    (root / "recipes/out.yaml").symlink_to("../../outside.yaml")
    (root / "recipes/loop.yaml").symlink_to("loop.yaml")
    tree = DirectoryTree(root)

    assert find_recipe(tree, "recipes/inside.yaml", "main.yaml") == "recipes/inside.yaml"
    with pytest.raises(InputError, match=r"'recipes/out.yaml' leads out of 'repository'"):
        find_recipe(tree, "recipes/out.yaml", "main.yaml")
    with pytest.raises(InputError, match=r"'recipes/loop.yaml' is a symbolic link that leads back to itself"):
        find_recipe(tree, "recipes/loop.yaml", "main.yaml")
    with pytest.raises(InputError, match=r"'recipes' is a folder, not a file"):
        find_recipe(tree, "recipes", "main.yaml")


def test_the_closure_holds_everything_once_and_the_recipe_first() -> None:
    tree = _tree(
        {
            "main.yaml": ("a.yaml", "lib/b.yaml", "a.yaml"),
            "a.yaml": ("lib/c.yaml",),
            "lib/b.yaml": ("c.yaml", "../d.yaml"),
            "lib/c.yaml": (),
            "d.yaml": (),
            "unused.yaml": (),
        }
    )

    closure = load_closure(tree, "main.yaml")
    assert list(closure) == ["main.yaml", "a.yaml", "lib/c.yaml", "lib/b.yaml", "d.yaml"]
    assert all(recipe.path == path for path, recipe in closure.items())


def test_a_path_that_only_a_run_knows_is_left_out() -> None:
    tree = _tree({"main.yaml": ("lib/#{params.kind}.yaml", "{{ x }}", "a.yaml"), "a.yaml": ()})

    assert list(load_closure(tree, "main.yaml")) == ["main.yaml", "a.yaml"]


@pytest.mark.parametrize(
    ("files", "circle", "place"),
    [
        ({"main.yaml": ("main.yaml",)}, "main.yaml -> main.yaml", "main.yaml:5:18"),
        ({"main.yaml": ("a.yaml",), "a.yaml": ("main.yaml",)}, "main.yaml -> a.yaml -> main.yaml", "a.yaml:5:18"),
        (
            {
                "main.yaml": ("a.yaml",),
                "a.yaml": ("ok.yaml", "lib/b.yaml"),
                "ok.yaml": (),
                "lib/b.yaml": ("../a.yaml",),
            },
            "a.yaml -> lib/b.yaml -> a.yaml",
            "lib/b.yaml:5:18",
        ),
    ],
)
def test_a_circle_of_recipes_is_spelled_out(files: dict[str, tuple[str, ...]], circle: str, place: str) -> None:
    with pytest.raises(InputError) as caught:
        load_closure(_tree(files), "main.yaml")

    assert caught.value.message == f"recipes call each other in a circle: {circle}"
    assert caught.value.place == place


@pytest.mark.parametrize(
    ("calls", "message"),
    [
        ("nope.yaml", "step 's0': there is no recipe 'nope.yaml'"),
        ("../r.yaml", "step 's0': the path '../r.yaml' leaves the repository"),
        ("#{a b}.yaml", "step 's0': unexpected 'b'"),
    ],
)
def test_a_call_that_cannot_be_followed_says_where_it_stands(calls: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_closure(_tree({"main.yaml": (calls,)}), "main.yaml")

    assert (caught.value.message, caught.value.place) == (message, "main.yaml:5:18")


def test_a_file_that_is_no_recipe_is_refused() -> None:
    tree = MemoryTree({"main.yaml": _calling("a.yaml"), "a.yaml": b"just: data\n"})

    with pytest.raises(InputError, match=r"a.yaml:1:1: 'a.yaml' is not a recipe"):
        load_closure(tree, "main.yaml")


def test_a_long_way_down_costs_no_recursion() -> None:
    files = {f"r{n}.yaml": (f"r{n + 1}.yaml",) for n in range(1500)} | {"r1500.yaml": ()}

    assert len(load_closure(_tree(files), "r0.yaml")) == 1501
