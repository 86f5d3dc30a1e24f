# shellcheck shell=bash
# How scripts stop. Sourced by results.sh.
#
# SIGTERM and SIGHUP stop a script as Ctrl-C does. One that was ignored at the start, as SIGHUP is under nohup, stays
# ignored: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#trap.
#
# A shell runs no trap before the command in its foreground has ended. What takes long is therefore started by `attend`, and the
# trap passes the signal on and waits for its end. Ctrl-C reaches every process of a terminal, but kill, timeout(1), systemd and
# a closed terminal reach one, some or all of them. So that one stop never counts for two, of which the second makes a tool give
# up the call in flight, a tool hears Ctrl-C and what is passed on, and nothing else.
stopped='' # The exit status that the first signal asks for.
child='' child_hears='' quiet_until=0
tool_hears=INT
# Somebody who started this in the background of a script has had SIGINT ignored, by the tools as well.
[ -z "$(trap -p INT)" ] || tool_hears=TERM

stop_on_signals() {
    trap 'on_signal 130' INT
    trap 'on_signal 143' TERM
    trap 'on_signal 129' HUP
}

on_signal() {
    stopped=${stopped:-$1}
    [ -n "$child_hears" ] || exit "$stopped"
    if [ "$1" -ne 130 ]; then pass_on; fi
}

pass_on() {
    if [ -z "$child" ] || [ "$SECONDS" -lt "$quiet_until" ]; then return 0; fi # A bare return fails, with the status of the wait.
    quiet_until=$((SECONDS + 2))
    # shellcheck disable=SC2086 # There may be several.
    kill -s "$child_hears" $child 2>/dev/null || true
}

# Runs a program that gets a stop by this signal, and waits for its end. Ends with its status, or without running it with
# that of a stop before. What has to be done before this script ends, too, is up to the caller.
attend() {
    local status=0
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
    case $stopped in 143 | 129) pass_on ;; esac # It came while there was no child yet.
    await "$child" || status=$?
    child='' child_hears=''
    return "$status"
}

# Waits for the end of everything given, whatever signals come, and ends with the worst status.
await() {
    local pid status worst=0
    for pid in "$@"; do
        # A signal ends the waiting before its trap has run, with a status that may be the program's as well.
        while status=0 && { wait "$pid" || status=$?; } && kill -0 "$pid" 2>/dev/null; do :; done
        if [ "$status" -gt 128 ]; then status=0 && wait "$pid" || status=$?; fi
        if [ "$status" -gt "$worst" ]; then worst=$status; fi
    done
    return "$worst"
}

# Runs a tool. One that was stopped ends with 130, 143 or 129 after it has printed what it did; then this script stops, too.
attend_tool() {
    local status=0
    attend "$tool_hears" "$@" || status=$?
    case $status in 129 | 130 | 143) stopped=${stopped:-$status} ;; esac
    return "$status"
}
