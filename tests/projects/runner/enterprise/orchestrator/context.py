"""The framework's own context, which scriptlets import for annotations only."""


class Context:
    pass
