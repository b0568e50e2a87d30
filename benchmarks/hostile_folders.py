"""Repositories whose settings, environments, workflow, templates, code or fixes were written to exhaust a reader."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from benchmarks.hostile_files import hostile_files

Files = dict[str, bytes]
_RECIPE = "metadata: {name: a}\nsteps:\n  - {name: a, run: x}\n"
_WORKFLOW = (
    "apiVersion: framework0.io/v1\nkind: ProductionWorkflow\nmetadata: {name: a}\nspec:\n  environments:\n"
    "    dev: {auto_promote: true}\n    prod: {approval_required: true}\n"
)
_MEGABYTE = 1_000_000


def hostile_folders() -> Iterator[tuple[str, Files, tuple[str, ...]]]:
    """Yield the files of such repositories, a megabyte at most, with what they do and how `validate` is called."""
    for name, content in hostile_files():
        yield name, {"recipes/hostile.yaml": content}, ()
    yield from _mended()
    yield from _told()
    yield from _numbers()
    yield from _of_workflows()
    yield from _of_environments()
    yield from _of_templates()
    yield "130,000 folders that are missing", _settings(f"recipes: [{_lines('r#,', 130_000)}]\n"), ()
    yield "100,000 unknown settings", _settings(_lines("k#: 1\n", 100_000)), ()
    yield "a scriptlet of 250,000 statements", _scriptlet("x=1;" * 250_000), ()
    yield "a scriptlet of 500,000 calls", _scriptlet("x" + "()" * 500_000), ()
    yield "15,000 calls of a recipe with 20,000 parameters", _calls(), ()


def _mended() -> Iterator[tuple[str, Files, tuple[str, ...]]]:
    steps = _lines("  - {nmae: s#, run: x}\n", 30_000)
    yield "30,000 misspelt keys, mended", _recipe(steps), ("--fix",)
    yield "80,000 octal numbers in one line, mended", _recipe(_step("args: [" + "0755, " * 80_000 + "]")), ("--fix",)
    yield "80,000 same keys, mended", _recipe("  - name: a\n" + "    run: x\n" * 80_000), ("--fix",)
    mixed = _lines("  - {name: s#, run: x}\n  - {name: t#, run: x, args: [yes]}\n", 9_000)
    yield "9,000 changed lines among others, shown", _recipe(mixed), ("--diff",)


def _told() -> Iterator[tuple[str, Files, tuple[str, ...]]]:
    steps = _recipe(f"  [{_lines('{nmae: s#, run: x},', 40_000)}]\n")
    for name in ("gitlab", "sarif"):
        yield f"40,000 findings in one line, as {name}", steps, ("--format", name)


def _numbers() -> Iterator[tuple[str, Files, tuple[str, ...]]]:
    for name, number in {"60": "1:" * 500_000 + "1", "16": "0x" + "f" * _MEGABYTE, "2": "0b" + "1" * _MEGABYTE}.items():
        yield f"a number of 1 MB to the base of {name}", _recipe(_step(f"args: {number}")), ()
    handles = _lines("%TAG !a#! !b\n", 50_000)
    yield "50,000 handles of tags", {"recipes/a.yaml": f"{handles}---\n{_RECIPE}".encode()}, ()
    merges = "m: &m {a: 1}\nsteps:\n- {" + "<<: *m, " * 110_000 + "}\n"
    yield "110,000 merges in one mapping", {"recipes/a.yaml": merges.encode()}, ()
    text = json.dumps('#{"' + "a" * _MEGABYTE + '"}')
    yield "a text of 1 MB in an expression", _recipe(_step(f"env: {{A: {text}}}")), ()
    slow = "  - {name: p, default: " + "a" * 60 + "b, validation: {pattern: '^(?P<x>(?>a)+)+(?P=x)$'}}\n"
    yield "a pattern that only Python reads", _declaring(slow), ()
    flat = "  - {name: p, default: " + "a" * 1_000 + ", validation: {pattern: '" + "a*" * 450_000 + "b'}}\n"
    yield "a pattern of 1 MB", _declaring(flat), ()


def _of_workflows() -> Iterator[tuple[str, Files, tuple[str, ...]]]:
    stages: dict[str, Callable[[int], str]] = {
        "in a row": lambda n: f"    - {{name: s{n}, environment: dev, requires: [s{n - 1}]}}\n",
        "in a circle": lambda n: f"    - {{name: s{n}, environment: dev, requires: [s{(n + 1) % 15_000}]}}\n",
        "that require what is missing": lambda n: f"    - {{name: s{n}, environment: dev, requires: [z{n}]}}\n",
        "into environments that are missing": lambda n: f"    - {{name: s{n}, environment: e{n}}}\n",
    }
    for name, stage in stages.items():
        listed = "".join(map(stage, range(15_000)))
        yield f"15,000 stages {name}", _workflow(f"  pipeline_stages:\n{listed}"), ()
    yield "25,000 environments", _workflow(_lines("    e#: {auto_promote: true}\n", 25_000)), ()
    yield "25,000 metrics that are wrong", _workflow("  metrics:\n" + _lines("    m#: {provider: file}\n", 25_000)), ()
    yield "80,000 steps of a rollout", _workflow(f"    test: {{steps: [{'{weight: 1},' * 80_000}]}}\n"), ()


def _of_environments() -> Iterator[tuple[str, Files, tuple[str, ...]]]:
    texts = {f"k{n}": "a" * 30 + "b" for n in range(5_000)}
    slow = {"additionalProperties": {"pattern": "^(a+)+$"}}
    yield "5,000 values against a pattern that takes for ever", _configured(texts, slow), ()
    names = {f"{'a' * 60}{n}": 1 for n in range(10_000)}
    closed = {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False}
    yield "10,000 keys against a pattern that takes for ever", _configured(names, closed), ()
    files = {f"environments/e{n}/config.yaml": f"k: 1\nextends: e{n + 1}\n".encode() for n in range(500)}
    yield "500 environments that extend each other", files, ()
    files = {f"environments/e{n}/config.yaml": _lines("k#: 1\n", 70).encode() for n in range(500)}
    yield "500 environments of the same keys", files, ()


def _of_templates() -> Iterator[tuple[str, Files, tuple[str, ...]]]:
    for name, text in {
        "60,000 names that are missing": _lines("{{ config.a# }}", 60_000),
        "a sum of 500,000": "{{ " + "1+" * 500_000 + "1 }}",
        "constants of a gigabyte": "{{ 'a' * 10 ** 9 }}{{ [0] * 10 ** 9 }}{{ 9 ** 9 ** 9 }}",
        "800,000 letters before 9,000 names": "a b " * 200_000 + _lines("{{ config.a# }}", 9_000),
    }.items():
        files = {"templates/a.yaml.j2": text, "recipes/a.yaml": _RECIPE, "environments/dev/config.yaml": "a: 1\n"}
        yield f"a template: {name}", {path: content.encode() for path, content in files.items()}, ()


def _lines(line: str, count: int) -> str:
    """Return a line many times, `#` in it replaced by which of them it is."""
    return "".join(line.replace("#", str(number)) for number in range(count))


def _step(more: str) -> str:
    return f"  - name: a\n    run: x\n    {more}\n"


def _recipe(steps: str) -> Files:
    return {"recipes/a.yaml": f"metadata: {{name: a}}\nsteps:\n{steps}".encode()}


def _declaring(parameters: str) -> Files:
    text = f"metadata: {{name: a}}\nparameters:\n{parameters}steps:\n{_step('timeout: 5m')}"
    return {"recipes/a.yaml": text.encode()}


def _settings(text: str) -> Files:
    return {"f0ci.yaml": text.encode(), "recipes/a.yaml": _RECIPE.encode()}


def _scriptlet(source: str) -> Files:
    step = "  - {name: a, module: scriptlets.m, function: run}\n"
    return {**_recipe(step), "scriptlets/__init__.py": b"", "scriptlets/m.py": source.encode()}


def _calls() -> Files:
    called = _lines("  - {name: y#}\n", 20_000)
    steps = _lines("  - {name: s#, recipe_path: b.yaml, parameters: {x#: 1}}\n", 12_000)
    return {
        **_recipe(steps),
        "recipes/b.yaml": f"metadata: {{name: b}}\nparameters:\n{called}steps:\n  - {{name: b, run: x}}\n".encode(),
    }


def _workflow(more: str) -> Files:
    return {
        "workflow.yaml": f"{_WORKFLOW}{more}".encode(),
        "environments/dev/config.yaml": b"a: 1\n",
        "environments/prod/config.yaml": b"a: 1\n",
    }


def _configured(values: Mapping[str, object], schema: Mapping[str, object]) -> Files:
    return {
        "environments/dev/config.json": json.dumps(values).encode(),
        "schemas/config.schema.json": json.dumps(schema).encode(),
    }
