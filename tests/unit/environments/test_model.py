from __future__ import annotations

from typing import Any

import pytest

from f0ci.environments.model import Environment, Origin, with_aliases
from tests.unit.environments.workspaces import load

_FILES: dict[str, Any] = {
    "environments/base.yaml": "a:\n  x: 1\n  y: 1\nb: 1\n",
    "environments/test/config.yaml": "a: null\n",
    "environments/dev/config.yaml": "extends: test\na:\n  x: 2\nb: [1]\n",
}


@pytest.mark.parametrize(
    ("at", "touches"),
    [
        (
            ("a", "x"),
            [
                (("a", "x"), Origin("base", "environments/base.yaml", 2, 6, 1)),
                (("a",), Origin("extends test", "environments/test/config.yaml", 1, 4, None)),
                (("a", "x"), Origin("environment", "environments/dev/config.yaml", 3, 6, 2)),
                (("a", "x"), Origin("--set", None, 0, 0, 3)),
            ],
        ),
        (
            ("b", "deep"),
            [
                (("b",), Origin("base", "environments/base.yaml", 4, 4, 1)),
                (("b",), Origin("environment", "environments/dev/config.yaml", 4, 4, [1])),
            ],
        ),
        (("c",), []),
        ((), []),
    ],
)
def test_touches(at: tuple[str, ...], touches: list[tuple[tuple[str, ...], Origin]]) -> None:
    environment = load(_FILES, "dev", ["a.x=3"])

    assert list(environment.touches(at)) == touches
    assert list(environment.origins(at)) == [origin for path, origin in touches if path == at]


@pytest.mark.parametrize(
    ("name", "section", "names", "is_production"),
    [
        ("dev", {}, {"dev", "development"}, False),
        ("eu", {"name": "frankfurt", "type": "prod"}, {"eu", "frankfurt", "prod", "production"}, True),
        ("production", None, {"prod", "production"}, True),
        ("prod", {"name": "staging"}, {"prod", "production", "staging", "stage", "stg"}, True),
        ("sandbox", {"name": 5}, {"sandbox", "5"}, False),
    ],
)
def test_names(name: str, section: Any, names: set[str], is_production: bool) -> None:
    environment = Environment(name, f"environments/{name}", {"environment": section})

    assert environment.names == names
    assert environment.is_production is is_production


def test_aliases() -> None:
    assert with_aliases({"qa", "own"}) == {"qa", "test", "testing", "own"}
    assert with_aliases(set()) == set()
