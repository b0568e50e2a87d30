"""Imports what nobody brings."""

from orchestrator.context import Context


class Needy:
    def run(self, context: Context, params):
        return 0
