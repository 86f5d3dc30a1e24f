#!/usr/bin/env bash
# Rolls AWS Systems Manager out, phase by phase, and keeps what is needed to go back.
#
# usage: rollout.sh [--run-dir DIR] [--desired DIR] [--yes] [--region R]... [--profile P]
#                   [--accounts FILE|org --assume-role ARN [--external-id env:NAME|file:PATH]]
#                   [--guardrail-profile P] [--guardrail-role ARN] [--accept ID]... [--only PHASE,..]
#        rollout.sh make plan|apply|check|rollback [PHASE]     for rollout.mk, whose variables are in the environment
#
#   --run-dir DIR            keep plans, results and findings in DIR [default: run/<UTC time>]
#   --desired DIR            read {agent,role,prefs,scp,events}.json in DIR [default: rollout.d beside this script]
#   --yes                    apply without asking; needed when there is no terminal to ask on
#   --region R               work in this region, repeat or separate by commas, or all [default: AWS_REGION or the profile's]
#   --profile P              credentials of the account to roll out over [default: the environment's]
#   --accounts FILE|org      roll out over the accounts listed in FILE, or over all of the organization
#   --assume-role ARN        role, {account} in its ARN, to assume in each of them
#   --external-id FROM       external id for that role: env:NAME or file:PATH
#   --guardrail-profile P    credentials of the organization's management account, for the guardrail phase
#   --guardrail-role ARN     role, {account} in its ARN, that may read IAM in the accounts that the guardrail binds
#   --accept ID              accept this risk, which ssm-scp apply named; repeat for several
#   --only PHASE,..          run these phases, in this order
#
# Phases: preflight, inventory, preferences, roles, agents, guardrail, audit-trail, verify.
# A phase whose desired file is missing is skipped. What an account or region out of reach misses is told, and the others
# go on. This takes nothing for done that an earlier run did, and asks AWS about every phase again; `make -f rollout.mk
# ROLLOUT_DIR=DIR` goes on in the same directory. A run directory that holds attempts gets another one; no file of an
# attempt is ever overwritten, because results hold the undo that rollback.sh applies.
#
# exit: 0 done, 1 verify found errors, 2 stopped by an error or for want of a yes, or something was out of reach,
#       130 stopped by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP: the tool in flight has ended its call and printed its result
set -euo pipefail
umask 077 # Plans and results tell how an account is built.

# Preferences come before roles, as what roles must allow follows from them, and so that a node which roles brings online
# is logged and encrypted from its first session. The price: for the moment between the two phases, nodes that are online
# already have sessions refused.
phases="preflight inventory preferences roles agents guardrail audit-trail verify"
# The phase that a phase's plan is made anew for, when that one has changed something.
needed_by() { case $1 in roles) echo preferences ;; agents) echo roles ;; esac; }

here=$(cd -- "$(dirname -- "$0")" && pwd)
program=rollout from=$PWD from_make='' verb=apply dry='' at_once=''
only='' can='' dir='' desired_dir='' attempt='' base='' partial='' roles_file='' given=() worst=0 found=''
# shellcheck source=scripts/results.sh
. "$here/results.sh"
# shellcheck source=scripts/inputs.sh
. "$here/inputs.sh"
# shellcheck source=scripts/phase.sh
. "$here/phase.sh"

# All plans are made before the first is applied: it proves credentials, permissions to read and desired files.
plan_all() {
    local phase todo='' open=''
    # Preflight is that: all plans that there can be.
    case " $only " in *" preflight "*) todo=$can ;; *) for phase in $only; do ! can "$phase" || todo="$todo $phase"; done ;; esac
    # shellcheck disable=SC2086 # Phases.
    side_by_side plan_anew $todo
    [ "$worst" -eq 0 ] || exit "$worst"
    if [ "$verb" != plan ]; then return; fi
    for phase in $todo; do
        if is_fresh "$phase" 'done'; then
            say "$phase: done"
        elif [ -e "$phase.plan.json" ]; then
            say "$phase: $(count_changes "$phase.plan.json"), see $PWD/$phase.plan.json"
        fi
        [ ! -e "$phase.open" ] || open=1
    done
    # Phases go on where they can. Who asked for plans alone has not got all of them.
    if [ -n "$open" ]; then die "not everything could be reached; run again to try once more"; fi
}

# Does one phase after another that is not done yet, or whose inputs have changed since.
apply_all() {
    local phase open=''
    for phase in $only; do
        case $phase in
        preflight) continue ;;
        inventory | verify) is_fresh "$phase" 'done' || do_it "$phase" ;;
        *)
            can "$phase" || continue
            if is_fresh "$phase" 'done'; then continue; fi
            plan_anew "$phase"
            do_it apply "$phase"
            ;;
        esac
        if [ -e "$phase.open" ]; then open="$open $phase"; fi
    done
    if [ -n "$open" ]; then die "not everything could be reached in:$open; run again to try once more"; fi
    if [ ! -d "$attempt" ]; then say "rollout: nothing to be done"; fi
}

check_all() {
    # shellcheck disable=SC2086 # Phases.
    side_by_side check_anew $can
    if [ "$worst" -eq 1 ]; then found=1; fi
    return "$worst"
}

plan_anew() { is_fresh "$1" 'done' || is_fresh "$1" planned || do_it plan "$1"; }

check_anew() { do_it check "$1"; }

# Does some work on a phase, or only says so (make -n).
do_it() {
    partial=''
    if [ -n "$dry" ]; then say "$*"; else "$@"; fi
}

# Runs some work on phases, all at once with make -j, and sets `worst` to the worst status. Plans stop at the first that fails.
side_by_side() {
    local work=$1 phase pids=''
    shift
    worst=0 child_hears=TERM
    for phase in "$@"; do
        (
            trap - INT
            child='' child_hears=''
            stop_on_signals
            "$work" "$phase"
        ) <&0 &
        pids="$pids $!" child="$pids $!"
        if [ -n "$at_once" ]; then continue; fi
        wait_for_all "$!"
        pids=''
        if [ "$worst" -gt 1 ] && [ "$work" = plan_anew ]; then break; fi
    done
    wait_for_all "$pids"
    child='' child_hears=''
    [ -z "$stopped" ] || exit "$stopped"
}
wait_for_all() {
    local pid status
    for pid in $1; do
        status=0
        await "$pid" || status=$?
        if [ "$status" -gt "$worst" ]; then worst=$status; fi
    done
}

rollback() {
    local args=() name phase
    YES=$(is_yes)
    for phase in $only; do [ -z "$(tool_of "$phase")" ] || args+=(--only "$phase"); done
    [ -z "$YES" ] || args+=(--yes)
    for name in profile guardrail-profile guardrail-role assume-role external-id; do
        variable_of "$name"
        [ -z "${!variable}" ] || args+=("--$name" "${!variable}")
    done
    take_accepted
    if [ -n "$dry" ]; then say "rollback ${args[*]}" && return; fi
    exec "$here/rollback.sh" "${args[@]}" ${accepted[@]+"${accepted[@]}"} "$(absolute "$ROLLOUT_DIR")"
}

# The variable of rollout.mk that is the same as a flag.
variable_of() { variable=$(tr a-z- A-Z_ <<<"$1"); }

# Says how to go on after a stop, and lets nothing that was not foreseen pass for what verify found.
at_exit() {
    case $1 in
    0) ;;
    129 | 130 | 143) say "rollout: interrupted; run again with --run-dir '$dir', or go back with rollback.sh" ;;
    1) [ -n "$found" ] || exit 2 ;;
    *) exit 2 ;;
    esac
}

if [ "${1:-}" = make ]; then
    verb=${2:-} from_make=1
    [ -z "${3:-}" ] || ONLY=${phases%%"$3"*}$3 # Up to and including one.
    dry=${ROLLOUT_DRY:-} at_once=${ROLLOUT_AT_ONCE:-}
fi
# What rollout.mk has in the environment comes from the flags here, and from nowhere else.
for name in ROLLOUT_DIR DESIRED PROFILE REGIONS ACCOUNTS ASSUME_ROLE EXTERNAL_ID GUARDRAIL_PROFILE GUARDRAIL_ROLE ACCEPT ONLY YES FRESH; do
    if [ -n "$from_make" ]; then printf -v "$name" %s "${!name:-}"; else printf -v "$name" ''; fi
done
if [ -n "$from_make" ]; then shift $#; else FRESH=1; fi
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage ;;
    --yes) YES=1 && shift && continue ;;
    -*) [ -n "${2:-}" ] || die "$1: unknown argument, or its value is missing; see --help" ;;
    esac
    case $1 in
    --run-dir) ROLLOUT_DIR=$2 ;;
    --region) REGIONS=${REGIONS:+$REGIONS,}$2 ;;
    --accept) ACCEPT=$ACCEPT$2$'\n' ;;
    --only) ONLY=${ONLY:+$ONLY,}$2 ;;
    --desired | --profile | --accounts | --assume-role | --external-id | --guardrail-profile | --guardrail-role)
        variable_of "${1#--}"
        printf -v "$variable" %s "$2"
        ;;
    *) die "unknown argument '$1', see --help" ;;
    esac
    shift 2
done
if [ -z "$ROLLOUT_DIR" ]; then ROLLOUT_DIR=run/${from_make:+make}; fi
[ "$ROLLOUT_DIR" != run/ ] || ROLLOUT_DIR=run/$(date -u +%Y%m%dT%H%M%SZ)
only=${ONLY//,/ }
only=${only:-$phases}
for phase in $only; do case " $phases " in *" $phase "*) ;; *) die "unknown phase '$phase', expected $phases" ;; esac done

stop_on_signals
trap 'at_exit $?' EXIT
case $verb in plan | apply | check) take_inputs ;; esac
case $verb in
plan) plan_all ;;
apply)
    plan_all
    apply_all
    ;;
check) check_all ;;
rollback) rollback ;;
*) usage ;;
esac
