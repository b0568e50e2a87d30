"""An environment's configuration cannot be put together.

## What it does

Reports what keeps layers from becoming one configuration: `extends` of an environment that does not exist or of itself,
the same layer as JSON and as YAML, an expression in a value that has no answer, values that refer to each other in a
circle. What is wrong with one file alone is reported there, not here.

## Why it matters

Nothing can be rendered for the environment or run in it.

## Bad

```yaml
# file: environments/staging/config.yaml
extends: production
processing: {batch_size: 100}
# file: environments/dev/config.yaml
processing: {batch_size: 10}
```

## Good

```yaml
# file: environments/staging/config.yaml
extends: dev
processing: {batch_size: 100}
# file: environments/dev/config.yaml
processing: {batch_size: 10}
```

## Fix

Follow the hint. The layers are, from the weakest to the strongest: `environments/base.*`, the environments that
`extends` names, and the environment's own file.

## References

- `syntax`, `wrong-type`, for what is wrong with one layer
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity, Span
from f0ci.lint.environments import EnvironmentSet
from f0ci.lint.problems import problems_of
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace

RULE = Rule("environment-unusable", Group.ENVIRONMENTS, Severity.ERROR)


def check_environments(members: EnvironmentSet, workspace: Workspace) -> Iterator[Finding]:
    """Yield why environments cannot be loaded."""
    for folder, error in members.faults:
        path, line, column = _place(error.place or folder)
        source = workspace.source(path)
        if source is None:
            if not _is_told(folder, error.message, workspace):
                yield Finding(folder, (), error.message, error.hint)
        elif not any(problems_of(source)):
            yield Finding(source.document, Span(line, column, line, column + 1), error.message, error.hint)


def _is_told(folder: str, message: str, workspace: Workspace) -> bool:
    """Tell whether a file of the folder is reported with the same words."""
    sources = (workspace.source(path) for path in workspace.paths if path.startswith(f"{folder}/"))
    return any(problem.message == message for source in sources if source for problem in source.document.problems)


def _place(place: str) -> tuple[str, int, int]:
    """Return the parts of `path`, `path:line` or `path:line:column`."""
    path, *numbers = place.split(":")
    line, column = (*(int(number) for number in numbers if number.isdigit()), 1, 1)[:2]
    return path, line, column
