#!/usr/bin/env bash
# Rolls AWS Systems Manager out over one account, phase by phase, and keeps what is needed to go back.
#
# usage: rollout.sh [--run-dir DIR] [--desired DIR] [--yes] [--region R]... [--profile P]
#                   [--guardrail-profile P] [--guardrail-role ARN] [--accept ID]... [--only PHASE,..]
#
#   --run-dir DIR            keep plans, results and findings in DIR [default: run/<UTC time>]
#   --desired DIR            read {agent,role,prefs,scp,events}.json in DIR [default: rollout.d beside this script]
#   --yes                    apply without asking; needed when there is no terminal to ask on
#   --region R               work in this region, repeat or separate by commas [default: AWS_REGION or the profile's]
#   --profile P              credentials of the account to roll out over [default: the environment's]
#   --guardrail-profile P    credentials of the organization's management account, for the guardrail phase
#   --guardrail-role ARN     role, {account} in its ARN, that may read IAM in the accounts that the guardrail binds
#   --accept ID              accept this risk, which ssm-scp apply named; repeat for several
#   --only PHASE,..          run these phases, in this order
#
# Phases: preflight, inventory, preferences, roles, agents, guardrail, audit-trail, verify.
# A phase whose desired file is missing is skipped. A run directory that holds attempts gets another one; no file is
# ever overwritten, because results hold the undo that rollback.sh applies.
#
# exit: 0 done, 1 verify found errors, 2 stopped by an error or for want of a yes, 130 stopped by Ctrl-C
set -euo pipefail
umask 077 # Plans and results tell how an account is built.

# Preferences come before roles, as what roles must allow follows from them, and so that a node which roles brings online
# is logged and encrypted from its first session. The price: for the moment between the two phases, nodes that are online
# already have sessions refused. An attempt with `--only roles` afterwards changes nothing.
phases=preflight,inventory,preferences,roles,agents,guardrail,audit-trail,verify
here=$(cd -- "$(dirname -- "$0")" && pwd)
desired_dir=$here/rollout.d
run_dir='' yes='' regions='' profile='' guardrail_profile='' only='' step=0 stopped=''
guarding=() # What ssm-scp apply needs to look for people who would be locked out.
given=()    # What a phase's tool reads besides its desired state.

# shellcheck source=scripts/results.sh
. "$here/results.sh"

while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage ;;
    --yes) yes=1 && shift && continue ;;
    -*) [ -n "${2:-}" ] || die "$1: unknown argument, or its value is missing; see --help" ;;
    esac
    case $1 in
    --run-dir) run_dir=$2 ;;
    --desired) desired_dir=$2 ;;
    --region) regions=${regions:+$regions,}$2 ;;
    --profile) profile=$2 ;;
    --guardrail-profile) guardrail_profile=$2 ;;
    --guardrail-role) guarding+=(--assume-role "$2") ;;
    --accept) guarding+=(--accept "$2") ;;
    --only) only=${only:+$only,}$2 ;;
    *) die "unknown argument '$1', see --help" ;;
    esac
    shift 2
done

# Runs a tool with the account and regions of this rollout.
call() {
    local tool=$1 credentials=$profile
    shift
    if [ "$tool" = ssm-scp ] && [ -n "$guardrail_profile" ]; then credentials=$guardrail_profile; fi
    "$tool" "$@" ${credentials:+--profile "$credentials"} ${regions:+--region "$regions"}
}

tool_of() {
    case $1 in
    preferences) echo ssm-prefs ;;
    roles) echo ssm-role ;;
    agents) echo ssm-agentcheck ;;
    guardrail) echo ssm-scp ;;
    audit-trail) echo ssm-events ;;
    esac
}

# ssm-prefs reads prefs.json, ssm-agentcheck agent.json.
file_of() {
    local name
    name=$(tool_of "$1")
    name=${name#ssm-}
    echo "$desired_dir/${name%check}.json"
}

# Lets ssm-role judge and grant what the preferences in force ask of nodes, too.
given_to() {
    given=()
    if [ "$1" != roles ]; then return; fi
    call ssm-prefs show -o json >"$attempt/preferences.jsonl" || die "roles: the preferences cannot be read, see above"
    given=(--prefs "$attempt/preferences.jsonl")
}

# Tells why a phase cannot run, or nothing.
reason_to_skip() {
    if [ ! -e "$(file_of "$1")" ]; then
        echo "there is no $(file_of "$1")"
    elif [ "$1" = guardrail ] && [ -z "$guardrail_profile" ] && [ "$only" != guardrail ]; then
        # Whose account this is gets never guessed: SCPs are written by the management account alone.
        echo "it needs --guardrail-profile, or --only guardrail with the management account's credentials"
    fi
}

# The phases that have a tool and can run; all of them when everything is to be verified.
phases_with_tool() {
    local phase
    for phase in preferences roles agents guardrail audit-trail; do
        case ,$phases, in *,$phase,* | *,verify,*) [ -n "$(reason_to_skip "$phase")" ] || echo "$phase" ;; esac
    done
}

# Adds the findings of one phase's tool to a file. Finding something is no failure, being unable to look is one.
check() {
    local phase=$1 file=$2 status=0
    given_to "$phase"
    call "$(tool_of "$phase")" check -o json ${given[@]+"${given[@]}"} -f "$(file_of "$phase")" >>"$file" || status=$?
    [ "$status" -le 1 ] || die "$phase: $(tool_of "$phase") check ended with status $status, see above"
}

check_all() {
    local phase
    : >"$1"
    for phase in $(phases_with_tool); do check "$phase" "$1"; done
}

# Plans, asks and applies one phase.
change() {
    local phase=$1 base=$2 tool n_changes status=0
    tool=$(tool_of "$phase")
    given_to "$phase"
    call "$tool" plan -o json ${given[@]+"${given[@]}"} -f "$base.desired.json" >"$base.plan.json" || die "$phase: $tool made no plan, see above"
    # No plan at all is not an empty plan.
    n_changes=$(jq -es 'if . == [] then null else map(.changes | length) | add end' "$base.plan.json") ||
        die "$phase: $tool printed no plan"
    if [ "$n_changes" -eq 0 ]; then say "  nothing to change" && return; fi
    # Rendered after the plan was saved: should AWS change in between, `apply` refuses the saved plan.
    call "$tool" plan -q -o text ${given[@]+"${given[@]}"} -f "$base.desired.json" >"$base.plan.txt" || die "$phase: $tool made no plan, see above"
    cat -- "$base.plan.txt" >&2
    confirm "$phase" "Apply these $n_changes changes?" "$yes"
    local more=()
    if [ "$tool" = ssm-scp ]; then more=(${guarding[@]+"${guarding[@]}"}); fi
    call "$tool" apply -o json ${more[@]+"${more[@]}"} <"$base.plan.json" >"$base.result.json" || status=$?
    list_failures "$base.result.json"
    list_findings "$base.result.json" # What the lock-out guard of ssm-scp says.
    if [ "$status" -eq 130 ]; then stopped=1 && return; fi
    # A tool that ends by itself without a result has written nothing; one that was killed leaves the empty file.
    if [ "$status" -le 2 ] && [ ! -s "$base.result.json" ]; then rm -- "$base.result.json"; fi
    if [ "$status" -eq 2 ] && [ "$phase" = agents ] && [ -s "$base.result.json" ]; then
        # The waves have stopped at their error limit; what comes next does not depend on these nodes. Verify finds them.
        say "  not every agent was updated: $(tally "$base.result.json")" && return
    fi
    [ "$status" -eq 0 ] || die "$phase: $tool apply ended with status $status; what it did is in its result file"
    say "  applied: $(tally "$base.result.json")"
}

run_phase() {
    local phase=$1 base skip other
    step=$((step + 1))
    base=$attempt/$(printf '%02d' "$step")-$phase
    say "== $phase"
    case $phase in
    preflight)
        for other in $(phases_with_tool); do
            command -v "$(tool_of "$other")" >/dev/null || die "$(tool_of "$other") is not in PATH"
        done
        # Making every plan once proves credentials, permissions to read and desired files before the first write.
        for other in $(phases_with_tool); do
            given_to "$other"
            call "$(tool_of "$other")" plan -o json ${given[@]+"${given[@]}"} -f "$(file_of "$other")" >"$base.$other.json" ||
                die "$other: no plan can be made, see above (nothing was written)"
            jq -r --arg phase "$other" '"  \(.target.account)/\(.target.region) \($phase): \(.changes | length) changes"' \
                "$base.$other.json" >&2
        done
        ;;
    inventory)
        call ssm-agentcheck show -o json >"$base.nodes.jsonl" || die "inventory: the nodes cannot be read, see above"
        check_all "$base.findings.jsonl"
        say "  $(jq -s length "$base.nodes.jsonl") nodes; findings: $(count_findings "$base.findings.jsonl")"
        ;;
    verify)
        check_all "$base.findings.jsonl"
        list_findings "$base.findings.jsonl"
        say "  findings: $(count_findings "$base.findings.jsonl")"
        if [ "$(jq -s 'any(.[]; .severity == "error")' "$base.findings.jsonl")" = true ]; then
            say "rollout: errors remain, see $base.findings.jsonl" && exit 1
        fi
        ;;
    *)
        skip=$(reason_to_skip "$phase")
        if [ -n "$skip" ]; then say "  skipped: $skip" && return; fi
        cp -- "$(file_of "$phase")" "$base.desired.json"
        change "$phase" "$base"
        if [ -n "$stopped" ]; then return; fi
        check "$phase" "$base.findings.jsonl"
        say "  findings: $(count_findings "$base.findings.jsonl")"
        ;;
    esac
}

[ -d "$desired_dir" ] || die "there is no directory $desired_dir"
case $desired_dir in -*) desired_dir=./$desired_dir ;; esac
for phase in ${only//,/ }; do
    case ,$phases, in *,"$phase",*) ;; *) die "unknown phase '$phase', expected $phases" ;; esac
done
phases=${only:-$phases}
command -v jq >/dev/null || die "jq is not in PATH; rollback.sh needs it, so nothing is begun without it"

run_dir=${run_dir:-run/$(date -u +%Y%m%dT%H%M%SZ)}
mkdir -p -- "$run_dir"
run_dir=$(cd -- "$run_dir" && pwd)
n_attempt=1
while attempt=$run_dir/attempt-$(printf '%03d' "$n_attempt") && [ -e "$attempt" ]; do n_attempt=$((n_attempt + 1)); done
mkdir -- "$attempt"
printf '%s\n' "${regions%%,*}" >"$attempt/region"
say "rollout: $attempt"

# The tool in flight gets the same Ctrl-C, ends its call and prints its result; only then does the trap run.
trap 'stopped=1' INT
for phase in ${phases//,/ }; do
    run_phase "$phase"
    if [ -n "$stopped" ]; then say "rollout: interrupted; run again with --run-dir '$run_dir', or go back with rollback.sh" && exit 130; fi
done
