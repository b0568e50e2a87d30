"""A workspace of any size to render: environments that override a part of a large base, recipes and templates.

python benchmarks/render_sets.py FOLDER --environments 20 --recipes 1000 --keys 2000
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

TEMPLATES = 20
_OVERRIDDEN = 0.05
_PER_SECTION = 40
_STEPS = 8
_VERBS = ("load", "clean", "match", "merge", "score", "store", "report", "notify", "check", "archive")


def key_names(keys: int) -> list[str]:
    """Return dotted names of configuration keys."""
    return [f"section_{number // _PER_SECTION:02}.key_{number % _PER_SECTION:02}" for number in range(keys)]


def write_workspace(folder: Path, environments: int, recipes: int, keys: int, seed: int = 1) -> None:
    """Write a workspace; the same arguments give the same bytes."""
    chance = random.Random(seed)  # noqa: S311 - spreads sizes, no secret
    names = key_names(keys)
    files = {"environments/base.yaml": _config({name: chance.randrange(10_000) for name in names})}
    for number in range(environments):
        own = {name: chance.randrange(10_000) for name in chance.sample(names, max(1, int(keys * _OVERRIDDEN)))}
        files[f"environments/env-{number:02}/config.yaml"] = _config(own)
    for number in range(recipes):
        files[f"recipes/recipe_{number:04}.yaml"] = _recipe(number, chance, names)
    for number in range(TEMPLATES):
        files[f"templates/service_{number:02}.yaml.j2"] = _template(number, chance, names)
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


def _config(values: dict[str, int]) -> str:
    sections: dict[str, list[str]] = {}
    for name, value in values.items():
        section, key = name.split(".")
        # every fourth value is a text
        written = f"value-{value}" if value % 4 == 0 else str(value)
        sections.setdefault(section, []).append(f"  {key}: {written}\n")
    return "".join(f"{section}:\n{''.join(lines)}" for section, lines in sorted(sections.items()))


def _recipe(number: int, chance: random.Random, names: list[str]) -> str:
    lines = [
        f"metadata:\n  name: recipe_{number:04}\n  version: '1.0'\n  description: Recipe number {number} of a set\n"
    ]
    lines.append("steps:\n")
    for index in range(_STEPS):
        verb, size, path = chance.choice(_VERBS), chance.choice(names), chance.choice(names)
        lines.append(
            f"- name: {verb}_{index}\n  type: python\n  module: scriptlets.{verb}\n  function: {verb.title()}\n"
        )
        lines.append(
            "  args:\n"
            f"    size: '{{{{ config.{size} }}}}'\n"
            f"    target: /srv/{verb}/{{{{ config.{path} }}}}\n"
            f"    source: data/{verb}_{number}.parquet\n"
            "    seen: \"#{context.get('seen', 0)}\"\n"
        )
    return "".join(lines)


def _template(number: int, chance: random.Random, names: list[str]) -> str:
    settings = "".join(f'  {name.replace(".", "-")}: "{{{{ config.{name} }}}}"\n' for name in chance.sample(names, 10))
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: service-{number:02}\ndata:\n{settings}"


def main() -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--environments", type=int, default=20)
    parser.add_argument("--recipes", type=int, default=1_000)
    parser.add_argument("--keys", type=int, default=2_000)
    options = parser.parse_args()
    write_workspace(options.folder, options.environments, options.recipes, options.keys)


if __name__ == "__main__":
    main()
