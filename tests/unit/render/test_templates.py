from __future__ import annotations

from typing import Any

import pytest

from f0ci.core.errors import InputError
from f0ci.render.templates import Templates, with_parts
from f0ci.source.tree import MemoryTree

_SCOPE: dict[str, Any] = {
    "config": {"a": {"list": [1, "x"], "items": "own", "off": False}, "none": None, "text": 'q"<&>', "n": 1.5},
    "environment": with_parts("dev", {"type": "development", "name": "sandbox"}),
    "release": with_parts("ab" * 32, {"digest": "ab" * 32, "id": "abababababab"}),
    "params": {},
    "rollout": {"releases": [], "traffic": {}},
}


def _render(text: str, name: str = "x.txt", **others: str) -> str:
    files = {f"templates/{name}.j2": text} | {f"templates/{other}": content for other, content in others.items()}
    tree = MemoryTree({path: content.encode() for path, content in files.items()})
    rendered = {file.path: file for file in Templates(tree, "templates", files).render(files, _SCOPE)}
    assert rendered[name].source == f"templates/{name}.j2"
    return rendered[name].content.decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, with a line end\n", "plain, with a line end\n"),
        ("{{ environment }} {{ environment.type }} {{ environment['name'] }}", "dev development sandbox"),
        ("{{ release.id }} {{ release.digest[:4] }} {{ release | length }}", "abababababab abab 64"),
        # values that are no text are written as JSON, as expressions in recipes write them
        ("{{ config.a.off }} {{ config.none }} {{ config.n }}", "false null 1.5"),
        ("{{ config.a.list }}", '[1,"x"]'),
        # nothing is escaped
        ("{{ config.text }}", 'q"<&>'),
        ("{{ config.text | to_json }}", '"q\\"<&>"'),
        ("{{ config.text | tojson }}", '"q\\"<&>"'),
        ("{{ {'b': 1, 'a': [true]} | to_json }}", '{"a": [true], "b": 1}'),
        ("{{ {'a': 1} | to_json(indent=1) }}", '{\n "a": 1\n}'),
        ("{{ 'a\u2028b\x85c\x7fd' | to_json }}", '"a\\u2028b\\u0085c\\u007fd"'),
        ("{{ {'b': [1, 'yes'], 'a': none} | to_yaml }}", "b:\n- 1\n- 'yes'\na: null"),
        ("{{ environment | to_yaml }}|{{ release | to_json | length }}", "dev|66"),
        ("{{ 5 | to_yaml }}", "5"),
        # a key comes before a method of the same name
        ("{{ config.a.items }}", "own"),
        ("{% for k, v in rollout.traffic.items() %}{{ k }}{% else %}none{% endfor %}", "none"),
        ("{{ config.nothing | default('d') }}{% if config.nothing is defined %}x{% endif %}", "d"),
        ("{% set ns = namespace(n=0) %}{% for i in range(3) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "3"),
    ],
)
def test_render(text: str, expected: str) -> None:
    assert _render(text) == expected


def test_templates_use_each_other() -> None:
    parts = {
        "_base.j2": "<{% block body %}{% endblock %}>",
        "lib/_macros.j2": "{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}",
        "lib/plain.txt.j2": "{{ environment }}",
    }
    text = (
        "{% extends '_base.j2' %}{% import 'lib/_macros.j2' as m %}"
        "{% block body %}{{ m.twice('a') }}{% include 'lib/plain.txt.j2' %}{% endblock %}"
    )

    assert _render(text, **parts) == "<aadev>"


def test_templates_that_begin_with_a_line_are_only_for_others() -> None:
    tree = MemoryTree({"templates/_a.j2": b"{{ broken", "templates/b.j2": b"b"})

    paths = ["templates/_a.j2", "templates/b.j2"]
    rendered = list(Templates(tree, "templates/", paths).render(paths, _SCOPE))

    assert [(file.path, file.content) for file in rendered] == [("b", b"b")]


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("a\n{{ confg }}", 2, "the name 'confg' is not defined", "did you mean 'config'?"),
        ("\n\n{{ config.a.lst }}", 3, "'config.a' has no key 'lst'", "did you mean 'list'?"),
        ("{{ config.a.lst.x }}", 1, "'config.a' has no key 'lst'", "did you mean 'list'?"),
        ("{{ rollout.traffic.x }}", 1, "'rollout.traffic' has no key 'x'", "it is empty"),
        ("{{ release.ident }}", 1, "'release' has no key 'ident'", "its keys: digest, id"),
        ("{{ {'a': 1}.b }}", 1, "a mapping has no key 'b'", "its keys: a"),
        ("{{ config.a.list[7] }}", 1, "'config.a.list' is a list, so it has no 7", None),
        ("{{ config.text.x }}", 1, "'config.text' is text, so it has no 'x'", None),
        ("{{ config.none.x }}", 1, "'config.none' is null, so it has no 'x'", None),
        ("{{ config.nothing | to_json }}", 1, "'config' has no key 'nothing'", None),
        ("{{ config.nothing | to_yaml }}", 1, "'config' has no key 'nothing'", None),
        ("{{ config.nothing + 1 }}", 1, "'config' has no key 'nothing'", None),
        (
            "a\n{% if %}{% endif %}",
            2,
            "not a valid template: expected an expression, got 'end of statement block'",
            None,
        ),
        ("{{ 'x' | frobnicate }}", 1, "not a valid template: no filter named 'frobnicate'", None),
        ("{{ [1] | random }}", 1, "not a valid template: no filter named 'random'", None),
        ("{{ lipsum() }}", 1, "the name 'lipsum' is not defined", None),
        ("{% include 'lib/nothing.j2' %}", 1, "there is no template 'lib/nothing.j2'", "templates: x.txt.j2"),
        ("{% include '../secrets.j2' %}", 1, "there is no template '../secrets.j2'", None),
        ("{{ 1 // 0 }}", 1, "cannot be rendered: integer division or modulo by zero", "check the types of the values"),
        ("{{ config.a + 1 }}", 1, "cannot be rendered: unsupported operand type(s)", "check the types of the values"),
        # what would be written differently each time, or is never meant
        ("{{ config.values }}", 1, "a builtin_function_or_method cannot be written as text", "call it"),
        ("{{ rollout.keys() }}", 1, "a dict_keys cannot be written as text", None),
        ("{{ range }}", 1, "a function cannot be written as text", None),
        # the sandbox
        ("{{ config.__class__ }}", 1, "access to attribute '__class__' of 'dict' object is unsafe", None),
        ("{{ config.update({'a': 1}) }}", 1, "access to attribute 'update' of 'dict' object is unsafe", None),
        ("{{ config.a.list.append(1) }}", 1, "access to attribute 'append' of 'list' object is unsafe", None),
        ("{{ ''.__class__.__mro__ }}", 1, "access to attribute '__class__' of 'str' object is unsafe", None),
        ("{{ '{0.__class__}'.format(1) }}", 1, "access to attribute '__class__' of 'int' object is unsafe", None),
    ],
)
def test_a_wrong_template(text: str, line: int, message: str, hint: str | None) -> None:
    with pytest.raises(InputError) as raised:
        _render(text)

    assert raised.value.message.startswith(message)
    assert raised.value.place == f"templates/x.txt.j2:{line}"
    if hint is not None:
        assert str(raised.value.hint).startswith(hint)


def test_the_place_is_the_file_at_fault() -> None:
    with pytest.raises(InputError) as raised:
        _render("{% import '_m.j2' as m %}\n{{ m.f({}) }}", **{"_m.j2": "\n{% macro f(x) %}\n{{ x.y }}{% endmacro %}"})

    assert raised.value.place == "templates/_m.j2:3"


def test_a_part_that_another_template_does_not_have() -> None:
    with pytest.raises(InputError) as raised:
        _render("{% from '_m.j2' import thing %}\n{{ thing }}", **{"_m.j2": "x"})

    assert "does not export the requested name 'thing'" in raised.value.message
    assert raised.value.place == "templates/x.txt.j2:2"


def test_a_release_that_is_not_known() -> None:
    scope = {name: value for name, value in _SCOPE.items() if name != "release"}
    tree = MemoryTree({"t/a.j2": b"{{ release.id }}"})

    with pytest.raises(InputError) as raised:
        list(Templates(tree, "t", ["t/a.j2"]).render(["t/a.j2"], scope))

    assert (raised.value.message, raised.value.hint) == ("'release' is not known here", "render for a release")


def test_a_template_that_is_not_utf8() -> None:
    tree = MemoryTree({"t/a.j2": b"\xff"})

    with pytest.raises(InputError) as raised:
        list(Templates(tree, "t", ["t/a.j2"]).render(["t/a.j2"], _SCOPE))

    assert (raised.value.message, raised.value.place) == ("the template is not UTF-8", "t/a.j2")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "a: 1\n---\nb: {c: 2}\n"),
        ("a.yml", "Fn: !Sub x\nx: &x [1]\ny: *x\nz:\n  <<: {a: 1}\n  b: 2\n"),
        ("a.yaml", ""),
        ("a.json", '{"a": [1, null]}'),
        ("a.txt", "a: [1"),
        ("a.conf", "{"),
    ],
)
def test_what_is_rendered_can_be_read(name: str, text: str) -> None:
    assert _render(text, name) == text


@pytest.mark.parametrize(
    ("name", "text", "message", "hint"),
    [
        ("a.yaml", "a:\n  - {{ config.n }}\n b: 1", "not valid YAML", "see its line 3: 'b: 1'"),
        ("a.yml", "a: @{{ config.text }}", "not valid YAML", None),
        ("a.yaml", "a: *nowhere", "not valid YAML: found undefined alias", "see its line 1: 'a: *nowhere'"),
        ("a.yaml", "x:\n  a: 1\n---\ny:\n  b: 1\n  b: 2", "the key 'b' is written twice", "see its line 6: 'b: 2'"),
        ("a.yaml", "a: 1\nb: \x01", "not valid YAML", None),
        ("a.json", "{'a': 1}", "not valid JSON", "see its line 1: \"{'a': 1}\""),
        ("a.json", '{"a": {{ config.n }},}', "not valid JSON", "see its line 1: '{\"a\": 1.5,}'"),
        ("a.json", '{"a": 1,\n"a": 2}', "the key 'a' is written twice", "see its line 2: '\"a\": 2}'"),
        ("a.json", "", "not valid JSON", "see its line 1"),
    ],
)
def test_what_cannot_be_read_is_refused(name: str, text: str, message: str, hint: str | None) -> None:
    with pytest.raises(InputError) as raised:
        _render(text, name)

    assert raised.value.message.startswith(f"renders {name!r} wrongly: {message}")
    assert raised.value.place == f"templates/{name}.j2"
    if hint is not None:
        assert raised.value.hint == hint
