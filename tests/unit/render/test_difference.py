from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.render.difference import Change, ValueChange, compare, to_json, to_text
from tests.conftest import Golden

_SHOP = Path(__file__).parents[2] / "cases/render/shop"


def _files(folder: str) -> dict[str, bytes]:
    root = _SHOP / folder
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _config(data: Any) -> dict[str, bytes]:
    return {"config.json": json.dumps(data).encode()}


def _recipe(steps: str, head: str = "name: r") -> dict[str, bytes]:
    return {"recipes/r.yaml": f"{head}\nsteps:\n{steps}".encode()}


def test_from_development_to_production(golden: Golden) -> None:
    difference = compare(_files("dev"), _files("prod"))

    golden.check("render/dev-to-prod.txt", to_text(difference))
    golden.check("render/dev-to-prod.json", json.dumps(to_json(difference), indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({"a": 1}, {"a": 2}, [ValueChange(("a",), Change.CHANGED, 1, 2)]),
        ({"a": {"b": 1, "c": 1}}, {"a": {"c": 1}}, [ValueChange(("a", "b"), Change.REMOVED, 1, None)]),
        (
            {},
            {"a": {"b": {"c": 1}, "d": {}}},
            [ValueChange(("a", "b", "c"), Change.ADDED, None, 1), ValueChange(("a", "d"), Change.ADDED, None, {})],
        ),
        ({"a": [1, 2]}, {"a": [2, 1]}, [ValueChange(("a",), Change.CHANGED, [1, 2], [2, 1])]),
        ({"a": {"b": 1}}, {"a": 1}, [ValueChange(("a",), Change.CHANGED, {"b": 1}, 1)]),
        # equal to Python, and different to whoever reads the file
        ({"a": 1}, {"a": True}, [ValueChange(("a",), Change.CHANGED, 1, True)]),
        ({"a": [1]}, {"a": [1.0]}, [ValueChange(("a",), Change.CHANGED, [1], [1.0])]),
        (
            {"p": "secret://a"},
            {"p": "secret://b"},
            [ValueChange(("p",), Change.CHANGED, "secret://a", "secret://b")],
        ),
        # the order of keys says nothing
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
    ],
)
def test_configuration_by_key(old: Any, new: Any, changes: list[ValueChange]) -> None:
    (file,) = compare(_config(old), _config(new)).files

    assert (file.change, list(file.values), file.lines) == (Change.CHANGED, changes, ())


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        (
            "- {name: a, args: {x: 1}}\n",
            "- {name: a, args: {x: 2}}\n",
            [ValueChange(("args", "x"), Change.CHANGED, 1, 2, "a")],
        ),
        (
            "- {name: a}\n- {name: b, idx: 2}\n",
            "- {name: c}\n- {name: a}\n",
            [
                ValueChange((), Change.REMOVED, {"idx": 2}, None, "b"),
                ValueChange((), Change.ADDED, None, {}, "c"),
            ],
        ),
        (
            "- {name: a}\n- {name: b}\n",
            "- {name: b}\n- {name: a}\n",
            [ValueChange(("steps",), Change.CHANGED, ["a", "b"], ["b", "a"])],
        ),
        (
            "- {name: a, condition: '#{params.x}'}\n",
            "- {name: a}\n",
            [ValueChange(("condition",), Change.REMOVED, "#{params.x}", None, "a")],
        ),
        # names that do not tell steps apart: all of them are one value
        (
            "- {name: a}\n- {name: a}\n",
            "- {name: a}\n",
            [ValueChange(("steps",), Change.CHANGED, [{"name": "a"}, {"name": "a"}], [{"name": "a"}])],
        ),
    ],
)
def test_recipes_by_step(old: str, new: str, changes: list[ValueChange]) -> None:
    (file,) = compare(_recipe(old), _recipe(new)).files

    assert list(file.values) == changes


def test_the_head_of_a_recipe_by_key() -> None:
    (file,) = compare(_recipe("- {name: a}", "metadata: {v: 1}"), _recipe("- {name: a}", "metadata: {v: 2}")).files

    assert list(file.values) == [ValueChange(("metadata", "v"), Change.CHANGED, 1, 2)]


@pytest.mark.parametrize(
    ("path", "old", "new", "lines"),
    [
        ("x.txt", b"a\nb\nc\n", b"a\nB\nc\n", ["@@ -1,3 +1,3 @@", " a", "-b", "+B", " c"]),
        ("x.txt", None, b"a\n", ["@@ -0,0 +1 @@", "+a"]),
        ("x.txt", b"a\n", None, ["@@ -1 +0,0 @@", "-a"]),
        ("x.txt", b"a\n", b"a", ["@@ -1 +1,2 @@", " a", "+\\ no line end here"]),
        ("x.txt", b"a\r\n", b"a\n", ["@@ -1 +1 @@", "-a\r", "+a"]),
        ("x.txt", None, b"", []),
        # only looks different, is broken, or is no recipe
        (
            "recipes/r.yaml",
            b"name: r\nsteps: []\n",
            b"name: 'r'\nsteps: []\n",
            ["@@ -1,2 +1,2 @@", "-name: r", "+name: 'r'", " steps: []"],
        ),
        ("recipes/r.yaml", b"steps: []\n", b"steps: [\n", ["@@ -1 +1 @@", "-steps: []", "+steps: ["]),
        ("recipes/n.yaml", b"a: 1\n", b"a: 2\n", ["@@ -1 +1 @@", "-a: 1", "+a: 2"]),
        ("config.json", b"{}\n", b"[]\n", ["@@ -1 +1 @@", "-{}", "+[]"]),
    ],
)
def test_everything_else_by_line(path: str, old: bytes | None, new: bytes | None, lines: list[str]) -> None:
    trees = ({path: content} if content is not None else {} for content in (old, new))

    (file,) = compare(*trees).files

    assert (list(file.lines), file.values) == (lines, ())


def test_what_is_no_text() -> None:
    difference = compare({"x.bin": b"\xff"}, {"x.bin": b"\xfe"})

    assert difference.files[0].is_binary
    assert to_text(difference) == "~ x.bin (binary)\n\n1 file: 1 changed\n"


_trees = st.dictionaries(
    st.sampled_from(["config.json", "recipes/a.yaml", "recipes/b.yaml", "x.txt", "y/z.json"]),
    st.sampled_from(
        [
            b"",
            b"{}",
            b'{"a": {"b": 1}}',
            b"name: r\nsteps:\n- {name: a}\n- {name: b, x: 1}\n",
            b"name: r\nsteps: 5",
            b"\xff",
        ]
    ),
)


@given(_trees, _trees)
def test_any_two_trees(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> None:
    there, back = compare(old, new), compare(new, old)

    assert there.is_empty == (old == new)
    assert [file.path for file in there.files] == [file.path for file in back.files]
    assert there.count(Change.ADDED) == back.count(Change.REMOVED)
    assert json.loads(json.dumps(to_json(there)))["summary"]["changed"] == there.count(Change.CHANGED)
    assert to_text(there).endswith("\n")


def test_nothing_changes() -> None:
    assert to_text(compare({"a": b"1"}, {"a": b"1"})) == "nothing changes\n"


def test_colours_and_codes_in_the_compared_text() -> None:
    difference = compare({"x": b"- item\nold\n"}, {"x": b"- item\n\x1b[2Jnew\xe2\x80\xae\n", "\x1b[1m": b""})

    assert to_text(difference, colour=True) == (
        "\x1b[32m+ \\x1b[1m\x1b[0m\n"
        "\x1b[33m~ x\x1b[0m\n"
        "\x1b[36m    @@ -1,2 +1,2 @@\x1b[0m\n"
        "     - item\n"
        "\x1b[31m    -old\x1b[0m\n"
        "\x1b[32m    +\\x1b[2Jnew\\u202e\x1b[0m\n"
        "\n"
        "2 files: 1 added, 1 changed\n"
    )


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ([{"name": "a", "x": 1}], [{"name": "a", "x": 2}], [(("l", "a", "x"), 1, 2)]),
        (
            [{"name": "a"}, {"name": "b", "x": 1}],
            [{"name": "a"}, {"name": "c"}],
            [(("l", "b", "x"), 1, None), (("l", "c"), None, {})],
        ),
        # another order, two of one name, or no name: the list as a whole
        ([{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a"}], None),
        ([{"name": "a"}, {"name": "a"}], [{"name": "a"}], None),
        ([{"x": 1}], [{"x": 2}], None),
        ([1], [2], None),
    ],
)
def test_items_of_lists_are_compared_by_name(
    old: list[Any], new: list[Any], changes: list[tuple[Any, Any, Any]] | None
) -> None:
    difference = compare(
        {"config.json": json.dumps({"l": old}).encode()}, {"config.json": json.dumps({"l": new}).encode()}
    )

    found = [(value.at, value.old, value.new) for value in difference.files[0].values]
    assert found == (changes if changes is not None else [(("l",), old, new)])


def _running(run: str) -> dict[str, bytes]:
    return {"recipes/r.yaml": json.dumps({"steps": [{"name": "a", "run": run}]}).encode()}


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        pytest.param(
            _running("one\ntwo\nthree\n"),
            _running("one\n2\nthree\n"),
            ["    ~ run:", "        @@ -1,3 +1,3 @@", "         one", "        -two", "        +2", "         three"],
            id="changed",
        ),
        pytest.param(
            {}, _running("one\n\n  two"), ["    + run:", "        + one", "        +", "        +   two"], id="added"
        ),
        pytest.param(_running("one\ntwo\n"), {}, ["    - run:", "        - one", "        - two"], id="removed"),
        pytest.param(
            _running("one\ntwo"),
            _running("one\ntwo\n"),
            ["    ~ run:", "        @@ -1,3 +1,2 @@", "         one", "         two", "        -\\ no line end here"],
            id="the last line's end",
        ),
        pytest.param(_running("one\n"), _running("two\n"), ['    ~ run: "one\\n" -> "two\\n"'], id="one line"),
    ],
)
def test_a_text_of_several_lines_is_shown_line_by_line(
    old: dict[str, bytes], new: dict[str, bytes], lines: list[str]
) -> None:
    """A command that changed can be read where a plan is approved."""
    _, _, *shown = to_text(compare(old, new)).splitlines()

    assert shown[:-2] == lines
