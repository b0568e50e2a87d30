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
    assert set(uses.templates) == {use.at for use in uses.names}
