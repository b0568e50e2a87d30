"""Step type `http`: one request to a REST or GraphQL service, whose answer is checked.

| `args` | meaning |
|---|---|
| `url` | `http` or `https`; credentials never stand in it |
| `method` | `GET` by default; `POST` with a body or `graphql` |
| `query` | added to the URL |
| `headers` | sent along; values may be `secret://name` |
| `bearer`, or `basic: {username, password}` | credentials |
| `json`, `form` or `text` | the body |
| `graphql: {query, variables, operation}` | a GraphQL request; `errors` in the answer fail the step |
| `expect: {status: [200, 204], schema: {...}, headers: {...}}` | what the answer must be; any 2xx by default |
| `ca_file`, `client_cert`, `client_key` | files of certificates |

`POST` and `PATCH` carry the step's idempotency key as `Idempotency-Key`. Outputs: `status`, `headers`, `body` (JSON
where the answer is JSON, else text), and `data` of GraphQL. A connection that fails and the answers 408, 425, 429 and
5xx fail the step so that it may be tried again; any other unexpected answer fails it for good.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from f0ci.core.errors import NetworkError, StepError
from f0ci.core.outcome import Outcome
from f0ci.runner.steps.base import StepCall, StepResult

DEFAULT_TIMEOUT = 30.0
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_KNOWN = frozenset(
    {
        "url",
        "method",
        "query",
        "headers",
        "bearer",
        "basic",
        "json",
        "form",
        "text",
        "graphql",
        "expect",
        "ca_file",
        "client_cert",
        "client_key",
    }
)
_FILES = ("ca_file", "client_cert", "client_key")
_AGAIN = frozenset({408, 425, 429})


def run(call: StepCall) -> StepResult:
    """Send the request once."""
    from f0ci.http.session import open_session, request

    asked = call.arguments
    method, body, kind = _what(asked)
    basic = _mapping(asked, "basic")
    files: dict[str, Any] = {
        name: call.root / str(asked[name]) for name in ("ca_file", "client_cert", "client_key") if name in asked
    }
    try:
        with open_session(
            headers={"Idempotency-Key": str(call.context.idempotency_key)} if method in {"POST", "PATCH"} else {},
            secret_headers={name: str(value) for name, value in _mapping(asked, "headers").items()},
            token=None if asked.get("bearer") is None else str(asked["bearer"]),
            username=None if not basic else str(basic.get("username", "")),
            password=None if not basic else str(basic.get("password", "")),
            timeout=call.timeout or DEFAULT_TIMEOUT,
            **files,
        ) as session:
            params = {name: _as_text(value) for name, value in _mapping(asked, "query").items()}
            call.unending(True)
            answer = request(session, method, str(asked["url"]), params=params, data=body, content_type=kind)
    except NetworkError as error:
        return StepResult(Outcome.FAILED, error.message, error.hint)
    finally:
        call.unending(False)
    return judge(asked, answer.status, dict(answer.headers), answer.body, answer.where)


def judge(asked: Mapping[str, Any], status: int, headers: Mapping[str, str], body: bytes, where: str) -> StepResult:
    """Return what an answer means.

    Args:
        asked: the step's arguments.
        status: HTTP status.
        headers: of the answer.
        body: as it arrived.
        where: what answered, for messages.
    """
    from f0ci.http.answers import printable

    text = body.decode("utf-8", "replace")
    data, is_json = _json(text)
    outputs: dict[str, Any] = {"status": status, "headers": {name.lower(): value for name, value in headers.items()}}
    outputs["body"] = data if is_json else text
    expect = _mapping(asked, "expect")
    wanted = expect.get("status")
    statuses = [wanted] if isinstance(wanted, int) else wanted
    if status not in statuses if isinstance(statuses, list) else not 200 <= status < 300:
        terminal = status < 500 and status not in _AGAIN
        message = f"{where} answered {status}: {printable(text)}".rstrip(": ")
        return StepResult(Outcome.FAILED, message, outputs=outputs, terminal=terminal)
    for name, value in _mapping(expect, "headers").items():
        if outputs["headers"].get(str(name).lower()) != str(value):
            message = f"{where} answered without the header {name!r} as expected"
            return StepResult(Outcome.FAILED, message, outputs=outputs, terminal=True)
    if "graphql" in asked:
        if not isinstance(data, Mapping):
            return StepResult(Outcome.FAILED, f"{where} answered without a GraphQL result", outputs=outputs)
        outputs["data"] = data.get("data")
        if data.get("errors"):
            first = data["errors"][0] if isinstance(data["errors"], list) else data["errors"]
            said = first.get("message") if isinstance(first, Mapping) else first
            return StepResult(Outcome.FAILED, f"{where} answered with errors: {said}", outputs=outputs, terminal=True)
    return _fitting(expect.get("schema"), outputs, where, is_json=is_json)


def _fitting(schema: Any, outputs: dict[str, Any], where: str, *, is_json: bool) -> StepResult:
    if schema is None:
        return StepResult(Outcome.PASSED, outputs=outputs)
    if not is_json:
        message = f"{where} answered with what is not JSON, and has to fit a schema"
        return StepResult(Outcome.FAILED, message, outputs=outputs, terminal=True)
    from f0ci.source.schema import check_against

    checked = outputs.get("data", outputs["body"])
    try:
        problems = check_against(schema, checked)
    except Exception as error:
        raise StepError(f"the schema in 'expect' cannot be used: {error}", "correct it", terminal=True) from error
    for problem in problems:
        place = ".".join(map(str, problem.path)) or "the answer"
        message = f"{where} answered otherwise than expected: {place}: {problem.message}"
        return StepResult(Outcome.FAILED, message, problem.hint, outputs=outputs, terminal=True)
    return StepResult(Outcome.PASSED, outputs=outputs)


def _what(asked: Mapping[str, Any]) -> tuple[str, bytes | None, str | None]:
    """Return method, body and type of the body."""
    from f0ci.core.suggestions import did_you_mean

    for name in asked:
        if name not in _KNOWN:
            raise StepError(f"an http step knows no {name!r}", did_you_mean(name, sorted(_KNOWN)), terminal=True)
    if not isinstance(asked.get("url"), str):
        raise StepError("an http step needs a url", "write it under 'args'", terminal=True)
    bodies = [name for name in ("json", "form", "text", "graphql") if name in asked]
    if len(bodies) > 1:
        raise StepError(f"an http step has both {bodies[0]!r} and {bodies[1]!r}", "keep one of them", terminal=True)
    method = str(asked.get("method", "POST" if bodies else "GET")).upper()
    if method not in METHODS:
        raise StepError(
            f"there is no method {method!r}", did_you_mean(method, METHODS, noun="there are"), terminal=True
        )
    if bodies and method in METHODS[:3]:
        raise StepError(f"{method} sends no {bodies[0]!r}", "use POST, PUT or PATCH", terminal=True)
    if not bodies:
        return method, None, None
    value = asked[bodies[0]]
    if bodies[0] == "form":
        form = {name: _as_text(item) for name, item in _mapping(asked, "form").items()}
        return method, urlencode(form).encode(), "application/x-www-form-urlencoded"
    if bodies[0] == "text":
        return method, _as_text(value).encode(), "text/plain; charset=utf-8"
    if bodies[0] == "graphql":
        rules = _mapping(asked, "graphql")
        if not isinstance(rules.get("query"), str):
            raise StepError("a GraphQL request needs a query", "write it under 'graphql'", terminal=True)
        value = {"query": rules["query"], "variables": rules.get("variables", {})}
        value |= {"operationName": rules["operation"]} if "operation" in rules else {}
    return method, json.dumps(value).encode(), "application/json"


def _mapping(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name)
    if value is not None and not isinstance(value, Mapping):
        raise StepError(f"{name!r} of an http step is no mapping", "write names and values below it", terminal=True)
    return value or {}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _json(text: str) -> tuple[Any, bool]:
    try:
        return json.loads(text), True
    except (ValueError, RecursionError):
        return None, False
