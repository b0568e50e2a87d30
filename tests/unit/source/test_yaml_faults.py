"""What people did where libyaml stops: a row for each mistake that is common."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.source.yaml import read_yaml

# text, place, message, hint, and the other place with what it says
MISTAKES: list[tuple[str, str, str, str, str | None]] = [
    (
        "env: {A: #{params.a}, B: c}\nrun: x\n",
        "2:4",
        "neither ',' nor '}' follows in what '{' opens",
        "put '#{...}' in quotes: a '#' behind a blank begins a comment",
        "1:6 opened here",
    ),
    (
        "a: [#{b}]\n",
        "1:4",
        "the '[' that opens here is never closed",
        "put '#{...}' in quotes: a '#' behind a blank begins a comment",
        None,
    ),
    ("name: @build\n", "1:7", "no plain value begins with '@'", "put the value in quotes", None),
    ("- run: `date`\n", "1:8", "no plain value begins with '`'", "put the value in quotes", None),
    ("a: %x\n", "1:4", "no plain value begins with '%'", "put the value in quotes", None),
    (
        'a: "C:\\path"\n',
        "1:7",
        "'\\p' begins no escape that double quotes know",
        "write '\\\\' for a backslash, or use single quotes",
        None,
    ),
    (
        'a: "\\xzz"\n',
        "1:5",
        "'\\x' begins no escape that double quotes know",
        "write '\\\\' for a backslash, or use single quotes",
        None,
    ),
    ('a: "b\nc: d\n', "1:4", "the quote that opens here is never closed", 'close it with "', None),
    (
        "a: 'it's'\n",
        "1:8",
        "text stands behind the closing '",
        "write '' for a quote inside single quotes, or put the whole value in double quotes",
        None,
    ),
    ("a: it's\nb: 'x\n", "2:4", "the quote that opens here is never closed", "close it with '", None),
    (
        "a: [b, c\nd: e\n",
        "2:2",
        "neither ',' nor ']' follows in what '[' opens",
        "close it with ']', or write a ',' between values and quotes around what holds ': ' or a bracket",
        "1:4 opened here",
    ),
    ("a: [b, c\n", "1:4", "the '[' that opens here is never closed", "close it with ']'", None),
    (
        "a: {b: c\nd: e\n",
        "2:2",
        "neither ',' nor '}' follows in what '{' opens",
        "close it with '}', or write a ',' between values and quotes around what holds ': ' or a bracket",
        "1:4 opened here",
    ),
    ("a: {b: c\n", "1:4", "the '{' that opens here is never closed", "close it with '}'", None),
    ("a: [\n", "1:4", "the '[' that opens here is never closed", "close it with ']'", None),
    ("a: ]\n", "1:4", "nothing is open that this ']' closes", "remove it, or quote the value", None),
    ("a: [b]]\n", "1:7", "nothing is open that this ']' closes", "remove it, or quote the value", None),
    (
        "a: {b: [c}\n",
        "1:10",
        "neither ',' nor ']' follows in what '[' opens",
        "close it with ']', or write a ',' between values and quotes around what holds ': ' or a bracket",
        "1:8 opened here",
    ),
    ("a:\n  - name a\n    run: x\n", "2:3", "the line is no key: it has no ':'", "write 'key: value'", None),
    ("a: b: c\n", "1:5", "a second ':' stands in the line", "quote a value that holds ': '", None),
    (
        "-name: a\n run: b\n",
        "1:1",
        "no blank follows the '-' that begins an item",
        "write a blank behind the '-'",
        None,
    ),
    (
        "s:\n  - name: a\n   run: b\n",
        "3:4",
        "the line is indented by 3, like nothing above it",
        "indent it by 2 or 4",
        None,
    ),
    (
        "s:\n  - name: a\n    run: b\n - name: c\n",
        "4:2",
        "the line is indented by 1, like nothing above it",
        "indent it by 0 or 2",
        None,
    ),
    (
        "a: 1\n b: 2\n",
        "2:3",
        "the line is indented below a key that has a value already",
        "indent it like the line before, or remove that value",
        "1:1 the value",
    ),
    (
        "  a: 1\nb: 2\n",
        "2:1",
        "the document ends before this line",
        "indent it like the first line, or remove it",
        None,
    ),
    ('a: "b" && c\n', "1:8", 'text stands behind the closing "', "put the whole value in quotes", None),
    (
        "a: 'b' c\n",
        "1:8",
        "text stands behind the closing '",
        "write '' for a quote inside single quotes, or put the whole value in double quotes",
        None,
    ),
    ("- 'b': c\n- \"x\" y\n", "2:7", 'text stands behind the closing "', "put the whole value in quotes", None),
    (
        "a: 1\nfoo\nb: 2\n",
        "2:1",
        "the line is no key: it has no ':'",
        "write 'key: value', or indent it below its key",
        None,
    ),
    ("a:\n  foo bar\n  b: 2\n", "2:3", "the line is no key: it has no ':'", "write 'key: value'", None),
    ("a: - b\n", "1:4", "a list begins on the line of its key", "begin it on the next line, or quote the value", None),
    (
        "a: *.txt\n",
        "1:4",
        "a value that begins with '*' is an alias, and no name follows",
        "put the value in quotes",
        None,
    ),
    (
        "a: &x\n  && b\n",
        "2:3",
        "a value that begins with '&' is an anchor, and no name follows",
        "put the value in quotes",
        None,
    ),
    (
        "a: && b\n",
        "1:4",
        "a value that begins with '&' is an anchor, and no name follows",
        "put the value in quotes",
        None,
    ),
    ("a: |text\n", "1:5", "text stands behind '|'", "begin the text on the next line", None),
    ("a: |\n    x\n  y\n", "3:3", "the line is indented by 2, like nothing above it", "indent it by 0 or 4", None),
    ("a: >-foo\n", "1:6", "text stands behind '>'", "begin the text on the next line", None),
    (
        "a: !Ref x\n",
        "1:4",
        "the tag '!Ref' is not one that recipes may use",
        "remove the tag, or put the value in quotes",
        None,
    ),
    ("a: !x!y z\n", "1:4", "the tag's prefix is not declared", "remove the tag, or put the value in quotes", None),
    (
        "a: 1\n... x\n",
        "2:5",
        "did not find expected <document start>",
        "check the indentation and the quotes of this line and the one before",
        None,
    ),
    ("[a]\nb: 1\n", "2:1", "the document ends before this line", "indent it like the first line, or remove it", None),
    (
        "a: !!python/name:x y\n",
        "1:4",
        "the tag 'tag:yaml.org,2002:python/name:x' is not one that recipes may use",
        "remove the tag, or put the value in quotes",
        None,
    ),
    ("%a: b\n", "1:3", "a line that begins with '%' is a directive", "put the text in quotes", None),
    ("a: {{ b }}-c\n", "1:5", "'{{' begins a mapping here, no expression", "put the whole value in quotes", None),
    ("a: {% if x %}\n", "1:5", "no plain value begins with '%'", "put the value in quotes", None),
    ("a: , b\n", "1:4", "no plain value begins with ','", "put the value in quotes", None),
    (
        "a: ? b\n",
        "1:4",
        "mapping keys are not allowed in this context",
        "check the indentation and the quotes of this line and the one before",
        None,
    ),
    (
        "{a: b: c}\n",
        "1:6",
        "neither ',' nor '}' follows in what '{' opens",
        "close it with '}', or write a ',' between values and quotes around what holds ': ' or a bracket",
        "1:1 opened here",
    ),
    (
        "- a\nb: c\n",
        "2:1",
        "a key stands where an item of a list belongs",
        "begin it with '- ', or indent it otherwise",
        "1:1 the list begins here",
    ),
    (
        "b: c\n- a\n",
        "2:1",
        "a list item stands where a key belongs",
        "indent it below the key that it belongs to",
        "1:1 the keys begin here",
    ),
    (
        "a: \x07\n",
        "1:4",
        "unacceptable character #x0007: control characters are not allowed",
        "remove it, or write its escape in double quotes",
        None,
    ),
    ("a: *\n", "1:4", "a value that begins with '*' is an alias, and no name follows", "put the value in quotes", None),
    ("a: !!int ''\n", "1:4", "'' is not a value of 'int'", "correct the value, or put it in quotes", None),
    ("a: !!float x\n", "1:4", "'x' is not a value of 'float'", "correct the value, or put it in quotes", None),
    (
        "name: x\nsteps:\n  - name: a\n  foo: b\n",
        "4:3",
        "a key stands where an item of a list belongs",
        "begin it with '- ', or indent it otherwise",
        "3:3 the list begins here",
    ),
    (
        "a: [b: c: d]\n",
        "1:9",
        "neither ',' nor ']' follows in what '[' opens",
        "close it with ']', or write a ',' between values and quotes around what holds ': ' or a bracket",
        "1:4 opened here",
    ),
    (
        "a: {b: [1, 2}\nc: d\n",
        "1:13",
        "neither ',' nor ']' follows in what '[' opens",
        "close it with ']', or write a ',' between values and quotes around what holds ': ' or a bracket",
        "1:8 opened here",
    ),
    (
        "a:\n  - b\n  c: d\n",
        "3:3",
        "a key stands where an item of a list belongs",
        "begin it with '- ', or indent it otherwise",
        "2:3 the list begins here",
    ),
]


@pytest.mark.parametrize(("text", "place", "message", "hint", "other"), MISTAKES)
def test_a_mistake_is_told_at_its_place(text: str, place: str, message: str, hint: str, other: str | None) -> None:
    """What, where and what next; the words of the grammar stay inside."""
    (problem,) = read_yaml(text.encode()).problems

    assert f"{problem.span.line}:{problem.span.column}" == place
    assert problem.message.removeprefix("not valid YAML: ") == message
    assert problem.hint == hint
    first = problem.first
    assert (f"{first.line}:{first.column} {problem.says}" if first else None) == other


@given(st.text(alphabet="ab:-[]{}'\"&*|>,# \n\t@%\\\u2028\x85", max_size=40))
def test_whatever_is_wrong_has_a_place_in_the_text(text: str) -> None:
    """Nothing that libyaml refuses makes the explanation fail."""
    lines = text.count("\n") + text.count("\u2028") + text.count("\x85") + 1
    for problem in read_yaml(text.encode()).problems:
        assert 1 <= problem.span.line <= lines + 1
        assert problem.span.column >= 1
        assert problem.message
