from __future__ import annotations

import pytest

from f0ci.core.errors import InputError
from f0ci.render.layout import RenderedFile, collect, is_safe_path, recipe_output


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
        ("a/.git./b", False),
        ("a/.GIT :x/b", False),
        ("GIT~1/config", False),
        ("git~10", True),
        (".git\u200c/config", False),
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


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["a/b", "a/c", "B"], None),
        (["a/b", "a/b"], "'1' and '2' both render to 'a/b'"),
        (["a", "a/b"], "'1' renders to 'a', which is a folder for 'a/b'"),
        (["a/Readme", "a/README"], "'a/Readme' and 'a/README' are one file where case does not matter"),
        (["e\u0301", "\u00c9"], "'e\u0301' and '\u00c9' are one file where case does not matter"),
    ],
)
def test_files_that_come_together(paths: list[str], message: str | None) -> None:
    files = [RenderedFile(path, b"", str(number)) for number, path in enumerate(paths, start=1)]

    if message is None:
        assert list(collect(files)) == sorted(paths)
        return
    with pytest.raises(InputError) as raised:
        collect(files)
    assert raised.value.message == message
