"""`f0ci generate` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from f0ci.cli.promoting import worst_exit
from f0ci.commands.scaffolding import scaffold
from f0ci.core.errors import ExitCode
from tests.cli.conftest import Command

PATH = ".github/workflows/f0ci.yml"


def test_an_edit_is_never_lost_silently(tmp_path: Path, f0ci: Command) -> None:
    scaffold(tmp_path)
    assert f0ci(tmp_path, "generate", "github").code == 0
    assert f0ci(tmp_path, "generate", "github", "--check").code == 0
    file = tmp_path / PATH
    edited = file.read_text(encoding="utf-8").replace("timeout-minutes: 15", "timeout-minutes: 16")
    file.write_text(edited, encoding="utf-8")

    checked = f0ci(tmp_path, "generate", "github", "--check")
    refused = f0ci(tmp_path, "generate", "github")

    assert (checked.code, refused.code) == (1, 1)
    assert "-    timeout-minutes: 16" in refused.out
    assert "--overwrite" in refused.err
    assert file.read_text(encoding="utf-8") == edited
    assert f0ci(tmp_path, "generate", "github", "--overwrite").code == 0
    assert f0ci(tmp_path, "generate", "github", "--check").code == 0


def test_an_unknown_system_is_told_with_the_known(tmp_path: Path, f0ci: Command) -> None:
    scaffold(tmp_path)

    answer = f0ci(tmp_path, "generate", "githib")

    assert answer.code == 2
    assert "did you mean 'github'?" in answer.err


@pytest.mark.parametrize(
    ("codes", "worst"),
    [((), 0), ((0, 0), 0), ((0, 5), 5), ((5, 4), 4), ((4, 5, 3), 3), ((6, 3, 5), 6), ((7, 6), 7)],
)
def test_what_waits_does_not_hide_what_failed(codes: tuple[int, ...], worst: int) -> None:
    assert worst_exit(map(ExitCode, codes)) == worst


def test_what_lies_outside_the_files_is_listed_by_system(tmp_path: Path, f0ci: Command) -> None:
    scaffold(tmp_path)

    answer = f0ci(tmp_path, "generate", "github", "jenkins", "--set-up")
    listed = json.loads(f0ci(tmp_path, "generate", "github", "--set-up", "--format", "json").out)["set_up"]

    assert answer.code == 0
    assert "  everywhere:\n    a rule that forbids force pushes" in answer.out
    assert "  jenkins:\n    a multibranch pipeline job" in answer.out
    assert list(listed) == ["", "github"]
    assert not (tmp_path / PATH).exists()


def test_guarantees_say_who_keeps_what(tmp_path: Path, f0ci: Command) -> None:
    answer = f0ci(tmp_path, "generate", "--guarantees")
    told = json.loads(f0ci(tmp_path, "generate", "--guarantees", "jenkins", "--format", "json").out)

    assert answer.code == 0
    lines = answer.out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == list(told["promises"].values())
    assert max(map(len, lines)) <= 100
    assert all(words in answer.out for words in ("the platform", "f0ci, by the ledger", "not enforceable"))
    assert {one["system"] for one in told["guarantees"]} == {"jenkins"}


@pytest.mark.parametrize("arguments", [(), ("github", "--format", "json"), ("--guarantees", "githib")])
def test_generate_is_told_what_to_do(tmp_path: Path, f0ci: Command, arguments: tuple[str, ...]) -> None:
    scaffold(tmp_path)

    assert f0ci(tmp_path, "generate", *arguments).code == 2


def test_without_a_system_those_are_looked_at_whose_files_are_there(tmp_path: Path, f0ci: Command) -> None:
    scaffold(tmp_path)
    nothing = f0ci(tmp_path, "generate", "--check")
    # one that people wrote themselves is not ours
    (tmp_path / "Jenkinsfile").write_text("pipeline { agent any }\n", encoding="utf-8")
    workflow = tmp_path / "workflow.yaml"
    text = workflow.read_text(encoding="utf-8")
    workflow.write_text(text + "  pipelines: {gitlab: {file: ci/promotion.yml}}\n", encoding="utf-8")
    assert f0ci(tmp_path, "generate", "github", "gitlab").code == 0

    checked = f0ci(tmp_path, "generate", "--check")
    listed = json.loads(f0ci(tmp_path, "generate", "--set-up", "--format", "json").out)["set_up"]
    (tmp_path / ".github/workflows/f0ci-promote.yml").unlink()
    missing = f0ci(tmp_path, "generate", "--check")

    assert (nothing.code, checked.code, missing.code) == (2, 0, 1)
    assert "no pipeline was generated here" in nothing.err
    assert checked.out.splitlines() == [
        ".github/workflows/f0ci-promote.yml: current",
        ".github/workflows/f0ci.yml: current",
        "ci/promotion.yml: current",
    ]
    assert list(listed) == ["", "github", "gitlab"]
    assert "f0ci-promote.yml: it does not exist" in missing.out
    assert f0ci(tmp_path, "generate").code == 2
