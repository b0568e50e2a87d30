"""Evidence: what a CI system asserts about a promotion, such as "alice approved". It is never a signed approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from f0ci.promotion.events import Event


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a CI system says; a gate counts it only where it lists the kind under `accept`.

    Attributes:
        kind: which system says so: `github`, `gitlab`, `jenkins`, `azure`, or what a gate lists.
        url: address of the run that says so.
        job: name of the job in that run.
        reviewer: account that decided there, or None where the system does not tell.
        how: what the system did, such as `environment protection rule` or `input step`.
        digest: digest of the plan that stood when it was recorded; empty until then.
    """

    kind: str
    url: str
    job: str
    reviewer: str | None
    how: str
    digest: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the data of an `evidence` event."""
        return {
            "kind": self.kind,
            "url": self.url,
            "job": self.job,
            "reviewer": self.reviewer,
            "how": self.how,
            "digest": self.digest,
        }


def evidence_of(event: Event) -> Evidence:
    """Return what an `evidence` event holds."""
    data: Mapping[str, Any] = event.data
    reviewer = data.get("reviewer")
    return Evidence(
        str(data["kind"]),
        str(data["url"]),
        str(data["job"]),
        str(reviewer) if reviewer else None,
        str(data["how"]),
        str(data["digest"]),
    )
