"""Rollouts from the command line: pauses for a person, and what stays in the tree while two releases are live."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from f0ci.commands.promoting import continue_promotions
from f0ci.commands.resuming import resume_promotion
from f0ci.core.clock import FixedClock
from f0ci.core.errors import Refused
from f0ci.promotion.report import PromotionReport
from tests.conftest import git
from tests.line.conftest import Line
from tests.line.forger import Forger
from tests.line.processes import KILLED, start

DEV = "    dev:\n      auto_promote: true\n"
STEPS = "      deployment_strategy: canary\n      steps: [{percent: 20, pause: manual}, 100]\n"
METRIC = (
    "  metrics:\n    dev_errors:\n      provider: file\n      path: metrics/dev.csv\n      time: time\n"
    "      bad: failed\n      total: requests\n"
)
CHECKS = "      validation: {duration: 1s, success_criteria: dev_errors < 1%}\n"


def files(line: Line) -> dict[str, str]:
    listed = git(line.bare, "ls-tree", "-r", "--full-tree", "env/dev").splitlines()
    return {path: oid for oid, path in (entry.split()[2:] for entry in listed)}


def come_to_the_pause(line: Line) -> None:
    """Have a second release stand in dev at a fifth of the traffic, where a person has to let it go on."""
    line.change("workflow.yaml", DEV, DEV + STEPS)
    line.release()
    line.done("promote", "dev")
    line.change("environments/base.yaml", "the team", "the whole team")
    line.release()
    assert line.f0ci("promote", "dev").code == 5


def test_a_rollout_pauses_for_a_person_and_keeps_what_the_old_release_rendered(line: Line) -> None:
    line.commit({"templates/release/run.txt.j2": "{{ release.id }} says {{ config.probe.names | length }}\n"})
    line.change("workflow.yaml", DEV, DEV + STEPS)
    old = line.release()
    line.done("promote", "dev")
    before = files(line)
    assert f"releases/{old}/run.txt" in before

    line.change("environments/base.yaml", "the team", "the whole team")
    new = line.release()
    paused = line.f0ci("promote", "dev", "--format", "json")
    assert paused.code == 5
    assert "f0ci resume dev-2" in paused.data["reasons"][0]
    during = files(line)
    assert during[f"releases/{old}/run.txt"] == before[f"releases/{old}/run.txt"]
    assert f"releases/{new}/run.txt" in during
    traffic = json.loads(git(line.bare, "show", "env/dev:traffic.json"))
    assert sorted(traffic["traffic"].values()) == [20, 80]
    assert line.f0ci("promote", "dev", "--wait", "1s", "--every", "200ms").code == 5

    (why,) = line.done("why", "dev", "--format", "json").data["conditions"]
    assert (why["command"], why["who"]) == ("f0ci resume dev-2", ["alice", "bob"])

    line.act_as("bob")
    git(line.work, "config", "user.email", "nobody@example.com")
    assert line.f0ci("resume", "dev-2").code == 4
    line.act_as("alice")
    line.done("resume", "dev-2", "--reason", "looks good")
    assert line.f0ci("resume", "dev-2").code == 4
    line.done("hold", "dev", "--reason", "a look at the logs")
    assert line.f0ci("promote", "dev", "--continue").code == 5
    (why,) = line.done("why", "dev", "--format", "json").data["conditions"]
    assert (why["what"], why["command"]) == ("hold", "f0ci unhold dev")
    line.done("unhold", "dev")
    line.done("promote", "dev", "--continue")

    assert not [path for path in files(line) if path.startswith(f"releases/{old}/")]
    assert line.events("dev").count("resumed") == 1
    line.done("audit", "verify")


def test_a_rollout_does_not_go_on_because_somebody_says_that_it_was_resumed(line: Line) -> None:
    come_to_the_pause(line)
    Forger(line.bare, line.work, line.people).append("dev", "dev-2", "resumed", {"step": 0, "reason": "me"})

    answer = line.f0ci("promote", "dev", "--continue")

    assert (answer.code, "resumed dev-2, but nobody signed it" in answer.out) == (5, True)
    assert line.events("dev").count("applied") == 2
    line.done("resume", "dev-2", "--reason", "looked at it")
    line.done("promote", "dev", "--continue")


@pytest.mark.parametrize(
    ("forge", "kind"),
    [
        (lambda forger: forger.apply("dev", "dev-2", step=1), "step-too-early"),
        (lambda forger: forger.append("dev", "dev-2", "resumed", {"step": 0, "reason": "me"}), "right-not-proven"),
    ],
    ids=["nobody resumed it", "a stranger resumed it"],
)
def test_a_pause_that_is_passed_over_shows(line: Line, forge: Callable[[Forger], None], kind: str) -> None:
    come_to_the_pause(line)
    forge(Forger(line.bare, line.work, line.people))

    answer = line.f0ci("audit", "verify", work=line.clone("auditor"))

    assert answer.code == 1
    assert kind in answer.out


def half_way(line: Line, *more: str) -> tuple[str, str]:
    """Bring a release into dev and a fifth of another one, and return the first one's tree and the other's digest."""
    line.change("workflow.yaml", DEV, DEV + STEPS)
    line.release()
    line.done("promote", "dev")
    good = line.tree("env/dev")
    line.change("environments/base.yaml", "the team", "the whole team")
    for message in more:
        git(line.work, "commit", "-q", "--amend", "-m", message)
        git(line.work, "push", "-q", "-f", "origin", "HEAD:main")
    new = line.release()
    assert line.f0ci("promote", "dev").code == 5
    assert line.tree("env/dev") != good
    return good, new


def test_a_rollout_that_is_aborted_goes_back_at_once_and_its_release_may_come_again(line: Line) -> None:
    good, new = half_way(line)

    answer = line.done("abort", "dev-2", "--reason", "not on a friday")

    assert (
        f"dev-2: release {new} rolled_back in dev\n  aborted: not on a friday\n  dev is as it was before" in answer.out
    )
    assert "quarantined" not in answer.out
    assert line.tree("env/dev") == good
    assert line.events("dev")[-2:] == ["rolled_back", "restored"]
    assert "hold" not in line.events("dev")
    assert not git(line.bare, "for-each-ref", "refs/heads/f0ci/ledger/_workflow")
    # neither what continues nor a second abort changes anything
    line.done("promote", "--continue")
    assert line.f0ci("abort", "dev-2", "--reason", "again").code == 4
    assert line.tree("env/dev") == good
    again = line.f0ci("promote", "dev", "--format", "json")
    assert (again.code, again.data["promotion"], again.data["release"][:12]) == (5, "dev-3", new[:12])
    exported = line.done("audit", "export").out
    assert "the change was called off, and what was good before was restored" in exported
    assert "the change failed" not in exported
    line.done("resume", "dev-3")
    line.done("promote", "dev")
    line.done("audit", "verify")


def test_an_abort_that_could_not_undo_what_was_done_is_refused(line: Line) -> None:
    half_way(line, "migrate\n\nF0-Irreversible: drops orders.note")
    during = line.tree("env/dev")

    answer = line.f0ci("abort", "dev-2", "--reason", "not on a friday")

    assert answer.code == 4
    assert "aborting 'dev-2' would not undo drops orders.note" in answer.err
    assert "--accept-irreversible" in answer.err
    assert line.tree("env/dev") == during
    assert line.f0ci("promote", "dev").code == 5


def test_an_abort_over_somebody_elses_change_is_refused(line: Line) -> None:
    half_way(line)
    other = line.clone("other")
    git(other, "checkout", "-q", "env/dev")
    (other / "by-hand").touch()
    git(other, "add", "-A")
    git(other, "commit", "-q", "-m", "by hand")
    git(other, "push", "-q", "origin", "env/dev")

    answer = line.f0ci("abort", "dev-2", "--reason", "not on a friday")

    assert answer.code == 3
    assert "was changed by somebody else" in answer.err
    assert line.events("dev")[-1] == "waiting"


def test_a_rollback_that_has_begun_is_not_aborted(line: Line, tmp_path: Path) -> None:
    good, _ = half_way(line)
    killed = start(line.work, "rollback", "dev", "--reason", "slow", output=tmp_path / "said", kill_at=2).end()
    assert killed.code == KILLED
    assert "applied" in line.events("dev")[-3:]

    answer = line.f0ci("abort", "dev-3", "--reason", "no")

    assert answer.code == 4
    assert "'dev-3' is a rollback that has changed 'dev' already" in answer.err
    line.done("promote", "dev", "--continue")
    assert line.tree("env/dev") == good


def test_plans_bind_how_metrics_are_judged(line: Line) -> None:
    watched(line, alpha="0.05", on_no_match="wait")
    bound = line.done("plan", "dev", "--format", "json").data["bound"]["metrics"]

    assert list(bound) == ["dev_errors"]
    assert bound["dev_errors"]["alpha"] == 0.05
    assert bound["dev_errors"]["settings"]["path"] == "metrics/dev.csv"


def test_a_release_cannot_render_for_itself_what_depends_on_the_rollout(line: Line) -> None:
    line.commit({"templates/release/run.txt.j2": "{{ rollout.active }}\n"})

    answer = line.f0ci("render", "dev")

    assert answer.code == 3
    assert "templates/release/run.txt.j2:1" in answer.err
    assert "'rollout' is not defined" in answer.err


def test_wait_and_every_have_to_be_durations(line: Line) -> None:
    assert line.f0ci("promote", "dev", "--wait", "soon").code == 2
    assert line.f0ci("promote", "dev", "--wait", "1m", "--every", "0").code == 2


def watched(line: Line, **more: str) -> None:
    """Let dev be judged for a second by what `metrics/dev.csv` says, and bring a first release in."""
    line.change(
        "workflow.yaml", "  metrics:\n", METRIC + "".join(f"      {key}: {said}\n" for key, said in more.items())
    )
    line.change("workflow.yaml", "      environment: dev\n", "      environment: dev\n" + CHECKS)
    line.release()


def count(line: Line, moment: datetime, failed: int) -> None:
    """Write down requests of a moment."""
    (line.work / "metrics").mkdir(exist_ok=True)
    (line.work / "metrics/dev.csv").write_text(f"time,requests,failed\n{moment.isoformat()},100,{failed}\n")


def later(line: Line, seconds: float) -> PromotionReport:
    """Take dev's promotion further, so many seconds after its step was deployed."""
    (deployed,) = [event for event in line.records("dev") if event["kind"] == "deployed"]
    clock = FixedClock(datetime.fromisoformat(deployed["time"]) + timedelta(seconds=seconds))
    (report,) = continue_promotions(line.work, "dev", clock=clock)
    return report


@pytest.mark.parametrize(("failed", "state"), [(0, "succeeded"), (50, "failed")])
def test_a_window_that_holds_too_little_is_watched_on(line: Line, failed: int, state: str) -> None:
    watched(line)
    count(line, datetime(2020, 1, 1, tzinfo=UTC), 0)
    assert line.f0ci("promote", "dev").code == 5
    deployed = datetime.fromisoformat(line.records("dev")[-2]["time"])
    assert later(line, 30).state == "verifying"

    count(line, deployed + timedelta(seconds=60), failed)
    assert later(line, 90).state == state


def test_what_a_window_did_hold_counts_whatever_comes_after_it(line: Line) -> None:
    watched(line)
    count(line, datetime(2020, 1, 1, tzinfo=UTC), 0)
    assert line.f0ci("promote", "dev").code == 5
    deployed = datetime.fromisoformat(line.records("dev")[-2]["time"])
    count(line, deployed + timedelta(seconds=1), 50)
    with (line.work / "metrics/dev.csv").open("a") as file:
        file.write(f"{(deployed + timedelta(seconds=60)).isoformat()},100000,0\n")

    assert later(line, 90).state == "failed"


def test_a_step_that_could_not_be_judged_is_watched_again_when_an_approver_says_so(line: Line) -> None:
    watched(line, on_insufficient_data="pause")
    count(line, datetime(2020, 1, 1, tzinfo=UTC), 0)
    assert line.f0ci("promote", "dev").code == 5
    stands = later(line, 5)
    assert (stands.state, stands.next_check_at) == ("verifying", None)
    assert "f0ci resume" in stands.reasons[-1]

    deployed = datetime.fromisoformat(line.records("dev")[-2]["time"])
    again = deployed + timedelta(seconds=100)
    resume_promotion(line.work, "dev-1", "the exporter is mended", clock=FixedClock(again))
    count(line, again + timedelta(seconds=1), 0)
    assert later(line, 102).state == "succeeded"
    line.done("audit", "verify")


def test_a_verdict_that_is_there_is_not_left_by_watching_again(line: Line) -> None:
    watched(line, on_insufficient_data="pause")
    count(line, datetime(2020, 1, 1, tzinfo=UTC), 0)
    assert line.f0ci("promote", "dev").code == 5
    deployed = datetime.fromisoformat(line.records("dev")[-2]["time"])
    count(line, deployed + timedelta(seconds=1), 50)

    with pytest.raises(Refused):
        resume_promotion(line.work, "dev-1", "try again", clock=FixedClock(deployed + timedelta(seconds=100)))
