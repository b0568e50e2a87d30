from f0ci.core.outcome import Outcome
from f0ci.runner.steps.base import StepResult


def run(call):
    call.context.set("shouted", call.arguments["text"].upper())
    return StepResult(Outcome.PASSED, outputs={"text": call.arguments["text"].upper()})
