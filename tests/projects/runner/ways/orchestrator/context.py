"""The repository's own idea of a context: imported for annotations, and never given to a scriptlet by f0ci."""


class Context:
    pass
