from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from f0ci.git.repository import Repository
from f0ci.git.signatures import sign
from f0ci.promotion.approvers import Approvers
from f0ci.promotion.events import Draft, Event
from f0ci.promotion.statements import NAMESPACE, Statement, parse_statement, verify_statement
from tests.conftest import SshIdentity
from tests.unit.promotion.builders import NOW, events_of, hex_of

PLAN, OTHER_PLAN = hex_of("plan", 64), hex_of("another plan", 64)
GOOD = Statement("prod-1", PLAN, "prod", "bob", "approve", NOW, None, "looks good")


def event_of(data: Mapping[str, Any], kind: str = "approved", promotion: str = "prod-1") -> Event:
    return events_of(Draft(kind, promotion, data))[0]


def test_a_signed_statement_is_whose_it_says(
    signed: Callable[[Statement, str], dict[str, Any]], approvers: Approvers
) -> None:
    verified = verify_statement(event_of(signed(GOOD, "bob")), approvers)

    assert (verified.statement, verified.signer, verified.problem) == (GOOD, "bob", None)


@pytest.mark.parametrize(
    "field",
    [
        {"promotion": "prod-2"},
        {"digest": OTHER_PLAN},
        {"environment": "staging"},
        {"approver": "carol"},
        {"decision": "reject"},
        {"time": "2026-11-21T09:00:01Z"},
        {"expires": "2027-11-21T09:00:00Z"},
        {"reason": "looks bad"},
        {"note": "added"},
    ],
    ids=lambda field: next(iter(field)),
)
def test_any_changed_field_breaks_the_signature(
    field: dict[str, str], signed: Callable[[Statement, str], dict[str, Any]], approvers: Approvers
) -> None:
    data = signed(GOOD, "bob")

    verified = verify_statement(event_of({**data, "statement": {**data["statement"], **field}}), approvers)

    assert verified.signer is None
    assert verified.problem is not None


@pytest.mark.parametrize(
    ("statement", "who", "kind", "promotion", "words"),
    [
        pytest.param(GOOD, "carol", "approved", "prod-1", "it names 'bob' but 'carol' signed it", id="another signed"),
        pytest.param(GOOD, "mallory", "approved", "prod-1", "no key of 'bob' or anybody else", id="an unknown key"),
        pytest.param(GOOD, "bob", "rejected", "prod-1", "the event says 'rejected'", id="told as its contrary"),
        pytest.param(GOOD, "bob", "approved", "prod-2", "the statement is about 'prod-1'", id="copied to another"),
        pytest.param(
            Statement("prod-1", PLAN, "dev", "bob", "approve", NOW),
            *("bob", "approved", "prod-1", "is about 'prod-1' in 'dev'"),
            id="given for another environment",
        ),
    ],
)
def test_a_good_signature_is_not_enough(
    statement: Statement,
    who: str,
    kind: str,
    promotion: str,
    words: str,
    signed: Callable[[Statement, str], dict[str, Any]],
    approvers: Approvers,
) -> None:
    verified = verify_statement(event_of(signed(statement, who), kind, promotion), approvers)

    assert words in str(verified.problem)


def test_a_signature_for_another_purpose_does_not_count(
    keys: dict[str, SshIdentity], make_repository: Callable[..., Path], approvers: Approvers
) -> None:
    path = make_repository()
    keys["bob"].sign_with(path)
    signature = sign(GOOD.payload(), repository=Repository.open(path), namespace="git")

    data = {
        "statement": GOOD.to_json(),
        "signature": {"format": signature.format, "armored": signature.armored, "key": signature.key},
    }

    assert NAMESPACE != "git"
    assert verify_statement(event_of(data), approvers).signer is None


@pytest.mark.parametrize(
    "signature",
    [
        {"format": "ssh", "armored": ""},
        {"format": "ssh", "armored": "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"},
        {"format": "gpg", "armored": "-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n"},
        {"format": "rot13", "armored": "obo"},
        {},
    ],
)
def test_no_signature_is_no_approval(signature: dict[str, str], approvers: Approvers) -> None:
    verified = verify_statement(event_of({"statement": GOOD.to_json(), "signature": signature}), approvers)

    assert verified.signer is None
    assert verified.problem is not None


@pytest.mark.parametrize("missing", ["type", "promotion", "digest", "environment", "approver", "decision", "time"])
def test_a_statement_that_lacks_something_is_none(missing: str, approvers: Approvers) -> None:
    data = {key: value for key, value in GOOD.to_json().items() if key != missing}

    with pytest.raises(ValueError, match=missing):
        parse_statement(data)
    problem = verify_statement(event_of({"statement": data, "signature": {}}), approvers).problem
    assert missing in str(problem)


@pytest.mark.parametrize("field", [{"type": "f0ci/approval/v2"}, {"time": "soon"}, {"expires": "2026-13-01"}])
def test_a_statement_that_cannot_be_read_does_not_count(field: dict[str, str], approvers: Approvers) -> None:
    data = {**GOOD.to_json(), **field}

    assert verify_statement(event_of({"statement": data, "signature": {}}), approvers).problem is not None


def test_a_statement_survives_its_record() -> None:
    assert parse_statement(GOOD.to_json()) == GOOD
