"""Example scriptlets: a class without constructor arguments and a method run(context, params)."""

import csv
import os
from datetime import datetime, timezone
from pathlib import Path


def greet(name, template="Hello, {name}"):
    """Return a greeting."""
    return template.format(name=name)


class Greet:
    """Greet one person and remember the greeting in the context."""

    def run(self, context, params):
        text = greet(params["name"], params["template"])
        print(text)
        context.set("greetings.last", text, who="greet")
        return {"status": "success", "text": text}


class Probe:
    """Ask the delivered code some hundred times and append one row of counts to metrics/requests.csv."""

    def run(self, context, params):
        names, failed = params["names"], 0
        for index in range(params["requests"]):
            try:
                greet(names[index % len(names)])
            except Exception:
                failed += 1
        row = {
            "time": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "environment": params["environment"],
            "release": os.environ.get("F0CI_RELEASE", ""),
            "requests": params["requests"],
            "failed": failed,
        }
        path = Path(os.environ.get("F0CI_REPOSITORY", "."), "metrics", "requests.csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", newline="") as stream:
            writer = csv.DictWriter(stream, list(row))
            if stream.tell() == 0:
                writer.writeheader()
            writer.writerow(row)
        print(f"{params['requests']} requests, {failed} failed")
        return {"status": "success", "failed": failed}
