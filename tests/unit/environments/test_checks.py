from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from f0ci.environments.checks import (
    Finding,
    check_one,
    debug_in_production,
    differing_types,
    missing_keys,
    production_without_monitoring,
    production_without_notifications,
)
from f0ci.environments.model import Environment
from tests.unit.environments.workspaces import DEV, PROD, load


def _all(**configs: Any) -> tuple[Environment, ...]:
    files = {f"environments/{name}/config.json": config for name, config in configs.items()}
    return tuple(load(files, name) for name in sorted(configs))


@pytest.mark.parametrize(
    ("check", "section", "extra", "at"),
    [
        (debug_in_production, {"debug_enabled": True}, {}, ("environment", "debug_enabled")),
        (debug_in_production, {"debug_enabled": False}, {}, None),
        (debug_in_production, {}, {}, None),
        (
            production_without_monitoring,
            {"performance_monitoring": False},
            {"monitoring": {"url": "x"}},
            ("environment", "performance_monitoring"),
        ),
        (production_without_monitoring, {}, {}, ("environment", "performance_monitoring")),
        (production_without_monitoring, {}, {"monitoring": {"url": "x"}}, None),
        (production_without_monitoring, {}, {"monitoring": {}}, ("environment", "performance_monitoring")),
        (production_without_monitoring, {}, {"monitoring": {"enabled": False}}, ("monitoring", "enabled")),
        (production_without_monitoring, {"performance_monitoring": True}, {}, None),
        (production_without_notifications, {"error_notifications": True}, {}, None),
        (
            production_without_notifications,
            {"error_notifications": False},
            {},
            ("environment", "error_notifications"),
        ),
        (production_without_notifications, {}, {}, ("environment", "error_notifications")),
    ],
)
def test_production(
    check: Callable[[Environment], tuple[Finding, ...]],
    section: dict[str, Any],
    extra: dict[str, Any],
    at: tuple[str, ...] | None,
) -> None:
    (live,) = _all(live={"environment": {"type": "prod", **section}, **extra})
    (dev,) = _all(dev={"environment": {"type": "dev", **section}, **extra})

    assert [finding.at for finding in check(live)] == ([] if at is None else [at])
    assert check(dev) == ()


def test_the_place_is_where_the_value_was_written() -> None:
    base = {"environment": {"debug_enabled": True, "performance_monitoring": True}}
    files = {"environments/base.json": base, "environments/prod/config.json": {"a": 1}}

    environment = load(files, "prod")

    assert check_one(environment)["debug-in-production"] == (
        Finding(
            "prod",
            "environments/base.json",
            ("environment", "debug_enabled"),
            "production environment 'prod' has debugging switched on",
            "set environment.debug_enabled to false",
        ),
    )
    # what nobody wrote is missing from the environment's own file
    (notifications,) = production_without_notifications(environment)
    assert notifications.path == "environments/prod/config.json"
    assert set(check_one(environment)) == {"debug-in-production"}


def test_missing_keys() -> None:
    found = missing_keys(
        _all(
            dev={"a": {"x": 1, "y": 1}, "only": {"deep": {"er": 1}}},
            prod={"a": {"x": 1}, "b": 1},
            test={"a": {"x": 2}, "b": 2},
        )
    )

    assert [(each.environment, ".".join(map(str, each.at)), each.message) for each in found] == [
        ("dev", "b", "environment 'dev' has no 'b', which 'prod' and 'test' have"),
        ("prod", "a.y", "environment 'prod' has no 'a.y', which 'dev' has"),
        ("prod", "only", "environment 'prod' has no 'only', which 'dev' has"),
        ("test", "a.y", "environment 'test' has no 'a.y', which 'dev' has"),
        ("test", "only", "environment 'test' has no 'only', which 'dev' has"),
    ]
    assert found[1].others == (("environments/dev/config.json", ("a", "y"), "'dev' has it here"),)


def test_of_many_environments_the_first_are_named() -> None:
    has = {f"e{number}": {"a": 1} for number in range(20)}
    (found,) = missing_keys(_all(dev={}, **has))

    assert found.message.endswith("'e13', 'e14', 'e15' and 12 more have")
    assert len(found.others) == 8


def test_environments_with_the_same_keys_miss_none() -> None:
    assert missing_keys(_all(dev=DEV, prod=PROD)) == ()
    assert differing_types(_all(dev=DEV, prod=PROD)) == ()
    assert missing_keys(_all(dev=DEV)) == ()


@pytest.mark.parametrize(
    ("values", "messages"),
    [
        ([1, 1.5, 2], []),
        ([1, "1", 2], ["'v' is text in 'b' and a number in 'a' and 'c'"]),
        ([True, 1], ["'v' is a number in 'b' and true or false in 'a'"]),
        (["x", ["x"]], ["'v' is a list in 'b' and text in 'a'"]),
        ([None, "x", "y"], []),
        ([{}, [], []], ["'v' is a mapping in 'a' and a list in 'b' and 'c'"]),
    ],
)
def test_differing_types(values: list[Any], messages: list[str]) -> None:
    environments = _all(**{name: {"v": value} for name, value in zip("abc", values, strict=False)})

    assert [finding.message for finding in differing_types(environments)] == messages


def test_differing_types_inside_sections() -> None:
    (found,) = differing_types(_all(a={"s": {"n": 1}}, b={"s": {"n": "1"}}, c={"s": {"n": 2}}))

    assert (found.environment, found.path, found.at) == ("b", "environments/b/config.json", ("s", "n"))
    assert [path for path, _, _ in found.others] == ["environments/a/config.json", "environments/c/config.json"]
