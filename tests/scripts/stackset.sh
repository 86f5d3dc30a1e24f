#!/usr/bin/env bash
# scripts/stackset.sh, with the AWS CLI against the sandbox: each case has an organization of its own, of a management
# account, two accounts in a unit, and one outside of it.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # Fakes are written by printf; each case runs in a subshell.
# shellcheck source=tests/scripts/scene
. "$(dirname -- "$0")/scene"

export PATH="$root/.venv/bin:$PATH" AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_SECRET_ACCESS_KEY=any \
    AWS_DEFAULT_REGION=us-east-1 AWS_RETRY_MODE=standard
unset AWS_PROFILE AWS_REGION
# Both end when this shell does, however it ends, for it alone holds the other end of their stdin.
mkfifo "$top/open"
exec 8<>"$top/open"
python "$root/tests/sandbox/sandbox.py" --exit-with-stdin <"$top/open" 8>&- >"$top/url" 2>"$top/errors" &
sandbox=$!
# The CLI itself, started once.
python "$root/tests/sandbox/preloaded.py" serve "$top/cli" <"$top/open" 8>&- &
cli=$!
mkdir "$top/bin"
printf '#!/bin/sh\nexec python -SE "%s/tests/sandbox/preloaded.py" call "%s/cli" aws "$@"\n' "$root" "$top" >"$top/bin/aws" && chmod +x "$top/bin/aws"
PATH="$top/bin:$PATH"
trap 'exec 8>&-; wait; rm -rf -- "$top"' EXIT
until [ -s "$top/url" ] && [ -S "$top/cli" ]; do
    kill -0 "$sandbox" "$cli" || fail "$(cat "$top/errors")"
    sleep 0.1
done
AWS_ENDPOINT_URL=$(cat "$top/url")
export AWS_ENDPOINT_URL

# Makes the organization of a case, and a template of a key and an alias.
organization() {
    local id=$1
    management=1000${id}0001 first=1000${id}0002 second=1000${id}0003 outside=1000${id}0004
    unit=ou-$id-11111111 root_unit=r-$id
    control POST estate "$(jq -n --arg management "$management" --arg first "$first" --arg second "$second" --arg outside "$outside" \
        --arg unit "$unit" --arg root "$root_unit" '{
            accounts: [$management, $first, $second, $outside] | map({id: ., name: "account \(.)"}),
            organization: {management_account: $management, id: "o-org\($root[2:])0000000", root_id: $root,
                ous: [{id: $unit, name: "unit", accounts: [$first, $second]}]}}')" >/dev/null
    export AWS_ACCESS_KEY_ID=AKIA$management
    ask "$management" cloudformation ActivateOrganizationsAccess >/dev/null
    template me >"a template.json"
    given=(--name s --template "a template.json" --regions us-east-1 --ous "$unit")
}

# Calls an operation as an account, without the second that the CLI takes to start: `ask ACCOUNT SERVICE OPERATION [BODY]`.
ask() {
    local of="Authorization: AWS4-HMAC-SHA256 Credential=AKIA$1/20261127/us-east-1/$2/aws4_request, SignedHeaders=host, Signature=0"
    case $2 in
    cloudformation) curl -sf -H "$of" -d "Action=$3&Version=2010-05-15${4:-}" "$AWS_ENDPOINT_URL" ;;
    kms) curl -sf -H "$of" -H "X-Amz-Target: TrentService.$3" -H "Content-Type: application/x-amz-json-1.1" -d "${4:-"{}"}" "$AWS_ENDPOINT_URL" ;;
    organizations) curl -sf -H "$of" -H "X-Amz-Target: AWSOrganizationsV20161128.$3" -H "Content-Type: application/x-amz-json-1.1" -d "$4" "$AWS_ENDPOINT_URL" ;;
    esac
}

# The operations of the set, the newest first, as XML.
operations() { ask "$management" cloudformation ListStackSetOperations "&StackSetName=s"; }

template() {
    jq -n --arg who "$1" '{
        Parameters: {Who: {Type: "String", Default: $who}},
        Resources: {
            Key: {Type: "AWS::KMS::Key", Properties: {Description: {Ref: "Who"}}},
            Alias: {Type: "AWS::KMS::Alias", Properties: {AliasName: "alias/ssm", TargetKeyId: {Ref: "Key"}}}}}'
}

control() { curl -sf -X "$1" "$AWS_ENDPOINT_URL/_sandbox/$2" ${3:+-d "$3"}; }

# Runs the script without a terminal; what it prints and what it says are kept apart.
set_up() {
    status=0
    "$root/scripts/stackset.sh" "$@" </dev/null >records 2>said || status=$?
}

# What became of the accounts: "222222222222 us-east-1 SUCCEEDED" for each record, in the order of AWS.
expect_records() {
    local got
    got=$(jq -r '"\(.target.account) \(.target.region) \(.status)"' records)
    [ "$got" = "$1" ] || fail "records are: $got"
}

expect_writes() {
    local got
    got=$(control GET "calls?account=$management" | jq -r 'select(.service == "cloudformation" and (.read_only | not)) | .operation' | paste -sd' ' -)
    [ "$got" = "$1" ] || fail "writes are: $got"
    control DELETE "calls?account=$management" >/dev/null
}

# In the account: whether the stack's alias is there.
has_alias() {
    ask "$1" kms ListAliases | jq -e 'any(.Aliases[]; .AliasName == "alias/ssm")' >/dev/null
}

creates_changes_and_deletes_and_twice_changes_nothing() {
    organization 0001
    # A region that is named twice is meant once.
    given+=(--regions "us-east-1,us-west-2" --max-concurrent 100% --failure-tolerance 1)
    run_and_answer n stackset.sh "${given[@]}"
    expect_status 2
    expect_said "Do this? [y/N]"
    expect_said "+ 4 stacks"
    expect_writes "ActivateOrganizationsAccess"
    set_up "${given[@]}" --yes
    expect_status 0
    expect_writes "CreateStackSet CreateStackInstances"
    all="$first us-east-1 SUCCEEDED
$first us-west-2 SUCCEEDED
$second us-east-1 SUCCEEDED
$second us-west-2 SUCCEEDED"
    expect_records "$all"
    operations | tr -d ' \n' | grep -q '<RegionOrder><member>us-east-1</member><member>us-west-2</member></RegionOrder>' || fail "another order"
    set_up "${given[@]}"
    expect_status 0
    expect_said "nothing to do"
    expect_records "$all"
    expect_writes ""
    template you >"a template.json"
    set_up "${given[@]}" --auto-deployment retain --yes
    expect_status 0
    expect_said "~ stack set s: template, parameter Who, auto deployment; 4 stacks are updated"
    expect_said '+      "Default": "you"'
    expect_writes "UpdateStackSet"
    ask "$second" cloudformation DescribeStacks | grep -q UPDATE_COMPLETE || fail "not updated"
    set_up --delete --name s
    expect_status 2
    expect_said "pass --yes"
    expect_writes ""
    set_up --delete --name s --yes
    expect_status 0
    # The region that was first is the last.
    expect_records "$first us-west-2 DELETED
$second us-west-2 DELETED
$first us-east-1 DELETED
$second us-east-1 DELETED"
    expect_writes "DeleteStackInstances DeleteStackSet"
    if has_alias "$first"; then fail "the stack is there"; fi
    set_up --delete --name s --yes
    expect_status 0
    expect_said "nothing to do"
}

says_why_an_account_failed_and_makes_it_good_later() {
    organization 0002
    key=$(ask "$first" kms CreateKey | jq -r .KeyMetadata.KeyId)
    ask "$first" kms CreateAlias "{\"AliasName\": \"alias/ssm\", \"TargetKeyId\": \"$key\"}"
    set_up "${given[@]}" --failure-tolerance 50% --yes
    expect_status 2
    expect_records "$first us-east-1 FAILED
$second us-east-1 SUCCEEDED"
    expect_said "FAILED $first us-east-1: ResourceLogicalId:Alias, ResourceType:AWS::KMS::Alias"
    jq -se '.[0].reason | test("already exists")' records >/dev/null || fail "no reason"
    has_alias "$second" || fail "the other account has no stack"
    ask "$first" kms DeleteAlias '{"AliasName": "alias/ssm"}'
    ask "$management" organizations MoveAccount "$(jq -n --arg account "$outside" --arg root "$root_unit" --arg unit "$unit" \
        '{AccountId: $account, SourceParentId: $root, DestinationParentId: $unit}')"
    until has_alias "$outside"; do sleep 0.1; done # Deployed to by itself.
    set_up "${given[@]}" --yes
    expect_status 0
    expect_said "+ 1 stacks"
    expect_said "$first us-east-1, again: it is OUTDATED"
    expect_records "$first us-east-1 SUCCEEDED
$second us-east-1 SUCCEEDED
$outside us-east-1 SUCCEEDED"
}

goes_by_the_accounts_of_a_file_and_never_to_the_management_account() {
    organization 0003
    printf '# not these\n%s\n' "$first" >"some accounts"
    for kind in "difference:$second $outside" "intersection:$first"; do
        set_up --name s --template "a template.json" --regions us-east-1 --root --accounts "some accounts" --filter "${kind%%:*}" --plan
        expect_status 0
        [ "$(jq -r '.changes[1].instances | map(.account) | join(" ")' records)" = "${kind#*:}" ] || fail "$(cat records)"
    done
    expect_writes "ActivateOrganizationsAccess"
}

follows_what_a_killed_run_began() {
    organization 0004
    control POST faults "$(jq -n --arg account "$first" '{account: $account, kind: "latency", service: "kms", operation: "CreateKey", milliseconds: 12000}')"
    "$root/scripts/stackset.sh" "${given[@]}" --yes </dev/null >records 2>said &
    killed=$!
    until control GET "calls?account=$management" | grep -q CreateStackInstances; do kill -0 "$killed" && sleep 0.1; done
    kill -9 "$killed"
    wait "$killed" || true
    set_up "${given[@]}" --yes
    expect_status 0
    expect_said "is under way already"
    expect_records "$first us-east-1 SUCCEEDED
$second us-east-1 SUCCEEDED"
    [ "$(operations | grep -c '<OperationId>')" -eq 1 ] || fail "begun twice"
}

# Sends a signal while the first account is under way, to the group as a keyboard does, or to the script alone.
stopped_by() { # signal group|script
    control POST faults "$(jq -n --arg account "$first" '{account: $account, kind: "latency", service: "kms", operation: "CreateKey", milliseconds: 12000}')"
    status=0
    # A shell has its background jobs ignore SIGINT.
    python - "$1" "$2" "$root/scripts/stackset.sh" "${given[@]}" --yes >said 2>&1 <<'PYTHON' || status=$?
import os, signal, subprocess, sys

run = subprocess.Popen(sys.argv[3:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
for line in run.stdout:
    print(line, end="")
    if "0 of 2 done, 1 under way" in line:
        (os.killpg if sys.argv[2] == "group" else os.kill)(run.pid, signal.Signals[sys.argv[1]])
status = run.wait()
processes = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True).stdout.splitlines()
left = sum(one.split()[0] == str(run.pid) and not one.split()[1].startswith("Z") for one in processes)
sys.exit(status if not left else f"{left} processes go on")
PYTHON
    expect_said "goes on. Run this again to follow it"
}

leaves_the_operation_to_itself_at_ctrl_c_and_stops_it_when_asked() {
    organization 0005
    stopped_by SIGINT group
    expect_status 130
    set_up --stop --name s
    expect_status 0
    expect_said "1 of 2 done, 1 canceled"
    expect_said "CREATE STOPPED"
    set_up --stop --name s
    expect_status 0
    expect_said "nothing is under way"
}

leaves_the_operation_to_itself_at_sigterm_and_sighup() {
    organization 0015
    stopped_by SIGTERM script
    expect_status 143
    stopped_by SIGHUP script
    expect_status 129
}

counts_a_request_once_whose_answer_was_lost() {
    organization 0006
    control POST faults "$(jq -n --arg account "$management" '["CreateStackSet", "CreateStackInstances"]
        | map({account: $account, kind: "drop", when: "after", service: "cloudformation", operation: .})')"
    set_up "${given[@]}" --yes
    expect_status 0
    expect_records "$first us-east-1 SUCCEEDED
$second us-east-1 SUCCEEDED"
    [ "$(operations | grep -c '<OperationId>')" -eq 1 ] || fail "begun twice"
}

keeps_secrets_out_of_sight_and_notices_another() {
    organization 0007
    jq '.Parameters.Hook = {Type: "String", NoEcho: true}' "a template.json" >t && mv t "a template.json"
    set_up "${given[@]}" --yes
    expect_status 2
    expect_said "needs a value for Hook: pass --secret-parameter"
    set_up "${given[@]}" --yes --parameter Hook=canary-1
    expect_status 2
    expect_said "Hook is not to be seen"
    for tool in aws jq cat diff sha256sum; do
        printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>"%s"\nPATH=${PATH#*:} exec %s "$@"\n' "$FAKE/arguments" "$tool" >"bin/$tool" && chmod +x "bin/$tool"
    done
    mkdir kept
    TMPDIR=$PWD/kept HOOK=canary-1 set_up "${given[@]}" --yes --secret-parameter Hook=env:HOOK
    expect_status 0
    rm -f bin/aws bin/jq bin/cat bin/diff bin/sha256sum
    if grep -r canary said records "$FAKE/arguments"; then fail "the secret was seen"; fi
    grep -q create-stack-set "$FAKE/arguments" || fail "no arguments were seen"
    rmdir kept || fail "something is left behind"
    HOOK=canary-1 set_up "${given[@]}" --plan --secret-parameter Hook=env:HOOK
    expect_status 0
    expect_said "nothing to do"
    printf 'canary-2\n' >hook
    set_up "${given[@]}" --plan --secret-parameter Hook=file:hook
    expect_said "~ stack set s: parameter Hook; 2 stacks are updated"
    # Left out, it stays as it is, and stays known.
    set_up "${given[@]}" --yes --parameter Who=you
    expect_status 0
    expect_said "~ stack set s: parameter Who;"
    HOOK=canary-1 set_up "${given[@]}" --plan --parameter Who=you --secret-parameter Hook=env:HOOK
    expect_said "nothing to do"
}

works_as_a_delegated_administrator_of_stack_sets() {
    organization 0008
    export AWS_ACCESS_KEY_ID=AKIA$outside
    set_up "${given[@]}" --plan --call-as delegated-admin
    expect_status 2
    expect_said "not a delegated administrator"
    ask "$management" organizations RegisterDelegatedAdministrator \
        "{\"AccountId\": \"$outside\", \"ServicePrincipal\": \"member.org.stacksets.cloudformation.amazonaws.com\"}"
    set_up "${given[@]}" --yes --call-as delegated-admin
    expect_status 0
    expect_records "$first us-east-1 SUCCEEDED
$second us-east-1 SUCCEEDED"
    ask "$management" cloudformation DescribeStackSet "&StackSetName=s" | grep -q ACTIVE || fail "it is not the organization's"
}

finds_all_accounts_and_says_what_the_organization_has_to_allow() {
    template me >"a template.json"
    # A page of accounts holds 20.
    control POST estate "$(jq -n '[range(25) | "1000000900\(. + 10)"] as $members | {accounts: (["100000090001", $members[]] | map({id: ., name: "n\(.)"})),
        organization: {management_account: "100000090001", id: "o-org00090000", root_id: "r-0009",
            ous: [{id: "ou-0009-11111111", name: "unit", accounts: $members}]}}')" >/dev/null
    export AWS_ACCESS_KEY_ID=AKIA100000090001
    printf 'Resources:\n  Key: {Type: "AWS::KMS::Key"}\n' >template.yaml
    set_up --name s --template template.yaml --regions us-east-1 --root --plan
    expect_status 0
    jq -e '.changes[1].instances | length == 25' records >/dev/null || fail "$(cat records)"
    expect_said '+  Key: {Type: "AWS::KMS::Key"}'
    set_up --name s --template "a template.json" --regions us-east-1 --root --yes
    expect_status 2
    expect_said "activate-organizations-access"
}

deploys_what_the_tools_render() {
    organization 0010
    rm bin/ssm-prefs bin/ssm-role # The real ones.
    jq '.instance_profiles = null | .hybrid_activations = null' "$root/scripts/rollout.d/role.json" >role.json
    ssm-prefs render -f "$root/scripts/rollout.d/prefs.json" >prefs
    ssm-role render --cloudformation -f role.json --prefs prefs >"a template.json"
    # Home is not the first of the alphabet: the other region's stack fails unless the order is kept, both ways.
    given=(--name role --template - --regions "us-west-2,us-east-1" --ous "$unit" --parameter HomeRegion=us-west-2)
    status=0
    "$root/scripts/stackset.sh" "${given[@]}" --yes <"a template.json" >records 2>said || status=$?
    expect_status 0
    AWS_ACCESS_KEY_ID=AKIA$first ssm-role plan -f role.json --region us-west-2,us-east-1 >plans 2>said || fail "no plan"
    jq -es 'length == 2 and all(.changes == [])' plans >/dev/null || fail "$(cat plans)"
    set_up --delete --name role --yes
    expect_status 0
    expect_records "$first us-east-1 DELETED
$second us-east-1 DELETED
$first us-west-2 DELETED
$second us-west-2 DELETED"
}

refuses_arguments_that_make_no_sense() {
    touch t
    while IFS='|' read -r arguments expected; do
        # shellcheck disable=SC2086 # Words.
        set_up $arguments
        expect_status 2
        expect_said "$expected"
    done <<'CASES'
--template t|--name is missing
--name s --regions r --root|--template is missing
--name s --template t --root|--regions are missing
--name s --template t --regions r|pass --ous or --root
--name s --template t --regions r --root --ous u|either --ous or --root
--name s --template t --regions r --root --accounts f|--accounts needs --filter
--name s --template t --regions r --root --filter difference|--filter needs --accounts
--name s --template t --regions r --root --auto-deployment yes|expected on, retain or off
--name s --template t --regions r --root --parameter K|expected KEY=VALUE
--name s --template t --regions r --root --max-concurrent many|expected a number
--name s --delete --stop|either --delete or --stop
--name s --delete --call-as me|expected self or delegated-admin
--name s --delete --bogus|unknown argument
CASES
}

# The cases wait more than they work: beside each other they take half of the time.
lane() {
    local name
    for name in "$@"; do a_case "$name"; done
    [ "$n_failed" -eq 0 ]
}
lanes=()
lane creates_changes_and_deletes_and_twice_changes_nothing deploys_what_the_tools_render refuses_arguments_that_make_no_sense \
    leaves_the_operation_to_itself_at_sigterm_and_sighup &
lanes+=($!)
lane follows_what_a_killed_run_began leaves_the_operation_to_itself_at_ctrl_c_and_stops_it_when_asked \
    works_as_a_delegated_administrator_of_stack_sets finds_all_accounts_and_says_what_the_organization_has_to_allow &
lanes+=($!)
lane keeps_secrets_out_of_sight_and_notices_another says_why_an_account_failed_and_makes_it_good_later \
    counts_a_request_once_whose_answer_was_lost goes_by_the_accounts_of_a_file_and_never_to_the_management_account &
lanes+=($!)
for lane in "${lanes[@]}"; do wait "$lane" || n_failed=$((n_failed + 1)); done
finish
