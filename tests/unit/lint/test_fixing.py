"""What fixes make of texts: nothing but what they say, and never twice."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from f0ci.core.diagnostics import Edit, Fix, Span
from f0ci.lint.fixing import apply_fixes
from f0ci.source.document import parse_document
from tests.unit.lint.running import lint_files

PATH = "recipes/a.yaml"


def mended(text: str | bytes, path: str = PATH, rounds: int = 1) -> str:
    """Return a text after every fix that its findings propose."""
    raw = text.encode() if isinstance(text, str) else text
    for _ in range(rounds):
        raw = apply_fixes(path, raw, [d.fix for d in lint_files({path: raw}) if d.fix is not None])
    return raw.decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("  - {name: a, run: x, depend_on: []}", "  - {name: a, run: x, depends_on: []}", id="a key"),
        pytest.param("  - {name: a, run: x, 'depend_on': []}", "  - {name: a, run: x, 'depends_on': []}", id="quoted"),
        pytest.param("  - {name: a, run: x, colour: []}", None, id="no close name"),
        pytest.param("  - {name: a, run: x, depend_on: [], depends_on: []}", None, id="the name is taken"),
        pytest.param("  - {name: a, run: x, env: {A: yes}}", "  - {name: a, run: x, env: {A: true}}", id="a word"),
        pytest.param("  - {name: a, run: x, env: {A: 0o17, B: 017}}", "  - {name: a, run: x, env: {A: 0o17, B: 15}}"),
        pytest.param("  - {name: a, run: x, env: {A: 1_000}}", "  - {name: a, run: x, env: {A: 1000}}", id="a number"),
        pytest.param(
            "  - {name: a, run: x, env: {on: 1}}", '  - {name: a, run: x, env: {"on": 1}}', id="a word as key"
        ),
        pytest.param("  - {name: a, run: x, env: {é: yes, ü: no}}", "  - {name: a, run: x, env: {é: true, ü: false}}"),
        pytest.param("  - {name: a, run: x, tags: [&a b, *a]}", None, id="nothing to mend"),
    ],
)
def test_a_step(before: str, after: str | None) -> None:
    """Exactly what the finding is about changes."""
    head, tail = "metadata: {name: a}  # why\nsteps:\n", "  # because\n  - {name: z, run: y}\n"

    assert mended(f"{head}{before}{tail}") == f"{head}{before if after is None else after}{tail}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("    run: x\n    run: x\n    idx: 1\n", "    run: x\n    idx: 1\n", id="the same line twice"),
        pytest.param("    run: x\n    run: x\n", "    run: x\n", id="at the end"),
        pytest.param("    run: x\n    run: x\n\n\n", "    run: x\n\n\n", id="before empty lines at the end"),
        pytest.param("    run: x\n    run: x\n\n      y\n", None, id="a value that goes on after an empty line"),
        pytest.param("    run: x\n    run: x", None, id="a last line without an end"),
        pytest.param("    run: x\n    run: y\n    idx: 1\n", None, id="two values"),
        pytest.param("    run: x\n    run: x  # why\n    idx: 1\n", None, id="a comment would be lost"),
        pytest.param("    run: x\n    run: x\n      y\n    idx: 1\n", None, id="a value that goes on"),
        pytest.param("    run: |\n      x\n    run: |\n      x\n    idx: 1\n", None, id="blocks"),
        pytest.param("    env: &a {A: 1}\n    env: &a {A: 1}\n    idx: 1\n", None, id="an anchor"),
    ],
)
def test_duplicate_lines(before: str, after: str | None) -> None:
    """A line goes only where it says the same again, and nothing hangs on it."""
    head = "metadata: {name: a}\nsteps:\n  - name: a\n"

    assert mended(f"{head}{before}") == f"{head}{before if after is None else after}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("run: x  # f0ci: ignore[plain-http] once\n", "run: x\n", id="at the end of a line"),
        pytest.param("# f0ci: ignore[plain-http] once\n    run: x\n", "run: x\n", id="a line of its own"),
        pytest.param("run: x  # f0ci: ignore[plain-http]", "run: x", id="at the end of the file"),
        pytest.param("run: x\n# f0ci: ignore[plain-http]", "run: x\n", id="the last line"),
        pytest.param("run: x  # note # f0ci: ignore[plain-http] once\n", "run: x  # note\n", id="behind another"),
        pytest.param(
            "run: x  # f0ci: ignore[plain-http] # f0ci: ignore[shadowed-anchor] # f0ci: ignore[shadowed-anchor]\n",
            "run: x\n",
            id="three",
        ),
        pytest.param("run: x  # f0ci: ignore[plain-http, shadowed-anchor, too-large]\n", "run: x\n", id="three names"),
        pytest.param(
            "yn: x  # f0ci: ignore[plain-http, unknown-key , shadowed-anchor] why\n    run: x\n",
            "yn: x  # f0ci: ignore[unknown-key] why\n    run: x\n",
            id="one of three is of use",
        ),
        pytest.param("run: x  # f0ci: ignore[no-such-rule]\n", None, id="a name that nobody knows"),
        pytest.param("run: x  # f0ci: ignore\n", None, id="no name"),
        pytest.param("run: 'x # f0ci: ignore[shadowed-anchor]'\n", None, id="no comment"),
    ],
)
def test_comments_that_silence_nothing(before: str, after: str | None) -> None:
    """What is of no use goes, and what is said beside it stays."""
    head = "metadata: {name: a}\nsteps:\n  - name: a\n    "

    assert mended(f"{head}{before}", rounds=4) == f"{head}{before if after is None else after}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("    X: #{params.p}\n", '    X: "#{params.p}"\n', id="a value"),
        pytest.param("    X: #{params.p}", '    X: "#{params.p}"', id="at the end of the file"),
        pytest.param("    X: #{params.p}\n\n  # why\n", '    X: "#{params.p}"\n\n  # why\n', id="a comment below"),
        pytest.param("    X: #{params['a']}\n  idx: 1\n", "    X: \"#{params['a']}\"\n  idx: 1\n", id="quotes"),
        pytest.param('    X: #{params["a"]}\n', "    X: '#{params[\"a\"]}'\n", id="the other quotes"),
        pytest.param("    X: #{params[\"a\"] + 'b'}\n", None, id="both quotes"),
        pytest.param("    X: #{params.p} and more\n", None, id="more behind it"),
        pytest.param("    X: a #{params.p}\n", None, id="more before it"),
        pytest.param("    X: #{params.p}\n      Y: 1\n", None, id="a mapping below"),
        pytest.param("    X: #{params.p}\n    - 1\n", None, id="a list below"),
        pytest.param("    X: #{params.p}\n    Y: 1\n", '    X: "#{params.p}"\n    Y: 1\n', id="another key below"),
        pytest.param(
            "    X:\n      - #{params.p}\n      - 1\n", '    X:\n      - "#{params.p}"\n      - 1\n', id="a list"
        ),
        pytest.param("    X:\n      - #{params.p}\n        - 1\n", None, id="a list in a list"),
        pytest.param("    X:\n    - Y: #{params.p}\n      - 1\n", None, id="a list of a key in a list"),
        pytest.param(
            "    X:\n    - Y: #{params.p}\n    - 1\n", '    X:\n    - Y: "#{params.p}"\n    - 1\n', id="a key in a list"
        ),
        pytest.param("    X: {Y: 1, #{params.p}\n      Z: 1}\n", None, id="in braces"),
    ],
)
def test_expressions_that_are_comments(before: str, after: str | None) -> None:
    """Quotes come where the expression is all that the value can be."""
    head = "metadata: {name: a}\nparameters: [{name: p, default: 1}]\nsteps:\n- name: a\n  run: x\n  env:\n"
    assert mended(f"{head}{before}") == f"{head}{before if after is None else after}"


def test_versions_and_the_mark() -> None:
    """The mark goes, the digit stays, and so does the place of everything else on the first line."""
    text = "\ufeffmetadata: {name: a, version: 1.10} # why\nsteps: [{name: a, run: x}]\n"

    assert mended(text) == 'metadata: {name: a, version: "1.10"} # why\nsteps: [{name: a, run: x}]\n'


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\x85", "\u2028"])
def test_endings_of_lines_stay(ending: str) -> None:
    """Whatever YAML counts as the end of a line is kept."""
    text = f"metadata: {{name: a}}{ending}steps:{ending}  - {{name: a, run: x, depend_on: []}}{ending}"

    assert mended(text) == text.replace("depend_on", "depends_on")


def test_json_keys() -> None:
    """JSON is counted by its own lines."""
    text = '{"note": "x\u2028y",\n "procesing": {"batch_size": 1}}\n'
    path = "environments/dev/config.json"

    assert mended(text, path) == text.replace("procesing", "processing")


def test_of_two_that_touch_the_later_is_left_out() -> None:
    """A fix is applied as a whole or not at all."""
    first = Fix("a", (Edit(Span(1, 1, 1, 3), "X"), Edit(Span(2, 1, 2, 2), "Y")))
    second = Fix("b", (Edit(Span(1, 2, 1, 4), "Z"), Edit(Span(3, 1, 3, 2), "Z")))

    assert apply_fixes("a.yaml", b"abcd\nefgh\nijkl\n", [second, first, first]) == b"Xcd\nYfgh\nijkl\n"


_FIXED_RULES = {
    "ambiguous-scalar",
    "byte-order-mark",
    "duplicate-key",
    "expression-in-comment",
    "unknown-key",
    "unknown-section",
    "unused-ignore",
}
_WORDS = st.sampled_from(
    ["yes", "Off", "017", "1_000", "12:30", "true", "12", "text", '"no"', "'on'", "1.10", "~", "é"]
)
_KEYS = st.sampled_from(
    ["depend_on", "conditon", "descripton", "colour", "on", "é", "version", "timout", "idx", "tags"]
)
_USELESS = [
    "  # f0ci: ignore[plain-http]",
    " # é # f0ci: ignore[too-large,plain-http] 017",
    "\n    #f0ci: ignore[too-large]",
]
_COMMENTS = st.sampled_from(["", "  # why", "  # yes: no", " # é 017", *_USELESS])
_LINES = st.tuples(_KEYS, _WORDS, _COMMENTS)


def _texts(lines: list[tuple[str, str, str]], twice: int, *, mark: bool) -> str:
    body = [f"    {key}: {word}{comment}\n" for key, word, comment in lines]
    env = [f"      K{index}: {word}{comment}\n" for index, (_, word, comment) in enumerate(lines)]
    repeated = body[twice % len(body) : twice % len(body) + 1] if body else []
    head = ["\ufeff" if mark else "", "# first\nmetadata: {name: a}\nsteps:\n  - name: a\n    env:\n      Z: 1\n"]
    return "".join([*head, *env, *body, *repeated, "    run: x\n# last\n"])


@given(lines=st.lists(_LINES, max_size=6, unique_by=lambda line: line[0]), twice=st.integers(0, 5), mark=st.booleans())
def test_fixing_twice_is_fixing_once(lines: list[tuple[str, str, str]], twice: int, *, mark: bool) -> None:
    """What could be mended is gone, comments are there, and values mean what they meant."""
    text = _texts(lines, twice, mark=mark)
    # two may be in each other's way: the second comes with the next round, as `--fix` does
    once = mended(text, rounds=4)

    assert mended(once) == once
    assert [d for d in lint_files({PATH: once}) if d.fix is not None] == []
    assert set(re.findall(r"#.*", once)) == set(re.findall(r"#.*", re.sub(r"\s*#\s*f0ci:.*", "", text)))
    assert _values(once) == _values(text.removeprefix("\ufeff"))


def _values(text: str) -> list[Any]:
    """Return what f0ci reads, without the names of keys, which fixes correct, and versions, whose digit comes back."""
    document = parse_document(PATH, text.encode())
    [step] = document.data["steps"]
    return [list(step["env"].values()), [value for key, value in step.items() if key not in {"version", "env"}]]


def test_what_is_kept_is_what_framework0_reads() -> None:
    """Its own reader says the same before and after, where no key is one of its words."""
    text = "metadata: {name: a}\nsteps:\n  - {name: a, run: x, env: {A: yes, B: 017, C: 1_000, D: 12:30, E: Off}}\n"

    assert yaml.safe_load(mended(text)) == yaml.safe_load(text)


def test_every_rule_that_fixes_is_known_here() -> None:
    """A rule that begins to propose fixes is added to what is tried above."""
    lines = [("tags", "yes", ""), ("timout", "#{params.p}", ""), ("depend_on", "[]", _USELESS[0])]
    text = _texts(lines, 0, mark=True)
    files = {PATH: text, "environments/dev/config.yaml": "procesing: {batch_size: 1}\n"}

    assert {d.rule for d in lint_files(files) if d.fix is not None} == _FIXED_RULES


_EDITS = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 4), st.sampled_from(["", "x", "yz"])), max_size=12)


@given(edits=_EDITS)
def test_of_two_fixes_that_touch_the_earlier_one_counts(edits: list[tuple[int, int, str]]) -> None:
    """As if each were held against all before it."""
    text = "abcdefghijklmnopqrstuvwxyz0123456789"
    fixes = [Fix("m", (Edit(Span(1, at, 1, at + length), new),)) for at, length, new in edits]
    taken: list[tuple[int, int, str]] = []
    for at, length, new in sorted(set(edits), key=lambda edit: (edit[0], edit[0] + edit[1], edit[2])):
        start, end = at - 1, at - 1 + length
        if not any(start < other_end and other < end for other, other_end, _ in taken):
            taken.append((start, end, new))
    expected = text
    for start, end, new in sorted(taken, reverse=True):
        expected = expected[:start] + new + expected[end:]

    assert apply_fixes("a.yaml", text.encode(), fixes).decode() == expected
