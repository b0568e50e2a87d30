"""Further faults for recipes of `recipe_sets`: each is one finding, of a known rule at a known line.

A planter changes the lines of a draft, whose last step nothing else refers to, and returns the line of its finding.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.recipe_sets import Draft

Planter = Callable[["Draft"], int]

# what steps name in `jobs`: a package that is in the set, so that what it lacks is known
CODE = {
    "jobs/__init__.py": b"",
    "jobs/load.py": b"def load(context, **params):\n    return params\n\n\nclass Idle:\n    pass\n",
}


def on_line(index: int, line: str) -> Planter:
    """Return what puts a line in the place of another, counted from 0."""

    def plant(draft: Draft) -> int:
        draft.lines[index] = line
        return index + 1

    return plant


def ending(*lines: str, at: int = -1) -> Planter:
    """Return what adds lines to the end; the fault is in one of them, by default the last."""

    def plant(draft: Draft) -> int:
        start = len(draft.lines)
        draft.lines.extend(lines)
        return start + 1 + (at % len(lines))

    return plant


def before(mark: str, line: str) -> Planter:
    """Return what inserts a line right before the first line that is a mark."""

    def plant(draft: Draft) -> int:
        index = draft.lines.index(mark)
        draft.lines.insert(index, line)
        return index + 1

    return plant


def stepping(*lines: str, at: int = -1) -> Planter:
    """Return what adds steps that wait for the last one; LAST in a line is that step's name, SELF the recipe's path."""

    def plant(draft: Draft) -> int:
        start = len(draft.lines)
        written = (line.replace("LAST", draft.steps[-1]).replace("SELF", draft.path) for line in lines)
        draft.lines.extend(f"  {line}" for line in written)
        return start + 1 + (at % len(lines))

    return plant


def _replacing_all(text: str) -> Planter:
    def plant(draft: Draft) -> int:
        draft.lines[:] = [text]
        return 1

    return plant


def _marked(draft: Draft) -> int:
    draft.lines[0] = f"\ufeff{draft.lines[0]}"
    return 1


def _with_key(draft: Draft) -> int:
    # put together here, so that nobody takes this file for one that holds a key
    draft.lines += ["  - name: extra_step", f"    depends_on: [{draft.steps[-1]}]", "    run: ./bin/extra"]
    draft.lines.append(f"    env: {{ID: AKIA{'QX7' * 5}P}}")
    return len(draft.lines)


def _bomb() -> str:
    """Return aliases that stand for a hundred million values."""
    lists = [f"{letter}: &{letter} [{', '.join([f'*{before}'] * 10)}]" for before, letter in pairwise("abcdefgh")]
    return ", ".join(["a: &a [1]", *lists])


_STEP = ("- name: extra_step", "  depends_on: [LAST]", "  run: ./bin/extra")
_CALL = ("- name: extra_call", "  depends_on: [LAST]", "  type: sub_recipe")
_PYTHON = ("- name: extra_step", "  depends_on: [LAST]", "  type: python")
_PAIR = ("- name: extra_first", "  depends_on: [LAST]", "  run: ./bin/first", "- name: extra_second")

FURTHER: tuple[tuple[str, Planter], ...] = (
    ("byte-order-mark", _marked),
    ("tab", ending("\tindented: by a tab")),
    ("shadowed-anchor", ending("    metadata: {first: &twice 1, second: &twice 2}")),
    ("alias-bomb", ending(f"    metadata: {{{_bomb()}}}")),
    ("alias-cycle", ending("    metadata: &loop {again: *loop}")),
    ("several-documents", ending("---", "more: 1", at=0)),
    ("too-deep", ending(f"    metadata: {'[' * 101}{']' * 101}")),
    ("empty", _replacing_all("# nothing yet")),
    ("not-utf8", ending("    metadata: {name: caf\udce9}")),
    ("unused-parameter", before("steps:", "  - name: forgotten")),
    ("duplicate-parameter", before("steps:", "  - name: limit")),
    ("bad-validation", before("    required: true", "    validation: {pattern: '('}")),
    ("version-constraint", ending("compatibility: {python_version: newest}")),
    ("condition-always-true", stepping(*_STEP, "  condition: \"environment == 'dev' or 'test'\"")),
    ("step-never-runs", stepping(*_STEP, "  condition: \"environment == 'production'\"")),
    ("comparison-of-types", stepping(*_STEP, "  condition: \"params.limit == '5'\"")),
    ("machine-path", stepping(*_STEP, "  env: {FOLDER: /home/alice/records}")),
    ("plain-http", stepping(*_STEP, '  env: {URL: "http://records.shop.com/today"}')),
    ("plain-text-secret", _with_key),
    ("secret-printed", stepping(*_STEP[:2], '  env: {TOKEN: "secret://token"}', "  run: echo $TOKEN")),
    ("world-writable", stepping(*_STEP[:2], "  run: chmod -R 777 out")),
    ("expression-in-command", stepping(*_STEP[:2], '  run: "./bin/extra #{params.source}"')),
    ("foreign-expression", stepping(*_STEP, '  env: {FROM: "${params.source}"}')),
    ("expression-in-comment", stepping(*_STEP, "  env: # read by the command", "    FROM: #{params.source}")),
    ("unused-ignore", stepping(*_STEP, "  # f0ci: ignore[syntax] for later")),
    ("unknown-rule", stepping(*_STEP, "  # f0ci: ignore[syntaks] for later")),
    (
        "context-key-unset",
        stepping(
            *_PYTHON,
            "  module: scriptlets.extra",
            "  function: extra",
            "  success: {ctx_has_keys: [extra.rows]}",
            "- name: extra_second",
            "  depends_on: [extra_step]",
            "  run: ./bin/second",
            "  env: {ROWS: \"#{context.get('extra.row')}\"}",
        ),
    ),
    (
        "skipped-step-read",
        stepping(
            *_STEP,
            "  condition: \"environment == 'prod'\"",
            "- name: extra_second",
            "  depends_on: [extra_step]",
            "  run: ./bin/second",
            '  env: {ROWS: "#{steps.extra_step.outputs.rows}"}',
        ),
    ),
    (
        "step-read-too-early",
        stepping(
            *_PAIR[:3],
            '  env: {ROWS: "#{steps.extra_second.outputs.rows}"}',
            "- name: extra_second",
            "  depends_on: [extra_first]",
            "  run: ./bin/second",
            at=3,
        ),
    ),
    (
        "on-error-dependency",
        stepping(*_PAIR[:3], "  trigger: on_error", _PAIR[3], "  run: ./bin/second", "  depends_on: [extra_first]"),
    ),
    (
        "parallel-group-dependency",
        stepping(
            *_PAIR[:3],
            "  parallel_group: extra",
            _PAIR[3],
            "  run: ./bin/second",
            "  parallel_group: extra",
            "  depends_on: [extra_first]",
        ),
    ),
    ("duplicate-idx", stepping(*_PAIR[:3], "  idx: 9000", _PAIR[3], "  run: ./bin/second", "  idx: 9000")),
    ("idx-contradicts-dependency", stepping(*_STEP, "  idx: 0")),
    ("recipe-path-escapes", stepping(*_CALL, "  recipe_path: ../../../../extra.yaml")),
    ("recipe-cycle", stepping(*_CALL, "  recipe_path: SELF", "  parameters: {source: a}", at=3)),
    ("module-missing", stepping(*_PYTHON, "  function: load", "  module: jobs.nowhere")),
    ("function-missing", stepping(*_PYTHON, "  module: jobs.load", "  function: laod")),
    ("class-without-run", stepping(*_PYTHON, "  module: jobs.load", "  function: Idle")),
)
