#!/usr/bin/env bash
# Takes back what rollout.sh applied: the undo of every result in a run directory, the latest first.
#
# usage: rollback.sh RUN_DIR [--yes] [--profile P] [--guardrail-profile P] [--guardrail-role ARN] [--accept ID]...
#
#   --yes                    apply without asking; needed when there is no terminal to ask on
#   --profile P              credentials of the account that was rolled out over [default: the environment's]
#   --guardrail-profile P    credentials of the organization's management account, for ssm-scp
#   --guardrail-role ARN     role, {account} in its ARN, that may read IAM in the accounts that a guardrail binds again
#   --accept ID              accept this risk, which ssm-scp apply named; repeat for several
#
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
# shellcheck source=scripts/results.sh
. "$here/results.sh"

while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage ;;
    --yes) yes=1 ;;
    --profile | --guardrail-profile | --guardrail-role | --accept)
        [ -n "${2:-}" ] || die "$1 wants a value"
        case $1 in
        --profile) profile=$2 ;;
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

# Undoes one result file; a run over several regions has several results in it.
undo() {
    local result=$1 base=${1%.result.json} tool credentials=$profile n_try=1 try status=0 more=()
    say "== ${base#"$run_dir"/}"
    if [ -e "$base.undone.json" ]; then say "  undone already" && return; fi
    if [ ! -s "$result" ] || ! jq . "$result" >/dev/null 2>&1; then
        # `apply` prints its result even after an error or Ctrl-C; only a killed one leaves nothing.
        say "  apply ended without a result: what it wrote is unknown, look with the tool's check" && unknown=1 && return
    fi
    jq -cs 'reverse[] | .undo | values' "$result" >"$base.undo.json"
    if [ ! -s "$base.undo.json" ]; then say "  nothing to undo" && return; fi
    tool=$(jq -rs 'map(.tool) | unique | join(" ")' "$base.undo.json")
    case $tool in
    ssm-scp)
        credentials=${guardrail_profile:-$profile}
        more=(${guarding[@]+"${guarding[@]}"})
        ;;
    ssm-agentcheck | ssm-role | ssm-prefs | ssm-events) ;;
    *) die "$result: '$tool' is none of the tools that have an undo" ;; # A run directory must not choose what is run.
    esac
    jq -r '"  \(.target.account)/\(.target.region)", (.changes[] | "    \(.action) \(.resource)")
        | gsub("[\u0000-\u001f\u007f-\u009f]"; "?")' "$base.undo.json" >&2
    confirm "${base##*/}" "Undo these $(jq -s 'map(.changes | length) | add' "$base.undo.json") changes?" "$yes"

    while try=$base.undo-$n_try.json && [ -e "$try" ]; do n_try=$((n_try + 1)); done
    "$tool" apply -o json ${credentials:+--profile "$credentials"} ${more[@]+"${more[@]}"} \
        <"$base.undo.json" >"$try" || status=$?
    list_failures "$try"
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
