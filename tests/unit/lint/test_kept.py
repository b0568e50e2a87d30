"""What callers may ask of a recipe without reading it."""

from __future__ import annotations

from functools import partial
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.recipe_sets import make_set
from f0ci.lint.kept import KeptRecipe, called_recipe_from, interface_of, kept, kept_from, may_call
from f0ci.lint.source import Kind, Source
from f0ci.recipes.composition import sub_recipes
from f0ci.source.document import parse_document

_ASKED = attrgetter("path", "dialect", "name", "version", "description", "parameters", "declared", "timeout")


def source_of(text: bytes, path: str = "recipes/a.yaml") -> Source:
    document = parse_document(path, text)
    return Source(path, Kind.RECIPE, document, recipe=called_recipe_from(document))


def _itself(source: Source) -> Source:
    return source


def with_default(text: str) -> bytes:
    return f"metadata: {{name: a}}\nparameters:\n  - name: p\n    default: {text}\nsteps: []\n".encode()


@given(st.integers(0, 2**32))
def test_who_was_told_answers_as_the_file_does(seed: int) -> None:
    recipes = {path: text for path, text in make_set(4, seed=seed, faulty=0.5).files.items() if path.endswith(".yaml")}
    for path, text in recipes.items():
        document = parse_document(path, text)
        if document.broken:
            continue
        source = source_of(text, path)
        assert source.recipe is not None
        interface = interface_of(source)
        remembered = kept(source, partial(_itself, source))
        assert interface is not None
        assert remembered is not None
        for small in (kept_from(interface, partial(_itself, source)), remembered):
            assert (small.path, small.kind, small.document) == (path, Kind.RECIPE, document)
            assert isinstance(small.recipe, KeptRecipe)
            assert _ASKED(small.recipe) == _ASKED(source.recipe)
            assert (small.recipe.steps, small.recipe.document) == (source.recipe.steps, document)
            assert may_call(small.recipe) or not list(sub_recipes(source.recipe))
            for step in small.recipe.steps:
                assert small.recipe.step(step.name) == source.recipe.step(step.name)
            # the same bytes, however the recipe came here
            assert interface_of(small) == interface


def test_other_steps_are_the_same_interface_to_callers() -> None:
    steps = b"metadata: {name: a}\nparameters: [{name: p}]\nsteps: [{name: b, run: make}]\n"

    assert interface_of(source_of(steps)) == interface_of(source_of(steps.replace(b"make", b"test") + b"# said\n"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1.0"),
        ("1", "true"),
        ("1", "'1'"),
        ("0.0", "-0.0"),
        ("[1, 2]", "[2, 1]"),
        ("{a: 1, b: 2}", "{b: 2, a: 1}"),
    ],
)
def test_whatever_a_caller_can_tell_apart_is_another_interface(one: str, other: str) -> None:
    assert interface_of(source_of(with_default(one))) != interface_of(source_of(with_default(other)))


@pytest.mark.parametrize("default", ["2026-11-26", "0x1F", "'\\ud800'", "9" * 400, "[" * 90 + "]" * 90, ".inf", "~"])
def test_values_of_every_kind_find_their_way(default: str) -> None:
    source = source_of(with_default(default))
    assert not source.document.broken
    interface = interface_of(source)
    assert interface is not None

    assert _ASKED(kept_from(interface, lambda: source).recipe) == _ASKED(source.recipe)


@pytest.mark.parametrize(
    ("text", "change"),
    [
        pytest.param(b"parameters: [{name: p}]", b"parameters: [{name: p, required: true}]", id="a parameter"),
        pytest.param(b"parameters: {p: {}}", b"parameters: [{name: p}]", id="the place of a parameter"),
        pytest.param(b"name: a", b"name: b", id="the name"),
        pytest.param(b"steps: []", b"steps: [{name: s, recipe_path: b.yaml}]", id="a call"),
    ],
)
def test_what_callers_use_is_part_of_it(text: bytes, change: bytes) -> None:
    recipe = b"metadata: {name: a}\n" + (b"" if b"p" not in text or b"steps" in text else text + b"\n") + b"steps: []\n"
    assert text in recipe

    assert interface_of(source_of(recipe)) != interface_of(source_of(recipe.replace(text, change)))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(with_default("*long").replace(b"{name: a}", b"{name: a, x: &long [1, 2]}"), id="a value"),
        pytest.param(with_default("[*a,*a]").replace(b"{name: a}", b"{name: a, x: &a 1}"), id="in a list"),
    ],
)
def test_what_is_said_again_by_a_name_is_left_to_the_file(text: bytes) -> None:
    assert not parse_document("recipes/a.yaml", text).broken

    assert interface_of(source_of(text)) is None


def test_a_file_that_is_no_recipe_has_none() -> None:
    assert interface_of(None) is None
    assert interface_of(Source("a.yaml", Kind.OTHER, parse_document("a.yaml", b"a: 1"))) is None
