"""The framework's own base class and registry."""

import time
from dataclasses import dataclass, field

REGISTRY = {}


@dataclass
class ScriptletResult:
    success: bool
    exit_code: int
    message: str = ""
    data: dict = field(default_factory=dict)


def register_scriptlet(cls):
    REGISTRY[cls.__name__] = cls
    return cls


class BaseScriptlet:
    def __init__(self):
        self.name = type(self).__name__
        self._began = time.monotonic()

    def get_execution_time(self):
        return time.monotonic() - self._began

    def execute(self, context, params):
        try:
            data = self.run(context, params)
        except Exception as error:
            return ScriptletResult(False, 1, f"{self.name}: {error}")
        return ScriptletResult(True, 0, "done", data if isinstance(data, dict) else {})
