"""What `secret://name` means while a step runs, and nowhere else.

The secret `payments/api-key` is the value of the environment variable `F0CI_SECRET_PAYMENTS_API_KEY`. A step's
arguments and variables get the value in place of the reference; the variables themselves are kept from its processes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from f0ci.core.errors import StepError
from f0ci.core.redaction import Redactor
from f0ci.environments.secrets import SCHEME, secret_references

PREFIX = "F0CI_SECRET_"


def variable_of(name: str) -> str:
    """Return the environment variable that holds a secret."""
    return PREFIX + re.sub(r"[^A-Z0-9]", "_", name.upper())


@dataclass(frozen=True, slots=True)
class SecretValues:
    """The secrets that this process was given.

    Attributes:
        environ: the process's environment when the run began.
    """

    environ: Mapping[str, str]

    def filled_in(self, data: Any, redactor: Redactor) -> Any:
        """Return data with every reference to a secret replaced by the secret, which is hidden from now on.

        Raises:
            StepError: a secret was not given; trying again cannot help.
        """
        values: dict[str, str] = {}
        for reference in secret_references(data):
            variable = variable_of(reference.name)
            if variable not in self.environ:
                hint = f"set {variable}, in CI from the secret store of the job's environment"
                raise StepError(f"the secret {reference.name!r} is not set", hint, terminal=True)
            values[reference.name] = self.environ[variable]
            redactor.add(values[reference.name])
        return _replaced(data, values) if values else data


def _replaced(data: Any, values: Mapping[str, str]) -> Any:
    if isinstance(data, str):
        # longer names first: one may begin with another
        for name in sorted(values, key=len, reverse=True):
            data = data.replace(SCHEME + name, values[name])
        return data
    if isinstance(data, Mapping):
        return {key: _replaced(item, values) for key, item in data.items()}
    return [_replaced(item, values) for item in data] if isinstance(data, list | tuple) else data
