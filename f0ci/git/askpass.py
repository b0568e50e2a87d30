"""Handing `F0CI_GIT_TOKEN` to git: by a helper program that git asks, never in a URL, an argument or a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from f0ci.git.process import TOKEN_VARIABLE

USER_VARIABLE = "F0CI_GIT_USERNAME"
# hosts that take a token as password ask for no special name, or for this one
_USER = "x-access-token"
# the token goes to the remote's own host, not to one that it redirects to
_HELPER = """#!/bin/sh
case "$1" in
*"://$F0CI_ASKPASS_HOST'"* | *"@$F0CI_ASKPASS_HOST'"* | *"://$F0CI_ASKPASS_HOST/"* | *"@$F0CI_ASKPASS_HOST/"*) ;;
*) exit 1 ;;
esac
case "$1" in
Username*) printf '%s\\n' "$F0CI_ASKPASS_USER" ;;
*) printf '%s\\n' "$F0CI_GIT_TOKEN" ;;
esac
"""


@contextmanager
def credentials(url: str) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Yield options and environment with which git authenticates at a remote.

    Both are empty where no token is set or the remote is not asked by HTTP: then the user's Git knows what to do.

    Args:
        url: the remote's address.
    """
    import tempfile
    from urllib.parse import urlsplit

    token = os.environ.get(TOKEN_VARIABLE, "")
    parts = urlsplit(url)
    if not token or parts.scheme not in {"http", "https"}:
        yield [], {}
        return
    host = parts.netloc.rpartition("@")[2]
    with tempfile.TemporaryDirectory(prefix="f0ci-") as folder:
        helper = Path(folder) / "askpass"
        helper.write_text(_HELPER, encoding="ascii")
        helper.chmod(0o700)
        options = [
            # the user's helpers would answer first, and one that stores would keep the token
            *("-c", "credential.helper="),
            # a CI checkout leaves its own token in a header, which would win over ours
            *("-c", f"http.{parts.scheme}://{host}{parts.path}.extraHeader="),
        ]
        env = {
            "GIT_ASKPASS": str(helper),
            TOKEN_VARIABLE: token,
            "F0CI_ASKPASS_HOST": host,
            "F0CI_ASKPASS_USER": os.environ.get(USER_VARIABLE) or _USER,
        }
        yield options, env
