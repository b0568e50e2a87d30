"""The peer of `f0ci render`: a plain loop over Jinja2 with the same files, nothing checked, nothing remembered.

    python benchmarks/plain_jinja.py WORKSPACE OUTPUT

Every environment is its file over the base; every recipe and every template is a Jinja2 template, compiled once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined


def render_all(root: Path, output: Path) -> None:
    """Render every environment of a workspace.

    Args:
        root: the workspace.
        output: each environment's files go below a folder of its name.
    """
    # by default Jinja2 keeps 400 templates and looks at each file again, and would be several times slower
    jinja = Environment(  # noqa: S701 - configuration is no page
        loader=FileSystemLoader(root),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        cache_size=-1,
        auto_reload=False,
    )
    recipes = sorted(path.relative_to(root).as_posix() for path in (root / "recipes").rglob("*.yaml"))
    templates = sorted(path.relative_to(root).as_posix() for path in (root / "templates").rglob("*.j2"))
    outputs = {name: name for name in recipes}
    outputs |= {name: name.removeprefix("templates/").removesuffix(".j2") for name in templates}
    base = _read(root / "environments" / "base.yaml")
    for folder in sorted(path for path in (root / "environments").iterdir() if path.is_dir()):
        config = _overlay(base, _read(folder / "config.yaml"))
        made = set()
        for name, target_name in outputs.items():
            target = output / folder.name / target_name
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            target.write_text(jinja.get_template(name).render(config=config), encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    return data


def _overlay(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        merged[key] = _overlay(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return merged


if __name__ == "__main__":
    render_all(Path(sys.argv[1]), Path(sys.argv[2]))
