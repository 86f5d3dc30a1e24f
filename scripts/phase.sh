# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # rollout.sh sets what is not assigned here.
# Does the work of one phase at a time, inside ROLLOUT_DIR. Sourced by rollout.sh, which knows the order.
#
# What decides what is done again lies in ROLLOUT_DIR itself and may be deleted; all that is needed to go back is in its attempt-NNN
# directories, of which every run that does something gets another one. Nothing in them is ever overwritten.

# Runs a tool with the flags of its phase, where rollout.sh was called: a desired state may name files from there.
call() {
    local phase=$1 verb=$2 flag flags=() tool status=0
    shift 2
    while IFS= read -r flag && [ -n "$flag" ]; do
        case "$verb $flag" in
        # Plans name their account and region.
        "apply --accounts "* | "apply --region all") ;;
        *"--accounts accounts") flags+=(--accounts "$PWD/accounts") ;;
        *) flags+=("${flag%% *}" "${flag#* }") ;;
        esac
    done <"$phase.flags"
    tool=$(tool_of "$phase")
    cd -- "$from" || die "$from has gone"
    attend_tool "$tool" "$verb" "$@" ${flags[@]+"${flags[@]}"} || status=$?
    cd -- "$dir" || die "$dir has gone"
    # An apply that was stopped has a result to be looked at first.
    if [ -n "$stopped" ] && [ "$verb" != apply ]; then exit "$stopped"; fi
    return "$status"
}

# Does the same into a file. Some accounts or regions being out of reach is told and remembered; the others go on.
call_into() {
    local file=$1 status=0
    shift
    call "$1" "$2" -o json "${@:3}" >"$file" || status=$?
    # Finding something is no failure, being unable to look is one.
    if [ "$2" = check ] && [ "$status" -eq 1 ]; then status=0; fi
    if [ "$status" -eq 2 ] && list_unreachable "$file"; then
        partial=1
        if ! has_failures "$file"; then status=0; fi
    fi
    return "$status"
}

# Lets ssm-role judge and grant what the preferences in force ask of nodes, too. With a `roles_file`, lets ssm-prefs judge the roles of
# nodes: it sees what the bucket and the keys need, which the preferences themselves do not name.
given_to() {
    given=()
    case $1 in
    roles)
        show_into roles.prefs.json preferences
        given=(--prefs "$PWD/roles.prefs.json")
        ;;
    preferences)
        if [ -z "$roles_file" ]; then return; fi
        show_into "$roles_file" roles
        # Where nothing has a role, as with hybrid nodes only, there is nothing to judge; ssm-prefs takes that for a wrong file.
        if jq -es 'any(.[].roles[]?; true)' "$roles_file" >/dev/null; then given=(--roles "$PWD/$roles_file"); fi
        ;;
    esac
}

# Writes what a phase's tool shows to a file. What is out of reach is told.
show_into() {
    call_into "$2.show.new" "$2" show || die "$2: what there is cannot be read, see above"
    jq -c 'select(.kind != "unreachable")' "$2.show.new" >"$1"
    rm -- "$2.show.new"
}

# The directory of this attempt, made when there is something to put into it, and the names of a phase's files there.
begin() {
    local name n=1 regions
    if [ ! -d "$attempt" ]; then
        mkdir -- "$attempt"
        # For rollback.sh: IAM and Organizations have no region of their own, but are found by one.
        regions=$(listed "$REGIONS")
        regions=${regions%%,*}
        printf '%s\n' "${regions#all}" >"$attempt/region"
        say "rollout: $PWD/$attempt"
    fi
    for name in $only; do [ "$name" != "$1" ] || break && n=$((n + 1)); done
    base=$attempt/$(printf '%02d' "$n")-$1
    say "== $1"
}

# Remembers what was out of reach, so that the next run takes the phase up again.
leave_open() {
    touch -- "$1.open"
    rm -f -- "$1.done"
}

plan() {
    local phase=$1 tool status=0
    tool=$(tool_of "$phase")
    command -v "$tool" >/dev/null || die "$tool is not in PATH"
    given_to "$phase"
    call_into "$phase.plan.new" "$phase" plan ${given[@]+"${given[@]}"} -f "$PWD/$phase.desired.json" ||
        die "$phase: no plan can be made, see above (nothing was written for it)"
    # No plan at all is not an empty plan.
    jq -es 'any(.kind == "plan")' "$phase.plan.new" >/dev/null || die "$phase: $tool printed no plan"
    say "  plan of $phase: $(count_changes "$phase.plan.new")"
    rm -f -- "$phase.plan.txt" "$phase.open"
    if [ "$(n_changes "$phase.plan.new")" -gt 0 ]; then
        # Rendered after the plan was saved: should AWS change in between, `apply` refuses the saved plan.
        call "$phase" plan -q -o text ${given[@]+"${given[@]}"} -f "$PWD/$phase.desired.json" >"$phase.plan.txt" || status=$?
        [ "$status" -eq 0 ] || [ -n "$partial" ] || die "$phase: no plan can be made, see above (nothing was written for it)"
    fi
    if [ -n "$partial" ]; then leave_open "$phase"; fi
    mv -- "$phase.plan.new" "$phase.plan.json"
    stamp "$phase" planned
}

apply() {
    local phase=$1 tool status=0 more=() was_done=1
    tool=$(tool_of "$phase")
    begin "$phase"
    if [ -e "$phase.open" ]; then partial=1; fi
    if [ "$(n_changes "$phase.plan.json")" -gt 0 ]; then
        cat -- "$phase.plan.txt" >&2
        confirm "$phase" "Apply these $(n_changes "$phase.plan.json") changes?" "$YES"
    fi
    # A plan is tried once. What it starts from is no more when that was cut short, so the next run makes another.
    rm -f -- "$phase.done"
    cp -- "$phase.desired.json" "$base.desired.json"
    mv -- "$phase.plan.json" "$base.plan.json"
    if [ "$(n_changes "$base.plan.json")" -gt 0 ]; then
        mv -- "$phase.plan.txt" "$base.plan.txt"
        if [ "$phase" = guardrail ]; then
            take_accepted
            more=(${GUARDRAIL_ROLE:+--assume-role "$GUARDRAIL_ROLE"} ${accepted[@]+"${accepted[@]}"})
        fi
        # Whatever becomes of it: nobody knows what one that is killed has written.
        echo "$base" >"$phase.changed"
        call_into "$base.result.json" "$phase" apply ${more[@]+"${more[@]}"} <"$base.plan.json" || status=$?
        list_failures "$base.result.json"
        list_findings "$base.result.json" # What the lock-out guard of ssm-scp says.
        # A tool that ends by itself without a result has written nothing; one that was killed leaves the empty file.
        if [ ! -s "$base.result.json" ] && [ "$status" -le 2 ]; then rm -- "$base.result.json"; fi
        if [ -n "$stopped" ]; then exit "$stopped"; fi
        if [ "$status" -eq 2 ] && [ "$phase" = agents ] && [ -s "$base.result.json" ]; then
            # The waves have stopped at their error limit; what comes next does not depend on these nodes. Verify finds them.
            say "  not every agent was updated: $(tally "$base.result.json")" && was_done=''
        elif [ "$status" -eq 0 ]; then
            say "  applied: $(tally "$base.result.json")"
        else
            die "$phase: $tool apply ended with status $status; what it did is in its result file"
        fi
    else
        say "  nothing to change"
    fi
    check_into "$base.findings.jsonl" "$phase"
    say "  findings: $(count_findings "$base.findings.jsonl")"
    if [ -n "$partial" ]; then leave_open "$phase" && return; fi
    if [ -n "$was_done" ]; then stamp "$phase" 'done'; fi
}

# Writes the findings of phases to a file.
check_into() {
    local file=$1 phase
    shift
    : >"$file"
    for phase in "$@"; do
        given_to "$phase"
        call_into "$phase.findings.new" "$phase" check ${given[@]+"${given[@]}"} -f "$PWD/$phase.desired.json" ||
            die "$phase: $(tool_of "$phase") check failed, see above"
        of_own_nodes "$phase.findings.new" >>"$file"
        rm -- "$phase.findings.new"
    done
}

# Leaves out what is said of roles that have no node in the account and region whose preferences they are held against: they were
# shown for others.
of_own_nodes() {
    if [ -z "$roles_file" ] || [ ! -e "$roles_file" ]; then cat -- "$1" && return; fi
    jq -c --slurpfile shown "$roles_file" '(reduce $shown[] as $record ({};
            .["\($record.target.account) \($record.target.region) \($record.roles[]?.arn)"] = true)) as $has_nodes
        | select(((.id // "") | startswith("prefs.role.") | not) or $has_nodes["\(.target.account) \(.target.region) \(.resource)"])' "$1"
}

check() {
    local phase=$1
    roles_file=$phase.roles.jsonl
    check_into "$phase.findings.jsonl" "$phase"
    list_findings "$phase.findings.jsonl"
    say "$phase: $(count_findings "$phase.findings.jsonl")"
    judge "$phase.findings.jsonl"
}

inventory() {
    begin inventory
    call_into "$base.nodes.jsonl" agents show || die "inventory: the nodes cannot be read, see above"
    # shellcheck disable=SC2086 # Phases.
    check_into "$base.findings.jsonl" $can
    say "  $(jq -s 'map(select(.kind != "unreachable")) | length' "$base.nodes.jsonl") nodes;" \
        "findings: $(count_findings "$base.findings.jsonl")"
    if [ -n "$partial" ]; then leave_open inventory && return; fi
    stamp inventory 'done'
}

verify() {
    begin verify
    rm -f verify.done
    roles_file=$base.roles.jsonl
    # shellcheck disable=SC2086 # Phases.
    check_into "$base.findings.jsonl" $can
    list_findings "$base.findings.jsonl"
    say "  findings: $(count_findings "$base.findings.jsonl")"
    judge "$PWD/$base.findings.jsonl"
    stamp verify 'done'
}

# Ends with what is said of findings: out of reach goes before errors, as nobody knows what is there.
judge() {
    if [ -n "$partial" ]; then die "not everything could be reached; run again to try once more"; fi
    if has_errors "$1"; then say "rollout: errors remain, see $1" && found=1 && exit 1; fi
}
