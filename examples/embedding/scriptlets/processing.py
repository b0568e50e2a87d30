"""Scriptlets of the example."""

from typing import Any


class DataProcessor:
    """Sorts the rows that the application hands over."""

    def run(self, context: Any, _params: dict[str, Any]) -> dict[str, Any]:
        """Read `workflow.input` and write `workflow.output`."""
        given = context.get("workflow.input")
        rows = sorted(given["rows"])
        context.set("workflow.output", {"source": given["source"], "rows": rows})
        return {"status": "success", "count": len(rows)}


class FileProcessor:
    """Takes CSV files and no others."""

    def run(self, _context: Any, params: dict[str, Any]) -> int:
        """Return 0 for a file it can take."""
        return 0 if params["file"].endswith(".csv") else 1
