"""Running rules over a workspace.

files -> what reading, schemas and readers found + what rules find -> places -> settled diagnostics. A rule that crashes
costs one diagnostic, a file that cannot be read costs its own findings: the rest is still linted. Files may be shared
out among processes; what comes out is the same for any number of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from math import inf
from typing import TYPE_CHECKING, Any

from f0ci.core.diagnostics import Diagnostic, Edit, Fix, Severity, Span, settle
from f0ci.core.suggestions import MOST_COMPARED, allowance
from f0ci.core.values import dataclass
from f0ci.expressions.templating import SUFFIX
from f0ci.lint import registry
from f0ci.lint.ignoring import Ignore, by_cover, mentions_ignore, read_ignores
from f0ci.lint.locating import locate
from f0ci.lint.outcome import INTERNAL_ERROR, Outcome
from f0ci.lint.problems import problems_of
from f0ci.lint.registry import Choice, all_rules, explain
from f0ci.lint.report import Report
from f0ci.lint.reporters.base import summarize
from f0ci.lint.rules.base import Finding
from f0ci.lint.source import Kind, Source
from f0ci.lint.walking import has_telling_comment
from f0ci.lint.workspace import Workspace
from f0ci.source.schema import MORE_MISFITS
from f0ci.source.traced import TracedTree

if TYPE_CHECKING:
    from f0ci.lint.board import Board
    from f0ci.lint.cache import Cache

__all__ = ["Report", "all_rules", "examine", "explain", "lint"]

_OF_SCHEMAS = ("bad-value", "missing-key", "unknown-key", "wrong-type")
_STRICT = {"unknown-key": Severity.ERROR}
# nobody reads as many, and a file that was made to have a million must not fill the memory
MOST_OF_A_KIND = 10_000
_MORE = f"more than {MOST_OF_A_KIND:,} findings of this rule in one file: the rest is not listed"
Check = Callable[..., Iterator[Finding]]


def lint(
    workspace: Workspace, *, strict: bool = False, select: Iterable[str] = (), ignore: Iterable[str] = ()
) -> tuple[Diagnostic, ...]:
    """Return what the rules have to say about a workspace; see `examine`."""
    return examine(workspace, strict=strict, select=select, ignore=ignore).diagnostics


def examine(
    workspace: Workspace,
    *,
    strict: bool = False,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    further: Iterable[Diagnostic] = (),
    jobs: int | None = 1,
    cache: Cache | None = None,
) -> Report:
    """Run the rules over a workspace.

    Args:
        workspace: what to lint.
        strict: unknown keys are errors.
        select: names of rules or groups, in place of those of the settings.
        ignore: names of rules or groups, beside those of the settings.
        further: what others found in the same files (rendering, generating); comments silence it as well.
        jobs: processes that share the files; None for as many as pay.
        cache: what earlier runs with the same options found; only where the workspace's tree is traced.

    Raises:
        UsageError: `select` or `ignore` names a rule that does not exist.
    """
    choice = registry.choose(workspace.project.rules, select, ignore)
    run = _Run(workspace, choice, strict)
    outcomes = _outcomes(run, jobs, cache)
    for path, outcome in outcomes.items():
        run.take(path, outcome)
    run.environments()
    run.check("check_workspace", (workspace,), str(workspace.project.workflow))
    run.diagnostics.extend(run.crashed.values())
    run.diagnostics.extend(further)
    kept = run.silence()
    checked = [path for path, outcome in outcomes.items() if outcome.is_known]
    report = Report(kept, summarize(kept, len(checked), checked))
    if cache is not None and not further:
        cache.keep(workspace, report, outcomes)
    return report


def _outcomes(run: _Run, jobs: int | None, cache: Cache | None) -> dict[str, Outcome]:
    """Return what comes out of every file, by path: what is known from earlier runs, and of the others what is new."""
    workspace = run.workspace
    known = cache.outcomes(workspace) if cache is not None else {}
    left = [path for path in workspace.asked if path not in known]
    if len(left) > 1:
        from f0ci.lint.sharing import share_out

        found = dict(share_out(workspace.tree, left, run, jobs))
    else:
        found = {path: run.examine(path) for path in left}
    return {path: known.get(path) or found[path] for path in workspace.asked}


@dataclass(slots=True)
class _Run:
    workspace: Workspace
    choice: Choice
    strict: bool
    diagnostics: list[Diagnostic] = field(default_factory=list)
    ignores: dict[str, tuple[Ignore, ...]] = field(default_factory=dict)
    crashed: dict[str, Diagnostic] = field(default_factory=dict)
    checks: dict[str, tuple[tuple[str, Check], ...]] = field(default_factory=dict)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    is_alone: bool = False

    def examine(self, path: str) -> Outcome:
        """Run what concerns one file and return what came out."""
        own = _Run(self.workspace, self.choice, self.strict, checks=self.checks, is_alone=True)
        tree = self.workspace.tree
        try:
            is_known, asked = (
                tree.asked_by(lambda: own.read(path)) if isinstance(tree, TracedTree) else (own.read(path), ())
            )
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one file, the others are read
            return self.lose(path, f"{type(error).__name__}: {error}")
        return Outcome(is_known, tuple(own.diagnostics), own.ignores.get(path, ()), own.crashed, tuple(asked))

    def prepare(self) -> None:
        """Import the rules that look at files."""
        for hook in ("check_document", "check_recipe"):
            self._functions(hook)

    def look_ahead(self) -> None:
        """Import the rules that look at what files have in common."""
        alone = ("check_environments", "check_environment") if self.workspace.environment_sets else ()
        for hook in (*alone, "check_workspace"):
            self._functions(hook)

    def share(self, board: Board) -> None:
        """Tell other processes what of several files is read, and be told."""
        self.workspace.board = board

    def read(self, path: str) -> bool:
        """Read a file and run what concerns it; tell whether it is one that f0ci reads."""
        source = self.workspace.read(path)
        return source is not None and self.source(source)

    def lose(self, path: str, reason: str) -> Outcome:
        """Return what is said of a file that could not be examined."""
        own = _Run(self.workspace, self.choice, self.strict)
        hint = "report this as a bug of f0ci with the file; all other files were checked"
        own.add(INTERNAL_ERROR, Finding(path, (), f"the file could not be examined: {reason}", hint))
        return Outcome(True, tuple(own.diagnostics))

    def take(self, path: str, outcome: Outcome) -> None:
        """Note what came out of a file; files come by path."""
        self.diagnostics.extend(one for one in outcome.diagnostics if self._is_asked_for(one.rule, one.location.path))
        if outcome.ignores:
            self.ignores[path] = outcome.ignores
        for name, diagnostic in outcome.crashed.items():
            self.crashed.setdefault(name, diagnostic)

    def source(self, source: Source) -> bool:
        """Run what concerns one file; tell whether it is one that f0ci reads."""
        if has_telling_comment(source.document, self.workspace) and mentions_ignore(source.document.raw):
            self.ignores[source.path] = read_ignores(source.document)
        allowance[0] = MOST_COMPARED
        for name, finding in problems_of(source):
            self.add(name, finding)
        allowance[0] = inf
        self.check("check_document", (source.document, self.workspace), source.document, source.kind)
        if source.recipe is not None:
            self.check("check_recipe", (source.recipe, self.workspace), source.document)
        if source.workflow is not None:
            self.check("check_workflow", (source.workflow, self.workspace), source.document)
        return source.kind is not Kind.OTHER or source.path.endswith(SUFFIX)

    def environments(self) -> None:
        """Run what concerns environments, alone and together."""
        for members in self.workspace.environment_sets:
            self.check("check_environments", (members, self.workspace), members.root)
            for environment in members.environments:
                self.check("check_environment", (environment, self.workspace), environment.document or members.root)

    def check(self, hook: str, arguments: tuple[Any, ...], subject: Any, kind: Kind | None = None) -> None:
        """Call a function of every active rule that has it."""
        if kind is Kind.OTHER:
            return
        for name, function in self._functions(hook):
            allowance[0] = MOST_COMPARED
            try:
                for finding in function(*arguments):
                    if not self.add(name, finding) and self.is_alone:
                        break
            except Exception as error:  # noqa: BLE001 - whatever a rule does, the others' findings must come out
                self._crash(name, subject, error)
        allowance[0] = inf

    def add(self, name: str, finding: Finding) -> bool:
        """Note a finding, unless its rule is off or nobody asked about its file; tell whether more are wanted."""
        path = finding.source if isinstance(finding.source, str) else finding.source.path
        # what came out of one file is sifted when it is taken: another run may ask about other files
        is_asked_for = self.is_alone or self._is_asked_for(name, path)
        severity = self.choice.severity_of(name, path, finding.severity) if is_asked_for else None
        if severity is None:
            return True
        if self.strict:
            severity = _STRICT.get(name, severity)
        count = self.counts[name, path] = self.counts.get((name, path), 0) + 1
        if count <= MOST_OF_A_KIND:
            self.diagnostics.append(locate(finding, name, severity))
        elif count == MOST_OF_A_KIND + 1:
            more = Finding(finding.source, Span(), _MORE, "mend what is listed, or leave the file out")
            self.diagnostics.append(locate(more, name, severity))
        return count <= MOST_OF_A_KIND

    def _is_asked_for(self, name: str, path: str) -> bool:
        return self.workspace.reports(path) or name in registry.ALWAYS

    def silence(self) -> tuple[Diagnostic, ...]:
        """Return what no comment silences, with the comments that silence nothing."""
        used: set[tuple[str, Ignore]] = set()
        kept: list[Diagnostic] = []
        known = {path: by_cover(comments) for path, comments in self.ignores.items()}
        cut = {(one.location.path, one.rule) for one in self.diagnostics if one.message == _MORE}
        unread = {one.location.path for one in self.diagnostics if one.message == MORE_MISFITS.message}
        cut |= {(path, rule) for path in unread for rule in _OF_SCHEMAS}
        for diagnostic in self.diagnostics:
            path, rule, line = diagnostic.location.path, diagnostic.rule, diagnostic.location.span.line
            of_file = known.get(path, {})
            covering = [*of_file.get((rule, line), ()), *of_file.get((rule, None), ())]
            used.update((path, comment) for comment in covering)
            if not covering:
                kept.append(diagnostic)
        self.diagnostics = kept
        for path, comments in self.ignores.items():
            allowance[0] = MOST_COMPARED
            for comment in comments:
                # what is not listed may be what a comment silences
                self._useless(path, comment, used=(path, comment) in used or (path, comment.rule) in cut)
        allowance[0] = inf
        return settle(self.diagnostics)

    def _useless(self, path: str, comment: Ignore, *, used: bool) -> None:
        from f0ci.core.suggestions import did_you_mean

        if used:
            return
        if comment.rule and comment.rule not in registry.names():
            hint = did_you_mean(comment.rule, registry.names(), noun="rules")
            self.add("unknown-rule", Finding(path, comment.span, f"there is no rule {comment.rule!r}", hint))
        elif not comment.rule:
            hint = "write '# f0ci: ignore[rule-name] reason'"
            self.add("unused-ignore", Finding(path, comment.span, "the comment names no rule to ignore", hint))
        elif self.choice.complete and self.choice.severity_of(comment.rule, path) is not None:
            message = f"nothing here breaks the rule {comment.rule!r}"
            fix = Fix("remove it", (Edit(comment.removal, ""),))
            self.add("unused-ignore", Finding(path, comment.span, message, "remove the comment", fix=fix))

    def _functions(self, hook: str) -> tuple[tuple[str, Check], ...]:
        if hook not in self.checks:
            names = (name for name in self.choice.active if registry.offers(name, hook))
            self.checks[hook] = tuple((name, getattr(registry.module(name), hook)) for name in names)
        return self.checks[hook]

    def _crash(self, name: str, subject: Any, error: Exception) -> None:
        if name in self.crashed:
            return
        message = f"the rule {name!r} failed: {type(error).__name__}: {error}"
        hint = "report this as a bug of f0ci with the file; all other rules have run"
        severity = self.choice.severity.get(INTERNAL_ERROR, self.choice.active[INTERNAL_ERROR].severity)
        self.crashed[name] = locate(Finding(subject, (), message, hint), INTERNAL_ERROR, severity)
