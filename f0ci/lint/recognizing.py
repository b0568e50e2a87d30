"""Telling recipes from what other programs call `steps`, where nothing but the content speaks.

Azure Pipelines, Cloud Build, Buildkite, Woodpecker and many others keep a list of `steps` at the top of a YAML file.
Where the settings or the command line say that a file is a recipe, it is one; elsewhere it has to look like it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# what only recipes have at the top, beside `steps`
_TOP = frozenset({"metadata", "template_metadata", "test_meta"})
# what only their steps have
_OF_STEPS = frozenset({"idx", "module", "parallel_group", "recipe_path", "scriptlet", "type"})


def is_evident(data: Mapping[str, Any]) -> bool:
    """Tell whether a document with `steps` is certainly meant for f0ci or Framework0."""
    if data.keys() & _TOP:
        return True
    steps = data.get("steps")
    return isinstance(steps, list) and any(map(_is_step, steps))


def _is_step(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    return bool(value.keys() & _OF_STEPS) or ("name" in value and isinstance(value.get("run"), str))
