from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from f0ci.analysis.providers.base import Query
from f0ci.analysis.services import address, open_service
from f0ci.core.errors import ProviderError
from f0ci.http.session import get_json
from tests.local_service import Reply, local_service, one_after_another

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SECRET = "planted-secret"


def query(settings: dict[str, Any], environment: str = "prod") -> Query:
    return Query(environment, "abc123", NOW, NOW, NOW, settings, "m")


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_TOKEN", f"{SECRET}\n")
    monkeypatch.setenv("F0CI_SECRET_METRICS", SECRET)
    monkeypatch.setenv("F0CI_GIT_TOKEN", SECRET)
    monkeypatch.setenv("GITHUB_TOKEN", SECRET)
    monkeypatch.setenv("EMPTY", " ")


SENT: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"token_env": "METRICS_TOKEN"}, {"authorization": f"Bearer {SECRET}"}),
    ({"token_env": "F0CI_SECRET_METRICS"}, {"authorization": f"Bearer {SECRET}"}),
    (
        {"username": "me", "password_env": "METRICS_TOKEN"},
        {"authorization": "Basic bWU6cGxhbnRlZC1zZWNyZXQ="},
    ),
    ({"headers_env": {"X-Api-Key": "METRICS_TOKEN"}}, {"x-api-key": SECRET}),
    (
        {"headers": {"X-Scope-OrgID": "{{ environment }}-1", "X-Number": 7}},
        {"x-scope-orgid": "prod-1", "x-number": "7"},
    ),
]


@pytest.mark.parametrize(("settings", "expected"), SENT)
def test_who_asks_is_read_from_the_environment(settings: dict[str, Any], expected: dict[str, str]) -> None:
    with local_service(one_after_another(Reply({}))) as service:
        asked = query({"url": service.url, **settings})
        with open_service(asked, Path("/nowhere")) as session:
            get_json(session, address(asked))

    assert expected.items() <= service.asked[0].headers.items()


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("not set", {"token_env": "NO_SUCH"}, "needs the environment variable 'NO_SUCH' ('token_env')", "set NO_SUCH"),
    ("empty", {"token_env": "EMPTY"}, "needs the environment variable 'EMPTY'", "set EMPTY"),
    ("Git's", {"token_env": "F0CI_GIT_TOKEN"}, "asks for 'F0CI_GIT_TOKEN' in 'token_env'", "of its own"),
    (
        "CI's",
        {"headers_env": {"X": "GITHUB_TOKEN"}},
        "asks for 'GITHUB_TOKEN' in 'headers_env.X', which is not for metrics",
        "of its own",
    ),
    ("a password alone", {"password_env": "METRICS_TOKEN"}, "says in part, or twice, who asks", "'username'"),
    ("a name alone", {"username": "me"}, "says in part, or twice, who asks", "'password_env'"),
    (
        "twice",
        {"username": "me", "password_env": "METRICS_TOKEN", "token_env": "METRICS_TOKEN"},
        "says in part, or twice, who asks",
        "'token_env'",
    ),
    (
        "in the open",
        {"headers": {"authorization": "Bearer x"}},
        "credentials in the header 'authorization'",
        "variable",
    ),
    ("as a cookie", {"headers": {"Cookie": "a=b"}}, "credentials in the header 'Cookie'", "variable"),
    ("no mapping", {"headers": ["a"]}, "has 'headers' that are no mapping", "name: value"),
    ("a header on two lines", {"headers": {"X-A": "a\nb"}}, "the header 'X-A' cannot be sent", "one line"),
    ("a header of nothing", {"headers": {"X-A": "{{ nothing }}"}}, "'headers.X-A' of metric 'm': ", ""),
    ("no file", {"ca_file": "ca.pem"}, "there is no file '/nowhere/ca.pem'", "check 'ca_file'"),
    ("an absolute file", {"client_key": "/no/key.pem"}, "there is no file '/no/key.pem'", "check 'client_key'"),
    ("no time", {"timeout": "0"}, "has no time to be asked", "30s"),
    ("odd time", {"timeout": "soon"}, "'timeout' of metric 'm': 'soon' is not a duration", "30s"),
]


@pytest.mark.parametrize(("settings", "message", "hint"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(ProviderError) as caught, open_service(query(settings), Path("/nowhere")):
        pytest.fail("the session was opened")

    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
    assert SECRET not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("environment", "url", "expected"),
    [
        ("prod", "https://m.example.com/x", "https://m.example.com/x"),
        ("prod", "https://{{ environment }}.example.com/", "https://prod.example.com/"),
        ("evil.example.com/", "https://{{ environment }}.example.com/", "https://evil.example.com%2F.example.com/"),
        ("a@b", "https://{{ environment }}.example.com/", "https://a%40b.example.com/"),
        ("a&b=c", "https://m.example.com/?env={{ environment }}", "https://m.example.com/?env=a%26b%3Dc"),
        ("../x", "https://m.example.com/{{ environment }}/", "https://m.example.com/..%2Fx/"),
    ],
)
def test_no_name_becomes_part_of_an_address(environment: str, url: str, expected: str) -> None:
    assert address(query({"url": url}, environment)) == expected


@pytest.mark.parametrize("settings", [{}, {"url": ""}, {"url": None}])
def test_an_address_is_needed(settings: dict[str, Any]) -> None:
    with pytest.raises(ProviderError, match="metric 'm' names no address"):
        address(query(settings))


def test_a_service_that_fails_is_a_provider_that_cannot_answer() -> None:
    with (
        pytest.raises(ProviderError, match="'nowhere' is no address to ask"),
        open_service(query({"url": "nowhere"}), Path("/nowhere")) as session,
    ):
        get_json(session, "nowhere")
