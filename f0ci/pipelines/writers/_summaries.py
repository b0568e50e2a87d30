"""What jobs leave for people to read: the plan, what a promotion did, and where to look, as one Markdown text."""

from __future__ import annotations

from f0ci.pipelines.model import Job, Kind

PLAN_TITLE = "Plan ${digest:0:12}: release ${RELEASE:0:12} into $TARGET"
_TITLES = {
    Kind.PROMOTE: "Release ${RELEASE:0:12} into $TARGET",
    Kind.CONTINUE: "Waiting promotions",
    Kind.ROLLBACK: "Rollback of $TARGET",
}
# a promotion that nobody was asked about shows its plan itself; whatever is wrong with it, the promotion says
_PLAN = 'f0ci plan "$TARGET" --release "$RELEASE" --apart > "$report" 2> /dev/null || true\n'


def summary(title: str, link: str, file: str) -> str:
    """Return a script that writes a heading, a link and what stands in `$report`.

    Args:
        title: the shell's words for the heading, without quotes.
        link: likewise for a line of Markdown that says where to look.
        file: the shell's words for the file.
    """
    # indented, so that nothing in it can end the block
    return f"""\
{{
  echo "### {title}"
  echo
  echo "{link}"
  echo
  sed 's/^/    /' "$report"
}} > {file}
"""


def reported(job: Job, command: str, link: str, file: str, *, filtered: str = "", again: bool = False) -> str:
    """Return a script that runs a command, leaves its exit code in `$code`, and writes what it said into a file.

    Args:
        job: what promotes, continues or rolls back.
        command: what does it.
        link: the shell's words for a line of Markdown that says where to look, without quotes.
        file: the shell's words for the file.
        filtered: what stands behind each command that prints, such as ` 2>&1 | sed ...`.
        again: True where the plan was shown before.
    """
    shown = _PLAN if job.kind is Kind.PROMOTE and not job.plan and not again else ""
    return (
        f"report=$(mktemp)\n{shown}code=0\n"
        f'{command}{filtered} | tee -a "$report" || code=$?\n'
        f'{{ f0ci status --offline || true; }}{filtered} | tee -a "$report"\n'
        f"{summary(_TITLES[job.kind], link, file)}"
    )
