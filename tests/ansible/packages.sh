#!/usr/bin/env bash
# Installs the system packages that tests need and that are missing. Changes nothing else.
#
# exit: 0 everything is there, 1 something is missing and cannot be installed
set -euo pipefail

# Debian's names. PyPI has no rpm: the one package of that name only binds to an installed one.
missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need busybox busybox
need rpm rpm
need rpmbuild rpm
need dpkg-deb dpkg
need gpg gnupg
need nsenter util-linux
need unshare util-linux
# The shells for which the tools print completions, and in which newcomers paste commands.
need zsh zsh
need fish fish

[ ${#missing[@]} -gt 0 ] || exit 0
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    printf 'packages: the tests need %s; install them as root\n' "${missing[*]}" >&2
    exit 1
fi
# Tests run beside each other, and apt-get waits for nobody.
exec 9>"${TMPDIR:-/tmp}/ssm-packages.lock"
flock 9
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
