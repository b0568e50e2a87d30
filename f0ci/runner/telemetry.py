"""OpenTelemetry spans of a run: one for the run, one for each step, one for each failed attempt.

Needs the extra `otel`. Where spans go is said by the usual variables (`OTEL_EXPORTER_OTLP_ENDPOINT`, ...).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from f0ci import __version__
from f0ci.core.errors import CannotWork
from f0ci.core.outcome import Outcome
from f0ci.runner.events import Event, Listener, StepEnded, StepNoted, StepRetried, StepSkipped, StepStarted, StepWaiting


@contextmanager
def spans(
    recipe: str,
    attributes: Mapping[str, str | None],
    provider: Any = None,
    tell: Callable[[str], object] = lambda _: None,
) -> Iterator[Listener]:
    """Give a listener that turns events into spans; what was not sent before is sent when the block is over.

    Args:
        recipe: names the run's span.
        attributes: of every span, such as `f0ci.environment`; those without a value are left out.
        provider: an OpenTelemetry tracer provider, or None for one that the usual variables describe.
        tell: told, at the end, where some of it did not reach the collector.

    Raises:
        CannotWork: OpenTelemetry is not installed.
    """
    try:
        from opentelemetry import trace
    except ImportError as error:
        raise CannotWork("OpenTelemetry is not installed", "install f0ci[otel]") from error
    told = {name: value for name, value in attributes.items() if value is not None}
    with ExitStack() as stack:
        if provider is None:
            from f0ci.runner.collecting import collector

            provider = stack.enter_context(collector(tell))
        tracer = provider.get_tracer("f0ci", __version__)
        root = stack.enter_context(
            tracer.start_as_current_span(f"run {recipe}", attributes={"f0ci.recipe": recipe, **told})
        )
        listener = _Spans(tracer, trace, root, told)
        stack.callback(listener.close)
        yield listener.tell


class _Spans:
    """Open spans by step."""

    def __init__(self, tracer: Any, trace: Any, root: Any, told: Mapping[str, str]) -> None:
        self._tracer, self._trace, self._root, self._told = tracer, trace, root, told
        self._open: dict[str, Any] = {}
        self._begun: dict[str, int] = {}

    def tell(self, event: Event) -> None:
        step = event.step
        if isinstance(event, StepStarted):
            self._begun[step] = time.time_ns()
            self._open[step] = self._start(step, step, {"f0ci.step.type": event.kind})
        elif isinstance(event, StepRetried):
            attributes = {"f0ci.attempt": event.attempt}
            child = self._start(f"{step} attempt {event.attempt}", step, attributes, self._begun.get(step), within=True)
            child.set_status(self._trace.Status(self._trace.StatusCode.ERROR, event.message))
            child.end()
            self._begun[step] = time.time_ns() + int(event.delay * 1e9)
        elif isinstance(event, StepEnded):
            span = self._open.pop(step, None) or self._start(step, step, {})
            span.set_attribute("f0ci.attempt", event.attempts)
            span.set_attribute("f0ci.outcome", str(event.outcome))
            if event.outcome > Outcome.WAITING:
                span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, event.message))
                self._root.set_status(self._trace.Status(self._trace.StatusCode.ERROR, f"step {step!r}"))
            span.end()
        elif isinstance(event, StepWaiting):
            span = self._open.pop(step, None)
            if span is not None:
                span.set_attribute("f0ci.outcome", "waiting")
                span.end()
        elif isinstance(event, StepSkipped):
            self._root.add_event("skipped", {"f0ci.step": step, "reason": event.reason})
        elif isinstance(event, StepNoted):
            (self._open.get(step) or self._root).add_event(event.note, {"f0ci.step": step, "text": event.text})

    def close(self) -> None:
        """End the spans of steps that never ended."""
        for span in self._open.values():
            span.set_attribute("f0ci.outcome", "stopped")
            span.end()

    def _start(
        self, name: str, step: str, attributes: Mapping[str, Any], start: int | None = None, *, within: bool = False
    ) -> Any:
        parent = self._open.get(step if within else step.rpartition("/")[0]) or self._root
        return self._tracer.start_span(
            name,
            context=self._trace.set_span_in_context(parent),
            start_time=start,
            attributes={**self._told, "f0ci.step": step, **attributes},
        )
