from __future__ import annotations

from typing import Any

import pytest

from f0ci.environments.secrets import SecretReference, is_reference, secret_references


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("secret://db", True),
        ("secret://payments/api-key.v2", True),
        ("secret://", False),
        ("secret:///x", False),
        ("secret://a b", False),
        ("x secret://db", False),
        ("secret://db\n", False),
        ("SECRET://db", False),
        (1, False),
        (None, False),
    ],
)
def test_is_reference(value: Any, expected: bool) -> None:
    assert is_reference(value) is expected


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
