"""Real requests through a real proxy, judged by a real Prometheus: releases that come in step by step."""

from __future__ import annotations

from math import sqrt

import pytest

from tests.conftest import git
from tests.traffic.load import failed, shares
from tests.traffic.moments import moment
from tests.traffic.shop import ENVIRONMENT, Shop, until


def test_each_step_gets_its_share(shop: Shop) -> None:
    shop.load.rate = 400
    old, workflow = next(iter(shop.traffic())), shop.read("workflow.yaml")
    begun = len(shop.load.answers)
    longer = workflow.replace("duration: 2s", "duration: 5s").replace("[10, 100]", "[10, 50, 100]")
    new = shop.promoted({"workflow.yaml": longer})

    assert [event["data"]["percent"] for event in shop.happened("applied")] == [10, 50, 100, 100]
    for at, wanted in enumerate((10, 50, 100)):
        # a step's requests: from a second after its deploy recipe to the commit of the next one
        answers = shop.load.between(moment(shop, "deployed", at) + 1, moment(shop, "applied", at + 1))
        assert len(answers) > 500
        assert abs(shares(answers).get(new, 0.0) - wanted) <= 5
    assert failed(shop.load.answers[begun:]) == []
    assert shop.traffic() == {new: 100}
    subjects = git(shop.work, "log", "-4", "--format=%s", f"env/{ENVIRONMENT}").splitlines()
    assert [subject.split(", ")[1].split(" ")[0] for subject in reversed(subjects)] == ["10%", "50%", "100%", "retire"]
    until(lambda: not (shop.work / f"site/{old[:12]}.sock").exists(), "the old release's end")
    assert [event["data"]["verification"] for event in shop.happened("succeeded")] == ["measured"]
    shop.write({"workflow.yaml": workflow})


@pytest.mark.parametrize(
    ("fault", "said"),
    [("errors", "error_rate"), ("latency", "latency_p95"), ("memory", "memory"), ("crash", "error_rate")],
)
def test_a_bad_release_gets_no_more_than_its_first_share_and_goes(shop: Shop, fault: str, said: str) -> None:
    shop.load.rate = 200
    old = next(iter(shop.traffic()))
    bad = shop.change(fault=fault)
    begun = len(shop.load.answers)
    code, text = shop.promote().end()

    assert code == 6, text
    (back,) = shop.happened("rolled_back")
    assert said in back["data"]["reason"]
    assert len(shop.happened("applied")) == 1
    assert git(shop.work, "rev-parse", f"env/{ENVIRONMENT}^{{tree}}") == git(
        shop.work, "rev-parse", f"env/{ENVIRONMENT}~2^{{tree}}"
    )
    answers = shop.load.answers[begun:]
    touched = [answer for answer in answers if answer.release != old]
    during = shop.load.between(touched[0].at, touched[-1].at)
    # it is gone after a few dozen requests: by chance alone their share is off by up to four standard deviations
    chance = 4 * sqrt(0.1 * 0.9 / len(during))
    assert len(touched) / len(during) <= 0.1 + max(0.05, chance)
    # the proxy answers in the place of a release that is down
    assert {answer.release for answer in touched} <= {bad, ""}
    assert {answer.release for answer in failed(answers)} <= {bad, ""}
    count = len(shop.load.answers)
    until(lambda: len(shop.load.answers) > count + 50, "customers after the rollback")
    assert shares(shop.load.answers[count:]) == {old: 100.0}


def test_an_aborted_release_is_gone_at_once_and_may_come_again(shop: Shop) -> None:
    old, begun = next(iter(shop.traffic())), len(shop.load.answers)
    new = shop.change()
    promoter = shop.promote()
    until(lambda: any(answer.release == new for answer in shop.load.answers[begun:]), "a customer of the new release")
    promotion = shop.happened("requested")[-1]["promotion"]
    shop.f0ci("abort", promotion, "--reason", "not now")
    count = len(shop.load.answers)
    code, text = promoter.end()

    assert (code, "aborted: not now" in text) == (6, True), text
    assert git(shop.work, "rev-parse", f"env/{ENVIRONMENT}^{{tree}}") == git(
        shop.work, "rev-parse", f"env/{ENVIRONMENT}~2^{{tree}}"
    )
    until(lambda: len(shop.load.answers) > count + 50, "customers after the abort")
    assert shares(shop.load.answers[count + 10 :]) == {old: 100.0}
    assert failed(shop.load.answers[begun:]) == []
    assert not shop.is_held()
    # whatever continues by itself leaves it where it is; who asks for it gets it
    shop.f0ci("promote", "--continue")
    assert shop.traffic() == {old: 100}
    code, text = shop.promote("--release", new).end()
    assert code == 0, text
    assert shop.traffic() == {new: 100}
    assert failed(shop.load.answers[begun:]) == []
