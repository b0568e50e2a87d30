"""What keeps its promise when the world does not: clocks, shallow clones, holds, strangers, forged events."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from f0ci.commands.approving import decide_promotion
from f0ci.commands.holding import hold_environment
from f0ci.commands.promoting import promote_environment, rollback_environment
from f0ci.core.canonical import digest
from f0ci.core.clock import FixedClock, SystemClock
from f0ci.core.errors import CannotWork, ExitCode
from f0ci.runner.surroundings import surroundings
from tests.conftest import RemoteRepository, SshIdentity, git
from tests.line.conftest import PEOPLE, Line, start_line
from tests.line.forger import Forger
from tests.line.processes import KILLED, start

WAITING = "prod-4"


def refs(line: Line) -> str:
    return git(line.bare, "for-each-ref")


class Busy:
    """A clock at which something happens when it is first looked at."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self.happens = happens
        self.looked = 0

    def now(self) -> datetime:
        self.looked += 1
        if self.looked == 1:
            self.happens()
        return SystemClock().now()

    def exact(self) -> datetime:
        return self.now()


def test_an_approval_counts_until_the_moment_it_expires(history: Line) -> None:
    asked = SystemClock().now()
    history.act_as("bob")
    decide_promotion(history.work, WAITING, "approve", expires=timedelta(hours=1), clock=FixedClock(asked))
    history.act_as("alice")

    late = promote_environment(history.work, "prod", clock=FixedClock(asked + timedelta(hours=1)))

    assert late.exit_code is ExitCode.WAITING
    assert "the approval of 'bob' expired" in late.reasons[0]
    git(history.bare, "update-ref", "refs/heads/f0ci/ledger/prod", "f0ci/ledger/prod~1")
    in_time = promote_environment(history.work, "prod", clock=FixedClock(asked + timedelta(minutes=59)))
    assert in_time.state == "verifying", in_time
    assert history.events("prod")[-3:] == ["applied", "deployed", "waiting"]


def test_a_lost_race_asks_every_gate_again(history: Line) -> None:
    history.approve_waiting()
    other = history.clone("other")
    git(other, "config", "user.name", "Bob")
    git(other, "config", "user.email", "bob@example.com")
    history.people["bob"].sign_with(other)
    clock = Busy(lambda: decide_promotion(other, WAITING, "reject", reason="wait", expires=None))

    report = promote_environment(history.work, "prod", clock=clock)

    assert clock.looked

    assert report.state == "refused"
    assert report.reasons == ("approval: bob rejected it: wait",)
    assert "applied" not in history.events("prod")[-3:]


def test_a_hold_that_comes_at_the_last_moment_stops_it(history: Line) -> None:
    history.approve_waiting()
    other = history.clone("other")

    report = promote_environment(
        history.work, "prod", clock=Busy(lambda: hold_environment(other, "prod", "incident 4711"))
    )

    assert report.exit_code is ExitCode.WAITING
    assert "incident 4711" in report.reasons[-1]
    before = refs(history)
    assert history.f0ci("promote", "prod").code == 5
    assert refs(history) == before
    history.done("unhold", "prod", "--reason", "over")
    history.done("promote", "prod", "--continue")


def test_a_promotion_that_nobody_ends_ends_by_itself(history: Line) -> None:
    now = SystemClock().now()

    almost = promote_environment(history.work, "prod", clock=FixedClock(now + timedelta(days=29)))
    report = promote_environment(history.work, "prod", clock=FixedClock(now + timedelta(days=31)))

    assert almost.state == "waiting"
    assert report.state == "expired"
    assert report.exit_code is ExitCode.REFUSED
    assert "it waited until" in report.reasons[0]


def test_nothing_is_promoted_by_a_clock_that_is_behind_and_everything_rolled_back(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    line.change("environments/base.yaml", "the team", "the whole team")
    line.release()
    line.done("promote", "dev")
    tree = git(line.bare, "rev-parse", "env/dev~1^{tree}")
    line.change("environments/base.yaml", "the whole team", "everybody")
    line.release()
    yesterday = FixedClock(SystemClock().now() - timedelta(days=1))

    with pytest.raises(CannotWork, match="this machine's clock says"):
        promote_environment(line.work, "dev", clock=yesterday)

    assert rollback_environment(line.work, "dev", "slow", clock=yesterday).state == "succeeded"
    assert line.tree("env/dev") == tree
    line.done("audit", "verify")


@pytest.mark.parametrize(
    "command",
    [
        ("unhold", "prod", "--reason", "never mind"),
        ("promote", "prod", "--through-hold", "I know better"),
        ("quarantine", "{release}", "--lift", "--reason", "it is fine"),
        ("approve", WAITING),
    ],
    ids=lambda command: command[0],
)
def test_strangers_are_refused(command: tuple[str, ...], history: Line, forger: Forger) -> None:
    quarantined = forger.find("_workflow", "quarantine")[1]["data"]["release"]
    if command[0] != "approve":
        history.done("abort", WAITING, "--reason", "make room")
    history.done("hold", "prod", "--reason", "incident")
    git(history.work, "config", "user.email", "mallory@example.com")
    before = refs(history)

    answer = history.f0ci(*(word.format(release=quarantined) for word in command))

    assert answer.code == 4, answer
    assert "mallory@example.com" in answer.err
    assert refs(history) == before


def test_an_approvers_key_must_be_the_one_on_file(history: Line) -> None:
    history.act_as("bob")
    history.people["mallory"].sign_with(history.work)
    before = refs(history)

    answer = history.f0ci("approve", WAITING)

    assert answer.code == 4
    assert "your signing key is not one of 'bob'" in answer.err
    assert refs(history) == before


def test_a_release_that_nobody_could_follow_is_not_promoted(line: Line) -> None:
    (line.work / ".f0ci/approvers.yaml").unlink()
    line.commit({})
    line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")

    answer = line.f0ci("promote", "prod")

    assert answer.code == 3
    assert "nobody could approve the next" in answer.err
    assert not git(line.bare, "for-each-ref", "refs/heads/f0ci/ledger/prod")


def test_a_release_whose_approvers_cannot_be_used_is_not_promoted(line: Line) -> None:
    both = "{emails: [both@example.com]}"
    line.commit({".f0ci/approvers.yaml": f"people: {{alice: {both}, bob: {both}}}\n"})
    refused = line.f0ci("release", "create")
    assert refused.code == 1
    assert "error[unknown-approver] 'bob' and 'alice' have the same address" in refused.err
    # whoever does not listen is stopped later
    settings = (line.work / "f0ci.yaml").read_text(encoding="utf-8")
    line.commit({"f0ci.yaml": f"{settings}rules: {{ignore: [unknown-approver, gate-out-of-reach]}}\n"})
    line.release()

    answer = line.f0ci("promote", "dev")

    assert answer.code == 3
    assert ".f0ci/approvers.yaml:1:" in answer.err
    assert "'bob' and 'alice' have the same address" in answer.err


def test_going_back_needs_no_policy_that_can_be_read(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    tree, first = line.tree("env/dev"), git(line.work, "rev-parse", "HEAD")
    line.change("environments/base.yaml", "the team", "the whole team")
    bad = line.release()
    line.done("promote", "dev")
    # the commit whose policy is in force is no longer to be had
    git(line.bare, "update-ref", "-d", f"refs/tags/f0ci/release/{bad}")
    git(line.bare, "update-ref", "refs/heads/main", first)
    elsewhere = line.clone("elsewhere")
    assert line.f0ci("promote", "dev", "--release", bad, work=elsewhere).code == 2

    answer = line.f0ci("rollback", "dev", "--reason", "it is slow", work=elsewhere)

    assert answer.code == 0, answer
    assert line.tree("env/dev") == tree


def test_a_shallow_clone_knows_every_author(line: Line) -> None:
    line.act_as("bob")
    line.change("environments/base.yaml", "the team", "the team of bob")
    line.act_as("alice")
    line.change("environments/base.yaml", "the team of bob", "the team of alice")
    line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")
    assert line.f0ci("promote", "prod").code == 5
    shallow, other = line.clone("shallow", "--depth=1"), line.clone("other", "--depth=1")
    git(shallow, "config", "user.email", "bob@example.com")
    line.people["bob"].sign_with(shallow)

    refused = line.f0ci("approve", "prod-1", work=shallow)
    answer = line.f0ci("promote", "prod", work=other)

    assert refused.code == 4, refused
    assert "'bob' wrote part of what 'prod-1' promotes" in refused.err
    assert answer.code == 5, answer
    assert "too few people can approve (nobody)" in answer.out


def test_a_shallow_clone_knows_which_release_is_older(line: Line) -> None:
    older = line.release()
    line.change("environments/base.yaml", "the team", "the whole team")
    line.release()
    line.done("promote", "dev")

    answer = line.f0ci("promote", "dev", "--release", older, work=line.clone("shallow", "--depth=1"))

    assert answer.code == 4, answer
    assert "is older than" in answer.err


def test_waiting_for_data_is_told_once(line: Line) -> None:
    line.change("environments/base.yaml", "requests: 200", "requests: 10")
    release = line.release()
    line.done("promote", "dev")
    assert line.f0ci("promote", "staging").code == 5
    before, now = refs(line), SystemClock().now()

    for minutes in (1, 5, 30):
        with (line.work / "metrics/requests.csv").open("a", encoding="utf-8") as rows:
            rows.write(f"{now:%Y-%m-%dT%H:%M:%SZ},staging,{release},1,0\n")
        clock = FixedClock(now + timedelta(minutes=minutes))
        report = promote_environment(line.work, "staging", clock=clock)
        assert report.next_check_at == clock.now() + timedelta(minutes=1)
        assert "of at least 50 samples" in report.reasons[0]

    assert refs(line) == before
    overdue = promote_environment(line.work, "staging", clock=FixedClock(now + timedelta(hours=2)))
    assert overdue.exit_code is ExitCode.WAITING
    assert overdue.next_check_at is None
    assert "a person is needed" in overdue.reasons[-1]


def test_a_deploy_recipe_that_cannot_start_is_no_verdict_on_the_release(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    line.change("environments/base.yaml", "the team", "the whole team")
    line.release()

    # a process runs one recipe at a time
    with surroundings(line.work, dict(os.environ)):
        first, second = (promote_environment(line.work, "dev") for _ in range(2))

    assert first.state == "deploying"
    assert first.exit_code is second.exit_code is ExitCode.CANNOT_WORK
    assert "the deploy recipe could not run" in first.reasons[-1]
    assert line.events("dev")[-2:] == ["applied", "waiting"]
    assert "the deploy recipe could not run" in line.done("status", "dev").out
    line.done("promote", "dev")
    assert line.events("dev")[-2:] == ["deployed", "succeeded"]


def test_an_environment_that_the_workflow_forgot_is_still_shown(history: Line) -> None:
    text = (history.work / "workflow.yaml").read_text(encoding="utf-8")
    before, _, after = text.partition("    prod:\n")
    rest = after[after.index("  # what conditions") :]
    stages = rest[: rest.index("    - name: deploy_prod")]
    history.commit({"workflow.yaml": before + stages})

    status = history.done("status", "prod", "--format", "json").data["environments"]
    past = history.done("history", "prod", "--format", "json").data["promotions"]

    assert [one["environment"] for one in status] == ["prod"]
    assert past[0]["promotion"] == WAITING
    assert history.f0ci("promote", "prod").code == 2


def test_one_promotion_that_cannot_go_on_does_not_keep_back_the_others(line: Line, tmp_path: Path) -> None:
    line.release()
    for environment in ("dev", "staging"):
        output = tmp_path / f"{environment}.txt"
        # dev comes to its deploy recipe, staging to its request
        kill_at = 3 if environment == "dev" else 1
        assert start(line.work, "promote", environment, output=output, kill_at=kill_at).end().code == KILLED
    forger = Forger(line.bare, line.work, line.people)
    plan = {**forger.plan("dev", "dev-1"), "renderer": "0.0.0"}
    path, event = forger.find("dev", "requested")
    forger.edit("dev", path, data={**event["data"], "plan": plan})

    answer = line.f0ci("promote", "--continue", "--format", "json")

    assert answer.code == 3, answer
    dev, staging = answer.data
    assert (dev["promotion"], dev["state"]) == ("dev-1", "deploying")
    assert "f0ci audit verify" in dev["reasons"][-1]
    assert (staging["promotion"], staging["state"]) == ("staging-1", "waiting")


def test_a_plan_that_is_not_what_its_digest_says_is_made_again(history: Line, forger: Forger) -> None:
    plan = forger.plan("prod", WAITING)
    forged = {"digest": digest(plan), "plan": {**plan, "gates": []}, "reason": "nobody will notice"}
    forger.append("prod", WAITING, "replanned", forged)

    answer = history.f0ci("promote", "prod")

    assert answer.code == 5
    assert forger.find("prod", "replanned")[1]["data"]["plan"]["gates"] == plan["gates"]
    assert "can be given by bob" in answer.out


def test_a_rollback_that_f0ci_would_not_ask_for_is_not_done(history: Line, forger: Forger) -> None:
    history.done("abort", WAITING, "--reason", "make room")
    _path, event = forger.find("prod", "requested", "prod-3")
    tree = history.tree("env/prod")
    plan = {**event["data"]["plan"], "promotion": "prod-5"}
    plan["base"] = {"tree": tree, "release": plan["release"]}
    plan["steps"] = [{"percent": 100, "tree": forger.git("rev-parse", "env/dev^{tree}")}]
    forger.append("prod", "prod-5", "requested", {**event["data"], "plan": plan, "digest": digest(plan)})

    answer = history.f0ci("promote", "prod", "--continue")

    assert answer.code != 0
    assert history.tree("env/prod") == tree


def test_a_tag_that_is_gone_or_replaced_is_named(history: Line) -> None:
    asked = [event for event in history.records("prod") if event["promotion"] == WAITING]
    release = asked[0]["data"]["release"]
    tag = f"refs/tags/f0ci/release/{release[:12]}"
    git(history.bare, "update-ref", tag, "main")

    replaced = history.f0ci("promote", "prod")
    git(history.bare, "update-ref", "-d", tag)
    gone = history.f0ci("promote", "prod")

    assert (replaced.code, gone.code) == (3, 3)
    assert f"the tag 'f0ci/release/{release[:12]}' records no release" in replaced.err
    assert f"'prod-4' brings a release whose tag 'f0ci/release/{release[:12]}' is gone" in gone.err
    assert "f0ci abort prod-4" in gone.err
    history.done("abort", WAITING, "--reason", "its tag is gone")


def test_a_moved_release_tag_is_found_before_anything_changes(line: Line) -> None:
    release = line.release()
    forger = Forger(line.bare, line.work, line.people)
    tag = f"refs/tags/f0ci/release/{release[:12]}"
    _object, rest = forger.git("cat-file", "-p", tag).split("\n", 1)
    other = line.change("scriptlets/greetings.py", "Return a greeting.", "Return a secret.")
    forger.git("update-ref", tag, forger.git("mktag", content=f"object {other}\n{rest}\n"))

    answer = line.f0ci("promote", "dev")

    assert answer.code == 3
    assert "does not hold its content" in answer.err
    assert "env/dev" not in refs(line)


def test_a_second_workflow_has_branches_of_its_own(line: Line) -> None:
    text = (line.work / "f0ci.yaml").read_text(encoding="utf-8")
    line.release()
    line.done("promote", "dev")
    line.commit({"f0ci.yaml": f"{text}branch_prefix: shop\n"})
    line.release()

    line.done("promote", "dev")

    assert "refs/heads/env/shop.dev" in refs(line)
    assert line.events("shop.dev") == line.events("dev")
    assert [one["promotion"] for one in line.done("history", "--format", "json").data["promotions"]] == ["dev-1"]
    line.done("audit", "verify")


def test_approving_what_a_waiting_rollback_would_do(line: Line) -> None:
    releases = []
    for team in ("the whole team", "everybody", "all of us"):
        line.change("environments/base.yaml", "template:", f"# {team}\n  template:")
        releases.append(line.to_prod())
        line.done("promote", "prod")
    assert line.f0ci("rollback", "prod", "--to", releases[0], "--reason", "back to the start").code == 5

    plan = line.done("plan", "prod", "--format", "json").data

    status = line.done("status", "prod", "--format", "json").data["environments"][0]["promotion"]
    assert plan["digest"] == status["digest"]
    line.act_as("bob")
    line.done("approve", status["promotion"], "--digest", plan["digest"][:12])
    line.act_as("alice")
    line.done("promote", "prod", "--continue")
    # what was left is kept out, as by any rollback
    assert "hold" in line.events("prod")
    assert line.f0ci("promote", "dev", "--release", releases[2]).code == 4


def test_object_ids_may_be_of_either_kind(
    make_remote_repository: Callable[..., RemoteRepository],
    ssh_identity: Callable[[str], SshIdentity],
    capsys: pytest.CaptureFixture[str],
) -> None:
    remote = make_remote_repository("long", None, "--object-format=sha256")
    line = start_line(remote.work, remote.bare, capsys, {name: ssh_identity(name) for name in PEOPLE})

    line.to_prod()
    line.done("promote", "prod")

    assert len(line.tip("env/prod")) == 64
    line.done("audit", "verify")
