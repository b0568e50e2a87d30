"""An application that runs recipes: Framework0's own example of embedding, on f0ci.

python examples/embedding/application.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import f0ci

HERE = Path(__file__).parent


class ApplicationWithFramework0:
    """Application integrating Framework0 recipes.

    Args:
        root: the repository that holds the recipes and their scriptlets.
    """

    def __init__(self, root: Path = HERE) -> None:
        self.root = root
        self.context = f0ci.Context()

    def process_data_workflow(self, input_data: dict[str, Any]) -> dict[str, Any]:
        """Process data with a recipe, and return what it made of them."""
        self.context.set("workflow.input", input_data, who="application")
        try:
            result = f0ci.run("workflows/data_processing.yaml", root=self.root, context=self.context)
        except f0ci.F0ciError as error:
            return {"success": False, "error": str(error)}
        if result.overall_success:
            return {"success": True, "data": self.context.get("workflow.output")}
        return {"success": False, "errors": result.global_errors}

    def batch_process_files(self, file_list: list[str]) -> list[dict[str, Any]]:
        """Process files with a recipe, one after the other."""
        results = []
        for file_path in file_list:
            self.context.set("batch.current_file", file_path, who="batch_processor")
            result = f0ci.run("workflows/file_processor.yaml", root=self.root, context=self.context)
            results.append(
                {
                    "file": file_path,
                    "success": result.overall_success,
                    "execution_time": result.execution_time_seconds,
                }
            )
        return results


if __name__ == "__main__":
    application = ApplicationWithFramework0()
    print(application.process_data_workflow({"source": "data/input.csv", "rows": [3, 1, 2]}))
    print(application.batch_process_files(["a.csv", "b.txt"]))
