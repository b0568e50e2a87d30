"""Secrets from environment variables: `payments/api-key` is `F0CI_SECRET_PAYMENTS_API_KEY`. No settings.

The variables are kept from the processes of steps.
"""

from __future__ import annotations

from dataclasses import dataclass

from f0ci.environments.secrets import variable_of
from f0ci.runner.secret_providers.base import Place, known_only

SETTINGS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of this process."""

    place: Place

    def find(self, name: str) -> str | None:
        """Return the variable's value, or None where it is not set."""
        return self.place.environ.get(variable_of(name))

    def hint(self, name: str) -> str:
        """Return which variable to set."""
        return f"set {variable_of(name)}, in CI from the secret store of the job's environment"


def open_provider(place: Place) -> Variables:
    """Return what answers from variables."""
    known_only("environment", place.settings, SETTINGS)
    return Variables(place)
