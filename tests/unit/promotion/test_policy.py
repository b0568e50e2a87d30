from __future__ import annotations

from typing import Any

import pytest

from f0ci.core.errors import InputError
from f0ci.promotion.approvers import Approvers, Person
from f0ci.promotion.policy import Policy, bound_policy, policy_commit, require_usable
from f0ci.workflows.model import GateSpec
from tests.unit.promotion.builders import hex_of, passing, state_of

DEFAULT = hex_of("default")
PEOPLE = Approvers({name: Person(name) for name in ("alice", "bob")}, {"managers": ("bob",)})


def source(word: str) -> tuple[str, bool]:
    return hex_of(f"source of {word}"), False


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        pytest.param((), (DEFAULT, True), id="never a success"),
        pytest.param((("a", "waiting", "promote"),), (DEFAULT, True), id="the first still waits"),
        pytest.param((("a", "failed", "promote"),), (DEFAULT, True), id="the first failed"),
        pytest.param((("a", "none", "promote"),), source("a"), id="one success"),
        pytest.param((("a", "none", "promote"), ("b", "measured", "promote")), source("b"), id="the newest success"),
        pytest.param((("a", "none", "promote"), ("b", "waiting", "promote")), source("a"), id="never what is promoted"),
        pytest.param((("a", "none", "promote"), ("b", "verifying", "promote")), source("a"), id="nor what is watched"),
        pytest.param((("a", "none", "promote"), ("b", "rolled_back a", "promote")), source("a"), id="nor what failed"),
        pytest.param(
            (("a", "none", "promote"), ("b", "none", "promote"), ("a", "none", "rollback")),
            source("b"),
            id="a rollback of content never rolls policy back",
        ),
        pytest.param((("a", "none", "rollback"),), (DEFAULT, True), id="a rollback alone is no policy"),
        pytest.param((("a", "none", "promote"), ("b", "refused", "promote")), source("a"), id="refused"),
    ],
)
def test_whose_policy_is_in_force(records: tuple[tuple[str, str, str], ...], expected: tuple[str, bool]) -> None:
    drafts = [
        draft
        for index, (word, ending, purpose) in enumerate(records, start=1)
        for draft in passing(f"prod-{index}", word, ending, purpose=purpose)
    ]

    assert policy_commit(state_of(*drafts), DEFAULT) == expected


def policy(commit: str = "one", blobs: dict[str, str] | None = None, *, first: bool = True) -> Policy:
    return Policy(hex_of(commit), (), PEOPLE, blobs or {"workflow.yaml": hex_of("workflow")}, "none", first)


@pytest.mark.parametrize(
    ("fresh", "known", "commit"),
    [
        pytest.param(policy("two"), None, "two", id="a new plan"),
        pytest.param(policy("two"), policy("one").to_json(), "one", id="the default branch moved, its policy did not"),
        pytest.param(policy("two", {"workflow.yaml": hex_of("x")}), policy("one").to_json(), "two", id="it changed"),
        pytest.param(
            policy("two", {"workflow.yaml": hex_of("workflow"), "other": hex_of("o")}),
            *(policy("one").to_json(), "two"),
            id="a file was added",
        ),
        pytest.param(policy("two", first=False), policy("one").to_json(), "two", id="a success judges by its commit"),
        pytest.param(
            policy("two"),
            {**policy("one").to_json(), "require": "measured"},
            "two",
            id="its demand changed",
        ),
    ],
)
def test_a_commit_that_leaves_the_policy_alone_changes_no_plan(
    fresh: Policy, known: dict[str, Any] | None, commit: str
) -> None:
    assert bound_policy(fresh, known)["commit"] == hex_of(commit)


@pytest.mark.parametrize(
    ("gates", "usable"),
    [
        ((), True),
        ((GateSpec("order", {"upstream": ["dev"]}),), True),
        ((GateSpec("approval", {}),), True),
        ((GateSpec("approval", {"count": 2}),), True),
        ((GateSpec("approval", {"count": 3}),), False),
        ((GateSpec("approval", {"groups": ["managers"]}),), True),
        ((GateSpec("approval", {"groups": ["managers"], "count": 2}),), False),
        ((GateSpec("approval", {"groups": ["mangers"]}),), False),
    ],
)
def test_a_release_that_would_lock_everybody_out_is_told(gates: tuple[GateSpec, ...], usable: bool) -> None:
    left = Policy(hex_of("commit"), gates, PEOPLE, {}, "none", first=False)

    if usable:
        require_usable(left, "prod", "release 1")
        return
    with pytest.raises(InputError, match="nobody could approve the next"):
        require_usable(left, "prod", "release 1")
