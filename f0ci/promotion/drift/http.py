"""An HTTP endpoint that reports which release a service runs.

Settings: `url`; `release`, where the digest, or at least twelve of its digits, stands in the JSON answer, as keys
between dots (`release`); `token_env`, the variable that holds a bearer token; `timeout` in seconds (10).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from f0ci.core.errors import NetworkError
from f0ci.promotion.drift.base import Expected, Observation, Sync

KIND = "http"
_FEWEST_DIGITS = 12


def observe(expected: Expected, settings: Mapping[str, Any], root: Path) -> Observation:
    """Ask the endpoint and compare what it says with the release that the environment should run."""
    del root
    url = settings.get("url")
    if not isinstance(url, str) or not url:
        return Observation(KIND, "?", Sync.UNKNOWN, ("the workflow names no 'url'",))
    try:
        answer = _asked(url, settings)
    except (NetworkError, ValueError) as error:
        return Observation(KIND, url, Sync.UNKNOWN, (str(error),))
    where = str(settings.get("release", "release"))
    said: Any = answer
    for word in where.split("."):
        said = said.get(word) if isinstance(said, Mapping) else None
    return judged(expected.release, said, url, where)


def judged(release: str, said: Any, url: str, where: str) -> Observation:
    """Return what an endpoint's answer means; pure.

    no text at the place              unknown
    the digest, or 12 digits of it    in sync
    anything else                     drifted
    """
    if not isinstance(said, str) or not said:
        return Observation(KIND, url, Sync.UNKNOWN, (f"the answer says no release at {where!r}",))
    if len(said) >= _FEWEST_DIGITS and release.startswith(said.lower()):
        return Observation(KIND, url, Sync.IN_SYNC)
    shown = said if said.isprintable() and len(said) <= 64 else "something else"
    return Observation(KIND, url, Sync.DRIFTED, (f"reports {shown}, not {release[:_FEWEST_DIGITS]}",))


def _asked(url: str, settings: Mapping[str, Any]) -> Any:
    from f0ci.core.processes import is_withheld
    from f0ci.http.session import get_json, open_session

    token = None
    if "token_env" in settings:
        name = str(settings["token_env"])
        if is_withheld(name) and not name.startswith("F0CI_SECRET_"):
            raise ValueError(f"{name!r} is not for services")
        token = os.environ.get(name, "").strip()
        if not token:
            raise ValueError(f"{name!r} is not set")
    with open_session(token=token, timeout=float(settings.get("timeout", 10))) as session:
        return get_json(session, url)
