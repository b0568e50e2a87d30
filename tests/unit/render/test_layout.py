from __future__ import annotations

import pytest

from f0ci.render.layout import is_safe_path, recipe_output


@pytest.mark.parametrize(
    ("path", "is_safe"),
    [
        ("a", True),
        ("a/b.txt", True),
        (".github/x", True),
        ("a/.f0ci-rendered.json", True),
        (".f0ci-rendered.json", False),
        ("", False),
        (".", False),
        ("..", False),
        ("../a", False),
        ("a/../b", False),
        ("a//b", False),
        ("a/", False),
        ("./a", False),
        ("/a", False),
        ("~/a", False),
        ("C:/a", False),
        ("a\\b", False),
        ("a\nb", False),
        (".git/config", False),
        ("sub/.Git/config", False),
        (".gitignore", True),
    ],
)
def test_safe_paths(path: str, is_safe: bool) -> None:
    assert is_safe_path(path) is is_safe


@pytest.mark.parametrize(
    ("path", "output"),
    [
        ("recipes/a/b.yaml", "recipes/a/b.yaml"),
        ("FYI/exercises/x.yaml", "recipes/FYI/exercises/x.yaml"),
        ("recipes.yaml", "recipes/recipes.yaml"),
    ],
)
def test_where_recipes_go(path: str, output: str) -> None:
    assert recipe_output(path) == output
