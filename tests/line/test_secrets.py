"""A secret of each layer and each provider is used by a run and a promotion, and is found in no output at all."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest

from f0ci.environments.secrets import AGE_IDENTITY, variable_of
from tests.conftest import git, require_real, write_files
from tests.line.conftest import Line

# where the reference stands -> the secret, with characters that programs escape
PLANTED = {
    "base": 'ba"se/s3cret\\value',
    "extends": "ext+ends s3cret&value",
    "env-file": "env'file-s3cret",
    "overlay": "overlay=s3cret?",
    "set": "from-the-recipe-s3cret",
    "step": "step-s3cret-value",
    "mounted": "mounted-s3cret\nsecond-line-s3cret",
    "encrypted": "encrypted-s3cret-\u00e9",
}
RECIPE = """\
metadata: {name: leak, version: "1"}
parameters:
  - {name: fail, default: ''}
steps:
  - name: print
    type: shell
    run: |
      printf '%s\\n' "$BASE" "$EXTENDS" "$FILE" "$OVERLAY" "$SET" "$STEP" "$MOUNTED" "$ENCRYPTED"
      env | sort
      printf '%s' "$BASE" | base64
      echo "to stderr: $STEP" >&2
    env:
      BASE: "#{config.keys.base}"
      EXTENDS: "#{config.keys.extends}"
      FILE: "#{config.keys.file}"
      OVERLAY: "#{config.keys.overlay}"
      SET: "secret://set"
      STEP: "secret://step"
      MOUNTED: "secret://mounted"
      ENCRYPTED: "secret://encrypted"
  - name: raise
    type: python
    module: scriptlets.leaking
    function: Leak
    depends_on: [print]
    args: {key: "#{config.keys.base}", other: "secret://encrypted", fail: "#{params.fail}"}
"""
TEMPLATE = "{% for name in config['keys'] %}{{ name }} = {{ config['keys'][name] }}\n{% endfor %}"
SCRIPTLET = '''\
"""Prints, keeps and raises what it was given."""


class Leak:
    """Everything that a careless step does with a secret."""

    def run(self, context, params):
        """Leak."""
        print(params["key"], repr(params["key"]))
        context.set("leak.key", params["key"])
        context.set("leak.more", {params["other"]: [params["key"]]})
        if params["fail"]:
            raise RuntimeError(f"cannot log in with {params['key']!r} and {params['other']}")
        return 0
'''


def spelled(secret: str) -> set[str]:
    """Return a secret, and each of its lines, as programs write it."""
    parts = {secret, *secret.splitlines()}
    found = {form for part in parts for form in (part, json.dumps(part)[1:-1], repr(part)[1:-1], quote(part, safe=""))}
    return found | {base64.b64encode(part.encode()).decode() for part in parts}


FORBIDDEN = {form: name for name, secret in PLANTED.items() for form in spelled(secret)}


def leaks(text: str) -> set[str]:
    return {name for form, name in FORBIDDEN.items() if form in text}


def _providers(mounted: Path) -> str:
    files = f"  - {{provider: file, folder: {mounted}}}\n"
    return f"secrets:\n  - provider: environment\n{files}  - {{provider: age, file: 'secrets/{{environment}}.age'}}\n"


@pytest.fixture
def planted(line: Line, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Line:
    key = tmp_path / "key.txt"
    made = subprocess.run([require_real("age-keygen", "age"), "-o", key], capture_output=True, check=True, text=True)
    monkeypatch.setenv(AGE_IDENTITY, key.read_text(encoding="utf-8"))
    FORBIDDEN[key.read_text(encoding="utf-8").split()[-1]] = "the key"
    mounted = tmp_path / "mounted"
    write_files(mounted, {"mounted": PLANTED["mounted"]})
    work = line.work
    (work / "secrets").mkdir()
    subprocess.run(
        ["age", "-r", made.stderr.split()[-1], "-o", str(work / "secrets/dev.age")],
        input=json.dumps({"encrypted": PLANTED["encrypted"]}).encode(),
        check=True,
    )
    for name, secret in PLANTED.items():
        if name not in {"mounted", "encrypted"}:
            monkeypatch.setenv(variable_of(name), secret)
    settings = (work / "f0ci.yaml").read_text(encoding="utf-8")
    files = {
        # the linter finds these leaks before they happen; here they shall happen
        "f0ci.yaml": f"{settings}rules: {{ignore: [secret-printed]}}\n{_providers(mounted)}",
        "recipes/leak.yaml": RECIPE,
        "recipes/deploy.yaml": RECIPE.replace("name: leak", "name: deploy"),
        "scriptlets/leaking.py": SCRIPTLET,
        "environments/shared/config.yaml": "keys: {extends: 'secret://extends'}\n",
        "environments/dev/eu/config.yaml": "keys: {overlay: 'secret://overlay'}\n",
        "templates/secrets.conf.j2": TEMPLATE,
    }
    base = (work / "environments/base.yaml").read_text(encoding="utf-8")
    dev = (work / "environments/dev/config.yaml").read_text(encoding="utf-8")
    files["environments/base.yaml"] = (
        f"{base}keys: {{base: 'secret://base', overlay: none, extends: none, file: none}}\n"
    )
    files["environments/dev/config.yaml"] = f"extends: shared\n{dev}keys: {{file: 'secret://env-file'}}\n"
    line.commit({**files})
    return line


def test_no_output_of_a_run_holds_a_secret(planted: Line) -> None:
    for options in (
        (),
        ("--format", "json"),
        ("-p", "fail=yes"),
        ("-p", "fail=yes", "--format", "json"),
        ("--dry-run",),
    ):
        answer = planted.f0ci("run", "recipes/leak.yaml", "-e", "dev/eu", *options)

        assert leaks(answer.out + answer.err) == set(), options
        assert answer.code == (1 if "fail=yes" in options else 0), answer.out + answer.err
        if options == ():
            # the step did get them: nine lines of masks, and no reference left
            assert answer.out.count("***") >= 9
            assert "secret://" not in answer.out


def test_a_rendered_tree_keeps_the_references(planted: Line) -> None:
    out = planted.work / "build"
    planted.done("render", "dev/eu", "--set", "keys.set=secret://set", "-o", str(out))
    shown = planted.done("render", "dev/eu", "--set", "keys.set=secret://set", "--format", "json")

    written = "".join(path.read_text(encoding="utf-8") for path in out.rglob("*") if path.is_file())
    for text in (written, shown.out):
        assert leaks(text) == set()
        for name in ("base", "extends", "env-file", "overlay", "set"):
            assert f"secret://{name}" in text


def test_a_message_quotes_no_secret_that_somebody_wrote_out(planted: Line) -> None:
    planted.commit({"schemas/config.schema.json": '{"properties": {"batch": {"type": "integer"}}}'})

    answer = planted.f0ci("render", "dev/eu", "--set", f"batch={PLANTED['step']}")

    assert answer.code == 3
    assert 'configuration value batch: "***" is text, not a whole number' in answer.err
    assert leaks(answer.out + answer.err) == set()


def test_neither_git_nor_a_report_holds_a_secret(planted: Line) -> None:
    planted.release()
    said = [planted.f0ci("promote", "dev"), planted.f0ci("status"), planted.f0ci("history", "--format", "json")]
    said += [planted.f0ci("plan", "dev", "--format", "json"), planted.f0ci("generate", "github")]
    said += [planted.f0ci("validate", "--format", "json")]

    assert leaks("".join(answer.out + answer.err for answer in said)) == set()
    assert "succeeded" in said[0].out, said[0].out + said[0].err
    objects = git(planted.bare, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")
    assert len(objects.splitlines()) > 20
    for entry in objects.splitlines():
        oid, kind = entry.split()
        shown = subprocess.run(["git", "-C", str(planted.bare), "cat-file", kind, oid], capture_output=True, check=True)
        assert leaks(shown.stdout.decode("utf-8", "replace")) == set(), oid
    tree = git(planted.bare, "show", "env/dev:secrets.conf")
    assert "file = secret://env-file" in tree
    pipeline = (planted.work / ".github/workflows").glob("*.yml")
    text = "".join(path.read_text(encoding="utf-8") for path in pipeline)
    for variable in (variable_of("base"), variable_of("env-file"), AGE_IDENTITY):
        assert f"{variable}: ${{{{ secrets.{variable} }}}}" in text


def test_a_defect_report_holds_no_secret(planted: Line, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError(f"unexpected {PLANTED['base']!r} and {PLANTED['step']}")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("f0ci.commands.running.run", broken)
    answer = planted.f0ci("run", "recipes/leak.yaml", "-e", "dev/eu")

    assert answer.code == 70
    (report,) = tmp_path.glob("f0ci-defect-*.log")
    assert leaks(answer.out + answer.err + report.read_text(encoding="utf-8")) == set()
    assert "unexpected" in report.read_text(encoding="utf-8")
