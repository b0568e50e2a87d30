"""Scriptlets that answer in every way Framework0's runner understands."""

import sys


class Base:
    """Offers execute, as Framework0's own base class does."""

    def execute(self, context, params):
        try:
            answer = self.run(context, params)
        except ValueError as error:
            return Result(False, 2, str(error))
        return Result(True, 0, "done", answer)


class Result:
    def __init__(self, success, exit_code, message, data=None):
        self.success = success
        self.exit_code = exit_code
        self.message = message
        self.data = data or {}


class Executed(Base):
    def run(self, context, params):
        context.set("executed.by", "execute", who="Executed")
        return {"rows": params.get("rows", 3)}


class ExecutedBadly(Base):
    def run(self, context, params):
        raise ValueError("no rows")


class LegacyFailing:
    def run(self, context, params):
        return 1


class Legacy:
    def run(self, context, params):
        context.set("legacy.done", True)
        return 0


class StatusError:
    def run(self, context, params):
        return {"status": "Error", "error": "quota used up"}


class Raising:
    def run(self, context, params):
        raise RuntimeError("the disk is full")


class Loud:
    def run(self, context, params):
        for number in range(params["lines"]):
            print(f"line {number}")
        print("to stderr", file=sys.stderr)
        return {"status": "success"}


class Leaving:
    def run(self, context, params):
        sys.exit(params.get("code"))


class NotJson:
    def run(self, context, params):
        context.set("bad", object())


class Unbuildable:
    def __init__(self, size):
        self.size = size

    def run(self, context, params):
        return 0


class Mute:
    pass


class Rewriting:
    """Changes what it is given, which must reach nobody else."""

    def run(self, context, params):
        params["settings"]["batch"] = 999
        context.get("shared")["batch"] = 999
        return 0


def with_context(context, params):
    context.set("function.saw", params["value"])
    return {"doubled": params["value"] * 2}


def by_name(first, second=10):
    return {"sum": first + second}


def mixed(context, key, value):
    context.set(key, value)


def bare_list(size):
    return list(range(size))


def echo(**values):
    return values


async def coroutine(**values):
    return values


NUMBER = 7
