"""What follows for each environment from its own mapping and from the stages that promote into it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from f0ci.core.duration import parse_duration
from f0ci.core.suggestions import did_you_mean
from f0ci.core.values import dataclass
from f0ci.source.reading import Path, mapping_of
from f0ci.workflows.conditions import Condition, ConditionError, Quantity, parse_condition
from f0ci.workflows.model import (
    Check,
    Deploy,
    GateSpec,
    Stage,
    WorkflowEnvironment,
    WorkflowProblem,
    meant_environment,
)
from f0ci.workflows.rollouts import DEFAULT_STRATEGY, Misfit, Rollout, read_rollout

SUCCESS_RATE = "success_rate"
# keys of a rollout that hold a span of time
_SPANS = frozenset({"duration", "pause", "scale_down_delay"})
# where a stage writes its checks, and whether they are rollback triggers
_CHECK_PLACES = ((("validation", "success_criteria"), False), (("monitoring", "rollback_triggers"), True))


def text(value: Any) -> str | None:
    """Return a text that is not empty, or None for anything else."""
    return value if isinstance(value, str) and value else None


def texts(value: Any, at: Path) -> Iterator[tuple[str, Path]]:
    """Yield a text, or the texts of a list, each with its path."""
    if isinstance(value, str):
        yield value, at
    elif isinstance(value, list):
        yield from ((item, (*at, index)) for index, item in enumerate(value) if isinstance(item, str))


def config_folders(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the configuration folder of each environment, by workflow name."""
    declared = mapping_of(spec.get("environments"))
    return {str(name): text(mapping_of(settings).get("config")) or str(name) for name, settings in declared.items()}


def derive_environments(
    spec: Mapping[str, Any], stages: Sequence[Stage], problems: list[WorkflowProblem]
) -> tuple[WorkflowEnvironment, ...]:
    """Return the environments of a workflow in written order.

    Args:
        spec: the workflow's `spec` as written.
        stages: its stages, read already.
        problems: what has to be left out is added here.
    """
    configs = config_folders(spec)
    for stage in stages:
        if stage.environment is None:
            problems.extend(_homeless_checks(spec, stage))
    named: dict[str, list[Stage]] = {}
    leading: dict[str, list[Stage]] = {}
    for stage in stages:
        named.setdefault(stage.name, []).append(stage)
        if stage.environment is not None:
            leading.setdefault(stage.environment, []).append(stage)
    course = _Course(configs, {name: place for place, name in enumerate(configs)}, named, leading)
    return tuple(_environment(name, course, spec, problems) for name in configs)


@dataclass(frozen=True, slots=True)
class _Course:
    """What an environment's place among the others follows from.

    Attributes:
        configs: configuration folder of each environment, by workflow name.
        places: which of the environments each is, as written.
        named: stages by name, as written.
        leading: stages by the environment that they lead into, as written.
    """

    configs: Mapping[str, str]
    places: Mapping[str, int]
    named: Mapping[str, Sequence[Stage]]
    leading: Mapping[str, Sequence[Stage]]


def _environment(
    name: str, course: _Course, spec: Mapping[str, Any], problems: list[WorkflowProblem]
) -> WorkflowEnvironment:
    at: Path = ("spec", "environments", name)
    settings = mapping_of(mapping_of(spec["environments"])[name])
    configs = course.configs
    own = course.leading.get(name, ())
    before = _stages_before(own, course.named)
    words = [
        *(text(_raw(spec, stage).get("strategy")) for stage in own),
        text(settings.get("deployment_strategy")),
    ]
    strategy = next((word.replace("-", "_") for word in words if word), DEFAULT_STRATEGY)
    checks = [check for stage in own for check in _stage_checks(spec, stage, problems)]
    checks.extend(_threshold(settings.get("rollback_threshold"), (*at, "rollback_threshold"), problems))
    places = {stage.environment for stage in before if stage.environment is not None} & configs.keys()
    upstream = tuple(sorted(places, key=course.places.__getitem__))
    written = mapping_of(settings.get("gates"))
    if "order" in written:
        upstream = _ordered(mapping_of(written["order"]), (*at, "gates", "order"), upstream, configs, problems)
    soaked = upstream
    if "soak" in written:
        soaked = _ordered(mapping_of(written["soak"]), (*at, "gates", "soak"), upstream, configs, problems)
    problems.extend(_windows(written, (*at, "gates", "window")))
    return WorkflowEnvironment(
        name=name,
        config=configs[name],
        upstream=upstream,
        gates=_gates(settings, at, upstream, soaked, own, before),
        rollout=_rollout(settings, strategy, at, problems),
        deploy=_deploy(settings.get("deploy"), (*at, "deploy")),
        checks=tuple(checks),
        duration=max((_duration(spec, stage, problems) for stage in own), default=timedelta()),
        require=text(settings.get("require")) or "none",
        auto_promote=settings.get("auto_promote") is True,
        settings=settings,
        at=at,
    )


def _raw(spec: Mapping[str, Any], stage: Stage) -> Mapping[str, Any]:
    written: Mapping[str, Any] = spec["pipeline_stages"][stage.at[-1]]
    return written


def _stages_before(own: Sequence[Stage], named: Mapping[str, Sequence[Stage]]) -> list[Stage]:
    """Return the stages that an environment's stages build on, up to the nearest that have an environment."""
    found: list[Stage] = []
    seen = {stage.at for stage in own}
    queue = deque(own)
    while queue:
        required = [stage for name in set(queue.popleft().requires) for stage in named.get(name, ())]
        for stage in sorted(required, key=lambda stage: stage.at[-1]):
            if stage.at not in seen:
                seen.add(stage.at)
                found.append(stage)
                if stage.environment is None:
                    queue.append(stage)
    return found


def _gates(
    settings: Mapping[str, Any],
    at: Path,
    upstream: Sequence[str],
    soaked: Sequence[str],
    own: Sequence[Stage],
    before: Sequence[Stage],
) -> tuple[GateSpec, ...]:
    """Return the gates: order first, then those written, then an approval, so that people are asked last.

    A gate that is written stands even where its settings have the wrong shape: a slip must not open the way.
    """
    written = mapping_of(settings.get("gates"))
    order = {"policy": "all", **mapping_of(written.get("order")), "upstream": list(upstream)}
    derived = {"order": order, "soak": {**mapping_of(written.get("soak")), "upstream": list(soaked)}}
    gates = [
        GateSpec(str(kind), derived.get(str(kind), mapping_of(value)), (*at, "gates", kind))
        for kind, value in written.items()
    ]
    if upstream and "order" not in written:
        gates.insert(0, GateSpec("order", order, (*own[0].at, "requires")))
    asking = [stage for stage in (*own, *(s for s in before if s.environment is None)) if stage.manual_approval]
    if "approval" not in written:
        if settings.get("approval_required") is True:
            gates.append(GateSpec("approval", {}, (*at, "approval_required")))
        elif asking:
            gates.append(GateSpec("approval", {}, (*asking[0].at, "requires")))
    return tuple(gates)


def _windows(gates: Mapping[str, Any], at: Path) -> Iterator[WorkflowProblem]:
    """Yield what is wrong with the windows of a gate."""
    if "window" not in gates:
        return
    from f0ci.workflows.windows import WindowError, parse_calendar

    try:
        parse_calendar(mapping_of(gates["window"]))
    except WindowError as error:
        yield WorkflowProblem("bad-window", (*at, *error.at), error.message, error.hint)


def _ordered(
    order: Mapping[str, Any],
    at: Path,
    derived: tuple[str, ...],
    configs: Mapping[str, str],
    problems: list[WorkflowProblem],
) -> tuple[str, ...]:
    """Return the upstream of a written order or soak gate: what it names, else what follows from the stages."""
    named = list(texts(order.get("upstream"), (*at, "upstream")))
    meant = [meant_environment(name, configs) for name, _ in named]
    lost = [pair for pair, known in zip(named, meant, strict=True) if known is None]
    problems.extend(unknown_environment(name, place, configs) for name, place in lost)
    upstream = tuple(dict.fromkeys(name for name in meant if name)) if named else derived
    if not upstream and not lost:
        hint = "write 'upstream: [...]', or let its stage require another environment's"
        problems.append(
            WorkflowProblem("unknown-environment", at, f"the {at[-1]} gate has no environment to wait for", hint)
        )
    return upstream


def unknown_environment(name: str, at: Path, configs: Iterable[str]) -> WorkflowProblem:
    """Return the problem of a name that no environment of the workflow has."""
    hint = did_you_mean(name, configs, noun="environments") or "declare it under 'spec.environments'"
    return WorkflowProblem("unknown-environment", at, f"there is no environment {name!r}", hint)


def _stage_checks(spec: Mapping[str, Any], stage: Stage, problems: list[WorkflowProblem]) -> Iterator[Check]:
    raw = _raw(spec, stage)
    for (section, key), rollback in _CHECK_PLACES:
        for written, at in texts(mapping_of(raw.get(section)).get(key), (*stage.at, section, key)):
            try:
                yield Check(parse_condition(written), rollback, at)
            except ConditionError as error:
                problems.append(WorkflowProblem("bad-condition", at, error.message, error.hint, error.offset))


def _homeless_checks(spec: Mapping[str, Any], stage: Stage) -> Iterator[WorkflowProblem]:
    for (section, key), _ in _CHECK_PLACES:
        if mapping_of(_raw(spec, stage).get(section)).get(key):
            yield WorkflowProblem(
                "unknown-environment",
                (*stage.at, section, key),
                f"stage {stage.name!r} has checks but no environment that they could judge",
                "add 'environment:' to the stage, or move the checks to the stage that deploys",
            )


def _threshold(value: Any, at: Path, problems: list[WorkflowProblem]) -> Iterator[Check]:
    """Yield the check that a `rollback_threshold` means: the success rate stays at or above it."""
    if isinstance(value, str):
        try:
            quantity = parse_condition(f"{SUCCESS_RATE} >= {value}").quantity
        except ConditionError:
            quantity = None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        quantity = Quantity(float(value))
    else:
        return
    if quantity is None or quantity.unit not in {"", "%"} or not 0 <= quantity.base <= 1:
        hint = "write the lowest success rate as 0.95 or 95%"
        problems.append(WorkflowProblem("bad-condition", at, f"{value!r} is not a share between 0 and 1", hint))
        return
    yield Check(Condition(SUCCESS_RATE, ">=", quantity, f"{SUCCESS_RATE} >= {quantity}"), rollback=False, at=at)


def _rollout(settings: Mapping[str, Any], strategy: str, at: Path, problems: list[WorkflowProblem]) -> Rollout:
    misfits: list[Misfit] = []
    rollout = read_rollout(settings, strategy, misfits)
    for misfit in misfits:
        rule = "bad-duration" if misfit.at[-1] in _SPANS else "bad-steps"
        problems.append(WorkflowProblem(rule, (*at, *misfit.at), misfit.message, misfit.hint))
    return rollout


def _deploy(value: Any, at: Path) -> Deploy | None:
    recipe = text(value) or text(mapping_of(value).get("recipe"))
    return Deploy(recipe, mapping_of(mapping_of(value).get("parameters")), at) if recipe else None


def _duration(spec: Mapping[str, Any], stage: Stage, problems: list[WorkflowProblem]) -> timedelta:
    written = mapping_of(_raw(spec, stage).get("validation")).get("duration")
    if isinstance(written, str):
        try:
            return parse_duration(written)
        except (ValueError, OverflowError):
            at = (*stage.at, "validation", "duration")
            message = f"{written!r} is not a duration"
            problems.append(WorkflowProblem("bad-duration", at, message, "write one such as 30m, 1h30m or 90s"))
    return timedelta()
