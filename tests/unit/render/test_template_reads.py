from __future__ import annotations

import pytest

from f0ci.render.templates import Templates
from f0ci.source.tree import MemoryTree


@pytest.mark.parametrize(
    ("template", "reads"),
    [
        ("plain", set()),
        ("{{ config.a.b }}", {("config", "a", "b")}),
        ("{{ config['a'].b }}", {("config", "a", "b")}),
        ("{{ config.a[name] }}", {("config", "a"), ("name",)}),
        ("{% for x in config.list %}{{ x.y }}{% endfor %}", {("config", "list"), ("x", "y"), ("x",)}),
        ("{{ config | to_yaml }}", {("config",)}),
        ("{{ config.a if release else rollout.active }}", {("config", "a"), ("release",), ("rollout", "active")}),
        ("{{ config.a.items() }}", {("config", "a", "items")}),
        ("{% include '_part.j2' %}", {("config", "part")}),
        ("{% include config.which %}", {()}),
        ("{% from '_macro.j2' import show %}{{ show(1) }}", {("show",), ("x",), ("params", "p")}),
    ],
)
def test_names_are_found_as_far_as_they_are_written_out(template: str, reads: set[tuple[str, ...]]) -> None:
    files = {
        "t/a.j2": template,
        "t/_part.j2": "{{ config.part }}",
        "t/_macro.j2": "{% macro show(x) %}{{ x }}{{ params.p }}{% endmacro %}",
    }
    tree = MemoryTree({path: text.encode() for path, text in files.items()})

    assert Templates(tree, "t", list(files)).reads("t/a.j2") == reads
