# shellcheck shell=bash
# What rollout.sh and rollback.sh share: telling people things, asking them, and reading result files. Sourced by both.

say() { printf '%s\n' "$*" >&2; }

die() {
    say "$(basename -- "$0" .sh): $*"
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
        die "$what: there is no terminal to ask on; pass --yes to apply (nothing was written for it)"
    fi
    read -r -p "$question [y/N] " answer || true
    case $answer in y | Y | yes) ;; *) die "$what: not applied" ;; esac
}

# Lists what failed and why. Control characters become '?', as names on AWS may hold terminal escapes.
list_failures() {
    jq -r '.results[]? | select(.error != null) | "  \(.status) \(.action) \(.resource): \(.error)"
        | gsub("[\u0000-\u001f\u007f-\u009f]"; "?")' "$1" >&2 || true
}

# 3 done, 1 unchanged
tally() { jq -rs '[.[].results[].status] | group_by(.) | map("\(length) \(.[0])") | join(", ")' "$1"; }

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
