"""One scriptlet for each way that scriptlets behave."""

import os
import sys
import time
from typing import Any, Dict

from orchestrator.context import Context
from scriptlets.framework import BaseScriptlet, register_scriptlet


@register_scriptlet
class Modern(BaseScriptlet):
    """Derives from BaseScriptlet, with set-up and tear-down."""

    def setup(self, context: Context, params: Dict[str, Any]) -> None:
        context.set("modern.ready", True, who=self.name)

    def run(self, context: Context, params: Dict[str, Any]) -> Dict[str, Any]:
        assert context.get("modern.ready")
        context.set("modern.total", sum(params["numbers"]), who=self.name)
        return {"status": "success", "total": sum(params["numbers"])}

    def teardown(self, context: Context) -> None:
        context.set("modern.ready", False, who=self.name)


class Legacy:
    """A class of its own that answers with a number."""

    def run(self, context, params):
        context.set("legacy.done", True)
        return params.get("code", 0)


class Mapping:
    """Answers with a mapping."""

    def run(self, context, params):
        return {"status": params.get("status", "success"), "rows": 3, "error": "no rows"}


class Raises:
    def run(self, context, params):
        raise RuntimeError("the source is gone")


class Hangs:
    """Starts a program, and neither ends."""

    def run(self, context, params):
        context.set("hangs.begun", True)
        started = os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "600")
        with open("hanging.pid", "w") as file:
            file.write(f"{os.getpid()} {started}")
        while True:
            time.sleep(60)


class Forks:
    """Forks a child that goes on as if it were the scriptlet, and one that stays."""

    def run(self, context, params):
        if os.fork() == 0:
            context.set("forks.who", "child")
            return {"status": "success", "who": "child"}
        stays = os.fork()
        if stays == 0:
            time.sleep(600)
        with open("forked.pid", "w") as file:
            file.write(str(stays))
        return {"status": "success", "who": "parent"}


class Loud:
    """Writes 100 MB."""

    def run(self, context, params):
        line = "x" * 1023 + "\n"
        for _ in range(params.get("megabytes", 100) * 1024):
            sys.stdout.write(line)
        print("the end")
        return 0


class Unserialisable:
    def run(self, context, params):
        context.set("bad", object())


class Hungry:
    """Wants more memory than there is for it."""

    def run(self, context, params):
        return {"size": len(bytearray(params["megabytes"] * 2**20))}


class Exits:
    def run(self, context, params):
        os._exit(7)
