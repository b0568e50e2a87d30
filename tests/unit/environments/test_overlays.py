"""Overlays of one environment, lists that merge by key, and values that refer to the release."""

from __future__ import annotations

from typing import Any

import pytest

from f0ci.core.errors import InputError, UsageError
from f0ci.environments.loading import find_overlays
from f0ci.environments.model import Environment
from f0ci.environments.resolving import with_release
from f0ci.render.provenance import explain_origin, provenance_of
from tests.unit.environments.workspaces import load, workspace

_REGIONS = {
    "environments/base.yaml": "zone: none\nsize: 1\n",
    "environments/prod/config.yaml": "environment: {name: production}\nzone: global\nsize: 4\n",
    "environments/prod/eu/config.yaml": "zone: eu\n",
    "environments/prod/eu/acme/config.json": {"size": 9, "tenant": "acme"},
    "environments/prod/asia/small/config.yaml": "size: 2\n",
    "environments/dev/config.yaml": "size: 1\n",
}
_DIGEST = "ab" * 32


@pytest.mark.parametrize(
    ("name", "config", "labels"),
    [
        ("prod", {"zone": "global", "size": 4}, ["base", "environment"]),
        ("prod/eu", {"zone": "eu", "size": 4}, ["base", "environment", "overlay eu"]),
        (
            "production/eu/acme",
            {"zone": "eu", "size": 9, "tenant": "acme"},
            ["base", "environment", "overlay eu", "overlay eu/acme"],
        ),
        ("prod/asia/small", {"zone": "global", "size": 2}, ["base", "environment", "overlay asia/small"]),
    ],
)
def test_overlays_lie_over_their_environment(name: str, config: dict[str, Any], labels: list[str]) -> None:
    environment = load(_REGIONS, name)

    assert {key: value for key, value in environment.config.items() if key != "environment"} == config
    assert [layer.label for layer in environment.layers] == labels
    assert environment.is_production
    assert environment.name == name.replace("production", "prod")


@pytest.mark.parametrize(
    ("name", "said"),
    [("prod", "in prod over"), ("production/eu", "in prod over eu"), ("prod/eu/acme", "in prod over eu/acme")],
)
def test_expressions_know_the_environment_and_its_overlay(name: str, said: str) -> None:
    files = _REGIONS | {
        "environments/base.yaml": (
            "where: \"#{'in ' ~ environment ~ ' over ' ~ overlay}\"\nlive: \"#{environment == 'prod'}\"\n"
        )
    }

    config = load(files, name).config

    assert (config["where"].rstrip(), config["live"]) == (said, True)


def test_the_command_line_is_stronger_than_an_overlay() -> None:
    assert load(_REGIONS, "prod/eu", ["zone=us"]).config["zone"] == "us"


def test_overlays_are_listed_and_are_no_environments_of_their_own() -> None:
    assert find_overlays(workspace(_REGIONS), "environments/prod") == ("asia/small", "eu", "eu/acme")
    with pytest.raises(UsageError, match="there is no environment 'eu'"):
        load(_REGIONS, "eu")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("prod/ue", "environment 'prod' has no overlay 'ue'", "overlays: asia/small, eu"),
        ("prod/eu/", "environment 'prod' has no overlay 'eu/'", "did you mean 'eu'?"),
        ("prod/../dev", "environment 'prod' has no overlay '../dev'", None),
        ("prod/asia", "environment 'prod' has no overlay 'asia'", None),
        ("dev/eu", "environment 'dev' has no overlay 'eu'", "write environments/dev/eu/config.yaml"),
    ],
)
def test_an_overlay_that_does_not_exist(name: str, message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        load(_REGIONS, name)

    assert caught.value.message == message
    if hint is not None:
        assert caught.value.hint is not None
        assert caught.value.hint.startswith(hint)


def test_an_overlay_cannot_extend() -> None:
    files = _REGIONS | {"environments/prod/eu/config.yaml": "extends: dev\n"}

    with pytest.raises(InputError, match=r"environments/prod/eu/config.yaml:1:10: an overlay cannot extend"):
        load(files, "prod/eu")


def test_a_value_of_the_wrong_type_is_blamed_on_the_overlay_that_wrote_it() -> None:
    files = _REGIONS | {
        "schemas/config.schema.json": {"properties": {"size": {"type": "integer"}}},
        "environments/prod/eu/config.yaml": "zone: eu\nsize: large\n",
    }

    assert load(files, "prod").config["size"] == 4
    with pytest.raises(InputError) as caught:
        load(files, "prod/eu")
    assert str(caught.value) == (
        'environments/prod/eu/config.yaml:2:7: configuration value size: "large" is text, not a whole number'
    )


_KEYED = {
    "schemas/config.schema.json": {
        "properties": {
            "services": {"$ref": "#/$defs/services"},
            "plain": {"type": "array"},
        },
        "$defs": {
            "services": {
                "type": "array",
                "x-merge-key": "name",
                "items": {"properties": {"ports": {"type": "array", "x-merge-key": "id"}}},
            }
        },
    },
    "environments/base.yaml": (
        "plain: [1, 2]\n"
        "services:\n"
        "  - {name: web, image: web:1, ports: [{id: http, port: 80}, {id: admin, port: 81}]}\n"
        "  - {name: db, image: db:1}\n"
        "  - {name: cache, image: cache:1}\n"
    ),
    "environments/dev/config.yaml": (
        "plain: [3]\n"
        "services:\n"
        "  - {name: cache, $patch: delete}\n"
        "  - {name: web, ports: [{id: http, port: 8080}]}\n"
        "  - {name: mail, image: mail:1}\n"
        "  - {name: db, image: null}\n"
    ),
}


def test_lists_merge_by_key_where_the_schema_says_so_and_replace_elsewhere() -> None:
    assert load(_KEYED, "dev").config == {
        "plain": [3],
        "services": [
            {"name": "web", "image": "web:1", "ports": [{"id": "http", "port": 8080}, {"id": "admin", "port": 81}]},
            {"name": "db"},
            {"name": "mail", "image": "mail:1"},
        ],
    }


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "services.web.ports.http.port",
            (
                "services.web.ports.http.port = 8080",
                "  written in environments/dev/config.yaml:4:42 [environment]",
                "  overrides 80 in environments/base.yaml:3:56 [base]",
            ),
        ),
        ("services.db.image", ("services.db.image is removed in environments/dev/config.yaml:6:23 [environment]",)),
        (
            "services.mail.image",
            ('services.mail.image = "mail:1"', "  written in environments/dev/config.yaml:5:25 [environment]"),
        ),
    ],
)
def test_items_of_keyed_lists_know_where_they_were_written(name: str, lines: tuple[str, ...]) -> None:
    found = explain_origin(load(_KEYED, "dev"), name)

    assert found[: len(lines)] == lines
    assert "services.web.ports.admin.port" in provenance_of(load(_KEYED, "dev"))


@pytest.mark.parametrize(
    ("written", "message", "column"),
    [
        ("services: [{name: web}, {image: x}]\n", "an item of a list that merges by 'name' has no 'name'", 25),
        ("services: [{name: web}, {name: web}]\n", "two items of one list have name 'web'", 32),
        (
            "services: [{name: web, ports: [{id: a}, {port: 1}]}]\n",
            "an item of a list that merges by 'id' has no 'id'",
            41,
        ),
        ("services: [{name: web, $patch: replace}]\n", "'$patch' is 'replace', and only 'delete' is known", 32),
        ("services: [web]\n", "an item of a list that merges by 'name' has no 'name'", 12),
    ],
)
def test_items_without_their_key_are_named(written: str, message: str, column: int) -> None:
    with pytest.raises(InputError) as caught:
        load(_KEYED | {"environments/dev/config.yaml": written}, "dev")

    assert str(caught.value) == f"environments/dev/config.yaml:1:{column}: {message}"


def test_set_merges_by_key_too() -> None:
    environment = load(_KEYED, "dev", ["services=[{name: web, image: web:2}]"])

    assert environment.config["services"][0]["image"] == "web:2"
    with pytest.raises(UsageError, match="has no 'name'"):
        load(_KEYED, "dev", ["services=[1]"])


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("services.web.image=web:3", "services.web.image", "web:3"),
        ("services.web.ports.http.port=1", "services.web.ports.http.port", 1),
        ("services.web.ports.new.port=2", "services.web.ports.new", {"id": "new", "port": 2}),
        ("services.search={image: s}", "services.search", {"name": "search", "image": "s"}),
        ("services.web.ports.http=null", "services.web.ports", {"admin": {"id": "admin", "port": 81}}),
        ("services.mail=null", "services.mail", None),
        ("services.web.image=null", "services.web.image", None),
    ],
)
def test_set_names_items_by_their_key(text: str, name: str, value: Any) -> None:
    def keyed(items: list[dict[str, Any]]) -> dict[str, Any]:
        return {str(item.get("name", item.get("id"))): item for item in items}

    found: Any = load(_KEYED, "dev", [text]).config
    for part in name.split("."):
        found = (keyed(found) if isinstance(found, list) else found).get(part)

    assert (keyed(found) if isinstance(found, list) else found) == value


def test_an_expression_in_an_item_is_blamed_where_it_stands() -> None:
    files: dict[str, Any] = _KEYED | {
        "environments/dev/config.yaml": (
            "plain:\n- 1\n- [x, '#{config.plan}']\nservices:\n  - name: db\n    image: '#{config.images}'\n"
        )
    }

    with pytest.raises(InputError, match=r"^environments/dev/config.yaml:3:7: configuration value 'plain.1.1': "):
        load(files, "dev")
    files["environments/dev/config.yaml"] = files["environments/dev/config.yaml"].replace("config.plan}", "config.url}")
    files["environments/base.yaml"] += "url: x\n"
    with pytest.raises(
        InputError, match=r"^environments/dev/config.yaml:6:12: configuration value 'services.1.image': "
    ):
        load(files, "dev")


def _releasing() -> Environment:
    return load(
        {
            "environments/dev/config.yaml": (
                "image: 'shop:#{release}'\nshown: '#{config.image}!'\nwhere: 'in #{environment}'\nbrace: \"#{'#{'}\"\n"
            )
        },
        "dev",
    )


def test_values_wait_for_the_release_and_so_do_those_that_refer_to_them() -> None:
    environment = _releasing()

    assert environment.config == {
        "image": "shop:#{release}",
        "shown": "#{config.image}!",
        "where": "in dev",
        "brace": "#{",
    }
    known = with_release(environment, _DIGEST)
    assert known.config == {
        "image": f"shop:{_DIGEST}",
        "shown": f"shop:{_DIGEST}!",
        "where": "in dev",
        "brace": "#{",
    }
    assert with_release(known, "cd" * 32) is known


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("{", "schemas/config.schema.json:1:2"),
        ('{"type": "strange"}', "schemas/config.schema.json:1:10: not a JSON Schema"),
        ('{"properties": {"a": {"$ref": "https://example.com/x.json"}}}', "the schema cannot be applied"),
    ],
)
def test_a_schema_that_is_none(schema: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load({"schemas/config.schema.json": schema, "environments/dev/config.yaml": "a: 1\n"}, "dev")

    assert message in str(caught.value)


def test_a_layer_names_a_schema_of_the_repository() -> None:
    files = {
        "own/limits.json": {"required": ["size"]},
        "environments/dev/config.yaml": "$schema: ../../own/limits.json\nsiez: 1\n",
    }

    with pytest.raises(
        InputError, match=r"config.yaml: .*the key 'size' is missing|config.yaml:1:1: .*'size' is missing"
    ):
        load(files, "dev")
    with pytest.raises(InputError, match=r"config.yaml:1:10: there is no schema '../gone.json'"):
        load({"environments/dev/config.yaml": "$schema: ../gone.json\n"}, "dev")
    assert load({"environments/dev/config.yaml": "$schema: https://example.com/x.json\na: 1\n"}, "dev").config
