"""The example of environments and templates, each kind of file under its own checker."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from f0ci.commands.rendering import compare_environments, render_environment
from f0ci.commands.validating import validate
from f0ci.render.difference import to_text
from f0ci.render.provenance import explain_origin
from tests.conftest import require_real

EXAMPLE = Path(__file__).parents[2] / "examples" / "environments"
NAMES = ("dev", "prod", "prod/eu", "prod-eu")


def rendered(name: str) -> dict[str, bytes]:
    return dict(render_environment(EXAMPLE, name).files)


def test_the_example_has_no_findings() -> None:
    assert [str(one) for one in validate(EXAMPLE).diagnostics] == []


@pytest.mark.parametrize("name", NAMES)
def test_haproxy_accepts_its_configuration(name: str, tmp_path: Path) -> None:
    haproxy = require_real("haproxy", "haproxy")
    path = tmp_path / "haproxy.cfg"
    path.write_bytes(rendered(name)["haproxy.cfg"])

    done = subprocess.run([haproxy, "-c", "-f", path], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    path.write_bytes(rendered(name)["haproxy.cfg"].replace(b"balance roundrobin", b"balance by-chance"))
    assert subprocess.run([haproxy, "-c", "-f", path], capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("name", NAMES)
def test_manifests_fit_the_published_schemas(name: str) -> None:
    checker = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    documents = list(yaml.safe_load_all(rendered(name)["kubernetes/orders.yaml"]))

    assert [document["kind"] for document in documents] == ["Deployment", "Service", "ConfigMap"]
    for document in documents:
        checker.validate(document, "1.31", strict=True)
    documents[0]["spec"]["replicas"] = "four"
    with pytest.raises(checker.ValidationError):
        checker.validate(documents[0], "1.31", strict=True)
    config = json.loads(rendered(name)["config.json"])
    assert yaml.safe_load(documents[2]["data"]["backends.yaml"]) == config["backends"]


@pytest.mark.parametrize("name", NAMES)
def test_toml_reads_back(name: str) -> None:
    files = rendered(name)
    config, release = json.loads(files["config.json"]), json.loads(files["release.json"])

    read: dict[str, Any] = tomllib.loads(files["orders.toml"].decode())

    assert read == {
        "service": config["service"], "backends": config["backends"], "traffic": {release["digest"]: 100}
    }  # fmt: skip
    assert config["service"]["image"] == f"registry.example.com/shop/orders:{release['digest']}"


def test_what_runs_in_production_can_be_read() -> None:
    files = rendered("prod")
    recipe = yaml.safe_load(files["recipes/deploy.yaml"])

    assert recipe["steps"][0]["env"] == {"TARGET": "/srv/orders/prod", "PASSWORD": "secret://orders/db"}
    assert recipe["steps"][1]["env"]["CHANNEL"] == "releases"
    assert recipe["steps"][1]["env"]["TEXT"].endswith(" in prod")
    assert files["motd"] == b"orders in prod, told on releases\n"


def test_an_overlay_changes_what_it_says_and_nothing_else() -> None:
    difference = to_text(compare_environments(EXAMPLE, "prod", "prod/eu"))

    assert '~ database.host: "db.prod.example.com" -> "db.eu.example.com"' in difference
    assert "127.0.0.1:9102" in difference
    assert "replicas" not in difference
    environment = render_environment(EXAMPLE, "prod/eu").environment
    assert explain_origin(environment, "backends.two.address") == (
        'backends.two.address = "127.0.0.1:9102"',
        "  written in environments/prod/eu/config.yaml:4:26 [overlay eu]",
        '  overrides "127.0.0.1:9002" in environments/prod/config.yaml:9:26 [environment]',
    )
