"""Whoever does what a failed promotion says comes through: the commands are taken from the answer, as they stand."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import git
from tests.line.conftest import Answer, Line


@pytest.fixture
def service(line: Line, tmp_path: Path) -> Path:
    """Let deploy recipes need a file that this returns, and that is there; it stands for a service that may be down."""
    path = tmp_path / "service"
    path.touch()
    line.change(
        "recipes/deploy.yaml", 'echo "delivered to', f'test -f {shlex.quote(str(path))}\n      echo "delivered to'
    )
    return path


def follow(line: Line, way: dict[str, Any]) -> Answer:
    """Call the commands of a way; the last answer."""
    for command in way["commands"]:
        answer = line.f0ci(*["mended" if word == "REASON" else word for word in shlex.split(command)[1:]])
    return answer


def ways(line: Line, environment: str = "dev") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = line.done("status", environment, "--format", "json").data["environments"][0]["next"]
    return found


def test_a_first_deployment_that_failed_for_outside_reasons_goes_on_with_the_same_release(
    line: Line, service: Path
) -> None:
    service.unlink()
    release = line.release()
    failed = line.f0ci("promote", "dev")
    refused = line.f0ci("promote", "dev")
    why, plan, status = (line.done(command, "dev").out for command in ("why", "plan", "status"))

    assert failed.code == 7
    assert "there is nothing to go back to" in failed.err
    lift = f"f0ci quarantine {release} --lift --reason REASON"
    again = f"f0ci promote dev --release {release} --through-hold REASON"
    for told in (failed.out, status):
        assert lift in told
        assert again in told
    assert refused.code == 4
    assert f"`{lift}`, then `{again}`" in refused.err
    assert "to promote it is refused: the release is quarantined" in plan
    assert "instead: no other release may come in" in plan
    assert [line.split(":")[0].strip() for line in why.splitlines() if line[:3].count(" ") == 2] == [
        "quarantine",
        "hold",
        "ended",
    ]

    service.touch()
    assert ways(line)[1]["commands"] == [lift, again]
    came = follow(line, ways(line)[1])

    assert came.code == 0, came
    assert "next, once nothing needs the hold any more: f0ci unhold dev --reason REASON" in came.out
    assert follow(line, ways(line)[0]).code == 0
    assert ways(line) == []
    line.done("audit", "verify")


def needs_a_secret(line: Line, more: str = "") -> None:
    """Let the first step of the deploy recipe need a secret."""
    target = '      TARGET: "#{config.output.base_directory}"\n'
    line.change(
        "recipes/deploy.yaml", f"    env:\n{target}", f'{more}    env:\n{target}      TOKEN: "secret://deploy"\n'
    )


def test_a_secret_that_is_not_there_is_told_before_anything_changes(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_a_secret(line)
    line.release()

    lacking = line.f0ci("promote", "dev")
    monkeypatch.setenv("F0CI_SECRET_DEPLOY", "hush-hush")
    came = line.f0ci("promote", "dev", "--continue")

    assert lacking.code == 3
    assert "nothing was changed: dev-1 would deploy with 'recipes/deploy.yaml', and the secret 'deploy' is not set" in (
        lacking.err
    )
    assert "set F0CI_SECRET_DEPLOY" in lacking.err
    assert "`f0ci abort dev-1 --reason ...`" in lacking.err
    assert came.code == 0, came
    assert [kind for kind in line.events("dev") if kind in {"requested", "applied", "hold", "failed"}] == [
        "requested",
        "applied",
    ]
    line.done("audit", "verify")


def test_a_secret_that_may_not_be_needed_is_not_asked_for(line: Line) -> None:
    needs_a_secret(line, "    condition: \"#{environment == 'prod'}\"\n")
    line.release()

    assert "is not set" not in line.f0ci("promote", "dev").err


def test_secrets_from_elsewhere_are_the_deployments_business(line: Line, tmp_path: Path) -> None:
    needs_a_secret(line)
    settings = (line.work / "f0ci.yaml").read_text(encoding="utf-8")
    line.commit({"f0ci.yaml": f"{settings}secrets: [{{provider: file, folder: {tmp_path / 'mounted'}}}]\n"})
    line.release()

    assert line.f0ci("promote", "dev").code == 7
    assert "applied" in line.events("dev")


def test_a_missing_secret_stops_no_way_back(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F0CI_SECRET_DEPLOY", "hush-hush")
    needs_a_secret(line)
    line.release()
    line.done("promote", "dev")
    good = line.tree("env/dev")
    line.change("environments/base.yaml", "the team", "the crew")
    line.release()
    line.done("promote", "dev")
    monkeypatch.delenv("F0CI_SECRET_DEPLOY")

    answer = line.f0ci("rollback", "dev", "--reason", "slow")

    assert answer.code == 7
    assert "the tree is restored, its deploy recipe is not through" in answer.out
    assert line.tree("env/dev") == good


def test_making_the_same_release_again_says_that_it_is_quarantined(line: Line) -> None:
    release = line.release()
    line.done("quarantine", release, "--reason", "loses orders")

    again = line.done("release", "create").out

    assert "it is quarantined: loses orders" in again
    assert f"next: f0ci quarantine {release} --lift --reason REASON" in again
    assert line.done("release", "create", "--format", "json").data["quarantined"] == "loses orders"


def test_the_commands_of_why_end_what_they_stand_beside_in_their_order(line: Line, service: Path) -> None:
    service.unlink()
    line.release()
    assert line.f0ci("promote", "dev").code == 7
    service.touch()

    for condition in line.done("why", "dev", "--format", "json").data["conditions"]:
        line.done(*shlex.split(condition["command"])[1:])

    assert line.done("why", "dev", "--format", "json").data["arrived"]


def test_a_first_deployment_that_failed_goes_on_with_a_mended_release(line: Line, service: Path) -> None:
    service.unlink()
    line.release()
    assert line.f0ci("promote", "dev").code == 7
    line.change("recipes/deploy.yaml", f"test -f {shlex.quote(str(service))}\n", "true\n")

    assert follow(line, ways(line)[0]).code == 0


def test_where_the_newest_content_is_quarantined_the_newest_that_is_not_is_named(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    line.change("environments/base.yaml", "the team", "the crew")
    second = line.release()
    line.change("environments/base.yaml", "the crew", "the gang")
    third = line.release()
    line.done("quarantine", third, "--reason", "loses orders")

    why, plan = line.done("why", "dev"), line.done("plan", "dev")

    said = f"instead: release {second} may come in: f0ci plan dev --release {second}"
    assert said in why.out
    assert said in plan.out
    assert "to promote it is refused: the release is quarantined: loses orders" in plan.out
    assert line.done("why", "dev", "--format", "json").data["instead"][:12] == second
    assert line.done("plan", "dev", "--format", "json").data["forecast"]["instead"][:12] == second
    line.done("promote", "dev", "--release", second)
    assert line.done("why", "dev", "--format", "json").data["instead"] is None


def test_what_an_environment_went_back_to_is_not_called_missing(line: Line) -> None:
    first = line.release()
    line.done("promote", "dev")
    line.change("environments/base.yaml", "the team", "the crew")
    line.release()
    line.change("recipes/deploy.yaml", 'echo "delivered to $TARGET"', "exit 1")
    bad = line.release()
    assert line.f0ci("promote", "dev").code in {6, 7}
    line.change("recipes/deploy.yaml", "exit 1", 'echo "delivered to $TARGET"')
    line.change("environments/base.yaml", "the crew", "the team")

    why = line.done("why", "dev")
    promoted = line.f0ci("promote", "dev")

    assert f"dev runs release {first}: dev-2 went back to it" in why.out
    assert "nobody asked for it since dev-1 brought it in" in why.out
    assert line.done("why", "dev", "--format", "json").data["back_by"] == "dev-2"
    assert bad not in promoted.err, "what is quarantined is not offered"


def test_going_back_is_tried_again_for_the_same_release_however_often(line: Line, service: Path) -> None:
    first = line.release()
    line.done("promote", "dev")
    good = line.tree("env/dev")
    line.change("environments/base.yaml", "the team", "the crew")
    line.release()
    line.done("promote", "dev")
    service.unlink()

    answers = [line.f0ci("rollback", "dev", "--reason", "slow") for _ in range(3)]
    service.touch()
    came = follow(line, ways(line)[0])

    assert [one.code for one in answers] == [7, 7, 7]
    assert "  next: f0ci rollback dev --reason REASON" in answers[-1].out
    assert came.code == 0, came
    assert line.tree("env/dev") == good
    assert line.done("status", "dev", "--format", "json").data["environments"][0]["release"][:12] == first
    assert git(line.work, "status", "--porcelain") == ""
    line.done("audit", "verify")
