"""What a CI system would not run is refused when it is written, with the number its maker publishes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from f0ci.core.errors import InputError
from f0ci.pipelines.model import Pipeline
from f0ci.pipelines.writers import azure, github, gitlab
from tests.unit.pipelines.workflows import pipeline, staged

Writer = Callable[[Pipeline], dict[str, str]]
DELIVER = "- {name: build, tests: [x]}\n- {name: to_dev, environment: dev, requires: [build]}"


def with_matrix(*sizes: int, width: int = 1) -> Pipeline:
    """Return a pipeline whose task runs once for each combination of so many values each."""
    axes = ", ".join(
        f"V{number}: [{', '.join(f'v{value:0{width}}' for value in range(size))}]" for number, size in enumerate(sizes)
    )
    settings = f"  pipelines: {{jobs: {{build: {{matrix: {{{axes}}}}}}}}}\n"
    return pipeline(staged(DELIVER) + settings)


@pytest.mark.parametrize(
    ("write", "sizes", "said"),
    [
        (github.write, (64, 4), ""),
        (github.write, (64, 4, 2), "the matrix of 'build' makes 512 jobs; GitHub takes 256"),
        (gitlab.write, (50, 4), ""),
        (gitlab.write, (51, 4), "the matrix of 'build' makes 204 jobs; GitLab takes 200"),
        (azure.write, (64, 4), ""),
        (azure.write, (64, 5), "the matrix of 'build' makes 320 jobs; Azure Pipelines takes 256"),
    ],
)
def test_a_matrix_makes_no_more_jobs_than_a_system_takes(write: Writer, sizes: tuple[int, ...], said: str) -> None:
    if not said:
        assert write(with_matrix(*sizes))
        return
    with pytest.raises(InputError) as error:
        write(with_matrix(*sizes))

    assert str(error.value).endswith(said)
    assert "https://" in str(error.value.hint)


def test_every_leg_of_a_matrix_counts_where_gitlab_waits_for_them() -> None:
    stages = f"{DELIVER}\n- {{name: after, requires: [build], tests: [x]}}"
    settings = "  pipelines: {{jobs: {{build: {{matrix: {{V: [{}]}}}}}}}}\n"
    few, many = (settings.format(", ".join(map(str, range(count)))) for count in (49, 51))

    assert gitlab.write(pipeline(staged(stages) + few))
    with pytest.raises(InputError, match="'after' waits for 52 others; GitLab allows 50"):
        gitlab.write(pipeline(staged(stages) + many))


def test_gitlab_would_make_no_pipeline_of_long_names_and_say_nothing() -> None:
    assert gitlab.write(with_matrix(2, width=200))
    with pytest.raises(InputError, match="makes names of 310 characters; GitLab takes 255"):
        gitlab.write(with_matrix(2, width=300))


def test_gitlab_takes_so_many_deployments() -> None:
    names = [f"e{number}" for number in range(501)]
    stages = "\n".join(f"- {{name: to_{name}, environment: {name}}}" for name in names)

    with pytest.raises(InputError, match="501 promotions; a pipeline of GitLab takes 500 deployments"):
        gitlab.write(pipeline(staged(stages, "\n".join(f"{name}: {{}}" for name in names))))


def test_a_pipeline_too_large_for_a_free_plan_says_so() -> None:
    stages = "\n".join(f"- {{name: t{number}, tests: [x]}}" for number in range(499))

    assert "GitLab.com's Free takes 500" in gitlab.set_up(pipeline(staged(stages)))[-1]
    assert "Free takes" not in " ".join(gitlab.set_up(with_matrix(2)))


@pytest.mark.parametrize(
    ("write", "system", "takes", "stages"),
    [
        (github.write, "GitHub", "500,000", 40),
        (gitlab.write, "GitLab", "2,097,152", 120),
        (azure.write, "Azure Pipelines", "2,000,000", 120),
    ],
)
def test_a_file_is_no_larger_than_a_system_takes(write: Writer, system: str, takes: str, stages: int) -> None:
    command = "true " + "x" * 19_000
    bound = f"  bindings: {{tests: {{x: {{run: '{command}'}}}}}}\n"
    text = "\n".join(f"- {{name: t{number}, tests: [x]}}" for number in range(stages))

    assert write(pipeline(staged(text.splitlines()[0]) + bound))
    with pytest.raises(InputError, match=f"the file for {system} has [0-9,]+ bytes; it takes {takes}"):
        write(pipeline(staged(text) + bound))
