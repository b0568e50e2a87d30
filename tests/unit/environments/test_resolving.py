from __future__ import annotations

from typing import Any

import pytest

from f0ci.core.errors import InputError
from f0ci.environments.model import Environment
from tests.unit.environments.workspaces import load


def _load(config: Any, sets: tuple[str, ...] = ()) -> Environment:
    return load({"environments/dev/config.json": config}, "dev", sets)


@pytest.mark.parametrize(
    ("config", "resolved"),
    [
        ({"a": 1, "b": "#{config.a}"}, {"a": 1, "b": 1}),
        ({"a": {"x": [1, True]}, "b": "#{config.a}"}, {"a": {"x": [1, True]}, "b": {"x": [1, True]}}),
        ({"a": "/#{environment}/log", "b": "#{config.a}/x"}, {"a": "/dev/log", "b": "/dev/log/x"}),
        # written before what it needs, through two others, and through a part of what another gives
        ({"a": "#{config.b.x}", "b": "#{config.c}", "c": {"x": "#{config.d}"}, "d": 5}, {"a": 5, "d": 5}),
        ({"l": ["#{config.a}", {"k": "#{config.a + 1}"}, 3], "a": 1}, {"l": [1, {"k": 2}, 3], "a": 1}),
        ({"a": "#{config.missing | default('d')}"}, {"a": "d"}),
        ({"a": "#{'#{'}x}"}, {"a": "#{x}"}),
        # not ours: an alert's own braces, a shell's, and a reference to a secret
        ({"a": "{{ $labels.job }}", "b": "${HOME}"}, {"a": "{{ $labels.job }}", "b": "${HOME}"}),
        ({"a": "secret://db", "b": "#{config.a}"}, {"a": "secret://db", "b": "secret://db"}),
        ({"environment": {"name": "x"}, "b": "#{config.environment.name}"}, {"b": "x"}),
    ],
)
def test_resolve(config: dict[str, Any], resolved: dict[str, Any]) -> None:
    found = dict(_load(config).config)

    assert found | resolved == found


def test_expressions_see_what_stronger_layers_say() -> None:
    files = {
        "environments/base.yaml": "root: /var\nlog: '#{config.root}/#{environment}/log'\n",
        "environments/dev/config.yaml": "root: /opt\n",
    }

    assert load(files, "dev").config["log"] == "/opt/dev/log"
    assert load(files, "dev", ["root='#{config.other}'", "other=/x"]).config["log"] == "/x/dev/log"


def test_what_an_expression_gives_is_a_copy() -> None:
    config: Any = _load({"a": {"x": [1]}, "b": "#{config.a}"}).config

    config["b"]["x"].append(2)

    assert config["a"] == {"x": [1]}


@pytest.mark.parametrize(
    ("config", "line", "message", "hint"),
    [
        (
            {"a": "#{config.a}"},
            2,
            "configuration values refer to each other in a circle: a -> a",
            "write one of them out",
        ),
        (
            {"a": "#{config.b}", "b": {"x": "#{config.c}"}, "c": "y#{config.a}"},
            2,
            "configuration values refer to each other in a circle: a -> b.x -> c -> a",
            "write one of them out",
        ),
        (
            {"a": {"x": 1, "y": "#{config.a}"}},
            4,
            "configuration values refer to each other in a circle: a.y -> a.y",
            "write one of them out",
        ),
        (
            {"out": {"dir": "x"}, "a": "#{config.out.dri}"},
            5,
            "configuration value 'a': 'config.out' has no key 'dri'",
            "did you mean 'dir'?",
        ),
        ({"a": "#{config.}"}, 2, "configuration value 'a': ", None),
        (
            {"a": "#{params.x}"},
            2,
            "configuration value 'a': the name 'params' is not defined",
            "known names: config, environment, overlay",
        ),
    ],
)
def test_a_wrong_expression(config: dict[str, Any], line: int, message: str, hint: str | None) -> None:
    with pytest.raises(InputError) as raised:
        _load(config)

    assert raised.value.message.startswith(message)
    assert str(raised.value.place).startswith(f"environments/dev/config.json:{line}:")
    if hint is not None:
        assert raised.value.hint == hint


def test_a_wrong_expression_of_the_command_line_has_no_place() -> None:
    with pytest.raises(InputError) as raised:
        _load({"a": 1}, ("a='#{config.b}'",))

    assert raised.value.place is None
    assert raised.value.message == "configuration value 'a': 'config' has no key 'b'"
