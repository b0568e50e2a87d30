"""Asking services for JSON over HTTP: bounded in time and size, careful with credentials.

`open_session` says once how a service is asked, `get_json` asks. A question is asked again, a few times and within its
time, where the connection failed or the service answered 502, 503 or 504; never after any other answer. Credentials
travel to the host they were given for and to no other, and stand in no message.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from f0ci import __version__
from f0ci.core.errors import NetworkError
from f0ci.core.redaction import Redactor
from f0ci.http.answers import Answer, ConnectionFault, StatusError, printable, read_json, why

if TYPE_CHECKING:
    import requests

__all__ = ["Answer", "ConnectionFault", "Session", "StatusError", "get_json", "open_session", "printable", "request"]

# seconds that one address may take to accept a connection
CONNECT_TIMEOUT = 5.0
MOST_BYTES = 8_000_000
# seconds before each further attempt
PAUSES = (0.5, 1.0)
_REDIRECTS = 5
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CHUNK = 65_536
_TEMPORARY = frozenset({502, 503, 504})
_REDIRECTED = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Session:
    """How one service is asked; made by `open_session`.

    Attributes:
        redactor: masks the session's credentials, for callers that quote what the service said.
        timeout: seconds that one question may take, all attempts together.
        most_bytes: a larger answer is refused.
        guarded: True where something travels with each request that only its own host may see.
        verify: file of the accepted certificate authorities, or True for the usual ones.
        certificate: file of the client's certificate, then of its key; one file may hold both, none is needed.
        wait: lets a number of seconds pass.
    """

    client: requests.Session = field(repr=False)
    redactor: Redactor
    timeout: float
    most_bytes: int
    guarded: bool
    verify: str | bool
    certificate: tuple[str, ...]
    wait: Callable[[float], None]

    def error(self, message: str, hint: str) -> NetworkError:
        """Return what to raise; it tells no secret."""
        return NetworkError(self.redactor.text(message), hint)


@contextmanager
def open_session(
    *,
    headers: Mapping[str, str] | None = None,
    secret_headers: Mapping[str, str] | None = None,
    token: str | None = None,
    username: str | None = None,
    password: str | None = None,
    ca_file: Path | None = None,
    client_cert: Path | None = None,
    client_key: Path | None = None,
    timeout: float = 30.0,
    most_bytes: int = MOST_BYTES,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Session]:
    """Yield a session; its connections end with it.

    Args:
        headers: sent with every request, and shown in messages.
        secret_headers: sent with every request, and never shown.
        token: bearer token (RFC 6750).
        username: with `password`, basic authentication (RFC 7617).
        password: with `username`, basic authentication.
        ca_file: certificate authorities that are accepted, instead of the usual ones.
        client_cert: the client's certificate, with its key where `client_key` is not given.
        client_key: the client's key, without passphrase.
        timeout: seconds that one question may take, all attempts together.
        most_bytes: a larger answer is refused.
        wait: lets a number of seconds pass.

    Raises:
        NetworkError: a header cannot be sent, or a file is missing.
    """
    import requests

    redactor = Redactor([token or "", password or "", *(secret_headers or {}).values()])
    sent = {**(headers or {}), **(secret_headers or {})}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    elif username is not None or password is not None:
        pair = base64.b64encode(f"{username or ''}:{password or ''}".encode()).decode()
        redactor.add(pair)
        sent["Authorization"] = f"Basic {pair}"
    for name, value in sent.items():
        if not _HEADER_NAME.fullmatch(name) or not (value.isascii() and value.isprintable()) or value != value.strip():
            # the value may be a secret, so it is not quoted
            hint = "its name is one word, its value printable ASCII on one line"
            raise NetworkError(f"the header {name!r} cannot be sent", hint)
    files = {"ca_file": ca_file, "client_cert": client_cert, "client_key": client_key}
    for name, path in files.items():
        if path is not None and not path.is_file():
            raise NetworkError(f"there is no file {str(path)!r}", f"check {name!r}")
    certificate = tuple(str(path) for path in (client_cert, client_key) if path is not None)
    with requests.Session() as client:
        # with an `auth` of its own, requests does not look for passwords in ~/.netrc
        client.auth = _unchanged
        client.headers.update({"User-Agent": f"f0ci/{__version__}", "Accept": "application/json"})
        # what arrives is counted as it arrives, so nothing may unpack into more
        client.headers.update({"Accept-Encoding": "identity", **sent})
        guarded = bool(sent or certificate)
        verify = str(ca_file) if ca_file else True
        yield Session(client, redactor, timeout, most_bytes, guarded, verify, certificate, wait)


def get_json(session: Session, url: str, params: Mapping[str, str] | None = None) -> Any:
    """Ask for JSON and return it as data.

    Args:
        session: from `open_session`.
        url: `http` or `https`, without credentials.
        params: added to the URL's query, encoded.

    Raises:
        StatusError: the service answered with a status other than 2xx; carries the status and what it said.
        NetworkError: it could not be asked, took too long, or answered too much or no JSON.
    """
    _check(session, url)
    deadline = time.monotonic() + session.timeout
    pauses = iter(PAUSES)
    while True:
        try:
            return read_json(_ask(session, url, params, deadline), session.redactor)
        except (ConnectionFault, StatusError) as failure:
            pause = next(pauses, None)
            if pause is None or (isinstance(failure, StatusError) and failure.status not in _TEMPORARY):
                raise
            pause = max(pause, failure.pause) if isinstance(failure, StatusError) else pause
            if time.monotonic() + pause >= deadline:
                raise
        session.wait(pause)


def request(
    session: Session,
    method: str,
    url: str,
    *,
    params: Mapping[str, str] | None = None,
    data: bytes | None = None,
    content_type: str | None = None,
) -> Answer:
    """Send one request, once, and return the answer whatever its status.

    Only what changes nothing (`GET`, `HEAD`, `OPTIONS`) follows where an answer points to.

    Args:
        session: from `open_session`.
        method: `GET`, `POST`, ... in capitals.
        url: `http` or `https`, without credentials.
        params: added to the URL's query, encoded.
        data: the body, or None.
        content_type: what the body is.

    Raises:
        ConnectionFault: the connection could not be made, or broke; asking again may help.
        NetworkError: it took too long, or answered too much.
    """
    _check(session, url)
    deadline = time.monotonic() + session.timeout
    if method in {"GET", "HEAD", "OPTIONS"}:
        return _ask(session, url, params, deadline, method)
    headers = {} if content_type is None else {"Content-Type": content_type}
    return _send(session, url, params, deadline, method, data, headers)


def _ask(session: Session, url: str, params: Mapping[str, str] | None, deadline: float, method: str = "GET") -> Answer:
    """Ask once, and follow where the answer points to."""
    answer = _send(session, url, params, deadline, method)
    for _ in range(_REDIRECTS):
        target = answer.headers.get("Location")
        if answer.status not in _REDIRECTED or not target:
            return answer
        there = urljoin(answer.url, target)
        _check(session, there)
        here, beyond = _origin(answer.url), _origin(there)
        if here != beyond and (session.guarded or (here.startswith("https:") and beyond.startswith("http:"))):
            raise session.error(
                f"{answer.where} redirects to {beyond}, where the question must not be asked",
                "write the address that it redirects to, if it is the one you trust",
            )
        answer = _send(session, there, None, deadline, method)
    raise session.error(f"{answer.where} redirects more than {_REDIRECTS} times", "check the address")


def _send(
    session: Session,
    url: str,
    params: Mapping[str, str] | None,
    deadline: float,
    method: str = "GET",
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    import requests
    from urllib3.exceptions import HTTPError, ReadTimeoutError

    where = _shown(session, url)
    left = deadline - time.monotonic()
    try:
        if left <= 0:
            raise _too_slow(session, where)
        response = session.client.request(
            method,
            url,
            params=params,
            data=data,
            headers=headers,
            timeout=(min(CONNECT_TIMEOUT, left), left),
            allow_redirects=False,
            stream=True,
            verify=session.verify,
            cert=_cert(session.certificate),
        )
        with response:
            body = _body(session, response, where, deadline)
            return Answer(response.url, where, response.status_code, response.headers, body)
    except (requests.exceptions.ReadTimeout, ReadTimeoutError) as error:
        raise _too_slow(session, where) from error
    except requests.exceptions.SSLError as error:
        hint = "name the certificate authority in 'ca_file', and a 'client_cert' where the service wants one"
        raise session.error(f"no secure connection to {_origin(url)}: {why(error)}", hint) from error
    except (requests.exceptions.ConnectionError, HTTPError) as error:
        message = session.redactor.text(f"cannot reach {_origin(url)}: {why(error)}")
        raise ConnectionFault(message, "check the address, and that the service runs") from error
    except (requests.exceptions.RequestException, OSError, ValueError) as error:
        hint = "check the address, the certificates and the proxy"
        raise session.error(f"{where} cannot be asked ({type(error).__name__})", hint) from error


def _body(session: Session, response: requests.Response, where: str, deadline: float) -> bytes:
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
        raise session.error(f"{where} answers encoded, which nobody asked for", "look at the proxy before the service")
    parts: list[bytes] = []
    size = 0
    # `read1` returns what has arrived, so that a trickle cannot hold it longer than the time allows
    while part := response.raw.read1(_CHUNK, decode_content=False):
        parts.append(part)
        size += len(part)
        if size > session.most_bytes:
            raise session.error(f"{where} answered with more than {session.most_bytes:,} bytes", "ask for less")
        if time.monotonic() > deadline:
            raise _too_slow(session, where)
    return b"".join(parts)


def _check(session: Session, url: str) -> None:
    """Refuse what is no address of an HTTP service, and credentials where logs and histories would show them."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, usable = None, False
    if "@" in (parts.netloc if parts else url):
        raise session.error("an address carries credentials", "take them out; name them in settings of their own")
    if not usable:
        raise session.error(
            f"{url.partition('?')[0]!r} is no address to ask", "write one such as https://metrics.example.com"
        )


def _origin(url: str) -> str:
    """Return scheme, host and port, the port only where it is not the usual one (RFC 6454)."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in {None, usual} else "")


def _shown(session: Session, url: str) -> str:
    """Return an address without its query, which may hold a key."""
    return session.redactor.text(printable(urlsplit(url)._replace(query="", fragment="").geturl()))


def _too_slow(session: Session, where: str) -> NetworkError:
    return session.error(f"{where} did not answer within {session.timeout:g}s", "raise 'timeout', or ask for less")


def _cert(files: tuple[str, ...]) -> tuple[str, str] | str | None:
    """Return the files as requests wants them."""
    return (files[0], files[1]) if len(files) > 1 else next(iter(files), None)


def _unchanged(request: Any) -> Any:
    return request
