# shellcheck shell=bash
# What rollout.sh, phase.sh and rollback.sh share: telling people things, asking them, being stopped, and reading records. Sourced
# by them.

say() { printf '%s\n' "$*" >&2; }

die() {
    say "${program:-$(basename -- "$0" .sh)}: $*"
    exit 2
}

# Prints the comment at the head of a script as its help.
usage() {
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"
    exit 0
}

# Asks a question on the terminal; anything but yes ends the script, and so does a missing terminal without --yes.
confirm() {
    local what=$1 question=$2 yes=$3 answer=''
    [ -z "$yes" ] || return 0
    if [ ! -t 0 ] || [ ! -t 2 ]; then
        die "$what: there is no terminal to ask on; pass --yes to apply, to make YES=1 (nothing was written for it)"
    fi
    read -r -p "$question [y/N] " answer || true
    case $answer in y | Y | yes) ;; *) die "$what: not applied" ;; esac
}

# -- Signals. SIGTERM and SIGHUP stop a script as Ctrl-C does. One that was ignored at the start, as SIGHUP is under nohup, stays
# ignored: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#trap.
#
# A shell runs no trap before the command in its foreground has ended. What takes long is therefore started by `attend`, and the
# trap passes the signal on and waits for its end. Ctrl-C reaches every process of a terminal, but kill, timeout(1), systemd and
# a closed terminal reach one, some or all of them. So that one stop never counts for two, of which the second makes a tool give
# up the call in flight, a tool hears Ctrl-C and what is passed on, and nothing else.
stopped='' # The exit status that the first signal asks for.
child='' child_hears='' n_signals=0 quiet_until=0
tool_hears=INT
# Somebody who started this in the background of a script has had SIGINT ignored, by the tools as well.
[ -z "$(trap -p INT)" ] || tool_hears=TERM

stop_on_signals() {
    trap 'on_signal 130' INT
    trap 'on_signal 143' TERM
    trap 'on_signal 129' HUP
}

on_signal() {
    n_signals=$((n_signals + 1))
    stopped=${stopped:-$1}
    [ -n "$child_hears" ] || exit "$stopped"
    if [ "$1" -ne 130 ]; then pass_on; fi
}

pass_on() {
    if [ -z "$child" ] || [ "$SECONDS" -lt "$quiet_until" ]; then return 0; fi # A bare return fails, with the status of the wait.
    quiet_until=$((SECONDS + 2))
    kill -s "$child_hears" "$child" 2>/dev/null || true
}

# Prints the ids of all processes that one has started, and they in turn.
descendants() {
    ps -A -o pid= -o ppid= | awk -v top="$1" '{ parent[$1] = $2 }
        END { for (pid in parent) { for (up = parent[pid]; up in parent && up != top; up = parent[up]) ; if (up == top) print pid } }'
}

# Runs a program that hears of a stop by this signal, and waits for its end. Ends with its status, or without running it with
# that of a stop before. What has to be done before this script ends, too, is up to who called it.
attend() {
    local status=0 seen=$n_signals
    child_hears=$1
    shift
    if [ -n "$stopped" ]; then child_hears='' && return "$stopped"; fi
    (
        trap - INT # Shells have what they start in the background ignore it.
        case $child_hears in
        INT) trap '' TERM HUP ;;
        "$tool_hears") trap '' HUP ;;
        esac
        exec "$@"
    ) <&0 &
    child=$!
    [ "$n_signals" -eq "$seen" ] || [ "$stopped" -eq 130 ] || pass_on
    # A signal ends the waiting before its trap has run, with a status that may be the program's as well.
    while
        status=0
        wait "$child" || status=$?
        kill -0 "$child" 2>/dev/null
    do :; done
    if [ "$status" -gt 128 ]; then status=0 && wait "$child" || status=$?; fi
    child='' child_hears=''
    return "$status"
}

# Runs a tool. One that was told to stop ends with 130, 143 or 129 after it has printed what it did; then this script stops, too.
attend_tool() {
    local status=0
    attend "$tool_hears" "$@" || status=$?
    if is_stop "$status"; then stopped=${stopped:-$status}; fi
    return "$status"
}

is_stop() { case $1 in 129 | 130 | 143) ;; *) return 1 ;; esac }

# Makes a directory for what nobody else may read, or refuses one in which somebody else could have what is written go elsewhere.
private_directory() {
    local link others
    umask 077
    mkdir -p -- "$1" || exit 2
    link=$(find "$1/" -maxdepth 2 -type l -print 2>/dev/null | head -n 1)
    [ -z "$link" ] || die "$link is a symbolic link: nothing is written through it"
    others=$(find "$1/" -prune \( -perm -002 -o ! -user "$(id -u)" \))
    # What root is given, as in a container, often is another's.
    if [ -n "$others" ] && { [ "$(id -u)" -ne 0 ] || [ -n "$(find "$1/" -prune -perm -002)" ]; }; then
        die "$1 is open to others: they could have what is written there go elsewhere"
    fi
}

# Lets one run at a time work in a directory: until this shell and all that it starts have ended. Without flock(1), as on
# macOS, nobody watches.
lock() {
    command -v flock >/dev/null || return 0
    exec 9>"$1/lock"
    flock -n 9 || { say "waiting for another run in $1" && attend TERM flock 9; } || exit "${stopped:-2}"
}

# Lists what failed and why. Control characters become '?', as names on AWS may hold terminal escapes.
list_failures() {
    jq -r '.results[]? | select(.error != null) | "  \(.status) \(.action) \(.resource): \(.error)"
        | gsub("[\u0000-\u001f\u007f-\u009f]"; "?")' "$1" >&2 || true
}

# 3 done, 1 unchanged
tally() { jq -rs '[.[].results[]?.status] | group_by(.) | map("\(length) \(.[0])") | join(", ")' "$1"; }

# Lists findings, one line each.
list_findings() {
    jq -r 'select(.kind == "finding") | "  \(.severity) \(.id) [\(.target.region? // "-")] \(.resource): \(.message)"
        | gsub("[\u0000-\u001f\u007f-\u009f]"; "?")' "$1" >&2
}

# 2 errors, 1 warnings, 0 infos
count_findings() {
    jq -rs '[.[] | .severity // empty] | "\(map(select(. == "error")) | length) errors, " +
        "\(map(select(. == "warning")) | length) warnings, \(map(select(. == "info")) | length) infos"' "$1"
}

# Lists which accounts and regions could not be reached, and fails if there are none.
list_unreachable() {
    local unreachable
    unreachable=$(jq -r 'select(.kind == "unreachable") | "  unreachable \(.target.account)/\(.target.region): \(.error)"
        | gsub("[\u0000-\u001f\u007f-\u009f]"; "?")' "$1") && [ -n "$unreachable" ] && say "$unreachable"
}

# Whether something was tried and went wrong, or was refused.
has_failures() {
    jq -es 'any(.[]; .kind == "finding" and .id == "scp.lockout.risk"
        or any(.results[]?; .status == "failed" or .status == "skipped" or .status == "unknown"))' "$1" >/dev/null
}

has_errors() { jq -es 'any(.[]; .severity == "error")' "$1" >/dev/null; }

n_changes() { jq -s 'map(.changes // [] | length) | add // 0' "$1"; }

# 3 changes in 2 of 40 places
count_changes() {
    jq -rs 'map(select(.kind == "plan")) as $plans | map(select(.kind == "unreachable")) as $lost
        | "\($plans | map(.changes | length) | add // 0) changes in \($plans | map(select(.changes != [])) | length)" +
        " of \($plans | length) places" + if $lost == [] then "" else ", \($lost | length) unreachable" end' "$1"
}
