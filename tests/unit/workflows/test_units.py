from __future__ import annotations

import pytest

from f0ci.workflows.units import SUFFIXES, UNITS, kind_of, number_text, readable, to_base

BASES = [
    (1, "", 1),
    (7, "count", 7),
    (0.25, "ratio", 0.25),
    (1, "%", 0.01),
    (99.5, "%", 0.995),
    (250, "us", 0.00025),
    (1500, "ms", 1.5),
    (2, "s", 2),
    (1.5, "m", 90),
    (1, "h", 3600),
    (2, "d", 172_800),
    (3, "B", 3),
    (1, "KB", 1000),
    (1, "MB", 1_000_000),
    (1, "GB", 1_000_000_000),
    (1, "KiB", 1024),
    (1, "MiB", 1_048_576),
    (1, "GiB", 1_073_741_824),
]


@pytest.mark.parametrize(("value", "unit", "base"), BASES)
def test_a_number_in_its_base_unit(value: float, unit: str, base: float) -> None:
    assert to_base(value, unit) == base


def test_every_unit_has_a_row_above() -> None:
    assert {unit for _, unit, _ in BASES} == {"", *UNITS}
    assert {*SUFFIXES, "count", "ratio"} == set(UNITS)


@pytest.mark.parametrize("unit", ["sec", "S", "percent", " "])
def test_an_unknown_unit_has_no_kind(unit: str) -> None:
    assert kind_of(unit) is None

    with pytest.raises(KeyError):
        to_base(1, unit)


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (0.1, "0.1"), (1e15, "1000000000000000.0"), (1e-9, "1e-09"), (-2.0, "-2")]
)
def test_a_number_is_written_short_and_reads_back(value: float, text: str) -> None:
    assert number_text(value) == text
    assert float(text) == value


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (21_319_700, "B", "21.32MB"),
        (1000, "B", "1KB"),
        (999, "B", "999B"),
        (3.5e9, "B", "3.5GB"),
        (0.00475, "s", "4.75ms"),
        (0.00004, "s", "40us"),
        (0, "s", "0s"),
        (1.5, "s", "1.5s"),
        (-0.25, "s", "-250ms"),
        (1500, "ms", "1500ms"),
        (0.25, "ratio", "0.25"),
        (12, "count", "12"),
        (12, "", "12"),
    ],
)
def test_a_measured_number_is_shown_in_a_unit_that_fits(value: float, unit: str, text: str) -> None:
    assert readable(value, unit) == text
