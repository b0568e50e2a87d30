"""A change whose connection may be lost at any point of it: made once, however often it is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from f0ci.runner.cluster.connection import Session


class Differs(Exception):
    """Written again, a statement of a change answered otherwise: somebody changed the same meanwhile."""


@dataclass(slots=True)
class Change:
    """One change, statement by statement, with what each answered.

    A lost connection takes what was not committed with it. The statements are then carried out again on a new one, and
    must answer the same, because whoever makes the change has gone on by those answers. Where it was lost while the
    server confirmed, the transaction's id says what became of it.

    Attributes:
        lasting: False where it need not outlive a crash of the server before the next change that does.
    """

    lasting: bool = True
    _done: list[tuple[str, Any, tuple[int, list[Any]]]] = field(default_factory=list)
    _session: Session | None = None
    _id: str | None = None
    _asked: bool = False

    def begin(self, session: Session) -> None:
        """Note on which session the change is made; it begins with its first statement."""
        self._session = session

    def catch_up(self, session: Session) -> None:
        """Carry out on a new session what was carried out on a lost one."""
        if self._session is session:
            return
        known, self._done = self._done, []
        try:
            other = [text for text, values, before in known if self.carry_out(session, text, values) != before]
        except BaseException:
            # lost once more: all of it is to be carried out on the next one
            self._done, self._session = known, None
            raise
        self._session = session
        if other:
            raise Differs(" ".join(other[0].split(maxsplit=4)[:4]))

    def carry_out(self, session: Session, text: str, values: Any) -> tuple[int, list[Any]]:
        """Carry out one statement, and return how many rows it concerned and those that it found."""
        if self._done:
            cursor = session.execute(text, values)
        else:
            # in one go: each answer that is waited for costs more than most statements
            with session.pipeline():
                session.execute("BEGIN")
                if not self.lasting:
                    session.execute("SET LOCAL synchronous_commit = off")
                number = session.execute("SELECT pg_current_xact_id()::text")
                cursor = session.execute(text, values)
            self._id = str(number.fetchall()[0][0])
        answer = (cursor.rowcount, cursor.fetchall() if cursor.description else [])
        self._done.append((text, values, answer))
        return answer

    def commit(self, session: Session) -> None:
        """Make the change durable, once."""
        if not self._done:
            return
        if self._session is not session and self._asked and _happened(session, str(self._id)):
            return
        self.catch_up(session)
        self._asked = True
        session.execute("COMMIT")


def _happened(session: Session, number: str) -> bool:
    """Tell whether a transaction whose confirmation was lost was committed; one that still runs is waited for."""
    while True:
        state = session.execute("SELECT pg_xact_status(%s::xid8)", (number,)).fetchall()[0][0]
        if state != "in progress":
            return bool(state == "committed")
        session.execute("SELECT pg_sleep(0.05)")
