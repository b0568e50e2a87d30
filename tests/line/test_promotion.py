"""The rules that hold whatever happens, seen from the command line on a real repository with a real remote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from f0ci.runner.journal import Journal, default_path
from tests.conftest import git
from tests.line.conftest import BAD_GREETING, Line


def test_a_release_goes_from_dev_to_production_after_somebody_else_approved(line: Line) -> None:
    release = line.to_prod()

    answer = line.done("promote", "prod", "--format", "json")

    assert answer.data["state"] == "succeeded"
    assert answer.data["verification"] == "measured"
    assert answer.data["release"].startswith(release)
    kinds = line.events("prod")
    assert kinds == ["policy", "requested", "waiting", "approved", "applied", "deployed", "measured", "succeeded"]
    assert "F0-Promotion: prod-1" in git(line.bare, "log", "-1", "--format=%B", "env/prod")


def test_production_waits_and_says_who_can_approve(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")

    answer = line.f0ci("promote", "prod")

    assert answer.code == 5
    assert "can be given by bob" in answer.out
    assert "f0ci approve prod-1" in answer.out
    assert "env/prod" not in git(line.bare, "for-each-ref")


def test_a_release_that_skips_an_environment_waits(line: Line) -> None:
    line.release()

    answer = line.f0ci("promote", "staging", "--format", "json")

    assert answer.code == 5
    assert "has not succeeded in 'dev' yet" in answer.data["reasons"][0]


def test_the_author_cannot_approve(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")
    line.f0ci("promote", "prod")

    answer = line.f0ci("approve", "prod-1")

    assert answer.code == 4
    assert "'alice' wrote part of what 'prod-1' promotes, or requested it" in answer.err
    assert line.f0ci("promote", "prod").code == 5


def test_a_rejection_refuses(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")
    line.f0ci("promote", "prod")
    line.act_as("bob")
    line.done("reject", "prod-1", "--reason", "month end closes tonight")

    (status,) = line.done("status", "prod", "--format", "json").data["environments"]

    assert status["promotion"]["state"] == "refused"
    assert "bob rejected it: month end closes tonight" in status["promotion"]["reasons"][0]
    assert line.f0ci("approve", "prod-1").code == 4


def test_repeating_a_run_changes_nothing(line: Line) -> None:
    line.to_prod()
    line.done("promote", "prod")
    before = git(line.bare, "for-each-ref")

    for environment in ("dev", "staging", "prod"):
        line.done("promote", environment)
    line.done("promote", "--continue")

    assert git(line.bare, "for-each-ref") == before


def test_waiting_again_records_nothing(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")
    line.f0ci("promote", "prod")
    before = git(line.bare, "for-each-ref")

    assert line.f0ci("promote", "prod").code == 5
    assert line.f0ci("promote", "--continue").code == 5

    assert git(line.bare, "for-each-ref") == before


def test_a_bad_release_is_rolled_back_to_the_exact_tree_and_kept_out(line: Line) -> None:
    good = line.to_prod()
    line.done("promote", "prod")
    good_tree = line.tree("env/prod")
    line.change("scriptlets/greetings.py", *BAD_GREETING)
    bad = line.to_prod()

    answer = line.f0ci("promote", "prod")

    assert answer.code == 6
    assert "error_rate is 75 % (150 of 200)" in answer.out
    assert line.tree("env/prod") == good_tree
    status = line.done("status", "prod", "--format", "json").data["environments"][0]
    assert status["release"].startswith(good)
    assert status["hold"]
    # the bad one stays out, everywhere
    held = line.f0ci("promote", "dev", "--release", bad)
    assert held.code == 4
    assert "is quarantined" in held.err
    # and the hold stops what nobody vouches for
    line.change("environments/base.yaml", "the team", "the whole team")
    fixed = line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")
    assert line.f0ci("promote", "prod", "--release", fixed).code == 5
    assert line.f0ci("promote", "prod", "--release", fixed, "--through-hold", "the fix").code == 5
    line.approve_waiting()
    # the fix of the code is still missing, so that production fails again: on its own measurements
    assert line.f0ci("promote", "prod").code == 6
    assert line.tree("env/prod") == good_tree


def test_a_first_deployment_that_fails_has_nothing_to_go_back_to(line: Line) -> None:
    line.change("scriptlets/greetings.py", *BAD_GREETING)
    line.to_prod()

    answer = line.f0ci("promote", "prod")

    assert answer.code == 7
    assert "nothing was restored" in answer.out
    assert "--through-hold" in answer.out


def test_a_deploy_recipe_gets_what_the_workflow_and_its_defaults_ask_for(line: Line) -> None:
    given = "deploy: {recipe: recipes/deploy.yaml, parameters: {where: 'to #{config.output.base_directory}'}}"
    line.change("workflow.yaml", "deploy: recipes/deploy.yaml", given)
    line.change(
        "recipes/deploy.yaml",
        "steps:\n",
        "parameters:\n  - {name: where}\n  - {name: said, default: 'in #{environment}, release #{release}'}\nsteps:\n"
        "  - {name: tell, type: shell, env: {SAID: '#{params.said} #{params.where}'},"
        ' run: \'echo "$SAID" > "$F0CI_REPOSITORY/said"\'}\n',
    )
    release = line.release()

    line.done("promote", "dev")

    text = (line.work / "said").read_text(encoding="utf-8")
    assert text.startswith(f"in dev, release {release}")
    assert text.endswith(" to deployed/dev\n")
    # what was read beforehand is what ran
    assert f"SAID: {text.strip()}\n" in git(line.bare, "show", "env/dev:recipes/deploy.yaml")


def test_rollback_by_hand_restores_the_exact_tree_without_approval(line: Line) -> None:
    line.to_prod()
    line.done("promote", "prod")
    good_tree = line.tree("env/prod")
    line.change("environments/base.yaml", "the team", "the whole team")
    second = line.to_prod()
    line.done("promote", "prod")
    assert line.tree("env/prod") != good_tree
    before = line.tip("env/prod")

    answer = line.done("rollback", "prod", "--reason", "orders are lost", "--format", "json")

    assert answer.data["state"] == "succeeded"
    assert line.tree("env/prod") == good_tree
    assert git(line.bare, "rev-parse", "env/prod^") == before
    assert line.f0ci("promote", "prod", "--release", second).code == 4
    assert line.f0ci("rollback", "prod", "--reason", "again").code == 3
    line.done("audit", "verify")


def test_going_back_to_another_release_needs_approval(line: Line) -> None:
    releases = []
    for team in ("one", "two", "three"):
        line.commit(
            {
                "environments/base.yaml": f"greeting: {{template: 'Hi, {{name}}', team: {team}}}\n"
                "probe: {requests: 60}\n"
            }
        )
        releases.append(line.to_prod())
        line.done("promote", "prod")
    trees = git(line.bare, "log", "--format=%T", "env/prod").splitlines()

    waiting = line.f0ci("rollback", "prod", "--to", releases[0], "--reason", "back to the start")

    assert waiting.code == 5
    assert line.tree("env/prod") == trees[0]
    line.approve_waiting()
    line.done("promote", "--continue", "prod")
    assert line.tree("env/prod") == trees[2]


def test_a_hold_stops_promotions_but_no_rollback(line: Line) -> None:
    line.to_prod()
    line.done("promote", "prod")
    line.change("environments/base.yaml", "the team", "the whole team")
    line.to_prod()
    line.done("promote", "prod")
    line.done("hold", "prod", "--reason", "incident 4711")

    line.change("environments/base.yaml", "the whole team", "everybody")
    release = line.release()
    held = line.f0ci("promote", "prod", "--release", release)

    assert held.code == 5
    assert "incident 4711" in held.out
    line.done("rollback", "prod", "--reason", "incident 4711")
    line.done("unhold", "prod", "--reason", "over")
    assert line.done("status", "prod", "--format", "json").data["environments"][0]["hold"] is None


def test_a_release_cannot_change_the_policy_that_judges_it(line: Line) -> None:
    line.to_prod()
    line.done("promote", "prod")
    workflow = (line.work / "workflow.yaml").read_text(encoding="utf-8")
    smuggled = (
        workflow.replace("      approval_required: true\n", "")
        .replace("      gates:\n        approval: {count: 1, groups: [release-managers]}\n", "")
        .replace(", manual_approval]", "]")
    )
    assert smuggled.count("approval") < workflow.count("approval")
    line.commit({"workflow.yaml": smuggled})
    line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")

    answer = line.f0ci("promote", "prod")

    assert answer.code == 5
    assert "approval: 0 of 1 approval" in answer.out


def test_a_release_cannot_bring_its_own_approver(line: Line) -> None:
    line.to_prod()
    line.done("promote", "prod")
    key = line.people["alice"].key
    line.commit(
        {
            ".f0ci/approvers.yaml": (
                f"people: {{mallory: {{emails: [mallory@example.com], keys: ['{key}']}}}}\n"
                "groups: {release-managers: [mallory]}\n"
            ),
            "environments/base.yaml": "greeting: {template: 'Hi, {name}', team: x}\nprobe: {requests: 60}\n",
        }
    )
    line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")
    line.f0ci("promote", "prod")
    git(line.work, "config", "user.email", "mallory@example.com")

    answer = line.f0ci("approve", "prod-2")

    assert answer.code == 4
    assert "is not in the approvers file of the policy in force" in answer.err


def test_a_plan_that_changed_voids_approvals(line: Line) -> None:
    line.to_prod()
    git(line.work, "push", "-q", "origin", "HEAD:refs/heads/env/prod")

    answer = line.f0ci("promote", "prod")

    assert answer.code == 5
    assert "1 given for an earlier plan is void" in answer.out
    assert "replanned" in line.events("prod")


def test_an_older_release_does_not_land_over_a_newer_one(line: Line) -> None:
    first = line.release()
    line.change("environments/base.yaml", "the team", "the whole team")
    line.release()
    line.done("promote", "dev")

    answer = line.f0ci("promote", "dev", "--release", first)

    assert answer.code == 4
    assert "is older than" in answer.err
    assert "f0ci rollback dev" in answer.err


def test_one_promotion_at_a_time(line: Line) -> None:
    line.to_prod()
    line.change("environments/base.yaml", "the team", "the whole team")
    second = line.release()

    answer = line.f0ci("promote", "prod", "--release", second)

    assert answer.code == 5
    assert "prod-1 is still active" in answer.out
    line.done("abort", "prod-1", "--reason", "superseded")
    assert line.f0ci("promote", "prod", "--release", second, "--format", "json").data["promotion"] == "prod-2"


def test_an_environment_edited_by_hand_is_not_overwritten_silently(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    other = line.work.parent / "other"
    git(line.bare, "clone", "-q", "-b", "env/dev", str(line.bare), str(other))
    (other / "config.json").write_text("{}", encoding="utf-8")
    git(other, "commit", "-qam", "by hand")
    git(other, "push", "-q", "origin", "env/dev")

    status = line.done("status", "dev", "--format", "json").data["environments"][0]

    assert status["drifted"]
    report = line.f0ci("audit", "verify", "--format", "json")
    assert report.code == 1
    assert [finding["kind"] for finding in report.data["findings"]] == ["environment-edited"]


def test_plan_shows_what_approvals_bind_to(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")
    line.f0ci("promote", "prod")

    plan = line.done("plan", "prod", "--format", "json").data

    status = line.done("status", "prod", "--format", "json").data["environments"][0]["promotion"]
    assert plan["digest"] == status["digest"]
    assert plan["promotion"] == "prod-1"
    assert [gate["outcome"] for gate in plan["forecast"]["gates"]] == ["passed", "waiting"]
    text = line.done("plan", "prod").out
    assert "rolls back if error_rate > 2%" in text
    assert "can be given by bob" in text


def test_a_metric_nobody_can_measure_stops_the_promotion_before_anything_changes(line: Line) -> None:
    line.change("workflow.yaml", "metrics/requests.csv", "metrics/requsts.csv")
    line.release()
    line.done("promote", "dev")
    before = git(line.bare, "for-each-ref")

    answer = line.f0ci("promote", "staging")

    assert answer.code == 3
    assert "requsts.csv" in answer.err
    assert "workflow.yaml:" in answer.err
    assert git(line.bare, "for-each-ref") == before


def test_too_few_samples_never_pass(line: Line) -> None:
    line.change("environments/base.yaml", "requests: 200", "requests: 10")
    line.release()
    line.done("promote", "dev")

    answer = line.f0ci("promote", "staging", "--format", "json")

    assert answer.code == 5
    assert answer.data["state"] == "verifying"
    assert "10 of at least 50 samples" in answer.data["reasons"][0]
    assert answer.data["next_check_at"]


def test_a_failing_deploy_recipe_rolls_back(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    tree = line.tree("env/dev")
    line.change("recipes/deploy.yaml", 'echo "delivered to $TARGET"', "exit 3")
    line.release()

    answer = line.f0ci("promote", "dev")

    assert answer.code == 6
    assert "deploy recipe 'recipes/deploy.yaml' failed" in answer.out
    assert line.tree("env/dev") == tree


def test_works_without_a_remote(line: Line) -> None:
    git(line.work, "remote", "remove", "origin")
    line.to_prod()

    line.done("promote", "prod")

    assert git(line.work, "rev-parse", "--verify", "refs/heads/env/prod")
    line.done("audit", "verify")


def test_works_on_a_server_without_atomic_pushes(line: Line) -> None:
    git(line.bare, "config", "receive.advertiseAtomic", "false")
    good = line.to_prod()
    line.done("promote", "prod")
    tree = line.tree("env/prod")
    line.change("scriptlets/greetings.py", *BAD_GREETING)
    line.to_prod()

    assert line.f0ci("promote", "prod").code == 6

    assert line.tree("env/prod") == tree
    assert line.events("prod").count("intent") == 3
    assert line.done("status", "prod", "--format", "json").data["environments"][0]["release"].startswith(good)
    line.done("audit", "verify")


def test_a_depth_one_clone_can_promote(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    shallow = line.work.parent / "shallow"
    git(line.bare, "clone", "-q", "--depth=1", line.bare.as_uri(), str(shallow))
    (shallow / "metrics").mkdir(exist_ok=True)

    answer = line.f0ci("promote", "staging", work=shallow)

    assert answer.code == 0, answer.err


@pytest.mark.parametrize("name", ["production", "prod"])
def test_an_environment_answers_to_its_aliases(line: Line, name: str) -> None:
    line.release()

    data = line.f0ci("status", name, "--format", "json").data

    assert [one["environment"] for one in data["environments"]] == ["prod"]


def test_the_work_tree_and_the_users_branches_stay_as_they_are(line: Line) -> None:
    line.to_prod()
    line.done("promote", "prod")

    assert git(line.work, "status", "--porcelain") == ""
    assert git(line.work, "branch", "--format=%(refname:short)") == "main"


def test_events_are_json_files_anybody_can_read(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    path = Path(git(line.bare, "ls-tree", "-r", "--name-only", "f0ci/ledger/dev").splitlines()[0])

    event = json.loads(git(line.bare, "show", f"f0ci/ledger/dev:{path}"))

    assert event["version"] == 1
    assert path.name == f"{event['sequence']:04d}-{event['kind']}.json"


def test_a_revert_brings_the_earlier_release_back(line: Line) -> None:
    good = line.release()
    line.done("promote", "dev")
    tree = line.tree("env/dev")
    line.change("environments/base.yaml", "the team", "the whole team")
    line.release()
    line.done("promote", "dev")

    line.change("environments/base.yaml", "the whole team", "the team")
    again = line.release()

    assert again == good
    assert line.done("promote", "dev", "--format", "json").data["release"].startswith(good)
    assert line.tree("env/dev") == tree


def test_a_change_of_approvers_alone_is_a_release_and_counts_once_it_succeeded(line: Line) -> None:
    line.to_prod()
    line.done("promote", "prod")
    approvers = (line.work / ".f0ci/approvers.yaml").read_text(encoding="utf-8")
    line.commit({".f0ci/approvers.yaml": approvers.replace("[alice, bob]", "[bob]")})
    line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")

    plan = line.done("plan", "prod")

    assert "  .f0ci/approvers.yaml" in plan.out
    assert "changes who may approve or which gates stand" in plan.out


def test_a_first_promotion_that_is_stuck_can_be_ended(line: Line) -> None:
    line.change("environments/base.yaml", "requests: 200", "requests: 10")
    line.release()
    line.done("promote", "dev")
    assert line.f0ci("promote", "staging").code == 5
    assert line.f0ci("rollback", "staging", "--reason", "stuck").code == 3

    line.done("abort", "staging-1", "--reason", "too few requests")
    line.change("environments/base.yaml", "requests: 10", "requests: 100")
    line.release()
    line.done("promote", "dev")

    line.done("promote", "staging")


def test_what_a_failed_deploy_recipe_printed_is_shown(line: Line) -> None:
    line.change("recipes/deploy.yaml", 'echo "delivered to $TARGET"', "echo cannot reach db-7 >&2; exit 3")
    line.release()

    answer = line.f0ci("promote", "dev")

    assert answer.code == 7
    assert "| cannot reach db-7" in answer.err


def test_deploy_recipes_are_runs_that_can_be_looked_at(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    line.change("recipes/deploy.yaml", 'echo "delivered to $TARGET"', "echo cannot reach db-7 >&2; exit 3")
    line.release()
    assert line.f0ci("promote", "dev").code == 6

    back, bad, good = line.done("runs", "--format", "json").data["runs"]
    assert [(row["promotion"], row["state"]) for row in (good, bad, back)] == [
        ("dev-1", "passed"),
        ("dev-2", "failed"),
        ("dev-2", "passed"),
    ]
    assert {row["environment"] for row in (good, bad, back)} == {"dev"}
    deployed = next(event for event in line.records("dev") if event["kind"] == "deployed")
    assert deployed["data"]["run"] == good["run"]
    shown = line.done("runs", "show", bad["run"], "--format", "json").data
    assert "cannot reach db-7" in shown["record"]["steps"][0]["output"]
    assert ".f0ci" not in git(line.work, "status", "--porcelain")


def test_a_deploy_recipe_is_told_that_it_goes_back(line: Line) -> None:
    line.change("recipes/deploy.yaml", 'echo "delivered to $TARGET"', 'echo "$F0CI_PHASE to $F0CI_PERCENT"')
    line.release()
    line.done("promote", "dev")
    line.change("environments/base.yaml", "the team", "the whole team")
    line.release()
    line.done("promote", "dev")
    line.done("rollback", "dev", "--reason", "slow")

    runs = line.done("runs", "--format", "json").data["runs"]
    shown = [line.done("runs", "show", run["run"], "--format", "json").data["record"]["steps"][0] for run in runs]
    assert [step["output"] for step in shown] == ["rollback to 100\n", "shift to 100\n", "shift to 100\n"]


def test_a_journal_that_cannot_be_used_stops_no_promotion(line: Line) -> None:
    line.release()
    with Journal(default_path(line.work)) as journal, journal.transaction() as connection:
        connection.execute("PRAGMA user_version = 99")

    answer = line.done("promote", "dev")

    assert "f0ci runs will not know of it: the journal" in answer.err
