"""Every command's help: an example, a word on each option, and lists that are whole in a narrow terminal."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from f0ci.cli.application import application


def commands(group: click.Group, path: str = "f0ci") -> Iterator[tuple[str, click.Command]]:
    """Yield every command below a group with what one types to call it."""
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


COMMANDS = dict(commands(application))


@pytest.mark.parametrize("path", COMMANDS)
def test_help_has_an_example_and_a_sentence_for_each_option(path: str) -> None:
    command = COMMANDS[path]
    text = command.get_help(click.Context(command, info_name=path, terminal_width=80, max_content_width=80))

    assert "Example:" in text
    assert f"    {path}" in text
    for option in command.params:
        if isinstance(option, click.Option):
            said = (option.help or "").partition("  [default")[0]
            assert said.endswith("."), option.name
            assert said[0].isupper() or said.startswith(("...", "`")), option.name


@pytest.mark.parametrize("path", [path for path, command in COMMANDS.items() if isinstance(command, click.Group)])
def test_lists_of_commands_are_not_cut_off_at_80_columns(path: str) -> None:
    group = COMMANDS[path]
    text = group.get_help(click.Context(group, info_name=path, terminal_width=80, max_content_width=80))

    listed = text.partition("Commands:\n")[2]
    assert listed.strip()
    assert "..." not in listed
