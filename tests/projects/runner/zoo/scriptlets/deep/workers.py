"""A module that its package does not re-export."""


class Hidden:
    def run(self, context, params):
        return {"found": "in a submodule"}
