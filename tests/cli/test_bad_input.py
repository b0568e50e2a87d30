"""Bad input: a clear message, the right exit code, nothing half-written, no traceback."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from f0ci.commands.scaffolding import scaffold
from tests.cli.conftest import Command
from tests.conftest import RemoteRepository, git, write_files

BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(8)
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    scaffold(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        pytest.param(b"steps: [a\n", ":1:8", "not valid YAML", id="not YAML"),
        pytest.param(b"steps:\n\t- name: a\n", ":2:1", "not valid YAML", id="a tab"),
        pytest.param(b"metadata: {name: \xff}\nsteps: []\n", ":1:18", "is not UTF-8", id="not UTF-8"),
        pytest.param(b"", ":1:1", "the file is empty", id="empty"),
        pytest.param(b"# only a comment\n\n", ":1:1", "the file is empty", id="a comment alone"),
        pytest.param(BOMB.encode() + b"steps: []\n", ":6:", "aliases expand to more than", id="a YAML bomb"),
        pytest.param(b"steps: &a\n  - *a\n", ":2:5", "stands inside the value it names", id="a cyclic alias"),
        pytest.param(b"steps: " + b"[" * 100_000, ":1:", "nested deeper than 100 levels", id="extreme depth"),
        pytest.param(b"steps: []\n---\nsteps: []\n", ":2:1", "a second document", id="two documents"),
        pytest.param(b"steps: []\nsteps: []\n", ":2:1", "'steps' is written twice", id="a duplicate key"),
    ],
)
def test_an_unreadable_file_is_a_finding_at_its_place(
    project: Path, f0ci: Command, content: bytes, place: str, words: str
) -> None:
    (project / "recipes/broken.yaml").write_bytes(content)

    answer = f0ci(project, "validate", "recipes/broken.yaml")

    assert answer.code == 1
    assert f"recipes/broken.yaml{place}" in answer.out
    assert words in answer.out


def without_power(forbidden: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return `f0ci validate` beside a path, or above it, as an account to which the path's mode means something."""
    command = [sys.executable, "-m", "f0ci", "validate", "--format", "json"]
    if os.access(forbidden, os.R_OK):
        if shutil.which("setpriv") is None:
            pytest.skip("this user may read everything, and there is no setpriv to give that up")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    root = forbidden.parents[1]
    return lambda *more: subprocess.run([*command, *more], cwd=root, capture_output=True, text=True, check=False)


def test_a_file_that_may_not_be_read_is_a_finding_and_hides_no_other(project: Path) -> None:
    """Passing it over would turn a wrong mode into a green pipeline."""
    (project / "templates").mkdir(exist_ok=True)
    for name in ("recipes/secret.yaml", "environments/dev/config.yaml", "templates/x.yaml.j2"):
        (project / name).write_text("steps: []\n", encoding="utf-8")
        (project / name).chmod(0)
    validate = without_power(project / "recipes/secret.yaml")

    answer = validate("--no-cache")
    named = validate("--no-cache", "recipes/secret.yaml")

    assert (answer.returncode, named.returncode, answer.stderr) == (1, 1, "")
    found = [(one["path"], one["rule"], one["message"]) for one in json.loads(answer.stdout)["diagnostics"]]
    assert found == [
        (name, rule, f"cannot read '{name}': Permission denied")
        for name, rule in (
            ("environments/dev/config.yaml", "unreadable"),
            ("recipes/secret.yaml", "unreadable"),
            ("templates/x.yaml.j2", "template-syntax"),
        )
    ]
    summary = json.loads(answer.stdout)["summary"]
    assert summary["files"] > 3
    assert [one["rule"] for one in json.loads(named.stdout)["diagnostics"]] == ["unreadable"]


@pytest.fixture
def closed(project: Path) -> Iterator[Path]:
    """Give a folder of recipes that may not be listed, one of them broken."""
    folder = project / "recipes/private"
    folder.mkdir()
    (folder / "broken.yaml").write_text("steps: [", encoding="utf-8")
    folder.chmod(0)
    yield folder
    # pytest takes it away
    folder.chmod(0o755)


def rules_of(answer: subprocess.CompletedProcess[str]) -> list[tuple[str, str]]:
    return [(one["path"], one["rule"]) for one in json.loads(answer.stdout)["diagnostics"]]


def test_a_folder_that_may_not_be_listed_is_a_finding(closed: Path, tmp_path: Path) -> None:
    """Taking it for empty would pass over every file in it; what is remembered knows of it too."""
    validate = without_power(closed)
    cache = f"--cache-dir={tmp_path.with_name(f'{tmp_path.name}-cache')}"

    shut = [validate(cache), validate(cache), validate("--no-cache", "recipes/private")]
    beside = validate("--no-cache", "recipes/deploy.yaml")
    inside = validate("--no-cache", "recipes/private/broken.yaml")
    closed.chmod(0o755)
    opened = validate(cache)

    assert [(answer.returncode, rules_of(answer)) for answer in shut] == [(1, [("recipes/private", "unreadable")])] * 3
    [finding] = json.loads(shut[0].stdout)["diagnostics"]
    assert finding["message"] == "cannot read 'recipes/private/': Permission denied"
    assert (beside.returncode, rules_of(beside)) == (0, [])
    assert (inside.returncode, inside.stdout) == (3, "")
    assert "cannot read 'recipes/private/broken.yaml': Permission denied" in inside.stderr
    assert rules_of(opened) == [("recipes/private/broken.yaml", "syntax")]


@pytest.mark.parametrize(
    ("settings", "ignored", "code"),
    [
        pytest.param("recipes: [recipes]\n", "", 1, id="the settings name the folder above"),
        pytest.param("recipes: [recipes/private/old]\n", "", 1, id="the settings name a folder in it"),
        pytest.param("recipes: [elsewhere, recipes/other]\n", "", 0, id="the settings look elsewhere"),
        pytest.param("recipes: ['.']\n", "", 1, id="the settings look everywhere"),
        pytest.param("branch_prefix: a\n", "", 1, id="the settings say nothing of it"),
        pytest.param("", "private/\n", 0, id="Git ignores it, as the data of a database that ran here"),
    ],
)
def test_a_closed_folder_matters_where_recipes_are_looked_for(
    closed: Path, project: Path, settings: str, ignored: str, code: int
) -> None:
    git(project, "init", "--quiet")
    (project / "f0ci.yaml").write_text(settings or "{}\n", encoding="utf-8")
    (project / ".gitignore").write_text(ignored, encoding="utf-8")

    answer = without_power(closed)("--no-cache", "--select", "unreadable")

    assert (answer.returncode, len(rules_of(answer))) == (code, code)


def test_links_that_leave_the_repository_are_not_followed(project: Path, f0ci: Command, tmp_path: Path) -> None:
    """Neither a file nor a folder outside is read because a link of the repository says so."""
    outside = tmp_path.with_name(f"{tmp_path.name}-outside")
    outside.mkdir()
    (outside / "bad.yaml").write_text("steps: [", encoding="utf-8")
    (project / "recipes/file.yaml").symlink_to(outside / "bad.yaml")
    (project / "recipes/folder").symlink_to(outside)

    assert f0ci(project, "validate").code == 0
    for name in ("file.yaml", "folder"):
        answer = f0ci(project, "validate", f"recipes/{name}")
        assert answer.code == 3
        assert "is a symbolic link that leads out of the repository" in answer.err


def test_a_broken_file_does_not_hide_the_others(project: Path, f0ci: Command) -> None:
    (project / "recipes/broken.yaml").write_bytes(b"steps: [a\n")
    path = project / "recipes/summary.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("print_title", "print title").replace("type: shell", "type: shel"),
        encoding="utf-8",
    )

    answer = f0ci(project, "validate")

    assert answer.code == 1
    assert "recipes/broken.yaml:" in answer.out
    assert "recipes/summary.yaml:" in answer.out


def test_a_missing_path_cannot_be_validated(project: Path, f0ci: Command) -> None:
    answer = f0ci(project, "validate", "recipes/missing.yaml")

    assert answer.code == 3
    assert "there is no file or folder" in answer.err


def test_a_path_outside_cannot_be_validated(
    project: Path, f0ci: Command, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "recipe.yaml"
    outside.write_text("steps: []\n", encoding="utf-8")

    answer = f0ci(project, "validate", str(outside))

    assert answer.code == 3
    assert "lies outside the repository" in answer.err


def test_a_symlink_loop_is_told(project: Path, f0ci: Command) -> None:
    (project / "recipes/loop.yaml").symlink_to("loop.yaml")

    named = f0ci(project, "validate", "recipes/loop.yaml")

    assert named.code == 3
    assert "leads back to itself" in named.err
    assert f0ci(project, "validate").code == 0


def test_a_folder_is_no_recipe(project: Path, f0ci: Command) -> None:
    answer = f0ci(project, "run", "recipes")

    assert answer.code == 3
    assert "'recipes' is a folder, not a file" in answer.err


@pytest.mark.parametrize("path", ["../../secret.yaml", "/etc/passwd", "recipes/../../../secret.yaml"])
def test_a_recipe_path_that_leaves_the_repository_is_found_and_never_run(
    project: Path, f0ci: Command, path: str
) -> None:
    step = f"  - {{name: a, type: sub_recipe, recipe_path: '{path}'}}\n"
    write_files(project, {"recipes/out.yaml": "metadata: {name: out, version: '1.0'}\nsteps:\n" + step})

    found = f0ci(project, "validate", "recipes/out.yaml")
    run = f0ci(project, "run", "recipes/out.yaml")

    assert found.code == 1
    assert "recipe-path-escapes" in found.out
    assert "recipes/out.yaml:3:" in found.out
    assert run.code == 3
    assert "recipes/out.yaml:3:" in run.err
    assert "leaves the repository" in run.err or "is absolute" in run.err


def test_a_recipe_that_is_missing_is_told_with_the_closest(project: Path, f0ci: Command) -> None:
    answer = f0ci(project, "run", "recipes/summery.yaml")

    assert answer.code == 3
    assert "there is no" in answer.err


def test_a_missing_parameter_is_told(project: Path, f0ci: Command) -> None:
    answer = f0ci(project, "run", "recipes/summary.yaml")

    assert answer.code == 2
    assert "title" in answer.err


def test_an_unknown_environment_is_told_with_the_known(project: Path, f0ci: Command) -> None:
    answer = f0ci(project, "render", "prodd")

    assert answer.code == 2
    assert "prod" in answer.err


def test_promoting_outside_git_is_told(project: Path, f0ci: Command) -> None:
    for command in (("release", "create"), ("promote", "dev"), ("status",), ("audit", "verify")):
        answer = f0ci(project, *command)
        assert answer.code == 3, command
        assert "git init" in answer.err, command


def test_promoting_without_a_release_is_told(project: Path, f0ci: Command) -> None:
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "first")

    answer = f0ci(project, "promote", "dev")

    assert answer.code == 2
    assert "f0ci release create" in answer.err


def test_a_repository_without_commits_is_told(project: Path, f0ci: Command) -> None:
    git(project, "init", "-q")

    answer = f0ci(project, "release", "create")

    assert answer.code == 3
    assert "commit your work first" in answer.err


def test_a_remote_that_is_not_there_is_told(
    f0ci: Command, make_remote_repository: Callable[..., RemoteRepository], tmp_path: Path
) -> None:
    remote = make_remote_repository("project")
    scaffold(remote.work)
    git(remote.work, "add", "-A")
    git(remote.work, "commit", "-qm", "scaffold")
    git(remote.work, "remote", "set-url", "origin", str(tmp_path / "gone.git"))

    answer = f0ci(remote.work, "release", "create")

    assert answer.code == 3
    assert "gone.git" in answer.err
    assert not git(remote.work, "tag")


def test_a_remote_that_refuses_is_told_and_nothing_is_half_written(
    f0ci: Command, make_remote_repository: Callable[..., RemoteRepository]
) -> None:
    remote = make_remote_repository("project")
    scaffold(remote.work)
    git(remote.work, "add", "-A")
    git(remote.work, "commit", "-qm", "scaffold")
    git(remote.work, "push", "-q", "origin", "HEAD:main")
    hook = remote.bare / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'only the release team may push here' >&2\nexit 1\n", encoding="ascii")
    hook.chmod(hook.stat().st_mode | stat.S_IEXEC)
    before = git(remote.bare, "for-each-ref")

    answer = f0ci(remote.work, "release", "create")

    assert answer.code == 3
    assert "only the release team may push here" in answer.err
    assert git(remote.bare, "for-each-ref") == before


def test_another_remote_than_the_settings_name_is_told(
    f0ci: Command, make_remote_repository: Callable[..., RemoteRepository]
) -> None:
    remote = make_remote_repository("project")
    scaffold(remote.work)
    git(remote.work, "remote", "rename", "origin", "upstream")

    answer = f0ci(remote.work, "status")

    assert answer.code == 3
    assert "there is no remote 'origin'" in answer.err
    assert "upstream" in answer.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("promot",), "did you mean 'promote'?"),
        (("promote", "nowhere"), "has no environment 'nowhere'"),
        (("promote",), "no environment was named"),
        (("explain", "dependency-cicle"), "dependency-cycle"),
        (("validate", "--select", "no-such-rule"), "no-such-rule"),
        (("validate", "--format", "xml"), "xml"),
        (("run", "recipes/summary.yaml", "-p", "title"), "is not a parameter"),
        (("run", "recipes/summary.yaml", "-p", "title=x", "--only", "nothing"), "nothing"),
        (("render", "prod", "--check"), "--check needs --output"),
        (("diff", "prod"), "nothing to compare with"),
    ],
)
def test_wrong_usage(project: Path, f0ci: Command, args: tuple[str, ...], words: str) -> None:
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "first")

    answer = f0ci(project, *args)

    assert answer.code == 2
    assert words in answer.err


def test_settings_that_do_not_fit_are_told_at_their_place(project: Path, f0ci: Command) -> None:
    (project / "f0ci.yaml").write_text("version: 1\nrecipies: [recipes]\n", encoding="utf-8")

    answer = f0ci(project, "render", "dev")

    assert answer.code == 3
    assert "f0ci.yaml:2:1" in answer.err
    assert "did you mean 'recipes'?" in answer.err


def test_a_bug_asks_to_be_reported_without_a_traceback(
    project: Path, f0ci: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a defect with the token s3cr3t-token-value")

    monkeypatch.setattr("f0ci.lint.engine.examine", broken)
    monkeypatch.setenv("F0CI_GIT_TOKEN", "s3cr3t-token-value")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    answer = f0ci(project, "validate")

    assert answer.code == 70
    assert "Traceback" not in answer.err
    assert "this is a bug in f0ci" in answer.err
    (log,) = tmp_path.glob("f0ci-defect-*.log")
    text = log.read_text(encoding="utf-8")
    assert "ZeroDivisionError" in text
    assert "s3cr3t-token-value" not in text
    assert stat.S_IMODE(os.stat(log).st_mode) == 0o600  # noqa: PTH116 - the mode of the very file


def test_interrupting_says_so(project: Path, f0ci: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("f0ci.lint.engine.examine", interrupted)

    answer = f0ci(project, "validate")

    assert answer.code == 130
    assert answer.err.strip() == "interrupted"


def test_interrupting_what_goes_on_from_where_it_was_says_how(
    project: Path, f0ci: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("f0ci.commands.promoting.promote_environment", interrupted)

    answer = f0ci(project, "promote", "dev")

    assert answer.code == 130
    assert answer.err.splitlines()[-1] == "  hint: `f0ci status` says where it is; run it again to go on"


def test_the_scaffolds_deploy_recipe_does_nothing_outside_a_promotion(project: Path, f0ci: Command) -> None:
    answer = f0ci(project, "run", "recipes/deploy.yaml", "-e", "dev", "--quiet")

    assert answer.code == 1
    assert "this step runs in a promotion" in answer.out
    assert not (project / "deployed").exists()


def test_a_folder_without_anything_to_validate_is_no_success(tmp_path: Path, f0ci: Command) -> None:
    answer = f0ci(tmp_path, "validate")

    assert answer.code == 3
    assert "nothing to validate below" in answer.err
    assert "f0ci init" in answer.err


def test_a_folder_of_installed_packages_says_why_nothing_is_found_in_it(project: Path, f0ci: Command) -> None:
    recipe = project / "recipes/node_modules/r.yaml"
    recipe.parent.mkdir()
    recipe.write_bytes((project / "recipes/summary.yaml").read_bytes())

    answer = f0ci(project, "validate", str(recipe.parent))

    assert answer.code == 3
    assert "folders called 'node_modules' are not searched: name the files in it" in answer.err
    assert f0ci(project, "validate", str(recipe)).code == 0


@pytest.mark.parametrize(
    ("old", "new"), [("approval_required", "aproval_required"), ("pipeline_stages", "pipline_stages")]
)
def test_a_misspelt_key_of_the_workflow_is_an_error(project: Path, f0ci: Command, old: str, new: str) -> None:
    path = project / "workflow.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")

    answer = f0ci(project, "validate")

    assert answer.code == 1
    assert f"error[unknown-key] unknown key '{new}'" in answer.out
    assert f"did you mean '{old}'?" in answer.out


def test_a_scriptlet_without_a_name_writes_no_repository(project: Path, f0ci: Command) -> None:
    answer = f0ci(project, "init", "scriptlet")

    assert answer.code == 2
    assert "f0ci init scriptlet NAME" in answer.err
    assert not (project / "scriptlet").exists()


@pytest.mark.parametrize(
    "args",
    [
        ("run", "recipes/greet_everybody.yaml", "-e", "dev", "-p", "name=\udcff"),
        ("run", "recipes/greet_everybody.yaml", "-e", "dev", "--run-id", "\udcff"),
        ("render", "dev", "--set", "greeting.team=\udcff"),
    ],
    ids=["a parameter", "the id of a run", "a value"],
)
def test_an_argument_that_is_not_utf_8_is_wrong_usage(project: Path, f0ci: Command, args: tuple[str, ...]) -> None:
    answer = f0ci(project, *args)

    assert answer.code == 2
    assert "is not UTF-8" in answer.err


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_name_that_is_not_utf_8_has_no_digest(project: Path, f0ci: Command) -> None:
    (project / "recipes/\udcff.yaml").write_text("steps:\n  - {name: a, run: echo}\n", encoding="utf-8")

    answer = f0ci(project, "render", "dev")

    assert answer.code == 3
    assert r"error: the file name 'recipes/\udcff.yaml' is not UTF-8" in answer.err
