"""The gate `signed-commit`: the release's source commit carries a good signature of somebody in the approvers file.

Settings:
    groups: groups of the approvers file whose members' signatures count; everybody's in the file where none is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from f0ci.core.outcome import Outcome
from f0ci.promotion.gates.base import GateAnswer, GateQuestion, Scene

KIND = "signed-commit"
USES_AUTHORS = False
# looking again gives the same facts, so that nobody has to believe a record of them
REPEATABLE = True


def observe(scene: Scene) -> Mapping[str, Any]:
    """Find out who signed the source commit: `commit`, `signed`, `signer`."""
    from f0ci.git.signed_commits import signer_of

    signed, signer = signer_of(scene.repository, scene.source_commit, scene.approvers.keys())
    return {"commit": scene.source_commit, "signed": signed, "signer": signer}


def evaluate(question: GateQuestion) -> GateAnswer:
    """Answer whether the source commit is signed by somebody who counts.

    signed by a key of a person who counts     passed
    signed by anybody else, or not signed      refused: a commit does not change any more
    """
    facts = question.facts
    if not facts:
        return GateAnswer(KIND, Outcome.WAITING, "the source commit was not looked at yet")
    commit, signer = str(facts["commit"])[:10], facts["signer"]
    groups = tuple(question.settings.get("groups") or ())
    if signer in question.approvers.members(groups):
        return GateAnswer(KIND, Outcome.PASSED, f"commit {commit} is signed by {signer}")
    if not facts["signed"]:
        return GateAnswer(KIND, Outcome.FAILED, f"commit {commit} is not signed; sign it and make a new release")
    if signer is None:
        reason = f"commit {commit} is signed by a key that nobody in the approvers file has"
        return GateAnswer(KIND, Outcome.FAILED, reason)
    return GateAnswer(KIND, Outcome.FAILED, f"commit {commit} is signed by {signer}, who is not in {', '.join(groups)}")
