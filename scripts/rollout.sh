#!/usr/bin/env bash
# Rolls AWS Systems Manager out, phase by phase, and keeps what is needed to go back.
#
# usage: rollout.sh [--run-dir DIR] [--desired DIR] [--yes] [--region R]... [--profile P]
#                   [--accounts FILE|org --assume-role ARN [--external-id env:NAME|file:PATH]]
#                   [--guardrail-profile P] [--guardrail-role ARN] [--accept ID]... [--probe NODE]... [--only PHASE,..]
#        rollout.sh make plan|apply|check|rollback|PHASE     for rollout.mk, whose variables are in the environment
#        rollout.sh --directory     prints where this script is: beside it are rollout.d, with examples, and rollout.mk
#
#   --run-dir DIR            keep plans, results and findings in DIR [default: run/PROFILE, or run/default]
#   --desired DIR            read {agent,role,prefs,scp,events}.json in DIR [default: rollout.d beside this script]
#   --yes                    apply without asking; needed when there is no terminal to ask on
#   --region R               work in this region, repeat or separate by commas, or all [default: AWS_REGION or the profile's]
#   --profile P              credentials of the account to roll out over [default: the environment's]
#   --accounts FILE|org      roll out over the accounts listed in FILE, or over all of the organization
#   --assume-role ARN        role, {account} in its ARN, to assume in each of them
#   --external-id FROM       external ID for that role: env:NAME or file:PATH
#   --guardrail-profile P    credentials of the organization's management account, for the guardrail phase
#   --guardrail-role ARN     role, {account} in its ARN, that may read IAM in the accounts that the guardrail binds; ssm-scp
#                            needs it to see whom a guardrail would lock out
#   --accept ID              accept this risk, which a plan or ssm-scp apply named; repeat for several
#   --probe NODE             at the end, open a session on the node with this ID and look for its transcript, with
#                            ssm-prefs probe; repeat for several
#   --only PHASE,..          run these phases, in this order
#
# Phases: preflight, inventory, preferences, roles, agents, guardrail, audit-trail, verify, and probe with --probe.
# A phase whose desired file is missing is skipped (a directory without any is an error), and so is the audit trail while the
# variable that its webhook is read from is not set: without Slack there is nobody to alert. Accounts and regions that cannot be
# reached are listed, and the others go on. This asks AWS about every phase, whatever an earlier run did; `make -f rollout.mk
# ROLLOUT_DIR=DIR` goes on in the same directory. A run directory that holds attempts gets another one, and rollback.sh undoes all
# of them; no file of an attempt is ever overwritten, because results hold the undo that it applies.
#
# exit: 0 done, 1 verify found errors or probe no transcript, 2 stopped by an error, not confirmed, or something could not be
#       reached,
#       130 stopped by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP: the tool in flight has ended its call and printed its result
set -euo pipefail
umask 077 # Plans and results show how an account is built.

# Preferences come before roles, as what roles must allow follows from them, and so that a node which roles brings online
# is logged and encrypted from its first session. The price: for the moment between the two phases, nodes that are online
# already have sessions refused.
phases="preflight inventory preferences roles agents guardrail audit-trail verify probe"

# Which tool does the work of a phase; preflight, inventory and verify use all of them, probe that of the preferences.
tool_of() {
    case $1 in
    preferences) echo ssm-prefs ;;
    roles) echo ssm-role ;;
    agents) echo ssm-agentcheck ;;
    guardrail) echo ssm-scp ;;
    audit-trail) echo ssm-events ;;
    esac
}

program=rollout here=$(cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
# shellcheck source=scripts/results.sh
. "$here/results.sh"

# The variables of rollout.mk. Without make, all that is in them comes from flags.
variables="ROLLOUT_DIR DESIRED REGIONS PROFILE ACCOUNTS ASSUME_ROLE EXTERNAL_ID GUARDRAIL_PROFILE GUARDRAIL_ROLE ACCEPT PROBE ONLY YES FRESH"
verb=apply dry='' at_once='' accepted=() can='' roles_file='' organization_file=''
partial='' remain='' # Whether something could not be reached, and whether errors were found.
found=''             # The same at the end, when nothing else can go wrong.

read_arguments() {
    local name words=() asked=''
    if [ "${1:-}" = make ]; then
        dry=${ROLLOUT_DRY:-} at_once=${ROLLOUT_AT_ONCE:-} ROLLOUT_DIR=${ROLLOUT_DIR:-run/make}
        case ${2:-} in
        plan | apply | check | rollback) verb=$2 ;;
        preflight) verb=plan ONLY=preflight ;;
        '') usage ;;
        *) ONLY=${phases%%"$2"*}$2 ;; # Up to and including this one.
        esac
        read -ra words <<<"${ACCEPT:-}"
        for name in ${words[@]+"${words[@]}"}; do accepted+=(--accept "$name"); done
        shift $#
    else
        # shellcheck disable=SC2086 # Names.
        unset $variables
        FRESH=1
    fi
    for name in $variables; do printf -v "$name" %s "${!name:-}"; done
    while [ $# -gt 0 ]; do
        case $1,${2:-} in
        --help,* | -h,*) usage ;;
        --directory,*) echo "$here" && exit ;;
        --yes,*) YES=1 && shift && continue ;;
        *,) die "$1: unknown argument, or its value is missing; see --help" ;;
        --run-dir,*) ROLLOUT_DIR=$2 ;;
        --region,*) REGIONS=$REGIONS,$2 ;;
        --accept,*) accepted+=(--accept "$2") ;;
        --probe,*) PROBE=$PROBE,$2 asked=,probe ;;
        --only,*) ONLY=$ONLY,$2 ;;
        --desired,* | --profile,* | --accounts,* | --assume-role,* | --external-id,* | --guardrail-profile,* | --guardrail-role,*)
            name=$(tr a-z- A-Z_ <<<"${1#--}")
            printf -v "$name" %s "$2"
            ;;
        *) die "unknown argument '$1', see --help" ;;
        esac
        shift 2
    done
    name=${PROFILE:-${AWS_PROFILE:-default}}
    dir=${ROLLOUT_DIR:-run/${name//[!A-Za-z0-9_-]/_}}
    case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
    REGIONS=$(words "$REGIONS") && REGIONS=${REGIONS// /,}
    PROBE=$(words "$PROBE")
    # Who names a node on the command line wants it probed. For make it is a variable, which may be there for another target.
    if [ -n "$ONLY" ] && ! is_in probe "$(words "$ONLY")"; then ONLY=$ONLY$asked; fi
    only=$(words "$ONLY") && only=${only:-${PROBE:+$phases}} && only=${only:-${phases% probe}}
    for name in $only; do is_in "$name" "$phases" || die "unknown phase '$name', expected $phases"; done
    if is_in probe "$only" && [ -z "$PROBE" ]; then die "probe: name a node with --probe NODE (PROBE)"; fi
    # A node's ID becomes the name of a file.
    for name in $PROBE; do case $name in *[!A-Za-z0-9-]*) die "--probe '$name': expected the ID of a node" ;; esac; done
    case $YES in 1 | y | yes) ;; '' | 0 | n | no) YES='' ;; *) die "YES=$YES: expected 1 or nothing" ;; esac
}

# Words separated by spaces or commas, with one space between them.
words() { sed 's/[, ][, ]*/ /g; s/^ //; s/ $//' <<<"$1"; }
is_in() { case " $2 " in *" $1 "*) ;; *) return 1 ;; esac }

# Brings the run directory up to date with what was given.
prepare() {
    local phase name reason n=1
    DESIRED=${DESIRED:-$here/rollout.d}
    [ -d "$DESIRED" ] || die "there is no directory $DESIRED"
    needs_desired_state
    command -v jq >/dev/null || die "jq is not in PATH; rollback.sh needs it, so nothing is begun without it"
    private_directory "$dir"
    lock "$dir"
    # shellcheck disable=SC2153 # It is one of `variables`.
    case $ACCOUNTS in
    '' | org) accounts=$ACCOUNTS ;;
    -) die "a list of accounts on stdin would be read once only: put it into a file" ;;
    *)
        accounts=$dir/accounts
        cat -- "$ACCOUNTS" >"$accounts" || die "the list of accounts cannot be read"
        ;;
    esac
    for phase in $phases; do
        if [ -n "$FRESH" ] && is_in "$phase" "$only"; then rm -f -- "$dir/$phase.plan.json" "$dir/$phase.done"; fi
        [ -n "$(tool_of "$phase")" ] || continue
        if ! desired_of "$phase" >"$dir/$phase.desired.json"; then
            rm -f -- "$dir/$phase.desired.json"
            reason="there is no $(desired_file "$phase")"
        elif [ "$phase" = guardrail ] && [ -z "$GUARDRAIL_PROFILE" ] && [ "$only" != guardrail ]; then
            # The account is never guessed: SCPs are written by the management account alone.
            reason="it needs --guardrail-profile, or --only guardrail with the management account's credentials"
            reason="$reason (GUARDRAIL_PROFILE, ONLY=guardrail)"
        elif [ "$phase" = audit-trail ] && name=$(unset_webhook) && [ -n "$name" ]; then
            reason="$name is not set, so there is no Slack to send alerts to"
            if grep -q '"trail"' "$dir/$phase.desired.json"; then reason="$reason; the trail of the same file is left out, too"; fi
        else
            name=$(tool_of "$phase")
            [ -n "$dry" ] || command -v "$name" >/dev/null || die "$phase: $name is not in PATH: add the directory that make install has put the tools into"
            can="$can $phase"
            is_fresh "$phase" planned || rm -f -- "$dir/$phase.plan.json"
            continue
        fi
        if is_in "$phase" "$only"; then say "$phase: skipped: $reason"; fi
    done
    while attempt=$dir/attempt-$(printf '%03d' "$n") && [ -e "$attempt" ]; do n=$((n + 1)); done
}

# Refuses a directory without any desired state, of which "0 errors" would say that all is well, and names the files that no phase
# reads where one lacks its own: agents.json beside no agent.json.
needs_desired_state() {
    local phase file known='' n_missing=0 n=0
    for phase in $phases; do
        [ -n "$(tool_of "$phase")" ] || continue
        file=$(desired_file "$phase") && n=$((n + 1))
        known="$known ${file#"$DESIRED/"}"
        [ -n "$(layers_of "$file" | head -n 1)" ] || n_missing=$((n_missing + 1))
    done
    [ "$n_missing" -lt "$n" ] || die "no desired state in $DESIRED: expected one or more of$known, or a directory of layers of the same name"
    [ "$n_missing" -gt 0 ] || return 0
    for file in "$DESIRED"/*; do
        case $file in *.json) ;; *) [ -d "$file" ] || continue ;; esac
        is_in "${file##*/}" "$known" || say "rollout: note: no phase reads $file"
    done
}

# Where the desired state of a phase is: prefs.json for ssm-prefs, agent.json for ssm-agentcheck, or a directory of layers.
desired_file() {
    local file
    file=$(tool_of "$1") && file=${file#ssm-} && file=$DESIRED/${file%check}
    if [ ! -e "$file.json" ] && [ -d "$file" ]; then echo "$file"; else echo "$file.json"; fi
}

# Prints the desired state of a phase, all of its layers; fails when there is none.
desired_of() {
    local layer n=0
    while IFS= read -r layer; do
        cat -- "$layer" || die "$1: $layer cannot be read"
        echo && n=$((n + 1))
    done < <(layers_of "$(desired_file "$1")")
    [ "$n" -gt 0 ]
}

# Prints the files of a desired state, one a line.
layers_of() {
    local layer layers=("$1")
    if [ -d "$1" ]; then layers=("$1"/*.json); fi
    for layer in "${layers[@]}"; do [ ! -e "$layer" ] || printf '%s\n' "$layer"; done
}

# Prints JSON without its comments, // and /* */, which are none in a string.
without_comments() {
    tr '\n' '\1' | sed -E -e ':next' \
        -e 's@^((([^"/]|"([^"\\]|\\.)*"|/[^/*"])*))(//[^'$'\1'']*|/\*([^*]|\*+[^*/])*\*+/)@\1 @;tnext' | tr '\1' '\n'
}

# Prints the values of a key in the desired audit trail. The tool reads it properly; this must do with comments in it.
named_in_audit_trail() {
    without_comments <"$dir/audit-trail.desired.json" | tr '\n' ' ' |
        grep -oE "$1"'[[:space:]]*:[[:space:]]*"[^"]*"' | sed 's/.*"\(.*\)"$/\1/' || true
}

# Prints the environment variable that a webhook is to be read from, if it is not set.
unset_webhook() {
    local name
    for name in $(named_in_audit_trail '"webhook"[[:space:]]*:[[:space:]]*\{[[:space:]]*"env"'); do
        case $name in *[!A-Za-z0-9_]* | [0-9]*) continue ;; esac # What is wrong with it, the tool says.
        if [ -z "${!name:-}" ]; then echo "$name" && return; fi
    done
}

# Sets `flags` to those that the tool of a phase gets for a verb.
flags_of() {
    local phase=$1 verb=$2 regions=$REGIONS over=$accounts profile
    if [ "$verb" = apply ]; then regions=${regions#all} over=''; fi # Plans name their accounts and regions.
    if [ "$phase" != guardrail ]; then
        flags=(${PROFILE:+--profile "$PROFILE"} ${regions:+--region "$regions"} ${over:+--accounts "$over"}
            ${ASSUME_ROLE:+--assume-role "$ASSUME_ROLE"} ${EXTERNAL_ID:+--external-id "$EXTERNAL_ID"})
        case "$phase $verb ${accepted[*]-} " in
        'roles plan '*' excluded-nodes '* | 'agents plan '*' excluded-nodes '*) flags+=(--accept excluded-nodes) ;;
        esac
        return
    fi
    profile=${GUARDRAIL_PROFILE:-$PROFILE}
    regions=${regions#all} # Organizations has none; AWS_REGION or the profile's says which partition.
    flags=(${profile:+--profile "$profile"} ${regions:+--region "$regions"})
    [ "$verb" != apply ] || flags+=(${GUARDRAIL_ROLE:+--assume-role "$GUARDRAIL_ROLE"} ${accepted[@]+"${accepted[@]}"})
}

# Prints a checksum of all that a phase depends on; inventory and verify depend on all phases.
inputs_of() {
    local phase
    if [ "$1" = probe ]; then echo "$PROBE"; fi
    # shellcheck disable=SC2086 # Phases.
    [ -n "$(tool_of "$1")" ] || set -- $can
    for phase in "$@"; do
        flags_of "$phase" plan
        # Keys are no input: they change with every login to the same account. Whose they are, the plans say.
        echo "${flags[*]-} ${AWS_PROFILE:-} ${AWS_REGION:-} ${AWS_DEFAULT_REGION:-} ${AWS_ENDPOINT_URL:-}"
        if [ -f "$accounts" ] && [ "$phase" != guardrail ]; then cat -- "$accounts"; fi
        cat -- "$dir/$phase.desired.json"
        [ "$phase" = audit-trail ] || continue
        # The function that is to be there, which a desired state only names. If that is wrong, the tool says so.
        named_in_audit_trail '"zip"' | tr '\n' '\0' | xargs -0 cksum 2>/dev/null || true
    done | cksum
}

# A phase is planned or done as long as its inputs are those that it was planned or done with.
stamp() { inputs_of "$1" >"$dir/$1.$2"; }
is_fresh() { [ -e "$dir/$1.$2" ] && [ "$(inputs_of "$1")" = "$(cat -- "$dir/$1.$2")" ]; }

# Makes the plans before the first is applied: that proves credentials, permissions to read and desired files.
plan_all() {
    local phase todo=$only
    prepare
    if is_in preflight "$only"; then todo=$can; fi # Preflight is that: all plans that there can be.
    # shellcheck disable=SC2086 # Phases.
    side_by_side plan_anew $todo
    # shellcheck disable=SC2086
    if [ "$verb" != plan ] || [ "$only" = preflight ]; then needs_guardrail_role $todo; fi
    if [ "$verb" != plan ]; then return; fi
    say "rollout: the plans of what is not done yet are in $dir"
    # Phases go on where they can. Who asked for plans alone has not got all of them.
    for phase in $todo; do if [ -e "$dir/$phase.plan.json" ] && [ ! -e "$dir/$phase.planned" ]; then incomplete; fi; done
}
# Refuses a guardrail that could not be judged, while nothing is written yet.
needs_guardrail_role() {
    local plan=$dir/guardrail.plan.json one
    is_in guardrail "$*" && [ -z "$GUARDRAIL_ROLE$dry" ] && [ -s "$plan" ] || return 0
    # Which accounts are not read, ssm-scp knows, and whether each of them is accepted.
    for one in ${accepted[@]+"${accepted[@]}"}; do case $one in unread:*) return 0 ;; esac done
    [ "$(n_changes "$plan")" -gt 0 ] || return 0
    die "guardrail: pass --guardrail-role 'arn:aws:iam::{account}:role/NAME' (GUARDRAIL_ROLE), a role in each account that may read" \
        "IAM: without it ssm-scp cannot see whom the guardrail would lock out, and refuses it. Or leave the guardrail out, without" \
        "--guardrail-profile; or take the risk for single accounts, with --accept unread:ACCOUNT. Nothing was written"
}
# Plans a phase that can run, unless it is done already, or planned.
plan_anew() { ! is_in "$1" "$can" || is_fresh "$1" 'done' || [ -e "$dir/$1.plan.json" ] || do_it plan "$1"; }

# Does one phase after another that is not done yet, or whose inputs have changed since.
apply_all() {
    local phase open=''
    plan_all
    for phase in $only; do
        partial=''
        if [ "$phase" = preflight ] || is_fresh "$phase" 'done'; then continue; fi
        case $phase in
        inventory | verify | probe) do_it "$phase" ;;
        *)
            is_in "$phase" "$can" || continue
            plan_anew "$phase" # What it depends on may have changed something.
            do_it apply "$phase"
            ;;
        esac
        [ -z "$partial" ] || open="$open $phase"
    done
    [ -z "$open" ] || incomplete " in:$open"
    if [ -n "$remain" ]; then found=1 && exit 1; fi
    if [ -z "$dry" ] && [ ! -d "$attempt" ]; then say "rollout: nothing to be done"; fi
}

check_all() {
    prepare
    # shellcheck disable=SC2086 # Phases.
    side_by_side check_anew $can
}
check_anew() { do_it check "$1"; }

# Does some work on a phase, or under make -n only says so.
do_it() { if [ -n "$dry" ]; then say "$*"; else "$@"; fi; }

# Does some work on phases, at the same time under make -j, and exits with the worst status that is not 0.
side_by_side() {
    local work=$1 batch phase status worst=0
    shift
    if [ -n "$at_once" ]; then set -- "$*"; fi
    child_hears=TERM
    for batch in "$@"; do
        for phase in $batch; do
            (
                trap - INT # Shells have what they start in the background ignore it.
                # shellcheck disable=SC2030 # The others are no concern of this one.
                child='' child_hears=''
                stop_on_signals
                "$work" "$phase"
            ) <&0 &
            # shellcheck disable=SC2031
            child="$child $!"
        done
        status=0
        # shellcheck disable=SC2086 # IDs.
        await $child || status=$?
        child=''
        [ -z "$stopped" ] || exit "$stopped"
        if [ "$status" -gt "$worst" ]; then worst=$status; fi
    done
    child_hears=''
    if [ "$work,$worst" = check_anew,1 ]; then found=1; fi
    [ "$worst" -eq 0 ] || exit "$worst"
}

# Runs the tool of a phase, its output into a file. Accounts and regions that cannot be reached are listed and set `partial`; the
# others go on.
call() {
    local phase=$1 verb=$2 file=$3 status=0
    shift 3
    flags_of "$phase" "$verb"
    attend_tool "$(tool_of "$phase")" "$verb" "$@" ${flags[@]+"${flags[@]}"} >"$file" || status=$?
    # An apply that was stopped has a result to be looked at first.
    if [ -n "$stopped" ] && [ "$verb" != apply ]; then exit "$stopped"; fi
    # Finding something is no failure, being unable to look is one.
    if [ "$verb,$status" = check,1 ]; then status=0; fi
    if [ "$status" -eq 2 ] && list_unreachable "$file"; then
        partial=1
        # Nothing else went wrong, or was refused; a probe has found its node where it could look.
        jq -es 'all(.[]; .id != "scp.lockout.risk" and (.kind != "probe" or .verdict == "proved") and
            all(.results[]?; .status | IN("failed", "skipped", "unknown") | not))' \
            "$file" >/dev/null && status=0
    fi
    return "$status"
}

# Sets `given` to what a plan or check of a phase starts from. Roles must allow what the preferences in force require. With a
# `roles_file`, ssm-prefs judges the roles of nodes: it sees what bucket and keys require, which the preferences do not name. With
# an `organization_file`, they are judged by the organization's service control policies, too.
given_to() {
    given=(-f "$(desired_file "$1")") # As the user wrote it, so that errors name that file.
    desired_of "$1" | cmp -s - "$dir/$1.desired.json" || die "$1: ${given[1]} has changed while this ran; run again"
    case $1,${roles_file:+judge} in
    roles,*)
        show preferences "$dir/roles.prefs.json"
        given+=(--prefs "$dir/roles.prefs.json")
        ;;
    preferences,judge)
        show roles "$roles_file"
        given+=(--roles "$roles_file")
        ;;
    esac
    case $1,$organization_file in
    guardrail,* | audit-trail,* | agents,* | *,) ;;
    *) given+=(--organization "$organization_file") ;;
    esac
}
# Who may look at the guardrail may look at the organization.
show_organization() {
    is_in guardrail "$can" || return 0
    organization_file=$1
    show guardrail "$organization_file"
}

# Writes what the tool of a phase shows to a file.
show() {
    call "$1" show "$2" -o json || die "$1: what there is cannot be read, see above"
}

plan() {
    local phase=$1 plan=$dir/$1.plan why="$1: no plan can be made, see above (nothing was written for it)"
    rm -f -- "$dir/$phase.planned"
    given_to "$phase"
    call "$phase" plan "$plan.new" -o json "${given[@]}" || die "$why"
    # No plan at all is not an empty plan.
    jq -es 'any(.kind == "plan")' "$plan.new" >/dev/null || die "$phase: $(tool_of "$phase") printed no plan"
    say "  plan of $phase: $(count_changes "$plan.new")"
    if [ "$(n_changes "$plan.new")" -gt 0 ]; then
        # Rendered after the plan was saved: should AWS change in between, `apply` refuses the saved plan.
        call "$phase" plan "$plan.txt" -q -o text "${given[@]}" || [ -n "$partial" ] || die "$why"
    fi
    mv -- "$plan.new" "$plan.json"
    if [ -z "$partial" ]; then stamp "$phase" planned; fi # What lacks something serves this run only.
}

apply() {
    local phase=$1 n status=0 failed=''
    begin "$phase"
    if [ ! -e "$dir/$phase.planned" ]; then partial=1; fi
    n=$(n_changes "$dir/$phase.plan.json")
    if [ "$n" -gt 0 ]; then
        cat -- "$dir/$phase.plan.txt" >&2
        confirm "$phase" "Apply $(these "$n" change)?" "$YES"
        mv -- "$dir/$phase.plan.txt" "$base.plan.txt"
    fi
    # A plan is tried once. What it starts from is no more when that was cut short, so the next run makes another.
    cp -- "$dir/$phase.desired.json" "$base.desired.json"
    mv -- "$dir/$phase.plan.json" "$base.plan.json"
    if [ "$n" -eq 0 ]; then
        say "  nothing to change"
    else
        forget "$dir" "$phase" # Whatever becomes of it: nobody knows what one that is killed has written.
        call "$phase" apply "$base.result.json" -o json <"$base.plan.json" || status=$?
        list_failures "$base.result.json"
        list_findings "$base.result.json" # What the lock-out guard of ssm-scp says.
        # A tool that ends by itself without a result has written nothing; one that was killed leaves the empty file.
        if [ ! -s "$base.result.json" ] && [ "$status" -le 2 ]; then rm -- "$base.result.json"; fi
        if [ -n "$stopped" ]; then exit "$stopped"; fi
        if [ "$status" -eq 0 ]; then
            say "  applied: $(tally "$base.result.json")"
        elif [ "$phase,$status" = agents,2 ] && [ -s "$base.result.json" ]; then
            # The waves have stopped at their error limit; what comes next does not depend on these nodes. Verify finds them.
            say "  not every agent was updated: $(tally "$base.result.json")" && failed=1
        else
            die "$phase: $(tool_of "$phase") apply ended with status $status; what it did is in its result file"
        fi
    fi
    check_into "$base.findings.jsonl" "$phase"
    if [ -z "$partial$failed" ]; then stamp "$phase" 'done'; fi
}

# Begins a phase in the directory of this attempt, which is made when there is something to put into it.
begin() {
    local name region=${REGIONS%%,*} n=1
    if [ ! -d "$attempt" ]; then
        mkdir -- "$attempt"
        # For rollback.sh: IAM and Organizations have no region of their own, but are found by one.
        echo "${region#all}" >"$attempt/region"
        say "rollout: $attempt"
    fi
    for name in $only; do [ "$name" != "$1" ] || break && n=$((n + 1)); done
    base=$attempt/$(printf '%02d' "$n")-$1
    say "== $1"
    rm -f -- "$dir/$1.done" "$dir/probe.done"
    if [ "$1" != probe ]; then rm -f -- "$dir/verify.done"; fi
}

# shellcheck disable=SC2086 # Phases.
inventory() {
    begin inventory
    call agents show "$base.nodes.jsonl" -o json || die "inventory: the nodes cannot be read, see above"
    say "  $(counted "$(jq -s 'map(select(.kind != "unreachable")) | length' "$base.nodes.jsonl")" node)"
    check_into "$base.findings.jsonl" $can
    if [ -z "$partial" ]; then stamp inventory 'done'; fi
}

# shellcheck disable=SC2086 # Phases.
verify() {
    begin verify
    roles_file=$base.roles.jsonl
    show_organization "$base.organization.jsonl"
    check_into "$base.findings.jsonl" $can
    # What it finds keeps nobody from looking further: a probe shows whether it matters.
    judge "$base.findings.jsonl"
    if [ -z "$partial$remain" ]; then stamp verify 'done'; fi
}

# Opens a session on each node, one after another, and looks for its transcript. The roles go with it, for the cause.
probe() {
    local node status worst=0
    begin probe
    confirm probe "Open a session on $PROBE?" "$YES"
    show roles "$base.roles.jsonl"
    for node in $PROBE; do
        status=0
        call preferences probe "$base.$node.jsonl" -o json --yes --instance-id "$node" --roles "$base.roles.jsonl" || status=$?
        jq -r 'select(.kind == "probe")
            | "  \(.instance_id): \(.verdict), session \(.session), bucket \(.s3.state), log group \(.logs.state)"
            | gsub("_"; " ")' "$base.$node.jsonl" >&2
        list_findings "$base.$node.jsonl"
        if [ "$status" -gt "$worst" ]; then worst=$status; fi
    done
    if [ "$worst" -gt 1 ]; then die "probe: not every node could be looked at, see above"; fi
    if [ "$worst" -eq 1 ]; then
        say "rollout: not every session leaves its transcript" && remain=1
    elif [ -z "$partial" ]; then
        stamp probe 'done'
    fi
}

check() {
    roles_file=$dir/$1.roles.jsonl
    show_organization "$dir/$1.organization.jsonl"
    check_into "$dir/$1.findings.jsonl" "$1"
    judge "$dir/$1.findings.jsonl"
    [ -z "$partial" ] || incomplete
    [ -z "$remain" ] || exit 1
}

# Writes the findings of phases to a file.
check_into() {
    local file=$1 phase new=$1.new
    shift
    : >"$file"
    for phase in "$@"; do
        given_to "$phase"
        call "$phase" check "$new" -o json "${given[@]}" || die "$phase: the check failed, see above"
        cat -- "$new" >>"$file"
    done
    rm -f -- "$new"
    say "  findings: $(count_findings "$file"), see $file"
}

# Lists findings, and sets `remain` when one is an error.
judge() {
    list_findings "$1"
    if jq -es 'any(.[]; .severity == "error")' "$1" >/dev/null; then say "rollout: errors remain" && remain=1; fi
}

incomplete() { die "not everything could be reached${1:-}; run again to try once more"; }

# Sets `args` to the flags of rollback.sh that are like those of this run.
flags_of_rollback() {
    local name
    args=(${accepted[@]+"${accepted[@]}"})
    for name in PROFILE GUARDRAIL_PROFILE GUARDRAIL_ROLE ASSUME_ROLE EXTERNAL_ID; do
        [ -z "${!name}" ] || args+=("--$(tr A-Z_ a-z- <<<"$name")" "${!name}")
    done
}

rollback() {
    local args name
    flags_of_rollback
    args=(${YES:+--yes} ${args[@]+"${args[@]}"})
    for name in $only; do [ -z "$(tool_of "$name")" ] || args+=(--only "$name"); done
    if [ -n "$dry" ]; then say "rollback ${args[*]-}" && return; fi
    exec "$here/rollback.sh" ${args[@]+"${args[@]}"} "$dir"
}

# Says how to go on after a stop and how to go back, and lets nothing that was not foreseen pass for what verify found.
at_exit() {
    local args
    case $1 in 129 | 130 | 143) say "rollout: interrupted; run again with --run-dir $(quoted "$dir")" ;; esac
    if [ "$verb" = apply ] && compgen -G "${attempt:-/nowhere}/*.result.json" >/dev/null; then
        flags_of_rollback
        say "rollout: to go back: $(quoted "$here/rollback.sh" "$dir" ${args[@]+"${args[@]}"})"
    fi
    case $1,$found in 0,* | 1,1 | 129,* | 130,* | 143,*) ;; *) exit 2 ;; esac
}

read_arguments "$@"
stop_on_signals
trap 'at_exit $?' EXIT
case $verb in
plan) plan_all ;;
apply) apply_all ;;
check) check_all ;;
rollback) rollback ;;
esac
