"""Importing a package without what it needs only for work that nobody asks of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


@contextmanager
def imported_late(name: str) -> Iterator[None]:
    """Let everybody who imports a module meanwhile have it when they first use it.

    Args:
        name: of a module without a dot; where it is imported already nothing changes.
    """
    if name in sys.modules:
        yield
        return
    late = sys.modules[name] = _Late(name)
    try:
        yield
    finally:
        late.step_aside()


class _Late(ModuleType):
    """Stands for a module until something of it is asked for."""

    def __getattr__(self, attribute: str) -> Any:
        self.step_aside()
        return getattr(import_module(self.__name__), attribute)

    def step_aside(self) -> None:
        """Leave the place to the module itself."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
