"""Every option can be given by a variable that is spelt like it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from f0ci.cli.application import application
from tests.cli.conftest import Command


def _options(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Option]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield from (((*words, name), param) for param in command.params if isinstance(param, click.Option))
        if isinstance(command, click.Group):
            yield from _options(command, (*words, name))


def test_each_option_has_its_variable() -> None:
    found = list(_options(application))

    assert len(found) > 100
    for words, option in found:
        spelt = max(option.opts, key=len).removeprefix("--")
        wanted = "_".join(("f0ci", *words, spelt)).upper().replace("-", "_")
        assert wanted in (option.envvar or ()), (words, option.opts)


@pytest.mark.parametrize("value", ["json", "sarif"])
def test_a_variable_is_read_and_an_option_wins(
    value: str, tmp_path: Path, f0ci: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.yaml").write_text("metadata: {name: a}\nsteps: [{name: a, run: x}]\n", encoding="utf-8")
    given = f0ci(tmp_path, "validate", "a.yaml", "--format", value).out
    plain = f0ci(tmp_path, "validate", "a.yaml").out
    monkeypatch.setenv("F0CI_VALIDATE_FORMAT", value)

    assert f0ci(tmp_path, "validate", "a.yaml").out == given
    assert f0ci(tmp_path, "validate", "a.yaml", "--format", "text").out == plain
