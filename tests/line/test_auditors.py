"""What auditors get, what a verification is measured against, and what `f0ci doctor` finds."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest

from f0ci.promotion.audit.exporting import CONTROLS
from f0ci.promotion.folding import TRANSITIONS
from tests.conftest import git
from tests.line.conftest import Line


def test_the_evidence_of_a_year(history: Line) -> None:
    everything = history.done("audit", "export", "--format", "json").data["rows"]
    prod = list(csv.DictReader(io.StringIO(history.done("audit", "export", "--environment", "prod").out)))
    none = history.done("audit", "export", "--to", "2020-12-31")
    later = history.done("audit", "export", "--from", "2020-01-01", "--format", "json").data["rows"]

    assert {row["environment"] for row in everything} == {"dev", "staging", "prod", "_workflow"}
    assert {row["environment"] for row in prod} == {"prod"}
    assert len(none.out.splitlines()) == 1
    assert later == everything
    approved = next(row for row in prod if row["event"] == "approved")
    assert (approved["person"], approved["soc2"]) == ("bob", "CC8.1, CC5.1")
    assert approved["requested_by"] == "Alice <alice@example.com>"
    assert "A.5.3" in approved["iso27001"]
    assert approved["reference"].startswith("refs/heads/f0ci/ledger/prod:")
    assert next(row for row in everything if row["event"] == "quarantine")["what"] == "orders are lost"


def test_every_kind_of_event_serves_a_control() -> None:
    kinds = {kind for kinds in TRANSITIONS.values() for kind in kinds}

    assert kinds <= CONTROLS.keys()
    assert all(soc2.startswith("CC") and iso.startswith("A.") for soc2, iso, _ in CONTROLS.values())


def test_a_spreadsheet_runs_nothing_of_it(line: Line) -> None:
    line.done("hold", "dev", "--reason", '=HYPERLINK("http://evil.example.com")')

    rows = list(csv.DictReader(io.StringIO(line.done("audit", "export").out)))

    assert rows[0]["what"].startswith("'=HYPERLINK")


LEDGER = "refs/heads/f0ci/ledger/prod"


def cut_off(line: Line, count: int) -> None:
    """Take the newest events off production's ledger, as somebody who may force a push."""
    git(line.bare, "update-ref", LEDGER, git(line.bare, "rev-parse", f"{LEDGER}~{count}"))


def test_a_tip_known_from_elsewhere_shows_what_was_cut_off(history: Line) -> None:
    tip = git(history.bare, "rev-parse", LEDGER)
    known = history.done("audit", "verify", "--since", tip[:12], "--format", "json").data
    cut_off(history, 1)
    fresh = history.clone("fresh")

    silent = history.f0ci("audit", "verify", work=fresh)
    anchored = history.f0ci("audit", "verify", "--since", tip[:12], work=fresh)

    assert f"the commits given ({tip[:12]})" in known["anchor"]
    assert "refs/heads/f0ci/ledger/prod" not in known["unanchored"]
    assert silent.code == 0
    assert "cutting off events that none of these knows of is not detectable" in silent.out
    assert anchored.code == 1
    assert "known from elsewhere" in anchored.out


def test_a_clone_knows_what_it_verified(history: Line) -> None:
    first = history.done("audit", "verify", "--format", "json").data
    cut_off(history, 1)

    second = history.f0ci("audit", "verify", "--format", "json")

    assert "nothing verified before here" in first["anchor"]
    assert second.code == 1
    assert [one["kind"] for one in second.data["findings"]] == ["history-rewritten"]
    assert "this clone verified" in second.data["findings"][0]["message"]
    assert history.f0ci("audit", "verify").code == 1, "a bad answer is never remembered as good"


def test_what_an_approver_saw_is_an_anchor(line: Line) -> None:
    dev = "    dev:\n      auto_promote: true\n"
    line.change("workflow.yaml", dev, f"{dev}      gates: {{approval: {{}}}}\n")
    line.release()
    assert line.f0ci("promote", "dev").code == 5
    before = line.done("audit", "verify", "--format", "json").data["unanchored"]
    line.act_as("bob")
    line.done("approve", "dev-1")

    after = line.done("audit", "verify", "--format", "json").data["unanchored"]

    assert before["refs/heads/f0ci/ledger/dev"] == 3
    assert after["refs/heads/f0ci/ledger/dev"] == 1


def test_a_sound_repository_has_nothing_to_mend(line: Line) -> None:
    answer = line.done("doctor", "--format", "json")

    checks = {check["name"]: check for check in answer.data["checks"]}
    assert {check["outcome"] for check in checks.values()} <= {"passed", "skipped", "waiting"}
    assert checks["signing key"]["message"] == "you approve as 'alice'"
    assert checks["atomic pushes"]["outcome"] == "passed"
    assert checks["YAML reader"]["message"].startswith(("C (libyaml 0.2.", "Python ("))


def _no_key(line: Line) -> None:
    git(line.work, "config", "--unset", "user.signingKey")


def _stranger(line: Line) -> None:
    git(line.work, "config", "user.email", "mallory@example.com")


def _one_by_one(line: Line) -> None:
    git(line.bare, "config", "receive.advertiseAtomic", "false")


def _gone(line: Line) -> None:
    line.bare.rename(line.bare.with_suffix(".moved"))


@pytest.mark.parametrize(
    ("harm", "name", "code", "words"),
    [
        (_no_key, "signing key", 0, "user.signingKey"),
        (_stranger, "signing key", 0, "add yourself"),
        (_one_by_one, "atomic pushes", 0, "receive.advertiseAtomic"),
        (_gone, "remote", 3, "git remote get-url"),
    ],
)
def test_what_is_wrong_and_how_to_mend_it(
    line: Line, harm: Callable[[Line], None], name: str, code: int, words: str
) -> None:
    harm(line)

    answer = line.f0ci("doctor", "--format", "json")
    said = line.f0ci("doctor").out

    assert answer.code == code, answer
    check = next(check for check in answer.data["checks"] if check["name"] == name)
    assert check["outcome"] == ("failed" if code else "waiting")
    assert words in check["mend"]
    assert check["mend"] in said


def test_where_a_release_comes_from(line: Line) -> None:
    git(line.work, "config", "commit.gpgSign", "true")
    line.commit({"environments/extra.txt": "1\n"})
    url = "https://ci.example.com/runs/7"
    made = line.done("release", "create", "--builder", url, "--sbom", "sbom.spdx.json", "--format", "json").data

    shown = line.done("release", "show", made["release"], "--format", "json").data

    assert (shown["author"], shown["signature"]) == ("Alice <alice@example.com>", "alice")
    assert (shown["builder"], shown["sbom"]) == (url, "sbom.spdx.json")
    assert f"built by {url}" in line.done("release", "show", made["release"]).out
