from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.core.errors import InputError
from f0ci.source.document import parse_document
from f0ci.source.schema import check_schema
from f0ci.source.tree import MemoryTree
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.model import Binding, Deploy, Workflow
from f0ci.workflows.reading import looks_like_workflow, read_workflow, workflow_from

# the document that Framework0's own exercise on production workflows gives
ENTERPRISE = """\
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata:
  name: enterprise-deployment-pipeline
  namespace: framework0-production
spec:
  environments:
    development:
      cluster: dev-k8s
      monitoring: exercise7-analytics
      deployment: exercise8-containers
    staging:
      cluster: staging-k8s
      approval_required: false
      auto_promote: true
    production:
      cluster: prod-k8s-primary
      approval_required: true
      deployment_strategy: blue_green
      rollback_threshold: 0.95

  pipeline_stages:
    - name: build_and_test
      uses: exercise8/container-build
      tests:
        - unit_tests
        - integration_tests
        - security_scans

    - name: deploy_development
      environment: development
      monitoring:
        analytics_engine: exercise7
        alerts: ["error_rate > 5%", "latency > 2s"]

    - name: deploy_staging
      environment: staging
      requires: [deploy_development]
      validation:
        duration: 30m
        success_criteria: "error_rate < 1%"

    - name: deploy_production
      environment: production
      requires: [deploy_staging, manual_approval]
      strategy: blue_green
      monitoring:
        real_time: true
        rollback_triggers:
          - error_rate > 2%
          - latency_p95 > 1.5s
          - exercise7_anomaly_detected
"""


def read(text: str) -> Workflow:
    return read_workflow(MemoryTree({"workflow.yaml": text.encode()}), "workflow.yaml")


def from_spec(spec: Any) -> Workflow:
    data = {"apiVersion": "framework0.io/v1", "kind": "ProductionWorkflow", "spec": spec}
    return workflow_from(parse_document("workflow.json", json.dumps(data).encode()))


def test_the_enterprise_workflow_reads_as_it_stands() -> None:
    workflow = read(ENTERPRISE)

    assert workflow.name == "enterprise-deployment-pipeline"
    assert workflow.problems == ()
    assert check_schema("workflow", workflow.document.data) == ()
    development, staging, production = workflow.environments
    assert [(e.name, e.config, e.upstream, e.strategy, e.steps) for e in workflow.environments] == [
        ("development", "development", (), "rolling", (100,)),
        ("staging", "staging", ("development",), "rolling", (100,)),
        ("production", "production", ("staging",), "blue_green", (0, 100)),
    ]
    assert [[gate.kind for gate in e.gates] for e in workflow.environments] == [[], ["order"], ["order", "approval"]]
    assert development.checks == ()
    assert [(str(c.condition), c.rollback) for c in staging.checks] == [("error_rate < 1%", False)]
    assert staging.duration == timedelta(minutes=30)
    assert [staging.auto_promote, production.auto_promote] == [True, False]
    assert [(str(c.condition), c.rollback) for c in production.checks] == [
        ("error_rate > 2%", True),
        ("latency_p95 > 1.5s", True),
        ("exercise7_anomaly_detected", True),
        ("success_rate >= 0.95", False),
    ]


def test_every_part_of_the_enterprise_workflow_keeps_its_place() -> None:
    workflow = read(ENTERPRISE)
    _, staging, production = workflow.environments
    places = {
        staging.gates[0].at: "requires: [deploy_development]",
        staging.checks[0].at: 'success_criteria: "error_rate < 1%"',
        production.checks[1].at: "- latency_p95 > 1.5s",
        production.checks[3].at: "rollback_threshold: 0.95",
        production.gates[1].at: "approval_required: true",
        workflow.stages[0].tests[1].at: "- integration_tests",
    }
    lines = ENTERPRISE.splitlines()

    assert {at: lines[workflow.document.span(at).line - 1].strip() for at in places} == places


def test_stages_are_read_as_written() -> None:
    build, _, _, production = read(ENTERPRISE).stages

    assert (build.name, build.environment, build.requires) == ("build_and_test", None, ())
    assert build.uses == Binding("uses", "exercise8/container-build", None, ("spec", "pipeline_stages", 0, "uses"))
    assert [test.name for test in build.tests] == ["unit_tests", "integration_tests", "security_scans"]
    assert (production.requires, production.manual_approval) == (("deploy_staging",), True)
    assert production.at == ("spec", "pipeline_stages", 3)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"kind": "ProductionWorkflow"}, True),
        ({"kind": "Deployment"}, False),
        ({"spec": {"environments": {}}}, False),
        (["ProductionWorkflow"], False),
        (None, False),
    ],
)
def test_what_is_meant_to_be_a_workflow(data: Any, expected: bool) -> None:
    assert looks_like_workflow(data) is expected


def test_metrics_part_what_judging_uses_from_what_the_provider_uses() -> None:
    metric = {
        "provider": "file",
        "path": "m.csv",
        "value": "v",
        "unit": "ms",
        "min_samples": 50,
        "on_no_traffic": "pause",
    }
    workflow = from_spec({"environments": {"dev": None}, "metrics": {"latency": metric, "odd": {"min_samples": True}}})

    assert workflow.metrics == {
        "latency": MetricSpec(
            "latency",
            "file",
            {"path": "m.csv", "value": "v"},
            unit="ms",
            min_samples=50,
            on_no_traffic="pause",
            at=("spec", "metrics", "latency"),
        ),
        "odd": MetricSpec("odd", "", at=("spec", "metrics", "odd")),
    }


def test_bindings_give_names_their_commands() -> None:
    spec = {
        "environments": {"dev": {}},
        "pipeline_stages": [
            {
                "name": "a",
                "environment": "dev",
                "uses": "org/build",
                "tests": "unit",
                "monitoring": {"rollback_triggers": ["odd_traffic", "odd_traffic", "spikes"]},
            }
        ],
        "bindings": {
            "uses": {"org/build": {"run": "make image"}},
            "tests": {"unit": {"run": "pytest -q"}},
            "detectors": {"odd_traffic": {"run": "./detect"}},
        },
    }
    workflow = from_spec(spec)
    at = ("spec", "pipeline_stages", 0)

    assert workflow.stages[0].uses == Binding("uses", "org/build", "make image", (*at, "uses"))
    assert workflow.stages[0].tests == (Binding("test", "unit", "pytest -q", (*at, "tests")),)
    assert workflow.detectors == {
        "odd_traffic": Binding("detector", "odd_traffic", "./detect", (*at, "monitoring", "rollback_triggers", 0)),
        "spikes": Binding("detector", "spikes", None, (*at, "monitoring", "rollback_triggers", 2)),
    }


@pytest.mark.parametrize(
    ("deploy", "expected"),
    [
        ("recipes/deploy.yaml", Deploy("recipes/deploy.yaml", {}, ("spec", "environments", "dev", "deploy"))),
        (
            {"recipe": "r.yaml", "parameters": {"region": "eu"}},
            Deploy("r.yaml", {"region": "eu"}, ("spec", "environments", "dev", "deploy")),
        ),
        ({"parameters": {}}, None),
        (7, None),
    ],
)
def test_a_deploy_recipe_is_a_path_or_a_path_with_parameters(deploy: Any, expected: Deploy | None) -> None:
    assert from_spec({"environments": {"dev": {"deploy": deploy}}}).environments[0].deploy == expected


NAMES = [
    ("production", "production"),
    ("prod-eu", "production"),
    ("prod", "production"),
    ("dev", "development"),
    ("stg", "staging"),
    ("qa", None),
    ("", None),
]


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_an_environment_answers_to_its_names(name: str, expected: str | None) -> None:
    spec = {"environments": {"development": {}, "staging": {}, "production": {"config": "prod-eu"}}}
    found = from_spec(spec).environment(name)

    assert (found.name if found else None) == expected


def test_an_exact_name_comes_before_other_words_for_it() -> None:
    workflow = from_spec({"environments": {"production": {}, "prod": {}, "test": {"config": "production"}}})

    assert [getattr(workflow.environment(name), "name", None) for name in ("prod", "production", "testing")] == [
        "prod",
        "production",
        "test",
    ]


STAGE = "  pipeline_stages:\n    - name: a\n      environment: dev\n"
HEAD = "apiVersion: framework0.io/v1\nkind: ProductionWorkflow\nspec:\n"
DEV = HEAD + "  environments:\n    dev: {}\n"
REFUSED = [
    ("kind: Deployment\n", "workflow.yaml:1:1", "is not a workflow", "kind: ProductionWorkflow"),
    ("kind: [\n", "workflow.yaml:1:7", "not valid YAML", ""),
    ("kind: ProductionWorkflow\n", "workflow.yaml:1:1", "'apiVersion' is missing", "add 'apiVersion'"),
    (HEAD + "  environments: {}\n", "workflow.yaml:4:17", "'environments' holds nothing", ""),
    (
        HEAD + "  environments:\n    dev:\n      aproval_required: true\n",
        "workflow.yaml:6:7",
        "unknown key 'aproval_required'",
        "'approval_required'",
    ),
    (HEAD + "  environments:\n    dev.eu: {}\n", "workflow.yaml:5:5", '"dev.eu" does not match', "letters, digits"),
    (DEV + STAGE + "      strategi: canary\n", "workflow.yaml:9:7", "unknown key 'strategi'", "'strategy'"),
    (
        DEV + STAGE + "      validation: {duration: 5 weeks}\n",
        "workflow.yaml:9:30",
        '"5 weeks" is not an allowed value of',
        "30m",
    ),
    (
        DEV + STAGE + "      validation: {success_criteria: error < 1 percent}\n",
        "workflow.yaml:9:38",
        "'percent' is not a unit",
        "'%'",
    ),
    (
        DEV + "  pipeline_stages:\n    - {name: a, environment: dve}\n",
        "workflow.yaml:7:30",
        "no environment 'dve'",
        "'dev'",
    ),
    (DEV + STAGE + "      requires: [b]\n", "workflow.yaml:9:18", "no stage 'b'", ""),
    (
        HEAD + "  environments:\n    dev: {steps: [50, 10]}\n",
        "workflow.yaml:5:18",
        "not steps of a rollout",
        "[10, 50, 100]",
    ),
]


@pytest.mark.parametrize(("text", "place", "message", "hint"), REFUSED)
def test_decisions_rest_on_no_workflow_that_is_only_partly_understood(
    text: str, place: str, message: str, hint: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(text)

    assert message in caught.value.message
    assert caught.value.place == place
    assert hint in (caught.value.hint or "")


def test_a_missing_workflow_is_an_input_error() -> None:
    with pytest.raises(InputError, match=r"there is no file 'workflow\.yaml'"):
        read_workflow(MemoryTree({}), "workflow.yaml")


EXTENSIONS = """\
    prod:
      config: production
      deployment_strategy: canary
      steps: [5, 25, 100]
      require: measured
      deploy: {recipe: recipes/deploy.yaml, parameters: {region: eu}}
      rollback_threshold: 99.5%
      gates:
        approval: {count: 2, groups: [release-managers], not_author: strict, expires: 24h, accept: []}
        order: {upstream: [dev], policy: any}
        soak: {for: 1h}
        window:
          timezone: Europe/Berlin
          allow: [{days: [mon, tue], from: "09:00", to: "16:00"}]
          freeze:
            - {name: year end, from: 2026-12-18, to: 2027-01-04}
            - {recurrence: "FREQ=WEEKLY;BYDAY=FR;INTERVAL=2", since: 2026-01-02, from: "12:00", for: 6h}
          override: {groups: [release-managers]}
        settled: {environments: [dev], for: 10m}
        signed_commit: {groups: [release-managers]}
        artifact: {values: [service.image]}
        command: {run: ./check, timeout: 10s, again: 1m}
  metrics:
    error_rate: {provider: file, path: m.csv, bad: errors, total: requests, unit: "%", min_samples: 100}
    latency_p95: {provider: file, path: m.csv, value: ms, aggregate: p95, unit: ms, time: at, grace: 30s}
    load: {provider: command, run: [./load, --now], timeout: 5s, by_time: true, on_provider_error: fail}
    bad_requests:
      provider: prometheus
      url: https://prometheus.{{ environment }}.example.com
      bad: sum(increase(http_requests_total{code=~"5.."}[{{ window }}s])) or vector(0)
      total: sum(increase(http_requests_total[{{ window }}s]))
      headers: {X-Scope-OrgID: shop, X-Number: 7}
      token_env: PROMETHEUS_TOKEN
      min_samples: 500
    waiting: {provider: prometheus, url: "http://p:9090", query: queue, step: 30s, aggregate: p95, min_samples: 5}
    slow: {provider: prometheus, url: "http://p:9090", query: a, samples: b, min_samples: 5, allow_warnings: true}
    shop:
      provider: http-json
      url: https://shop.example.com/health?env={{ environment }}
      value: data.items.0.{{ environment }}
      samples: data.count
      min_samples: 2
      username: f0ci
      password_env: SHOP_PASSWORD
      headers_env: {X-Api-Key: SHOP_KEY}
      ca_file: certificates/ca.pem
      client_cert: /etc/f0ci/client.pem
      client_key: /etc/f0ci/client.key
      timeout: 5s
      by_time: true
      grace: 2m
    orders: {provider: http_json, url: "http://orders", good: ok, total: all}
    other: {provider: third-party, query: "sum(x)", unit: s}
  bindings:
    uses: {org/build: {run: make}}
    tests: {unit: {run: pytest}}
    detectors: {odd: {run: ./odd}}
  install: pip install f0ci
"""


def test_everything_that_may_be_written_fits_the_schema() -> None:
    workflow = read(DEV + EXTENSIONS)
    prod = workflow.environments[1]

    assert [gate.kind for gate in prod.gates] == [
        *("approval", "order", "soak", "window", "settled", "signed_commit", "artifact", "command")
    ]
    assert prod.gates[0].settings["count"] == 2
    assert (prod.config, prod.upstream, prod.steps, prod.require) == ("production", ("dev",), (5, 25, 100), "measured")
    assert [str(check.condition) for check in prod.checks] == ["success_rate >= 99.5%"]
    assert workflow.settings["install"] == "pip install f0ci"


PROMETHEUS: dict[str, Any] = {"provider": "prometheus", "url": "http://p:9090", "query": "q"}
METRIC_PROBLEMS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({}, [("missing-key", "'provider'")]),
    ({"provider": "file"}, [("missing-key", "'path'"), ("missing-key", "'value'")]),
    ({"provider": "file", "path": "a", "good": "g"}, [("missing-key", "'total'")]),
    ({"provider": "file", "path": "a", "total": "t"}, [("missing-key", "'good'")]),
    ({"provider": "file", "path": "a", "good": "g", "bad": "b", "total": "t"}, [("bad-value", '"g" does not belong')]),
    (
        {"provider": "file", "path": "a", "value": "v", "good": "g", "total": "t"},
        [("bad-value", '"v" does not belong')],
    ),
    (
        {"provider": "file", "path": "a", "bad": "b", "total": "t", "aggregate": "max"},
        [("bad-value", '"max" does not belong')],
    ),
    ({"provider": "file", "path": "a", "value": "v", "aggregate": "p101"}, [("bad-value", '"p101"')]),
    ({"provider": "file", "path": "a", "value": "v", "colour": "red"}, [("unknown-key", "'colour'")]),
    ({"provider": "command", "run": []}, [("bad-value", "")]),
    ({"provider": "command", "run": "x", "unit": "sec"}, [("bad-value", '"sec"')]),
    ({"provider": "prometheus"}, [("missing-key", "'query'"), ("missing-key", "'url'")]),
    ({**PROMETHEUS, "query": ""}, [("bad-value", "")]),
    ({**PROMETHEUS, "url": "ftp://p"}, [("bad-value", '"ftp://p"')]),
    ({**PROMETHEUS, "path": "m.csv"}, [("unknown-key", "'path'")]),
    ({**PROMETHEUS, "total": "t"}, [("missing-key", "'good'"), ("bad-value", '"q" does not belong')]),
    ({**PROMETHEUS, "aggregate": "max"}, [("missing-key", "'step'")]),
    ({**PROMETHEUS, "aggregate": "sum", "step": "30s"}, [("bad-value", '"sum"')]),
    ({**PROMETHEUS, "step": "often"}, [("bad-value", '"often"')]),
    ({**PROMETHEUS, "min_samples": 2}, [("missing-key", "'samples'")]),
    ({**PROMETHEUS, "headers": {"authorization": "Bearer x"}}, [("bad-value", '"authorization"')]),
    ({**PROMETHEUS, "headers": {"X A": "x"}}, [("bad-value", '"X A"')]),
    ({**PROMETHEUS, "headers": {"X-A": True}}, [("wrong-type", "true")]),
    ({**PROMETHEUS, "headers_env": {"X-A": "a-b"}}, [("bad-value", '"a-b"')]),
    ({**PROMETHEUS, "token_env": "$TOKEN"}, [("bad-value", '"$TOKEN"')]),
    ({**PROMETHEUS, "username": "me"}, [("missing-key", "'password_env'")]),
    ({**PROMETHEUS, "password_env": "A"}, [("missing-key", "'username'")]),
    (
        {**PROMETHEUS, "token_env": "A", "username": "me", "password_env": "B"},
        [("bad-value", '"me" does not belong')],
    ),
    ({**PROMETHEUS, "client_key": "a.key"}, [("missing-key", "'client_cert'")]),
    (
        {"provider": "prometheus", "url": "http://p", "bad": "b", "total": "t", "samples": "s"},
        [("bad-value", '"s" does not belong')],
    ),
    (
        {"provider": "prometheus", "url": "http://p", "bad": "b", "total": "t", "step": "30s"},
        [("bad-value", '"30s" does not belong')],
    ),
    ({"provider": "http-json"}, [("missing-key", "'url'"), ("missing-key", "'value'")]),
    ({"provider": "http_json", "url": "http://s", "value": "a..b"}, [("bad-value", '"a..b"')]),
    ({"provider": "http-json", "url": "http://s", "value": "a", "query": "q"}, [("unknown-key", "'query'")]),
    ({"provider": "http-json", "url": "http://s", "bad": "b"}, [("missing-key", "'total'")]),
    (
        {"provider": "http-json", "url": "http://s", "good": "g", "bad": "b", "total": "t"},
        [("bad-value", '"g" does not belong')],
    ),
    ({"provider": "http-json", "url": "http://s", "value": "a", "min_samples": 9}, [("missing-key", "'samples'")]),
    ({"provider": "other", "min_samples": 0}, [("bad-value", "0")]),
    ({"provider": "other", "on_no_traffic": "pass"}, [("bad-value", '"pass"')]),
]


@pytest.mark.parametrize(("metric", "expected"), METRIC_PROBLEMS)
def test_the_schema_knows_the_settings_of_each_provider(
    metric: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    data = {
        "apiVersion": "framework0.io/v1",
        "kind": "ProductionWorkflow",
        "spec": {"environments": {"dev": {}}, "metrics": {"m": metric}},
    }
    problems = check_schema("workflow", data)

    assert [problem.rule for problem in problems] == [rule for rule, _ in expected]
    assert all(text in problem.message for problem, (_, text) in zip(problems, expected, strict=True))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 200)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
words = st.sampled_from(["dev", "prod", "a", "b", "manual_approval", "rate < 1%", "baseline", "99%"]) | json_values
odd_environments = st.dictionaries(
    st.sampled_from(["dev", "prod"]),
    st.none()
    | st.dictionaries(
        st.sampled_from(["config", "steps", "gates", "deploy", "rollback_threshold", "approval_required", "require"]),
        words
        | st.dictionaries(st.sampled_from(["order", "approval"]), words | st.fixed_dictionaries({"upstream": words})),
    ),
)
odd_stages = st.lists(
    st.dictionaries(
        st.sampled_from(["name", "environment", "requires", "uses", "tests", "strategy", "validation", "monitoring"]),
        words | st.lists(words, max_size=3) | st.fixed_dictionaries({"success_criteria": words, "duration": words}),
    ),
    max_size=4,
)


@given(st.fixed_dictionaries({"environments": odd_environments | words, "pipeline_stages": odd_stages | words}) | words)
def test_reading_never_raises_whatever_the_document_says(spec: Any) -> None:
    workflow = from_spec(spec)

    for environment in workflow.environments:
        assert environment.steps[-1] == 100
        assert environment.name not in environment.upstream or "order" in environment.settings.get("gates", {})


@pytest.mark.parametrize(
    ("written", "file"),
    [
        ("recipes/deploy.yaml", "recipes/deploy.yaml"),
        ("recipes/deploy", "recipes/deploy.yaml"),
        ("deploy", "recipes/deploy.yaml"),
        ("deploy.yaml", "recipes/deploy.yaml"),
        ("other", "more/other.yml"),
        ("nowhere", "nowhere"),
        ("../deploy", "../deploy"),
    ],
)
def test_a_deploy_recipe_is_found_as_a_run_finds_it(written: str, file: str) -> None:
    tree = MemoryTree(
        {
            "f0ci.yaml": b"recipes: [recipes, more]\n",
            "recipes/deploy.yaml": b"",
            "more/other.yml": b"",
            "workflow.yaml": (
                "apiVersion: framework0.io/v1\nkind: ProductionWorkflow\nmetadata: {name: w}\nspec:\n"
                f"  environments: {{dev: {{deploy: '{written}'}}}}\n"
                "  pipeline_stages: [{name: a, environment: dev}]\n"
            ).encode(),
        }
    )

    deploy = read_workflow(tree, "workflow.yaml").environments[0].deploy

    assert deploy is not None
    assert deploy.recipe == file
