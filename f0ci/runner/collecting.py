"""Sending spans to a collector, which may be away: a run does not wait for it long, nor end otherwise because of it.

OpenTelemetry sends in a thread of its own while the run goes on, and logs what goes wrong, line by line. Here its lines
are kept off the terminal, and one message at the end says what became of the trace.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from f0ci import __version__
from f0ci.core.errors import CannotWork
from f0ci.http.answers import printable, why

# seconds that a collector gets for what it is sent, and at the end of a run for what is left; the first of the
# variables that is set says otherwise, up to `MOST`: elsewhere they are read as milliseconds
PATIENCE, MOST = 3.0, 30.0
_TIMEOUTS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
# where spans go, and the usual place
_PLACES, _USUAL = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"), "http://localhost:4318"


@contextmanager
def collector(tell: Callable[[str], object]) -> Iterator[Any]:
    """Give a tracer provider that sends to the collector of the usual variables; the block's end sends what is left.

    Args:
        tell: told, at the end, where some of it did not arrive.

    Raises:
        CannotWork: OpenTelemetry is not complete, or can make nothing of its variables.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise CannotWork(f"OpenTelemetry is not complete: {error}", "install f0ci[otel]") from error
    logger, trouble = logging.getLogger("opentelemetry"), _Trouble()
    before, logger.propagate = logger.propagate, False
    logger.addHandler(trouble)
    try:
        patience = min(float(_first(_TIMEOUTS, str(PATIENCE))), MOST)
        sending: Any = _Sending(OTLPSpanExporter(timeout=patience), trouble)
        about = Resource.create({"service.name": "f0ci", "service.version": __version__})
        # at exit it would wait for a collector for as long as it likes
        provider = TracerProvider(resource=about, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(sending))
    except (ValueError, OSError, RuntimeError) as error:
        hint = "check the variables that begin with OTEL_"
        raise CannotWork(f"OpenTelemetry cannot send: {printable(str(error))}", hint) from error
    try:
        yield provider
    finally:
        ending = threading.Thread(target=provider.shutdown, daemon=True, name="trace")
        ending.start()
        ending.join(patience)
        if ending.is_alive():
            # what is left behind says nothing any more, as the logger stays as it is
            trouble.note(f"no answer within {patience:g} s", again=False)
        else:
            logger.propagate = before
            logger.removeHandler(trouble)
        message = sending.message()
        if message:
            tell(message)


class _Trouble(logging.Handler):
    """What OpenTelemetry says of what went wrong; safe to use from several threads."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.words = ""

    def emit(self, record: logging.LogRecord) -> None:
        given = record.args if isinstance(record.args, tuple) else ()
        error = next((one for one in given if isinstance(one, BaseException)), None)
        if error is None and record.exc_info:
            error = record.exc_info[1]
        status = next((one for one in given if isinstance(one, int) and 100 <= one <= 599), None)
        if error is not None:
            # as requests says of an address without a host, or with a port that there is not
            self.note("that is no address" if isinstance(error, ValueError) else why(error))
        elif status is not None:
            self.note(f"it answered {status}")
        else:
            # the last one of a series only says that it is given up
            text = record.getMessage()
            words = "no answer in time" if "due to timeout" in text else text[:1].lower() + text[1:].rstrip(".")
            self.note(words, again=False)

    def note(self, words: str, *, again: bool = True) -> None:
        """Keep why something did not arrive; without `again`, only where nothing is known yet."""
        if again or not self.words:
            self.words = printable(words)


class _Sending:
    """An exporter of spans that knows how it fared."""

    def __init__(self, exporter: Any, trouble: _Trouble) -> None:
        self._exporter = exporter
        self._trouble = trouble
        self._arrived = self._lost = 0

    def export(self, spans: Sequence[Any]) -> Any:
        """Send some spans; until they arrived they count as lost, as nobody may be left to say that they are."""
        self._lost += len(spans)
        answer = self._exporter.export(spans)
        if answer.name == "SUCCESS":
            self._lost -= len(spans)
            self._arrived += len(spans)
        return answer

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what is kept here, which is nothing."""
        return bool(self._exporter.force_flush(timeout_millis))

    def shutdown(self) -> None:
        """Send nothing any more."""
        self._exporter.shutdown()

    def message(self) -> str:
        """Return what to say of a trace that did not arrive as a whole, or nothing."""
        if not self._lost:
            return ""
        what = "part of the trace" if self._arrived else "the trace"
        # a password may stand before the host
        where = re.sub(r"//[^/]*@", "//", _first(_PLACES, _USUAL))
        return (
            f"{what} did not reach the collector at {where!r}: {self._trouble.words};"
            " start one there, or name another: OTEL_EXPORTER_OTLP_ENDPOINT"
        )


def _first(names: Sequence[str], usual: str) -> str:
    return next((os.environ[name] for name in names if os.environ.get(name)), usual)
