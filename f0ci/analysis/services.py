"""From a metric's settings to a session with the service that they name.

Settings: `url`; `headers`; `token_env`, or `username` with `password_env`, and `headers_env`, which name environment
variables; `ca_file`, `client_cert`, `client_key`; `timeout` (30s). Credentials stand in no file: settings name the
variables that hold them, and no variable by which Git or the CI system is reached can be named.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from f0ci.analysis.placeholders import fill
from f0ci.analysis.providers.base import Query
from f0ci.core.duration import parse_duration
from f0ci.core.errors import NetworkError, ProviderError

if TYPE_CHECKING:
    from f0ci.http.session import Session

DEFAULT_TIMEOUT = "30s"
# what recipes may be given, metrics may be given too
_SECRETS = "F0CI_SECRET_"
_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie"})


@contextmanager
def open_service(query: Query, root: Path) -> Iterator[Session]:
    """Yield a session with the service of a metric.

    Args:
        query: what is asked; its settings are those named above.
        root: folder that relative paths start from.

    Raises:
        ProviderError: a setting is not what it should be, a variable is not set, or the service fails.
    """
    from f0ci.http.session import open_session

    settings = query.settings
    files = {name: root / str(settings[name]) for name in ("ca_file", "client_cert", "client_key") if name in settings}
    secrets = _mapping(query, "headers_env")
    username = settings.get("username")
    if (username is None) is not ("password_env" not in settings) or (username is not None and "token_env" in settings):
        raise _fault(query, "says in part, or twice, who asks", "give 'token_env', or 'username' with 'password_env'")
    try:
        with open_session(
            headers=_headers(query),
            secret_headers={name: _variable(query, f"headers_env.{name}", text) for name, text in secrets.items()},
            token=_variable(query, "token_env", settings["token_env"]) if "token_env" in settings else None,
            username=None if username is None else str(username),
            password=_variable(query, "password_env", settings["password_env"]) if username is not None else None,
            ca_file=files.get("ca_file"),
            client_cert=files.get("client_cert"),
            client_key=files.get("client_key"),
            timeout=_timeout(query),
        ) as session:
            yield session
    except NetworkError as error:
        raise ProviderError(error.message, error.hint) from error


def address(query: Query) -> str:
    """Return the service's address with its placeholders filled, each value encoded for a URL.

    Raises:
        ProviderError: there is none, or a placeholder cannot be filled.
    """
    written = query.settings.get("url")
    if not written:
        raise _fault(query, "names no address", "add 'url'")
    return fill(str(written), query, lambda value: quote(value, safe=""), "url")


def _headers(query: Query) -> dict[str, str]:
    written = _mapping(query, "headers")
    for name in written:
        if name.lower() in _CREDENTIALS:
            hint = "keep it in an environment variable; name that in 'token_env', 'password_env' or 'headers_env'"
            raise _fault(query, f"has credentials in the header {name!r}", hint)
    return {name: fill(str(value), query, str, f"headers.{name}") for name, value in written.items()}


def _variable(query: Query, setting: str, name: Any) -> str:
    from f0ci.core.processes import is_withheld

    variable = str(name)
    if is_withheld(variable) and not variable.startswith(_SECRETS):
        hint = "put what the service wants into a variable of its own"
        raise _fault(query, f"asks for {variable!r} in {setting!r}, which is not for metrics", hint)
    value = os.environ.get(variable, "").strip()
    if not value:
        hint = f"set {variable} where f0ci runs, in CI from its secret store"
        raise _fault(query, f"needs the environment variable {variable!r} ({setting!r}), which is not set", hint)
    return value


def _mapping(query: Query, setting: str) -> dict[str, Any]:
    written = query.settings.get(setting, {})
    if not isinstance(written, Mapping):
        raise _fault(query, f"has {setting!r} that are no mapping", "write one header a line: 'name: value'")
    return {str(name): value for name, value in written.items()}


def _timeout(query: Query) -> float:
    try:
        seconds = parse_duration(str(query.settings.get("timeout", DEFAULT_TIMEOUT))).total_seconds()
    except (ValueError, OverflowError) as error:
        raise ProviderError(f"'timeout' of metric {query.metric!r}: {error}", "write one such as 30s") from error
    if seconds <= 0:
        raise _fault(query, "has no time to be asked", "write a 'timeout' such as 30s")
    return seconds


def _fault(query: Query, problem: str, hint: str) -> ProviderError:
    return ProviderError(f"metric {query.metric!r} {problem}", hint)
