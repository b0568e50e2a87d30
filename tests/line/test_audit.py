"""Tampering of every kind, made with Git's plumbing on the remote, is found and named by `f0ci audit verify`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import git
from tests.line.conftest import Answer, Line
from tests.line.forger import Forger

Act = Callable[[Line, Forger], None]
# the promotion that waits for an approval
WAITING = "prod-4"
ROWS: list[Any] = []


def row(*kinds: str) -> Callable[[Act], Act]:
    """Add a kind of tampering to the table, with the findings that it must lead to."""

    def add(act: Act) -> Act:
        ROWS.append(pytest.param(act, set(kinds), id=act.__name__.strip("_")))
        return act

    return add


def audit(line: Line, *options: str, clone: tuple[str, ...] = ()) -> Answer:
    """Verify from a clone that has seen nothing before."""
    return line.f0ci("audit", "verify", *options, work=line.clone("auditor", *clone))


@row("event-edited")
def _an_event_is_edited(_: Line, forger: Forger) -> None:
    path, _event = forger.find("prod", "waiting", WAITING)
    forger.edit("prod", path, data__reasons=["approval: nobody has to"])


@row("event-deleted", "event-missing")
def _an_event_is_deleted(_: Line, forger: Forger) -> None:
    path, _event = forger.find("prod", "hold")
    forger.commit(forger.ledger("prod"), {path: None})


@row("event-deleted", "event-invalid")
def _an_event_is_renamed(_: Line, forger: Forger) -> None:
    path, event = forger.find("dev", "deployed")
    moved = path.replace("deployed", "succeeded")
    forger.commit(forger.ledger("dev"), {path: None, moved: json.dumps(event)})


@row("event-inserted", "event-missing")
def _an_event_is_inserted(_: Line, forger: Forger) -> None:
    forger.append("prod", "_environment", "hold", {"reason": "always was", "promotion": None}, position=2)


@row("event-edited", "event-not-allowed")
def _two_events_change_places(_: Line, forger: Forger) -> None:
    (first, one), (second, other) = forger.find("dev", "applied"), forger.find("dev", "deployed")
    one["position"], other["position"] = other["position"], one["position"]
    forger.commit(forger.ledger("dev"), {first: json.dumps(one), second: json.dumps(other)})


@row("actor-forged")
def _an_event_names_another_actor(_: Line, forger: Forger) -> None:
    data = {"reason": "bob said so", "promotion": None}
    forger.append("prod", "_environment", "hold", data, actor="Bob <bob@example.com>")


@row("event-invalid")
def _an_event_of_an_unknown_kind(_: Line, forger: Forger) -> None:
    forger.append("prod", WAITING, "celebrated", {})


@row("event-invalid")
def _a_file_that_is_no_event(_: Line, forger: Forger) -> None:
    forger.commit(forger.ledger("prod"), {"README.md": "nothing to see here\n"})


@row("event-misplaced")
def _an_event_of_another_ledger(_: Line, forger: Forger) -> None:
    forger.append("dev", "_environment", "hold", {"reason": "x", "promotion": None}, environment="prod")


@row("event-not-allowed")
def _an_event_that_cannot_follow(_: Line, forger: Forger) -> None:
    forger.append("prod", "prod-1", "failed", {"reasons": ["it was bad all along"]})


@row("history-not-linear")
def _a_merge_in_a_ledger(_: Line, forger: Forger) -> None:
    tip = forger.tip(forger.ledger("prod"))
    forger.commit(forger.ledger("prod"), {}, parents=[tip, forger.tip(forger.ledger("dev"))])


@row("commit-foreign")
def _a_commit_without_event(_: Line, forger: Forger) -> None:
    forger.commit(forger.ledger("prod"), {})


@row("history-rewritten")
def _a_ledger_that_others_quote_is_cut_off(_: Line, forger: Forger) -> None:
    forger.git("update-ref", forger.ledger("dev"), f"{forger.ledger('dev')}~2")


@row("history-rewritten", "environment-edited")
def _a_ledger_is_deleted(_: Line, forger: Forger) -> None:
    forger.git("update-ref", "-d", forger.ledger("staging"))


@row("history-rewritten")
def _the_record_of_a_quarantine_is_deleted(_: Line, forger: Forger) -> None:
    forger.git("update-ref", "-d", forger.ledger("_workflow"))


@row("history-rewritten")
def _a_ledger_is_written_anew(_: Line, forger: Forger) -> None:
    ref = forger.ledger("staging")
    tree, message = forger.git("rev-parse", f"{ref}^{{tree}}"), "all events at once"
    forger.act_as("alice")
    forger.git("update-ref", ref, forger.git("commit-tree", tree, "-m", message))


@row("approval-forged")
def _an_approval_is_copied_from_another_promotion(_: Line, forger: Forger) -> None:
    _path, event = forger.find("prod", "approved", "prod-1")
    forger.append("prod", WAITING, "approved", event["data"])


@row("approval-replayed")
def _an_approval_is_given_a_second_time(line: Line, forger: Forger) -> None:
    line.approve_waiting()
    _path, event = forger.find("prod", "approved", WAITING)
    forger.append("prod", WAITING, "approved", event["data"])


@row("approval-replayed")
def _an_approval_of_an_earlier_plan_is_used_again(line: Line, forger: Forger) -> None:
    line.approve_waiting()
    _path, event = forger.find("prod", "approved", WAITING)
    forger.replan("prod", WAITING, renderer="0.0.0")
    forger.append("prod", WAITING, "approved", event["data"])


def _statement(forger: Forger, approver: str) -> dict[str, Any]:
    _path, event = forger.find("prod", "approved", "prod-1")
    from f0ci.core.canonical import digest

    plan = forger.plan("prod", WAITING)
    return {**event["data"]["statement"], "promotion": WAITING, "digest": digest(plan), "approver": approver}


@row("approval-forged")
def _an_approval_is_not_signed(_: Line, forger: Forger) -> None:
    signature = {"format": "ssh", "armored": "", "key": forger.keys["bob"].key}
    forger.append("prod", WAITING, "approved", {"statement": _statement(forger, "bob"), "signature": signature})


@row("approval-forged")
def _an_approval_is_signed_by_a_key_that_nobody_knows(_: Line, forger: Forger) -> None:
    statement = _statement(forger, "bob")
    data = {"statement": statement, "signature": forger.sign("mallory", statement)}
    forger.append("prod", WAITING, "approved", data)


@row("approval-forged")
def _an_approval_is_signed_by_somebody_else(_: Line, forger: Forger) -> None:
    statement = _statement(forger, "bob")
    forger.append("prod", WAITING, "approved", {"statement": statement, "signature": forger.sign("alice", statement)})


@row("approval-forged", "quorum-not-met")
def _an_approval_of_another_decision_is_used(_: Line, forger: Forger) -> None:
    statement = {**_statement(forger, "bob"), "decision": "reject"}
    forger.append("prod", WAITING, "approved", {"statement": statement, "signature": forger.sign("bob", statement)})
    forger.apply("prod", WAITING)


@row("approval-forged")
def _a_revocation_is_made_up(line: Line, forger: Forger) -> None:
    line.approve_waiting()
    statement = {**_statement(forger, "bob"), "decision": "revoke"}
    forger.append("prod", WAITING, "revoked", {"statement": statement, "signature": forger.sign("mallory", statement)})


@row("approval-forged")
def _an_override_is_made_up(_: Line, forger: Forger) -> None:
    statement = {**_statement(forger, "bob"), "decision": "override", "gate": "window"}
    data = {"statement": statement, "signature": forger.sign("mallory", statement)}
    forger.append("prod", WAITING, "overridden", data)


@row("quorum-not-met")
def _evidence_of_a_platform_that_no_gate_accepts(_: Line, forger: Forger) -> None:
    told = {"kind": "github", "url": "https://ci.example.com/1", "job": "a", "reviewer": "bob", "how": "rule"}
    forger.append("prod", WAITING, "evidence", {**told, "digest": _statement(forger, "bob")["digest"]})
    forger.apply("prod", WAITING)


@row("event-not-allowed")
def _two_promotions_are_active_at_once(_: Line, forger: Forger) -> None:
    _path, event = forger.find("prod", "requested", WAITING)
    forger.append("prod", "prod-5", "requested", event["data"])


@row("quorum-not-met")
def _an_author_approves_alone(_: Line, forger: Forger) -> None:
    statement = _statement(forger, "alice")
    forger.append("prod", WAITING, "approved", {"statement": statement, "signature": forger.sign("alice", statement)})
    forger.apply("prod", WAITING)


@row("quorum-not-met")
def _nobody_approves(_: Line, forger: Forger) -> None:
    forger.apply("prod", WAITING)


@row("quorum-not-met")
def _an_approval_had_expired(line: Line, forger: Forger) -> None:
    line.act_as("bob")
    line.done("approve", WAITING, "--expires", "1s")
    forger.append("prod", WAITING, "waiting", {"reasons": ["later"]}, time="2099-01-01T00:00:00Z")
    forger.apply("prod", WAITING)


@row("policy-smuggled")
def _the_gates_are_taken_out_of_a_plan(_: Line, forger: Forger) -> None:
    forger.replan("prod", WAITING, gates=[])
    forger.apply("prod", WAITING)


@row("policy-smuggled")
def _a_plan_names_other_policy_files(_: Line, forger: Forger) -> None:
    policy = forger.plan("prod", WAITING)["policy"]
    forged = forger.git("hash-object", "-w", "--stdin", content="people: {}\n")
    forger.replan("prod", WAITING, policy={**policy, "blobs": {**policy["blobs"], ".f0ci/approvers.yaml": forged}})


@row("policy-smuggled")
def _a_plan_names_the_policy_of_another_commit(line: Line, forger: Forger) -> None:
    key = forger.keys["mallory"].key
    approvers = f"people: {{mallory: {{emails: [mallory@example.com], keys: ['{key}']}}}}\ngroups: {{}}\n"
    commit = forger.commit("refs/heads/main", {".f0ci/approvers.yaml": approvers})
    policy = forger.plan("prod", WAITING)["policy"]
    blob = forger.git("rev-parse", f"{commit}:.f0ci/approvers.yaml")
    blobs = {**policy["blobs"], ".f0ci/approvers.yaml": blob}
    forger.replan("prod", WAITING, policy={**policy, "commit": commit, "blobs": blobs})
    assert line.tip("main") == commit


@row("plan-edited")
def _a_plan_does_not_fit_its_digest(_: Line, forger: Forger) -> None:
    plan = forger.plan("prod", WAITING)
    forger.append("prod", WAITING, "replanned", {"digest": "0" * 64, "plan": plan, "reason": "forged"})


@row("plan-edited", "event-edited")
def _a_plan_is_edited_where_it_lies(_: Line, forger: Forger) -> None:
    path, event = forger.find("prod", "requested", "prod-2")
    forger.edit("prod", path, data__plan={**event["data"]["plan"], "gates": []})


@row("release-missing")
def _a_plan_names_another_source(_: Line, forger: Forger) -> None:
    forger.replan("prod", WAITING, source_commit="0" * 40)


@row("release-forged")
def _the_tag_of_a_release_is_moved(_: Line, forger: Forger) -> None:
    # the newest release; the first commit holds another
    tag = forger.git("for-each-ref", "--format=%(refname)", "--points-at=main", "refs/tags/f0ci/release")
    text = forger.git("cat-file", "-p", tag)
    _object, rest = text.split("\n", 1)
    elsewhere = forger.git("rev-list", "--max-parents=0", "main")
    assert elsewhere != forger.tip("main")
    forger.git("update-ref", tag, forger.git("mktag", content=f"object {elsewhere}\n{rest}\n"))


@row("tree-not-planned")
def _another_tree_is_applied(line: Line, forger: Forger) -> None:
    line.approve_waiting()
    forger.apply("prod", WAITING, tree=forger.git("rev-parse", "env/dev^{tree}"))


@row("tree-not-verified")
def _a_rollback_goes_where_nobody_was(_: Line, forger: Forger) -> None:
    from f0ci.core.canonical import digest

    _path, event = forger.find("prod", "requested", "prod-3")
    forger.append("prod", WAITING, "aborted", {"reason": "rolled back"})
    plan = {**event["data"]["plan"], "promotion": "prod-5"}
    plan["steps"] = [{"percent": 100, "tree": forger.git("rev-parse", "env/dev^{tree}")}]
    forger.append("prod", "prod-5", "requested", {**event["data"], "plan": plan, "digest": digest(plan)})


@row("success-unfounded")
def _a_success_that_nobody_measured(line: Line, forger: Forger) -> None:
    line.approve_waiting()
    forger.apply("prod", WAITING)
    forger.append("prod", WAITING, "deployed", {"step": 0, "outcome": "passed"})
    forger.append("prod", WAITING, "succeeded", {"verification": "measured"})


@row("right-not-proven")
def _a_stranger_lifts_a_hold(line: Line, forger: Forger) -> None:
    line.done("hold", "prod", "--reason", "incident")
    forger.append("prod", "_environment", "unhold", {"reason": "never mind"})


@row("right-not-proven")
def _a_hold_is_lifted_in_an_approvers_name(line: Line, forger: Forger) -> None:
    line.done("hold", "prod", "--reason", "incident")
    forger.act_as("bob")
    forger.append("prod", "_environment", "unhold", {"reason": "never mind"})


@row("right-not-proven")
def _a_hold_is_lifted_with_what_lifted_an_earlier_one(line: Line, forger: Forger) -> None:
    _path, event = forger.find("prod", "unhold")
    line.done("hold", "prod", "--reason", "incident")
    forger.act_as("bob")
    forger.append("prod", "_environment", "unhold", event["data"])


@row("right-not-proven")
def _a_hold_is_lifted_with_the_key_of_a_stranger(line: Line, forger: Forger) -> None:
    _path, event = forger.find("prod", "unhold")
    line.done("hold", "prod", "--reason", "incident")
    _path, held = forger.find("prod", "hold")
    statement = {**event["data"]["statement"], "digest": forger.digest("prod", held)}
    data = {"reason": "never mind", "statement": statement, "signature": forger.sign("mallory", statement)}
    forger.append("prod", "_environment", "unhold", data)


@row("right-not-proven")
def _a_hold_is_shortened(line: Line, forger: Forger) -> None:
    line.done("hold", "prod", "--reason", "incident")
    data = {"reason": "short", "promotion": None, "expires": "2026-11-01T00:00:00Z"}
    forger.append("prod", "_environment", "hold", data)


@row("right-not-proven")
def _a_hold_is_passed_by_a_stranger(line: Line, forger: Forger) -> None:
    from f0ci.core.canonical import digest

    forger.append("prod", WAITING, "aborted", {"reason": "me first"})
    line.done("hold", "prod", "--reason", "incident")
    _path, event = forger.find("prod", "requested", WAITING)
    plan = {**event["data"]["plan"], "promotion": "prod-5"}
    data = {**event["data"], "plan": plan, "digest": digest(plan), "through_hold": "I know better"}
    forger.append("prod", "prod-5", "requested", data)


@row("right-not-proven")
def _a_stranger_lifts_a_quarantine(_: Line, forger: Forger) -> None:
    _path, event = forger.find("_workflow", "quarantine")
    data = {"release": event["data"]["release"], "reason": "never mind"}
    forger.append("_workflow", "_workflow", "unquarantine", data)


@row("right-not-proven")
def _a_quarantine_is_lifted_with_what_lifted_an_earlier_one(line: Line, forger: Forger) -> None:
    _path, event = forger.find("_workflow", "quarantine")
    line.done("quarantine", event["data"]["release"], "--lift", "--reason", "it was the database")
    _path, lifted = forger.find("_workflow", "unquarantine")
    line.done("quarantine", event["data"]["release"], "--reason", "it was not")
    forger.append("_workflow", "_workflow", "unquarantine", lifted["data"])


@row("policy-smuggled")
def _a_quarantine_is_lifted_by_the_policies_of_some_environments(line: Line, forger: Forger) -> None:
    _path, event = forger.find("_workflow", "quarantine")
    line.done("quarantine", event["data"]["release"], "--lift", "--reason", "it was the database")
    _path, lifted = forger.find("_workflow", "unquarantine")
    policies = {name: one for name, one in lifted["data"]["policies"].items() if name != "prod"}
    forger.git("update-ref", forger.ledger("_workflow"), f"{forger.ledger('_workflow')}~1")
    forger.append("_workflow", "_workflow", "unquarantine", {**lifted["data"], "policies": policies})


@row("quote-too-old")
def _a_quarantine_is_passed_over_by_not_looking(line: Line, forger: Forger) -> None:
    line.approve_waiting()
    before = forger.tip(forger.ledger("_workflow"))
    line.done("quarantine", forger.plan("prod", WAITING)["release"], "--reason", "loses orders")
    forger.apply("prod", WAITING, quotes={"_workflow": before}, time="2030-01-01T00:00:00Z")


@row("quote-too-old")
def _a_quarantine_is_passed_over_by_saying_nothing_of_it(line: Line, forger: Forger) -> None:
    line.approve_waiting()
    line.done("quarantine", forger.plan("prod", WAITING)["release"], "--reason", "loses orders")
    forger.apply("prod", WAITING, quotes={"_workflow": None}, time="2030-01-01T00:00:00Z")


@row("hold-ignored")
def _a_hold_is_passed_over(line: Line, forger: Forger) -> None:
    line.approve_waiting()
    line.done("hold", "prod", "--reason", "incident")
    forger.apply("prod", WAITING)


@row("quarantine-ignored")
def _a_quarantine_is_passed_over(line: Line, forger: Forger) -> None:
    line.approve_waiting()
    release = forger.plan("prod", WAITING)["release"]
    line.done("quarantine", release, "--reason", "loses orders")
    forger.apply("prod", WAITING)


@row("environment-edited")
def _an_environment_is_edited_by_hand(_: Line, forger: Forger) -> None:
    forger.commit("refs/heads/env/prod", {"config.json": "{}"})


@row("environment-rewritten")
def _an_environment_is_pushed_back(_: Line, forger: Forger) -> None:
    forger.git("update-ref", "refs/heads/env/prod", "env/prod~1")


@row("environment-rewritten")
def _an_environment_is_deleted(_: Line, forger: Forger) -> None:
    forger.git("update-ref", "-d", "refs/heads/env/staging")


@row("environment-edited", "environment-rewritten")
def _a_commit_of_an_environment_is_made_again(_: Line, forger: Forger) -> None:
    tree, parent = forger.git("rev-parse", "env/prod^{tree}"), forger.tip("env/prod~1")
    forger.git("update-ref", "refs/heads/env/prod", forger.git("commit-tree", tree, "-p", parent, "-m", "same tree"))


@pytest.mark.parametrize(("act", "kinds"), ROWS)
def test_tampering_is_found_and_named(act: Act, kinds: set[str], history: Line, forger: Forger) -> None:
    act(history, forger)

    answer = audit(history, "--format", "json")

    assert answer.code == 1, answer.err
    found = answer.data["findings"]
    assert kinds <= {finding["kind"] for finding in found}, found
    for finding in found:
        assert finding["place"].startswith("refs/"), finding
        assert finding["message"], finding


def test_an_untouched_history_has_no_findings(history: Line) -> None:
    answer = audit(history, "--format", "json")

    assert answer.code == 0, answer.out
    assert answer.data["findings"] == []
    assert answer.data["commits"] == 9
    # two approvals, and the lifting of a hold
    assert answer.data["approvals"] == 3
    assert set(answer.data["events"]) >= {"refs/heads/f0ci/ledger/prod", "refs/heads/f0ci/ledger/_workflow"}


@pytest.mark.parametrize("options", [(), ("--depth=1",)], ids=["full", "shallow"])
def test_it_is_verified_from_any_clone(options: tuple[str, ...], history: Line) -> None:
    assert audit(history, clone=options).code == 0


def test_what_a_shallow_clone_lacks_is_not_verified_offline(history: Line) -> None:
    answer = audit(history, "--offline", clone=("--depth=1",))

    assert answer.code == 3
    assert "git fetch --unshallow" in answer.err


def test_what_was_fetched_is_verified_offline(history: Line) -> None:
    history.done("status")
    git(history.work, "remote", "set-url", "origin", "/nowhere")

    assert history.f0ci("audit", "verify", "--offline").code == 0


def test_cutting_off_what_nobody_quotes_is_said_to_be_not_detectable(history: Line, forger: Forger) -> None:
    ref = forger.ledger("prod")
    path, _event = forger.find("prod", "waiting", WAITING)
    forger.git("update-ref", ref, f"{ref}~1")
    assert path not in forger.events("prod")

    answer = audit(history)

    assert answer.code == 0
    assert "no tampering found" in answer.out
    assert f"not detectable: whether {ref} goes on" in answer.out
    assert "clean" not in answer.out
    data = history.f0ci("audit", "verify", "--format", "json").data
    assert data["unanchored"][ref] > 0


def test_a_broken_ledger_stops_every_command_with_a_pointer_to_the_audit(history: Line, forger: Forger) -> None:
    forger.append("prod", "prod-1", "failed", {"reasons": ["it was bad all along"]})

    for command in (["status"], ["history"], ["promote", "prod"], ["rollback", "prod", "--reason", "x"]):
        answer = history.f0ci(*command)
        assert answer.code == 3, (command, answer)
        assert "refs/heads/f0ci/ledger/prod:" in answer.err
        assert "'failed' cannot follow 'succeeded'" in answer.err
        assert "f0ci audit verify" in answer.err
