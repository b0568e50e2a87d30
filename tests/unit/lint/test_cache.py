"""A run that remembers finds what a run that looks at everything finds, whatever happened in between."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.recipe_sets import make_set
from f0ci.commands.validating import Validation, validate
from f0ci.core.errors import F0ciError
from f0ci.lint import cache as caching
from f0ci.lint.cache import ABOVE, default_folder
from f0ci.lint.workspace import Workspace
from f0ci.source import asking, traced
from tests.conftest import rounds, write_files

_SCRIPTLET = b"class Load:\n    def run(self, context):\n        return 0\n"
_PYTHON = b"""metadata: {name: code}
steps:
  - name: load
    type: python
    module: jobs.load
    function: Load
  - name: call
    type: sub_recipe
    recipe_path: called.yaml
    parameters: {source: a, colour: red}
    depends_on: [load]
"""
_CALLED = b"metadata: {name: called}\nparameters:\n  - {name: source, type: string, required: true}\nsteps: []\n"


def _files() -> dict[str, bytes]:
    files = dict(make_set(6, seed=3, faulty=0.4).files)
    return files | {
        "recipes/code.yaml": _PYTHON,
        "recipes/called.yaml": _CALLED,
        "jobs/__init__.py": b"",
        "jobs/load.py": _SCRIPTLET,
        "f0ci.yaml": b"rules: {ignore: [duplicate-idx]}\n",
    }


def _said(run: Callable[[], Validation]) -> object:
    """Return everything that a run says, or the error that it ends with."""
    try:
        result = run()
    except F0ciError as error:
        return (type(error).__name__, error.message, error.hint, error.place)
    return (result.diagnostics, result.summary, result.summary.checked)


def _edit(root: Path, source: random.Random) -> None:
    """Change one thing, as people and tools do."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    path = source.choice(files)
    match source.randrange(9):
        case 0:
            path.unlink()
        case 1:
            path.rename(path.with_name(f"{source.choice('abc')}{path.name}"))
        case 2:
            lines = path.read_bytes().splitlines(keepends=True)
            del lines[source.randrange(len(lines) + 1) :][:1]
            path.write_bytes(b"".join(lines))
        case 3:
            words = source.choice((b"rows row cows", b"required default", b"source colour", b"type name")).split()
            path.write_bytes(path.read_bytes().replace(words[0], source.choice(words)))
        case 4:
            # the same size and the same times, another text
            state = path.stat()
            path.write_bytes(path.read_bytes().swapcase())
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        case 5:
            (root / "recipes" / f"new{source.randrange(3)}.yaml").write_bytes(source.choice((_PYTHON, _CALLED)))
        case 6:
            text = source.choice((b"rules: {ignore: [unknown-parameter]}\n", b"recipes: [recipes/billing]\n", b"{}\n"))
            write_files(root, {"f0ci.yaml": text})
        case 7:
            text = source.choice((b"class Other:\n    def run(self): ...\n", _SCRIPTLET, b"def Load(: ..."))
            write_files(root, {source.choice(("jobs/load.py", "jobs/other.py")): text})
        case _:
            text = source.choice((b"processing: {}\n", b"a: [\n", b"storage: {bucket: b, region: 1}\n"))
            write_files(root, {f"environments/{source.choice(('dev', 'prod', 'extra'))}/config.yaml": text})


@settings(max_examples=rounds(8, 300), suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_random_edits_never_make_a_difference(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    source = random.Random(seed)
    root, folder = tmp_path_factory.mktemp("edited"), tmp_path_factory.mktemp("cache")
    write_files(root, _files())
    for _ in range(6):
        for _ in range(source.randrange(3)):
            _edit(root, source)
        there = sorted(path for path in root.rglob("*") if path.is_dir() or path.suffix == ".yaml")
        named = source.sample(there, min(len(there), source.choice((0, 0, 1, 2))))
        run = partial(validate, root, named, strict=source.random() < 0.2)
        with pytest.MonkeyPatch.context() as clock:
            if source.random() < 0.5:
                # files look old enough for what the disk says of them to be trusted
                clock.setattr(traced, "_GRAIN_NS", -(10**10))
            # so few files are read by helpers as well
            clock.setattr(asking, "_WORTH_A_HELPER", 5)
            clock.setattr(asking, "_CHUNK", 2)
            # where tests share the work, a thread waits for messages: it holds nothing that a helper needs
            clock.setattr(asking, "can_fork", lambda: hasattr(os, "fork") and sys.platform != "darwin")

            assert _said(partial(run, jobs=source.choice((1, 2)), cache=folder)) == _said(run)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the files that are examined."""
    found: list[str] = []
    real = Workspace.read

    def noting(self: Workspace, path: str) -> object:
        found.append(path)
        return real(self, path)

    monkeypatch.setattr(Workspace, "read", noting)
    return found


def test_only_what_changed_and_what_rests_on_it_is_examined(tmp_path: Path, read: list[str]) -> None:
    root, folder = tmp_path / "root", tmp_path / "cache"
    write_files(root, _files())
    first = validate(root, cache=folder)
    assert "recipes/code.yaml" in read
    read.clear()

    assert validate(root, cache=folder).diagnostics == first.diagnostics
    assert read == []

    write_files(root, {"recipes/called.yaml": _CALLED.replace(b"source", b"origin")})
    second = validate(root, cache=folder)

    assert read == ["recipes/called.yaml", "recipes/code.yaml"]
    assert second.diagnostics != first.diagnostics
    read.clear()
    write_files(root, {"jobs/load.py": b"class Other:\n    def run(self): ...\n"})
    third = validate(root, cache=folder)

    assert read == ["recipes/code.yaml"]
    assert "function-missing" in {one.rule for one in third.diagnostics}


def test_callers_are_examined_where_they_can_tell_the_difference(tmp_path: Path, read: list[str]) -> None:
    root, folder = tmp_path / "root", tmp_path / "cache"
    called = _CALLED.replace(b"steps: []", b"steps: [{name: say, run: echo}]")
    fair = _PYTHON.replace(b", colour: red", b"")
    write_files(root, {**_files(), "recipes/called.yaml": called, "recipes/fair.yaml": fair})
    validate(root, cache=folder)
    read.clear()

    # one gives 'colour', which is not declared: the finding says where it is read, if it is
    write_files(root, {"recipes/called.yaml": called.replace(b"echo", b"echo, env: {C: '#{params.colour}'}")})
    found = validate(root, cache=folder)
    assert read == ["recipes/called.yaml", "recipes/code.yaml"]
    assert "though it reads it" in str(found.diagnostics)
    assert found.diagnostics == validate(root).diagnostics
    read.clear()

    write_files(root, {"recipes/called.yaml": called.replace(b"required: true", b"default: a")})
    found = validate(root, cache=folder)
    assert read == ["recipes/called.yaml", "recipes/code.yaml", "recipes/fair.yaml"]
    assert found.diagnostics == validate(root).diagnostics


def test_a_called_recipe_that_breaks_or_goes_is_told_to_its_callers(tmp_path: Path, read: list[str]) -> None:
    root, folder = tmp_path / "root", tmp_path / "cache"
    fair = _PYTHON.replace(b", colour: red", b"")
    called = _CALLED.replace(b"required: true", b"default: 1")
    write_files(root, {**_files(), "recipes/called.yaml": called, "recipes/code.yaml": fair})
    for text in (_CALLED, b"steps: [", None, _CALLED, b"just: data\n", b"kind: Pod\n", _CALLED):
        if text is None:
            (root / "recipes" / "called.yaml").unlink()
        else:
            write_files(root, {"recipes/called.yaml": text})
        read.clear()

        found = validate(root, cache=folder)

        assert "recipes/code.yaml" in read
        assert found.diagnostics == validate(root).diagnostics


@pytest.mark.parametrize("another", [{}, {"recipes/lib/another.yaml": "another caller draws the conclusion"}])
def test_a_run_about_the_called_recipe_alone_leaves_nothing_stale(
    tmp_path: Path, read: list[str], another: dict[str, str]
) -> None:
    root, folder = tmp_path / "root", tmp_path / "cache"
    fair = _PYTHON.replace(b", colour: red", b"").replace(b"called.yaml", b"recipes/lib/called.yaml")
    callers = dict.fromkeys(("recipes/code.yaml", *another), fair)
    write_files(root, {**callers, "recipes/lib/called.yaml": _CALLED})
    validate(root, cache=folder)

    write_files(root, {"recipes/lib/called.yaml": _CALLED.replace(b"source", b"origin")})
    read.clear()
    validate(root, [root / "recipes" / "lib"], cache=folder)
    assert set(read) == {"recipes/lib/called.yaml", *another}
    read.clear()
    found = validate(root, cache=folder)

    assert read == ["recipes/code.yaml"]
    assert found.diagnostics == validate(root).diagnostics


def test_what_is_a_recipe_only_where_it_is_named_is_one_for_its_callers_then(tmp_path: Path) -> None:
    root, folder = tmp_path / "root", tmp_path / "cache"
    caller = "metadata: {name: a}\nsteps:\n  - {name: b, type: sub_recipe, recipe_path: other/b.yaml}\n"
    write_files(root, {"f0ci.yaml": "recipes: [recipes]\n", "recipes/a.yaml": caller, "other/b.yaml": "steps: [x]\n"})
    both = [root / "other" / "b.yaml", root / "recipes"]

    for named in ([], both, [], both[1:], both, both[:1], [], both, [root / "other"], []):
        assert _said(partial(validate, root, named, cache=folder)) == _said(partial(validate, root, named))


def test_files_that_are_only_touched_are_known_by_their_stamps_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traced, "_GRAIN_NS", -(10**10))
    root, folder = tmp_path / "root", tmp_path / "cache"
    write_files(root, _files())
    validate(root, cache=folder)
    for path in root.rglob("*.yaml"):
        os.utime(path, (1, 1))
    validate(root, cache=folder)
    asked: list[str] = []

    def ask(tree: traced.TracedTree, questions: list[str], *_options: object) -> None:
        asked.extend(questions)
        tree.ask(questions)

    monkeypatch.setattr(caching, "ask_again", ask)

    validate(root, cache=folder)

    assert asked
    assert [question for question in asked if question.startswith("r")] == []


def test_what_changes_under_a_worker_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, folder = tmp_path / "root", tmp_path / "cache"
    write_files(root, _files())
    real = Workspace.read

    def read(self: Workspace, path: str) -> object:
        # somebody writes while rules look at the file
        found = real(self, path)
        if path == "recipes/code.yaml":
            (root / path).write_bytes(_PYTHON + b"# another\n")
            self.tree.read(path)
        return found

    with monkeypatch.context() as busy:
        busy.setattr(Workspace, "read", read)
        validate(root, jobs=2, cache=folder)

    assert not folder.exists()


def test_a_named_file_uses_what_the_whole_run_found_and_leaves_it(tmp_path: Path, read: list[str]) -> None:
    root, folder = tmp_path / "root", tmp_path / "cache"
    write_files(root, _files())
    whole = validate(root, cache=folder)
    read.clear()

    named = validate(root, [root / "recipes" / "billing"], cache=folder)
    again = validate(root, cache=folder)

    assert read == []
    assert again.diagnostics == whole.diagnostics
    assert named.diagnostics == validate(root, [root / "recipes" / "billing"]).diagnostics


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:0],
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw.replace(b"unknown", b"unknowm"),
        lambda raw: raw[:64] + b"\n[]",
        lambda raw: bytes(reversed(raw)),
    ],
)
def test_a_damaged_index_counts_as_none(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    root, folder = tmp_path / "root", tmp_path / "cache"
    write_files(root, _files())
    first = validate(root, cache=folder)
    (index,) = folder.iterdir()
    whole = index.read_bytes()
    index.write_bytes(damage(whole))

    assert validate(root, cache=folder).diagnostics == first.diagnostics
    assert json.loads(index.read_bytes()[65:]).keys() == json.loads(whole[65:]).keys()


def test_a_failure_of_f0ci_itself_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, folder = tmp_path / "root", tmp_path / "cache"
    write_files(root, _files())
    with monkeypatch.context() as broken:

        def fail(*_: object) -> Iterator[object]:
            raise RuntimeError("no memory")

        broken.setattr("f0ci.lint.rules.duplicate_step_name.check_recipe", fail)
        assert "internal-error" in {one.rule for one in validate(root, cache=folder).diagnostics}

    assert "internal-error" not in {one.rule for one in validate(root, cache=folder).diagnostics}


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, _files())
    (tmp_path / "file").write_bytes(b"")

    found = validate(root, cache=tmp_path / "file" / "cache")

    assert found.diagnostics == validate(root).diagnostics


def test_a_change_of_the_program_or_of_what_is_installed_starts_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: list[str]
) -> None:
    root, folder = tmp_path / "root", tmp_path / "cache"
    write_files(root, _files())
    validate(root, cache=folder)
    for name, value in (("__version__", "99"), ("distributions", lambda: ("pyyaml-9.dist-info",))):
        read.clear()
        monkeypatch.setattr(caching, name, value)
        validate(root, cache=folder)
        assert read


def test_rules_of_other_people_are_always_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "is_extended", lambda: True)
    root, folder = tmp_path / "root", tmp_path / "cache"
    write_files(root, _files())

    validate(root, cache=folder)

    assert not folder.exists()


def test_runs_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    root, folder = tmp_path / "root", tmp_path / "cache"
    write_files(root, _files())
    expected = validate(root).diagnostics
    found: list[object] = []

    def work() -> None:
        found.extend(validate(root, cache=folder).diagnostics == expected for _ in range(3))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [True] * 12
    assert [path.name[:9] for path in folder.iterdir()] == ["validate-"]


def test_an_index_that_nobody_used_for_a_month_is_removed(tmp_path: Path) -> None:
    root, folder = tmp_path / "root", tmp_path / "cache"
    write_files(root, _files())
    write_files(folder, {"validate-old.json": b"", "other": b""})
    for name in ("validate-old.json", "other"):
        os.utime(folder / name, (0, 0))

    validate(root, cache=folder)

    assert not (folder / "validate-old.json").exists()
    assert (folder / "other").exists()


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="the folder of Linux and its kin")
def test_the_folder_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_folder() == tmp_path / "xdg" / "f0ci"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".cache" / "f0ci"


def test_every_file_that_is_opened_was_asked_for_through_the_tree(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, _files())
    opened: set[str] = set()
    is_watched = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if is_watched and event in {"open", "os.listdir", "os.scandir"} and str(arguments[0]).startswith(f"{root}/"):
            opened.add(str(arguments[0]).removeprefix(f"{root}/"))

    # a hook stays for the life of the process, and is deaf after this test
    sys.addaudithook(watch)
    try:
        validate(root, cache=tmp_path / "cache")
    finally:
        is_watched = False
    (index,) = (tmp_path / "cache").iterdir()
    asked = {question[1:] for question in json.loads(index.read_bytes()[65:])["questions"]}

    files = {path for path in opened if (root / path).is_file()}
    assert files
    assert files <= asked


def test_no_rule_needs_code_whose_changes_the_index_does_not_see() -> None:
    """What layers above offer is known to rules by name; were one imported, its text would have to be looked at."""
    program = """
import sys
from pathlib import Path
from f0ci.lint import registry
from f0ci.lint.engine import lint
from f0ci.lint.workspace import load_workspace
from f0ci.source.project import load_project
from f0ci.source.tree import DirectoryTree
tree = DirectoryTree(Path())
lint(load_workspace(tree, load_project(tree)))
for name in registry.names():
    registry.module(name)
print(*sorted(name for name in sys.modules if name.startswith("f0ci.")))
"""
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    imported = done.stdout.split()

    assert "f0ci.lint.rules.unknown_plugin" in imported
    assert [name for name in imported if name.split(".")[1] in ABOVE] == []


def test_what_nobody_asks_any_more_leaves_the_index(tmp_path: Path) -> None:
    root, folder = tmp_path / "root", tmp_path / "cache"
    write_files(root, _files())
    validate(root, cache=folder)
    (index,) = folder.iterdir()
    first = json.loads(index.read_bytes()[65:])
    write_files(root, {"recipes/called.yaml": _CALLED + b"# changed\n"})
    validate(root, cache=folder)
    changed = json.loads(index.read_bytes()[65:])
    (root / "recipes" / "code.yaml").unlink()
    validate(root, cache=folder)
    last = json.loads(index.read_bytes()[65:])

    assert changed["questions"] == first["questions"]
    assert "rjobs/load.py" in first["questions"]
    assert set(first["questions"]) - set(last["questions"]) >= {"rjobs/load.py", "rrecipes/code.yaml"}
    assert "recipes/code.yaml" not in last["files"]
