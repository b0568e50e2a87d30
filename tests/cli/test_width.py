"""Lines and tables fit the terminal; what is piped is never broken."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.cli.width import fold, lay_out, reflow

ROW = ("prod", "22c48e5b8acb", "2026-11-21T10:57:06Z", "error_rate is 75 % (150 of 200)")
HEADINGS = ("environment", "release", "since", "why")
WORDS = st.lists(st.text("abc`-", min_size=1, max_size=12), min_size=1, max_size=12).map(" ".join)


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("as wide as it is", 16, ["as wide as it is"]),
        ("as wide as it is", None, ["as wide as it is"]),
        ("as wide as it is", 9, ["as wide", "  as it", "  is"]),
        ("  indented by two", 10, ["  indented", "    by two"]),
        ("call `f0ci unhold dev` now", 12, ["call", "  `f0ci unhold dev`", "  now"]),
        ("(`f0ci status prod`), then", 8, ["(`f0ci status prod`),", "  then"]),
        ("averyveryverylongword", 5, ["averyveryverylongword"]),
        (click.style("red", fg="red") + " and so on", 10, [click.style("red", fg="red") + " and so", "  on"]),
    ],
)
def test_a_line_is_broken_between_words(text: str, width: int | None, expected: list[str]) -> None:
    assert fold(text, width) == expected


@given(WORDS, st.integers(1, 60))
def test_no_word_is_lost_and_only_one_that_is_too_wide_stands_out(text: str, width: int) -> None:
    lines = fold(text, width)

    assert " ".join(lines).split() == text.split()
    for line in lines:
        assert len(line) <= width or "`" in line or len(line.split()) == 1


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        pytest.param(
            None,
            [
                "environment  release       since                 why",
                "prod         22c48e5b8acb  2026-11-21T10:57:06Z  error_rate is 75 % (150 of 200)",
            ],
            id="piped",
        ),
        pytest.param(
            75,
            [
                "environment  release       since                 why",
                "prod         22c48e5b8acb  2026-11-21T10:57:06Z  error_rate is 75 % (150 of",
                "                                                 200)",
            ],
            id="the last column is broken",
        ),
        pytest.param(
            50,
            [
                "environment  release       since",
                "prod         22c48e5b8acb  2026-11-21T10:57:06Z",
                "    error_rate is 75 % (150 of 200)",
            ],
            id="or stands below",
        ),
        pytest.param(
            36,
            [
                "environment  prod",
                "release      22c48e5b8acb",
                "since        2026-11-21T10:57:06Z",
                "why          error_rate is 75 % (150",
                "             of 200)",
            ],
            id="or each cell has a line",
        ),
    ],
)
def test_a_table_fits_the_terminal(width: int | None, expected: list[str]) -> None:
    assert lay_out(HEADINGS, [ROW], width) == expected


def test_a_table_without_rows_is_its_headings() -> None:
    assert lay_out(HEADINGS, [], 10) == ["environment  release  since  why"]


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=4), st.integers(10, 120))
def test_a_table_loses_nothing(rows: list[tuple[str, str, str]], width: int) -> None:
    written = " ".join(lay_out(("a", "b", "c"), rows, width)).split()

    for cell in (cell for row in rows for cell in row):
        for word in cell.split():
            assert word in written


def test_a_page_keeps_its_headings_lists_and_code() -> None:
    code = "```yaml\nkey: a very long line of code\n```"
    page = f"# a page\n\nOne sentence that\ngoes on.\n\n{code}\n\n- an item that\n  goes on"

    assert reflow(page, None) == page
    narrow = f"# a page\n\nOne sentence that\ngoes on.\n\n{code}\n\n- an item that goes\n  on"
    assert reflow(page, 20) == narrow
    assert "One sentence that goes on." in reflow(page, 40)


def in_terminal(folder: Path, width: int, *args: str) -> str:
    """Return what f0ci prints on a terminal that is so wide."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environ = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES"}}
    with subprocess.Popen(
        [sys.executable, "-m", "f0ci", *args], cwd=folder, env=environ, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:
                # the other end is closed
                break
            if not chunk:
                break
            said += chunk
        assert process.wait() == 0
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;]*m", "", said.decode()).replace("\r\n", "\n")


def test_the_list_of_rules_fits_eighty_columns_and_is_one_line_a_rule_in_a_pipe(tmp_path: Path) -> None:
    piped = subprocess.run(
        [sys.executable, "-m", "f0ci", "explain"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    shown = in_terminal(tmp_path, 80, "explain")

    assert max(map(len, piped.splitlines())) > 80
    assert max(map(len, shown.splitlines())) <= 80
    # below a row, the last column has no heading
    assert sorted(piped.partition("\n")[2].split()) == sorted(shown.partition("\n")[2].split())
