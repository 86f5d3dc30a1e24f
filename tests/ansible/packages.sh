#!/usr/bin/env bash
# Installs the system packages whose commands tests need and that are missing. Changes nothing else.
#
# usage: packages.sh [COMMAND..]        (default: what the tests of Ansible and of the scan need)
#
# exit: 0 everything is there, 1 something is missing and cannot be installed
set -euo pipefail
commands=("$@")
# PyPI has no rpm: the one package of that name only binds to an installed one.
[ $# -gt 0 ] || commands=(busybox rpm rpmbuild dpkg-deb gpg nsenter unshare)

# Prints the package of each command that is missing, by Debian's names.
missing() {
    local command
    for command in "${commands[@]}"; do
        command -v "$command" >/dev/null && continue
        case $command in
        rpmbuild) echo rpm ;;
        dpkg-deb) echo dpkg ;;
        gpg) echo gnupg ;;
        nsenter | unshare) echo util-linux ;;
        *) echo "$command" ;;
        esac
    done | sort -u
}
[ -n "$(missing)" ] || exit 0
if [ "$(id -u)" -ne 0 ] && command -v apt-get >/dev/null && sudo -n true 2>/dev/null; then exec sudo -n "$0" "$@"; fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    printf 'packages: the tests need %s; install them as root\n' "$(missing | paste -sd' ' -)" >&2
    exit 1
fi
# Tests run beside each other, and apt-get waits for nobody. Another one may have installed it meanwhile.
exec 9>"${TMPDIR:-/tmp}/ssm-packages.lock"
flock 9
mapfile -t packages < <(missing)
[ ${#packages[@]} -gt 0 ] || exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
