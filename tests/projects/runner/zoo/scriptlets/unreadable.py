"""Cannot be read."""

def broken(:
    pass
