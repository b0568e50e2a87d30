"""Jobs that deploy get the secrets that deploy recipes read, and no others."""

from __future__ import annotations

import pytest

from f0ci.core.errors import InputError
from f0ci.environments.secrets import AGE_IDENTITY, variable_of
from f0ci.pipelines.building import build
from f0ci.pipelines.secrets import secret_variables
from f0ci.pipelines.writers import github
from f0ci.source.project import Project
from f0ci.source.tree import MemoryTree
from tests.unit.pipelines.workflows import read, staged

STAGES = "- {name: to_dev, environment: dev}\n- {name: to_prod, environment: prod, requires: [to_dev]}"
ENVIRONMENTS = """
    dev: {deploy: recipes/deploy.yaml}
    prod: {deploy: {recipe: recipes/deploy.yaml, parameters: {key: 'secret://payments/api-key'}}}
    other: {}
"""
FILES = {
    "environments/base.yaml": b"database: {password: 'secret://db-password'}\n",
    "environments/dev/config.yaml": b"database: {password: none}\n",
    "environments/prod/config.yaml": b"size: 3\n",
    "environments/other/config.yaml": b"x: 'secret://never'\n",
    "recipes/deploy.yaml": (
        b"metadata: {name: deploy, version: '1'}\nsteps:\n"
        b"  - {name: push, type: sub_recipe, recipe_path: recipes/push.yaml}\n"
    ),
    "recipes/push.yaml": (
        b"metadata: {name: push, version: '1'}\nsteps:\n"
        b"  - {name: push, type: shell, run: ./push, env: {TOKEN: 'secret://registry.token'}}\n"
    ),
}


def test_secrets_come_from_parameters_configuration_and_every_recipe_that_is_called() -> None:
    found = secret_variables(read(staged(STAGES, ENVIRONMENTS)), Project(), MemoryTree(FILES))

    assert found == {
        "dev": ("F0CI_SECRET_REGISTRY_TOKEN",),
        "prod": ("F0CI_SECRET_DB_PASSWORD", "F0CI_SECRET_PAYMENTS_API_KEY", "F0CI_SECRET_REGISTRY_TOKEN"),
    }


def test_each_job_is_given_what_its_environment_needs() -> None:
    made = build(read(staged(STAGES, ENVIRONMENTS)), Project(), MemoryTree(FILES))

    given = {job.id: job.secrets for job in made.jobs if job.secrets}
    assert given["to_dev"] == ("F0CI_SECRET_REGISTRY_TOKEN",)
    assert len(given["to_prod"]) == 3
    assert given["continue"] == given["rollback"] == given["to_prod"]
    told = github.set_up(made)
    where = "in the environment 'f0ci-work-prod', which asks nobody, and in 'f0ci-continue'"
    assert f"the secret F0CI_SECRET_DB_PASSWORD {where}" in told
    assert any("a name of its own for each environment's F0CI_SECRET_REGISTRY_TOKEN" in line for line in told)


def test_a_new_secret_makes_files_stale() -> None:
    workflow = read(staged(STAGES, ENVIRONMENTS))
    more = {**FILES, "environments/dev/config.yaml": b"key: 'secret://new'\n"}

    before, after = (build(workflow, Project(), MemoryTree(files)).source for files in (FILES, more))

    assert before != after
    assert build(workflow).source == build(workflow).source


def test_an_environment_without_configuration_names_no_secret() -> None:
    files = {path: content for path, content in FILES.items() if path.startswith("recipes/")}

    assert secret_variables(read(staged(STAGES, ENVIRONMENTS)), Project(), MemoryTree(files))["dev"] == (
        "F0CI_SECRET_REGISTRY_TOKEN",
    )


def test_a_deploy_recipe_that_is_missing_is_refused() -> None:
    with pytest.raises(InputError, match=r"recipes/push\.yaml"):
        secret_variables(
            read(staged(STAGES, ENVIRONMENTS)),
            Project(),
            MemoryTree({path: content for path, content in FILES.items() if path != "recipes/push.yaml"}),
        )


@pytest.mark.parametrize("name", ["db-password", "payments/api-key", "a.b_c", "9", "Aa"])
def test_variables_are_called_as_the_runner_calls_them(name: str) -> None:
    files = {**FILES, "environments/dev/config.yaml": f"key: 'secret://{name}'\n".encode()}

    found = secret_variables(read(staged(STAGES, ENVIRONMENTS)), Project(), MemoryTree(files))

    assert variable_of(name) in found["dev"]


@pytest.mark.parametrize(
    ("providers", "expected"),
    [
        ([{"provider": "environment"}], {"F0CI_SECRET_DB_PASSWORD", "F0CI_SECRET_REGISTRY_TOKEN"}),
        ([{"provider": "age", "file": "secrets.age"}], {AGE_IDENTITY}),
        ([{"provider": "age", "file": "secrets.age", "identity_file": "/key"}], set()),
        ([{"provider": "file", "folder": "/run/secrets"}], set()),
    ],
)
def test_jobs_get_what_the_providers_need(providers: list[dict[str, str]], expected: set[str]) -> None:
    workflow = read(staged(STAGES, "\n    dev: {deploy: recipes/deploy.yaml}\n    prod: {}\n"))
    files = FILES | {"environments/dev/config.yaml": b"size: 1\n"}

    found = secret_variables(workflow, Project(secrets=tuple(providers)), MemoryTree(files))

    assert set(found["dev"]) == expected


METRICS = """
  metrics:
    error_rate:
      provider: prometheus
      url: http://prometheus
      query: up
      token_env: PROM_TOKEN
      headers_env: {X-Scope: SCOPE, X-Ours: F0CI_GIT_TOKEN}
"""


def test_metrics_get_the_secrets_that_they_name_and_never_the_token() -> None:
    stages = STAGES + "\n- {name: c, environment: other, validation: {success_criteria: error_rate < 1%}}"
    workflow = read(staged(stages, ENVIRONMENTS) + METRICS)

    found = secret_variables(workflow, Project(), MemoryTree(FILES))

    assert found["other"] == ("PROM_TOKEN", "SCOPE")
    assert "PROM_TOKEN" not in found["dev"]
