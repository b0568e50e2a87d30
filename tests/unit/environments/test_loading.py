from __future__ import annotations

from typing import Any

import pytest

from f0ci.core.errors import InputError, UsageError
from f0ci.environments.loading import find_environments, load_environment
from f0ci.source.project import load_project
from tests.unit.environments.workspaces import DEV, PROD, load, workspace

_TWO = {"environments/dev/config.json": DEV, "environments/prod/config.json": PROD}


@pytest.mark.parametrize(
    ("files", "folders"),
    [
        (_TWO, ("environments/dev", "environments/prod")),
        (
            {"environments/b/config.yml": "a: 1", "environments/a/config.yaml": "a: 1"},
            ("environments/a", "environments/b"),
        ),
        # neither base, nor a folder without configuration, nor one further down
        (
            {
                "environments/base.json": {},
                "environments/x/notes.md": "x",
                "environments/a/b/config.json": {},
                "environments/c/config.json": {},
            },
            ("environments/c",),
        ),
        # repositories of the tutorial keep them elsewhere
        (
            {"FYI/exercises/environments/dev/config.json": DEV, "FYI/exercises/data/config.json": {}},
            ("FYI/exercises/environments/dev",),
        ),
        # a folder of its own at the top ends the search
        ({**_TWO, "FYI/environments/dev/config.json": DEV}, ("environments/dev", "environments/prod")),
        # and so does a setting
        ({"f0ci.yaml": "environments: conf\n", "FYI/environments/dev/config.json": DEV}, ()),
        ({"f0ci.yaml": "environments: conf/\n", "conf/dev/config.json": DEV}, ("conf/dev",)),
        ({}, ()),
    ],
)
def test_find(files: dict[str, Any], folders: tuple[str, ...]) -> None:
    tree = workspace(files)

    assert find_environments(tree, load_project(tree)) == folders


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("dev", "dev"),
        ("development", "dev"),
        ("prod", "prod"),
        ("production", "prod"),
    ],
)
def test_an_environment_answers_to_its_names(name: str, folder: str) -> None:
    loaded = load(_TWO, name)

    assert loaded.name == folder
    assert loaded.folder == f"environments/{folder}"


def test_a_name_of_its_own() -> None:
    files = {"environments/eu-west/config.json": {"environment": {"name": "frankfurt", "type": "staging"}}}

    assert {load(files, name).name for name in ("eu-west", "frankfurt", "staging", "stg", "stage")} == {"eu-west"}


def test_the_folder_wins() -> None:
    files = {
        "environments/prod/config.json": {"environment": {"name": "sandbox"}},
        "environments/sandbox/config.json": {"environment": {"type": "prod"}},
    }

    assert load(files, "prod").name == "prod"
    assert load(files, "sandbox").name == "sandbox"
    with pytest.raises(UsageError) as raised:
        load(files, "production")
    assert (
        raised.value.message == "'production' means several environments: 'environments/prod', 'environments/sandbox'"
    )
    assert raised.value.hint == "use a folder's name"


@pytest.mark.parametrize(
    ("files", "name", "message", "hint"),
    [
        (_TWO, "prd", "there is no environment 'prd'", "did you mean 'prod'?"),
        (_TWO, "zzz", "there is no environment 'zzz'", "environments: dev, prod"),
        (
            {},
            "dev",
            "there is no environment 'dev', nor any other",
            "write environments/<name>/config.json, or name the folder under 'environments' in f0ci.yaml",
        ),
    ],
)
def test_unknown(files: dict[str, Any], name: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        load(files, name)

    assert (raised.value.message, raised.value.hint) == (message, hint)


def test_layers_from_the_weakest_to_the_strongest() -> None:
    files = {
        "environments/base.yaml": "who: base\nbase: 1\nlist: [1, 2]\ngone: {a: 1}\n",
        "environments/dev/config.json": {"who": "dev", "dev": 1, "list": [3]},
        "environments/test/config.yaml": "extends: dev\nwho: test\ntest: 1\n",
        "environments/staging/config.json": {"extends": "testing", "who": "staging", "gone": None},
    }

    loaded = load(files, "staging", ["who=me", "test=null", "extra.deep=1"])

    assert loaded.config == {"who": "me", "base": 1, "list": [3], "dev": 1, "extra": {"deep": 1}}
    assert [layer.label for layer in loaded.layers] == [
        "base",
        "extends dev",
        "extends test",
        "environment",
        "--set",
        "--set",
        "--set",
    ]
    assert [origin.layer for origin in loaded.origins(("who",))] == [
        "base",
        "extends dev",
        "extends test",
        "environment",
        "--set",
    ]
    assert loaded.document is not None
    assert loaded.document.path == "environments/staging/config.json"


def test_what_is_extended_lends_its_values_and_not_its_names() -> None:
    files = {
        "environments/prod/config.json": PROD,
        "environments/staging/config.json": {"extends": "prod", "environment": {"debug_enabled": True}},
    }

    staging = load(files, "staging")

    assert staging.config["environment"]["name"] == "production"
    assert "production" not in staging.names
    assert load(files, "production").name == "prod"
    # what says of itself that it is production is treated so
    assert staging.is_production


@pytest.mark.parametrize(
    ("files", "place", "message", "hint"),
    [
        (
            {"environments/a/config.json": {"extends": "a"}},
            "environments/a/config.json:2:14",
            "environments extend each other in a circle: a -> a",
            "remove one 'extends'",
        ),
        (
            {
                "environments/a/config.yaml": "extends: b\n",
                "environments/b/config.yaml": "extends: c\n",
                "environments/c/config.yaml": "x: 1\nextends: b\n",
            },
            "environments/c/config.yaml:2:10",
            "environments extend each other in a circle: b -> c -> b",
            "remove one 'extends'",
        ),
        (
            {
                "environments/a/config.yaml": "extends: e0\n",
                **{f"environments/e{number}/config.yaml": f"extends: e{number + 1}\n" for number in range(60)},
            },
            "environments/e48/config.yaml:1:10",
            "more than 50 environments extend each other",
            "extend what holds the common values directly",
        ),
        (
            {"environments/a/config.yaml": "extends: prodd\n", "environments/prod/config.yaml": "x: 1\n"},
            "environments/a/config.yaml:1:10",
            "there is no environment 'prodd'",
            "did you mean 'prod'?",
        ),
        (
            {"environments/a/config.yaml": "extends: base\n", "environments/base.yaml": "x: 1\n"},
            "environments/a/config.yaml:1:10",
            "there is no environment 'base'",
            "base.* applies by itself; remove the line",
        ),
        (
            {"environments/a/config.yaml": "extends: [b]\n"},
            "environments/a/config.yaml:1:10",
            "'extends' is ['b'], not an environment's name",
            "write one name",
        ),
        (
            {"environments/a/config.yaml": "x: 1\n", "environments/base.yaml": "extends: a\n"},
            "environments/base.yaml:1:10",
            "'base' cannot extend an environment",
            "environments extend base already",
        ),
        (
            {"environments/a/config.yaml": "x: 1\n", "environments/a/config.json": {}},
            "environments/a/config.yaml",
            "'environments/a/config.json' and 'environments/a/config.yaml' are two configurations for one place",
            "keep one of them",
        ),
        (
            {
                "environments/a/config.yaml": "x: 1\n",
                "environments/base.yml": "x: 1\n",
                "environments/base.json": {},
            },
            "environments/base.yml",
            "'environments/base.json' and 'environments/base.yml' are two configurations for one place",
            "keep one of them",
        ),
        (
            {"environments/a/config.json": '{"x": 1,}'},
            "environments/a/config.json:1:9",
            "not valid JSON: expecting property name enclosed in double quotes",
            "remove the comma before it",
        ),
    ],
)
def test_a_configuration_is_refused(files: dict[str, Any], place: str, message: str, hint: str) -> None:
    with pytest.raises(InputError) as raised:
        load(files, "a")

    assert (raised.value.place, raised.value.hint) == (place, hint)
    assert raised.value.message.startswith(message)


def test_a_broken_neighbour_is_no_obstacle() -> None:
    files = {**_TWO, "environments/bad/config.json": "{"}

    assert load(files, "production").name == "prod"
    with pytest.raises(InputError):
        load(files, "bad")


def test_environments_of_several_folders_have_a_base_each() -> None:
    files = {
        "a/environments/base.yaml": "from_a: 1\n",
        "a/environments/dev/config.yaml": "x: 1\n",
        "b/environments/base.yaml": "from_b: 1\n",
        "b/environments/live/config.yaml": "extends: dev\n",
    }

    assert load(files, "dev").config == {"from_a": 1, "x": 1}
    assert load(files, "live").config == {"from_a": 1, "from_b": 1, "x": 1}


def test_the_tutorial_configurations_load_as_they_are() -> None:
    tree = workspace({f"FYI/exercises/{path}": data for path, data in _TWO.items()})

    loaded = load_environment(tree, load_project(tree), "production")

    assert loaded.config == PROD
    origin = loaded.origins(("processing", "batch_size"))[-1]
    assert (origin.path, origin.line, origin.column) == ("FYI/exercises/environments/prod/config.json", 11, 19)
