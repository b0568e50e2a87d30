"""Rendering as processes do it: the same bytes whatever surrounds them, old files after a kill, and bad input."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from f0ci.commands.rendering import render_environment
from tests.cli.conftest import Command
from tests.conftest import git, rounds, write_files

EXAMPLE = Path(__file__).parents[2] / "examples" / "environments"

_RENDER = """\
import hashlib, json, locale, os, sys, time
os.umask(int(sys.argv[3]))
try:
    locale.setlocale(locale.LC_ALL, "")
except locale.Error:
    pass
time.tzset()
from pathlib import Path
from f0ci.commands.rendering import render_environment
files = render_environment(Path(sys.argv[1]), sys.argv[2]).files
print(json.dumps({path: hashlib.sha256(raw).hexdigest() for path, raw in files.items()}))
"""


def digests(files: dict[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(raw).hexdigest() for path, raw in files.items()}


@settings(max_examples=rounds(5, 60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    language=st.sampled_from(["C", "POSIX", "C.UTF-8", "tr_TR.UTF-8", "de_DE.ISO-8859-1", ""]),
    zone=st.sampled_from(["UTC", "Asia/Kathmandu", "America/St_Johns", "XYZ-13:59"]),
    seed=st.integers(min_value=0, max_value=4_294_967_295),
    umask=st.sampled_from([0o000, 0o022, 0o077]),
)
def test_the_same_commit_gives_the_same_bytes(tmp_path: Path, language: str, zone: str, seed: int, umask: int) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "LANG": language,
        "LC_ALL": language,
        "TZ": zone,
        "PYTHONHASHSEED": str(seed),
        "F0CI_ANYTHING": str(seed),
    }
    command = [sys.executable, "-c", _RENDER, str(EXAMPLE), "prod/eu", str(umask)]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, check=True)

    assert json.loads(done.stdout) == digests(dict(render_environment(EXAMPLE, "prod/eu").files))


def test_a_commit_and_the_work_tree_give_the_same_bytes(make_repository: Callable[..., Path]) -> None:
    from f0ci.git.repository import Repository
    from f0ci.promotion.releases import content_digest, release_paths
    from f0ci.render.rendering import ReleaseInfo, render
    from f0ci.source.project import load_project

    files = {path.relative_to(EXAMPLE).as_posix(): path.read_bytes() for path in EXAMPLE.rglob("*") if path.is_file()}
    root = make_repository("orders", files)
    tree = Repository.open(root).tree(git(root, "rev-parse", "HEAD"))
    project = load_project(tree)
    from f0ci.commands.rendering import find_environment

    described, environment = find_environment(tree, project, "prod")
    info = ReleaseInfo(content_digest(tree, release_paths(tree, project)))

    assert render(tree, project, environment, described, info).files == render_environment(EXAMPLE, "prod").files


FILES = {
    "environments/dev/config.yaml": "word: old\n",
    **{f"templates/file-{number:02}.txt.j2": "{{ config.word }} " * 200 + "\n" for number in range(20)},
}
# ends itself, as kill -9 would, at a call of the system that writing makes
_KILLED = """\
import os, signal, sys
name, count = sys.argv[1], int(sys.argv[2])
call, left = getattr(os, name), [count]
def counted(*args, **options):
    left[0] -= 1
    if left[0] < 0:
        if name == "write":
            call(args[0], args[1][:len(args[1]) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    return call(*args, **options)
setattr(os, name, counted)
from f0ci.cli.boundary import run
sys.exit(run(sys.argv[3:]))
"""


def rendered(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in found}


@pytest.mark.parametrize(
    ("call", "count"),
    [("write", 0), ("write", 7), ("write", 20), ("replace", 0), ("replace", 1), ("replace", 9), ("replace", 22)],
)
def test_a_process_that_is_killed_leaves_whole_files(tmp_path: Path, f0ci: Command, call: str, count: int) -> None:
    root, out = tmp_path / "work", tmp_path / "out"
    write_files(root, FILES)
    assert f0ci(root, "render", "dev", "-o", str(out)).code == 0
    old = rendered(out)
    write_files(root, {"environments/dev/config.yaml": "word: new\n"})
    new = {path: raw.decode() for path, raw in render_environment(root, "dev").files.items()}

    command = [sys.executable, "-c", _KILLED, call, str(count), "-C", str(root), "render", "dev", "-o", str(out)]
    killed = subprocess.run(command, capture_output=True, check=False)

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    found = {path: text for path, text in rendered(out).items() if not path.startswith(".")}
    left = {path: text for path, text in found.items() if path in old}
    assert left.keys() == old.keys()
    for path, text in left.items():
        assert text in {old[path], new[path]}, path
    if call == "write":
        assert left == old
    assert f0ci(root, "render", "dev", "-o", str(out)).code == 0
    assert rendered(out) == new
    assert not list(out.glob(".f0ci-staging-*"))
    assert f0ci(root, "render", "dev", "--check", "-o", str(out)).code == 0


def test_a_first_rendering_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    root, out = tmp_path / "work", tmp_path / "out"
    write_files(root, FILES)

    command = [sys.executable, "-c", _KILLED, "write", "9", "-C", str(root), "render", "dev", "-o", str(out)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == -signal.SIGKILL

    assert not out.exists()


def test_processes_that_render_into_one_folder_wait_for_each_other(tmp_path: Path, f0ci: Command) -> None:
    root, out = tmp_path / "work", tmp_path / "out"
    write_files(root, FILES)
    command = [sys.executable, "-m", "f0ci", "-C", str(root), "render", "dev", "--fresh", "-o", str(out), "--set"]
    words = [f"word{number}" for number in range(4)]

    started = [subprocess.Popen([*command, f"word={word}"], stderr=subprocess.PIPE) for word in words]
    answers = [process.communicate()[1] for process in started]

    assert [process.returncode for process in started] == [0] * len(words), answers
    last = json.loads((out / "config.json").read_bytes())["word"]
    assert last in words
    assert f0ci(root, "render", "dev", "--set", f"word={last}", "--check", "-o", str(out)).code == 0


BAD: dict[str, tuple[dict[str, str], str, str]] = {
    "a template's syntax": (
        {"templates/a.conf.j2": "one\n{% if config.word %}\ntwo\n"},
        "templates/a.conf.j2:2: error: not a valid template",
        "",
    ),
    "an undefined name": (
        {"templates/a.conf.j2": "one\n{{ config.wrod }}\n"},
        "templates/a.conf.j2:2: error: 'config' has no key 'wrod'",
        "did you mean 'word'?",
    ),
    "a recipe's undefined name": (
        {"recipes/a.yaml": "metadata: {name: a}\nsteps:\n- {name: a, run: x, env: {A: '#{config.wrod}'}}\n"},
        "recipes/a.yaml:3:30: error: 'config' has no key 'wrod'",
        "did you mean 'word'?",
    ),
    "a template that renders no YAML": (
        {"templates/a.yaml.j2": "a: [{{ config.word }}\n"},
        "templates/a.yaml.j2: error: renders 'a.yaml' wrongly: not valid YAML",
        "see its line 2",
    ),
    "a template that renders no JSON": (
        {"templates/a.json.j2": '{\n"a": {{ config.word }}\n}\n'},
        "templates/a.json.j2: error: renders 'a.json' wrongly",
        "see its line 2",
    ),
    "a template that renders no TOML": (
        {"templates/a.toml.j2": "x = 1\na = {{ config.word }}\n"},
        "templates/a.toml.j2: error: renders 'a.toml' wrongly: not valid TOML",
        "see its line 2",
    ),
    "null in TOML": (
        {"templates/a.toml.j2": "{{ {'a': none} | to_toml }}"},
        "templates/a.toml.j2:1: error: 'a' is null, for which TOML has no word",
        "leave it out",
    ),
    "two files for one place": (
        {"templates/config.json.j2": "{}\n"},
        "both render to 'config.json'",
        "rename one of them",
    ),
    "a place outside": (
        {"templates/.git/hooks.j2": "x", "templates/back\\slash.j2": "x"},
        "is not one that a rendered tree may hold",
        "rename the file",
    ),
    "a value of the wrong type from an overlay": (
        {
            "schemas/config.schema.json": '{"properties": {"word": {"type": "string"}}}',
            "environments/dev/eu/config.yaml": "# region\nword: 7\n",
        },
        "environments/dev/eu/config.yaml:2:7: error: configuration value word: 7 is a whole number, not text",
        "see schemas/config.schema.json",
    ),
    "a provider of secrets that there is not": (
        {"f0ci.yaml": "version: 1\nsecrets:\n  - provider: fiel\n"},
        "f0ci.yaml:3:15: error: there is no secret provider 'fiel'",
        "did you mean 'file'?",
    ),
    "a setting that a provider of secrets does not know": (
        {"f0ci.yaml": "version: 1\nsecrets:\n  - {provider: file, folder: x, identity_file: y}\n"},
        "f0ci.yaml:3:33: error: unknown key 'identity_file'",
        "known keys: folder, provider",
    ),
    "values that refer to each other": (
        {"environments/dev/eu/config.yaml": "a: '#{config.b}'\nb: '#{config.a}'\n"},
        "error: configuration values refer to each other in a circle: a -> b -> a",
        "write one of them out",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_said_and_leaves_the_old_files(tmp_path: Path, f0ci: Command, case: str) -> None:
    root, out = tmp_path / "work", tmp_path / "out"
    write_files(root, {**FILES, "environments/dev/eu/config.yaml": "x: 1\n"})
    assert f0ci(root, "render", "dev/eu", "-o", str(out)).code == 0
    old = rendered(out)
    files, message, hint = BAD[case]
    write_files(root, files)

    answer = f0ci(root, "render", "dev/eu", "-o", str(out))

    assert answer.code == 3, answer.err
    assert message in answer.err
    assert hint in answer.err
    assert "Traceback" not in answer.err
    assert rendered(out) == old


def test_a_file_name_that_is_not_utf8(tmp_path: Path, f0ci: Command) -> None:
    write_files(tmp_path, FILES)
    (tmp_path / "templates" / os.fsdecode(b"caf\xe9.txt.j2")).write_bytes(b"x")

    answer = f0ci(tmp_path, "render", "dev", "-o", "out")

    assert (answer.code, answer.out) == (3, "")
    assert "error: the file name 'templates/caf\\udce9.txt.j2' is not UTF-8" in answer.err


@pytest.mark.parametrize(
    ("output", "code", "message"),
    [
        ("file", 3, "'{root}/file' is a file, not a folder"),
        ("file/below", 3, "'{root}/file' is a file, not a folder"),
        ("dangling", 3, "'{root}/dangling' is a link that leads nowhere"),
        ("foreign", 3, "'{root}/foreign/config.json' would be overwritten, and f0ci did not write it"),
        (".", 2, "the repository itself is no place to render into"),
        ("recipes", 2, "'{root}/recipes' is rendered from"),
        ("templates/build", 2, "'{root}/templates/build' lies in 'templates', which is rendered from"),
        ("inside/deep", 2, "'{root}/inside/deep' lies in 'environments', which is rendered from"),
    ],
)
def test_a_place_that_is_none(tmp_path: Path, f0ci: Command, output: str, code: int, message: str) -> None:
    write_files(tmp_path, {**FILES, "file": "mine\n", "foreign/config.json": "mine\n"})
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "inside").symlink_to("environments/dev")
    before = rendered(tmp_path)

    answer = f0ci(tmp_path, "render", "dev", "-o", str(tmp_path / output))

    assert answer.code == code
    assert f"error: {message.format(root=tmp_path)}\n" in answer.err
    assert rendered(tmp_path) == before


@pytest.mark.parametrize(
    ("config", "settings", "told"),
    [
        ("environment:\n  debug_enabled: true\n", "", "error[debug-in-production]"),
        ("environment:\n  debug_enabled: false\n", "", None),
        ("word: w\n", "", None),
        ("environment:\n  debug_enabled: true  # f0ci: ignore[debug-in-production] a demo\n", "", None),
        ("environment:\n  debug_enabled: true\n", "rules: {ignore: [debug-in-production]}\n", None),
        ("environment:\n  debug_enabled: true\n", "rules: {severity: {debug-in-production: note}}\n", "note[debug-"),
    ],
)
def test_suspicions_are_told_beside_the_result(
    tmp_path: Path, f0ci: Command, config: str, settings: str, told: str | None
) -> None:
    write_files(tmp_path, {"environments/prod/config.yaml": config, "f0ci.yaml": f"version: 1\n{settings}"})

    answer = f0ci(tmp_path, "render", "prod", "--file", "traffic.json")

    assert answer.code == 0
    assert json.loads(answer.out)["version"] == 1
    if told is None:
        assert answer.err == ""
    else:
        assert f"environments/prod/config.yaml:2:18: {told}" in answer.err
        assert "production environment 'prod' has debugging switched on" in answer.err


def test_all_environments_and_their_check(tmp_path: Path, f0ci: Command) -> None:
    write_files(tmp_path, {**FILES, "environments/prod/config.yaml": "extends: dev\nword: prod\n"})

    assert f0ci(tmp_path, "render", "--all", "-o", "build", "--check").code == 1
    answer = f0ci(tmp_path, "render", "--all", "-o", "build", "--format", "json")
    assert {name: one["files"] for name, one in answer.data["environments"].items()} == {"dev": 23, "prod": 23}
    assert f0ci(tmp_path, "render", "--all", "-o", "build", "--check").code == 0
    (tmp_path / "build/prod/file-00.txt").write_text("mine\n", encoding="utf-8")
    answer = f0ci(tmp_path, "render", "--all", "-o", "build", "--check")
    assert (answer.code, answer.out) == (1, "differs: prod/file-00.txt\n")
    answer = f0ci(tmp_path, "render", "--all", "-o", "build", "--check", "--format", "json")
    assert answer.data["differs"] == ["prod/file-00.txt"]


@pytest.mark.parametrize("arguments", [(), ("dev", "--all", "-o", "x"), ("--all",), ("dev", "--check")])
def test_options_that_do_not_go_together(tmp_path: Path, f0ci: Command, arguments: tuple[str, ...]) -> None:
    write_files(tmp_path, FILES)

    assert f0ci(tmp_path, "render", *arguments).code == 2
