"""References to secrets, filled in for one step."""

from __future__ import annotations

from typing import Any

import pytest

from f0ci.core.errors import StepError
from f0ci.core.processes import is_withheld
from f0ci.core.redaction import Redactor
from f0ci.environments.secrets import variable_of
from f0ci.runner.secret_values import SecretValues

ENVIRON = {"F0CI_SECRET_DB": "first", "F0CI_SECRET_DB_PASSWORD": "second", "F0CI_SECRET_A_B_C": "third"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("plain", "plain"),
        ("secret://db", "first"),
        ("secret://db/password", "second"),
        ("u:secret://db and p:secret://db/password", "u:first and p:second"),
        ({"a": ["secret://a-b.c", 1], "b": None}, {"a": ["third", 1], "b": None}),
    ],
)
def test_references_become_values_that_are_masked_from_then_on(data: Any, expected: Any) -> None:
    redactor = Redactor()

    assert SecretValues(ENVIRON).filled_in(data, redactor) == expected
    assert not {"first", "second", "third"} & set(redactor.text(str(expected)).split("'"))


def test_a_secret_that_is_not_set_names_its_variable() -> None:
    with pytest.raises(StepError, match="the secret 'x/y' is not set") as caught:
        SecretValues({}).filled_in({"k": "secret://x/y"}, Redactor())

    assert "F0CI_SECRET_X_Y" in str(caught.value.hint)


def test_variables_of_secrets_are_withheld_from_programs() -> None:
    assert is_withheld(variable_of("any/thing"))
