"""`f0ci run`, `runs` and `context`: what people type, and what goes wrong."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from f0ci.core.clock import parse_time
from tests.cli.conftest import Command
from tests.conftest import write_files

SCRIPTLETS = """
import os, subprocess, time

def mark(context, params):
    with open("marks.txt", "a") as file:
        file.write(params["name"] + "\\n")
    context.set("marks." + params["name"], params["name"].upper())
    return {"name": params["name"]}

def hold(context, params):
    mark(context, params)
    while not os.path.exists("gate"):
        time.sleep(0.01)

def spawn(context, params):
    subprocess.run(params["command"], shell=True, check=True)

class Odd:
    def run(self, context, params):
        return {"odd": Odd, "set": {1}}
"""
MARK = "type: python, module: scriptlets.marks, function: mark, args: {name: NAME}"
ASKING = (
    "metadata: {name: asking}\nsteps:\n"
    f"  - {{name: a, {MARK.replace('NAME', 'a')}}}\n"
    "  - {name: ask, type: wait, args: {approval: {by: [alice]}, message: ship it?}}\n"
    f"  - {{name: b, {MARK.replace('NAME', 'b')}}}\n"
)
LONG = (
    "metadata: {name: long}\nsteps:\n"
    f"  - {{name: a, {MARK.replace('NAME', 'a')}}}\n"
    "  - {name: hold, type: python, module: scriptlets.marks, function: hold, args: {name: hold}}\n"
    f"  - {{name: b, {MARK.replace('NAME', 'b')}}}\n"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a repository with recipes."""
    root = tmp_path / "project"
    write_files(
        root,
        {
            "f0ci.yaml": "version: 1\n",
            "scriptlets/marks.py": SCRIPTLETS,
            "recipes/asking.yaml": ASKING,
            "recipes/long.yaml": LONG,
            "recipes/given.yaml": "metadata: {name: given}\nparameters: [{name: n, type: integer}, {name: s}]\nsteps:\n"
            '  - {name: tell, run: "echo $N $S", args: {N: "#{params.n + 1}", S: "#{params.s}"}}\n'
            '  - {name: more, run: "echo more"}\n',
        },
    )
    return root


def marks(root: Path) -> list[str]:
    """Return the bodies that ran."""
    file = root / "marks.txt"
    return file.read_text().split() if file.exists() else []


def test_a_run_that_waits_is_approved_and_goes_on(project: Path, f0ci: Command) -> None:
    waiting = f0ci(project, "run", "recipes/asking.yaml", "--run-id", "ship-1")
    assert waiting.code == 5
    assert "waiting ask for an approval by alice: ship it?" in waiting.err
    assert "f0ci run --resume ship-1" in waiting.err
    assert "tell it with `f0ci runs send ship-1 ask --approve`" in waiting.err

    assert f0ci(project, "run", "--resume", "ship-1", "--quiet").code == 5
    bob = f0ci(project, "runs", "send", "ship-1", "ask", "--approve", "--by", "bob")
    assert bob.code == 5
    done = f0ci(project, "runs", "send", "ship-1", "ask", "--approve", "--by", "alice", "--format", "json")
    assert done.code == 0
    assert json.loads(done.out)["outcome"] == "passed"
    assert marks(project) == ["a", "b"]
    assert f0ci(project, "runs", "send", "ship-1", "ask", "--approve").code == 4


def test_runs_are_listed_and_shown(project: Path, f0ci: Command) -> None:
    assert f0ci(project, "runs").err == "no runs\n"
    f0ci(project, "run", "recipes/asking.yaml", "--run-id", "ship-1")
    f0ci(project, "run", "recipes/given.yaml", "--params", "n=1,s=x,y", "--quiet")

    listed = json.loads(f0ci(project, "runs", "--format", "json").out)["runs"]
    assert [(row["recipe"], row["state"]) for row in listed] == [
        ("recipes/given.yaml", "passed"),
        ("recipes/asking.yaml", "waiting"),
    ]
    assert [line.split()[0] for line in f0ci(project, "runs", "--state", "waiting").out.splitlines()] == [
        "run",
        "ship-1",
    ]
    shown = f0ci(project, "runs", "show", "ship")
    assert "run ship-1: recipes/asking.yaml waiting" in shown.out
    assert "ask |" in shown.out
    data: dict[str, Any] = json.loads(f0ci(project, "runs", "show", "ship-1", "--format", "json").out)
    assert [step["path"] for step in data["timeline"]] == ["a", "ask"]
    assert data["record"]["outcome"] == "waiting"
    assert f0ci(project, "runs", "show", "ship-1", "--format", "csv").out.startswith("path,kind,outcome,started")
    unknown = f0ci(project, "runs", "show", "shop")
    assert (unknown.code, "has no run 'shop'" in unknown.err) == (2, True)


def test_what_is_printed_of_a_run_has_times_of_one_form(project: Path, f0ci: Command) -> None:
    f0ci(project, "run", "recipes/asking.yaml", "--run-id", "r")
    f0ci(project, "runs", "send", "r", "ask", "--approve", "--by", "alice")
    shown = json.loads(f0ci(project, "runs", "show", "r", "--format", "json").out)
    changes = json.loads(f0ci(project, "context", "history", "r", "--format", "json").out)

    texts = [step[name] for step in shown["timeline"] for name in ("started", "ended")]
    texts += [signal["time"] for signal in shown["signals"]] + [change["timestamp"] for change in changes]
    texts += [shown["created_at"], shown["ended_at"], shown["record"]["started"]]
    assert len(texts) == 12
    assert all(text.endswith("Z") for text in texts)
    moments = [parse_time(text) for text in texts]
    assert max(moments) - min(moments) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("option", "text", "code"),
    [
        ("--wait", "1", 5),
        ("--wait", "0.5s", 5),
        ("--wait", "soon", 2),
        ("--step-timeout", "nan", 2),
        ("--wait", "-1", 2),
    ],
)
def test_spans_of_time_are_durations_or_seconds(
    project: Path, f0ci: Command, option: str, text: str, code: int
) -> None:
    answer = f0ci(project, "run", "recipes/asking.yaml", option, text, "--quiet")

    assert answer.code == code
    assert code == 5 or "is not a duration such as 30m, 1h30m or 90s" in answer.err


INNER = "metadata: {name: inner}\nsteps: [{name: deep, type: wait, args: {approval: true}}, {name: z, run: 'true'}]\n"
WAITS = (
    "metadata: {name: waits}\nsteps:\n"
    "  - {name: a, run: 'true', depends_on: []}\n"
    "  - {name: ask, type: wait, args: {approval: true}, depends_on: []}\n"
    "  - {name: paid, type: wait, args: {event: paid}, depends_on: []}\n"
    "  - {name: later, type: wait, args: {for: 1h}, depends_on: []}\n"
    "  - {name: in, type: sub_recipe, recipe_path: recipes/inner.yaml, depends_on: []}\n"
)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("aks", "--approve"), ("has no step 'aks'", "did you mean 'ask'?")),
        (("in/depe", "--approve"), ("recipes/inner.yaml has no step 'depe'", "did you mean 'deep'?")),
        (("in/z", "--approve"), ("waits for nothing, it is of the type 'shell'", "steps that wait: ask, later, paid")),
        (("in", "--approve"), ("waits for nothing, it is of the type 'sub_recipe'", "steps that wait")),
        (("paid", "--reject"), ("waits for no approval, it waits for an event", "--event paid")),
        (("ask", "--event", "x"), ("waits for no event, it waits for an approval", "--approve or --reject")),
        (("later", "--approve"), ("waits for no approval, it waits for a time", "goes on by itself")),
    ],
)
def test_what_no_step_would_look_at_is_not_sent(
    project: Path, f0ci: Command, args: tuple[str, ...], words: tuple[str, str]
) -> None:
    write_files(project, {"recipes/waits.yaml": WAITS, "recipes/inner.yaml": INNER})
    assert f0ci(project, "run", "recipes/waits.yaml", "--run-id", "r", "--quiet").code == 5

    answer = f0ci(project, "runs", "send", "r", *args, "--later")

    assert answer.code == 2
    assert [word in answer.err for word in words] == [True, True]
    assert f0ci(project, "runs", "send", "r", "in/deep", "--approve", "--later").code == 0


@pytest.mark.parametrize("run", ["", "a b", "a\nb", "x" * 201, "\x1b[31mred", "nul\0"])
def test_an_id_that_cannot_be_told_is_refused(project: Path, f0ci: Command, run: str) -> None:
    answer = f0ci(project, "run", "recipes/given.yaml", "-p", "n=1", "--run-id", run, "--quiet")

    assert (answer.code, "is no id of a run" in answer.err) == (2, True)
    assert f0ci(project, "runs").err == "no runs\n"


def test_the_context_of_a_run_is_read_and_changed(project: Path, f0ci: Command) -> None:
    f0ci(project, "run", "recipes/asking.yaml", "--run-id", "r")

    assert f0ci(project, "context", "get", "r", "marks.a").out == '"A"\n'
    assert f0ci(project, "context", "set", "r", "limits.rows", "[500]", "--by", "ann").code == 0
    assert json.loads(f0ci(project, "context", "list", "r", "--format", "json").out) == {
        "marks.a": "A",
        "limits.rows": [500],
    }
    assert (
        f0ci(project, "context", "list", "r", "--format", "csv").out
        == "key,value\r\nmarks.a,A\r\nlimits.rows,[500]\r\n"
    )
    history = json.loads(f0ci(project, "context", "history", "r", "--format", "json").out)
    assert [(change["key"], change["step"], change["attempt"], change["who"]) for change in history] == [
        ("marks.a", "a", 1, "a"),
        ("limits.rows", None, None, "ann"),
    ]
    missing = f0ci(project, "context", "get", "r", "marks.aa")
    assert (missing.code, "did you mean 'marks.a'?" in missing.err) == (2, True)
    f0ci(project, "runs", "cancel", "r")
    assert f0ci(project, "context", "set", "r", "x", "1").code == 4


def test_a_waiting_run_is_cancelled(project: Path, f0ci: Command) -> None:
    f0ci(project, "run", "recipes/asking.yaml", "--run-id", "r")

    assert f0ci(project, "runs", "cancel", "r", "--reason", "wrong").out == "run r is cancelled\n"
    assert f0ci(project, "run", "--resume", "r", "--quiet").code == 1


@pytest.mark.parametrize(
    ("args", "output"),
    [
        (("recipes/given.yaml", "-p", "n=1", "-p", "s=a,b=c"), "2 a,b=c"),
        (("--recipe", "recipes/given.yaml", "--params", "n=41,s=a,b"), "42 a,b"),
        (("recipes/given.yaml", "--params", "n=1,s=x", "--only", "tell", "--debug"), "2 x"),
    ],
)
def test_parameters_and_the_original_runners_options(
    project: Path, f0ci: Command, args: tuple[str, ...], output: str
) -> None:
    answer = f0ci(project, "run", *args, "--continue-on-error", "--step-timeout", "9", "--max-retries", "1")

    assert answer.code == 0
    assert f"| {output}\n" in answer.out


def test_events_go_to_a_file(project: Path, f0ci: Command, tmp_path: Path) -> None:
    f0ci(project, "run", "recipes/given.yaml", "-p", "n=1", "--events", str(tmp_path / "events.jsonl"), "--quiet")

    events = [json.loads(line)["event"] for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert events == ["step_started", "step_ended"] * 2


def test_the_journal_can_lie_elsewhere(project: Path, f0ci: Command, tmp_path: Path) -> None:
    f0ci(project, "run", "recipes/given.yaml", "-p", "n=1", "--journal", str(tmp_path / "j/runs.sqlite"), "--quiet")

    assert not (project / ".f0ci").exists()
    assert "given" in f0ci(project, "runs", "--journal", str(tmp_path / "j/runs.sqlite")).out


def start(project: Path, *args: str) -> subprocess.Popen[str]:
    """Start f0ci as a process of its own."""
    # the tests themselves may run under nohup
    default = "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_DFL)"
    script = f"{default}; from f0ci.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", script, "-C", str(project), *args]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(condition: Any) -> None:
    """Wait until something holds; fail after a while."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.02)


def test_a_killed_run_goes_on_after_its_last_recorded_step(project: Path, f0ci: Command) -> None:
    process = start(project, "run", "recipes/long.yaml", "--run-id", "r")
    until(lambda: marks(project) == ["a", "hold"])
    taken = f0ci(project, "run", "--resume", "r")
    assert (taken.code, "is being carried on by another command" in taken.err) == (4, True)
    assert json.loads(f0ci(project, "runs", "--format", "json").out)["runs"][0]["state"] == "running"
    process.kill()
    process.communicate()
    assert json.loads(f0ci(project, "runs", "--format", "json").out)["runs"][0]["state"] == "stopped"

    # an edited recipe changes nothing for a run that was started
    (project / "recipes/long.yaml").write_text("metadata: {name: other}\nsteps: [{name: x, run: exit 1}]\n")
    (project / "gate").touch()
    assert f0ci(project, "run", "--resume", "r").code == 0
    assert marks(project) == ["a", "hold", "hold", "b"]


def test_an_interrupted_run_goes_on(project: Path, f0ci: Command) -> None:
    process = start(project, "run", "recipes/long.yaml", "--run-id", "r")
    until(lambda: marks(project) == ["a", "hold"])
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert (process.returncode, "f0ci run --resume r" in error) == (130, True)

    (project / "gate").touch()
    assert f0ci(project, "run", "--resume", "r").code == 0
    assert marks(project) == ["a", "hold", "hold", "b"]


def test_a_running_run_is_cancelled_from_elsewhere(project: Path, f0ci: Command) -> None:
    process = start(project, "run", "recipes/long.yaml", "--run-id", "r")
    until(lambda: marks(project) == ["a", "hold"])
    assert f0ci(project, "runs", "cancel", "r", "--reason", "wrong").out == "run r is told to end\n"
    output, _ = process.communicate(timeout=30)

    assert (process.returncode, "wrong" in output) == (1, True)
    assert json.loads(f0ci(project, "runs", "--format", "json").out)["runs"][0]["state"] == "cancelled"


def test_a_run_can_be_stayed_with(project: Path, f0ci: Command) -> None:
    process = start(project, "run", "recipes/asking.yaml", "--run-id", "r", "--wait", "30s")
    until(lambda: marks(project) == ["a"] and "waiting" in f0ci(project, "runs").out)
    f0ci(project, "runs", "send", "r", "ask", "--approve", "--by", "alice", "--later")
    output, error = process.communicate(timeout=30)

    assert process.returncode == 0, output + error
    assert marks(project) == ["a", "b"]


def test_a_full_disk_ends_the_run_with_a_hint_and_it_goes_on(project: Path, f0ci: Command) -> None:
    big = "metadata: {}\nsteps:\n  - {name: a, run: 'head -c 60000 /dev/urandom | base64'}\n" + "".join(
        f"  - {{name: b{number}, run: 'head -c 60000 /dev/urandom | base64'}}\n" for number in range(20)
    )
    write_files(project, {"recipes/big.yaml": big})
    f0ci(project, "run", "recipes/given.yaml", "-p", "n=1")
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000));"
        " from f0ci.cli import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", script, "-C", str(project), "run", "recipes/big.yaml", "--run-id", "r"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert answer.returncode == 3, answer.stderr
    assert "free space on its disk, then go on with `f0ci run --resume RUN`" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert f0ci(project, "run", "--resume", "r", "--quiet").code == 0


@pytest.mark.parametrize(
    ("recipe", "code", "words"),
    [
        ("steps: [{name: a, type: magic}]", 3, "there is no step type 'magic'"),
        ("steps: [{name: a, module: scriptlets.gone, function: f}]", 1, "there is no module 'scriptlets.gone'"),
        ("steps: [{name: a, module: scriptlets.needy, function: f}]", 1, "imports 'not_installed', which is missing"),
        ("steps: [{name: a, module: scriptlets.torn, function: f}]", 1, "SyntaxError"),
        (
            "steps: [{name: a, depends_on: [b], run: x}, {name: b, depends_on: [a], run: x}]",
            3,
            "steps wait for each other",
        ),
        ("parameters: [{name: n, type: integer}]\nsteps: [{name: a, run: x}]", 2, "is text, not a whole number"),
        (
            "parameters: [{name: n, validation: {pattern: '('}}]\nsteps: [{name: a, run: x}]",
            3,
            "the validation of parameter 'n' cannot be used",
        ),
        (
            "parameters: [{name: n}, {name: d, default: '#{config.x}'}]\nsteps: [{name: a, run: x}]",
            3,
            "the default of parameter 'd'",
        ),
        ("steps: [{name: a, type: http, args: {url: 'ftp://x'}}]", 1, "is no address to ask"),
        ("steps: [{name: a, run: x, timeout: soon}]", 1, "timeout is 'soon', not a number"),
    ],
)
def test_bad_input_is_told_with_its_exit_code(project: Path, f0ci: Command, recipe: str, code: int, words: str) -> None:
    write_files(
        project,
        {
            "recipes/bad.yaml": f"metadata: {{name: bad}}\n{recipe}\n",
            "scriptlets/needy.py": "import not_installed\n",
            "scriptlets/torn.py": "def f(:\n",
        },
    )
    given = ("-p", "n=many") if "parameters" in recipe else ()

    answer = f0ci(project, "run", "recipes/bad.yaml", *given)

    assert answer.code == code
    assert words in answer.out + answer.err
    assert "Traceback" not in answer.out + answer.err


def test_what_json_has_no_word_for_becomes_text(project: Path, f0ci: Command) -> None:
    write_files(
        project,
        {"recipes/odd.yaml": "metadata: {}\nsteps: [{name: odd, module: scriptlets.marks, function: Odd}]\n"},
    )

    answer = f0ci(project, "run", "recipes/odd.yaml", "--format", "json")

    outputs = json.loads(answer.out)["steps"][0]["outputs"]
    assert outputs["odd"] == "<class 'scriptlets.marks.Odd'>"
    assert outputs["set"] == [1]


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        ((), 2, "a run needs a recipe, or --resume RUN"),
        (("recipes/given.yaml", "--resume", "r"), 2, "a run needs a recipe, or --resume RUN"),
        (("recipes/given.yaml", "--recipe", "x"), 2, "the recipe is given twice"),
        (("--resume", "r"), 3, "there is no journal"),
        (("--resume", "r", "--only", "a"), 2, "keeps its own --only"),
        (("recipes/given.yaml", "-p", "n=1", "--from", "tel"), 2, "--from names 'tel'"),
        (("recipes/given.yaml", "-p", "m=1"), 2, "has no parameter 'm'"),
        (("recipes/given.yaml", "-p", "m=1", "--dry-run"), 2, "has no parameter 'm'"),
        (("recipes/given.yaml", "-p", "n=["), 2, "parameter 'n': not valid YAML"),
        (("recipes/given.yaml", "-p", "n"), 2, "'n' is not a parameter"),
        (("recipes/given.yaml", "-p", "n=1", "--journal", "f0ci.yaml"), 3, "is not a database"),
        (("recipes/given.yaml", "-p", "n=1", "--events", "/nowhere/x"), 3, "cannot write events"),
    ],
)
def test_wrong_usage(project: Path, f0ci: Command, args: tuple[str, ...], code: int, words: str) -> None:
    args = tuple(str(project / "f0ci.yaml") if arg == "f0ci.yaml" else arg for arg in args)
    answer = f0ci(project, "run", *args)

    assert (answer.code, words in answer.err) == (code, True)


def test_a_journal_of_a_newer_version_is_refused(project: Path, f0ci: Command) -> None:
    f0ci(project, "run", "recipes/given.yaml", "-p", "n=1")
    import sqlite3

    connection = sqlite3.connect(project / ".f0ci/runs/journal.sqlite")
    connection.execute("PRAGMA user_version = 9")
    connection.close()

    answer = f0ci(project, "runs")
    assert (answer.code, "has version 9, this f0ci knows up to 1" in answer.err) == (3, True)


def test_a_scriptlet_is_made_with_its_test_and_recipe(project: Path, f0ci: Command) -> None:
    answer = f0ci(project, "init", "scriptlet", "LoadNumbers")
    assert answer.code == 0
    assert "wrote recipes/load_numbers.yaml" in answer.out

    assert f0ci(project, "validate", "--fail-on", "note").code == 0
    assert f0ci(project, "run", "recipes/load_numbers.yaml", "-p", "name=Ada").code == 0
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    environ = {**os.environ, "PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(tests, cwd=project, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert "2 passed" in ran.stdout, ran.stdout

    again = f0ci(project, "init", "scriptlet", "load-numbers")
    assert (again.code, "there is a file 'scriptlets/load_numbers.py' already" in again.err) == (3, True)
    assert f0ci(project, "init", "scriptlet", "5ive").code == 2
    assert f0ci(project, "init", "script", "five").code == 2


def test_the_progress_on_a_terminal_is_a_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    from f0ci.cli.progress import _Tree
    from f0ci.core.outcome import Outcome
    from f0ci.runner.events import StepEnded, StepSkipped, StepStarted, StepWaiting

    monkeypatch.delenv("NO_COLOR", raising=False)
    tree = _Tree("recipes/r.yaml")
    for name in ("a", "call", "call/b"):
        tree.tell(StepStarted(name, "shell", None))  # type: ignore[arg-type]
    tree.tell(StepEnded("a", Outcome.FAILED, 2, 1.5, "no [rows]"))
    tree.tell(StepSkipped("c", "never"))
    tree.tell(StepWaiting("d", "for an approval", None))
    console = Console(record=True, width=100, file=io.StringIO())
    console.print(tree)
    text = console.export_text()

    assert "a 1.5 s, 2 tries: no [rows]" in text
    lines = {line.lstrip("│├└─ ").split()[1]: line for line in text.splitlines()[1:]}
    indent = {name: len(line) - len(line.lstrip("│├└─ ")) for name, line in lines.items()}
    assert indent["b"] > indent["call"] == indent["a"]
    assert "for an approval" in text


def test_a_waiting_run_with_a_secret_goes_on_where_it_is_told(tmp_path: Path, f0ci: Command) -> None:
    recipe = (
        "metadata: {name: r}\nparameters: [{name: token, required: true, sensitive: true}]\nsteps:\n"
        "  - {name: ask, type: wait, args: {approval: {by: [alice]}}}\n"
        "  - {name: use, run: 'test \"$T\" = hunter22', env: {T: '#{params.token}'}, depends_on: [ask]}\n"
    )
    write_files(tmp_path, {"recipes/r.yaml": recipe})
    assert f0ci(tmp_path, "run", "recipes/r.yaml", "--run-id", "r", "-p", "token=hunter22").code == 5

    without = f0ci(tmp_path, "runs", "send", "r", "ask", "--approve", "--by", "alice")
    assert without.code == 3
    assert "it is recorded, so it need not be sent again" in without.err
    assert len(json.loads(f0ci(tmp_path, "runs", "show", "r", "--format", "json").out)["signals"]) == 1

    told = f0ci(tmp_path, "run", "--resume", "r", "-p", "token=hunter22")

    assert told.code == 0
    assert "hunter22" not in told.out + told.err


def test_a_secret_that_is_a_key_of_the_context_stands_nowhere(
    tmp_path: Path, f0ci: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("F0CI_SECRET_DB", "hunter22")
    scriptlet = (
        "def keep(context, params):\n    context.set(params['s'], 1, who=params['s'])\n    return {}\n"
        "def use(context, params):\n    return {'known': context.get('hunter' + '22')}\n"
    )
    recipe = (
        "metadata: {name: r}\nsteps:\n"
        "  - {name: keep, type: python, module: scriptlets.keep, function: keep, args: {s: secret://db}}\n"
        "  - {name: ask, type: wait, args: {approval: {by: [alice]}}, depends_on: [keep]}\n"
        "  - {name: use, type: python, module: scriptlets.keep, function: use, depends_on: [ask]}\n"
    )
    write_files(tmp_path, {"recipes/r.yaml": recipe, "scriptlets/keep.py": scriptlet})
    assert f0ci(tmp_path, "run", "recipes/r.yaml", "--run-id", "r").code == 5

    told = [f0ci(tmp_path, "context", *words) for words in (("list", "r"), ("history", "r"))]
    files = [file for file in (tmp_path / ".f0ci/runs").rglob("*") if file.is_file()]
    leaks = [file.name for file in files if b"hunter22" in file.read_bytes()]
    done = f0ci(tmp_path, "runs", "send", "r", "ask", "--approve", "--by", "alice", "--format", "json")

    assert all("***" in answer.out and "hunter22" not in answer.out for answer in told)
    assert not leaks
    assert done.data["steps"][-1]["outputs"]["known"] == 1


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that is over and not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked at in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
@pytest.mark.parametrize("kind", ["shell", "python"])
def test_what_a_step_started_ends_with_f0ci(project: Path, number: signal.Signals, kind: str) -> None:
    wait = "sleep 600 & echo $! $$ > begun; mv begun pids; wait"
    body = f"run: '{wait}'"
    if kind == "python":
        body = f"module: scriptlets.marks, function: spawn, isolation: process, args: {{command: '{wait}'}}"
    write_files(project, {"recipes/wait.yaml": f"metadata: {{}}\nsteps: [{{name: a, {body}}}]\n"})
    process = start(project, "run", "recipes/wait.yaml", "--run-id", "r", "--quiet")
    pids = project / "pids"
    until(pids.exists)
    process.send_signal(number)
    process.communicate(timeout=60)

    assert process.returncode == (130 if number != signal.SIGKILL else -number)
    until(lambda: not any(alive(int(pid)) for pid in pids.read_text().split()))


def test_a_small_recipe_imports_little(tmp_path: Path) -> None:
    write_files(tmp_path, {"f0ci.yaml": "version: 1\n", "recipes/a.yaml": "name: a\nsteps: [{name: a, run: 'true'}]\n"})
    script = (
        "import sys\n"
        "from f0ci.cli.boundary import run\n"
        "code = run(['run', 'recipes/a.yaml', '--quiet'])\n"
        "print(code, *sorted(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    code, *modules = done.stderr.splitlines()[-1].split()
    assert code == "0"
    heavy = {
        "jinja2",
        "requests",
        "git",
        "rich",
        "jsonschema",
        "jsonschema_rs",
        "asyncio",
        "concurrent.futures",
        "traceback",
    }
    later = {"environments.model", "source.misfits", "runner.planning"}
    assert set(modules) & (heavy | {f"f0ci.{name}" for name in later}) == set()


def test_a_recipe_that_reads_the_configuration_without_an_environment_says_what_is_missing(
    tmp_path: Path, f0ci: Command
) -> None:
    recipe = "metadata: {name: r}\nsteps:\n  - {name: a, run: 'echo $X', env: {X: '#{config.greeting.team}'}}\n"
    write_files(tmp_path, {"recipes/r.yaml": recipe})

    answer = f0ci(tmp_path, "run", "recipes/r.yaml", "--quiet")

    assert answer.code == 1
    assert "'config' is empty: no environment was named (-e dev), or it configures nothing" in answer.out


def test_the_list_of_runs_leaves_out_what_none_of_them_has(project: Path, f0ci: Command) -> None:
    assert f0ci(project, "run", "recipes/asking.yaml", "--run-id", "ship-1", "--quiet").code == 5
    headings, row = f0ci(project, "runs").out.splitlines()

    assert headings.split() == ["run", "recipe", "state", "started", "seconds", "message"]
    assert row.split()[:3] == ["ship-1", "recipes/asking.yaml", "waiting"]
    assert f0ci(project, "runs", "--format", "json").data["runs"][0]["promotion"] is None
