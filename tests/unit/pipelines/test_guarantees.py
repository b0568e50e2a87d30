"""Every writer says of every promise who keeps it, and why."""

from __future__ import annotations

import pytest

from f0ci.core.errors import CannotWork
from f0ci.core.plugins import names
from f0ci.pipelines.guarantees import KEEPERS, PROMISES, guarantees

SYSTEMS = names("f0ci.pipelines.writers")


def test_every_promise_has_an_answer_with_a_reason_on_every_system() -> None:
    found = guarantees(SYSTEMS)

    assert [(one.promise, one.system) for one in found] == [(promise, one) for promise in PROMISES for one in SYSTEMS]
    assert {one.by for one in found} == set(KEEPERS)
    assert all(len(one.why) > 20 for one in found)
    # who approved what, in which order, is decided the same everywhere
    decided = {
        one.by for one in found if one.promise in {"order", "quorum", "not_author", "freeze", "bound_to_content"}
    }
    assert decided == {"f0ci"}


def test_a_writer_that_does_not_say_is_an_error() -> None:
    with pytest.raises(CannotWork, match="does not say what it guarantees"):
        guarantees(["circleci"])
