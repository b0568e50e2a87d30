"""Sets of recipes of any size, the same for the same seed, with faults whose rule and line are known."""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

# run as a program, it is found only from the root
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.planting import CODE, FURTHER

FAULTY_SHARE = 0.02
_MEDIAN_STEPS = 10
_MOST_STEPS = 320
_WORDS = [
    "batch",
    "cache",
    "catalog",
    "check",
    "clean",
    "columns",
    "commit",
    "compare",
    "copy",
    "customers",
    "daily",
    "deliver",
    "digest",
    "export",
    "extract",
    "feed",
    "fetch",
    "filter",
    "hourly",
    "index",
    "ingest",
    "invoices",
    "ledger",
    "load",
    "manifest",
    "match",
    "merge",
    "metrics",
    "mirror",
    "normalize",
    "orders",
    "parquet",
    "partition",
    "payments",
    "publish",
    "quality",
    "reconcile",
    "records",
    "refresh",
    "region",
    "report",
    "sample",
    "schema",
    "sessions",
    "sort",
    "source",
    "stage",
    "summary",
    "table",
    "target",
    "validate",
    "vendors",
    "verify",
    "window",
]
_AREAS = ("billing", "catalog", "customers", "finance", "logistics", "marketing", "orders", "reporting")
_CONFIG = (
    "processing.batch_size",
    "processing.timeout_seconds",
    "storage.bucket",
    "storage.region",
    "alerts.channel",
    "quality.threshold",
)
_ENVIRONMENT = """\
processing: {{batch_size: {size}, timeout_seconds: 300}}
storage: {{bucket: records-{name}, region: north}}
alerts: {{channel: "#data-{name}"}}
quality: {{threshold: 0.95}}
"""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One planted fault: the finding that a complete and exact linter reports for its file.

    Attributes:
        path: relative to the set's folder.
        line: 1-based, where the finding belongs.
        rule: its rule.
    """

    path: str
    line: int
    rule: str


@dataclass(frozen=True, slots=True)
class RecipeSet:
    """Files by path, and what is wrong with them."""

    files: Mapping[str, bytes]
    faults: tuple[Fault, ...]

    @property
    def recipes(self) -> tuple[str, ...]:
        """Paths of the recipes, sorted."""
        return tuple(sorted(path for path in self.files if path.startswith("recipes/")))

    @property
    def size(self) -> int:
        """Bytes of all recipes."""
        return sum(len(self.files[path]) for path in self.recipes)

    def summary(self) -> dict[str, Any]:
        """Return what a reader of the written files needs to know, as JSON data."""
        return {"recipes": self.recipes, "size": self.size, "faults": [astuple(fault) for fault in self.faults]}

    def write(self, folder: Path) -> None:
        """Write the files below a folder."""
        for path, content in self.files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


@dataclass(slots=True)
class Draft:
    """A recipe while it is made: lines, and where each step begins."""

    path: str
    random: random.Random
    lines: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    expressions: list[int] = field(default_factory=list)
    dependencies: list[int] = field(default_factory=list)
    # steps that run in every environment, so that others may read their outputs
    unconditional: list[str] = field(default_factory=list)

    def words(self, least: int, most: int) -> str:
        """Return some words."""
        return " ".join(self.random.choices(_WORDS, k=self.random.randint(least, most)))

    def expression(self) -> str:
        """Return something to read: a parameter, a setting, an earlier step's output, or a choice."""
        kind = self.random.random()
        if kind < 0.4:
            return f"#{{params.{self.random.choice(('source', 'target', 'limit'))}}}"
        if kind < 0.75:
            return f"#{{config.{self.random.choice(_CONFIG)}}}"
        if kind < 0.9 and self.unconditional:
            return f"#{{steps.{self.unconditional[-1]}.outputs.rows}}"
        return "#{environment == 'prod' ? 'strict' : params.source}"


def make_set(count: int, seed: int = 21, faulty: float = FAULTY_SHARE) -> RecipeSet:
    """Return a set of recipes with their environments.

    Args:
        count: recipes.
        seed: the same seed gives the same bytes.
        faulty: share of the recipes that get one fault, at least one recipe where it is above zero.
    """
    source = random.Random(seed)  # noqa: S311 - the same bytes each time, no secret
    files = {
        f"environments/{name}/config.yaml": _ENVIRONMENT.format(name=name, size=size).encode()
        for name, size in (("dev", 10), ("staging", 100), ("prod", 1000))
    }
    files |= CODE
    paths = [f"recipes/{_AREAS[index % len(_AREAS)]}/{index:05}.yaml" for index in range(count)]
    # every tenth is called by others and stays as it should be
    shared = paths[::10]
    others = [path for path in paths if path not in set(shared)]
    wanted = min(len(others), max(1, round(count * faulty))) if faulty else 0
    chosen = {path: FAULTS[number % len(FAULTS)] for number, path in enumerate(sorted(source.sample(others, wanted)))}
    faults: list[Fault] = []
    for path in paths:
        draft = _draft(path, source, () if path in shared else shared)
        if path in chosen:
            rule, plant = chosen[path]
            faults.append(Fault(path, plant(draft), rule))
        files[path] = ("\n".join(draft.lines) + "\n").encode("utf-8", "surrogateescape")
    return RecipeSet(files, tuple(sorted(faults)))


def _draft(path: str, source: random.Random, shared: tuple[str, ...] | list[str]) -> Draft:
    draft = Draft(path, source)
    draft.lines += [
        f"# {draft.words(4, 9)}",
        "metadata:",
        f"  name: {Path(path).stem}-{source.choice(_WORDS)}",
        f'  version: "1.{source.randint(0, 40)}.0"',
        f"  description: {draft.words(5, 12)}",
        f"  tags: [{source.choice(_WORDS)}, {source.choice(_WORDS)}]",
        "parameters:",
        "  - name: source",
        "    type: string",
        "    required: true",
        f"    description: {draft.words(3, 8)}",
        "  - name: target",
        "    type: string",
        "    default: archive",
        "  - name: limit",
        "    type: integer",
        f"    default: {source.randint(1, 5000)}",
        "steps:",
    ]
    steps = min(_MOST_STEPS, max(2, round(source.lognormvariate(math.log(_MEDIAN_STEPS), 0.95))))
    for index in range(steps):
        _add_step(draft, index, shared)
    return draft


def _add_step(draft: Draft, index: int, shared: tuple[str, ...] | list[str]) -> None:
    source, lines = draft.random, draft.lines
    name = f"{source.choice(_WORDS)}_{index:03}"
    draft.starts.append(len(lines))
    lines += [f"  - name: {name}", f"    idx: {index + 1}", f"    description: {draft.words(4, 14)}"]
    if index:
        lines += ["    depends_on:", f"      - {draft.steps[-1]}"]
        draft.dependencies.append(len(lines) - 1)
    kind = source.random()
    if not index:
        # every parameter is read at least once
        lines += [
            "    type: shell",
            "    env:",
            *(f'      {name.upper()}: "#{{params.{name}}}"' for name in ("source", "target", "limit")),
            f"    run: ./bin/{source.choice(_WORDS)} --table {source.choice(_WORDS)}",
        ]
        draft.expressions.append(len(lines) - 2)
    elif kind < 0.55:
        _add_python(draft)
    elif kind < 0.9 or not shared:
        lines += [
            "    type: shell",
            "    env:",
            f'      SOURCE: "{draft.expression()}"',
            f"      LEVEL: {source.choice(('info', 'debug', 'warning'))}",
            "    run: |",
            *(f"      ./bin/{source.choice(_WORDS)} --table {source.choice(_WORDS)}" for _ in range(3)),
        ]
        draft.expressions.append(len(lines) - 6)
    else:
        lines += [
            "    type: sub_recipe",
            f"    recipe_path: {source.choice(shared)}",
            "    parameters:",
            f'      source: "{draft.expression()}"',
            f"      limit: {source.randint(1, 900)}",
        ]
        draft.expressions.append(len(lines) - 2)
    if source.random() < 0.3:
        lines.append(f"    condition: \"environment == '{source.choice(('dev', 'prod'))}'\"")
    else:
        draft.unconditional.append(name)
    draft.steps.append(name)


def _add_python(draft: Draft) -> None:
    source, lines = draft.random, draft.lines
    lines += [
        "    type: python",
        f"    module: scriptlets.{source.choice(_WORDS)}",
        f"    function: {source.choice(_WORDS)}_{source.choice(_WORDS)}",
        "    args:",
        f'      table: "{draft.expression()}"',
        f"      columns: [{', '.join(source.choices(_WORDS, k=4))}]",
        f"      limit: {source.randint(1, 90000)}",
        f"      ratio: 0.{source.randint(1, 9)}{source.randint(1, 9)}",
        f"      strict: {source.choice(('true', 'false'))}",
        "      options:",
        f"        note: '{draft.words(4, 10)}'",
        f'        path: "data/#{{environment}}/{source.choice(_WORDS)}/{source.choice(_WORDS)}.csv"',
        "    outputs: [rows, seconds]",
        "    error_handling:",
        f"      on_failure: {source.choice(('fail_fast', 'continue', 'retry'))}",
        f"      retry_attempts: {source.randint(0, 5)}",
        "    success:",
        f"      ctx_has_keys: [{source.choice(_WORDS)}.rows]",
    ]
    draft.expressions.append(len(lines) - 14)


def _insert(draft: Draft, line: str) -> int:
    """Add a line to the last step and return its number."""
    draft.lines.append(line)
    return len(draft.lines)


def _replace(draft: Draft, index: int, line: str) -> int:
    """Put another line in the place of one and return its number."""
    draft.lines[index] = line
    return index + 1


def _replace_expression(draft: Draft, text: str) -> int:
    index = draft.expressions[-1]
    key = draft.lines[index].split(":")[0]
    return _replace(draft, index, f'{key}: "{text}"')


def _plant_cycle(draft: Draft) -> int:
    draft.lines += [
        "  - name: extra_first",
        "    depends_on: [extra_second]",
        "    run: ./bin/first",
        "  - name: extra_second",
        "    depends_on: [extra_first]",
        "    run: ./bin/second",
    ]
    return len(draft.lines) - 4


def _plant_duplicate_step(draft: Draft) -> int:
    stanza = ["  - name: extra_step", f"    depends_on: [{draft.steps[-1]}]", "    run: ./bin/extra"]
    draft.lines += [*stanza, *stanza]
    return len(draft.lines) - 2


def _plant_missing(draft: Draft) -> int:
    # a step without a type, reported at the step
    draft.lines += ["  - name: extra_step", f"    depends_on: [{draft.steps[-1]}]"]
    return len(draft.lines) - 1


# rule -> what plants it and returns its line
FAULTS: tuple[tuple[str, Callable[[Draft], int]], ...] = (
    ("unknown-key", lambda draft: _insert(draft, "    descripton: misspelt")),
    ("wrong-type", lambda draft: _insert(draft, "    metadata: nothing")),
    ("bad-value", lambda draft: _insert(draft, "    trigger: on_success")),
    ("syntax", lambda draft: _insert(draft, "    metadata: {open: ]}")),
    ("duplicate-key", lambda draft: _insert(draft, "    description: written again")),
    ("missing-key", _plant_missing),
    ("unknown-dependency", lambda draft: _replace(draft, draft.dependencies[-1], "      - no_such_step")),
    ("dependency-cycle", _plant_cycle),
    ("duplicate-step-name", _plant_duplicate_step),
    ("undeclared-parameter", lambda draft: _replace_expression(draft, "#{params.nowhere}")),
    ("config-key-undefined", lambda draft: _replace_expression(draft, "#{config.processing.nowhere}")),
    ("unknown-step-output", lambda draft: _replace_expression(draft, "#{steps.nowhere.outputs.rows}")),
    ("unknown-root", lambda draft: _replace_expression(draft, "#{parameters.source}")),
    ("expression-syntax", lambda draft: _replace_expression(draft, "#{params.source +}")),
    ("recipe-path-missing", lambda draft: _plant_call(draft, "recipes/nowhere.yaml", "source: a")),
    ("unknown-parameter", lambda draft: _plant_call(draft, "recipes/billing/00000.yaml", "source: a", "colour: red")),
    ("missing-parameter", lambda draft: _plant_call(draft, "recipes/billing/00000.yaml", "limit: 5")),
    ("parameter-type", lambda draft: _plant_call(draft, "recipes/billing/00000.yaml", "source: a", "limit: many")),
    ("self-dependency", lambda draft: _plant_step(draft, "depends_on: [extra_step]", "run: ./bin/extra")),
    (
        "unknown-step-type",
        lambda draft: _plant_step(draft, "type: pyhton", "function: a", f"depends_on: [{draft.steps[-1]}]"),
    ),
    ("ambiguous-scalar", lambda draft: _insert(draft, "    metadata: {enabled: yes}")),
    *FURTHER,
)


def _plant_step(draft: Draft, *lines: str) -> int:
    """Add a step whose first line after the name is at fault, and return that line's number."""
    draft.lines += ["  - name: extra_step", *(f"    {line}" for line in lines)]
    return len(draft.lines) - len(lines) + 1


def _plant_call(draft: Draft, path: str, *parameters: str) -> int:
    start = len(draft.lines)
    draft.lines += [
        "  - name: extra_call",
        f"    depends_on: [{draft.steps[-1]}]",
        "    type: sub_recipe",
        f"    recipe_path: {path}",
        "    parameters:",
        *(f"      {parameter}" for parameter in parameters),
    ]
    if path.endswith("nowhere.yaml"):
        return start + 4
    return start + 5 if len(parameters) == 1 else start + 7


def main(count: str, folder: str, faulty: str = str(FAULTY_SHARE)) -> None:
    """Write a set below a folder and print its summary."""
    recipes = make_set(int(count), faulty=float(faulty))
    recipes.write(Path(folder))
    print(json.dumps(recipes.summary()))  # noqa: T201 - a program's output


if __name__ == "__main__":
    main(*sys.argv[1:])
