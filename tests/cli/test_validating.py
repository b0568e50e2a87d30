"""`f0ci validate`: what it prints where, which files it looks at, and what it leaves out."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from f0ci.core.plugins import own_names
from f0ci.lint.reporters.base import FOLDER
from tests.cli.conftest import Command
from tests.conftest import git, write_files

GOOD = "metadata: {name: good}\nsteps: [{name: a, run: x}]\n"
BAD = "metadata: {name: bad}\nsteps:\n  - {name: a, run: x, depends_on: [b], colour: red}\n"
FORMATS = {"text", "json", "github", "sarif", "gitlab", "junit"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a repository's folder with a recipe in order and one with an error and a warning."""
    root = tmp_path / "project"
    write_files(root, {"f0ci.yaml": "version: 1\n", "recipes/good.yaml": GOOD, "recipes/bad.yaml": BAD})
    return root


def test_every_format_is_a_choice_and_text_is_the_default(folder: Path, f0ci: Command) -> None:
    said = f0ci(folder, "validate", "--help").out

    assert set(own_names(FOLDER)) == FORMATS
    assert "[text|github|gitlab|json|junit|sarif]" in "".join(said.split())
    assert f0ci(folder, "validate").out == f0ci(folder, "validate", "--format", "text").out


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_is_printed(folder: Path, f0ci: Command, name: str) -> None:
    answer = f0ci(folder, "validate", "--format", name)

    assert answer.code == 1
    assert "unknown-dependency" in answer.out
    assert answer.err == ""


def test_a_ci_system_does_not_change_the_format(folder: Path, f0ci: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = f0ci(folder, "validate").out
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    assert f0ci(folder, "validate").out == plain


def test_a_report_is_written_to_a_file(folder: Path, f0ci: Command) -> None:
    answer = f0ci(folder, "validate", "--format", "sarif", "-o", "reports/f0ci.sarif")

    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "2 findings written to 'reports/f0ci.sarif'\n"
    log = json.loads((folder / "reports/f0ci.sarif").read_text(encoding="utf-8"))
    assert [one["ruleId"] for one in log["runs"][0]["results"]] == ["unknown-dependency", "unknown-key"]
    assert list((folder / "reports").iterdir()) == [folder / "reports/f0ci.sarif"]


def test_a_report_that_cannot_be_written_is_told(folder: Path, f0ci: Command) -> None:
    answer = f0ci(folder, "validate", "-o", "f0ci.yaml/report")

    assert answer.code == 3
    assert "cannot write" in answer.err


def test_statistics_follow_the_report(folder: Path, f0ci: Command) -> None:
    write_files(folder, {"recipes/worse.yaml": BAD})
    answer = f0ci(folder, "validate", "--statistics")

    assert answer.out.splitlines()[-3:] == [
        "count  severity  rule",
        "2      error     unknown-dependency",
        "2      warning   unknown-key",
    ]


def test_statistics_leave_what_programs_read_alone(folder: Path, f0ci: Command) -> None:
    answer = f0ci(folder, "validate", "--statistics", "--format", "json")

    assert len(json.loads(answer.out)["diagnostics"]) == 2
    assert answer.err == "1 error unknown-dependency\n1 warning unknown-key\n"
    assert f0ci(folder, "validate", "--statistics", "recipes/good.yaml").out.count("\n") == 1


def test_a_baseline_leaves_only_what_is_new(folder: Path, f0ci: Command) -> None:
    made = f0ci(folder, "validate", "--write-baseline", "known.json")
    assert (made.code, made.out) == (0, "")
    assert made.err == "2 findings are known now, in 'known.json'\n"

    same = f0ci(folder, "validate", "--baseline", "known.json")
    assert same.code == 0
    assert "nothing to report" in same.out
    assert same.err == "2 findings known from 'known.json' left out\n"

    write_files(folder, {"recipes/bad.yaml": f"# moved\n\n{BAD}  - {{name: c, run: x, color: red}}\n"})
    more = f0ci(folder, "validate", "--baseline", "known.json", "--fail-on", "warning")
    assert more.code == 1
    assert "'color'" in more.out
    assert "'colour'" not in more.out
    assert more.out.endswith("3 files checked: 1 warning\n")

    write_files(folder, {"recipes/bad.yaml": GOOD})
    mended = f0ci(folder, "validate", "--baseline", "known.json")
    assert mended.err == "2 findings of 'known.json' no longer there; write it anew to forget them\n"


def test_a_baseline_that_is_not_there_is_told(folder: Path, f0ci: Command) -> None:
    answer = f0ci(folder, "validate", "--baseline", "none.json")

    assert answer.code == 3
    assert "--write-baseline" in answer.err
    assert f0ci(folder, "validate", "--baseline", "a", "--write-baseline", "b").code == 2


def test_patterns_name_files(folder: Path, f0ci: Command) -> None:
    write_files(folder, {"recipes/deep/er/bad.yaml": BAD})

    assert "3 files" not in f0ci(folder, "validate", "recipes/*.yaml").out
    assert f0ci(folder, "validate", "recipes/g*.yaml").out.startswith("1 file checked")
    assert "recipes/deep/er/bad.yaml" in f0ci(folder, "validate", "recipes/**/b*.yaml").out
    missed = f0ci(folder, "validate", "recipes/x*.yaml")
    assert missed.code == 3
    assert "nothing matches" in missed.err


def test_a_name_with_brackets_is_a_name(folder: Path, f0ci: Command) -> None:
    write_files(folder, {"recipes/a[1].yaml": BAD})

    assert "recipes/a[1].yaml" in f0ci(folder, "validate", "recipes/a[1].yaml").out


def from_stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))


def test_a_text_on_stdin_stands_for_a_file(folder: Path, f0ci: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from_stdin(monkeypatch, BAD)
    answer = f0ci(folder, "validate", "-", "--stdin-filename", "recipes/good.yaml")

    assert answer.code == 1
    assert "recipes/good.yaml:3:36: error[unknown-dependency]" in answer.out
    assert "recipes/bad.yaml" not in answer.out
    assert (folder / "recipes/good.yaml").read_text(encoding="utf-8") == GOOD


def test_a_text_on_stdin_may_be_new(folder: Path, f0ci: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from_stdin(
        monkeypatch, "metadata: {name: n}\nsteps: [{name: a, type: sub_recipe, recipe_path: recipes/good.yaml}]\n"
    )
    answer = f0ci(folder, "validate", "-", "--stdin-filename", "recipes/new/new.yaml")

    assert (answer.code, answer.out) == (0, "1 file checked: nothing to report\n")


@pytest.mark.parametrize("args", [("-",), ("--stdin-filename", "recipes/good.yaml")])
def test_a_text_needs_a_name_and_a_name_a_text(folder: Path, f0ci: Command, args: tuple[str, ...]) -> None:
    answer = f0ci(folder, "validate", *args)

    assert answer.code == 2
    assert "go together" in answer.err


def test_what_git_ignores_is_left_out_unless_it_is_named(folder: Path, f0ci: Command) -> None:
    git(folder, "init", "-q")
    write_files(folder, {".gitignore": "out/\n", "out/recipes/bad.yaml": BAD, "recipes/bad.yaml": GOOD})

    assert f0ci(folder, "validate").out == "3 files checked: nothing to report\n"
    assert f0ci(folder, "validate", "out").code == 1
    assert f0ci(folder, "validate", "out/recipes/bad.yaml").code == 1


def test_what_is_not_needed_is_not_imported(tmp_path: Path) -> None:
    """Detectors of secrets cost a quarter of a second: only a suspicion is worth it, and a suspicion is enough."""
    import subprocess
    import sys

    write_files(tmp_path, {"f0ci.yaml": "version: 1\n", "recipes/good.yaml": GOOD})
    program = "import sys; from f0ci.cli.boundary import run; run(['-C', sys.argv[1], 'validate']); "
    program += "print('detect_secrets' in sys.modules, 'watchfiles' in sys.modules)"
    command = [sys.executable, "-c", program, str(tmp_path)]
    calm = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    write_files(tmp_path, {"environments/dev/config.yaml": "url: 'postgres://loader:hK3vTq81@db.shop.com/x'\n"})
    alarmed = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert calm.endswith("nothing to report\nFalse False\n")
    assert "error[plain-text-secret] this holds a secret: Basic Auth Credentials" in alarmed
    assert "hK3vTq81" not in alarmed
    assert alarmed.endswith("True False\n")


def test_the_name_of_a_group_lists_its_rules(tmp_path: Path, f0ci: Command) -> None:
    graph = f0ci(tmp_path, "explain", "graph")
    every = f0ci(tmp_path, "explain")
    lines = graph.out.splitlines()

    assert lines[0].split() == ["rule", "group", "severity", "what", "it", "finds"]
    assert {line.split()[1] for line in lines[1:]} == {"graph"}
    assert "Steps wait for each other in a circle." in next(
        line for line in lines if line.startswith("dependency-cycle ")
    )
    assert len(every.out.splitlines()) == 1 + len(own_names("f0ci.lint.rules"))
    assert f0ci(tmp_path, "explain", "grpah").code == 2
    assert "did you mean 'graph'?" in f0ci(tmp_path, "explain", "grpah").err


def test_pages_and_lists_are_there_for_programs(tmp_path: Path, f0ci: Command) -> None:
    page = json.loads(f0ci(tmp_path, "explain", "dependency-cycle", "--format", "json").out)
    rules = json.loads(f0ci(tmp_path, "explain", "graph", "--format", "json").out)

    assert (page["rule"], page["group"], page["severity"]) == ("dependency-cycle", "graph", "error")
    assert page["page"] == f0ci(tmp_path, "explain", "dependency-cycle").out.rstrip()
    assert {"rule", "group", "severity", "summary"} == set(rules[0])


def test_a_folder_of_templates_can_be_named(tmp_path: Path, f0ci: Command) -> None:
    write_files(tmp_path, {"templates/a.conf.j2": "{{ overlay }}\n", "recipes/a.yaml": GOOD})

    answer = f0ci(tmp_path, "validate", str(tmp_path / "templates"))
    assert (answer.code, answer.err) == (0, "")

    write_files(tmp_path, {"templates/a.conf.j2": "{{ overlya }}\n"})
    answer = f0ci(tmp_path, "validate", str(tmp_path / "templates"))
    assert answer.code == 1
    assert "templates/a.conf.j2:1:4: error[template-name-undefined] the name 'overlya' is not defined" in answer.out


def test_a_pattern_finds_what_a_search_would(folder: Path, f0ci: Command) -> None:
    """Git's own patterns decide, nested, negated and kept elsewhere; a name without a pattern is a name."""
    git(folder, "init", "-q")
    bad = (folder / "recipes/bad.yaml").read_text(encoding="utf-8")
    ignored = ("recipes/made.yaml", "recipes/sub/c.yaml", "recipes/local.yaml", "recipes/everywhere.yaml")
    shown = ("recipes/sub/b.yaml", "recipes/kept.yaml")
    files = dict.fromkeys((*ignored, *shown, "recipes/node_modules/x.yaml"), bad)
    files[".gitignore"] = "made.yaml\nrecipes/sub/*\n!recipes/sub/b.yaml\nkept.yaml\n"
    files["recipes/.gitignore"] = "!kept.yaml\n"
    files[".git/info/exclude"] = "local.yaml\n"
    files[".git/everywhere"] = "everywhere.yaml\n"
    write_files(folder, files)
    git(folder, "config", "core.excludesFile", str(folder / ".git/everywhere"))

    for paths in ((), ("recipes",), (str(folder / "recipes/**/*.yaml"),)):
        report = json.loads(f0ci(folder, "validate", "--format", "json", *paths).out)
        assert {one["path"] for one in report["diagnostics"]} == {"recipes/bad.yaml", *shown}
    named = json.loads(f0ci(folder, "validate", "--format", "json", *(str(folder / name) for name in ignored)).out)
    assert {one["path"] for one in named["diagnostics"]} == set(ignored)
    none = f0ci(folder, "validate", str(folder / "recipes/m*.yaml"))
    assert (none.code, "all that matches" in none.err) == (3, True)


@pytest.mark.parametrize("name", ["github", "gitlab", "junit", "sarif"])
def test_ci_systems_get_paths_of_the_checkout(tmp_path: Path, f0ci: Command, name: str) -> None:
    """Where a repository holds several projects, an annotation would else be at no file at all."""
    git(tmp_path, "init", "-q")
    files = {
        "one/f0ci.yaml": "version: 1\n",
        "one/recipes/a.yaml": "metadata: {name: a}\nsteps:\n  - {name: a, run: x}\n  - {name: a, run: y}\n",
    }
    write_files(tmp_path, files)

    told = f0ci(tmp_path / "one", "validate", "--format", name).out
    plain = json.loads(f0ci(tmp_path / "one", "validate", "--format", "json").out)["diagnostics"]

    assert {one["path"] for one in plain} == {"recipes/a.yaml"}
    # the place itself, and the first of the two names
    assert told.count("recipes/a.yaml") == told.count("one/recipes/a.yaml") >= 1
    assert len(plain) == 1


def test_several_rules_stand_in_one_value(folder: Path, f0ci: Command) -> None:
    """As linters have it; whoever repeats the option means the same."""

    def found(*options: str) -> set[str]:
        report = json.loads(f0ci(folder, "validate", "--format", "json", *options).out)
        return {one["rule"] for one in report["diagnostics"]}

    assert found("--select", "unknown-key,unknown-dependency") == {"unknown-key", "unknown-dependency"}
    assert found("--select", "unknown-key", "--select", "graph") == {"unknown-key", "unknown-dependency"}
    assert found("--ignore", "unknown-key, graph") == set()
    assert f0ci(folder, "validate", "--select", "unknown-key,grpah").code == 2
