"""What Framework0's own framework package offers: a base class and a registry."""

import logging
from dataclasses import dataclass, field

REGISTRY = {}


def register_scriptlet(cls):
    REGISTRY[cls.__name__] = cls
    return cls


@dataclass
class ScriptletResult:
    success: bool
    exit_code: int = 0
    message: str = ""
    data: dict = field(default_factory=dict)


class BaseScriptlet:
    def __init__(self):
        self.name = type(self).__name__
        self.logger = logging.getLogger(self.name)

    def setup(self, context, params):
        pass

    def teardown(self, context):
        pass

    def execute(self, context, params):
        self.setup(context, params)
        try:
            answer = self.run(context, params)
        except Exception as error:
            return ScriptletResult(False, 1, str(error))
        finally:
            self.teardown(context)
        data = answer if isinstance(answer, dict) else {}
        return ScriptletResult(data.get("status") != "error", 0, data.get("message", ""), data)

    def run(self, context, params):
        raise NotImplementedError
