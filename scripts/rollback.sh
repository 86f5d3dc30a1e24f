#!/usr/bin/env bash
# Takes back what rollout.sh applied: the undo of every result in a run directory, the latest first.
#
# usage: rollback.sh RUN_DIR [--yes] [--profile P] [--assume-role ARN [--external-id env:NAME|file:PATH]]
#                    [--guardrail-profile P] [--guardrail-role ARN] [--accept ID]...
#
#   --yes                    apply without asking; needed when there is no terminal to ask on
#   --profile P              credentials of the account that was rolled out over [default: the environment's]
#   --assume-role ARN        role, {account} in its ARN, to assume in each account that was rolled out over
#   --external-id FROM       external id for that role: env:NAME or file:PATH
#   --guardrail-profile P    credentials of the organization's management account, for ssm-scp
#   --guardrail-role ARN     role, {account} in its ARN, that may read IAM in the accounts that a guardrail binds again
#   --accept ID              accept this risk, which ssm-scp apply named; repeat for several
#
# What a killed apply did without saying so is told from what is there (apply --recover).
# Beside NN-name.result.json it writes NN-name.undone.json once all of it is undone, and NN-name.undo-N.json for a try
# that ended before that. What is undone already is passed over, so it may be run again after an error. Records are
# kept: a bucket or log group that holds data stays, and so does a key that they may be encrypted under.
#
# exit: 0 done, 2 stopped by an error or for want of a yes, 130 stopped by Ctrl-C
set -euo pipefail
umask 077

here=$(cd -- "$(dirname -- "$0")" && pwd)
run_dir='' yes='' profile='' guardrail_profile='' stopped='' unknown=''
guarding=() # What ssm-scp apply needs to look for people who would be locked out.
assuming=() # What the others need to get into other accounts.
# shellcheck source=scripts/results.sh
. "$here/results.sh"

while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage ;;
    --yes) yes=1 ;;
    --profile | --assume-role | --external-id | --guardrail-profile | --guardrail-role | --accept)
        [ -n "${2:-}" ] || die "$1 wants a value"
        case $1 in
        --profile) profile=$2 ;;
        --assume-role | --external-id) assuming+=("$1" "$2") ;;
        --guardrail-profile) guardrail_profile=$2 ;;
        --guardrail-role) guarding+=(--assume-role "$2") ;;
        --accept) guarding+=(--accept "$2") ;;
        esac
        shift
        ;;
    -*) die "unknown argument '$1', see --help" ;;
    *)
        [ -z "$run_dir" ] || die "one run directory at a time"
        run_dir=$1
        ;;
    esac
    shift
done

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
    *) die "$1: '$tool' is none of the tools that have an undo" ;; # A run directory must not choose what is run.
    esac
}

# Adds what a killed `apply` did without saying so: it prints a result for each plan, so a plan without one was in flight.
recover() {
    local base=$1 told=$2 tool credentials more status=0
    [ -s "$base.plan.json" ] || return 0
    jq -c --slurpfile told "$told" 'select(.kind == "plan" and .changes != []
        and (.target as $here | all($told[]; .target != $here)))' "$base.plan.json" >"$base.untold.json"
    if [ ! -s "$base.untold.json" ]; then rm -- "$base.untold.json" && return; fi
    tool_of_plans "$base.untold.json"
    say "  apply was killed before it told all of what it did; looking at what is there"
    "$tool" apply --recover -o json ${credentials:+--profile "$credentials"} ${more[@]+"${more[@]}"} \
        <"$base.untold.json" >"$base.recovered.json" || status=$?
    list_failures "$base.recovered.json"
    # What somebody else has changed since is told above, and is not this script's to undo.
    if [ "$status" -ne 0 ]; then unknown=1; fi
    cat -- "$base.recovered.json" >>"$told"
}

# Undoes one result file; a run over several accounts and regions has several results in it.
undo() {
    local result=$1 base=${1%.result.json} tool credentials n_try=1 try status=0 more=() phase
    say "== ${base#"$run_dir"/}"
    if [ -e "$base.undone.json" ]; then say "  undone already" && return; fi
    # The last line of a killed run may be cut.
    jq -cR 'fromjson? // empty' "$result" >"$base.told.json"
    recover "$base" "$base.told.json"
    jq -cs 'reverse[] | .undo | values' "$base.told.json" >"$base.undo.json"
    rm -- "$base.told.json"
    if [ ! -s "$base.undo.json" ]; then say "  nothing to undo" && return; fi
    tool_of_plans "$base.undo.json"
    jq -r '"  \(.target.account)/\(.target.region)", (.changes[] | "    \(.action) \(.resource)")
        | gsub("[\u0000-\u001f\u007f-\u009f]"; "?")' "$base.undo.json" >&2
    confirm "${base##*/}" "Undo these $(jq -s 'map(.changes | length) | add' "$base.undo.json") changes?" "$yes"

    # To make the phase is not done any more; what another made of its changes may be wrong, too.
    phase=${base##*/} && phase=${phase#[0-9][0-9]-}
    rm -f -- "$run_dir/$phase.plan.json" "$run_dir/$phase.done" "$run_dir/verify.done"
    if [ -e "$run_dir/$phase.changed" ]; then touch -- "$run_dir/$phase.changed"; fi
    while try=$base.undo-$n_try.json && [ -e "$try" ]; do n_try=$((n_try + 1)); done
    "$tool" apply -o json ${credentials:+--profile "$credentials"} ${more[@]+"${more[@]}"} \
        <"$base.undo.json" >"$try" || status=$?
    list_failures "$try"
    list_unreachable "$try" || true
    list_findings "$try" # What the lock-out guard of ssm-scp says.
    if [ "$status" -eq 130 ]; then stopped=1 && return; fi
    [ "$status" -eq 0 ] || die "$tool apply ended with status $status; what it did is in $try"
    mv -- "$try" "$base.undone.json"
    say "  undone: $(tally "$base.undone.json")"
}

[ -n "$run_dir" ] || die "no run directory given, see --help"
[ -d "$run_dir" ] || die "there is no directory $run_dir"
command -v jq >/dev/null || die "jq is not in PATH"
run_dir=$(cd -- "$run_dir" && pwd)
lock "$run_dir"

trap 'stopped=1' INT
shopt -s nullglob
results=("$run_dir"/attempt-*/*.result.json) # In the order of their numbers, as the names are padded.
for ((i = ${#results[@]} - 1; i >= 0; i--)); do
    # IAM and Organizations have no region of their own, but their endpoints are found by one. Plans name their own.
    region=$(cat -- "${results[i]%/*}/region" 2>/dev/null || true)
    if [ -n "$region" ]; then export AWS_REGION=$region; fi
    undo "${results[i]}"
    if [ -n "$stopped" ]; then say "rollback: interrupted; run again to go on" && exit 130; fi
done
[ "${#results[@]}" -gt 0 ] || say "rollback: nothing was applied in $run_dir"
[ -z "$unknown" ] || exit 2
