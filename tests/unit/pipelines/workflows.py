"""Workflows that pipelines are made of."""

from __future__ import annotations

import textwrap
from pathlib import Path

from f0ci.pipelines.building import build
from f0ci.pipelines.model import Job, Pipeline
from f0ci.source.document import parse_document
from f0ci.workflows.model import Workflow
from f0ci.workflows.reading import workflow_from

SEED = Path(__file__).parents[2] / "projects/production_workflow/workflow.yaml"
WORKFLOW = """\
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: shop}
spec:
  environments:
    dev: {}
    prod: {approval_required: true}
  bindings:
    tests: {unit: {run: make test}}
  pipeline_stages:
    - {name: build, uses: images/build, tests: [unit]}
    - {name: to_dev, environment: dev, requires: [build]}
    - {name: load_test, requires: [to_dev], tests: [unit]}
    - {name: to_prod, environment: prod, requires: [load_test, manual_approval]}
"""


def read(text: str) -> Workflow:
    return workflow_from(parse_document("workflow.yaml", textwrap.dedent(text).encode()))


def pipeline(text: str = WORKFLOW) -> Pipeline:
    return build(read(text))


def jobs(text: str = WORKFLOW) -> dict[str, Job]:
    return {job.id: job for job in pipeline(text).jobs}


def staged(stages: str, environments: str = "dev: {}\nprod: {}") -> str:
    """Return a workflow with some stages and environments."""
    return (
        "apiVersion: framework0.io/v1\nkind: ProductionWorkflow\nmetadata: {name: shop}\nspec:\n  environments:\n"
        + textwrap.indent(textwrap.dedent(environments).strip(), "    ")
        + "\n  pipeline_stages:\n"
        + textwrap.indent(textwrap.dedent(stages).strip(), "    ")
        + "\n"
    )
