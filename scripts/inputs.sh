# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154 # rollout.sh sets what is not assigned here.
# What a rollout depends on, from the variables of rollout.mk into files of ROLLOUT_DIR, and whether that has changed since.
#
#   PHASE.desired.json   the desired state
#   PHASE.flags          flags of its tool, one a line; after an empty line what else decides where it works
#   accounts             the list of accounts, if that is a file
#   PHASE.changed        by which attempt the phase last changed something
#   PHASE.planned, PHASE.done   of what attempt, and all inputs that the plan was made from, or the phase done with

# Which tool does the work of a phase; those that have none are phase.sh's own.
tool_of() {
    case $1 in
    preferences) echo ssm-prefs ;;
    roles) echo ssm-role ;;
    agents) echo ssm-agentcheck ;;
    guardrail) echo ssm-scp ;;
    audit-trail) echo ssm-events ;;
    esac
}

# ssm-prefs reads prefs.json, ssm-agentcheck agent.json; a directory of the name without .json holds layers.
file_of() {
    local name
    name=$(tool_of "$1")
    name=${name#ssm-}
    name=$desired_dir/${name%check}
    if [ ! -e "$name.json" ] && [ -d "$name" ]; then echo "$name"; else echo "$name.json"; fi
}

# Prints a desired state. Layers are as good one after another in one file.
desired_of() {
    local file layer
    file=$(file_of "$1")
    if [ -d "$file" ]; then
        for layer in "$file"/*.json; do cat -- "$layer" && echo; done
    else
        cat -- "$file"
    fi
}

can() { case " $can " in *" $1 "*) ;; *) return 1 ;; esac }

# Prints all that a phase depends on.
inputs_of() {
    local phase needed
    case $1 in
    inventory | verify)
        for phase in $can; do
            cat -- "$phase.flags" "$phase.desired.json"
            if [ "$1" = verify ] && [ -e "$phase.done" ]; then head -n 1 -- "$phase.done"; fi
        done
        ;;
    *)
        cat -- "$1.flags" "$1.desired.json"
        needed=$(needed_by "$1")
        if [ -e "$needed.changed" ]; then cat -- "$needed.changed"; fi
        ;;
    esac
}

# Notes that a phase is planned or done, and with which inputs: `stamp PHASE planned|done`.
stamp() {
    { echo "$attempt" && inputs_of "$1"; } >"$1.new"
    mv -- "$1.new" "$1.$2"
}

# Whether that still holds.
is_fresh() {
    if [ ! -e "$1.$2" ]; then return 1; fi
    if [ "$2" = planned ] && [ ! -e "$1.plan.json" ]; then return 1; fi
    inputs_of "$1" | cmp -s - <(tail -n +2 -- "$1.$2")
}

# Words separated by spaces or commas, by commas.
listed() {
    local word words=''
    for word in ${1//,/ }; do words=${words:+$words,}$word; done
    echo "$words"
}

absolute() {
    case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac
}

is_yes() {
    case $YES in
    '' | 0 | n | no) ;;
    1 | y | yes) echo 1 ;;
    *) die "YES=$YES: expected 1 or nothing" ;;
    esac
}

# What ssm-scp apply accepts, into `accepted`: a line each as rollout.sh gives them, else a word each.
accepted=()
take_accepted() {
    local separator=' ' words word
    case $ACCEPT in *$'\n'*) separator=$'\n' ;; esac
    words=$ACCEPT$separator
    while [ -n "$words" ]; do
        word=${words%%"$separator"*}
        words=${words#*"$separator"}
        [ -z "$word" ] || accepted+=(--accept "$word")
    done
}

# Prints the flags that a phase's tool gets.
flags_of() {
    local phase=$1 profile=$PROFILE regions file
    regions=$(listed "$REGIONS")
    if [ "$phase" = guardrail ]; then
        profile=${GUARDRAIL_PROFILE:-$profile}
        regions=${regions#all} # Organizations has none; AWS_REGION or the profile's says which partition.
    fi
    [ -z "$profile" ] || echo "--profile $profile"
    [ -z "$regions" ] || echo "--region $regions"
    if [ "$phase" != guardrail ]; then
        case $ACCOUNTS in '') ;; org) echo "--accounts org" ;; *) echo "--accounts accounts" ;; esac
        [ -z "$ASSUME_ROLE" ] || echo "--assume-role $ASSUME_ROLE"
        [ -z "$EXTERNAL_ID" ] || echo "--external-id $EXTERNAL_ID"
    fi
    echo
    # Keys are no input: they change with every login to the same account. Whose they are, the plans say.
    echo "AWS_PROFILE=${AWS_PROFILE:-} AWS_REGION=${AWS_REGION:-} AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-}" \
        "AWS_ENDPOINT_URL=${AWS_ENDPOINT_URL:-}"
    if [ "$phase" != guardrail ] && [ -e "$dir/accounts" ]; then cat -- "$dir/accounts"; fi
    # The function that is to be there, as the desired state names it only.
    if [ "$phase" = audit-trail ] && [ -e "$(file_of "$phase")" ]; then
        desired_of "$phase" | jq -r '(., .desired?) | .function?.zip? // empty' 2>/dev/null |
            while IFS= read -r file; do cksum "$file" 2>/dev/null || true; done || true # The tool says what is wrong.
    fi
}

# Tells why a phase cannot run, or nothing.
reason_to_skip() {
    if [ ! -e "$(file_of "$1")" ]; then
        echo "there is no $(file_of "$1")"
    elif [ "$1" = guardrail ] && [ -z "$GUARDRAIL_PROFILE" ] && [ "$only" != guardrail ]; then
        # Whose account this is gets never guessed: SCPs are written by the management account alone.
        echo "it needs --guardrail-profile, or --only guardrail with the management account's credentials" \
            "(GUARDRAIL_PROFILE, ONLY=guardrail)"
    fi
}

# Brings ROLLOUT_DIR up to date with what was given, and goes there.
take_inputs() {
    local phase skip n=1
    dir=$(absolute "$ROLLOUT_DIR")
    desired_dir=$(absolute "${DESIRED:-$here/rollout.d}")
    [ -d "$desired_dir" ] || die "there is no directory $desired_dir"
    command -v jq >/dev/null || die "jq is not in PATH; rollback.sh needs it, so nothing is begun without it"
    YES=$(is_yes)
    private_directory "$dir"
    lock "$dir"
    case $ACCOUNTS in
    '' | org) rm -f -- "$dir/accounts" ;;
    -) die "a list of accounts on stdin would be read once only: put it into a file" ;;
    *) cat -- "$(absolute "$ACCOUNTS")" >"$dir/accounts" || die "the list of accounts cannot be read" ;;
    esac
    for phase in $phases; do
        # Plans that lack something are made anew, and so is everything if that is wished.
        if [ -e "$dir/$phase.open" ]; then rm -f -- "$dir/$phase.plan.json" "$dir/$phase.open"; fi
        case ${FRESH:+1}" $only " in 1*" $phase "*) rm -f -- "$dir/$phase.plan.json" "$dir/$phase.done" ;; esac
        [ -n "$(tool_of "$phase")" ] || continue
        flags_of "$phase" >"$dir/$phase.flags"
        skip=$(reason_to_skip "$phase")
        if [ -z "$skip" ]; then
            desired_of "$phase" >"$dir/$phase.desired.json"
            can="$can $phase"
        else
            case " $only " in *" $phase "*) say "$phase: skipped: $skip" ;; esac
        fi
    done
    while attempt=attempt-$(printf '%03d' "$n") && [ -e "$dir/$attempt" ]; do n=$((n + 1)); done
    cd -- "$dir" || die "$dir cannot be entered"
}
