# shellcheck shell=bash disable=SC2154 # stackset.sh sets what is not assigned here.
# What stackset.sh asks of CloudFormation: its arguments as the stack set that is required, compared with what is there, and the
# requests of that. Sourced by it; everything that it keeps lies in $work.

check_arguments() {
    [ -n "$name" ] || die "--name is missing, see --help"
    case $call_as in
    self | SELF) call_as=SELF ;;
    delegated-admin | DELEGATED_ADMIN) call_as=DELEGATED_ADMIN ;;
    *) die "--call-as $call_as: expected self or delegated-admin" ;;
    esac
    local given
    for given in "$at_once" "$tolerance"; do
        case ${given%\%} in *[!0-9]*) die "$given: expected a number, or a share such as 10%" ;; esac
    done
    [ "$verb" = deploy ] || return 0
    regions=$(once "$regions") units=$(once "$units")
    [ -n "$template" ] || die "--template is missing, see --help"
    [ -n "$regions" ] || die "--regions are missing, see --help"
    [ -n "$root$units" ] || die "where to? pass --ous or --root"
    [ -z "$root" ] || [ -z "$units" ] || die "either --ous or --root"
    case $auto in on | retain | off) ;; *) die "--auto-deployment $auto: expected on, retain or off" ;; esac
    case $filter in '' | intersection | difference) ;; *) die "--filter $filter: expected intersection or difference" ;; esac
    if [ -n "$accounts" ] && [ -z "$filter" ]; then die "--accounts needs --filter intersection or --filter difference"; fi
    if [ -z "$accounts" ] && [ -n "$filter" ]; then die "--filter needs --accounts"; fi
    for given in ${parameters[@]+"${parameters[@]}"} ${secrets[@]+"${secrets[@]}"}; do
        case $given in [A-Za-z0-9]*=*) ;; *) die "parameter '${given%%=*}': expected KEY=VALUE" ;; esac
    done
}

# A list with every word once, where it comes first.
once() {
    local word words=''
    for word in ${1//,/ }; do case ,$words, in *",$word,"*) ;; *) words=${words:+$words,}$word ;; esac done
    echo "$words"
}

# Calls CloudFormation; what it says when it refuses lies in `complaint`, for failed_with and explain.
call() {
    local verb=$1
    shift
    AWS_PAGER='' aws cloudformation "$verb" --output json ${profile:+--profile "$profile"} ${region:+--region "$region"} "$@" \
        2>"$work/complaint"
}

organizations() {
    AWS_PAGER='' aws organizations "$@" --output json ${profile:+--profile "$profile"} ${region:+--region "$region"}
}

failed_with() { grep -q "($1)" "$work/complaint"; }

# Ends with what AWS said, and with what can be done about it where that is one thing.
explain() {
    sed '/^[[:space:]]*$/d' "$work/complaint" | tr -d '\000-\010\013-\037' >&2
    if grep -q "enable organizations access" "$work/complaint"; then
        say "stackset: call 'aws cloudformation activate-organizations-access' once in the management account"
    fi
    exit 2
}

# Reads the template, and what AWS finds in it: parameters, defaults and the capabilities that it needs.
prepare_template() {
    if [ "$template" = - ]; then cat; else cat -- "$template"; fi >"$work/template" || die "the template cannot be read"
    if jq -e 'type == "object"' "$work/template" >/dev/null 2>&1; then
        jq -S . "$work/template" >"$work/template.shown"
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
        if [ "$(wc -c <"$work/template")" -gt 51200 ]; then jq -c . "$work/template" >"$work/short" && mv -- "$work/short" "$work/template"; fi
    else
        cp -- "$work/template" "$work/template.shown"
    fi
    [ "$(wc -c <"$work/template")" -le 51200 ] || die "the template is longer than the 51,200 bytes that a request may hold"
    call get-template-summary --template-body "file://$work/template" >"$work/summary.json" || explain
    settle_parameters
}

# Puts the parameters together, [{key, value | null, secret, mark}]: null is a secret that stays as it is. The mark
# shows later that a secret is the same. It is too short to guess a secret from, and long enough to distinguish two.
settle_parameters() {
    local given key from n=0
    mkdir -- "$work/given"
    : >"$work/given.jsonl"
    for given in ${parameters[@]+"${parameters[@]}"}; do
        n=$((n + 1))
        printf '%s' "${given#*=}" >"$work/given/$n"
        jq -nc --arg key "${given%%=*}" --rawfile value "$work/given/$n" '{$key, $value, secret: false}' >>"$work/given.jsonl"
    done
    for given in ${secrets[@]+"${secrets[@]}"}; do
        key=${given%%=*} from=${given#*=} n=$((n + 1))
        case $from in
        env:[A-Za-z_]*)
            from=${from#env:}
            case $from in *[!A-Za-z0-9_]*) die "--secret-parameter $key: expected env:NAME or file:PATH" ;; esac
            [ -n "${!from:-}" ] || die "--secret-parameter $key: the variable $from is not set"
            printf '%s' "${!from}" >"$work/given/$n"
            ;;
        file:?*)
            # Without the line feed at its end.
            given=$(cat -- "${from#file:}") || die "--secret-parameter $key: the file cannot be read"
            [ -n "$given" ] || die "--secret-parameter $key: the file is empty"
            printf '%s' "$given" >"$work/given/$n"
            ;;
        *) die "--secret-parameter $key: expected env:NAME or file:PATH" ;;
        esac
        from=$( (printf '%s\n%s\n' "$name" "$key" && cat -- "$work/given/$n") | cksum_of)
        jq -nc --arg key "$key" --arg mark "$key ${from:0:8}" --rawfile value "$work/given/$n" \
            '{$key, $value, secret: true, $mark}' >>"$work/given.jsonl"
    done
    jq -s --slurpfile summary "$work/summary.json" '
        . as $given | $summary[0].Parameters // [] | map(. as $declared
            | ($given | map(select(.key == $declared.ParameterKey)) | last)
                // {key: $declared.ParameterKey, secret: ($declared.NoEcho // false), has_default: ($declared | has("DefaultValue")),
                    value: (if $declared.NoEcho then null else $declared.DefaultValue end)})' \
        "$work/given.jsonl" >"$work/parameters.json"
    key=$(jq -rs --slurpfile settled "$work/parameters.json" '
        map(.key) - ($settled[0] | map(.key)) | unique | join(", ")' "$work/given.jsonl")
    [ -z "$key" ] || die "the template has no parameter $key"
    key=$(jq -r 'map(select(.secret | not) | select(.value == null) | .key) | join(", ")' "$work/parameters.json")
    [ -z "$key" ] || die "the template needs a value for $key: pass --parameter"
    key=$(jq -rs --slurpfile summary "$work/summary.json" '
        map(select(.secret | not) | .key) - ($summary[0].Parameters // [] | map(select(.NoEcho | not) | .ParameterKey)) | join(", ")' "$work/given.jsonl")
    [ -z "$key" ] || die "$key is not to be seen: pass --secret-parameter"
    rm -r -- "$work/given" "$work/given.jsonl"
}

# GNU has sha256sum, macOS shasum.
cksum_of() {
    if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi
}

# Finds the accounts of the units as the organization is now, [{account, unit}], without the management account:
# StackSets never deploys there.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-associate-stackset-with-org.html
find_targets() {
    local unit
    if [ -n "$root" ]; then
        units=$(organizations list-roots | jq -r '.Roots[0].Id') || die "the root of the organization cannot be read, see above"
    fi
    : >"$work/members"
    for unit in ${units//,/ }; do list_members "$unit" "$unit"; done
    if [ -n "$accounts" ]; then
        grep -oE '^[[:space:]]*[0-9]{12}' -- "$accounts" | tr -d '[:blank:]' >"$work/accounts" || die "there are no account IDs in $accounts"
    fi
    jq -nR --arg filter "$filter" --rawfile named "$work/accounts" '
        ($named | split("\n")) as $named
        | [inputs | split(" ") | {account: .[0], unit: .[1]}]
        | map(select(if $filter == "intersection" then .account | IN($named[])
            elif $filter == "difference" then .account | IN($named[]) | not else true end))
        | unique_by(.account)' "$work/members" >"$work/targets.json"
}

# Adds the active accounts of a unit and of those below it. The ARN of an account begins with the management account.
list_members() {
    local unit=$1 below
    organizations list-accounts-for-parent --parent-id "$unit" >"$work/answer.json" || die "the accounts of $unit cannot be read, see above"
    jq -r --arg unit "$2" '.Accounts[] | select((.State // .Status) == "ACTIVE") | select((.Arn | split(":")[4]) != .Id)
        | "\(.Id) \($unit)"' "$work/answer.json" >>"$work/members"
    organizations list-organizational-units-for-parent --parent-id "$unit" >"$work/answer.json" ||
        die "the units below $unit cannot be read, see above"
    for below in $(jq -r '.OrganizationalUnits[].Id' "$work/answer.json"); do list_members "$below" "$2"; done
}

# Reads the set, if it is there, and its instances, once nothing is under way that changes them.
read_set() {
    while :; do
        if ! call describe-stack-set --stack-set-name "$name" --call-as "$call_as" >"$work/set.json"; then
            failed_with StackSetNotFoundException || explain
            : >"$work/set.json"
            echo '{"Summaries": []}' >"$work/instances.json"
            return
        fi
        find_running
        [ -n "$operation" ] || break
        if [ -n "$planning" ]; then
            say "stackset: operation $operation is under way; when it has ended, this may be out of date"
            break
        fi
        # Such as the operation of a run that was killed.
        say "stackset: operation $operation is under way already"
        follow
    done
    read_instances
}

read_instances() {
    call list-stack-instances --stack-set-name "$name" --call-as "$call_as" >"$work/instances.json" || explain
}

# Writes down what has to be done: changes of the set, by what differs, and of instances.
plan_deployment() {
    local shown=/dev/null
    check_secrets
    if [ -s "$work/set.json" ]; then
        [ "$(jq -r '.StackSet.PermissionModel' "$work/set.json")" = SERVICE_MANAGED ] || die "$name is there with self-managed permissions"
        shown=$work/present.shown
        jq -r '.StackSet.TemplateBody' "$work/set.json" >"$work/present"
        jq -S . "$work/present" >"$shown" 2>/dev/null || cat -- "$work/present" >"$shown"
    fi
    diff -u -L present -L wanted "$shown" "$work/template.shown" >"$work/difference" || true
    jq -n --arg name "$name" --arg regions "$regions" --arg auto "$auto" --slurpfile set "$work/set.json" --rawfile difference "$work/difference" \
        --slurpfile wanted "$work/parameters.json" --slurpfile targets "$work/targets.json" --slurpfile instances "$work/instances.json" \
        --slurpfile summary "$work/summary.json" -f "$here/stackset_deployment.jq" >"$work/plan.json"
}

# Ends if a secret was left out that has no value yet.
check_secrets() {
    local missing
    missing=$(jq -r --slurpfile set "$work/set.json" '
        [$set[0].StackSet.Parameters[]?.ParameterKey] as $there
        | map(select(.value == null and (.has_default | not) and (.key | IN($there[]) | not)) | .key) | join(", ")' "$work/parameters.json")
    [ -z "$missing" ] || die "the template needs a value for $missing: pass --secret-parameter"
}

plan_deletion() {
    # What a region made for the others goes last: backwards through --regions or what the newest operation went through,
    # and the home region of our templates at the end.
    [ -n "$regions" ] || regions=$(jq -rn --slurpfile operations "$work/operations.json" --slurpfile set "$work/set.json" '
        ([$set[0].StackSet.Parameters[]? | select(.ParameterKey == "HomeRegion") | .ParameterValue])
        + ([$operations[0].Summaries[]?.OperationPreferences.RegionOrder // empty] | first // []) | join(",")')
    regions=$(once "$regions" | tr , '\n' | sed '1!G;h;$!d' | paste -sd, -)
    jq -n --arg name "$name" --arg retain "$retain" --slurpfile instances "$work/instances.json" '
        [$instances[0].Summaries[] | {account: .Account, region: .Region}] as $there
        | {kind: "stack_set_plan", stack_set: $name, changes: ((if $there == [] then [] else
            [{action: "delete_instances", retain_stacks: ($retain != ""), instances: $there}] end) + [{action: "delete"}])}' >"$work/plan.json"
}

# Whether the plan has a change: create, update or instances.
wants() { jq -e --arg what "$1" 'any(.changes[]; .action | endswith($what))' "$work/plan.json" >/dev/null; }

# Writes the request that creates or updates the set.
request_set() {
    jq -n --arg verb "$1" --arg name "$name" --arg auto "$auto" --arg call_as "$call_as" --arg operation "$(new_id)" --rawfile template "$work/template" \
        --slurpfile parameters "$work/parameters.json" --slurpfile summary "$work/summary.json" --slurpfile plan "$work/plan.json" \
        --slurpfile set "$work/set.json" \
        --slurpfile preferences <(preferences "$(jq -r '[.StackSet.Regions[]?] | join(",")' "$work/set.json")") '
        [$set[0].StackSet.Parameters[]?.ParameterKey] as $there
        | {
            StackSetName: $name, TemplateBody: $template, CallAs: $call_as, PermissionModel: "SERVICE_MANAGED",
            Description: $plan[0].description, Capabilities: ($summary[0].Capabilities // []),
            Parameters: ($parameters[0] | map({ParameterKey: .key} + if .value != null then {ParameterValue: .value}
                elif .key | IN($there[]) then {UsePreviousValue: true} else empty end)),
            AutoDeployment: ({Enabled: ($auto != "off")} + if $auto == "off" then {} else {RetainStacksOnAccountRemoval: ($auto == "retain")} end)
        } + if $verb == "create" then {ClientRequestToken: $operation} else {OperationId: $operation, OperationPreferences: $preferences[0]} end' \
        >"$work/request.json"
    rm -- "$work/parameters.json" # What holds a secret is gone as soon as it was sent, should this be killed then.
}

# Writes the request that makes instances, or deletes those that are there.
request_instances() {
    jq -n --arg verb "$1" --arg name "$name" --arg units "$units" --arg filter "$filter" --arg regions "$regions" --arg retain "$retain" \
        --arg call_as "$call_as" --arg operation "$(new_id)" --rawfile named "$work/accounts" --slurpfile there "$work/instances.json" \
        --slurpfile preferences <(preferences "$(if [ "$1" = create ]; then echo "$regions"; else jq -r '[.Summaries[].Region] | unique | join(",")' "$work/instances.json"; fi)") '
        {StackSetName: $name, CallAs: $call_as, OperationId: $operation, OperationPreferences: $preferences[0]}
        + if $verb == "create" then {
            Regions: ($regions | split(",")),
            DeploymentTargets: ({OrganizationalUnitIds: ($units | split(","))} + if $filter == "" then {} else
                {AccountFilterType: ($filter | ascii_upcase), Accounts: ($named | split("\n") | map(select(. != "")))} end)
        } else {
            Regions: ($there[0].Summaries | map(.Region) | unique), RetainStacks: ($retain != ""),
            DeploymentTargets: {OrganizationalUnitIds: ($there[0].Summaries | map(.OrganizationalUnitId) | unique)}
        } end' >"$work/request.json"
}

# Prints the preferences of an operation in these regions: in the order of --regions, those that it does not name first
# when things are deleted, and last when they are made.
preferences() {
    jq -nc --arg verb "$verb" --arg order "$regions" --arg regions "$1" --arg at_once "$at_once" --arg tolerance "$tolerance" '
        def words: split(",") | map(select(. != ""));
        def limit($given; $kind): if $given == "" then {} elif $given | endswith("%")
            then {"\($kind)Percentage": ($given[:-1] | tonumber)} else {"\($kind)Count": ($given | tonumber)} end;
        ($regions | words) as $all | [$order | words[] | select(IN($all[]))] as $first
        | {RegionOrder: (if $verb == "delete" then ($all - $first) + $first else $first + ($all - $first) end)} + limit($at_once; "MaxConcurrent") + limit($tolerance; "FailureTolerance")
        | if .RegionOrder == [] then del(.RegionOrder) else . end'
}

# An id of our own lets a request that is sent twice, for its answer got lost, count once.
new_id() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }
