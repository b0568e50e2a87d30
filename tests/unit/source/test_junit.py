from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from f0ci.analysis.providers.base import Measurement, Query
from f0ci.analysis.providers.file import measure
from f0ci.core.errors import InputError
from f0ci.source.junit import read_junit

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TESTS = """import pytest
def test_good(): pass
def test_bad(): assert False
@pytest.mark.skip
def test_skipped(): pass
@pytest.fixture
def broken(): raise ValueError
def test_in_error(broken): pass
"""


def test_a_report_of_pytest_is_a_metric(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml", "test_it.py"]
    subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    settings = {"path": "report.xml", "bad": "failed", "total": "tests", "time": "when"}
    rows = list(read_junit("report.xml", (tmp_path / "report.xml").read_bytes()))

    assert [(row["name"], row["failed"]) for row in rows] == [("test_good", 0), ("test_bad", 1), ("test_in_error", 1)]
    assert all(row["seconds"] >= 0 and row["class"] == "test_it" for row in rows)
    del settings["time"]
    if "time" in rows[0]:
        moment = datetime.fromisoformat(rows[0]["time"])
        query = Query("prod", "", moment, moment, moment, settings)
    else:
        query = Query("prod", "", NOW, NOW, NOW, settings)
    assert measure(query, tmp_path) == Measurement(2 / 3, 3, "ratio", hits=2)


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("<html/>", "<html> is no test report", "r.xml:1"),
        ("<testsuite>", "not valid XML", "r.xml:1:"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><testsuite/>', "declares a document type", "r.xml"),
    ],
)
def test_what_is_no_report(text: str, message: str, place: str) -> None:
    with pytest.raises(InputError) as refused:
        list(read_junit("r.xml", text.encode()))

    assert message in str(refused.value)
    assert str(refused.value.place).startswith(place)
