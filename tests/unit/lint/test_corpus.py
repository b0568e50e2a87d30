"""A large repository with planted faults: each is reported at its line, and nothing else is reported at all.

A thousand recipes of many steps, of which every third has one fault of a known kind, and a team for each kind of fault
in a configuration or a workflow, beside as many without. Every rule that there is has its fault, but for those that
files cannot make f0ci report.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.recipe_sets import Fault, RecipeSet, make_set
from f0ci.commands.validating import validate
from f0ci.core.diagnostics import Diagnostic
from f0ci.lint import registry
from tests.conftest import rounds

TEAMS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parents[2] / "cases/corpus.yaml").read_text())
_WORKFLOW = "apiVersion: framework0.io/v1\nkind: ProductionWorkflow\nmetadata: {name: team}\nspec:\n  "
# rules that no file can be made to break, with the reason
UNPLANTED = {
    "internal-error": "it reports a defect of f0ci itself: tests/unit/lint/test_engine.py makes rules fail",
    "unreadable": "it is about the disk: tests/cli/test_bad_input.py takes the right to read away",
}
# one approvers file is everybody's, and people in it would silence `pause-without-approvers`
UNPLANTED |= dict.fromkeys(("gate-out-of-reach", "unknown-approver"), "tests/cases/rules has an approvers file")
# settings and a schema for the configurations of the whole repository
_SETTINGS = b"code:\n  - jobs\n  - nowhere # HERE\n"
_SCHEMA = b'{"properties": {"processing": {"properties": {"lane": {"enum": ["left", "right"]}}}}}'
_GOOD = {
    "environments/dev/config.yaml": "processing: {batch_size: 1}\n",
    "environments/staging/config.yaml": "processing: {batch_size: 2}\n",
    "environments/prod/config.yaml": "processing: {batch_size: 3}\n",
    "workflow.yaml": f"{_WORKFLOW}environments: {{dev: {{}}, staging: {{}}}}\n",
}


def team(number: int, case: dict[str, Any] | None) -> tuple[dict[str, bytes], list[Fault]]:
    """Return the files of a team, and the faults in them."""
    folder = f"teams/{number:03}"
    files = dict(_GOOD)
    faults: list[Fault] = []
    if case is not None:
        files |= case.get("beside", {})
        files[case["path"]] = case["text"] if "text" in case else f"{_WORKFLOW}{case['spec']}\n"
        if "dev" in case:
            files["environments/dev/config.yaml"] = case["dev"]
            files["environments/staging/config.yaml"] = case["dev"]
        text = files[case["path"]]
        line = next(index for index, line in enumerate(text.splitlines(), start=1) if line.endswith("# HERE"))
        rules = [case["rule"], *case.get("also", ())]
        faults.extend(Fault(f"{folder}/{case['path']}", line, rule) for rule in rules)
        if "dev_rule" in case:
            others = (f"{folder}/environments/{name}/config.yaml" for name in ("dev", "staging"))
            faults.extend(Fault(path, 1, case["dev_rule"]) for path in others)
        files[case["path"]] += "#" * (case.get("filled", len(text)) - len(text))
        files = {path: text.replace("TEAM", folder) for path, text in files.items()}
    return {f"{folder}/{path}": text.encode() for path, text in files.items()}, faults


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[RecipeSet, tuple[Diagnostic, ...]]:
    """Return the corpus and what is found in it."""
    recipes = make_set(rounds(1000, 5000), seed=7, faulty=0.3)
    files, faults = dict(recipes.files), list(recipes.faults)
    for number, case in enumerate([*TEAMS, *[None] * len(TEAMS)]):
        more, planted = team(number, case)
        files |= more
        faults += planted
    files |= {"f0ci.yaml": _SETTINGS, "schemas/config.schema.json": _SCHEMA}
    faults.append(Fault("f0ci.yaml", 3, "project-path-missing"))
    files |= {"templates/a.j2": b"\n{{ overlay | defualt(1) }}\n", "templates/b.j2": b"\n{{ confg.size }}\n"}
    faults += [Fault("templates/a.j2", 2, "template-syntax"), Fault("templates/b.j2", 2, "template-name-undefined")]
    root = tmp_path_factory.mktemp("corpus")
    whole = RecipeSet(files, tuple(sorted(faults)))
    whole.write(root)
    # what f0ci does not know it mentions only where it was named
    strangers = [root / fault.path for fault in faults if fault.rule == "not-a-recipe"]
    return whole, validate(root, [*root.iterdir(), *strangers]).diagnostics


def test_every_fault_is_reported_at_its_line_and_nothing_else(
    corpus: tuple[RecipeSet, tuple[Diagnostic, ...]],
) -> None:
    """No fault is missed, none is reported elsewhere, and files without a fault are silent."""
    planted, found = corpus
    reported = sorted(Fault(d.location.path, d.location.span.line, d.rule) for d in found)

    assert sorted(set(planted.faults) - set(reported)) == []
    assert sorted(set(reported) - set(planted.faults)) == []
    assert reported == list(planted.faults)


def test_the_corpus_is_what_it_says(corpus: tuple[RecipeSet, tuple[Diagnostic, ...]]) -> None:
    """A proof on nothing proves nothing: a thousand recipes, most of them clean, and every kind of fault."""
    planted, _ = corpus

    assert len(planted.recipes) >= 1000
    assert len({fault.path for fault in planted.faults}) <= len(planted.files) / 3
    assert {fault.rule for fault in planted.faults} == set(registry.names()) - UNPLANTED.keys()
