# shellcheck shell=bash
# What the scripts share: messages, questions, private directories, and reading records. Sourced by them.

# shellcheck source=scripts/signals.sh
. "${BASH_SOURCE[0]%/*}/signals.sh"

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

# Has phases done again after one of them changed something: that one, those which depend on what it changed, verify and probe.
forget() {
    local phase
    for phase in "$2" verify probe $(case $2 in preferences) echo roles ;; roles) echo agents ;; esac); do
        rm -f -- "$1/$phase.plan.json" "$1/$phase.done"
    done
}

# Control characters become '?', as names on AWS may hold terminal escapes.
printable='gsub("[\u0000-\u001f\u007f-\u009f]"; "?")'

# Lists what failed and why.
list_failures() {
    jq -r '.results[]? | select(.error != null) | "  \(.status) \(.action) \(.resource): \(.error)" | '"$printable" "$1" >&2 || true
}

# Lists findings, one line each.
list_findings() {
    jq -r 'select(.kind == "finding")
        | "  \(.severity) \(.id) [\(.target.region? // "-")] \(.resource): \(.message)" | '"$printable" "$1" >&2
}

# Lists which accounts and regions could not be reached, and fails if there are none.
list_unreachable() {
    local unreachable
    unreachable=$(jq -r 'select(.kind == "unreachable")
        | "  unreachable \(.target.account)/\(.target.region): \(.error)" | '"$printable" "$1" 2>/dev/null) &&
        [ -n "$unreachable" ] && say "$unreachable"
}

# 3 done, 1 unchanged
tally() { jq -rs '[.[].results[]?.status] | group_by(.) | map("\(length) \(.[0])") | join(", ")' "$1"; }

# 1 change, 2 changes
counted() { echo "$1 $2$([ "$1" -eq 1 ] || echo s)"; }
# this change, these 2 changes
these() { if [ "$1" -eq 1 ]; then echo "this $2"; else echo "these $(counted "$1" "$2")"; fi; }
# The same of a number in jq.
# shellcheck disable=SC2016 # Of jq.
counted='def counted($noun): "\(.) \($noun)\(if . == 1 then "" else "s" end)";'

# Prints words as a shell takes them.
quoted() {
    local word words=''
    for word in "$@"; do
        case $word in '' | *[!A-Za-z0-9_./:@%+=,-]*) word="'${word//\'/\'\\\'\'}'" ;; esac
        words="$words $word"
    done
    echo "${words# }"
}

n_changes() { jq -s 'map(.changes // [] | length) | add // 0' "$1"; }

# 3 changes in 2 of 40 places
count_changes() {
    jq -rs "$counted"'map(select(.kind == "plan")) as $plans | map(select(.kind == "unreachable")) as $lost
        | "\($plans | map(.changes | length) | add // 0 | counted("change")) in \($plans | map(select(.changes != [])) | length)" +
        " of \($plans | length | counted("place"))" + if $lost == [] then "" else ", \($lost | length) unreachable" end' "$1"
}

# 2 errors, 1 warning, 0 infos
count_findings() {
    jq -rs "$counted"'[.[].severity? // empty] as $all | ["error", "warning", "info"]
        | map(. as $one | $all | map(select(. == $one)) | length | counted($one)) | join(", ")' "$1"
}
