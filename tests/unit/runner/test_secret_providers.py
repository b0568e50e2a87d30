"""Where secrets come from: variables, mounted files, and files that the real age program encrypted."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from f0ci.core.errors import StepError
from f0ci.core.redaction import Redactor
from f0ci.environments.secrets import AGE_IDENTITY
from f0ci.runner.secret_values import SecretValues
from tests.conftest import require_real

FILE = {"provider": "file", "folder": "mounted"}
AGE = {"provider": "age", "file": "secrets/{environment}.age"}


def ask(
    root: Path,
    name: str,
    *providers: Mapping[str, Any],
    environ: Mapping[str, str] | None = None,
    environment: str | None = "prod",
) -> str:
    redactor = Redactor()
    values = SecretValues(environ or {}, root, environment, providers)
    found = str(values.filled_in(f"secret://{name}", redactor))
    assert found not in redactor.text(f"it is {found}!")
    return found


def refused(root: Path, name: str, *providers: Mapping[str, Any], **options: Any) -> StepError:
    with pytest.raises(StepError) as caught:
        ask(root, name, *providers, **options)
    assert caught.value.terminal
    return caught.value


class TestFiles:
    """Secrets that a platform mounts."""

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"hunter22", "hunter22"),
            (b"hunter22\n", "hunter22"),
            (b"two\nlines\n\n", "two\nlines\n"),
            (b"crlf\r\n", "crlf"),
        ],
    )
    def test_a_file_is_a_secret(self, tmp_path: Path, content: bytes, expected: str) -> None:
        (tmp_path / "mounted/payments").mkdir(parents=True)
        (tmp_path / "mounted/payments/api-key").write_bytes(content)

        assert ask(tmp_path, "payments/api-key", FILE) == expected

    def test_a_mounted_link_is_followed(self, tmp_path: Path) -> None:
        (tmp_path / "mounted/..data").mkdir(parents=True)
        (tmp_path / "mounted/..data/db").write_text("hunter22", encoding="utf-8")
        (tmp_path / "mounted/db").symlink_to("..data/db")

        assert ask(tmp_path, "db", FILE) == "hunter22"

    def test_a_name_does_not_lead_out_of_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "mounted").mkdir()
        (tmp_path / "other").write_text("hunter22", encoding="utf-8")

        assert "is not set" in refused(tmp_path, "a/../../other", FILE).message

    def test_the_environment_is_part_of_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "run/prod").mkdir(parents=True)
        (tmp_path / "run/prod/db").write_text("hunter22", encoding="utf-8")
        per_environment = {"provider": "file", "folder": "run/{environment}"}

        assert ask(tmp_path, "db", per_environment) == "hunter22"
        assert "is not set" in refused(tmp_path, "db", per_environment, environment="dev").message
        assert "run it for an environment" in str(refused(tmp_path, "db", per_environment, environment=None).hint)

    def test_what_is_no_text_is_not_quoted(self, tmp_path: Path) -> None:
        (tmp_path / "mounted").mkdir()
        (tmp_path / "mounted/db").write_bytes(b"\xffhunter22")

        error = refused(tmp_path, "db", FILE)
        assert "is no UTF-8 text" in error.message
        assert "hunter22" not in f"{error!r} {error.__cause__!r} {error.__context__!r}"


def test_providers_are_asked_in_order(tmp_path: Path) -> None:
    (tmp_path / "mounted").mkdir()
    (tmp_path / "mounted/db").write_text("from-file", encoding="utf-8")
    variables, environ = {"provider": "environment"}, {"F0CI_SECRET_DB": "from-variable"}

    assert ask(tmp_path, "db", FILE, variables, environ=environ) == "from-file"
    assert ask(tmp_path, "db", variables, FILE, environ=environ) == "from-variable"
    error = refused(tmp_path, "x", variables, FILE, environ=environ)
    assert error.message == "the secret 'x' is not set"
    assert (
        error.hint
        == f"set F0CI_SECRET_X, in CI from the secret store of the job's environment, or mount {tmp_path}/mounted/x"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"provider": "vault"}, "there is no secret provider 'vault'"),
        ({"provider": "file"}, "the secret provider 'file' does not say 'folder'"),
        ({"provider": "file", "foldr": "x"}, "the secret provider 'file' has no setting 'foldr'"),
        ({"provider": "environment", "x": 1}, "the secret provider 'environment' has no setting 'x'"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    assert message in refused(tmp_path, "db", settings).message


@pytest.fixture(scope="session")
def age_key(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return a key pair that the real age made: recipient and identity."""
    path = tmp_path_factory.mktemp("age") / "key.txt"
    made = subprocess.run([require_real("age-keygen", "age"), "-o", path], capture_output=True, check=True, text=True)
    return made.stderr.split()[-1], path.read_text(encoding="utf-8")


@pytest.fixture
def encrypt(tmp_path: Path) -> Callable[..., None]:
    def call(content: str, *options: str, name: str = "secrets/prod.age") -> None:
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        command = [require_real("age", "age"), *options, "-o", str(target)]
        subprocess.run(command, input=content.encode(), check=True, capture_output=True)

    return call


class TestAge:
    """Secrets that lie encrypted in Git."""

    @pytest.mark.parametrize("armored", [(), ("--armor",)])
    def test_what_age_encrypted(
        self, tmp_path: Path, age_key: tuple[str, str], encrypt: Callable[..., None], armored: tuple[str, ...]
    ) -> None:
        recipient, identity = age_key
        encrypt("db-password: 'hunter22'\npayments/api-key: 12345678\n", "-r", recipient, *armored)

        assert b"hunter22" not in (tmp_path / "secrets/prod.age").read_bytes()
        environ = {AGE_IDENTITY: identity}
        assert ask(tmp_path, "db-password", AGE, environ=environ) == "hunter22"
        assert ask(tmp_path, "payments/api-key", AGE, environ=environ) == "12345678"
        assert "write 'other' into" in str(refused(tmp_path, "other", AGE, environ=environ).hint)
        assert "is not set" in refused(tmp_path, "db-password", AGE, environ=environ, environment="dev").message

    def test_the_key_may_lie_in_a_file(
        self, tmp_path: Path, age_key: tuple[str, str], encrypt: Callable[..., None]
    ) -> None:
        encrypt('{"db": "hunter22"}', "-r", age_key[0])
        (tmp_path / "key.txt").write_text(age_key[1], encoding="utf-8")

        assert ask(tmp_path, "db", AGE | {"identity_file": "key.txt"}) == "hunter22"

    def test_an_ssh_key_opens_what_was_encrypted_for_it(
        self, tmp_path: Path, encrypt: Callable[..., None], ssh_identity: Callable[[str], Any]
    ) -> None:
        alice = ssh_identity("alice")
        encrypt("db: hunter22\n", "-R", str(alice.public))

        environ = {AGE_IDENTITY: alice.private.read_text(encoding="utf-8")}
        assert ask(tmp_path, "db", AGE, environ=environ) == "hunter22"

    @pytest.mark.parametrize(
        ("identity", "message"),
        [
            ("", f"the secrets are encrypted, and {AGE_IDENTITY} is not set"),
            ("AGE-SECRET-KEY-1NONSENSE", "the age identity cannot be read"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nbm9uc2Vuc2U=\n", "the age identity cannot be read"),
        ],
    )
    def test_a_key_that_is_none(
        self, tmp_path: Path, age_key: tuple[str, str], encrypt: Callable[..., None], identity: str, message: str
    ) -> None:
        encrypt("db: hunter22\n", "-r", age_key[0])

        error = refused(tmp_path, "db", AGE, environ={AGE_IDENTITY: identity} if identity else {})
        assert message in error.message
        assert "NONSENSE" not in f"{error!r} {error.__cause__!r} {error.__context__!r}"

    def test_the_key_of_somebody_else(
        self, tmp_path: Path, age_key: tuple[str, str], encrypt: Callable[..., None]
    ) -> None:
        encrypt("db: hunter22\n", "-r", age_key[0])
        other = subprocess.run([require_real("age-keygen", "age")], capture_output=True, check=True, text=True).stdout

        error = refused(tmp_path, "db", AGE, environ={AGE_IDENTITY: other})
        assert "'prod.age' cannot be decrypted" in error.message

    @pytest.mark.parametrize(
        "content", ["- hunter22\n", "hunter22", "db: [hunter22]\n", "db: {x: hunter22}\n", "db: 'x\n"]
    )
    def test_what_is_no_mapping_is_not_quoted(
        self, tmp_path: Path, age_key: tuple[str, str], encrypt: Callable[..., None], content: str
    ) -> None:
        encrypt(content, "-r", age_key[0])

        error = refused(tmp_path, "db", AGE, environ={AGE_IDENTITY: age_key[1]})
        assert "does not decrypt to a mapping" in error.message
        assert "hunter22" not in f"{error!r} {error.__cause__!r} {error.__context__!r}"

    @pytest.mark.parametrize(
        "damage", [b"", b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----\n!\n-----END"]
    )
    def test_a_damaged_file(self, tmp_path: Path, age_key: tuple[str, str], damage: bytes) -> None:
        (tmp_path / "secrets").mkdir()
        (tmp_path / "secrets/prod.age").write_bytes(damage)

        assert "cannot be decrypted" in refused(tmp_path, "db", AGE, environ={AGE_IDENTITY: age_key[1]}).message
