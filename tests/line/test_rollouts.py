"""Rollouts from the command line: pauses for a person, and what stays in the tree while two releases are live."""

from __future__ import annotations

import json

from tests.conftest import git
from tests.line.conftest import Line

DEV = "    dev:\n      auto_promote: true\n"
STEPS = "      deployment_strategy: canary\n      steps: [{percent: 20, pause: manual}, 100]\n"


def files(line: Line) -> dict[str, str]:
    listed = git(line.bare, "ls-tree", "-r", "--full-tree", "env/dev").splitlines()
    return {path: oid for oid, path in (entry.split()[2:] for entry in listed)}


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

    line.act_as("bob")
    git(line.work, "config", "user.email", "nobody@example.com")
    assert line.f0ci("resume", "dev-2").code == 4
    line.act_as("alice")
    line.done("resume", "dev-2", "--reason", "looks good")
    assert line.f0ci("resume", "dev-2").code == 4
    line.done("promote", "dev", "--continue")

    assert not [path for path in files(line) if path.startswith(f"releases/{old}/")]
    assert line.events("dev").count("resumed") == 1
    line.done("audit", "verify")


def test_a_release_cannot_render_for_itself_what_depends_on_the_rollout(line: Line) -> None:
    line.commit({"templates/release/run.txt.j2": "{{ rollout.active }}\n"})

    answer = line.f0ci("render", "dev")

    assert answer.code == 3
    assert "templates/release/run.txt.j2:1" in answer.err
    assert "'rollout' is not defined" in answer.err


def test_wait_and_every_have_to_be_durations(line: Line) -> None:
    assert line.f0ci("promote", "dev", "--wait", "soon").code == 2
    assert line.f0ci("promote", "dev", "--wait", "1m", "--every", "0").code == 2
