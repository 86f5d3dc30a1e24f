#!/usr/bin/env bash
# Takes back what rollout.sh applied: the undo of every result in run directories, the latest first.
#
# usage: rollback.sh RUN_DIR... [--only PHASE,..] [--yes] [--profile P] [--assume-role ARN [--external-id env:NAME|file:PATH]]
#                    [--guardrail-profile P] [--guardrail-role ARN] [--accept ID]...
#
#   RUN_DIR...               several are undone in this order: give the newest first
#   --only PHASE,..          undo these phases only: preferences, roles, agents, guardrail, audit-trail
#   --yes                    apply without asking; needed when there is no terminal to ask on
#   --profile P              credentials of the account that was rolled out over [default: the environment's]
#   --assume-role ARN        role, {account} in its ARN, to assume in each account that was rolled out over
#   --external-id FROM       external ID for that role: env:NAME or file:PATH
#   --guardrail-profile P    credentials of the organization's management account, for ssm-scp
#   --guardrail-role ARN     role, {account} in its ARN, that may read IAM in the accounts that a guardrail binds again
#   --accept ID              accept this risk, which ssm-scp apply named; repeat for several
#
# No phase waits for another: what cannot be undone is listed at the end with its reason, and all the rest is undone. What an
# apply did that was killed, or that left no whole result, is read from what is there (apply --recover).
# Beside NN-name.result.json it writes NN-name.undone.json once all of it is undone, and NN-name.undo-N.json for a try
# that ended before that. What is undone already is passed over, so it may be run again after an error. Records are
# kept, which is not an error: a bucket, log group or queue that holds some, and a key that they may be encrypted under.
#
# exit: 0 done, 2 something could not be undone, not confirmed, 130 stopped by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP:
#       the tool in flight has ended its call and printed its result
set -euo pipefail
umask 077

here=$(cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
run_dirs=() only='' yes='' profile='' guardrail_profile=''
guarding=() # What ssm-scp apply needs to look for people who would be locked out.
assuming=() # What the others need to get into other accounts.
left=()     # What could not be undone, and why.
# shellcheck source=scripts/results.sh
. "$here/results.sh"

while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage ;;
    --yes) yes=1 ;;
    --only | --profile | --assume-role | --external-id | --guardrail-profile | --guardrail-role | --accept)
        [ -n "${2:-}" ] || die "$1 wants a value"
        case $1 in
        --only) only="$only ${2//,/ }" ;;
        --profile) profile=$2 ;;
        --assume-role | --external-id) assuming+=("$1" "$2") ;;
        --guardrail-profile) guardrail_profile=$2 ;;
        --guardrail-role) guarding+=(--assume-role "$2") ;;
        --accept) guarding+=(--accept "$2") ;;
        esac
        shift
        ;;
    -*) die "unknown argument '$1', see --help" ;;
    *) run_dirs+=("$1") ;;
    esac
    shift
done
for phase in $only; do
    case $phase in
    preferences | roles | agents | guardrail | audit-trail) ;;
    *) die "unknown phase '$phase', expected preferences, roles, agents, guardrail or audit-trail" ;;
    esac
done

# Remembers what could not be undone, for the end.
leave() {
    say "  $2"
    left+=("$1: $2")
}

# Finds the tool of the plans in a file, and what it needs to get into their accounts.
tool_of_plans() {
    tool=$(jq -rs 'map(.tool) | unique | join(" ")' "$1")
    credentials=$profile
    case $tool in
    ssm-scp)
        credentials=${guardrail_profile:-$profile}
        more=(${guarding[@]+"${guarding[@]}"})
        ;;
    ssm-agentcheck | ssm-role | ssm-prefs | ssm-events) more=(${assuming[@]+"${assuming[@]}"}) ;;
    *) leave "$name" "'$tool' is none of the tools that have an undo" && return 1 ;; # A run directory must not choose what is run.
    esac
    command -v "$tool" >/dev/null || { leave "$name" "$tool is not in PATH" && return 1; }
}

# Runs the tool over plans; its status is that of the tool. The result of one that was stopped is kept like any other.
apply() {
    local plans=$1 into=$2 status=0
    shift 2
    attend_tool "$tool" apply "$@" -o json ${credentials:+--profile "$credentials"} ${more[@]+"${more[@]}"} <"$plans" >"$into" || status=$?
    list_failures "$into"
    list_unreachable "$into" || true
    list_findings "$into" # What the lock-out guard of ssm-scp says.
    return "$status"
}

# Adds what an `apply` did without saying so: it prints a result for each plan, so a plan without one was in flight.
recover() {
    local reported=$1 tool credentials more status=0
    [ -s "$base.plan.json" ] || return 0
    jq -c --slurpfile reported "$reported" 'select(.kind == "plan" and .changes != []
        and (.target as $here | all($reported[]; .target != $here)))' "$base.plan.json" >"$base.unreported.json"
    if [ ! -s "$base.unreported.json" ]; then rm -- "$base.unreported.json" && return; fi
    tool_of_plans "$base.unreported.json" || return 0
    say "  apply ended before it reported all of what it did; looking at what is there"
    apply "$base.unreported.json" "$base.recovered.json" --recover || status=$?
    [ -z "$stopped" ] || interrupted
    # What somebody else has changed since is reported above, and is not this script's to undo.
    if [ "$status" -ne 0 ]; then leave "$name" "not all of what an apply did that left no result is known, see above"; fi
    jq -cR 'fromjson? // empty' "$base.recovered.json" >>"$reported"
}

# Undoes what was applied by one plan of a run; over several accounts and regions, it has several results.
undo() {
    local base=$1 name tool credentials n_try=1 try status=0 more=() phase
    name=${base#"$run_dir"/}
    [ ${#run_dirs[@]} -eq 1 ] || name=${run_dir##*/}/$name
    phase=${base##*/} && phase=${phase#[0-9][0-9]-}
    if [ -n "$only" ]; then case " $only " in *" $phase "*) ;; *) return 0 ;; esac fi
    say "== $name"
    if [ -e "$base.undone.json" ]; then say "  undone already" && return; fi
    # The last line of a killed run may be cut, or all of it missing. Of a call that was given up nobody has checked what it did.
    : >"$base.reported.json"
    if [ -e "$base.result.json" ]; then
        jq -cR 'fromjson? // empty | objects | select(.kind == "unreachable"
            or (.kind == "result" and all(.results[]; .status != "unknown")))' "$base.result.json" >"$base.reported.json"
    fi
    recover "$base.reported.json"
    jq -cs 'reverse[] | .undo | values' "$base.reported.json" >"$base.undo.json"
    rm -- "$base.reported.json"
    if [ ! -s "$base.undo.json" ]; then say "  nothing to undo" && return; fi
    tool_of_plans "$base.undo.json" || return 0
    jq -r '"  \(.target.account)/\(.target.region)", (.changes[] | "    \(.action) \(.resource)") | '"$printable" "$base.undo.json" >&2
    confirm "${base##*/}" "Undo $(these "$(n_changes "$base.undo.json")" change)?" "$yes"

    while try=$base.undo-$n_try.json && [ -e "$try" ]; do n_try=$((n_try + 1)); done
    forget "$run_dir" "$phase"
    apply "$base.undo.json" "$try" || status=$?
    [ -z "$stopped" ] || interrupted
    if [ "$status" -ne 0 ]; then
        leave "$name" "$(reasons "$try")$tool apply ended with status $status; what it did is in $try"
        return
    fi
    mv -- "$try" "$base.undone.json"
    say "  undone: $(tally "$base.undone.json")"
    jq -r '.results[]? | select(.status == "kept")
        | "  kept \(.resource)\(if .error then ": \(.error)" else "" end)" | '"$printable" "$base.undone.json" >&2
}

# Why a try did not undo everything, in front of what else is said about it; skipped changes only wait for the failed ones.
reasons() {
    jq -rs '[.[].results[]? | select(.status == "failed" or .status == "unknown") | "\(.action) \(.resource): \(.error)"]
        + [.[] | select(.kind == "unreachable") | "\(.target.account)/\(.target.region): \(.error)"]
        + [.[] | select(.id? == "scp.lockout.risk") | "\(.resource): \(.message) (\(.fix))"]
        | map('"$printable"' + "; ") | join("")' "$1"
}

interrupted() {
    say "rollback: interrupted; run again to go on"
    exit "$stopped"
}

[ ${#run_dirs[@]} -gt 0 ] || die "no run directory given, see --help"
for run_dir in "${run_dirs[@]}"; do [ -d "$run_dir" ] || die "there is no directory $run_dir"; done
command -v jq >/dev/null || die "jq is not in PATH"
stop_on_signals
shopt -s nullglob
for run_dir in "${run_dirs[@]}"; do
    run_dir=$(cd -- "$run_dir" && pwd)
    private_directory "$run_dir"
    lock "$run_dir"
    files=("$run_dir"/attempt-*/*.json) # In the order of their numbers, as the names are padded; each base in a row.
    n_applied=0 last=''
    for ((i = ${#files[@]} - 1; i >= 0; i--)); do
        case ${files[i]} in
        *.result.json) base=${files[i]%.result.json} ;;
        *.plan.json) base=${files[i]%.plan.json} && [ "$(n_changes "${files[i]}")" -gt 0 ] || continue ;;
        *) continue ;;
        esac
        [ "$base" != "$last" ] || continue
        last=$base n_applied=$((n_applied + 1))
        # IAM and Organizations have no region of their own, but their endpoints are found by one. Plans name their own.
        region=$(cat -- "${base%/*}/region" 2>/dev/null || true)
        if [ -n "$region" ]; then export AWS_REGION=$region; fi
        undo "$base"
    done
    [ "$n_applied" -gt 0 ] || say "rollback: nothing was applied in $run_dir"
done
if [ ${#left[@]} -gt 0 ]; then
    say "rollback: not everything is undone; see to this and run again:"
    for one in "${left[@]}"; do say "  $one"; done
    exit 2
fi
