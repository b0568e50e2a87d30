"""The group of commands; a command's module is imported when it is called."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from f0ci import __version__

# name -> module below f0ci.cli, what it does; grouped as `f0ci --help` shows it
SECTIONS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Write and check",
        (
            ("init", "scaffolding", "Set up a repository: recipes, environments, workflow, approvers."),
            ("validate", "validating", "Find what breaks deployments before they run."),
            ("explain", "validating", "Show the page of a rule."),
            ("render", "rendering", "Write what an environment gets."),
            ("diff", "rendering", "Compare two environments, or two releases."),
            ("graph", "graphing", "Draw a recipe's steps or the workflow's stages."),
            ("generate", "generating", "Write the pipeline of a CI system."),
        ),
    ),
    (
        "Run",
        (
            ("run", "running", "Run a recipe, or take a run further."),
            ("runs", "runs", "List, show, approve and cancel runs."),
            ("context", "runs", "Read and change the values of a run."),
            ("worker", "working", "Carry on the runs of queues, on any number of machines."),
        ),
    ),
    (
        "Promote",
        (
            ("release", "releasing", "Make, list and show releases."),
            ("plan", "promoting", "Show what a promotion would do."),
            ("promote", "promoting", "Bring a release into an environment."),
            ("errands", "errands", "Do what promotions leave to be done without a token."),
            ("approve", "approving", "Sign an approval of a promotion's plan."),
            ("reject", "approving", "Sign a rejection of a promotion's plan."),
            ("revoke", "approving", "Take back what you said about a promotion."),
            ("override", "approving", "Let a promotion pass a freeze, as a second person."),
            ("abort", "approving", "End a promotion and go back to what ran before it."),
            ("resume", "resuming", "Let a paused rollout go on."),
            ("rollback", "rolling_back", "Restore what was good before."),
            ("hold", "holding", "Suspend promotions into an environment."),
            ("unhold", "holding", "Let promotions go on."),
            ("quarantine", "holding", "Keep a release out of every environment."),
        ),
    ),
    (
        "Look",
        (
            ("status", "looking", "Show what every environment runs and waits for."),
            ("why", "looking", "Say what keeps a release out of an environment."),
            ("history", "looking", "List what happened: promotions, approvals, holds, quarantines."),
            ("metrics", "measuring", "Ask every metric now."),
            ("analysis", "replaying", "Try conditions on recorded history."),
            ("audit", "auditing", "Verify the history, or print it as evidence."),
            ("doctor", "doctoring", "Check Git, the remote, keys, clock and pipelines."),
        ),
    ),
)
_MODULES = {name: (module, text) for _, commands in SECTIONS for name, module, text in commands}


def name_variables(command: click.Command, prefix: str) -> None:
    """Let every option of a command be given by a variable, `F0CI_STATUS_FORMAT` for `f0ci status --format`.

    click itself names variables after parameters of functions, which people do not see.
    """
    for param in command.params:
        if isinstance(param, click.Option):
            option = max(param.opts, key=len).lstrip("-")
            variable = f"{prefix}_{option}".upper().replace("-", "_")
            own = [param.envvar] if isinstance(param.envvar, str) else list(param.envvar or ())
            param.envvar = list(dict.fromkeys([*own, variable]))
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            name_variables(inner, f"{prefix}_{name}")


class Commands(click.Group):
    """Commands by name, imported when called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return every command's name."""
        return list(_MODULES)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command and return it, or None."""
        if cmd_name not in _MODULES:
            return None
        module = importlib.import_module(f"f0ci.cli.{_MODULES[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        name_variables(command, f"F0CI_{cmd_name}")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name; an unknown one is told with the closest."""
        if args and args[0] not in _MODULES:
            from f0ci.core.suggestions import closest

            match = closest(args[0], _MODULES)
            ctx.fail(
                f"there is no command {args[0]!r}" + (f"; did you mean {match!r}?" if match else "; see `f0ci --help`")
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by section, without importing them."""
        for title, commands in SECTIONS:
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, _, text in commands])


@click.group(
    cls=Commands,
    context_settings={
        "auto_envvar_prefix": "F0CI",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
    epilog="Exit codes: 0 done, 1 findings or differences, 2 usage, 3 cannot work, 4 refused, 5 waiting, "
    "6 rolled back, 7 a person is needed.",
)
@click.version_option(__version__, prog_name="f0ci", message="%(prog)s %(version)s")
@click.option(
    "-C",
    "--directory",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Work as if started in this folder.",
)
@click.pass_context
def application(ctx: click.Context, directory: Path) -> None:
    """Move recipes from dev to production with nothing to operate: Git is the only database.

    \b
    Example:
      f0ci init && f0ci validate
      f0ci release create && f0ci promote dev
    """
    ctx.obj = directory
