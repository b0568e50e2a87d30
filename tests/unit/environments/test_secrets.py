from __future__ import annotations

from typing import Any

import pytest

from f0ci.environments.secrets import SecretReference, secret_references


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("secret://db", ["db"]),
        ("secret://payments/api-key.v2", ["payments/api-key.v2"]),
        ("secret://", []),
        ("secret:///x", []),
        ("secret://a b", ["a"]),
        ("secret://db\n", ["db"]),
        ("SECRET://db", []),
        (1, []),
        (None, []),
    ],
)
def test_what_a_reference_is(value: Any, names: list[str]) -> None:
    assert [reference.name for reference in secret_references(value)] == names


def test_every_reference_is_found_in_its_place() -> None:
    data = {
        "db": {"password": "secret://db/password", "user": "app"},
        "urls": ["https://u:secret://one@host", "secret://two, secret://three."],
        "port": 5,
    }

    assert secret_references(data) == (
        SecretReference("db/password", ("db", "password"), is_whole=True),
        SecretReference("one", ("urls", 0), is_whole=False),
        SecretReference("two", ("urls", 1), is_whole=False),
        SecretReference("three", ("urls", 1), is_whole=False),
    )
