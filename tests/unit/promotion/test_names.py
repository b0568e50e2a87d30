from __future__ import annotations

import pytest

from f0ci.core.errors import InputError
from f0ci.promotion.names import Names, short


@pytest.mark.parametrize(
    ("prefix", "branch", "ledger", "workflow"),
    [
        ("", "refs/heads/env/prod", "refs/heads/f0ci/ledger/prod", "refs/heads/f0ci/ledger/_workflow"),
        (
            "shop",
            "refs/heads/env/shop.prod",
            "refs/heads/f0ci/ledger/shop.prod",
            "refs/heads/f0ci/ledger/shop._workflow",
        ),
    ],
)
def test_refs(prefix: str, branch: str, ledger: str, workflow: str) -> None:
    names = Names(prefix)

    assert (names.environment("prod"), names.ledger("prod"), names.workflow_ledger) == (branch, ledger, workflow)
    assert names.release_tag("3fa94c1be2d0" + "0" * 52) == "refs/tags/f0ci/release/3fa94c1be2d0"


REFS = (
    "refs/heads/f0ci/ledger/prod",
    "refs/heads/f0ci/ledger/dev",
    "refs/heads/f0ci/ledger/_workflow",
    "refs/heads/f0ci/ledger/shop.prod",
    "refs/heads/f0ci/ledger/shop._workflow",
    "refs/heads/f0ci/ledger/shopper.prod",
    "refs/heads/f0ci/ledger/some/body",
    "refs/heads/f0ci/ledger/",
    "refs/heads/env/staging",
)


@pytest.mark.parametrize(
    ("prefix", "found"), [("", ("dev", "prod")), ("shop", ("prod",)), ("shopper", ("prod",)), ("sho", ())]
)
def test_each_workflow_sees_its_own_ledgers(prefix: str, found: tuple[str, ...]) -> None:
    assert Names(prefix).ledger_environments(REFS) == found


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a.b", "..", "-x", "_workflow", "a" * 101, "prod\n", "prod.lock"])
def test_a_name_that_cannot_be_a_branch(name: str) -> None:
    with pytest.raises(InputError, match="cannot be a branch"):
        Names().environment(name)


def test_short() -> None:
    assert short("0123456789abcdef") == "0123456789ab"
