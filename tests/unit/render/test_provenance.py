from __future__ import annotations

from typing import Any

import pytest

from f0ci.core.errors import UsageError
from f0ci.environments.layers import leaves
from f0ci.environments.model import Environment
from f0ci.render.provenance import explain_origin, provenance_of
from tests.unit.environments.workspaces import load

_FILES: dict[str, Any] = {
    "environments/base.yaml": "a:\n  x: 1\n  gone: true\nb:\n  deep: {er: 1}\nlog: '#{environment}/log'\nk.ey: 5\n",
    "environments/prod/config.yaml": "a:\n  x: 2\n",
    "environments/dev/config.json": {"extends": "prod", "a": {"x": 3, "gone": None}, "b": [1], "copy": "#{config.a}"},
}


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "a.x",
            [
                "a.x = 4",
                "  written in --set",
                "  overrides 3 in environments/dev/config.json:4:10 [environment]",
                "  overrides 2 in environments/prod/config.yaml:2:6 [extends prod]",
                "  overrides 1 in environments/base.yaml:2:6 [base]",
            ],
        ),
        ("log", ['log = "dev/log"', "  written in environments/base.yaml:6:6 [base]", '  as "#{environment}/log"']),
        (
            "a.gone",
            [
                "a.gone is removed in environments/dev/config.json:5:13 [environment]",
                "  overrides true in environments/base.yaml:3:9 [base]",
            ],
        ),
        (
            "b.deep.er",
            [
                "b.deep.er is replaced by [1] in environments/dev/config.json:7:8 [environment]",
                "  overrides 1 in environments/base.yaml:5:14 [base]",
            ],
        ),
        (
            "copy.x",
            ["copy.x = 4", "  written in environments/dev/config.json:10:11 [environment]", '  as "#{config.a}"'],
        ),
        ("a", ["a.x = 4  (--set)"]),
        (r"k\.ey", [r"k\.ey = 5", "  written in environments/base.yaml:7:7 [base]"]),
    ],
)
def test_explain(name: str, lines: list[str]) -> None:
    assert list(explain_origin(load(_FILES, "dev", ["a.x=4"]), name)) == lines


@pytest.mark.parametrize(("name", "hint"), [("lgo", "did you mean 'log'?"), ("a.x.y", "did you mean 'a.x'?")])
def test_explain_what_is_not_there(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        explain_origin(load({"environments/dev/config.yaml": "log: 1\na: {x: {}}\n"}, "dev"), name)

    assert raised.value.message == f"environment 'dev' has no value {name!r}"
    assert raised.value.hint == hint


def test_every_value_has_a_place() -> None:
    environment = load(_FILES, "dev")

    found = provenance_of(environment)

    assert len(found) == len(list(leaves(environment.config)))
    assert found["a.x"] == {
        "value": 3,
        "layer": "environment",
        "file": "environments/dev/config.json",
        "line": 4,
        "column": 10,
        "overrides": [
            {"value": 2, "layer": "extends prod", "file": "environments/prod/config.yaml", "line": 2, "column": 6},
            {"value": 1, "layer": "base", "file": "environments/base.yaml", "line": 2, "column": 6},
        ],
    }
    assert found["copy.x"]["file"] == "environments/dev/config.json"


def test_a_configuration_without_layers() -> None:
    environment = Environment("dev", "environments/dev", {"a": 1})

    assert provenance_of(environment)["a"]["layer"] == "unknown"
    assert explain_origin(environment, "a") == ("a = 1", "  written in unknown")
