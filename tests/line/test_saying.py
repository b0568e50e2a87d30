"""What commands say to somebody who has to find out how to go on."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.conftest import commit_files, git
from tests.line.conftest import Line


def test_content_that_is_no_release_yet_is_told_of_where_nobody_named_one(line: Line) -> None:
    first = line.release()
    line.done("promote", "dev")
    assert "note:" not in line.done("promote", "dev").err

    line.change("environments/base.yaml", "the team", "the crew")
    again = line.done("promote", "dev")

    assert f"is no release yet, this is about {first[:12]}" in again.err
    assert "f0ci release create" in again.err
    assert "note:" not in line.done("promote", "dev", "--release", first).err


def test_whoever_is_behind_is_told_which_commit_to_make_a_release_of(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    behind = git(line.work, "rev-parse", "HEAD")
    tip = line.change("environments/base.yaml", "the team", "the crew")
    git(line.work, "checkout", "-q", behind)

    said = line.done("promote", "dev").err
    made = line.done("release", "create", "--commit", tip[:10])
    after = line.done("promote", "dev").err

    assert f"make one with `f0ci release create --commit {tip[:10]}`" in said
    assert "next: f0ci promote dev\n" in made.out
    assert f"what is checked out ({behind[:10]}) is older than the default branch" in after


def test_a_release_that_is_not_on_the_default_branch_is_named_to_promote_it(line: Line) -> None:
    line.release()
    path = line.work / "environments/base.yaml"
    commit_files(line.work, {"environments/base.yaml": path.read_text(encoding="utf-8") + "# mine\n"})

    made = line.done("release", "create").out
    release = made.split()[1]

    assert f"  next: f0ci promote dev --release {release}\n" in made
    line.done("promote", "dev", "--release", release)


def test_a_release_that_was_never_pushed_to_the_default_branch_is_told_of(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    path = line.work / "environments/base.yaml"
    commit_files(line.work, {"environments/base.yaml": path.read_text(encoding="utf-8") + "# mine\n"})

    assert "is not on the default branch" in line.done("promote", "dev").err
    mine = line.release()[:12]

    assert f"release {mine} was made later" in line.done("promote", "dev").err
    assert "note:" not in line.done("promote", "dev", "--release", mine).err


def test_status_says_what_people_signed_since_the_gates_were_asked(line: Line) -> None:
    line.to_prod()

    said = line.done("status", "prod")
    assert "prod: approval: 0 of 1" in said.out
    assert "Bob approved since; `f0ci promote prod --continue` takes it from there" in said.out

    line.done("promote", "prod")
    assert "since;" not in line.done("status", "prod").out


def test_a_rollout_that_somebody_resumed_waits_for_nobody(line: Line) -> None:
    line.change(
        "workflow.yaml",
        "      deploy: recipes/deploy.yaml\n      require: checked\n",
        "      deploy: recipes/deploy.yaml\n      require: checked\n      deployment_strategy: canary\n"
        "      steps: [{percent: 50, pause: manual}, 100]\n",
    )
    line.change("workflow.yaml", "      strategy: rolling\n", "")
    line.to_prod()
    line.done("promote", "prod")
    line.change("environments/base.yaml", "the team", "the crew")
    line.to_prod()
    assert "paused at step 1" in line.f0ci("promote", "prod").out
    line.done("resume", "prod-2")

    assert "prod: Alice resumed since" in line.done("status", "prod").out
    assert "prod-2 is verifying: Alice resumed since" in line.done("why", "prod").out


def test_a_plan_that_nobody_asked_for_offers_no_command_about_its_promotion(line: Line) -> None:
    release = line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")

    said = line.done("why", "prod").out

    assert f"next: f0ci promote prod --release {release[:12]}" in said
    assert "prod-1" not in said.replace("plan", "")
    assert line.f0ci("promote", "prod").code == 5
    assert "next: f0ci approve prod-1" in line.done("why", "prod").out


def test_what_is_left_to_be_done_comes_with_the_commands_that_do_it(line: Line, tmp_path: Path) -> None:
    line.release()
    folder = tmp_path / "left"
    left = line.f0ci("promote", "dev", "--apart", str(folder))

    _, errands, again = left.out.rsplit("\n  ", 2)
    assert errands == f"next: f0ci errands {folder}"
    line.done(*errands.split()[2:])
    dropped = line.f0ci("promote", "dev", "--apart", str(folder))
    assert f"note: the answers in {folder} are dropped and asked for again; --answered takes them" in dropped.err

    _, errands, again = dropped.out.rsplit("\n  ", 2)
    line.done(*errands.split()[2:])
    done = line.done(*again.split()[2:])
    assert "succeeded" in done.out


def test_whoever_is_the_only_approver_is_told_before_and_after(line: Line) -> None:
    approvers = (line.work / ".f0ci/approvers.yaml").read_text(encoding="utf-8")
    line.commit({".f0ci/approvers.yaml": approvers.replace("[alice, bob]", "[alice]")})
    line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")

    assert "in 'prod' nobody can approve what alice wrote or requested" in line.f0ci("doctor").out
    waiting = line.f0ci("promote", "prod")
    assert "too few people can approve (nobody): alice wrote part of it or requested it; add people" in waiting.out
    assert "to the approvers file on the default branch, and release that" in waiting.out

    assert "changes who may approve" not in line.done("plan", "prod").out
    line.commit({".f0ci/approvers.yaml": approvers})
    # the default branch judges the first promotion, the old file that is promoted the next
    assert "changes who may approve or which gates stand" in line.done("plan", "prod").out
    assert "every approval gate can be met" in line.f0ci("doctor").out
    assert git(line.work, "status", "--porcelain") == ""


def test_waiting_for_a_named_release_never_takes_another_one_to_its_end(line: Line) -> None:
    first = line.release()
    for environment in ("dev", "staging"):
        line.done("promote", environment)
    assert line.f0ci("promote", "prod").code == 5
    line.change("environments/base.yaml", "the team", "the crew")
    second = line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")

    behind = line.f0ci("promote", "prod", "--release", second, "--wait", "1s", "--every", "200ms")
    assert behind.code == 5
    assert f"prod-1 is still active in prod with release {first[:12]}" in behind.out
    assert behind.err.count("still active") == 1

    line.act_as("bob")
    line.done("approve", "prod-1")
    line.act_as("alice")
    behind = line.f0ci("promote", "prod", "--release", second, "--wait", "1s", "--every", "200ms")
    assert behind.code == 5
    assert "deploying" not in behind.err
    assert line.events("prod")[-1] == "approved"

    line.f0ci("abort", "prod-1", "--reason", "no longer needed")
    turn = line.f0ci("promote", "prod", "--release", second, "--wait", "1s", "--every", "200ms")
    assert turn.code == 5
    assert f"prod-2: release {second[:12]} waiting in prod" in turn.out


def test_only_changes_to_what_a_release_holds_are_told_of(line: Line) -> None:
    (line.work / "notes.txt").write_text("mine\n", encoding="utf-8")
    assert "not committed" not in line.done("release", "create").err

    (line.work / "scriptlets/greetings.py").write_text("# half done\n", encoding="utf-8")
    assert "not committed; they are not part of the release" in line.done("release", "create").err


def test_a_repository_without_a_commit_is_told_to_make_one(line: Line, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    git(tmp_path, "init", "-q", str(folder))
    line.done("-C", str(folder), "init")

    said = line.f0ci("-C", str(folder), "doctor").out.splitlines()

    at = next(number for number, text in enumerate(said) if "there is no default branch yet" in text)
    assert said[at + 1].strip() == "mend: git add -A && git commit -m 'first recipes'"


def test_promotions_leave_the_work_tree_clean_and_go_on_in_a_fresh_clone(line: Line) -> None:
    """What deploy recipes measure is ignored, so that no commit sweeps it up; another clone does not have it yet."""
    line.to_prod()
    line.done("promote", "prod")
    assert git(line.work, "status", "--porcelain") == ""
    line.change("environments/base.yaml", "the team", "the crew")
    line.release()
    line.done("promote", "dev")
    clone = line.clone("elsewhere")
    for key, value in (("user.name", "Alice"), ("user.email", "alice@example.com")):
        git(clone, "config", key, value)

    answer = line.f0ci("promote", "staging", work=clone)

    assert answer.code == 0, answer
    assert "staging-2: release" in answer.out
    assert git(clone, "status", "--porcelain") == ""


def test_whoever_names_an_environment_is_told_its_promotion(line: Line) -> None:
    line.release()
    line.done("promote", "dev")

    answer = line.f0ci("approve", "dev")

    assert answer.code == 2
    assert "'dev' is an environment, not a promotion" in answer.err
    assert "its newest promotion is 'dev-1'" in answer.err


def test_a_branch_in_the_way_is_named_with_the_command_that_renames_it(line: Line) -> None:
    git(line.work, "push", "-q", "origin", "HEAD:refs/heads/env")
    line.release()

    refused = line.f0ci("promote", "dev")
    doctor = line.f0ci("doctor", "--format", "json")
    check = next(one for one in doctor.data["checks"] if one["name"] == "branches")

    assert refused.code == 3
    assert "rename that branch, which `f0ci doctor` names" in refused.err
    assert doctor.code == 3
    assert check["message"] == "the branch 'env' is in the way of the branches below env/"
    subprocess.run(["sh", "-c", check["mend"]], cwd=line.work, check=True, capture_output=True)
    line.done("promote", "dev")
    assert "env/ and f0ci/ are ours" in line.done("doctor").out


def test_a_branch_in_the_way_where_there_is_no_remote(line: Line) -> None:
    git(line.work, "remote", "remove", "origin")
    git(line.work, "branch", "f0ci")

    check = next(one for one in line.f0ci("doctor", "--format", "json").data["checks"] if one["name"] == "branches")

    assert check["mend"] == "git branch -m f0ci f0ci-old"


def test_on_a_branch_that_f0ci_writes_nobody_is_sent_to_make_a_workflow(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    git(line.work, "fetch", "-q")
    git(line.work, "checkout", "-q", "-b", "env/dev", "origin/env/dev")

    answers = [line.f0ci("status"), line.f0ci("promote", "staging"), line.f0ci("init")]

    assert [one.code for one in answers] == [3, 3, 3]
    for one in answers:
        assert "the branch 'env/dev' is checked out, which f0ci writes and people only read" in one.err
        assert "git switch main" in one.err
    assert not (line.work / "workflow.yaml").exists()
