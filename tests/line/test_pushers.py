"""What somebody who may push, and may not approve, tries so that a release comes in all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from f0ci.commands.promoting import promote_environment
from f0ci.core.clock import FixedClock, SystemClock
from tests.conftest import git
from tests.line.conftest import Line, Stage
from tests.line.forger import Forger

WAITING = "prod-4"


def test_an_approval_that_was_taken_back_does_not_count_when_it_is_recorded_again(
    history: Line, forger: Forger
) -> None:
    history.act_as("bob")
    history.done("approve", WAITING)
    history.done("revoke", WAITING, "--reason", "wrong dashboard")
    _, approved = forger.find("prod", "approved", WAITING)
    forger.append("prod", WAITING, "approved", approved["data"])

    answer = history.f0ci("promote", "prod")

    assert answer.code == 5
    assert "0 of 1 approval" in answer.out
    assert "approval-replayed" in history.f0ci("audit", "verify").out


def test_who_may_not_lift_a_hold_does_not_shorten_it(history: Line, forger: Forger) -> None:
    history.done("hold", "prod", "--reason", "incident 4711")
    history.people["mallory"].sign_with(history.work)
    git(history.work, "config", "user.email", "mallory@example.com")

    shorter = history.f0ci("hold", "prod", "--reason", "lunch", "--for", "1s")

    assert shorter.code == 4
    assert "mallory@example.com" in shorter.err
    history.done("hold", "prod", "--reason", "incident 4711, still")
    history.done("hold", "staging", "--reason", "a look", "--for", "1h")
    history.done("hold", "staging", "--reason", "a longer look", "--for", "2h")
    history.act_as("bob")
    history.done("hold", "prod", "--reason", "over tonight", "--for", "8h")
    history.done("audit", "verify")
    _, hold = forger.find("prod", "hold")
    forger.append("prod", "_environment", "hold", {**hold["data"], "expires": hold["time"]})
    found = history.f0ci("audit", "verify")
    assert "right-not-proven" in found.out
    assert "shortened the hold" in found.out


@pytest.mark.parametrize(
    ("environment", "tip"),
    [
        pytest.param("prod", None, id="deleted, so that the default branch judges"),
        pytest.param("prod", "f0ci/ledger/prod~7", id="cut off"),
        pytest.param("staging", "f0ci/ledger/staging~3", id="upstream cut off"),
    ],
)
def test_nothing_is_judged_by_a_ledger_that_lost_what_its_branch_holds(
    environment: str, tip: str | None, history: Line
) -> None:
    history.approve_waiting()
    ref = f"refs/heads/f0ci/ledger/{environment}"
    whole = history.tip(ref)
    env = history.tip("env/prod")
    if tip is None:
        git(history.bare, "update-ref", "-d", ref)
    else:
        git(history.bare, "update-ref", ref, tip)

    answer = history.f0ci("promote", "prod")

    assert answer.code == 3, answer
    assert f"'{environment}' holds commit" in answer.err
    assert "events were cut off" in answer.err
    assert history.tip("env/prod") == env
    # the way out that the hint names
    git(history.bare, "update-ref", ref, whole)
    history.done("promote", "prod")


def test_a_commit_made_by_hand_that_names_a_promotion_is_repaired(history: Line) -> None:
    history.approve_waiting()
    message = git(history.bare, "log", "-1", "--format=%B", "env/prod")
    forged = git(history.bare, "commit-tree", "env/prod^{tree}", "-p", "env/prod", "-m", message)
    git(history.bare, "update-ref", "refs/heads/env/prod", forged)

    assert "or somebody made the commit by hand" in history.f0ci("promote", "prod").err

    history.done("promote", "prod", "--repair", "--reason", "pushed by hand")
    history.approve_waiting()
    history.done("promote", "prod")


def with_carol(line: Line) -> None:
    approvers = (line.work / ".f0ci/approvers.yaml").read_text(encoding="utf-8")
    carol = f"  carol:\n    emails: [carol@example.com]\n    keys: ['{line.people['carol'].key}']\n"
    text = approvers.replace("groups:\n", f"{carol}groups:\n").replace("[alice, bob]", "[alice, bob, carol]")
    line.commit({".f0ci/approvers.yaml": text})


def test_a_clock_that_is_ahead_passes_no_soak_unseen(line: Line) -> None:
    line.change("workflow.yaml", "        approval: {count: 1, groups: [release-managers]}", "        soak: {for: 24h}")
    line.change("workflow.yaml", "      approval_required: true\n", "")
    line.change("workflow.yaml", "[deploy_staging, manual_approval]", "[deploy_staging]")
    line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")
    assert line.f0ci("promote", "prod").code == 5

    promote_environment(line.work, "prod", clock=FixedClock(SystemClock().now() + timedelta(hours=25)))

    assert "applied" in line.events("prod")
    line.done("hold", "prod", "--reason", "was that a day?")
    found = line.f0ci("audit", "verify")
    assert found.code == 1
    assert "decided-ahead" in found.out
    assert "when soak was waiting" in found.out


@pytest.fixture
def three(
    stage: Callable[[str, Callable[[Line], None]], Stage], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Line:
    """Return a line with a release in production, whose approvers are alice, bob and carol."""

    def play(line: Line) -> None:
        with_carol(line)
        line.to_prod()
        line.done("promote", "prod")

    return stage("three", play).copy_to(tmp_path, capsys)


def ask_as(line: Line, email: str) -> None:
    git(line.work, "config", "user.email", email)
    for environment in ("dev", "staging"):
        line.done("promote", environment)
    assert line.f0ci("promote", "prod").code == 5


def test_who_brings_their_content_back_is_its_author(three: Line) -> None:
    three.act_as("carol")
    three.change("environments/base.yaml", "the team", "the team of carol")
    hers = three.release()
    three.act_as("alice")
    three.change("environments/base.yaml", "the team of carol", "everybody")
    three.to_prod()
    three.done("promote", "prod")
    three.act_as("carol")
    three.change("environments/base.yaml", "everybody", "the team of carol")
    assert three.release() == hers
    ask_as(three, "pipeline@example.com")
    three.act_as("carol")

    refused = three.f0ci("approve", "prod-3")

    assert refused.code == 4
    assert "'carol' wrote part of what 'prod-3' promotes" in refused.err
    assert "can be given by alice, bob" in three.f0ci("promote", "prod").out
    three.act_as("bob")
    three.done("approve", "prod-3")
    three.done("promote", "prod")
    three.done("audit", "verify")


def test_a_tag_that_is_moved_hides_no_author(three: Line) -> None:
    running = three.done("status", "prod", "--format", "json").data["environments"][0]["release"]
    three.act_as("carol")
    evil = three.change("environments/base.yaml", "the team", "the team of carol")
    three.release()
    ask_as(three, "pipeline@example.com")
    tag = f"refs/tags/f0ci/release/{running[:12]}"
    message = git(three.bare, "cat-file", "tag", tag).partition("\n\n")[2]
    git(three.bare, "tag", "-f", "-a", tag.removeprefix("refs/tags/"), "-m", message, evil)
    three.act_as("carol")

    refused = three.f0ci("approve", "prod-2")

    assert refused.code == 4, refused
    assert "'carol' wrote part of what 'prod-2' promotes" in refused.err


def test_another_word_for_an_environment_is_no_way_to_change_the_wrong_one(history: Line) -> None:
    text = (history.work / "workflow.yaml").read_text(encoding="utf-8")
    text = text.replace("    prod:\n", "    live:\n      config: prod\n").replace(
        "environment: prod", "environment: live"
    )
    history.commit({"workflow.yaml": text})

    for command in (
        ("hold", "prod", "--reason", "incident"),
        ("rollback", "prod", "--reason", "incident"),
        ("promote", "prod"),
        ("plan", "prod"),
    ):
        answer = history.f0ci(*command)
        assert answer.code == 2, answer
        assert "'live' answers to that name now" in answer.err
    looked = history.done("history", "prod", "--format", "json").data["promotions"]
    assert {one["environment"] for one in looked} == {"prod"}
    assert history.done("history", "production", "--format", "json").data["promotions"] == []
