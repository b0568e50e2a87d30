"""Killed at any point and run again, every command ends in the same state, with each event recorded once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import git
from tests.line.conftest import BAD_GREETING, Line, Stage
from tests.line.processes import KILLED, start

CANARY = "    dev:\n      auto_promote: true\n"


def one_good(line: Line) -> None:
    """Bring a release into dev, and make another one; dev takes it in two steps."""
    line.change("workflow.yaml", CANARY, CANARY + "      deployment_strategy: canary\n      steps: [50, 100]\n")
    line.release()
    line.done("promote", "dev")
    line.change("environments/base.yaml", "the team", "the whole team")
    line.release()


def bad_is_next(line: Line) -> None:
    """Bring a good release into production, and let a bad one wait there with its approval."""
    line.to_prod()
    line.done("promote", "prod")
    line.change("scriptlets/greetings.py", *BAD_GREETING)
    line.to_prod()


def two_good(line: Line) -> None:
    """Bring two good releases into dev."""
    line.release()
    line.done("promote", "dev")
    line.change("environments/base.yaml", "the team", "the whole team")
    line.release()
    line.done("promote", "dev")


def half_way(line: Line) -> None:
    """Bring a release into dev, and half of another one."""
    steps = "      deployment_strategy: canary\n      steps: [{percent: 50, pause: manual}, 100]\n"
    line.change("workflow.yaml", CANARY, CANARY + steps)
    line.release()
    line.done("promote", "dev")
    line.change("environments/base.yaml", "the team", "the whole team")
    line.release()
    assert line.f0ci("promote", "dev").code == 5


@dataclass(frozen=True, slots=True)
class Scenario:
    """A command on a line that was played up to a point.

    Attributes:
        stage: what was played before.
        play: plays it.
        command: what is killed, and run again.
        environment: which it changes.
        codes: how it may end when it is run again; the second where it had ended before it was killed.
        points: how many points there are at least, so that a test which kills nothing is noticed.
    """

    stage: str
    play: Callable[[Line], None]
    command: tuple[str, ...]
    environment: str
    codes: tuple[int, ...]
    points: int


GOOD = Scenario("one-good", one_good, ("promote", "dev"), "dev", (0,), 7)
BAD = Scenario("bad-is-next", bad_is_next, ("promote", "prod"), "prod", (6, 4), 5)
BACK = Scenario("two-good", two_good, ("rollback", "dev", "--reason", "slow"), "dev", (0,), 3)
OFF = Scenario("half-way", half_way, ("abort", "dev-2", "--reason", "not today"), "dev", (0, 4), 2)


def state_of(line: Line, environment: str) -> dict[str, Any]:
    """Return what lies on the remote: every ledger's events, and the trees that the environment held."""
    found: dict[str, Any] = {"trees": git(line.bare, "log", "--format=%T", f"env/{environment}").splitlines()}
    for name in (environment, "_workflow"):
        ref = f"refs/heads/f0ci/ledger/{name}"
        paths = git(line.bare, "ls-tree", "-r", "--name-only", ref).splitlines() if _exists(line, ref) else []
        events = [json.loads(git(line.bare, "show", f"{ref}:{path}")) for path in paths]
        events.sort(key=lambda event: event["position"])
        found[name] = [(event["promotion"], event["kind"], event["data"].get("step")) for event in events]
    return found


def _exists(line: Line, ref: str) -> bool:
    return bool(git(line.bare, "for-each-ref", ref))


def without_intents(state: dict[str, Any], environment: str) -> dict[str, Any]:
    return {**state, environment: [event for event in state[environment] if event[1] != "intent"]}


@pytest.mark.parametrize("atomic", ["true", "false"], ids=["atomic", "one ref at a time"])
@pytest.mark.parametrize("scenario", [GOOD, BAD, BACK, OFF], ids=["succeeding", "failing", "going back", "called off"])
def test_killed_anywhere_and_run_again(
    scenario: Scenario,
    atomic: str,
    stage: Callable[[str, Callable[[Line], None]], Stage],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    played = stage(scenario.stage, scenario.play)

    def fresh(name: str) -> Line:
        (tmp_path / name).mkdir()
        line = played.copy_to(tmp_path / name, capsys)
        git(line.bare, "config", "receive.advertiseAtomic", atomic)
        return line

    undisturbed, counter = fresh("undisturbed"), tmp_path / "count"
    ended = start(undisturbed.work, *scenario.command, output=tmp_path / "undisturbed.txt", counter=counter).end()
    assert ended.code == scenario.codes[0], ended.text
    expected = state_of(undisturbed, scenario.environment)
    points = int(counter.read_text(encoding="ascii"))
    assert points >= scenario.points

    for point in range(1, points + 1):
        line = fresh(f"killed-{point}")
        killed = start(line.work, *scenario.command, output=tmp_path / f"{point}.txt", kill_at=point).end()
        assert killed.code == KILLED, killed.text

        answer = line.f0ci(*scenario.command)

        assert answer.code in scenario.codes, f"killed after point {point}: {answer}"
        assert state_of(line, scenario.environment) == expected, f"killed after point {point}"
    again = line.f0ci(*scenario.command)
    assert again.code in scenario.codes, again
    assert state_of(line, scenario.environment) == expected, "run a third time"
    line.done("audit", "verify")


def test_another_machine_takes_over(
    stage: Callable[[str, Callable[[Line], None]], Stage], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    played = stage(GOOD.stage, GOOD.play)
    expected: dict[str, Any] | None = None
    for point in range(1, 30):
        (tmp_path / str(point)).mkdir()
        line = played.copy_to(tmp_path / str(point), capsys)
        git(line.bare, "config", "receive.advertiseAtomic", "false")
        first = start(line.work, "promote", "dev", output=tmp_path / f"{point}.txt", kill_at=point).end()
        other = line.clone("other", "--depth=1")
        git(other, "config", "user.name", "Bob")
        git(other, "config", "user.email", "bob@example.com")

        answer = line.f0ci("promote", "dev", work=other)

        assert answer.code == 0, f"taken over after point {point}: {answer}"
        state = without_intents(state_of(line, "dev"), "dev")
        expected = expected or state
        assert state == expected, f"taken over after point {point}"
        if point == 2:
            # announced by one machine, done by another
            assert line.f0ci("audit", "verify", work=other).code == 0
        if first.code != KILLED:
            break
    assert GOOD.points < point < 29


def test_a_rollback_that_was_announced_is_not_undone_by_a_second_try(line: Line, tmp_path: Path) -> None:
    line.release()
    line.done("promote", "dev")
    good = line.tree("env/dev")
    line.change("recipes/deploy.yaml", 'echo "delivered to $TARGET"', 'test ! -e "$F0CI_REPOSITORY/full"')
    line.release()
    git(line.bare, "config", "receive.advertiseAtomic", "false")
    (line.work / "full").touch()
    # requested and announced; on the branch and recorded; deployed and the way back announced
    for turn in range(3):
        killed = start(line.work, "promote", "dev", output=tmp_path / f"{turn}.txt", kill_at=2).end()
        assert killed.code == KILLED, killed.text
    assert state_of(line, "dev")["dev"][-1] == ("dev-2", "intent", -1)
    # the disk has room again, and the deploy recipe would pass
    (line.work / "full").unlink()

    answer = line.f0ci("promote", "dev")

    assert answer.code == 6, answer
    assert line.tree("env/dev") == good
    line.done("audit", "verify")
