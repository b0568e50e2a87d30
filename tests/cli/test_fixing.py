"""`f0ci validate --fix` and `--diff`: what is written, what is shown, and what neither touches."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.commands.fixing import Change
from tests.cli.conftest import Command
from tests.conftest import write_files

BAD = "metadata: {name: bad}  # why\nsteps:\n  - {name: a, run: x, depend_on: []}\n"
MENDED = BAD.replace("depend_on", "depends_on")
LEFT = "metadata: {name: left}\nsteps:\n  - {name: a, run: x, depends_on: [b]}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a repository's folder with a recipe that can be mended and one that cannot."""
    root = tmp_path / "project"
    write_files(root, {"f0ci.yaml": "version: 1\n", "recipes/bad.yaml": BAD, "recipes/left.yaml": LEFT})
    return root


def test_a_fix_is_written_and_the_rest_reported(folder: Path, f0ci: Command) -> None:
    (folder / "recipes/bad.yaml").chmod(0o640)
    answer = f0ci(folder, "validate", "--fix", "--format", "json")

    assert (folder / "recipes/bad.yaml").read_text() == MENDED
    assert (folder / "recipes/bad.yaml").stat().st_mode & 0o777 == 0o640
    assert (folder / "recipes/left.yaml").read_text() == LEFT
    assert answer.err == "1 finding mended in 1 file\n"
    assert answer.code == 1
    assert [one["rule"] for one in answer.data["diagnostics"]] == ["unknown-dependency"]


def test_a_second_time_nothing_is_left_to_mend(folder: Path, f0ci: Command) -> None:
    f0ci(folder, "validate", "--fix")
    before = (folder / "recipes/bad.yaml").stat().st_mtime_ns

    assert f0ci(folder, "validate", "--fix").err == "0 findings mended in 0 files\n"
    assert (folder / "recipes/bad.yaml").stat().st_mtime_ns == before
    assert f0ci(folder, "validate", "--diff").code == 0


def test_a_diff_alone_writes_nothing(folder: Path, f0ci: Command) -> None:
    answer = f0ci(folder, "validate", "--diff")

    assert answer.code == 1
    assert answer.err == "1 finding can be mended with --fix\n"
    assert answer.out == (
        "--- a/recipes/bad.yaml\n"
        "+++ b/recipes/bad.yaml\n"
        "@@ -1,3 +1,3 @@\n"
        " metadata: {name: bad}  # why\n"
        " steps:\n"
        "-  - {name: a, run: x, depend_on: []}\n"
        "+  - {name: a, run: x, depends_on: []}\n"
    )
    assert (folder / "recipes/bad.yaml").read_text() == BAD


def test_a_fix_can_be_shown_as_well(folder: Path, f0ci: Command) -> None:
    answer = f0ci(folder, "validate", "--fix", "--diff", "--fail-on", "error", "--ignore", "graph")

    assert answer.out.startswith("--- a/recipes/bad.yaml\n")
    assert answer.out.endswith("3 files checked: nothing to report\n")
    assert answer.code == 0
    assert (folder / "recipes/bad.yaml").read_text() == MENDED


def test_what_is_silenced_or_not_asked_for_is_left_alone(folder: Path, f0ci: Command) -> None:
    silenced = BAD.replace("steps:", "steps: # f0ci: ignore[unknown-key]")
    write_files(folder, {"recipes/bad.yaml": silenced.replace("- {", "- { # f0ci: ignore[unknown-key] ours\n    ")})
    before = (folder / "recipes/bad.yaml").read_text()
    f0ci(folder, "validate", "--fix", "recipes/left.yaml")
    f0ci(folder, "validate", "--fix", "--select", "graph")

    assert (folder / "recipes/bad.yaml").read_text() == before


def test_a_text_on_stdin_is_shown_and_never_written(
    folder: Path, f0ci: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io
    from types import SimpleNamespace

    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(BAD.encode())))
    answer = f0ci(folder, "validate", "-", "--stdin-filename", "recipes/new.yaml", "--diff")

    assert answer.code == 1
    assert "+  - {name: a, run: x, depends_on: []}\n" in answer.out
    assert not (folder / "recipes/new.yaml").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fix", "--write-baseline", "b.json"], "--fix and --write-baseline do not go together"),
        (["--watch", "--fix"], "--watch only reports"),
        (["-", "--stdin-filename", "recipes/n.yaml", "--fix"], "--fix needs files, and '-' is a text"),
        (["-", "--stdin-filename", "recipes/n.yaml", "--watch"], "--watch needs files, and '-' is a text"),
    ],
)
def test_options_that_do_not_fit(folder: Path, f0ci: Command, options: list[str], message: str) -> None:
    answer = f0ci(folder, "validate", *options)

    assert answer.code == 2
    assert message in answer.err


def test_the_data_format_says_how(folder: Path, f0ci: Command) -> None:
    found = json.loads(f0ci(folder, "validate", "--format", "json").out)["diagnostics"]

    assert [one["fix"] for one in found] == [
        {
            "message": "write 'depends_on'",
            "edits": [{"line": 3, "column": 23, "end_line": 3, "end_column": 32, "text": "depends_on"}],
        },
        None,
    ]


def test_a_link_stays_a_link(folder: Path, f0ci: Command) -> None:
    write_files(folder, {"shared/bad.yaml": BAD})
    (folder / "recipes/bad.yaml").unlink()
    (folder / "recipes/bad.yaml").symlink_to("../shared/bad.yaml")
    f0ci(folder, "validate", "--fix")

    assert (folder / "recipes/bad.yaml").is_symlink()
    assert (folder / "shared/bad.yaml").read_text() == MENDED


_PLACED = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def patched(before: list[str], diff: str) -> list[str]:
    """Return what a unified diff makes of a text, after checking that it speaks of that text."""
    after: list[str] = []
    done = 0
    for line in diff.split("\n")[2:-1]:
        placed = _PLACED.match(line)
        if placed:
            start = int(placed[1]) - (placed[2] != "0")
            after += before[done:start]
            done = start
            assert len(after) == int(placed[3]) - (placed[4] != "0")
        elif line[0] == "+":
            after.append(line[1:])
        else:
            assert before[done] == line[1:]
            done += 1
            after += [line[1:]] * (line[0] == " ")
    return [*after, *before[done:]]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["", "", "", "change", "remove"])), max_size=40))
def test_a_diff_makes_one_text_of_the_other(lines: list[tuple[str, str]]) -> None:
    """Whatever was changed or taken away, and wherever the same lines stand again."""
    before = [line for line, _ in lines]
    after = [f"{line}!" if what == "change" else line for line, what in lines if what != "remove"]
    raw = ["".join(f"{line}\n" for line in text).encode() for text in (before, after)]

    diff = Change("a.yaml", raw[0], raw[1], 1).as_diff()

    assert patched(before, diff) == after
