"""What the gates about time, order and content answer, row by row."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from f0ci.core.outcome import Outcome
from f0ci.git.repository import Repository
from f0ci.promotion.approvers import Approvers, Person
from f0ci.promotion.events import Draft, Event
from f0ci.promotion.folding import fold_environment
from f0ci.promotion.gates import artifact, command, settled, signed_commit, soak, window
from f0ci.promotion.gates.base import GateQuestion, Scene
from f0ci.promotion.ledger import number
from f0ci.promotion.state import EnvironmentState
from f0ci.promotion.statements import Statement, VerifiedStatement
from tests.conftest import SshIdentity, commit_files, git
from tests.unit.promotion.builders import ALICE, NOW, passing, release, rolled_back

PLAN, EARLIER_PLAN = "a" * 64, "b" * 64
PEOPLE = Approvers(
    {name: Person(name, (f"{name}@example.com",)) for name in ("alice", "bob", "carol")}, {"leads": ("bob",)}
)
HOUR = timedelta(hours=1)


def ask(settings: Mapping[str, Any], **more: Any) -> GateQuestion:
    known: dict[str, Any] = {
        "promotion": "prod-9",
        "environment": "prod",
        "release": release("new"),
        "digest": PLAN,
        "settings": settings,
        "environments": {},
        "approvers": PEOPLE,
        "requested_by": ALICE,
        "now": NOW,
        **more,
    }
    return GateQuestion(**known)


def played(name: str, *parts: tuple[timedelta, tuple[Draft, ...]]) -> EnvironmentState:
    """Return an environment in which events happened so long before NOW."""
    events: tuple[Event, ...] = ()
    for ago, drafts in parts:
        events = (*events, *number(events, name, drafts, NOW - ago, ALICE))
    return fold_environment(name, events, None)


NEW, OTHER = passing("staging-1", "new", "checked"), passing("staging-2", "other", "checked")


@pytest.mark.parametrize(
    ("parts", "outcome", "until", "words"),
    [
        pytest.param((), Outcome.WAITING, None, "has not succeeded", id="never there"),
        pytest.param(((5 * HOUR, NEW),), Outcome.PASSED, None, "ran 5h", id="long enough"),
        pytest.param(((4 * HOUR, NEW),), Outcome.PASSED, None, "ran 4h", id="just long enough"),
        pytest.param(((HOUR, NEW),), Outcome.WAITING, 3 * HOUR, "until 2026-11-21T12:00:00Z", id="not yet"),
        pytest.param(((5 * HOUR, NEW), (3 * HOUR, OTHER)), Outcome.WAITING, None, "no longer does", id="replaced"),
        pytest.param(((9 * HOUR, NEW), (3 * HOUR, OTHER)), Outcome.PASSED, None, "ran 6h", id="replaced after that"),
        pytest.param(
            ((9 * HOUR, NEW), (7 * HOUR, OTHER), (2 * HOUR, passing("staging-3", "new", "checked"))),
            Outcome.PASSED,
            None,
            "ran 4h",
            id="twice there",
        ),
        pytest.param(
            ((9 * HOUR, passing("staging-1", "new", "verifying")),),
            Outcome.WAITING,
            None,
            "not succeeded",
            id="verifying",
        ),
        pytest.param(
            ((9 * HOUR, passing("staging-1", "new", "none")),), Outcome.WAITING, None, "not succeeded", id="too weak"
        ),
    ],
)
def test_soak(
    parts: tuple[tuple[timedelta, tuple[Draft, ...]], ...], outcome: Outcome, until: timedelta | None, words: str
) -> None:
    environments = {"staging": played("staging", *parts)}

    answer = soak.evaluate(ask({"for": "4h", "upstream": ["staging"]}, environments=environments, require="checked"))

    assert answer.outcome is outcome
    assert answer.until == (NOW + until if until else None)
    assert words in answer.reason


def test_soaking_nowhere_is_no_pass() -> None:
    assert soak.evaluate(ask({"for": "4h", "upstream": []})).outcome is Outcome.ERRORED


@pytest.mark.parametrize(
    ("drafts", "settings", "outcome", "words"),
    [
        pytest.param((), {}, Outcome.PASSED, "before", id="nothing before"),
        pytest.param(passing("prod-1", "old"), {}, Outcome.PASSED, "succeeded", id="settled"),
        pytest.param(passing("prod-1", "old"), {"for": "2h"}, Outcome.WAITING, "10:00:00Z", id="not for long enough"),
        pytest.param(passing("prod-1", "old"), {"for": "1h"}, Outcome.PASSED, "succeeded", id="for long enough"),
        pytest.param(passing("prod-1", "old", "verifying"), {}, Outcome.WAITING, "still verifying", id="under way"),
        pytest.param(passing("prod-1", "old", "failed"), {}, Outcome.PASSED, "failed", id="failed here: held anyway"),
        pytest.param(
            (*passing("prod-1", "old"), *passing("prod-2", "bad", "verifying"), rolled_back("prod-2", "old")),
            {},
            Outcome.WAITING,
            "not deployed yet",
            id="rolled back, not deployed",
        ),
    ],
)
def test_settled(drafts: tuple[Draft, ...], settings: dict[str, Any], outcome: Outcome, words: str) -> None:
    answer = settled.evaluate(ask(settings, environments={"prod": played("prod", (HOUR, drafts))}))

    assert answer.outcome is outcome
    assert words in answer.reason


def test_a_failure_elsewhere_is_not_settled() -> None:
    environments = {"staging": played("staging", (HOUR, passing("staging-1", "old", "failed")))}

    answer = settled.evaluate(ask({"environments": ["staging"]}, environments=environments))

    assert answer.outcome is Outcome.WAITING
    assert answer.command == "f0ci rollback staging --reason ..."


FREEZE = {"freeze": [{"name": "audit", "from": "2026-11-20", "to": "2026-11-22"}]}


def override(who: str, **more: Any) -> VerifiedStatement:
    statement = Statement("prod-9", PLAN, "prod", who, "override", NOW, None, "incident", "window")
    return VerifiedStatement(replace(statement, **more), who, None)


@pytest.mark.parametrize(
    ("settings", "statements", "outcome", "words"),
    [
        pytest.param({"freeze": [{"from": "2026-12-01", "to": "2026-12-02"}]}, (), Outcome.PASSED, "open", id="open"),
        pytest.param(FREEZE, (), Outcome.WAITING, "opens at 2026-11-23T00:00:00Z", id="frozen"),
        pytest.param(FREEZE, (override("bob"),), Outcome.PASSED, "overridden by bob: incident", id="a second person"),
        pytest.param(FREEZE, (override("alice"),), Outcome.WAITING, "requested the promotion", id="the requester"),
        pytest.param(FREEZE, (override("bob", reason=""),), Outcome.WAITING, "no reason", id="without a reason"),
        pytest.param(FREEZE, (override("bob", digest=EARLIER_PLAN),), Outcome.WAITING, "earlier", id="another plan"),
        pytest.param(FREEZE, (override("bob", expires=NOW),), Outcome.WAITING, "expired", id="expired"),
        pytest.param(FREEZE, (override("bob", gate="soak"),), Outcome.WAITING, "frozen", id="of another gate"),
        pytest.param(
            FREEZE, (override("bob"), override("bob", decision="revoke")), Outcome.WAITING, "frozen", id="taken back"
        ),
        pytest.param(
            {**FREEZE, "override": {"groups": ["leads"]}},
            (override("carol"),),
            Outcome.WAITING,
            "may not",
            id="no lead",
        ),
        pytest.param({**FREEZE, "override": False}, (override("bob"),), Outcome.WAITING, "may not", id="nobody may"),
        pytest.param({"freeze": [{"from": "never"}]}, (), Outcome.ERRORED, "'from' and 'to'", id="cannot be read"),
    ],
)
def test_window(
    settings: dict[str, Any], statements: tuple[VerifiedStatement, ...], outcome: Outcome, words: str
) -> None:
    answer = window.evaluate(ask(settings, statements=statements))

    assert answer.outcome is outcome
    assert words in answer.reason


def test_who_can_end_a_freeze_and_how() -> None:
    answer = window.evaluate(ask(FREEZE))

    assert answer.who == ("bob", "carol")
    assert answer.command == "f0ci override prod-9 --gate window --reason ..."


def scene(repository: Path, commit: str, people: Approvers, settings: Mapping[str, Any], config: Any = None) -> Scene:
    return Scene(
        repository=Repository.open(repository),
        promotion="prod-9",
        environment="prod",
        release=release("new"),
        source_commit=commit,
        policy_commit=commit,
        settings=settings,
        approvers=people,
        configuration=lambda: config or {},
    )


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)], ids=["sha1", "sha256"])
def test_signed_commit(
    options: tuple[str, ...], make_repository: Callable[..., Path], ssh_identity: Callable[[str], SshIdentity]
) -> None:
    bob, mallory = ssh_identity("bob"), ssh_identity("mallory")
    people = Approvers({"bob": Person("bob", keys=(bob.key,))}, {"leads": ("bob",), "others": ()})
    repository = make_repository("signed", {"a": "1"}, *options)

    def answer(settings: dict[str, Any]) -> tuple[Outcome, str]:
        commit = git(repository, "rev-parse", "HEAD")
        facts = signed_commit.observe(scene(repository, commit, people, settings))
        said = signed_commit.evaluate(ask(settings, approvers=people, facts=facts))
        return said.outcome, said.reason

    unsigned = answer({})
    git(repository, "config", "commit.gpgSign", "true")
    mallory.sign_with(repository)
    commit_files(repository, {"a": "2"})
    strange = answer({})
    bob.sign_with(repository)
    commit_files(repository, {"a": "3"})

    assert unsigned[0] is strange[0] is Outcome.FAILED
    assert "is not signed" in unsigned[1]
    assert "nobody in the approvers file" in strange[1]
    assert answer({})[0] is Outcome.PASSED
    assert answer({"groups": ["leads"]})[0] is Outcome.PASSED
    assert answer({"groups": ["others"]}) == (
        Outcome.FAILED,
        f"commit {git(repository, 'rev-parse', 'HEAD')[:10]} is signed by bob, who is not in others",
    )


def test_a_signed_commit_that_was_changed_is_not_signed(
    make_repository: Callable[..., Path], ssh_identity: Callable[[str], SshIdentity]
) -> None:
    bob = ssh_identity("bob")
    repository = make_repository("signed")
    bob.sign_with(repository)
    git(repository, "config", "commit.gpgSign", "true")
    commit_files(repository, {"a": "3"}, "good")
    raw = git(repository, "cat-file", "commit", "HEAD").replace("\n\ngood", "\n\nevil")
    made = subprocess.run(
        ["git", "-C", str(repository), "hash-object", "-t", "commit", "-w", "--stdin"],
        input=f"{raw}\n".encode(),
        capture_output=True,
        check=True,
    )
    people = Approvers({"bob": Person("bob", keys=(bob.key,))})

    facts = signed_commit.observe(scene(repository, made.stdout.decode().strip(), people, {}))

    assert facts["signed"] is True
    assert facts["signer"] is None


PINNED = "registry.example.com/app@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("config", "outcome", "words"),
    [
        pytest.param({"service": {"image": PINNED}}, Outcome.PASSED, "by digest", id="pinned"),
        pytest.param({"service": {"image": "sha256:" + "0" * 64}}, Outcome.PASSED, "by digest", id="a digest alone"),
        pytest.param({"service": {"image": "app:1.2"}}, Outcome.FAILED, "app:1.2", id="a tag"),
        pytest.param({"service": {"image": PINNED + "0"}}, Outcome.FAILED, "no sha256", id="too long"),
        pytest.param({"service": "app"}, Outcome.FAILED, "there is no value service.image", id="missing"),
    ],
)
def test_artifact(config: dict[str, Any], outcome: Outcome, words: str, make_repository: Callable[..., Path]) -> None:
    settings = {"values": ["service.image"]}
    facts = artifact.observe(scene(make_repository(), "HEAD", PEOPLE, settings, config))

    answer = artifact.evaluate(ask(settings, facts=facts))

    assert answer.outcome is outcome
    assert words in answer.reason


@pytest.mark.parametrize(
    ("run", "outcome", "words"),
    [
        ("echo looks good", Outcome.PASSED, "looks good"),
        ("echo too many incidents; exit 1", Outcome.FAILED, "too many incidents"),
        ("echo ticket is open; exit 75", Outcome.WAITING, "ticket is open"),
        ("exit 3", Outcome.ERRORED, "exit code 3"),
        ("sleep 5", Outcome.ERRORED, "too long"),
        ('test "$F0CI_PROMOTION/$F0CI_ENVIRONMENT" = prod-9/prod', Outcome.PASSED, "agrees"),
        ('test -z "$F0CI_GIT_TOKEN" && test -f rules.txt', Outcome.PASSED, "agrees"),
        (["test", "-f", "rules.txt"], Outcome.PASSED, "agrees"),
        (["no-such-program-anywhere"], Outcome.ERRORED, "no answer"),
    ],
)
def test_command(
    run: Any, outcome: Outcome, words: str, make_repository: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("F0CI_GIT_TOKEN", "s3cret")
    settings = {"run": run, "timeout": "1s"}
    facts = command.observe(scene(make_repository("policy", {"rules.txt": "1"}), "HEAD", PEOPLE, settings))

    answer = command.evaluate(ask(settings, facts=facts))

    assert (answer.outcome, answer.gate) == (outcome, "command")
    assert words in answer.reason
    assert (answer.until is not None) == (outcome in {Outcome.WAITING, Outcome.ERRORED})


@pytest.mark.parametrize("gate", [signed_commit, artifact, command])
def test_what_was_not_looked_at_is_no_pass(gate: Any) -> None:
    settings = {"values": ["a"], "run": "true"}

    assert gate.evaluate(ask(settings)).outcome is Outcome.WAITING
