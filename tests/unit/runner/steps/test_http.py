"""Steps of type http, asking a real service on a loopback port."""

from __future__ import annotations

import json
from typing import Any

import pytest

from f0ci.core.outcome import Outcome
from f0ci.core.redaction import Redactor
from f0ci.recipes.records import StepRecord
from f0ci.runner.options import RunOptions
from tests.local_service import LocalService, Reply, local_service, one_after_another
from tests.unit.runner.conftest import Workspace

P, F, E = Outcome.PASSED, Outcome.FAILED, Outcome.ERRORED


def ask(zoo: Workspace, service: LocalService, args: str, more: str = "") -> StepRecord:
    """Run a recipe of one http step."""
    step = f"  - {{name: one, type: http, args: {{url: {service.url}/things, {args}}}{more}}}\n"
    return zoo.run(step, options=RunOptions(run="r-1"), redactor=Redactor()).steps[0]


@pytest.mark.parametrize(
    ("args", "reply", "outcome", "words"),
    [
        ("", Reply({"id": 1}), P, ""),
        ("", Reply(b"plain"), P, ""),
        ("", Reply({"error": "no such thing"}, 404), F, "/things answered 404"),
        ("expect: {status: 404}", Reply({}, 404), P, ""),
        ("expect: {status: [200, 201]}", Reply({}, 202), F, "/things answered 202"),
        ("expect: {headers: {X-Kind: a}}", Reply({}, headers={"X-Kind": "a"}), P, ""),
        ("expect: {headers: {X-Kind: b}}", Reply({}, headers={"X-Kind": "a"}), F, "without the header 'X-Kind'"),
        ("expect: {schema: {type: object, required: [id]}}", Reply({"id": 1}), P, ""),
        ("expect: {schema: {type: object, required: [id]}}", Reply({}), F, "otherwise than expected"),
        ("expect: {schema: {type: object}}", Reply(b"<html>"), F, "is not JSON, and has to fit a schema"),
        ("expect: {schema: {type: 7}}", Reply({}), E, "the schema in 'expect' cannot be used"),
        ("graphql: {query: '{ a }'}", Reply({"data": {"a": 1}}), P, ""),
        ("graphql: {query: '{ a }'}", Reply({"errors": [{"message": "no field a"}]}), F, "errors: no field a"),
        ("graphql: {query: '{ a }'}", Reply(b"hello"), F, "without a GraphQL result"),
        ("graphql: {query: '{ a }'}, expect: {schema: {required: [b]}}", Reply({"data": {"a": 1}}), F, "otherwise"),
        ("graphql: {}", Reply({}), E, "a GraphQL request needs a query"),
        ("method: FETCH", Reply({}), E, "there is no method 'FETCH'"),
        ("method: GET, json: {}", Reply({}), E, "GET sends no 'json'"),
        ("json: {}, text: x", Reply({}), E, "both 'json' and 'text'"),
        ("hedaers: {}", Reply({}), E, "knows no 'hedaers'"),
    ],
)
def test_what_an_answer_means(zoo: Workspace, args: str, reply: Reply, outcome: Outcome, words: str) -> None:
    with local_service(lambda _: reply) as service:
        step = ask(zoo, service, args)

    assert step.outcome is outcome
    assert words in step.message


@pytest.mark.parametrize(
    ("args", "method", "kind", "body"),
    [
        ("", "GET", None, b""),
        ("method: DELETE", "DELETE", None, b""),
        ("json: {a: [1]}", "POST", "application/json", b'{"a": [1]}'),
        ("method: PUT, text: hello", "PUT", "text/plain; charset=utf-8", b"hello"),
        ("form: {a: 1, b: x y}", "POST", "application/x-www-form-urlencoded", b"a=1&b=x+y"),
        ("method: patch, json: 5", "PATCH", "application/json", b"5"),
    ],
)
def test_what_is_sent(zoo: Workspace, args: str, method: str, kind: str | None, body: bytes) -> None:
    with local_service(lambda _: Reply({"ok": True})) as service:
        step = ask(zoo, service, f"query: {{q: 1}}, bearer: planted-token, {args}")

    asked = service.asked[0]
    assert (asked.method, asked.headers.get("content-type"), asked.body) == (method, kind, body)
    assert (asked.query, asked.headers["authorization"]) == ({"q": "1"}, "Bearer planted-token")
    assert asked.headers.get("idempotency-key") == ("r-1/one" if method in {"POST", "PATCH"} else None)
    assert (step.outputs["status"], step.outputs["body"]) == (200, {"ok": True})


def test_graphql_sends_its_variables_and_offers_its_data(zoo: Workspace) -> None:
    with local_service(lambda _: Reply({"data": {"user": {"id": 7}}})) as service:
        step = ask(zoo, service, "graphql: {query: 'query q($id: ID) { user(id: $id) { id } }', variables: {id: 7}}")

    sent: dict[str, Any] = json.loads(service.asked[0].body)
    assert sent["variables"] == {"id": 7}
    assert step.outputs["data"] == {"user": {"id": 7}}


def test_what_is_temporary_is_tried_again_with_the_same_key(zoo: Workspace) -> None:
    replies = one_after_another(Reply({}, 503), Reply({}, 429), Reply({"ok": True}))
    with local_service(replies) as service:
        step = ask(zoo, service, "json: {}", ", error_handling: {retry_attempts: 3}")

    assert (step.outcome, step.attempts) == (Outcome.PASSED, 3)
    assert {asked.headers["idempotency-key"] for asked in service.asked} == {"r-1/one"}


def test_what_is_wrong_for_good_is_not_tried_again(zoo: Workspace) -> None:
    with local_service(lambda _: Reply({}, 403)) as service:
        step = ask(zoo, service, "json: {}", ", error_handling: {retry_attempts: 3}")

    assert (step.outcome, len(service.asked)) == (Outcome.FAILED, 1)


def test_a_secret_is_sent_and_never_shown(zoo: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F0CI_SECRET_SHOP_TOKEN", "planted-secret")
    with local_service(lambda asked: Reply({"you": asked.headers["x-key"]}, 400)) as service:
        step = ask(zoo, service, "headers: {X-Key: 'secret://shop/token'}")

    assert service.asked[0].headers["x-key"] == "planted-secret"
    assert "planted-secret" not in str(step)
    assert step.outputs["body"] == {"you": "***"}


def test_a_service_that_is_gone_fails_the_step(zoo: Workspace) -> None:
    with local_service(lambda _: Reply()) as service:
        pass
    step = ask(zoo, service, "")

    assert (step.outcome, "cannot reach" in step.message) == (Outcome.FAILED, True)
