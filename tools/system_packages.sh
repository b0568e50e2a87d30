#!/bin/sh
# Installs the Debian packages that the demo or the tests use, where that is allowed; else says what is missing.
# Usage: system_packages.sh demo|test [further packages]
set -eu

missing=""
need() { # command, package, what is lost without it
    PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null 2>&1 && return
    missing="$missing $2"
    echo "missing: $1 (package $2): $3"
}
need_file() { # file, package, what is lost without it
    [ -f "$1" ] && return
    missing="$missing $2"
    echo "missing: $1 (package $2): $3"
}

purpose="$1"
shift
need git git "everything"
need ssh-keygen openssh-client "approvals cannot be signed; tests of them are skipped"
if [ "$purpose" = test ]; then
    need cc gcc "the reader of YAML in C is not built, and the one in Python takes its place"
    headers="$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))' 2>/dev/null || echo /usr/include)"
    need_file "$headers/Python.h" python3-dev "the reader of YAML in C is not built, and the one in Python takes its place"
    need_file /usr/include/yaml.h libyaml-dev "a test of how libyaml is laid out is skipped"
    need gpg gnupg "tests of approvals signed with OpenPGP are skipped"
    need age age "tests of secrets that the age program encrypted are skipped"
    need openssl openssl "tests over TLS are skipped"
    need sshd openssh-server "tests over SSH are skipped"
    need prometheus prometheus "tests of metrics from a real Prometheus are skipped"
    need haproxy haproxy "tests of traffic through a real proxy, and of the example for HAProxy, are skipped"
    need pg_ctlcluster postgresql "tests of runs on many machines are skipped"
    need curl curl "the walk through rollouts of the docs is not tried"
    need rsync rsync "tests that run a GitLab pipeline are skipped"
    need java default-jre-headless "tests that compile a Jenkinsfile are skipped"
    need groovy groovy "tests that compile a Jenkinsfile are skipped"
fi
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
