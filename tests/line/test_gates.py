"""Gates on a whole line: freezes and who opens them, what platforms assert, what is taken back, what commands say."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SshIdentity, git
from tests.line.conftest import Line

DEV = "    dev:\n      auto_promote: true\n"
ALWAYS = '{name: audit, from: "2020-01-01", to: "2099-01-01"}'


def gate(line: Line, text: str) -> None:
    """Add gates to the first environment, and make a release."""
    line.change("workflow.yaml", DEV, f"{DEV}      gates:\n{text}")
    line.release()


def events(line: Line, kind: str, environment: str = "prod") -> list[dict[str, Any]]:
    ref = f"f0ci/ledger/{environment}"
    paths = git(line.bare, "ls-tree", "-r", "--name-only", ref).splitlines()
    return [json.loads(git(line.bare, "show", f"{ref}:{path}")) for path in paths if path.endswith(f"-{kind}.json")]


def as_bob(line: Line, *args: str) -> int:
    line.act_as("bob")
    code = line.f0ci(*args).code
    line.act_as("alice")
    return code


def test_a_freeze_opens_for_a_reason_and_a_second_person(line: Line) -> None:
    gate(line, f"        window: {{freeze: [{ALWAYS}]}}\n        approval: {{}}\n")
    waiting = line.f0ci("promote", "dev")
    assert waiting.code == 5
    assert "frozen by 'audit'" in waiting.out
    assert "can be overridden by bob" in waiting.out
    assert as_bob(line, "approve", "dev-1") == 0

    own = line.f0ci("override", "dev-1", "--reason", "I am in a hurry")
    nameless = line.f0ci("override", "dev-1")
    unknown = line.f0ci("override", "dev-1", "--gate", "approval", "--reason", "no time")
    assert line.f0ci("promote", "dev").code == 5
    assert as_bob(line, "override", "dev-1", "--reason", "fixes incident 4711") == 0

    assert (own.code, nameless.code, unknown.code) == (4, 2, 4)
    assert "these may: bob" in own.err
    assert "cannot be overridden" in unknown.err
    line.done("promote", "dev")
    line.done("audit", "verify")
    assert events(line, "overridden", "dev")[0]["data"]["statement"]["reason"] == "fixes incident 4711"


def test_a_freeze_stops_no_rollback(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    good = line.tree("env/dev")
    gate(line, f"        window: {{freeze: [{ALWAYS}]}}\n")
    line.done("promote", "dev")
    line.change("environments/base.yaml", "the team", "the whole team")
    line.release()
    assert line.f0ci("promote", "dev").code == 5

    line.done("rollback", "dev", "--reason", "orders are lost")

    assert line.tree("env/dev") == good
    line.done("audit", "verify")


def test_what_was_approved_can_be_taken_back_before_it_is_done(line: Line) -> None:
    gate(line, "        approval: {}\n")
    assert line.f0ci("promote", "dev").code == 5
    assert as_bob(line, "approve", "dev-1") == 0
    line.act_as("bob")
    taken = line.done("revoke", "dev-1", "--reason", "looked at the wrong dashboard")
    again = line.f0ci("revoke", "dev-1", "--reason", "twice")
    line.act_as("alice")

    assert "took back" in taken.out
    assert again.code == 4
    assert line.f0ci("promote", "dev").code == 5
    assert as_bob(line, "approve", "dev-1", "--reason", "the right one") == 0
    line.done("promote", "dev")
    assert as_bob(line, "revoke", "dev-1", "--reason", "too late") == 4
    line.done("audit", "verify")


ACCOUNT = "    emails: [bob@example.com]\n"


@pytest.mark.parametrize(("kind", "code"), [("github", 0), ("gitlab", 5)], ids=["accepted", "not listed"])
def test_evidence_of_a_platform_counts_where_the_gate_accepts_it(line: Line, kind: str, code: int) -> None:
    line.change(".f0ci/approvers.yaml", ACCOUNT, f"{ACCOUNT}    accounts: {{github: bob-gh, gitlab: bob-gl}}\n")
    gate(line, "        approval: {accept: [github]}\n")
    said = ("--evidence-kind", kind, "--evidence-url", "https://ci.example.com/runs/7", "--evidence-job", "promote")
    reviewer = ("--evidence-reviewer", "bob-gh" if kind == "github" else "bob-gl")

    answer = line.f0ci("promote", "dev", *said, *reviewer, "--evidence-how", "environment protection rule")

    assert answer.code == code, answer
    recorded = events(line, "evidence", "dev")
    assert [one["data"]["kind"] for one in recorded] == [kind]
    assert recorded[0]["data"]["how"] == "environment protection rule"
    line.f0ci("promote", "dev", "--continue", *said, *reviewer, "--evidence-how", "environment protection rule")
    assert len(events(line, "evidence", "dev")) == 1
    line.done("audit", "verify")


def test_evidence_comes_by_variables_too(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    line.change(".f0ci/approvers.yaml", ACCOUNT, f"{ACCOUNT}    accounts: {{jenkins: bob}}\n")
    gate(line, "        approval: {accept: [jenkins]}\n")
    monkeypatch.setenv("F0CI_EVIDENCE_KIND", "jenkins")
    monkeypatch.setenv("F0CI_EVIDENCE_URL", "https://token:s3cret@ci.example.com/job/7")
    monkeypatch.setenv("F0CI_EVIDENCE_REVIEWER", "bob")
    monkeypatch.setenv("F0CI_EVIDENCE_JOB", "")

    line.done("promote", "dev")

    data = events(line, "evidence", "dev")[0]["data"]
    assert data["url"] == "https://***@ci.example.com/job/7"
    assert (data["job"], data["how"]) == ("", "platform approval")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("prod", "--evidence-url", "https://ci.example.com"), "without a platform"),
        (("--continue", "--evidence-kind", "github"), "one promotion"),
    ],
)
def test_evidence_about_nothing(line: Line, args: tuple[str, ...], words: str) -> None:
    answer = line.f0ci("promote", *args)

    assert answer.code == 2
    assert words in answer.err


def test_a_command_of_the_policy_is_asked_until_it_agrees(line: Line, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    gate(line, f"        command: {{run: 'test -e {ready} || exit 75', again: 2m}}\n")

    waiting = line.f0ci("promote", "dev", "--format", "json")
    ready.touch()

    assert waiting.code == 5
    assert waiting.data["next_check_at"] is not None
    line.done("promote", "dev", "--continue")


def test_gates_that_look_are_part_of_the_record_and_asked_again_by_the_audit(line: Line) -> None:
    git(line.work, "config", "commit.gpgSign", "true")
    gate(line, "        signed_commit: {}\n        command: {run: 'echo no incident'}\n        settled:\n")

    line.done("promote", "dev")

    facts = events(line, "applied", "dev")[0]["data"]["facts"]
    assert facts["command"] == {"code": 0, "said": "no incident"}
    assert facts["signed_commit"]["signer"] == "alice"
    line.done("audit", "verify")


def test_an_unsigned_commit_is_refused(line: Line) -> None:
    gate(line, "        signed_commit: {}\n")

    answer = line.f0ci("promote", "dev")

    assert answer.code == 4
    assert "is not signed" in answer.out


def test_a_hold_that_ends_by_itself(line: Line) -> None:
    line.release()
    line.done("hold", "dev", "--reason", "database upgrade", "--for", "2h")
    held = line.f0ci("promote", "dev", "--format", "json")
    status = line.done("status", "dev")
    why = line.done("why", "dev", "--format", "json").data["conditions"]
    line.done("hold", "dev", "--reason", "over in no time", "--for", "0")

    assert held.code == 5
    assert held.data["next_check_at"] is not None
    assert "until" in status.out
    assert [(one["what"], one["who"]) for one in why] == [("hold", ["alice", "bob"]), ("request", [])]
    assert "or passes it with `f0ci promote dev --through-hold REASON`" in why[0]["reason"]
    line.done("promote", "dev")
    line.done("audit", "verify")


def test_who_left_the_approvers_file_approves_no_more(line: Line) -> None:
    """What bob signed while he was there stays good; what he signs afterwards does not count."""
    line.to_prod()
    line.done("promote", "prod")
    text = (line.work / ".f0ci/approvers.yaml").read_text(encoding="utf-8")
    start = text.index("  bob:")
    line.change(
        ".f0ci/approvers.yaml",
        text[start : text.index("groups:")],
        f"  carol:\n    emails: [carol@example.com]\n    keys: ['{line.people['bob'].key}']\n",
    )
    line.change(".f0ci/approvers.yaml", "[alice, bob]", "[alice, carol]")
    line.to_prod()
    line.done("promote", "prod")
    line.change("environments/base.yaml", "the team", "the whole team")
    line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")
    assert line.f0ci("promote", "prod").code == 5

    assert as_bob(line, "approve", "prod-3") == 4
    line.done("audit", "verify")


def test_a_key_is_changed_for_another(line: Line, tmp_path: Path) -> None:
    """What was signed with the old key stays good in the record; only the new one counts from then on."""
    gate(line, "        approval: {}\n")
    assert line.f0ci("promote", "dev").code == 5
    assert as_bob(line, "approve", "dev-1") == 0
    line.done("promote", "dev")
    fresh = tmp_path / "fresh"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(fresh)], check=True)
    public = " ".join(fresh.with_suffix(".pub").read_text(encoding="ascii").split()[:2])
    line.change(".f0ci/approvers.yaml", line.people["bob"].key, public)
    line.release()
    assert line.f0ci("promote", "dev").code == 5
    assert as_bob(line, "approve", "dev-2") == 0, "until it succeeds, the policy before it judges"
    line.done("promote", "dev")
    line.change("environments/base.yaml", "the team", "the whole team")
    line.release()
    assert line.f0ci("promote", "dev").code == 5

    old = as_bob(line, "approve", "dev-3")
    line.people["bob"] = SshIdentity("bob", fresh, fresh.with_suffix(".pub"), public)

    assert old == 4
    assert as_bob(line, "approve", "dev-3") == 0
    line.done("promote", "dev")
    line.done("audit", "verify")
