"""When things happened, as the ledger says: in whole seconds."""

from __future__ import annotations

from datetime import datetime

from tests.traffic.shop import Shop


def moment(shop: Shop, kind: str, step: int) -> float:
    """Return when a step of the newest promotion was `applied` or `deployed`, in seconds since 1970."""
    (event,) = [event for event in shop.happened(kind) if event["data"]["step"] == step]
    return datetime.fromisoformat(str(event["time"])).timestamp()
