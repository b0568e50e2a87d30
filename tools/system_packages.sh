#!/bin/sh
# Installs the Debian packages that tests and the demo use, where that is allowed; else says what is missing.
# Arguments: further packages that are needed.
set -eu

missing=""
need() { # command package why
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
    command -v "$1" >/dev/null 2>&1 || echo "missing: $1 (package $2): $3"
}

need git git "everything"
need ssh-keygen openssh-client "signed approvals; tests of them are skipped without it"
need gpg gnupg "approvals signed with OpenPGP; tests of them are skipped without it"
need sshd openssh-server "tests against a remote over ssh are skipped without it"
need openssl openssl "tests over TLS are skipped without it"
need prometheus prometheus "tests of metrics from a real Prometheus are skipped without it"
for package in "$@"; do
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    install="apt-get"
elif command -v apt-get >/dev/null 2>&1 && command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    install="sudo -n apt-get"
else
    echo "not allowed to install packages; ask an administrator for:$missing"
    exit 0
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$install update -qq >/dev/null || true
# shellcheck disable=SC2086 # the list is split on purpose
$install install -y -qq --no-install-recommends $missing >/dev/null || echo "could not install all of:$missing"
