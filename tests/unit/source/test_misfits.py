"""What is found wrong at a glance is what `jsonschema` says, word for word, or nothing."""

from __future__ import annotations

import contextlib
import copy
import random
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.recipe_sets import make_set
from f0ci.source.misfits import plain_misfits
from f0ci.source.plainly import Judge, Unsure
from f0ci.source.schema import _explain_part, as_problems, check_against, check_schema, load_schema
from f0ci.source.yaml import read_yaml
from tests.conftest import rounds

_ROOT = Path(__file__).resolve().parents[3]
_SEEDS: tuple[tuple[str, Any], ...] = (
    *(("recipe", read_yaml(raw).data) for raw in make_set(8, seed=2, faulty=0).files.values() if b"steps:" in raw),
    ("workflow", read_yaml((_ROOT / "workflow.yaml").read_bytes()).data),
    ("approvers", {"version": 1, "people": {"ann": {"emails": ["ann@example.com"]}}, "groups": {"ops": ["ann"]}}),
    ("environment", {"environment": {"name": "a", "debug_enabled": True}, "processing": {"batch_size": "#{config.a}"}}),
    ("project", {"recipes": ["recipes"], "rules": {"ignore": ["duplicate-key"], "severity": {"empty": "note"}}}),
)
_VALUES: tuple[Any, ...] = (None, True, 0, 1.5, -1, "", "x", "on_error", [], {}, ["a"], {"name": "a"}, "9" * 80)


def _damaged(data: Any, source: random.Random) -> Any:
    """Return data with one part replaced, removed, renamed or added."""
    data = copy.deepcopy(data)
    part = data
    while True:
        below = [item for item in (part.values() if isinstance(part, dict) else part) if isinstance(item, dict | list)]
        below = [item for item in below if item]
        if not below or source.random() < 0.3:
            break
        part = source.choice(below)
    key: Any = source.choice(list(part) if isinstance(part, dict) else range(len(part)))
    match source.randrange(4):
        case 0:
            del part[key]
        case 1 if isinstance(part, dict):
            part[f"{key}x"] = part.pop(key)
        case 2 if isinstance(part, dict):
            part[source.choice(("extra", "name", "type", "steps"))] = source.choice(_VALUES)
        case _:
            part[key] = copy.deepcopy(source.choice(_VALUES))
    return data


@settings(max_examples=rounds(60, 5_000))
@given(seed=st.integers(0, 2**32))
def test_all_say_the_same_of_damaged_data(seed: int) -> None:
    source = random.Random(seed)
    name, data = source.choice(_SEEDS)
    for _ in range(source.randint(1, 4)):
        data = _damaged(data, source) if data else data

    assert check_schema(name, data) == check_against(load_schema(name), data)
    with contextlib.suppress(Unsure):
        misfits = plain_misfits(Judge(load_schema(name)), data, partial(_explain_part, name))
        assert as_problems(misfits) == check_against(load_schema(name), data)


def test_without_the_gate_many_documents_are_judged_all_the_same() -> None:
    program = """
import sys
sys.modules["jsonschema_rs"] = None
from f0ci.source import schema
schema._left_to_judge[0] = 20
for number in range(9):
    step = {"name": "a", "run": "x"} | ({"trigger": "on_success"} if number % 3 == 2 else {})
    found = schema.check_schema("recipe", {"metadata": {"name": "a"}, "steps": [step]})
    assert [problem.path for problem in found] == ([("steps", 0, "trigger")] if number % 3 == 2 else [])
assert schema._gate.cache_info().currsize and "jsonschema" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("line", ["    descripton: x", "    metadata: nothing", "    trigger: on_success"])
def test_usual_faults_are_told_without_importing_the_explainer(line: str) -> None:
    raw = f"metadata: {{name: a}}\nsteps:\n  - name: a\n    run: x\n{line}\n".encode()
    program = f"""
import sys
from f0ci.source.schema import check_schema
from f0ci.source.yaml import read_yaml
assert check_schema("recipe", read_yaml({raw!r}).data)
assert not {{"jsonschema", "jsonschema_rs"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
