"""Regular expressions that are compiled when they are first used.

A command imports fifty and searches with a few; compiling all of them takes 4 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from re import compile as pattern
else:
    import re

    class pattern:  # noqa: N801 - stands where `re.compile` would
        """A regular expression; it does whatever one that `re.compile` returns does.

        Args:
            text: the expression.
            flags: as `re.compile` takes them.

        Raises:
            re.error: the text is none; on first use.
        """

        def __init__(self, text: str | bytes, flags: int = 0) -> None:
            self._asked = (text, flags)

        def __getattr__(self, name: str) -> Any:
            # kept in the instance: whoever asks again does not come here
            value = self.__dict__[name] = getattr(re.compile(*self._asked), name)
            return value


__all__ = ["pattern"]
