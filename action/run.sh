#!/usr/bin/env bash
# What the Action does: install f0ci from the action's own checkout, run one command, hand over what it said.
# Everything comes in through the environment (INPUT_*), so that no value is ever read as a program.
set -euo pipefail

: "${ACTION_FOLDER:?}" "${INPUT_COMMAND:?}" "${RUNNER_TEMP:?}"

case "${INPUT_VERSION:-}" in
  *[!0-9A-Za-z.+!_-]*)
    echo "::error::'version' is a version of the package, such as 1.2.0"
    exit 2
    ;;
esac
python="${INPUT_PYTHON:-python3}"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "::error::f0ci needs Python 3.11 or newer; set the input 'python', or run actions/setup-python before"
  exit 3
}

kept() { # prints what an installation is kept under: what is installed, and the Python that runs it
  "$python" - "$ACTION_FOLDER" "${INPUT_VERSION:-}" "${INPUT_WHEELS:-}" <<'PYTHON'
import hashlib
import os
import sys
from pathlib import Path

action, version, wheels = sys.argv[1:]
key = hashlib.sha256(f"{sys.version} {os.path.realpath(sys.executable)}".encode())
files = sorted(Path(wheels).glob("*.whl")) if wheels else []
if not version and not wheels:
    files = [Path(action, "pyproject.toml"), Path(action, "hatch_build.py")]
    files += [file for ending in ("py", "c", "h") for file in sorted(Path(action, "f0ci").rglob(f"*.{ending}"))]
    files += sorted(Path(action, "schemas").rglob("*.json"))
for file in files:
    key.update(f"\0{file.name}\0".encode() + file.read_bytes())
print(f"{version or 'own'}-py{sys.version_info[0]}.{sys.version_info[1]}-{key.hexdigest()[:16]}")
PYTHON
}

install_into() { # installs f0ci into a fresh folder
  "$python" -m venv "$1"
  local pip=("$1/bin/python" -m pip install --quiet --disable-pip-version-check)
  [ -z "${INPUT_WHEELS:-}" ] || pip+=(--no-index --find-links "$INPUT_WHEELS")
  if [ -n "${INPUT_VERSION:-}" ]; then
    "${pip[@]}" "f0ci==$INPUT_VERSION"
  elif [ -n "${INPUT_WHEELS:-}" ]; then
    "${pip[@]}" f0ci
  else
    "${pip[@]}" "$ACTION_FOLDER"
  fi
}

venv="${F0CI_ACTION_VENV:-}"
if [ -z "$venv" ]; then
  # where runners keep tools; on one of your own it outlives the job
  cache="${RUNNER_TOOL_CACHE:-$RUNNER_TEMP}/f0ci"
  mkdir -p "$cache" 2> /dev/null && [ -w "$cache" ] || cache="$RUNNER_TEMP/f0ci"
  mkdir -p "$cache"
  venv="$cache/$(kept)"
  if ! { [ -x "$venv/bin/python" ] && [ -x "$venv/bin/f0ci" ]; }; then
    # an installation knows its own path, so it stays where it was made; the name leads there once it is whole
    made="$(mktemp -d "$venv.XXXXXX")"
    # not as a condition, which would let a failure pass
    installed=0
    (set -e && install_into "$made") & wait "$!" || installed=$?
    if [ "$installed" -ne 0 ]; then
      rm -rf "$made"
      echo "::error::f0ci could not be installed; where there is no network, name a folder of wheels in 'wheels'"
      exit 3
    fi
    [ -x "$venv/bin/python" ] || rm -f "$venv"
    # another job may have been faster
    ln -sn "$made" "$venv" 2> /dev/null || rm -rf "$made"
  fi
fi
# f0ci alone goes onto the PATH: its python would take the place of the one that the job set up
mkdir -p "$RUNNER_TEMP/f0ci-bin"
ln -sf "$venv/bin/f0ci" "$RUNNER_TEMP/f0ci-bin/f0ci"
[ -z "${GITHUB_PATH:-}" ] || echo "$RUNNER_TEMP/f0ci-bin" >> "$GITHUB_PATH"
[ "$INPUT_COMMAND" != install ] || exit 0

case "$INPUT_COMMAND" in
  "" | *[!a-z\ ]*)
    echo "::error::'command' is one or two words in small letters, such as validate or audit verify"
    exit 2
    ;;
esac
read -r -a command <<< "$INPUT_COMMAND"
name="${command[0]}"

add_lines() { # appends each line of a text that is not empty
  local line
  while IFS= read -r line; do
    [ -z "$line" ] || command+=("$line")
  done <<< "$1"
}

format="${INPUT_FORMAT:-}"
case "$name" in
  validate)
    command+=(--format "${format:-github}")
    [ -z "${INPUT_FAIL_ON:-}" ] || command+=(--fail-on "$INPUT_FAIL_ON")
    ;;
  promote | rollback | status | history | plan | release) command+=(--format "${format:-json}") ;;
  *) [ -z "$format" ] || command+=(--format "$format") ;;
esac
if [ -n "${INPUT_RELEASE:-}" ]; then
  option=--release
  [ "$name" != rollback ] || option=--to
  command+=("$option" "$INPUT_RELEASE")
fi
if [ "$name" = promote ]; then
  [ -z "${INPUT_DIGEST:-}" ] || command+=(--digest "$INPUT_DIGEST")
  [ "${INPUT_EVIDENCE:-false}" != true ] || command+=(--evidence github)
  [ -z "${INPUT_WAIT:-}" ] || command+=(--wait "$INPUT_WAIT")
fi
if [ -n "${INPUT_APART:-}" ] && [ "$name" != errands ]; then
  command+=(--apart "$INPUT_APART")
  [ -z "${INPUT_ANSWERED:-}" ] || command+=(--answered "$INPUT_ANSWERED")
fi
[ -z "${INPUT_REASON:-}" ] || command+=(--reason "$INPUT_REASON")
add_lines "${INPUT_ARGUMENTS:-}"
positional=()
[ -z "${INPUT_ENVIRONMENT:-}" ] || positional+=("$INPUT_ENVIRONMENT")
[ "$name" != errands ] || [ -z "${INPUT_APART:-}" ] || positional+=("$INPUT_APART")
while IFS= read -r line; do
  [ -z "$line" ] || positional+=("$line")
done <<< "${INPUT_PATHS:-}"
# what comes after -- is never an option, whatever it looks like
[ "${#positional[@]}" -eq 0 ] || command+=(-- "${positional[@]}")

# what a person starts is theirs on record; what happens by itself is nobody's request
who="github-actions[bot]" address="41898282+github-actions[bot]@users.noreply.github.com"
if [ "${GITHUB_EVENT_NAME:-}" = workflow_dispatch ] && [ -n "${GITHUB_ACTOR:-}" ]; then
  who="$GITHUB_ACTOR" address="${GITHUB_ACTOR_ID:+$GITHUB_ACTOR_ID+}$GITHUB_ACTOR@users.noreply.github.com"
fi
if [ -n "${F0CI_GIT_TOKEN:-}" ]; then
  export GIT_AUTHOR_NAME="${GIT_AUTHOR_NAME:-$who}" GIT_AUTHOR_EMAIL="${GIT_AUTHOR_EMAIL:-$address}"
  export GIT_COMMITTER_NAME="${GIT_COMMITTER_NAME:-$who}" GIT_COMMITTER_EMAIL="${GIT_COMMITTER_EMAIL:-$address}"
fi
[ -n "${F0CI_GIT_TOKEN:-}" ] || unset F0CI_GIT_TOKEN

report="$(mktemp "$RUNNER_TEMP/f0ci-report.XXXXXX")"
result=0
"$venv/bin/f0ci" "${command[@]}" | tee "$report" || result=$?

# the same findings once more, for what shows them as alerts and for counting; what was asked for has been printed
findings="" sarif=""
if [ "$name" = validate ] && { [ "$result" -eq 0 ] || [ "$result" -eq 1 ]; }; then
  sarif="${INPUT_SARIF:-$RUNNER_TEMP/f0ci.sarif}"
  "$venv/bin/f0ci" validate --format sarif --output "$sarif" ${positional[@]+-- "${positional[@]}"} > /dev/null 2>&1 || true
  count="import json, sys; print(len(json.load(open(sys.argv[1]))['runs'][0].get('results', [])))"
  findings="$("$venv/bin/python" -c "$count" "$sarif" || true)"
  [ -n "${INPUT_SARIF:-}" ] || sarif=""
fi

# what is left for a job without a token; its digest goes on by the outputs, which nobody else writes to
errands=""
if [ "$name" != errands ] && [ -n "${INPUT_APART:-}" ] && [ -s "$INPUT_APART/errands.json" ]; then
  errands="$(sha256sum < "$INPUT_APART/errands.json" | cut -c 1-64)"
fi

field() { # prints a field of the JSON report, or nothing
  "$venv/bin/python" - "$report" "$1" <<'PYTHON'
import json
import sys

try:
    with open(sys.argv[1], encoding="utf-8") as stream:
        value = json.load(stream)
except ValueError:
    value = {}
value = value.get(sys.argv[2]) if isinstance(value, dict) else None
# a line break would begin an output of its own
print(value if isinstance(value, str) and len(value.splitlines()) == 1 else "")
PYTHON
}

if [ -n "${GITHUB_OUTPUT:-}" ]; then
  {
    echo "result=$result"
    echo "report=$report"
    echo "errands=$errands"
    echo "findings=$findings"
    printf 'sarif=%s\n' "${sarif//$'\n'/}"
    for key in state promotion release digest; do
      echo "$key=$(field "$key")"
    done
  } >> "$GITHUB_OUTPUT"
fi
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  {
    echo "### f0ci $INPUT_COMMAND: exit $result"
    echo
    # indented, so that nothing in it can end the block
    head -c 100000 "$report" | sed 's/^/    /'
    echo
  } >> "$GITHUB_STEP_SUMMARY"
fi
if [ -n "$errands" ] && [ "${INPUT_NEUTRAL_WAITING:-true}" = true ]; then
  echo "::notice::something is left to be done by 'f0ci errands' in a job without a token"
  exit 0
fi
if [ "$result" -eq 5 ] && [ "${INPUT_NEUTRAL_WAITING:-true}" = true ]; then
  echo "::notice::waiting; run promote --continue later"
  exit 0
fi
exit "$result"
