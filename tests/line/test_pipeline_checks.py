"""What `f0ci doctor` says of generated pipelines: the part of their set-up list that can be seen."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest
import responses

from f0ci import __version__
from f0ci.commands.examining_pipelines import examine_pipelines
from f0ci.commands.generating import generate, write_files
from f0ci.commands.scaffolding import scaffold
from f0ci.promotion.health import Check
from tests.conftest import git


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a generated pipeline, on a machine whose package index is a folder without f0ci."""
    (tmp_path / "index").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    folder = tmp_path / "shop"
    scaffold(folder)
    git(folder, "init", "-q")
    write_files(folder, generate(folder, ["github"]))
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return folder


def install(folder: Path, text: str) -> None:
    file = folder / "workflow.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("spec:\n", f"spec:\n  install: {text}\n", 1), encoding="utf-8"
    )
    write_files(folder, generate(folder, ["github"]))


def checks(folder: Path, **environ: str) -> dict[str, Check]:
    return {check.name: check for check in examine_pipelines(folder, environ)}


def test_without_a_pipeline_there_is_nothing_to_say(shop: Path) -> None:
    (shop / ".github/workflows/f0ci.yml").unlink()

    (only,) = checks(shop).values()
    assert (only.name, str(only.outcome)) == ("pipelines", "skipped")


def test_a_pipeline_that_is_not_what_would_be_generated(shop: Path) -> None:
    assert str(checks(shop)["pipelines"].outcome) == "passed"
    with (shop / ".github/workflows/f0ci.yml").open("a", encoding="utf-8") as stream:
        stream.write("# edited\n")

    found = checks(shop)["pipelines"]
    assert str(found.outcome) == "waiting"
    assert (found.message, found.mend) == (
        ".github/workflows/f0ci.yml: it was edited by hand",
        "f0ci generate github",
    )


def test_the_package_that_jobs_install_is_looked_for(shop: Path, tmp_path: Path) -> None:
    found = checks(shop)["installation"]
    assert str(found.outcome) == "waiting"
    assert f"no f0ci=={__version__}" in found.message

    name = f"f0ci-{__version__}"
    with zipfile.ZipFile(tmp_path / "index" / f"{name}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: f0ci\nVersion: {__version__}\n")
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{name}.dist-info/RECORD", "")
    assert str(checks(shop)["installation"].outcome) == "passed"


@pytest.mark.parametrize(
    ("written", "outcome", "said"),
    [
        ("./", "failed", "there is no Action 'action.yml'"),
        (f"framework0/f0ci@{'a' * 40}", "skipped", "known to GitHub alone"),
        ("{preinstalled: true}", "skipped", "runners have f0ci"),
        ("pip install f0ci", "skipped", "a command of yours"),
        (f"{{wheel: wheels/f0ci.whl, sha256: {'a' * 64}}}", "failed", "there is no 'wheels/f0ci.whl'"),
        (f"{{wheel: README.md, sha256: {'a' * 64}}}", "failed", "another digest"),
    ],
)
def test_what_installs_f0ci_is_there(written: str, outcome: str, said: str, shop: Path) -> None:
    (shop / "README.md").write_text("text\n", encoding="utf-8")
    install(shop, written)

    found = checks(shop)["installation"]
    assert (str(found.outcome), said in found.message) == (outcome, True), found


def test_a_wheel_with_its_digest_passes(shop: Path) -> None:
    (shop / "f0ci.whl").write_bytes(b"wheel")
    install(shop, f"{{wheel: f0ci.whl, sha256: {hashlib.sha256(b'wheel').hexdigest()}}}")

    assert str(checks(shop)["installation"].outcome) == "passed"


def test_the_secrets_that_jobs_need_are_named(shop: Path) -> None:
    assert "secrets of jobs" not in checks(shop)
    recipe = shop / "recipes/deploy.yaml"
    recipe.write_text(
        recipe.read_text(encoding="utf-8").replace("TARGET:", "KEY: secret://payments/api-key\n      TARGET:", 1),
        encoding="utf-8",
    )

    found = checks(shop)["secrets of jobs"]
    assert "prod: F0CI_SECRET_PAYMENTS_API_KEY" in found.message
    assert found.mend == "f0ci generate github --set-up"


def test_rules_of_a_remote_that_is_a_folder(shop: Path, tmp_path: Path) -> None:
    bare = tmp_path / "shop.git"
    git(tmp_path, "init", "-q", "--bare", str(bare))
    git(shop, "remote", "add", "origin", str(bare))

    found = checks(shop)["branch rules"]
    assert str(found.outcome) == "waiting"
    assert found.mend is not None
    for command in found.mend.split(" && "):
        git(bare, *command.split()[3:])
    assert str(checks(shop)["branch rules"].outcome) == "passed"


@responses.activate
@pytest.mark.parametrize(
    ("kinds", "outcome"), [(["non_fast_forward", "deletion"], "passed"), (["non_fast_forward"], "waiting")]
)
def test_rules_of_github(kinds: list[str], outcome: str, shop: Path) -> None:
    git(shop, "remote", "add", "origin", "https://github.com/shop/shop.git")
    for name in ("dev", "staging", "prod"):
        for branch in (f"env%2F{name}", f"f0ci%2Fledger%2F{name}"):
            address = f"https://api.github.com/repos/shop/shop/rules/branches/{branch}"
            responses.get(address, json=[{"type": kind} for kind in kinds])

    found = checks(shop, F0CI_API_TOKEN="a-token")["branch rules"]

    assert str(found.outcome) == outcome
    assert len(responses.calls) == 6
    assert ("f0ci/ledger/prod" in found.message) is True


@responses.activate
def test_rules_that_github_does_not_tell(shop: Path) -> None:
    git(shop, "remote", "add", "origin", "git@github.com:shop/shop.git")
    responses.get("https://api.github.com/repos/shop/shop/rules/branches/env%2Fdev", status=404, json={})

    found = checks(shop)["branch rules"]
    assert str(found.outcome) == "skipped"
    assert "could not be read" in found.message


def test_a_pipeline_in_a_file_of_its_own_is_seen(shop: Path) -> None:
    """Where the workflow names the file for GitLab, that file is the one that has to be current."""
    file = shop / "workflow.yaml"
    text = file.read_text(encoding="utf-8")
    settings = "spec:\n  pipelines: {gitlab: {file: ci/promotion.yml}}\n"
    file.write_text(text.replace("spec:\n", settings, 1), encoding="utf-8")
    (shop / ".github/workflows/f0ci.yml").unlink()
    write_files(shop, generate(shop, ["gitlab"]))
    assert checks(shop)["pipelines"].message == "ci/promotion.yml: current"

    with (shop / "ci/promotion.yml").open("a", encoding="utf-8") as stream:
        stream.write("# edited\n")
    assert str(checks(shop)["pipelines"].outcome) == "waiting"
