"""What fuzzing starts from: files and expressions as people write them, and as nobody should."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.hostile_files import hostile_files
from benchmarks.recipe_sets import make_set

_ROOT = Path(__file__).resolve().parents[2]
_LONGEST = 20_000
_EXPRESSION = re.compile(rb"#\{[^{}\n]{1,200}\}|\{\{[^{}\n]{1,200}\}\}")


def documents() -> Iterator[bytes]:
    """Yield recipes, workflows and configurations of the repository, faulty ones, and short hostile ones."""
    for folder in ("tests/cases/rules", "tests/projects", "recipes", "environments", "examples"):
        for path in sorted((_ROOT / folder).rglob("*")):
            if path.suffix in {".yaml", ".yml", ".json"} and path.stat().st_size <= _LONGEST:
                yield path.read_bytes()
    yield from make_set(21, faulty=1.0).files.values()
    for _, content in hostile_files():
        yield content[:2_000]


def templates() -> Iterator[bytes]:
    """Yield the repository's templates, what their language consists of, and attempts to get out or go on for ever."""
    for folder in ("examples", "tests/cases/render", "f0ci/commands/examples"):
        for path in sorted((_ROOT / folder).rglob("*.j2")):
            yield path.read_bytes()
    yield from (
        b"{% macro f(x) %}{{ x }}{% endmacro %}{{ f(params.a) }}{% call f(1) %}{% endcall %}",
        b"{% for k, v in config.items() recursive %}{{ loop.index }}{{ loop(v) if v is mapping }}{% endfor %}",
        b"{% set ns = namespace(x='a') %}{% for i in range(9) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
        b"{% filter upper %}{{ release.id }}{% endfilter %}{% raw %}{{ x }}{% endraw %}{# c #}",
        b"{{ config | to_yaml | indent(2) }}{{ config | to_json(indent=2) }}{{ config | to_toml }}",
        b"{{ [3, 1] | sort | map('string') | join(',') }}{{ '%05d' | format(3) }}{{ 'x'.center(9) }}{{ 2 ** 9 }}",
        b"{% include 'any.yaml.j2' %}{% import 'any.yaml.j2' as a %}{% extends 'any.yaml.j2' %}",
        b"{{ ''.__class__.__mro__ }}{{ config.__init__.__globals__ }}{{ cycler.__init__ }}",
        b"{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
    )


def expressions() -> Iterator[bytes]:
    """Yield every expression in those files, without its delimiters as well, and attempts to get out."""
    found = {match for content in documents() for match in _EXPRESSION.findall(content)}
    for one in sorted(found):
        yield one
        yield one[2:].rstrip(b"}")
    yield from (
        b"''.__class__.__mro__[1].__subclasses__()",
        b"params.__init__.__globals__['os'].system('id')",
        b"config['__class__']",
        b"(params.a ~ 'x' * 10) | replace('x', 'y' * 100)",
        b"1 if a else 2 ? 3 : 4",
        b"[1, 2][0:1] | join(',') | tojson",
        b"{'a': {'b': 1}}.a.b // 0",
        b"((((((((((1))))))))))",
        b"'\\ud800' ~ \"\\x00\"",
        b"9" * 400,
    )
