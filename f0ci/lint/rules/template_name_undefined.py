"""A template asks for a name or a configuration key that does not exist.

## What it does

Looks at every name that `templates/**/*.j2` do not set themselves, and at every `config.<key>` in the merged
configuration of each environment and overlay. What a template asks about first (`is defined`, `default`,
`'x' in config`) is left alone, as are names of templates that others include. Where only some environments lack a key
and the template asks for it in a branch, a loop or a macro, it is a warning.

## Why it matters

Undefined names are errors: rendering for that environment fails, and so does the plan of a promotion.

## Bad

```yaml
# file: environments/dev/config.yaml
service: {port: 8080}
# file: templates/server.conf.j2
listen {{ config.service.prot }};
```

## Good

```yaml
# file: environments/dev/config.yaml
service: {port: 8080}
# file: templates/server.conf.j2
listen {{ config.service.port }};
```

## Fix

Correct the name, define the key (once in `environments/base.yaml` for all), or say what else holds:
`{{ config.service.port | default(80) }}`.

## References

- `config-key-undefined`, for recipes
- `template-syntax`, for templates that cannot be read
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import closest, did_you_mean
from f0ci.environments.model import Environment
from f0ci.expressions.templating import NAMES
from f0ci.lint.rules.base import Finding, Group, Rule, listed
from f0ci.lint.templates import Question, Template, templates_of
from f0ci.lint.workspace import Workspace

RULE = Rule("template-name-undefined", Group.EXPRESSIONS, Severity.ERROR)


def check_workspace(workspace: Workspace) -> Iterator[Finding]:
    """Yield every name that a template asks for in vain."""
    templates = templates_of(workspace)
    shared = {name for template in templates.values() for name, _ in template.included}
    for template in templates.values():
        members = workspace.environments_of(template.path)
        everyone = (*members.environments, *members.overlays) if members is not None else ()
        # what includes a template may set names for it
        is_own = template.name not in shared and not template.included
        told: set[tuple[str, ...]] = set()
        for question in sorted(template.questions, key=lambda one: one.is_optional):
            way = question.way
            if way in told:
                continue
            if way[0] in template.undeclared and way[0] not in NAMES and is_own:
                told.add(way)
                hint = did_you_mean(way[0], NAMES, noun="known names")
                yield Finding(
                    template.path, template.span(question.line, way[0]), f"the name {way[0]!r} is not defined", hint
                )
            elif way[0] == "config" and "config" in template.undeclared:
                lacking = [each for each in everyone if _depth(each.config, way[1:]) < len(way) - 1]
                if lacking and members is not None:
                    told.add(way)
                    everywhere = len(lacking) == len(everyone) and not members.faults
                    yield _finding(template, question, lacking, everywhere=everywhere)


def _finding(template: Template, question: Question, lacking: Sequence[Environment], *, everywhere: bool) -> Finding:
    path = question.way[1:]
    depth = min(_depth(each.config, path) for each in lacking)
    siblings = {str(key) for each in lacking for key in _keys(each.config, path[:depth])} if everywhere else set()
    near = closest(path[depth], siblings)
    names = listed([each.name for each in lacking])
    what = "no environment defines it" if everywhere else f"{names} {'lacks' if len(lacking) == 1 else 'lack'} it"
    return Finding(
        template.path,
        template.span(question.line, path[-1]),
        f"the configuration key {'.'.join(path)!r} is read here, and {what}",
        f"did you mean {'.'.join([*path[:depth], near])!r}?"
        if near
        else f"define it, or write {path[-1]} | default(...)",
        severity=Severity.WARNING if question.is_optional and not everywhere else None,
    )


def _depth(config: Any, path: Sequence[str]) -> int:
    """Return how many keys of a path lead somewhere; below what is no mapping nobody can tell."""
    value = config
    for depth, key in enumerate(path):
        if not isinstance(value, Mapping):
            return len(path)
        if key not in value:
            return depth
        value = value[key]
    return len(path)


def _keys(config: Any, path: Sequence[str]) -> Iterator[Any]:
    value = config
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping):
        yield from value
