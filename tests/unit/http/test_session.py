from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from f0ci import __version__
from f0ci.core.errors import NetworkError
from f0ci.http.session import StatusError, get_json, open_session
from tests.conftest import require_real
from tests.local_service import Asked, Reply, local_service, one_after_another

SECRET = "s3cret-value"


def drop(handler: BaseHTTPRequestHandler, _: threading.Event) -> None:
    """Hang up without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def stay_silent(_: BaseHTTPRequestHandler, over: threading.Event) -> None:
    over.wait(30)


def trickle(handler: BaseHTTPRequestHandler, over: threading.Event) -> None:
    """Announce a body and send it byte by byte."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not over.wait(0.02):
        handler.wfile.write(b" ")


def flood(handler: BaseHTTPRequestHandler, over: threading.Event) -> None:
    """Send chunks without end."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while not over.is_set():
        handler.wfile.write(b"400\r\n" + b" " * 1024 + b"\r\n")


def cut(handler: BaseHTTPRequestHandler, _: threading.Event) -> None:
    """Announce more than is sent."""
    handler.send_response(200)
    handler.send_header("Content-Length", "10")
    handler.end_headers()
    handler.wfile.write(b"[1")


def test_an_answer_is_data() -> None:
    (Path.home() / ".netrc").write_text("machine 127.0.0.1 login me password planted\n")
    with local_service(one_after_another(Reply({"a": [1, None]}))) as service, open_session() as session:
        assert get_json(session, f"{service.url}/x?y=1", {"query": 'a{b="c&d"}'}) == {"a": [1, None]}

    (asked,) = service.asked
    assert (asked.path, asked.query) == ("/x", {"y": "1", "query": 'a{b="c&d"}'})
    assert asked.headers["user-agent"] == f"f0ci/{__version__}"
    assert asked.headers["accept"] == "application/json"
    assert asked.headers["accept-encoding"] == "identity"
    assert "authorization" not in asked.headers


CREDENTIALS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"token": SECRET}, {"authorization": f"Bearer {SECRET}"}),
    ({"username": "me", "password": "pässword"}, {"authorization": "Basic bWU6cMOkc3N3b3Jk"}),
    ({"headers": {"X-Scope-OrgID": "a"}, "secret_headers": {"X-Key": SECRET}}, {"x-scope-orgid": "a", "x-key": SECRET}),
]


@pytest.mark.parametrize(("settings", "expected"), CREDENTIALS)
def test_credentials_travel_as_headers(settings: dict[str, Any], expected: dict[str, str]) -> None:
    with local_service(one_after_another(Reply({}))) as service, open_session(**settings) as session:
        get_json(session, service.url)

    assert expected.items() <= service.asked[0].headers.items()


UNSENDABLE: list[dict[str, Any]] = [
    {"token": f"{SECRET}\nX-Other: 1"},
    {"token": f"{SECRET}ü"},
    {"secret_headers": {"X-Key": f" {SECRET}"}},
    {"secret_headers": {"X-Key": f"{SECRET}\x00"}},
    {"headers": {"X Key": SECRET}},
    {"headers": {"X-Key:": SECRET}},
    {"headers": {"": SECRET}},
]


@pytest.mark.parametrize("settings", UNSENDABLE)
def test_a_header_that_cannot_be_sent_is_named_and_not_shown(settings: dict[str, Any]) -> None:
    with pytest.raises(NetworkError, match="cannot be sent") as caught, open_session(**settings):
        pytest.fail("the session was opened")

    assert SECRET not in f"{caught.value} {caught.value.hint}"


OK, BUSY = Reply({"ok": True}), Reply(b"busy", 503)
# replies, how often the service is asked, what is waited for, the status at the end
ATTEMPTS: list[tuple[str, list[Reply], int, list[float], int | None]] = [
    ("at once", [OK], 1, [], None),
    ("503 first", [BUSY, OK], 2, [0.5], None),
    ("502 and 504 first", [Reply(b"", 502), Reply(b"", 504), OK], 3, [0.5, 1.0], None),
    ("503 for ever", [BUSY], 3, [0.5, 1.0], 503),
    ("500", [Reply(b"", 500), OK], 1, [], 500),
    ("429", [Reply(b"", 429), OK], 1, [], 429),
    ("404", [Reply(b"", 404), OK], 1, [], 404),
    ("304", [Reply(b"", 304), OK], 1, [], 304),
    ("asked to wait", [Reply(b"", 503, {"Retry-After": "7"}), OK], 2, [7.0], None),
    ("asked to wait a little", [Reply(b"", 503, {"Retry-After": "0"}), OK], 2, [0.5], None),
    ("asked to wait too long", [Reply(b"", 503, {"Retry-After": "31"}), OK], 1, [], 503),
    (
        "asked to wait till a day",
        [Reply(b"", 503, {"Retry-After": "Fri, 31 Dec 2199 23:59:59 GMT"}), OK],
        1,
        [],
        503,
    ),
    (
        "asked to wait till yesterday",
        [Reply(b"", 503, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}), OK],
        2,
        [0.5],
        None,
    ),
    ("hung up", [Reply(act=drop), OK], 2, [0.5], None),
    ("cut short", [Reply(act=cut), OK], 2, [0.5], None),
]


@pytest.mark.parametrize(
    ("replies", "times", "pauses", "status"), [row[1:] for row in ATTEMPTS], ids=[row[0] for row in ATTEMPTS]
)
def test_what_may_pass_is_asked_again(
    replies: list[Reply], times: int, pauses: list[float], status: int | None
) -> None:
    waited: list[float] = []
    with local_service(one_after_another(*replies)) as service, open_session(wait=waited.append) as session:
        if status is None:
            assert get_json(session, service.url) == {"ok": True}
        else:
            with pytest.raises(StatusError) as caught:
                get_json(session, service.url)
            assert caught.value.status == status

    assert (len(service.asked), waited) == (times, pauses)


def test_pauses_end_with_the_time() -> None:
    waited: list[float] = []
    with (
        local_service(one_after_another(BUSY)) as service,
        open_session(timeout=0.5, wait=waited.append) as session,
        pytest.raises(StatusError, match="answered 503: busy"),
    ):
        get_json(session, service.url)

    assert waited == []


def test_what_nobody_serves_is_said_so() -> None:
    with local_service(one_after_another(OK)) as service:
        url = service.url
    waited: list[float] = []
    with open_session(wait=waited.append) as session, pytest.raises(NetworkError) as caught:
        get_json(session, f"{url}/path?key=planted")

    assert str(caught.value) == f"cannot reach {url}: connection refused"
    assert caught.value.hint == "check the address, and that the service runs"
    assert waited == [0.5, 1.0]


@pytest.mark.parametrize("act", [stay_silent, trickle])
def test_the_time_is_bounded(act: Callable[[BaseHTTPRequestHandler, threading.Event], None]) -> None:
    began = time.monotonic()
    with local_service(one_after_another(Reply(act=act))) as service, open_session(timeout=0.3) as session:
        with pytest.raises(NetworkError) as caught:
            get_json(session, f"{service.url}/path?key=planted")
        assert len(service.asked) == 1

    assert str(caught.value) == f"{service.url}/path did not answer within 0.3s"
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("reply", [Reply(b" " * 1001), Reply(act=flood)], ids=["announced", "without end"])
def test_the_size_is_bounded(reply: Reply) -> None:
    with local_service(one_after_another(reply)) as service, open_session(most_bytes=1000) as session:
        with pytest.raises(NetworkError, match="answered with more than 1,000 bytes"):
            get_json(session, service.url)
        assert len(service.asked) == 1


def test_what_would_unpack_is_refused() -> None:
    reply = Reply(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    with (
        local_service(one_after_another(reply)) as service,
        open_session() as session,
        pytest.raises(NetworkError, match="answers encoded"),
    ):
        get_json(session, service.url)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "''"),
        (b"<html>\n<title>Log in</title>", "'<html>'"),
        (b"{'a': 1}", "\"{'a': 1}\""),
        (b"\n \n\x1b[31mred " + SECRET.encode(), "'?[31mred ***'"),
        (b"\xff\xfe\xff", "\N{REPLACEMENT CHARACTER}"),
        (b"[" * 100_000, "[[[..."),
        (b"9" * 5000, "999..."),
    ],
)
def test_what_is_no_json_is_refused(body: bytes, said: str) -> None:
    with (
        local_service(one_after_another(Reply(body))) as service,
        open_session(token=SECRET) as session,
        pytest.raises(NetworkError, match="answered with what is not JSON: ") as caught,
    ):
        get_json(session, f"{service.url}/path?key=planted")

    assert caught.value.message.startswith(f"{service.url}/path answered with")
    assert said in caught.value.message
    assert "a login" in (caught.value.hint or "")
    assert "planted" not in caught.value.message


@pytest.mark.parametrize(
    ("reply", "message", "hint", "data"),
    [
        (Reply({"error": "no"}, 400), ' answered 400: {"error": "no"}', "check the question", {"error": "no"}),
        (Reply(b"", 401), " answered 401", "check the credentials", None),
        (Reply(f"token {SECRET} is old".encode(), 403), " answered 403: token *** is old", "allow", None),
        (Reply(b"<h1>not here</h1>", 404), " answered 404", "check the address", None),
        (Reply(b"x" * 300, 500), f" answered 500: {'x' * 197}...", "service's log", None),
    ],
)
def test_a_status_is_an_error_that_says_what_the_service_says(reply: Reply, message: str, hint: str, data: Any) -> None:
    with (
        local_service(one_after_another(reply)) as service,
        open_session(token=SECRET) as session,
        pytest.raises(StatusError) as caught,
    ):
        get_json(session, f"{service.url}/a")

    assert str(caught.value) == f"{service.url}/a{message}"
    assert hint in (caught.value.hint or "")
    assert caught.value.data == data


def redirect(target: str, status: int = 302) -> Callable[[Asked], Reply]:
    return lambda asked: (
        Reply({"at": asked.path}) if asked.path == "/there" else Reply(b"", status, {"Location": target})
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["there", "/there", "?again", "//{host}/there"])
def test_a_redirect_within_a_service_is_followed_with_credentials(status: int, target: str) -> None:
    with (
        local_service(lambda asked: redirect(target.format(host=asked.headers["host"]), status)(asked)) as service,
        open_session(token=SECRET) as session,
    ):
        if target == "?again":
            with pytest.raises(NetworkError, match="redirects more than 5 times"):
                get_json(session, f"{service.url}/here")
        else:
            assert get_json(session, f"{service.url}/here", {"a": "1"}) == {"at": "/there"}

    assert {asked.headers["authorization"] for asked in service.asked} == {f"Bearer {SECRET}"}


@pytest.mark.parametrize(
    "settings", [{"token": SECRET}, {"username": "me", "password": SECRET}, {"headers": {"X-Scope-OrgID": "a"}}]
)
def test_credentials_do_not_follow_to_another_host(settings: dict[str, Any]) -> None:
    with (
        local_service(one_after_another(OK)) as other,
        local_service(redirect(f"{other.url}/there?k=v")) as service,
        open_session(**settings) as session,
        pytest.raises(NetworkError) as caught,
    ):
        get_json(session, f"{service.url}/here")

    assert str(caught.value) == f"{service.url}/here redirects to {other.url}, where the question must not be asked"
    assert other.asked == []


def test_without_credentials_a_redirect_to_another_host_is_followed() -> None:
    with (
        local_service(one_after_another(OK)) as other,
        local_service(redirect(f"{other.url}/x")) as service,
        open_session() as session,
    ):
        assert get_json(session, service.url) == {"ok": True}

    assert other.asked[0].headers["host"] == f"127.0.0.1:{other.port}"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("file:///etc/passwd", "'file:///etc/passwd' is no address to ask"),
        ("https://", "'https://' is no address to ask"),
        (f"http://me:{SECRET}@127.0.0.1/", "an address carries credentials"),
    ],
)
def test_a_redirect_is_checked_like_an_address(target: str, message: str) -> None:
    with (
        local_service(redirect(target)) as service,
        open_session() as session,
        pytest.raises(NetworkError) as caught,
    ):
        get_json(session, service.url)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "'' is no address"),
        ("metrics.example.com", "'metrics.example.com' is no address"),
        ("ftp://metrics.example.com", "is no address"),
        ("http://", "is no address"),
        ("http:///path?key=planted", "'http:///path' is no address"),
        ("http://a:99999/", "is no address"),
        ("http://a:0/", "is no address"),
        ("http://[::1/", "is no address"),
        (f"https://me:{SECRET}@metrics.example.com/", "an address carries credentials"),
        (f"https://me:{SECRET}/x@metrics.example.com/", "an address carries credentials"),
        ("http://exa mple.com/", "http://exa mple.com/ cannot be asked (InvalidURL)"),
        ("http://*.example.com/", "http://*.example.com/ cannot be asked (InvalidURL)"),
    ],
)
def test_what_is_no_address_is_refused(url: str, message: str) -> None:
    with open_session() as session, pytest.raises(NetworkError) as caught:
        get_json(session, url)

    assert message in str(caught.value)
    assert SECRET not in f"{caught.value} {caught.value.hint}"
    assert "planted" not in str(caught.value)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `server.pem` and `client.pem`, each a self-made certificate with its key beside it."""
    openssl = require_real("openssl", "openssl")
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("server", "client"):
        subprocess.run(
            [
                *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"),
                *("-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")),
            ],
            check=True,
            capture_output=True,
        )
    return folder


def tls(certificates: Path, *, wants_client: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates / "client.pem")
    return context


def test_a_certificate_is_accepted_from_its_authority_only(certificates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # what the variable names must not stand in for what the settings name
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates / "client.pem"))
    with local_service(one_after_another(OK), tls(certificates)) as service:
        with open_session(ca_file=certificates / "server.pem", token=SECRET) as session:
            assert get_json(session, service.url) == {"ok": True}
        for ca_file in (None, certificates / "client.pem"):
            with open_session(ca_file=ca_file, token=SECRET) as session, pytest.raises(NetworkError) as caught:
                get_json(session, service.url)
            assert str(caught.value) == f"no secure connection to {service.url}: self-signed certificate"
            assert "'ca_file'" in (caught.value.hint or "")

    assert len(service.asked) == 1


def test_a_certificate_must_be_of_the_host(certificates: Path) -> None:
    with (
        local_service(one_after_another(OK), tls(certificates), host="localhost") as service,
        open_session(ca_file=certificates / "server.pem") as session,
        pytest.raises(NetworkError) as caught,
    ):
        get_json(session, service.url)

    assert "hostname mismatch" in str(caught.value)


def test_a_service_may_want_a_certificate_of_the_client(certificates: Path) -> None:
    ca_file = certificates / "server.pem"
    both = certificates / "both.pem"
    both.write_text((certificates / "client.pem").read_text() + (certificates / "client.key").read_text())
    pair = (certificates / "client.pem", certificates / "client.key")
    waited: list[float] = []
    with local_service(one_after_another(OK), tls(certificates, wants_client=True)) as service:
        for cert, key in (pair, (both, None)):
            with open_session(ca_file=ca_file, client_cert=cert, client_key=key) as session:
                assert get_json(session, service.url) == {"ok": True}
        with open_session(ca_file=ca_file, wait=waited.append) as session, pytest.raises(NetworkError):
            get_json(session, service.url)

    assert len(service.asked) == 2


def test_what_is_sent_over_tls_is_not_sent_in_the_open(certificates: Path) -> None:
    with (
        local_service(one_after_another(OK)) as other,
        local_service(redirect(other.url), tls(certificates)) as service,
        open_session(ca_file=certificates / "server.pem") as session,
        pytest.raises(NetworkError) as caught,
    ):
        get_json(session, service.url)

    assert f"redirects to {other.url}" in str(caught.value)
    assert other.asked == []


@pytest.mark.parametrize("name", ["ca_file", "client_cert", "client_key"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    settings: dict[str, Any] = {name: tmp_path / "none.pem"}

    with pytest.raises(NetworkError, match="there is no file") as caught, open_session(**settings):
        pytest.fail("the session was opened")

    assert caught.value.hint == f"check '{name}'"


@pytest.mark.parametrize("name", ["ca_file", "client_cert"])
def test_a_file_that_holds_no_certificate_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "odd.pem").write_text("no certificate\n")
    settings: dict[str, Any] = {name: tmp_path / "odd.pem"}

    with open_session(**settings, wait=lambda _: None) as session, pytest.raises(NetworkError) as caught:
        get_json(session, "https://127.0.0.1:9/")

    assert "127.0.0.1:9" in str(caught.value)


def test_requests_is_imported_when_something_is_asked() -> None:
    code = "import sys, f0ci.http.session; sys.exit('requests' in sys.modules or 'urllib3' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
