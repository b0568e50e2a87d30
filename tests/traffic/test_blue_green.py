"""A switch and a switch back, under load, without one failed request."""

from __future__ import annotations

import time

from tests.traffic.load import failed, shares
from tests.traffic.shop import ENVIRONMENT, Shop, until


def test_switch_and_switch_back_without_one_failed_request(shop: Shop) -> None:
    workflow = shop.read("workflow.yaml")
    assert "strategy: canary" in workflow
    shop.load.rate = 250
    old, begun = next(iter(shop.traffic())), len(shop.load.answers)
    switching = workflow.replace("strategy: canary", "strategy: blue_green").replace("      steps: [10, 100]\n", "")
    new = shop.change({"workflow.yaml": switching.replace("scale_down_delay: 1s", "scale_down_delay: 60s")})
    promoter = shop.promote()
    until(lambda: shop.traffic() == {new: 100, old: 0} and len(shop.happened("deployed")) == 2, "the switch")
    switched = len(shop.load.answers)
    until(lambda: len(shop.load.answers) > switched + 100, "customers of the new release")
    assert shares(shop.load.answers[switched + 20 :]) == {new: 100.0}

    asked = time.time()
    shop.f0ci("rollback", ENVIRONMENT, "--reason", "I changed my mind")
    promoter.kill()
    back = len(shop.load.answers)
    until(lambda: len(shop.load.answers) > back + 100, "customers of the old release")
    shop.write({"workflow.yaml": workflow})

    answers = shop.load.answers[begun:]
    assert failed(answers) == []
    assert len(answers) > 500
    assert shares(shop.load.answers[back + 20 : back + 100]) == {old: 100.0}
    last = max(answer.at for answer in answers if answer.release == new)
    assert last - asked < 5
