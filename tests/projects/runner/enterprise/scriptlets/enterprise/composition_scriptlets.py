"""Scriptlets of an enterprise workflow, with the work left out."""

import json
import os
import pathlib
from typing import Any, Dict

from orchestrator.context import Context
from scriptlets.framework import BaseScriptlet, register_scriptlet
from src.core.logger import get_logger

logger = get_logger(__name__, debug=os.getenv("DEBUG") == "1")


@register_scriptlet
class EnvironmentManagerScriptlet(BaseScriptlet):
    def run(self, context: Context, params: Dict[str, Any]) -> Dict[str, Any]:
        logger.info("reading %s", params["config_path"])
        config = json.loads(pathlib.Path(params["config_path"]).read_text())
        context.set("environment_config", config["environment"], who=self.name)
        return {"status": "success", "environment": params["environment"], "seconds": self.get_execution_time()}


@register_scriptlet
class DataLoaderScriptlet(BaseScriptlet):
    def run(self, context: Context, params: Dict[str, Any]) -> Dict[str, Any]:
        if params["source_type"] == "broken":
            context.set("ingestion_status", "failed", who=self.name)
            raise FileNotFoundError("no such source")
        rows = {name: len(pathlib.Path(path).read_text().splitlines()) - 1 for name, path in params["sources"].items()}
        context.set("ingestion_status", "success", who=self.name)
        context.set("data.rows", rows, who=self.name)
        print(f"loaded {sum(rows.values())} rows of {params['environment_config']['name']}")
        return {"status": "success", "rows": rows}


@register_scriptlet
class AnalyticsScriptlet(BaseScriptlet):
    def run(self, context: Context, params: Dict[str, Any]) -> Dict[str, Any]:
        context.set(f"analytics.{params['kind']}", sum(context.get("data.rows").values()), who=self.name)
        return {"status": "success", **params}


@register_scriptlet
class DashboardScriptlet(BaseScriptlet):
    def run(self, context: Context, params: Dict[str, Any]) -> Dict[str, Any]:
        kinds = [key for key in context.keys() if key.startswith("analytics.")]
        return {"status": "success", "kinds": sorted(kinds), "formats": params["formats"]}


@register_scriptlet
class DeploymentScriptlet(BaseScriptlet):
    def run(self, context: Context, params: Dict[str, Any]) -> Dict[str, Any]:
        context.set("deployed.to", params["target"], who=self.name)
        return {"status": "success"}


@register_scriptlet
class ErrorRecoveryScriptlet(BaseScriptlet):
    def run(self, context: Context, params: Dict[str, Any]) -> Dict[str, Any]:
        context.set("recovered.from", params["failed_step"], who=self.name)
        return {"status": "success"}
