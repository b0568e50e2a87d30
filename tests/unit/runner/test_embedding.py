"""f0ci from Python: Framework0's own two examples of embedding, and `f0ci.run`."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest

import f0ci
from f0ci.core.errors import InputError, UsageError
from tests.conftest import write_files

EXAMPLES = Path(__file__).parents[3] / "examples" / "embedding"


@pytest.fixture
def example(tmp_path: Path) -> tuple[ModuleType, Path]:
    """Return the example's module and a copy of its repository."""
    root = shutil.copytree(EXAMPLES, tmp_path / "embedding", ignore=shutil.ignore_patterns(".f0ci", "__pycache__"))
    spec = importlib.util.spec_from_file_location("application", root / "application.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, root


def test_an_application_processes_data_with_a_recipe(example: tuple[ModuleType, Path]) -> None:
    module, root = example
    application = module.ApplicationWithFramework0(root)

    answer = application.process_data_workflow({"source": "data/input.csv", "rows": [3, 1, 2]})

    assert answer == {"success": True, "data": {"source": "data/input.csv", "rows": [1, 2, 3]}}
    assert application.context.get_history()[0]["who"] == "application"


def test_an_application_learns_what_went_wrong(example: tuple[ModuleType, Path]) -> None:
    module, root = example
    application = module.ApplicationWithFramework0(root)

    answer = application.process_data_workflow({"source": "data/input.csv"})
    assert answer["success"] is False
    assert "KeyError: 'rows'" in answer["errors"][1]

    (root / "workflows/data_processing.yaml").unlink()
    answer = application.process_data_workflow({})
    assert (answer["success"], "data_processing.yaml" in answer["error"]) == (False, True)


def test_an_application_processes_files_one_by_one(example: tuple[ModuleType, Path]) -> None:
    module, root = example

    results = module.ApplicationWithFramework0(root).batch_process_files(["a.csv", "b.txt", "c.csv"])

    assert [(one["file"], one["success"]) for one in results] == [("a.csv", True), ("b.txt", False), ("c.csv", True)]
    assert all(0 <= one["execution_time"] < 10 for one in results)


def test_the_example_runs_as_a_program(example: tuple[ModuleType, Path]) -> None:
    _, root = example
    answer = subprocess.run(
        [sys.executable, str(root / "application.py")], capture_output=True, text=True, check=True, timeout=60
    )

    assert "'rows': [1, 2, 3]" in answer.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with an environment and a recipe that has a parameter."""
    recipe = (
        "metadata: {name: r}\nparameters: [{name: day, type: string, required: true}]\nsteps:\n"
        '  - {name: tell, run: "echo said=$X >> $F0CI_OUTPUT", args: {X: "#{params.day} #{config.output.kind}"}}\n'
    )
    write_files(
        tmp_path,
        {
            "recipes/r.yaml": recipe,
            "environments/dev/config.yaml": "environment: {name: dev, type: development}\noutput: {kind: csv}\n",
        },
    )
    return tmp_path


def test_run_takes_environment_parameters_and_context(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    record = f0ci.run("r", environment="dev", parameters={"day": "monday"}, context=f0ci.Context({"a": 1}))

    step = record.step("tell")
    assert step is not None
    assert step.outputs["said"] == "monday csv"
    assert (repository / ".f0ci/runs/journal.sqlite").exists()
    assert (repository / ".f0ci/runs/.gitignore").read_text() == "*\n"


@pytest.mark.parametrize("day", [object(), {1}, float("nan"), b"x", {"a": Path()}])
@pytest.mark.parametrize("journal", [None, False])
def test_a_parameter_that_is_no_json_is_refused(repository: Path, day: Any, journal: Literal[False] | None) -> None:
    write_files(repository, {"recipes/any.yaml": "parameters: [{name: day}]\nsteps: [{name: a, run: 'true'}]\n"})

    with pytest.raises(f0ci.F0ciError, match="the parameter 'day' is not JSON"):
        f0ci.run("recipes/any.yaml", root=repository, parameters={"day": day}, journal=journal)


def test_run_with_an_id_happens_once(repository: Path) -> None:
    options = f0ci.RunOptions(run="daily")
    first = f0ci.run("r", root=repository, environment="dev", parameters={"day": "x"}, options=options)
    again = f0ci.run("r", root=repository, environment="dev", parameters={"day": "x"}, options=options)

    assert (first.run, again.run, again.ended) == ("daily", "daily", again.ended)
    with pytest.raises(UsageError):
        f0ci.run("r", root=repository, environment="dev", parameters={"day": "y"}, options=options)


def test_run_can_record_nothing(repository: Path) -> None:
    f0ci.run("r", root=str(repository), environment="dev", parameters={"day": "x"}, journal=False)

    assert not (repository / ".f0ci").exists()


def test_what_cannot_be_run_leaves_no_journal(repository: Path) -> None:
    with pytest.raises(f0ci.F0ciError) as caught:
        f0ci.run("r", root=repository)

    # the call is wrong, and nothing else
    assert isinstance(caught.value, UsageError)
    assert "needs the parameter 'day'" in str(caught.value)
    assert str(caught.value.place).startswith("recipes/r.yaml:")
    with pytest.raises(UsageError, match="needs the parameter 'day'"):
        f0ci.run("r", root=repository, journal=False)
    with pytest.raises(InputError):
        f0ci.run("nothing", root=repository)


def test_names_of_the_package() -> None:
    assert all(getattr(f0ci, name) is not None for name in f0ci.__all__)
    with pytest.raises(AttributeError):
        f0ci.nothing  # noqa: B018 - asking is the test
