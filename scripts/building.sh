# shellcheck shell=bash
# What the scripts that build with cargo share: how they stop. Sourced by them.

# shellcheck source=scripts/results.sh
. "${BASH_SOURCE[0]%/*}/results.sh"

# Prints the IDs of all processes that one has started, and they in turn.
descendants() {
    ps -A -o pid= -o ppid= | awk -v top="$1" '{ parent[$1] = $2 }
        END { for (pid in parent) { for (up = parent[pid]; up in parent && up != top; up = parent[up]) ; if (up == top) print pid } }'
}
# cargo leaves its compilers running when it is killed; Ctrl-C on a terminal would reach them.
pass_on() {
    local pid building
    [ -n "$child" ] || return 0
    building="$child $(descendants "$child")"
    for pid in $building; do kill "$pid" 2>/dev/null || true; done
    for pid in $building; do while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done; done
}
build() { attend TERM cargo "$@" || exit "${stopped:-$?}"; }
