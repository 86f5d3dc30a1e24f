# shellcheck shell=bash
# What rollout.sh, phase.sh and rollback.sh share: telling people things, asking them, and reading records. Sourced by them.

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

# Lets one run at a time work in a directory: until this shell and all that it starts have ended. Without flock(1), as on
# macOS, nobody watches.
lock() {
    command -v flock >/dev/null || return 0
    exec 9>"$1/lock"
    flock -n 9 || { say "waiting for another run in $1" && flock 9; }
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
