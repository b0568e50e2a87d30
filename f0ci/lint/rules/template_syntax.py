"""A template cannot be read, or uses a filter, a test or a template that does not exist.

## What it does

Reads every `templates/**/*.j2` without rendering it: its syntax, its filters and tests, and the templates that it
includes, imports or extends by a written name.

## Why it matters

The release cannot be rendered for any environment, and no promotion of it gets past its plan.

## Bad

```yaml
# file: environments/dev/config.yaml
port: 8080
# file: templates/server.conf.j2
listen {{ config.port | defualt(80) }};
```

## Good

```yaml
# file: environments/dev/config.yaml
port: 8080
# file: templates/server.conf.j2
listen {{ config.port | default(80) }};
```

## Fix

Correct what stands at the line. `f0ci render ENVIRONMENT` renders it.

## References

- `template-name-undefined`, for templates that can be read and ask for what does not exist
- Jinja's template designer documentation, for its filters and tests
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import did_you_mean
from f0ci.expressions.templating import OWN_FILTERS, REMOVED_FILTERS
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.templates import templates_of
from f0ci.lint.workspace import Workspace

RULE = Rule("template-syntax", Group.EXPRESSIONS, Severity.ERROR)


def check_workspace(workspace: Workspace) -> Iterator[Finding]:
    """Yield every template that no environment can render."""
    templates = templates_of(workspace)
    if not templates:
        return
    from jinja2.filters import FILTERS
    from jinja2.tests import TESTS

    known = {"filter": set(FILTERS) - REMOVED_FILTERS | OWN_FILTERS, "test": set(TESTS)}
    for template in templates.values():
        if template.problem is not None:
            message, line = template.problem
            yield Finding(template.path, template.span(line, "\n"), message)
        for noun, name, line in template.filters:
            if name not in known[noun]:
                hint = did_you_mean(name, known[noun], noun="there are") if len(name) > 1 else None
                yield Finding(template.path, template.span(line, name), f"there is no {noun} {name!r}", hint)
        for name, line in template.included:
            if name not in templates:
                hint = did_you_mean(name, templates, noun="templates")
                yield Finding(template.path, template.span(line, name), f"there is no template {name!r}", hint)
