"""Asking for a promotion: which release, whether the environment is free, and the first recorded event."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from f0ci.core.clock import format_time
from f0ci.core.errors import Refused, UsageError
from f0ci.promotion.admitting import BEFORE_THE_CHANGE, plan_for, policy_drafts
from f0ci.promotion.cut_off import require_whole
from f0ci.promotion.drifting import drift_note
from f0ci.promotion.elsewhere import rehearsed
from f0ci.promotion.errands import LeftError
from f0ci.promotion.events import Draft
from f0ci.promotion.going_on import Way, mended_or_again, ways_on
from f0ci.promotion.ledger import Change, Ledgers
from f0ci.promotion.names import RELEASE_TAGS, short
from f0ci.promotion.objects import is_ancestor, source_commit
from f0ci.promotion.plan import Plan
from f0ci.promotion.policy import policy_at, read_policy, require_usable
from f0ci.promotion.promoting import Request, advance_to_end
from f0ci.promotion.releases import Release, find_release, newest_content
from f0ci.promotion.report import PromotionReport, left_report, report_on
from f0ci.promotion.rights import UNSIGNED, Act, believed, prove, unproven_lift, unproven_release
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState, Promotion
from f0ci.promotion.times import decision_time
from f0ci.promotion.unreleased import left_behind
from f0ci.promotion.watching import Patience

# where a job is at work on it; what waits or is watched may take days
_ON_ITS_WAY = frozenset({"requested", "deploying"})


def promote(site: Site, request: Request) -> PromotionReport:
    """Bring a release into an environment, or take its active promotion further.

    Raises:
        UsageError: no such release.
        Refused: the release is quarantined, or older than what the environment runs, or the plan is another than the
            one that was asked for.
        CannotWork: Git, the remote or the release stop the work.
    """
    # what came of each attempt: a report, a promotion that is on its way, or the id of one that was asked for
    came: list[PromotionReport | Promotion | str] = []

    def decide(ledgers: Ledgers) -> Change | None:
        state = ledgers.environments[request.environment]
        replaced = _replaced(site, ledgers, state, request)
        if state.unfinished is not None and replaced is None:
            came.append(state.unfinished)
            _check_active_plan(site, ledgers, state.unfinished, request)
            return None
        release = choose_release(site, request.release, ledgers, request.environment)
        settled = _answer_at_once(site, ledgers, state, release, request)
        if settled is not None:
            came.append(settled)
            return None
        # a clock that is behind would make this the newest moment
        decision_time(site.clock.now(), state.events, state.environment)
        asked = f"{request.environment}-{len(state.promotions) + 1}"
        plan = plan_for(site, ledgers, request.environment, release, asked)
        _refuse_other_plan(request, plan.digest)
        if not came:
            drifted = drift_note(site, ledgers, request.environment)
            for said in (*rehearsed(site, state, plan), *([f"note: {drifted}"] if drifted else [])):
                request.on_stage(said)
        came.append(asked)
        data: dict[str, Any] = {
            "purpose": "promote",
            "release": release.digest,
            "digest": plan.digest,
            "plan": plan.bound,
            "ledgers": ledgers.tips(),
        }
        data |= _pass_hold(site, ledgers, request, plan, asked)
        request.on_stage(f"requesting release {release.id} for {request.environment}")
        before = list(policy_drafts(plan, state.policy))
        if replaced is not None:
            said = f"release {release.id} is newer, and the queue policy is 'newest'"
            before.insert(0, Draft("superseded", replaced.id, {"reasons": [said]}))
        return Change(request.environment, (*before, Draft("requested", asked, data)))

    try:
        site.store.transact(decide)
    except LeftError as left:
        return left_report(request.environment, left)
    result = came[-1]
    if request.release is None and not isinstance(result, Promotion):
        _say_left_behind(site, request, settled=isinstance(result, PromotionReport))
    if isinstance(result, PromotionReport):
        return result
    if isinstance(result, Promotion):
        return _go_on_with(site, request, result)
    return advance_to_end(site, request, result)


def promote_in_turn(site: Site, request: Request, patience: Patience, *, whatever: bool = False) -> PromotionReport:
    """Bring a release in once the one that is there before it has arrived, or ended otherwise.

    Args:
        site: the repository.
        request: what was asked for.
        patience: how long to wait for it, and how often to look.
        whatever: wait also for one that waits itself, for people say; else only for one that a job is at work on.

    Raises:
        F0ciError: see `promote`.
    """
    begun, told = patience.elapsed(), None
    while True:
        report = promote(site, request)
        left = patience.span.total_seconds() - (patience.elapsed() - begun)
        if not is_behind(site, request, report) or left <= 0 or not (whatever or report.state in _ON_ITS_WAY):
            return report
        if report.reasons != told or not whatever:
            told = report.reasons
            request.on_stage(report.reasons[0])
        patience.pause(min(left, patience.every.total_seconds()))
        site.store.fetch()


def is_behind(site: Site, request: Request, report: PromotionReport) -> bool:
    """Tell whether a report is about another release's promotion, which has to end first."""
    active = site.store.read().environments[request.environment].unfinished
    return active is not None and active.id == report.promotion and _is_another(site, active, request)


def _say_left_behind(site: Site, request: Request, *, settled: bool) -> None:
    """Say it where the release that nobody named is not the newest that lies at hand."""
    ledgers = site.store.read()
    state = ledgers.environments[request.environment]
    if read_policy(site, state, request.environment).queue == "in_order":
        return
    said = left_behind(site, choose_release(site, None, ledgers, request.environment), settled=settled)
    if said is not None:
        request.on_stage(said)


def _check_active_plan(site: Site, ledgers: Ledgers, active: Promotion, request: Request) -> None:
    """Refuse where the promotion that is there would carry out, or carries out, another plan than the one asked for."""
    if request.digest is None or _is_another(site, active, request):
        return
    digest = active.digest
    if active.state in BEFORE_THE_CHANGE and active.purpose == "promote":
        release = site.planned_release(active)
        digest = plan_for(site, ledgers, request.environment, release, active.id).digest
    _refuse_other_plan(request, digest)


def _refuse_other_plan(request: Request, digest: str) -> None:
    if request.digest is not None and not digest.startswith(request.digest):
        raise Refused(
            f"the plan is no longer {short(request.digest)}, which was shown, but {short(digest)}",
            f"see what it is now with `f0ci plan {request.environment}`, and decide again",
        )


def _is_another(site: Site, active: Promotion, request: Request) -> bool:
    return request.release is not None and site.require_release(request.release).digest != active.release


def _answer_at_once(
    site: Site, ledgers: Ledgers, state: EnvironmentState, release: Release, request: Request
) -> PromotionReport | None:
    """Return the report of a request that needs no promotion or gets none, or None where one is asked for.

    Raises:
        Refused: the release is quarantined or too old, or the hold may not be passed.
        InputError: nobody could approve anything after this release.
        CannotWork: the environment's ledger lost events.
    """
    stop = ledgers.workflow.quarantine_of(release.digest)
    if stop is not None:
        is_held = _why_held(site, state) is not None
        mended, again = mended_or_again(state, release.digest, quarantined=True, held=is_held)
        hint = f"{mended.when}: {_in_order(mended)}; {again.when}: {_in_order(again)}"
        raise Refused(f"release {release.id} is quarantined: {stop}", hint)
    settled = _already_there(site, ledgers, state, release)
    if settled is not None:
        return replace(settled, ways=ways_on(ledgers, state.environment, site.clock.now()))
    doubt = unproven_lift(site, state, ledgers.workflow, release.digest)
    if doubt is not None:
        hint = f"f0ci quarantine {release.id} --reason ... sets it again, for an approver to lift"
        raise Refused(f"release {release.id} counts as quarantined: {doubt}", hint)
    require_whole(site, ledgers, [state.environment])
    held = _held(site, state, release, request)
    if held is not None:
        return held
    _refuse_older(site, state, release)
    require_usable(policy_at(site, release.commit, state.environment), state.environment, f"release {release.id}")
    return None


def _in_order(way: Way) -> str:
    return ", then ".join(f"`{command}`" for command in way.commands)


def _go_on_with(site: Site, request: Request, active: Promotion) -> PromotionReport:
    if _is_another(site, active, request) and active.is_active:
        return PromotionReport(
            active.id,
            request.environment,
            active.release,
            active.state,
            digest=active.digest,
            reasons=(
                f"{active.id} is still active in {request.environment} with release {short(active.release)}; "
                "one promotion at a time: "
                f"take it further with `f0ci promote {request.environment} --continue`, "
                f"or end it with `f0ci abort {active.id} --reason ...`",
            ),
        )
    return advance_to_end(site, request, active.id)


def _replaced(site: Site, ledgers: Ledgers, state: EnvironmentState, request: Request) -> Promotion | None:
    """Return the waiting promotion that a request takes the place of, or None.

    The queue policy `newest` lets a newer release supersede one that has changed nothing yet.
    """
    active = state.active
    if active is None or active.state not in BEFORE_THE_CHANGE or active.intents or active.purpose != "promote":
        return None
    if read_policy(site, state, state.environment).queue != "newest":
        return None
    release = choose_release(site, request.release, ledgers, request.environment)
    order = [one.digest for one in site.releases()]
    waits = order.index(active.release) if active.release in order else -1
    return active if order.index(release.digest) > waits else None


def choose_release(site: Site, name: str | None, ledgers: Ledgers, environment: str) -> Release:
    """Return the release that a name means; without a name the one that is next by the environment's queue policy.

    manual, newest     the release of the newest content
    in_order           the oldest that is newer than what the environment runs; no other can be named

    Raises:
        UsageError: there is none.
        Refused: every release comes in order, and another one comes first.
    """
    if not site.refs.list(RELEASE_TAGS):
        raise UsageError("there is no release yet", "make one with `f0ci release create`")
    state = ledgers.environments[environment]
    named = site.require_release(name) if name is not None else None
    running = state.current
    if running is not None and read_policy(site, state, environment).queue == "in_order":
        releases = site.releases()
        following = next_in_order(releases, running.release, state, believed(site, state, ledgers))
        if following is not None and named in {None, following}:
            return following
        if named is not None and following is not None and releases.index(named) > releases.index(following):
            raise Refused(
                f"release {named.id} is not next in {environment!r}: every release comes in order, "
                f"and {following.id} comes first",
                f"f0ci promote {environment} --release {following.id}, or quarantine it if it must not come",
            )
        if named is None:
            return find_release(releases, running.release) or releases[-1]
    if named is not None:
        return named
    # after a revert the newest content is a release that was made long ago
    return site.find_release(newest_content(site) or "") or site.require_release("latest")


def next_in_order(
    releases: tuple[Release, ...], running: str, state: EnvironmentState, ledgers: Ledgers
) -> Release | None:
    """Return the oldest release that is newer than what runs, not quarantined and not refused here; pure."""
    refused = {one.release for one in state.promotions if one.state == "refused"}
    known = [one.digest for one in releases]
    start = known.index(running) + 1 if running in known else 0
    able = (one for one in releases[start:] if ledgers.workflow.quarantine_of(one.digest) is None)
    return next((one for one in able if one.digest not in refused), None)


def _already_there(site: Site, ledgers: Ledgers, state: EnvironmentState, release: Release) -> PromotionReport | None:
    """Return the report of a repeated run that changes nothing, or None where there is something to do."""
    newest = next((promotion for promotion in reversed(state.promotions) if promotion.applied), None)
    if newest is None or newest.state != "succeeded" or newest.release != release.digest:
        return None
    branch = ledgers.branches[state.environment]
    if branch is None or site.repository.tree_of(branch) != newest.applied[-1].tree:
        return None
    return report_on(newest)


def _held(site: Site, state: EnvironmentState, release: Release, request: Request) -> PromotionReport | None:
    """Return the report of a held environment, or None where a request may be made.

    Raises:
        Refused: the caller may not pass the hold.
    """
    held = _why_held(site, state)
    if held is None:
        return None
    if request.through_hold is None:
        return PromotionReport(
            None,
            request.environment,
            release.digest,
            "held",
            reasons=(
                held,
                f"an approver lifts it with `f0ci unhold {request.environment}`, "
                "or passes it with --through-hold REASON",
            ),
            next_check_at=state.hold.expires if state.hold else None,
        )
    identity = str(site.repository.identity())
    if read_policy(site, state, request.environment).approvers.person_of(identity) is None:
        raise Refused(
            f"{identity!r} may not pass the hold on {request.environment!r}",
            "only people in the approvers file may",
        )
    return None


def _why_held(site: Site, state: EnvironmentState) -> str | None:
    """Return why an environment is held, or None where it is not."""
    hold = state.hold
    if hold is not None and hold.is_in_force(site.clock.now()):
        until = f"until {format_time(hold.expires)} " if hold.expires else ""
        return f"{state.environment} is held since {format_time(hold.since)} {until}by {hold.owner}: {hold.reason}"
    doubt = unproven_release(site, state)
    return f"{state.environment} counts as held: {doubt}" if doubt else None


def _pass_hold(site: Site, ledgers: Ledgers, request: Request, plan: Plan, asked: str) -> dict[str, Any]:
    """Return what a request says of the hold that it passes: nothing where there is none.

    Raises:
        Refused: the caller is not in the approvers file, or signs with another key than theirs there.
        GitError: Git knows no signing key, or signing fails.
    """
    state = ledgers.environments[request.environment]
    if request.through_hold is None or _why_held(site, state) is None:
        return {}
    act = Act("pass_hold", asked, request.environment, plan.digest, request.through_hold, state.tip)
    proof = prove(site, plan.policy, request.environment, act)
    if not proof:
        request.on_stage(UNSIGNED)
    return {"through_hold": request.through_hold, **proof}


def _refuse_older(site: Site, state: EnvironmentState, release: Release) -> None:
    """Check that a release is not older than what the environment runs.

    Raises:
        Refused: it is.
    """
    running = state.current
    if running is None or running.release == release.digest or release.digest == newest_content(site):
        return
    newer = source_commit(site, state, running.release)
    if newer is None or newer == release.commit or site.repository.commit_of(newer) is None:
        return
    if is_ancestor(site, release.commit, newer):
        raise Refused(
            f"release {release.id} is older than {short(running.release)}, which {state.environment!r} runs",
            f"go back on purpose with `f0ci rollback {state.environment} --to {release.id} --reason ...`",
        )
