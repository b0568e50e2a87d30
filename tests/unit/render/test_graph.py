from __future__ import annotations

import json
from pathlib import Path

import pytest

from f0ci.core.errors import InputError, UsageError
from f0ci.recipes.composition import load_closure
from f0ci.render.graph import FORMS, graph
from f0ci.source.document import parse_document
from f0ci.source.tree import DirectoryTree, MemoryTree
from f0ci.workflows.reading import workflow_from
from tests.conftest import Golden
from tests.unit.environments.workspaces import workspace

_SHOP = Path(__file__).parents[2] / "cases/render/shop/input"
_WORKFLOW = {
    "apiVersion": "framework0.io/v1",
    "kind": "ProductionWorkflow",
    "metadata": {"name": "shop"},
    "spec": {
        "environments": {
            "staging": {"gates": {"approval": {"required": 1}}},
            "production": {"deployment_strategy": "canary", "steps": [10, 100]},
        },
        "pipeline_stages": [
            {"name": "build", "uses": "python_build"},
            {"name": "unit", "requires": ["build"], "tests": ["unit", "lint"]},
            {"name": "scan", "requires": ["build"]},
            {"name": "staging", "requires": ["unit", "scan"], "environment": "staging"},
            {"name": "live", "requires": ["staging", "manual_approval"], "environment": "production"},
        ],
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_a_recipe_and_what_it_calls(form: str, golden: Golden) -> None:
    recipes = load_closure(DirectoryTree(_SHOP), "recipes/orders.yaml")

    golden.check(f"render/orders-graph.{form}", graph(recipes, form))


@pytest.mark.parametrize("form", FORMS)
def test_a_workflow(form: str, golden: Golden) -> None:
    workflow = workflow_from(parse_document("workflow.yaml", json.dumps(_WORKFLOW).encode()))
    assert not workflow.problems

    golden.check(f"render/workflow-graph.{form}", graph(workflow, form))


def _text(steps: str, **others: str) -> list[str]:
    files = {"r.yaml": f"name: r\nsteps:\n{steps}"} | {f"{name}.yaml": text for name, text in others.items()}
    return graph(load_closure(workspace(files), "r.yaml")).splitlines()


def test_order_groups_and_failures() -> None:
    lines = _text(
        "- {name: a}\n"
        "- {name: b, parallel_group: g, depends_on: a}\n"
        "- {name: c, parallel_group: g, depends_on: a, condition: '#{ params.x }'}\n"
        "- {name: d, run: 'true', depends_on: [b, c]}\n"
        "- {name: e, trigger: on_error}\n"
        "- {name: f, depends_on: d, condition: '{{ a }} and {{ b }}'}\n"
        "- {name: g, depends_on: d, condition: false}\n"
    )

    assert lines == [
        "recipe r  (r.yaml)",
        "├─ a",
        "├─ side by side: g",
        "│  ├─ b  <- a",
        "│  └─ c  <- a  if params.x",
        "├─ d  <- b, c  [shell]",
        "├─ side by side",
        "│  ├─ f  <- d  if {{ a }} and {{ b }}",
        "│  └─ g  <- d  if false",
        "└─ after a failure",
        "   └─ e",
    ]


def test_what_is_called_twice_is_shown_once() -> None:
    lines = _text(
        "- {name: a, type: sub_recipe, recipe_path: s.yaml}\n"
        "- {name: b, type: sub_recipe, recipe_path: s.yaml}\n"
        "- {name: c, type: sub_recipe, recipe_path: '#{params.which}'}\n",
        s="name: s\nsteps:\n- {name: x}\n",
    )

    assert lines == [
        "recipe r  (r.yaml)",
        "├─ a",
        "│  └─ recipe s  (s.yaml)",
        "│     └─ x",
        "├─ b  <- a",
        "│  └─ recipe s  (s.yaml), as above",
        "└─ c  <- b  [recipe #{params.which}, known only when it runs]",
    ]


def test_names_that_mean_something_to_the_form() -> None:
    recipes = load_closure(workspace({"r.yaml": 'name: \'a"]<b>\'\nsteps:\n- {name: "x\\\\\\e[1m\\";"}\n'}), "r.yaml")

    assert graph(recipes, "mermaid") == (
        'flowchart TD\n  subgraph g0["recipe a#34;]#60;b#62; (r.yaml)"]\n    n0["x#92;#27;[1m#34;#59;"]\n  end\n'
    )
    assert '    n0 [label="x\\\\\\x1b[1m\\";"];\n' in graph(recipes, "dot")
    assert graph(recipes).endswith('└─ x\\\\x1b[1m";\n')


def test_what_a_box_says() -> None:
    steps = "- {name: a, parallel_group: g, condition: 'x > 1'}\n- {name: b, trigger: on_error, run: 'true'}\n"
    recipes = load_closure(workspace({"r.yaml": f"name: r\nsteps:\n{steps}"}), "r.yaml")

    assert '    n0["a<br/>if x #62; 1<br/>group g"]\n' in graph(recipes, "mermaid")
    assert '    n1(["b<br/>after a failure<br/>shell"])\n' in graph(recipes, "mermaid")
    assert '    n1 [label="b\\nafter a failure\\nshell", style=rounded];\n' in graph(recipes, "dot")


def test_a_workflow_without_stages() -> None:
    spec = {"environments": {"dev": {}, "prod": {"gates": {"order": {"upstream": ["dev"]}}}}, "pipeline_stages": []}
    workflow = workflow_from(parse_document("workflow.yaml", json.dumps({**_WORKFLOW, "spec": spec}).encode()))

    assert graph(workflow).splitlines() == [
        "workflow shop  (workflow.yaml)",
        "├─ dev  [rolling 100%]",
        "└─ prod  <- dev  [rolling 100%; gates order]",
    ]


def test_stages_in_a_circle() -> None:
    stages = [{"name": "a", "requires": ["c"]}, {"name": "b", "requires": ["a"]}, {"name": "c", "requires": ["b"]}]
    spec = {"environments": {}, "pipeline_stages": stages}
    workflow = workflow_from(parse_document("workflow.yaml", json.dumps({**_WORKFLOW, "spec": spec}).encode()))

    with pytest.raises(InputError, match="stages wait for each other: a -> c -> b -> a"):
        graph(workflow)


def test_an_unknown_form() -> None:
    recipes = load_closure(MemoryTree({"r.yaml": b"name: r\nsteps: []\n"}), "r.yaml")

    with pytest.raises(UsageError) as raised:
        graph(recipes, "mermad")

    assert raised.value.hint == "did you mean 'mermaid'?"
    assert graph(recipes) == "recipe r  (r.yaml)\n"
