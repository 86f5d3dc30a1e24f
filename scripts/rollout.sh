#!/usr/bin/env bash
# Rolls AWS Systems Manager out, phase by phase, and keeps what is needed to go back. The phases, their order and what
# they do are rollout.mk's; this takes nothing for done that an earlier run did, and asks AWS about every phase again.
#
# usage: rollout.sh [--run-dir DIR] [--desired DIR] [--yes] [--region R]... [--profile P]
#                   [--accounts FILE|org --assume-role ARN [--external-id env:NAME|file:PATH]]
#                   [--guardrail-profile P] [--guardrail-role ARN] [--accept ID]... [--only PHASE,..]
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
# go on. A run directory that holds attempts gets another one; no file of an attempt is ever overwritten, because results
# hold the undo that rollback.sh applies. `make -f rollout.mk ROLLOUT_DIR=DIR` goes on in the same directory.
#
# exit: 0 done, 1 verify found errors, 2 stopped by an error or for want of a yes, or something was out of reach,
#       130 stopped by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP: the tool in flight has ended its call and printed its result
set -euo pipefail

here=$(cd -- "$(dirname -- "$0")" && pwd)
run_dir=''
# shellcheck source=scripts/results.sh
. "$here/results.sh"

# All that rollout.mk reads comes from the flags, and nothing from a make around this one.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEFILES ROLLOUT_STEP
export ROLLOUT_SCRIPTS=$here ROLLOUT_DIR='' DESIRED='' PROFILE='' REGIONS='' ACCOUNTS='' ASSUME_ROLE='' EXTERNAL_ID='' \
    GUARDRAIL_PROFILE='' GUARDRAIL_ROLE='' ACCEPT='' ONLY='' FRESH=1 YES=''

while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage ;;
    --yes) YES=1 && shift && continue ;;
    -*) [ -n "${2:-}" ] || die "$1: unknown argument, or its value is missing; see --help" ;;
    esac
    case $1 in
    --run-dir) run_dir=$2 ;;
    --desired) DESIRED=$2 ;;
    --region) REGIONS=${REGIONS:+$REGIONS,}$2 ;;
    --profile) PROFILE=$2 ;;
    --accounts) ACCOUNTS=$2 ;;
    --assume-role) ASSUME_ROLE=$2 ;;
    --external-id) EXTERNAL_ID=$2 ;;
    --guardrail-profile) GUARDRAIL_PROFILE=$2 ;;
    --guardrail-role) GUARDRAIL_ROLE=$2 ;;
    --accept) ACCEPT=$ACCEPT$2$'\n' ;;
    --only) ONLY=${ONLY:+$ONLY,}$2 ;;
    *) die "unknown argument '$1', see --help" ;;
    esac
    shift 2
done

# GNU make is called gmake where another make came first.
make=$(command -v gmake || command -v make) || die "GNU make is not in PATH"
ROLLOUT_DIR=${run_dir:-run/$(date -u +%Y%m%dT%H%M%SZ)}
case $ROLLOUT_DIR in /*) ;; *) ROLLOUT_DIR=$PWD/$ROLLOUT_DIR ;; esac
rm -f -- "$ROLLOUT_DIR/status"

stop_on_signals
status=0
attend TERM "$make" --no-print-directory -f "$here/rollout.mk" rollout-apply || status=$?
# Make itself ends with 2 whatever went wrong; the phase that stopped has left its own status.
if [ "$status" -eq 2 ]; then status=$(cat -- "$ROLLOUT_DIR/status" 2>/dev/null || echo 2); fi
if is_stop "$status"; then stopped=${stopped:-$status}; fi
if [ -n "$stopped" ]; then
    say "rollout: interrupted; run again with --run-dir '$ROLLOUT_DIR', or go back with rollback.sh"
    exit "$stopped"
fi
case $status in 0 | 1) exit "$status" ;; *) exit 2 ;; esac
