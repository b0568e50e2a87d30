"""Drift of an environment in the three places where its state shows, and its repair as a recorded change."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import git, write_files
from tests.line.conftest import Line, Stage
from tests.line.forger import Forger
from tests.local_service import Asked, Reply, local_service

REPAIR = ("promote", "dev", "--repair", "--reason", "somebody pushed by hand")


@pytest.fixture
def deployed(
    stage: Callable[[str, Callable[[Line], None]], Stage], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Line:
    """Return a copy of a line whose dev environment runs a release, in its branch and in a directory."""

    def play(line: Line) -> None:
        line.change("workflow.yaml", "    dev:\n", "    dev:\n      drift: [{kind: directory, path: deployed/dev}]\n")
        line.release()
        line.done("promote", "dev")
        line.change("environments/base.yaml", "the team", "the whole team")
        line.release()
        line.done("promote", "dev")

    return stage("deployed", play).copy_to(tmp_path, capsys)


@pytest.fixture
def somebody(deployed: Line) -> Forger:
    return Forger(deployed.bare, deployed.work, deployed.people)


def drift(line: Line, code: int) -> dict[str, dict[str, Any]]:
    """Return what is found in dev, by kind."""
    answer = line.f0ci("status", "dev", "--drift", "--format", "json")
    assert answer.code == code, answer.out + answer.err
    return {one["kind"]: one for one in answer.data["environments"][0]["drift"]}


def kinds(line: Line) -> set[str]:
    """Return what the audit finds."""
    answer = line.f0ci("audit", "verify", "--format", "json")
    return {finding["kind"] for finding in answer.data["findings"]}


def test_nothing_drifts(deployed: Line) -> None:
    found = drift(deployed, 0)

    assert {kind: one["state"] for kind, one in found.items()} == {"branch": "in_sync", "directory": "in_sync"}
    everywhere = deployed.done("status", "--drift")
    assert "dev: branch env/dev: in_sync" in everywhere.out
    assert "prod: branch env/prod: in_sync" in everywhere.out


class TestTheBranch:
    """The environment's branch is changed by hand."""

    def test_an_edit_is_named_and_undone(self, deployed: Line, somebody: Forger) -> None:
        tree = deployed.tree("env/dev")
        edit = somebody.commit(
            "refs/heads/env/dev", {"config.json": "{}", "extra.txt": "hello\n"}, message="quick fix\n\nreally"
        )

        details = drift(deployed, 1)["branch"]["details"]
        assert f"commit {edit[:10]} by Mallory <mallory@example.com>: quick fix" in details
        assert {"differs: config.json", "extra: extra.txt"} <= set(details)
        assert "environment-edited" in kinds(deployed)

        answer = deployed.done(*REPAIR)

        assert "1 commit undone" in answer.out
        assert deployed.tree("env/dev") == tree
        assert git(deployed.bare, "rev-parse", "env/dev^") == edit
        assert drift(deployed, 0)["branch"]["state"] == "in_sync"
        assert deployed.events("dev").count("repair") == 2  # the branch, and the deploy recipe that ran again
        assert kinds(deployed) == set()
        record = somebody.find("dev", "repair")[1]
        assert record["data"]["deploy"] == "recipes/deploy.yaml passed"
        assert record["data"]["reason"] == "somebody pushed by hand"
        assert record["actor"] == "Alice <alice@example.com>"

    def test_whoever_promotes_over_an_edit_is_told_before(self, deployed: Line, somebody: Forger) -> None:
        edit = somebody.commit("refs/heads/env/dev", {"config.json": "{}"}, message="quick fix")
        deployed.change("environments/base.yaml", "the whole team", "everybody")
        deployed.release()

        status, plan = deployed.done("status").out, deployed.done("plan", "dev").out
        promoted = deployed.done("promote", "dev")

        assert "dev: drifted; next: f0ci status dev --drift" in status
        said = f"env/dev was changed by somebody else (commit {edit[:10]} by Mallory <mallory@example.com>: quick fix"
        for told in (plan, promoted.err):
            assert f"note: {said} and 1 more): a promotion replaces that" in told
            assert "`f0ci promote dev --repair --reason REASON` first puts it on record" in told
        assert "note: env/dev" not in deployed.done("promote", "dev").err
        assert "drifted" not in deployed.done("status").out
        assert kinds(deployed) == {"environment-edited"}

    def test_whoever_promotes_first_is_told_what_is_there(self, deployed: Line) -> None:
        git(deployed.work, "push", "-q", "origin", "HEAD:refs/heads/env/staging")

        answer = deployed.f0ci("promote", "staging")

        said = "note: env/staging holds something that no promotion brought: a promotion replaces that"
        assert said in answer.err
        assert "--repair" not in answer.err

    def test_a_deploy_recipe_that_fails_is_told_and_runs_again(self, deployed: Line, somebody: Forger) -> None:
        somebody.commit("refs/heads/env/dev", {"config.json": "{}"}, message="quick fix")
        shutil.rmtree(deployed.work / "deployed")
        write_files(deployed.work, {"deployed": "in the way\n"})

        answer = deployed.f0ci(*REPAIR)

        assert answer.code == 7
        assert "deploy recipe 'recipes/deploy.yaml' failed" in answer.out
        assert deployed.f0ci(*REPAIR, "--format", "json").data["is_deployed"] is False
        (deployed.work / "deployed").unlink()
        assert deployed.done(*REPAIR, "--format", "json").data["deployed"] == "recipes/deploy.yaml passed"
        assert deployed.done(*REPAIR, "--format", "json").data["deployed"] is None
        assert kinds(deployed) == set()

    @pytest.mark.parametrize("how", ["deleted", "pushed back", "rewritten"])
    def test_what_was_forced_comes_back_with_its_history(self, deployed: Line, somebody: Forger, how: str) -> None:
        tip, tree = deployed.tip("env/dev"), deployed.tree("env/dev")
        if how == "deleted":
            somebody.git("update-ref", "-d", "refs/heads/env/dev")
        elif how == "pushed back":
            somebody.git("update-ref", "refs/heads/env/dev", "env/dev~1")
        else:
            older = somebody.git("rev-parse", "env/dev~1")
            somebody.commit("refs/heads/env/dev", {"config.json": "{}"}, parents=[older])

        assert drift(deployed, 1)["branch"]["details"]
        deployed.done(*REPAIR)

        assert deployed.tree("env/dev") == tree
        git(deployed.bare, "merge-base", "--is-ancestor", tip, "env/dev")
        assert drift(deployed, 0)["branch"]["state"] == "in_sync"
        assert kinds(deployed) == set()

    def test_promotions_go_on_from_a_repair(self, deployed: Line, somebody: Forger) -> None:
        somebody.commit("refs/heads/env/dev", {"config.json": "{}"})
        deployed.done(*REPAIR)
        somebody.commit("refs/heads/env/dev", {"config.json": "[]"})
        deployed.done(*REPAIR)
        deployed.change("environments/base.yaml", "the whole team", "everybody")
        deployed.release()

        deployed.done("promote", "dev")
        deployed.done("rollback", "dev", "--reason", "orders are lost")

        assert drift(deployed, 0)["branch"]["state"] == "in_sync"
        assert kinds(deployed) == set()

    def test_a_repair_that_is_repeated_changes_nothing(self, deployed: Line, somebody: Forger) -> None:
        somebody.commit("refs/heads/env/dev", {"config.json": "{}"})
        deployed.done(*REPAIR)
        tips = deployed.tip("env/dev"), deployed.tip("f0ci/ledger/dev")

        answer = deployed.done(*REPAIR, "--format", "json")

        assert answer.data["commit"] is None
        assert (deployed.tip("env/dev"), deployed.tip("f0ci/ledger/dev")) == tips

    def test_a_server_that_takes_one_ref_at_a_time(self, deployed: Line, somebody: Forger) -> None:
        git(deployed.bare, "config", "receive.advertiseAtomic", "false")
        somebody.commit("refs/heads/env/dev", {"config.json": "{}"})

        deployed.done(*REPAIR)

        assert drift(deployed, 0)["branch"]["state"] == "in_sync"
        assert kinds(deployed) == set()

    def test_without_a_record_there_is_nothing_to_repair(self, deployed: Line) -> None:
        answer = deployed.f0ci("promote", "prod", "--repair")

        assert answer.code == 3
        assert "'prod' has no record to go back to" in answer.err


class TestForgedRepairs:
    """The audit takes a repair's word for nothing."""

    def repair(self, somebody: Forger, **changes: Any) -> None:
        """Add a repair to dev's ledger that brings in what somebody committed, past f0ci."""
        commit = somebody.tip("refs/heads/env/dev")
        data = {
            "commit": commit,
            "tree": somebody.git("rev-parse", f"{commit}^{{tree}}"),
            "parents": [somebody.git("rev-parse", f"{commit}^")],
            "undoes": [],
            "release": somebody.find("dev", "requested")[1]["data"]["release"],
            "reason": "forged",
            **changes,
        }
        somebody.append("dev", "_environment", "repair", data)

    def test_a_repair_cannot_bring_in_another_tree(self, deployed: Line, somebody: Forger) -> None:
        somebody.commit("refs/heads/env/dev", {"config.json": "{}"})
        self.repair(somebody)

        assert "repair-differs" in kinds(deployed)

    def test_a_repair_excuses_only_what_it_undid(self, deployed: Line, somebody: Forger) -> None:
        somebody.commit("refs/heads/env/dev", {"config.json": "{}"})
        deployed.done(*REPAIR)
        later = somebody.commit("refs/heads/env/dev", {"config.json": "[]"})
        path, event = next((path, event) for path, event in somebody.events("dev").items() if "undoes" in event["data"])
        somebody.edit("dev", path, data__undoes=[*event["data"]["undoes"], later])

        assert {"repair-differs", "event-edited"} <= kinds(deployed)

    def test_a_repair_without_a_commit_names_the_recorded_one(self, deployed: Line, somebody: Forger) -> None:
        tree, older = deployed.tree("env/dev"), somebody.git("rev-parse", "env/dev~1")
        release = somebody.find("dev", "requested")[1]["data"]["release"]
        data = {"commit": older, "tree": tree, "release": release, "reason": "forged"}
        somebody.append("dev", "_environment", "repair", data)

        assert "repair-differs" in kinds(deployed)


class TestADirectory:
    """What the deploy recipe wrote is changed."""

    @pytest.mark.parametrize(
        ("change", "details"),
        [
            (lambda folder: write_files(folder, {"config.json": "{}"}), ["differs: config.json"]),
            (lambda folder: (folder / "release.json").unlink(), ["missing: release.json"]),
            (shutil.rmtree, ["there is no such directory"]),
        ],
    )
    def test_it_is_deployed_again(self, deployed: Line, change: Callable[[Path], object], details: list[str]) -> None:
        tip = deployed.tip("env/dev")
        change(deployed.work / "deployed/dev")

        found = drift(deployed, 1)
        assert found["directory"]["details"] == details
        assert found["branch"]["state"] == "in_sync"
        assert "deployed/dev: drifted" in deployed.f0ci("status", "--drift").out

        answer = deployed.done(*REPAIR, "--format", "json")

        assert answer.data["deployed"] == "recipes/deploy.yaml passed"
        assert drift(deployed, 0)["directory"]["state"] == "in_sync"
        assert deployed.tip("env/dev") == tip
        assert deployed.events("dev").count("repair") == 1
        assert kinds(deployed) == set()

    def test_foreign_files_count_where_the_workflow_says_exact(self, deployed: Line) -> None:
        write_files(deployed.work, {"deployed/dev/notes.txt": "mine\n"})
        assert drift(deployed, 0)["directory"]["state"] == "in_sync"

        deployed.change("workflow.yaml", "path: deployed/dev}", "path: deployed/dev, exact: true}")
        assert drift(deployed, 1)["directory"]["details"] == ["extra: notes.txt"]

    def test_without_a_deploy_recipe_the_files_are_written(self, line: Line) -> None:
        line.change(
            "workflow.yaml",
            "    dev:\n      auto_promote: true\n      deploy: recipes/deploy.yaml\n",
            "    dev:\n      auto_promote: true\n      drift: [{kind: directory, path: served}]\n",
        )
        line.release()
        line.done("promote", "dev")
        assert drift(line, 1)["directory"]["details"] == ["there is no such directory"]

        line.done(*REPAIR)

        assert drift(line, 0)["directory"]["state"] == "in_sync"
        assert json.loads((line.work / "served/release.json").read_bytes())["environment"] == "dev"
        assert kinds(line) == set()


class TestAnEndpoint:
    """A service says which release it runs."""

    @pytest.fixture
    def reporting(self, deployed: Line) -> Callable[[str], None]:
        """Return a function that has the workflow ask a service."""

        def ask(url: str) -> None:
            observer = f"{{kind: http, url: '{url}/version', release: build.release, timeout: 2}}"
            deployed.change("workflow.yaml", "path: deployed/dev}", f"path: deployed/dev}}, {observer}")

        return ask

    def release(self, line: Line) -> str:
        return str(line.done("status", "dev", "--format", "json").data["environments"][0]["release"])

    @pytest.mark.parametrize(
        ("reply", "state", "code", "words"),
        [
            ("{release}", "in_sync", 0, ""),
            ("{short}", "in_sync", 0, ""),
            ("0123456789ab", "drifted", 1, "reports 0123456789ab, not "),
            ("v1", "drifted", 1, "reports v1, not "),
            ("a\x1b[2Jb", "drifted", 1, "reports something else, not "),
            (None, "unknown", 3, "the answer says no release at 'build.release'"),
            (7, "unknown", 3, "the answer says no release at 'build.release'"),
        ],
    )
    def test_what_it_says(
        self, deployed: Line, reporting: Callable[[str], None], reply: Any, state: str, code: int, words: str
    ) -> None:
        release = self.release(deployed)
        said = reply.format(release=release, short=release[:12]) if isinstance(reply, str) else reply

        with local_service(lambda _asked: Reply({"build": {"release": said}})) as service:
            reporting(service.url)
            found = drift(deployed, code)["http"]

        assert found["state"] == state
        assert words in "".join(found["details"])

    def test_what_cannot_be_asked_is_unknown(self, deployed: Line, reporting: Callable[[str], None]) -> None:
        with local_service(lambda _asked: Reply(status=404)) as service:
            reporting(service.url)
            assert drift(deployed, 3)["http"]["state"] == "unknown"
        assert drift(deployed, 3)["http"]["state"] == "unknown"

    def test_a_service_that_forgot_is_deployed_again(self, deployed: Line, reporting: Callable[[str], None]) -> None:
        path = deployed.work / "deployed/dev/release.json"

        def answer(_asked: Asked) -> Reply:
            return Reply({"build": {"release": json.loads(path.read_bytes())["digest"]}})

        with local_service(answer) as service:
            reporting(service.url)
            assert drift(deployed, 0)["http"]["state"] == "in_sync"
            path.write_text(json.dumps({"digest": "cd" * 32}), encoding="utf-8")
            assert drift(deployed, 1)["http"]["state"] == "drifted"

            deployed.done(*REPAIR)
            assert drift(deployed, 0)["http"]["state"] == "in_sync"


def test_an_observer_that_does_not_exist(deployed: Line) -> None:
    deployed.change("workflow.yaml", "kind: directory", "kind: folder")

    answer = deployed.f0ci("status", "dev", "--drift")

    assert answer.code == 2
    assert "there is no drift observer 'folder'" in answer.err


@pytest.mark.parametrize(
    "arguments", [("--repair",), ("dev", "--repair", "--dry-run"), ("dev", "--reason", "x"), ("--repair", "--continue")]
)
def test_options_that_do_not_go_together(deployed: Line, arguments: tuple[str, ...]) -> None:
    answer = deployed.f0ci("promote", *arguments)

    assert answer.code == 2
    assert "--repair" in answer.err
