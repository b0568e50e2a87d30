"""How soon a bad release is gone, and what steps and switches cost real requests; writes `results/traffic.md`.

    .venv/bin/python benchmarks/traffic.py [--rounds 5]

A service in two versions runs behind a real HAProxy, scraped by a real Prometheus, under a constant load; f0ci promotes
with `--wait`, looking once a second. A figure counts only where the round ended as it had to: otherwise the benchmark
stops.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.traffic.load import failed, shares  # noqa: E402 - found only from the root
from tests.traffic.moments import moment  # noqa: E402
from tests.traffic.shop import ENVIRONMENT, Shop, open_shop, until  # noqa: E402

PAGE = ROOT / "benchmarks" / "results" / "traffic.md"
INTERVAL_SECONDS = 1.0
BOUND, MIN_SAMPLES = 0.01, 10
_DURATION_SECONDS, _RATE = 5, 300


@dataclass
class Figures:
    """What the rounds found, in seconds, points and counts."""

    commit: list[float] = field(default_factory=list)
    last_bad: list[float] = field(default_factory=list)
    by_hand: list[float] = field(default_factory=list)
    share: dict[int, list[float]] = field(default_factory=dict)
    unseen: int = 0
    asked: int = 0
    lost: int = 0


def main() -> None:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    prometheus = shutil.which("prometheus")
    if prometheus is None or shutil.which("haproxy") is None:
        sys.exit("prometheus and haproxy have to be installed: sh tools/system_packages.sh test")
    os.environ.update({f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in _ALICE})
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="f0ci-") as name:
        pace = {"duration": f"{_DURATION_SECONDS}s", "delay": "1s", "scrape": "250ms", "steps": "[10, 50, 100]"}
        with open_shop(Path(name), prometheus, **pace) as shop:
            shop.load.rate = _RATE
            for _ in range(rounds):
                good(shop, figures)
                bad(shop, figures)
                switch(shop, figures)
    if not figures.commit:
        sys.exit("no round saw the errors before f0ci did; nothing was measured")
    lines = page(figures, rounds)
    PAGE.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))  # noqa: T201 - a program's output


_ALICE = (("NAME", "Alice"), ("EMAIL", "alice@example.com"))


def good(shop: Shop, figures: Figures) -> None:
    """Bring a good release in by a canary, and measure each step's share."""
    begun = len(shop.load.answers)
    release = shop.promoted()
    for at, percent in enumerate((10, 50, 100)):
        answers = shop.load.between(moment(shop, "deployed", at) + 1, moment(shop, "applied", at + 1))
        figures.share.setdefault(percent, []).append(shares(answers).get(release, 0.0) - percent)
    _count(shop, figures, begun)


def bad(shop: Shop, figures: Figures) -> None:
    """Bring a release in that answers with errors, and measure from what Prometheus shows to what f0ci does."""
    release = shop.change(fault="errors")
    ref = shop.work / ".git" / "refs" / "heads" / "env" / ENVIRONMENT
    promoter = shop.promote()
    until(lambda: shop.traffic().get(release) == 10 and bool(shop.happened("deployed")), "the first step")
    deployed, commit = moment(shop, "deployed", 0), ref.read_text(encoding="ascii")
    visible = None
    while ref.read_text(encoding="ascii") == commit:
        if visible is None and _is_visible(shop, release, deployed):
            visible = time.time()
        time.sleep(0.01)
    gone = ref.stat().st_mtime
    code, text = promoter.end()
    if code != 6:
        sys.exit(f"the bad release was not rolled back: {code}\n{text}")
    last = max(answer.at for answer in shop.load.answers if answer.release == release)
    if visible is None:
        # f0ci was faster than the poll
        figures.unseen += 1
    else:
        figures.commit.append(gone - visible)
        figures.last_bad.append(max(0.0, last - visible))
    shop.f0ci("unhold", ENVIRONMENT, "--reason", "seen")


def _is_visible(shop: Shop, release: str, deployed: float) -> bool:
    """Tell whether Prometheus shows more errors than the bound allows, on enough samples."""
    window = max(1, int(time.time() - deployed))
    name = f'haproxy_backend_http_responses_total{{proxy="{release}"'
    total = shop.prometheus.ask(f"sum(increase({name}}}[{window}s]))") or 0.0
    errors = shop.prometheus.ask(f'sum(increase({name},code="5xx"}}[{window}s]))') or 0.0
    return total >= MIN_SAMPLES and errors / total >= BOUND


def switch(shop: Shop, figures: Figures) -> None:
    """Switch to a release and back by hand, and measure how long its customers keep it."""
    canary, begun = shop.read("workflow.yaml"), len(shop.load.answers)
    blue_green = canary.replace("strategy: canary", "strategy: blue_green").replace("      steps: [10, 50, 100]\n", "")
    release = shop.change({"workflow.yaml": blue_green.replace("scale_down_delay: 1s", "scale_down_delay: 60s")})
    promoter = shop.promote()
    until(lambda: shop.traffic().get(release) == 100 and len(shop.happened("deployed")) == 2, "the switch")
    asked = time.time()
    shop.f0ci("rollback", ENVIRONMENT, "--reason", "measured")
    promoter.kill()
    figures.by_hand.append(max(a.at for a in shop.load.answers if a.release == release) - asked)
    shop.f0ci("unhold", ENVIRONMENT, "--reason", "seen")
    shop.write({"workflow.yaml": canary})
    _count(shop, figures, begun)


def _count(shop: Shop, figures: Figures, begun: int) -> None:
    figures.asked += len(shop.load.answers) - begun
    figures.lost += len(failed(shop.load.answers[begun:]))


def _row(what: str, found: Sequence[float], most: float, unit: str = "s") -> str:
    met = "met" if max(found) <= most else "**missed**"
    return f"| {what} | {statistics.median(found):.2f} {unit} | {max(found):.2f} {unit} | {most:g} {unit} | {met} |"


def page(figures: Figures, rounds: int) -> list[str]:
    """Return the page's lines."""
    version = subprocess.run(["haproxy", "-v"], capture_output=True, text=True, check=True).stdout.split()[2]
    off = {percent: [abs(one) for one in found] for percent, found in figures.share.items()}
    return [
        "# Real traffic",
        "",
        "Written by `benchmarks/traffic.py`; see it for how. "
        f"{rounds} rounds, {_RATE} requests/s through HAProxy {version}, Prometheus scraping every 250 ms, "
        f"f0ci looking every {INTERVAL_SECONDS:g} s, Python {platform.python_version()}, {os.cpu_count()} cores.",
        "",
        "| what | median | worst | at most | |",
        "|---|--:|--:|--:|---|",
        _row("bad release: from its errors being visible in Prometheus to the rollback commit", figures.commit, 2.0),
        _row("bad release: from its errors being visible to its last customer", figures.last_bad, 5.0),
        _row(
            "switch back by hand: from the command's start to the last customer of what it left", figures.by_hand, 5.0
        ),
        *(
            _row(f"canary at {percent} %: the measured share is off by", found, 5.0, "points")
            for percent, found in sorted(off.items())
        ),
        _row(
            f"requests lost in {figures.asked:,}, through every step, switch and switch back of good releases",
            [float(figures.lost)],
            0.0,
            "",
        ),
        "",
        "The first bar is one evaluation interval plus one second. Errors count as visible once Prometheus, asked "
        "every few milliseconds, shows at least 1 % of at least 10 requests since the step's deployment. "
        f"Rounds in which f0ci was faster than that, and which are left out: {figures.unseen}.",
        "",
    ]


if __name__ == "__main__":
    main()
