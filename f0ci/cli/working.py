"""`f0ci worker`."""

from __future__ import annotations

from typing import Any

import click

from f0ci.cli.output import format_option, print_json, root_of, say
from f0ci.cli.recording import journal_option
from f0ci.cli.width import print_table
from f0ci.core.errors import ExitCode


@click.command()
@click.option("--queue", "queues", multiple=True, metavar="NAME", help="Take runs from it; may be repeated.")
@click.option(
    "--slots", type=click.IntRange(1), help="Runs at the same time at most; by default what its queues allow."
)
@click.option("--grace", type=click.FloatRange(0), default=25.0, show_default=True, help="Seconds for runs on SIGTERM.")
@click.option(
    "--health", metavar="[HOST:]PORT", help="Answer 200 there while all is well; without a host, to this machine."
)
@click.option("--list", "listed", is_flag=True, help="Show the workers there are instead.")
@journal_option
@format_option("text", "json")
@click.pass_context
def worker(ctx: click.Context, /, listed: bool, output_format: str, **given: Any) -> int:
    """Carry on the runs of queues until told to stop; needs --engine, and a clone of the repository.

    Any number of workers share a queue. One that is killed loses nothing: others take its runs over within seconds. On
    SIGTERM it takes no more runs, lets those it has go on for --grace seconds, and gives the rest back.

    \b
    Example:
      f0ci worker --engine postgresql://f0ci@db.internal/f0ci --queue default --health 9808
      f0ci worker --list
    """
    from f0ci.commands.working import known_workers, work

    root = root_of(ctx)
    if not listed:
        work(
            root,
            given["journal"],
            queues=given["queues"],
            slots=given["slots"],
            grace=given["grace"],
            health=given["health"],
            tell=say,
        )
        return ExitCode.DONE
    found = known_workers(root, given["journal"])
    if output_format == "json":
        print_json({"version": 1, "workers": [one.to_json() for one in found]})
    elif not found:
        say("no workers")
    else:
        headings = ("worker", "state", "queues", "slots", "folder", "seen")
        print_table(
            headings,
            [
                (
                    one.name,
                    "alive" if one.alive else "gone",
                    ", ".join(one.queues),
                    str(one.slots),
                    f"{one.host}:{one.folder}",
                    f"{one.silent:.0f} s ago",
                )
                for one in found
            ],
        )
    return ExitCode.DONE
