"""What no pipeline can be made of, and the place that says so."""

from __future__ import annotations

import pytest

from f0ci.core.errors import InputError
from tests.unit.pipelines.workflows import WORKFLOW, pipeline, staged

HOSTILE = [
    "-rf",
    "a b",
    "a'b",
    'a"b',
    "${{ github.token }}",
    "$(id)",
    "`id`",
    "a\nb",
    "a;b",
    "größe",
    "日本",
    "x" * 81,
    "x" * 200,
    "a\u2028b",
    "1st",
    "../up",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    ("old", "line"), [("name: to_prod,", 14), ("    prod: {approval_required", 7)], ids=["stage", "environment"]
)
def test_a_hostile_name_is_refused_at_its_place(name: str, old: str, line: int) -> None:
    quoted = '"' + "".join(f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}" for char in name) + '"'
    key, _, rest = old.partition(": ")
    new = f"name: {quoted}," if line == 14 else f"    {quoted}: {rest}"
    assert key in WORKFLOW

    with pytest.raises(InputError, match="cannot be used in a pipeline") as caught:
        pipeline(WORKFLOW.replace(old, new))

    assert str(caught.value.place).startswith(f"workflow.yaml:{line}:")


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("name: load_test,", "name: to_dev,", 13, "two stages are called 'to_dev' in a pipeline"),
        ("name: load_test,", "name: TO_DEV,", 13, "'TO_DEV' and 'to_dev', which CI systems do not tell apart"),
        ("    prod:", "    Dev: {}\n    prod:", 7, "'Dev' and 'dev'"),
        ("requires: [build]", "requires: [load_test]", 12, "stages wait for each other: "),
        ("requires: [build]", "requires: [biuld]", 12, "the stage 'to_dev' requires 'biuld', which does not exist"),
        ("environment: dev,", "environment: edv,", 12, "there is no environment 'edv'"),
        ("{run: make test}", "{run: 'echo ${{ github.token }}'}", 11, "a CI system would replace"),
        ("images/build", "'${{ secrets.X }}'", 11, "a CI system would replace"),
        ("{name: shop}", "{name: '${{ github.token }}'}", 3, "a CI system would replace"),
        ("{run: make test}", '{run: "a\\0b"}', 11, "holds the character '\\x00'"),
        ("{run: make test}", '{run: "a\\rb"}', 11, "holds the character '\\r'"),
        ("images/build", '"a\\ab"', 11, "holds the character '\\x07'"),
        ("{run: make test}", f"{{run: {'x' * 20_001}}}", 11, "has 20,001 characters"),
    ],
)
def test_what_would_not_arrive_as_it_was_written_is_refused_at_its_place(
    old: str, new: str, line: int, says: str
) -> None:
    assert old in WORKFLOW

    with pytest.raises(InputError) as caught:
        pipeline(WORKFLOW.replace(old, new, 1))

    assert says in caught.value.message
    assert caught.value.hint
    assert str(caught.value.place).startswith(f"workflow.yaml:{line}:")


def test_names_of_the_greatest_length_fit() -> None:
    made = pipeline(staged(f"- {{name: stage-{'x' * 74}, environment: dev, tests: [a]}}"))

    # GitHub takes less than 100 characters
    assert max(len(job.id) for job in made.jobs) < 100
