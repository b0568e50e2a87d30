from __future__ import annotations

import pytest

from f0ci.lint.uses import read_uses
from f0ci.recipes.reading import recipe_from
from f0ci.source.document import parse_document

STEP = "metadata: {name: a}\nsteps:\n  - name: a\n"


@pytest.mark.parametrize("mark", ["", "    anchored: &x 1\n"], ids=["read fast", "read exactly"])
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("    run: 'echo #{params.a}'\n", []),
        ("    args: {command: '#{params.a}', run: ['{{ params.b }}']}\n", ["params.a", "params.b"]),
        ("    condition: params.a\n    env: {A: '#{params.b}'}\n", ["params.a", "params.b"]),
        ("    env: {A: '#{params.b}'}\n    condition: '#{params.a}'\n", ["params.a", "params.b"]),
        (
            "    env: {A: '#{params.a} #{params.b}'}\nexecution: {x: '#{params.c}'}\n",
            ["params.a", "params.b", "params.c"],
        ),
        ("    run: x\nexecution: '#{params.c}'\n", ["params.c"]),
        ("    run: x\ndescription: '#{params.c}'\n", []),
    ],
)
def test_names_are_found_in_order_by_both_readers(text: str, names: list[str], mark: str) -> None:
    recipe = recipe_from(parse_document("a.yaml", (STEP + mark + text).encode()))

    uses = read_uses(recipe)

    assert [use.reference.text for use in uses.names] == names
    conditions = [use.at for use in uses.names if use.at[-1] == "condition"]
    assert list(uses.templates) == conditions


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        ("    condition: params.a\n", [("condition",)]),
        ("    condition: environment == 'dev'\n    env: {A: '#{params.a}'}\n", [("condition",)]),
        ("    env: {A: '#{params.a > 1}', B: 'x/#{params.a}/{{ params.b }}'}\n", [("env", "A")]),
        (
            "    env: {A: '#{params.a} and #{config[params.b]}', B: '#{1 < 2}', C: '#{params.'}\n",
            [("env", "A"), ("env", "B")],
        ),
    ],
)
def test_texts_that_do_more_than_naming_are_kept(keys: str, kept: list[tuple[str, ...]]) -> None:
    """They are what can be compared, or always true."""
    uses = read_uses(recipe_from(parse_document("a.yaml", (STEP + "    run: x\n" + keys).encode())))

    assert [at[2:] for at in uses.templates] == kept


def test_names_are_found_by_their_first_word() -> None:
    """In written order; the steps' come before those of defaults and of `execution`."""
    keys = "    run: x\n    env: {A: '#{params.a} #{config.b}', B: '#{params.c}'}\n"
    rest = "execution: {timeout_seconds: '#{config.d}'}\nparameters:\n  - {name: p, default: '#{config.e}'}\n"

    uses = read_uses(recipe_from(parse_document("a.yaml", (STEP + keys + rest).encode())))

    assert [use.reference.text for use in uses.of("params")] == ["params.a", "params.c"]
    assert [use.reference.text for use in uses.of("config")] == ["config.b", "config.e", "config.d"]
    assert not uses.of("steps")
    assert [use.step is None for use in uses.names] == [False, False, False, True, True]
