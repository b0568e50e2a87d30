"""What goes wrong around a release that is good: nothing of it may roll it back, and nothing of it may pass it."""

from __future__ import annotations

import http.client

import pytest

from tests.traffic.load import Load, failed, shares
from tests.traffic.shop import Shop, until

HEADER = "        header: {name: X-Canary, value: always}\n"


def first_step(shop: Shop, new: str) -> None:
    """Wait until the first step of a promotion is deployed."""
    until(lambda: shop.traffic().get(new) == 10 and bool(shop.happened("deployed")), "the first step")


def stays(shop: Shop, release: str) -> bool:
    """Tell whether a customer whom a release answered first is answered by it from then on."""
    connection = http.client.HTTPConnection("127.0.0.1", shop.load.port, timeout=10)
    found, cookie = "", ""
    while found != release:
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        found, cookie = answer.headers["X-Release"], answer.headers["Set-Cookie"].partition(";")[0]
    answered = set()
    for _ in range(30):
        connection.request("GET", "/", headers={"Cookie": cookie})
        answer = connection.getresponse()
        answer.read()
        answered.add(answer.headers["X-Release"])
    connection.close()
    return answered == {release}


def said(shop: Shop) -> str:
    """Return what the newest promotion waits for."""
    waiting = shop.happened("waiting")
    return "; ".join(waiting[-1]["data"]["waits_for"]) if waiting else ""


def test_prometheus_is_killed_and_comes_back(shop: Shop) -> None:
    shop.load.rate = 300
    new = shop.change()
    promoter = shop.promote()
    first_step(shop, new)
    counted = f'sum(increase(haproxy_backend_http_responses_total{{proxy="{new}"}}[2s]))'
    until(lambda: (shop.prometheus.ask(counted) or 0) > 30, "enough samples of the new release")
    shop.prometheus.kill()
    until(lambda: "provider_error" in said(shop), "the verdict provider_error")
    assert shop.traffic()[new] == 10
    shop.prometheus.start()
    code, text = promoter.end()

    assert code == 0, text
    assert shop.happened("rolled_back") == []
    assert shop.traffic() == {new: 100}
    assert "provider_error" in text or "cannot reach" in text


def test_without_traffic_a_release_waits(shop: Shop) -> None:
    new = shop.change()
    shop.load.rate = 0
    promoter = shop.promote("--wait", "3s")
    code, text = promoter.end()

    assert code == 5, text
    assert "no_traffic" in said(shop)
    assert shop.traffic()[new] == 10
    assert shop.happened("measured") == []


def test_a_metric_that_disappears_is_no_verdict(shop: Shop) -> None:
    new = shop.change(fault="silent")
    code, text = shop.promote("--wait", "3s").end()

    assert code == 5, text
    assert "latency_p95 < 250ms: insufficient_data" in said(shop)
    assert shop.traffic()[new] == 10
    assert shop.happened("rolled_back") == shop.happened("measured") == []


@pytest.mark.parametrize("phase", ["deploying", "watching"])
def test_the_promoter_is_killed_in_the_middle_of_a_step_and_another_goes_on(shop: Shop, phase: str) -> None:
    begun, workflow, old = len(shop.load.answers), shop.read("workflow.yaml"), next(iter(shop.traffic()))
    new = shop.change({"workflow.yaml": workflow.replace(HEADER, f"{HEADER}        sticky: shop_release\n")})
    promoter = shop.promote()
    if phase == "deploying":
        until(lambda: shop.traffic().get(new) == 10, "the first commit")
    else:
        first_step(shop, new)
    promoter.kill()
    events = shop.events()
    if phase == "watching":
        # nobody promotes; a tester looks at the new release in the meantime
        chosen = Load(shop.load.port, 100, {"X-Canary": "always"})
        with chosen.running():
            until(lambda: len(chosen.answers) >= 20, "a tester's answers")
        assert shares(chosen.answers) == {new: 100.0}
        assert {stays(shop, new), stays(shop, old)} == {True}
    code, text = shop.promote().end()

    assert code == 0, text
    assert shop.events()[: len(events)] == events
    assert [event["data"]["step"] for event in shop.happened("applied")] == [0, 1, 2]
    assert [event["data"]["step"] for event in shop.happened("deployed")] == [0, 1, 2]
    assert failed(shop.load.answers[begun:]) == []
    assert shares(shop.load.answers[-20:]) == {new: 100.0}
    shop.write({"workflow.yaml": workflow})
