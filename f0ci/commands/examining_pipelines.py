"""Whether generated pipelines can work: what of their set-up list can be seen from here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from f0ci.core.canonical import sha256_hex
from f0ci.core.errors import F0ciError
from f0ci.core.outcome import Outcome
from f0ci.core.plugins import load
from f0ci.pipelines.model import Install, Pipeline
from f0ci.promotion.health import Check
from f0ci.source.tree import DirectoryTree

# seconds that a package index and a platform may take to answer
_PATIENCE = 20.0
_GITHUB = re.compile(r"(?:https://|ssh://git@|git@)github\.com[/:]([^/\s]+/[^/\s]+?)(?:\.git)?/?\Z")
_FORBID = "forbid force pushes to and deletion of 'env/*' and 'f0ci/ledger/*' in the rules of the repository"


def examine_pipelines(root: Path, environ: Mapping[str, str] | None = None) -> Iterator[Check]:
    """Yield what is so about the pipelines that were generated; looks only, writes nothing.

    Args:
        root: the work tree.
        environ: environment variables, those of the process by default; a token in `F0CI_API_TOKEN` or `GITHUB_TOKEN`
            lets GitHub tell the rules of a private repository.
    """
    from f0ci.commands.generating import generate, systems

    tree = DirectoryTree(root)
    try:
        pipeline = generate(root, ()).pipeline
    except F0ciError:
        # asked again below, where something was generated
        pipeline = None
    used = [name for name in systems() if tree.exists(_file_of(name, pipeline))]
    if not used:
        yield Check("pipelines", Outcome.SKIPPED, "none is generated here", None)
        return
    try:
        made = generate(root, used)
    except F0ciError as error:
        yield Check("pipelines", Outcome.FAILED, str(error), error.hint)
        return
    stale = [f"{state.path}: {state.reason}" for state in made.states if not state.is_fresh]
    if stale:
        yield Check("pipelines", Outcome.WAITING, "; ".join(stale), f"f0ci generate {' '.join(used)}")
    else:
        yield Check("pipelines", Outcome.PASSED, f"{', '.join(state.path for state in made.states)}: current")
    if made.unbound:
        place, name = made.unbound[0]
        said = f"nothing stands behind {len(made.unbound)} names that stages use, such as {name!r} at {place}"
        yield Check("bindings", Outcome.WAITING, said, "f0ci validate")
    yield _installation(root, made.pipeline, tree)
    yield from _secrets(made.pipeline, used)
    yield _rules(root, made.pipeline, os.environ if environ is None else environ)


def _file_of(system: str, pipeline: Pipeline | None) -> str:
    """Return where the pipeline of a CI system is, or would be."""
    path = load("f0ci.pipelines.writers", system, noun="CI system").PATH
    return str(pipeline.option(system, "file", path) if pipeline is not None else path)


def _installation(root: Path, pipeline: Pipeline, tree: DirectoryTree) -> Check:
    install = pipeline.install
    if install.kind == "wheel":
        return _wheel(install, tree)
    if install.kind == "action":
        return _action(install, tree)
    if install.kind == "package":
        return _package(root, install)
    said = {"preinstalled": "runners have f0ci", "command": "a command of yours installs f0ci"}[install.kind]
    return Check("installation", Outcome.SKIPPED, f"{said}; that is seen on a runner alone")


def _wheel(install: Install, tree: DirectoryTree) -> Check:
    if "://" in install.value:
        return Check("installation", Outcome.SKIPPED, f"{install.value} is compared with its digest when it is fetched")
    if not tree.exists(install.value):
        return Check("installation", Outcome.FAILED, f"there is no {install.value!r}", f"git add {install.value}")
    if sha256_hex(tree.read(install.value)) != install.sha256:
        said = f"{install.value!r} has another digest than spec.install says"
        return Check("installation", Outcome.FAILED, said, f"sha256sum {install.value}")
    return Check("installation", Outcome.PASSED, f"{install.value!r} is there and has the digest that is asked for")


def _action(install: Install, tree: DirectoryTree) -> Check:
    if not install.value.startswith("./"):
        return Check("installation", Outcome.SKIPPED, f"{install.value} is known to GitHub alone")
    path = f"{install.value.removeprefix('./').rstrip('/')}/action.yml".lstrip("/")
    if tree.exists(path):
        return Check("installation", Outcome.PASSED, f"the Action {path!r} is there")
    return Check("installation", Outcome.FAILED, f"there is no Action {path!r}", "mend `install` in the workflow")


def _package(root: Path, install: Install) -> Check:
    from f0ci import __version__

    wanted = f"f0ci=={install.value or __version__}"
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet"]
    command += ["--disable-pip-version-check", "--retries", "0", "--timeout", "5", wanted]
    try:
        found = subprocess.run(command, cwd=root, capture_output=True, check=False, timeout=_PATIENCE).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        found = False
    if found:
        return Check("installation", Outcome.PASSED, f"the package index of this machine has {wanted}")
    return Check(
        "installation",
        Outcome.WAITING,
        f"the package index of this machine has no {wanted}, or does not answer; that of the runners may",
        "say under spec.install how jobs get f0ci: a wheel, a command with your index, preinstalled",
    )


def _secrets(pipeline: Pipeline, used: list[str]) -> Iterator[Check]:
    named = "; ".join(f"{name}: {', '.join(variables)}" for name, variables in pipeline.secrets.items() if variables)
    if named:
        said = f"{named}; whether the CI system has them is not seen from here"
        yield Check("secrets of jobs", Outcome.SKIPPED, said, f"f0ci generate {' '.join(used)} --set-up")


def _rules(root: Path, pipeline: Pipeline, environ: Mapping[str, str]) -> Check:
    """Return whether the platform forbids to rewrite environments and ledgers, where it tells."""
    from f0ci.core.clock import SystemClock
    from f0ci.promotion.site import open_site

    try:
        site = open_site(root, SystemClock(), fetch=False)
        url = site.refs.url
        names = [
            name for one in pipeline.environments for name in (site.names.environment(one), site.names.ledger(one))
        ]
        branches = [name.removeprefix("refs/heads/") for name in names]
        repository = _GITHUB.match(url)
        if repository is not None:
            return _rules_of_github(repository[1], branches, environ)
        folder = Path(url.removeprefix("file://"))
        if url and folder.is_dir():
            return _rules_of_folder(folder)
    except F0ciError as error:
        return Check("branch rules", Outcome.SKIPPED, f"they could not be read: {error}", error.hint)
    where = url or "this repository"
    return Check("branch rules", Outcome.SKIPPED, f"{where} does not tell its rules", _FORBID)


def _rules_of_github(repository: str, branches: list[str], environ: Mapping[str, str]) -> Check:
    """Ask `GET /repos/{owner}/{repo}/rules/branches/{branch}`, which needs no more than leave to read."""
    from f0ci.http.session import get_json, open_session

    service = environ.get("GITHUB_API_URL", "https://api.github.com")
    token = environ.get("F0CI_API_TOKEN") or environ.get("GITHUB_TOKEN") or None
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    open_ones = []
    with open_session(headers=headers, timeout=_PATIENCE, token=token) as session:
        for branch in branches:
            found = get_json(session, f"{service}/repos/{quote(repository)}/rules/branches/{quote(branch, safe='')}")
            kinds = {str(rule.get("type")) for rule in found if isinstance(rule, dict)}
            if not {"non_fast_forward", "deletion"} <= kinds:
                open_ones.append(branch)
    if open_ones:
        said = f"no ruleset forbids to rewrite and to delete {', '.join(open_ones)}"
        return Check("branch rules", Outcome.WAITING, said, _FORBID)
    return Check("branch rules", Outcome.PASSED, f"nobody can rewrite or delete {', '.join(branches)}")


def _rules_of_folder(folder: Path) -> Check:
    from f0ci.git.repository import Repository

    repository = Repository.open(folder)
    missing = [name for name in ("receive.denyNonFastForwards", "receive.denyDeletes") if not repository.flag(name)]
    if missing:
        mend = " && ".join(f"git -C {folder} config {name} true" for name in missing)
        return Check("branch rules", Outcome.WAITING, "the remote lets branches be rewritten or deleted", mend)
    return Check("branch rules", Outcome.PASSED, "the remote refuses to rewrite and to delete branches")
