"""Cutting texts into stretches and expressions, and the names these use."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from f0ci.core.errors import InputError
from f0ci.expressions.parsing import (
    Expression,
    ExpressionError,
    Reference,
    parse,
    parse_condition,
    references,
    texts,
)

_ALPHABET = "#{}'\"()[]|?:.,~+-*/%<>=!& \t\nab1_\\é#{{}}"


def _read(text: str) -> tuple[Reference, ...] | ExpressionError:
    try:
        return references(text)
    except ExpressionError as error:
        return error


def _names(value: Any) -> list[tuple[str, tuple[str | int, ...]]]:
    return [(reference.root, reference.path) for reference in references(value)]


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", []),
        ("plain", ["plain"]),
        ("#{a}", [("a",)]),
        ("{{ a }}", [(" a ",)]),
        ("x #{a}{{b}} y", ["x ", ("a",), ("b",), " y"]),
        ("${A} {% if %} {# no #} #a {b}", ["${A} {% if %} {# no #} #a {b}"]),
        ("##{a}", ["#", ("a",)]),
        ("{#{a}}", ["{", ("a",), "}"]),
        ("#{ {'a': {'b': 1}}['a'] }", [(" {'a': {'b': 1}}['a'] ",)]),
        ("{{ {'a': {'b': 1}} }}", [(" {'a': {'b': 1}} ",)]),
        ("#{'}'}{{ '}}' }}", [("'}'",), (" '}}' ",)]),
        ("#{'it\\'s }'}!", [("'it\\'s }'",), "!"]),
        ("#{a\n}", [("a\n",)]),
    ],
)
def test_a_text_is_cut_at_its_delimiters(text: str, segments: list[Any]) -> None:
    template = parse(text)

    found = [segment if isinstance(segment, str) else (segment.code,) for segment in template.segments]
    assert found == segments
    assert template.is_plain == (not template.expressions)
    assert (template.whole is not None) == (len(segments) == 1 and isinstance(segments[0], tuple))


def test_the_places_of_an_expression_count_from_the_beginning_of_the_text() -> None:
    text = "é #{ a } {{b}}"
    first, second = parse(text).expressions

    assert (text[first.start : first.end], text[first.offset : first.offset + 3]) == ("#{ a }", " a ")
    assert (text[second.start : second.end], text[second.offset]) == ("{{b}}", "b")


@settings(deadline=None)
@given(st.text().filter(lambda text: "#{" not in text and "{{" not in text))
def test_text_without_delimiters_stays_as_it_is(text: str) -> None:
    template = parse(text)

    assert template.is_plain
    assert "".join(segment for segment in template.segments if isinstance(segment, str)) == text
    assert references(text) == ()


@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from(["#{a.b}", "{{ c }}", "#{context.get('k')}"]), st.text("ab #$}\n"))))
def test_segments_put_together_are_the_text(parts: list[str]) -> None:
    text = "".join(parts)
    try:
        template = parse(text)
    except ExpressionError:
        # a '#' of one part and a '{{' of the next make another delimiter
        assert "#{{" in text
        return
    pieces = [s if isinstance(s, str) else text[s.start : s.end] for s in template.segments]

    assert "".join(pieces) == text
    assert all(isinstance(segment, Expression) or segment for segment in template.segments)


@pytest.mark.parametrize(
    ("text", "offset", "message", "hint"),
    [
        ("ab #{a", 3, "the expression is not closed", "end it with '}'"),
        ("ab {{ a }", 3, "the expression is not closed", "end it with '}}'"),
        ("ab {{ a } }}", 8, "unexpected '}'", "expected an operator, or the end of the expression"),
        ("{{ a", 0, "the expression is not closed", "end it with '}}'"),
        ("#{}", 2, "the expression ends too early", "expected a value"),
        ("#{ }", 3, "the expression ends too early", "expected a value"),
        ("#{a b}", 4, "unexpected 'b'", "expected an operator, or the end of the expression"),
        ("x #{a == }", 9, "the expression ends too early", "expected a value"),
        ("#{a = 1}", 4, "unexpected '='", "write '==' to compare"),
        ("#{a && b}", 4, "unexpected '&&'", "write 'and'"),
        ("#{a || b}", 4, "unexpected '||'", "write 'or'"),
        ("#{!a}", 2, "unexpected '!'", "write 'not'"),
        ("#{2 ** 9}", 4, "unexpected '**'", "powers are left to scriptlets"),
        ("#{'a}", 2, "the text is not closed", "end it with '"),
        ("#{a; b}", 3, "';' is not part of the expression language", "quote it where it is meant as text"),
        ("#{a._b}", 4, "the attribute '_b' is private", "write ['...'] where it is a key of your data"),
        ("#{__import__}", 2, "the name '__import__' is private", "names do not begin with '_'"),
        ("#{open('x')}", 6, "expressions call nothing but context.get and context.has", None),
        (
            "#{a.b.upper()}",
            11,
            "expressions call nothing but context.get and context.has",
            "write the filter `| upper`",
        ),
        ("#{upper(a)}", 7, "expressions call nothing but context.get and context.has", "write the filter `| upper`"),
        ("#{a.get('x')}", 7, "expressions call nothing but context.get and context.has", None),
        ("#{context.set('a', 1)}", 10, "expressions cannot call 'context.set'", "did you mean 'get'?"),
        ("#{context.get()}", 13, "'context.get' was given 0 arguments", None),
        ("#{context.has('a', 1)}", 13, "'context.has' was given 2 arguments", "write context.has('key')"),
        ("#{a | lenght}", 6, "there is no filter 'lenght'", "did you mean 'length'?"),
        ("#{a | attr('x')}", 6, "there is no filter 'attr'", None),
        ("#{a is defned}", 7, "there is no test 'defned'", "did you mean 'defined'?"),
        ("#{a | lower(1)}", 6, "too many arguments for the filter 'lower'", "it takes no arguments"),
        ("#{a | round(digits=1)}", 12, "the filter 'round' has no argument 'digits'", None),
        ("#{a | sort(reverse=true, reverse=true)}", 25, "the argument 'reverse' is given twice", None),
        ("#{a | round(precision=1, 'floor')}", 25, "unexpected 'floor'", None),
        ("#{a ? 1}", 7, "the expression ends too early", "expected ':'"),
        ("#{a if b}", 8, "the expression ends too early", "expected 'else'"),
        ("#{a.}", 4, "the expression ends too early", "expected a key after '.'"),
        ("#{[1, 2}", 7, "the expression ends too early", "expected ']'"),
        ("#{(1}", 4, "the expression ends too early", "expected ')'"),
        ("#{(1] }", 4, "unexpected ']'", "expected ')'"),
        ("#{007}", 2, "the number 007 begins with 0", "write 7, or quote it"),
        ("#{" + "9" * 101 + "}", 2, "the number has more than 100 digits", None),
        ("#{1e999}", 2, "the number 1e999 is too large", None),
        ("{{- a }}", 2, "'{{-' does not trim blanks here", "put a blank after '{{' where a sign is meant"),
        ("#{" + "(" * 50 + "a" + ")" * 50 + "}", 42, "the expression is nested deeper than 40 levels", None),
        ("#{a" + "+a" * 50 + "}", 2, "the expression is nested deeper than 40 levels", None),
        ("#{" + "a " * 6000 + "}", 2, "the expression is longer than 10,000 characters", None),
    ],
)
def test_what_is_not_in_the_language_is_refused_at_its_place(
    text: str, offset: int, message: str, hint: str | None
) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)

    assert (caught.value.offset, caught.value.message) == (offset, message)
    if hint is not None:
        assert caught.value.hint == hint
    assert isinstance(caught.value, InputError)


@pytest.mark.parametrize(
    ("text", "root", "path", "fields"),
    [
        ("#{config.a.b}", "config", ("a", "b"), {}),
        ("a {{ steps.X.outputs.Y }}", "steps", ("X", "outputs", "Y"), {}),
        ("#{config['a b'][0].c}", "config", ("a b", 0, "c"), {}),
        ("#{config.list.0[-1]}", "config", ("list", 0, -1), {}),
        ("#{environment}", "environment", (), {}),
        ("#{context.get('k')}", "context", ("k",), {"call": "get"}),
        ("#{context.get('k', 1)}", "context", ("k",), {"call": "get", "has_default": True}),
        ("#{context.has('k')}", "context", ("k",), {"call": "has", "has_default": True}),
        ("#{params.x | default(1)}", "params", ("x",), {"has_default": True}),
        ("#{(params.x) | default(1) | int}", "params", ("x",), {"has_default": True}),
        ("#{params.x is defined}", "params", ("x",), {"has_default": True}),
        ("#{params.x is none}", "params", ("x",), {"has_default": False}),
        ("#{params.x | int(0)}", "params", ("x",), {"has_default": False}),
        ("#{config.a[1 + 1].b}", "config", ("a",), {"is_open": True}),
        ("#{config.a[1 + 1].b | default(0)}", "config", ("a",), {"is_open": True, "has_default": True}),
        ("#{context.get('a' ~ 'b')}", "context", (), {"call": "get", "is_open": True}),
        ("#{config.name[:8]}", "config", ("name",), {}),
    ],
)
def test_a_reference_says_what_it_uses(
    text: str, root: str, path: tuple[str | int, ...], fields: dict[str, Any]
) -> None:
    (reference,) = references(text)

    assert (reference.root, reference.path) == (root, path)
    found = {name: getattr(reference, name) for name in ("call", "has_default", "is_open")}
    assert found == {"call": None, "has_default": False, "is_open": False, **fields}
    assert text[reference.offset : reference.end] == reference.text
    assert reference.text.startswith(root)
    for key, offset in zip(path, reference.parts, strict=True):
        assert text[offset:].lstrip("'").startswith(str(key))


def test_all_references_of_an_expression_are_found_in_written_order() -> None:
    text = "{{ a ? b.c : [d, {'k': e}] }} #{not f in (g, h) and i[j.k] | replace(l, new=m) == -n}"

    assert [reference.root for reference in references(text)] == list("abdefghijlmn")
    assert references("'#{a}'")[0].offset == 3


def test_references_in_data_carry_the_path_of_their_text() -> None:
    data = {"a": ["x", "#{p.q}"], "b": {"c": "{{ r }} {{ s }}"}, "d": 3, "#{key}": None}

    assert references(data) == (
        Reference("p", ("q",), "p.q", 2, at=("a", 1), parts=(4,)),
        Reference("r", (), "r", 3, at=("b", "c")),
        Reference("s", (), "s", 11, at=("b", "c")),
    )
    assert dict(texts(data)) == {("a", 1): "#{p.q}", ("b", "c"): "{{ r }} {{ s }}"}


def test_an_error_in_data_carries_the_path_of_its_text() -> None:
    with pytest.raises(ExpressionError) as caught:
        references({"a": ["#{ok}", "x #{a b}"]})

    assert (caught.value.at, caught.value.offset) == (("a", 1), 6)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("params.x == 'a'", [("params", ("x",))]),
        ("  #{params.x}\n", [("params", ("x",))]),
        ("{{ a and b }}", [("a", ()), ("b", ())]),
        ("true", []),
    ],
)
def test_a_condition_is_one_expression_with_or_without_delimiters(
    text: str, names: list[tuple[str, tuple[str, ...]]]
) -> None:
    template = parse_condition(text)

    assert _names(template) == names
    assert all(text[reference.offset : reference.end] == reference.text for reference in references(template))


@pytest.mark.parametrize(
    ("text", "offset"),
    [("", 0), ("  ", 0), ("#{a} == 'b'", 5), ("not #{a}", 0), ("  x #{a}", 2), ("#{a} {{ b }}", 5), ("a b", 2)],
)
def test_a_condition_that_would_always_be_true_is_refused(text: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_condition(text)

    assert caught.value.offset == offset


@settings(deadline=None, max_examples=400)
@given(st.text(_ALPHABET, max_size=60))
@example("#{" * 5000)
@example("{{" * 5000)
@example("#{'" + "\\" * 5000)
@example("#{" + "[" * 5000)
@example("#{" + "not " * 2000 + "a}")
@example("#{" + "-" * 5000 + "a}")
@example("#{" + "a ? " * 2000)
@example("#{a" + ".b" * 4000 + "}")
@example("#{a" + " | lower" * 1000 + "}")
@example("#{\x00}")
@example("#{\ud800}")
@example("#{" + "{" * 5000 + "}" * 5000)
def test_no_text_brings_anything_but_an_answer_or_an_expression_error(text: str) -> None:
    began = time.process_time()
    found = _read(text)

    assert time.process_time() - began < 5
    if isinstance(found, ExpressionError):
        assert 0 <= found.offset <= len(text)
    else:
        assert all(text[reference.offset : reference.end] == reference.text for reference in found)


@settings(deadline=None, max_examples=400)
@given(st.lists(st.sampled_from(["a", "b.c", "(", ")", "[", "]", "?", ":", ",", "|", "default", "is", "not", "in"])))
def test_every_error_lies_inside_the_expression(words: list[str]) -> None:
    text = f"x #{{{' '.join(words)}}}"
    found = _read(text)

    assert not isinstance(found, ExpressionError) or 2 <= found.offset < len(text)


def test_a_text_is_read_once() -> None:
    assert parse("a #{unique.name}") is parse("a #{unique.name}")


def test_reading_expressions_does_not_import_jinja() -> None:
    code = (
        "import sys; from f0ci.expressions.parsing import parse, references; parse('text'); "
        "plain = 'f0ci.expressions.grammar' in sys.modules; references({'a': '#{b.c | default(1)}'}); "
        "print(plain, 'jinja2' in sys.modules, 'f0ci.expressions.grammar' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout.split() == ["False", "False", "True"]
