#!/usr/bin/env bash
# Brings a CloudFormation stack set with service-managed permissions to what a template, parameters and targets say, and
# follows its operations to their end. For templates of `ssm-x render --cloudformation`, or any other.
#
# usage: stackset.sh --name NAME --template FILE|- --regions R,.. (--ous OU,.. | --root)
#                    [--accounts FILE --filter intersection|difference] [--parameter KEY=VALUE]...
#                    [--secret-parameter KEY=env:NAME|file:PATH]... [--max-concurrent N|N%] [--failure-tolerance N|N%]
#                    [--auto-deployment on|retain|off] [COMMON] [--plan | --yes]
#        stackset.sh --delete --name NAME [--regions R,..] [--retain-stacks] [--max-concurrent ..] [--failure-tolerance ..] [COMMON]
#                    [--plan | --yes]
#        stackset.sh --stop --name NAME [COMMON]
#
#   --name NAME              the stack set
#   --template FILE|-        template in JSON or YAML, - for stdin
#   --regions R,..           regions to deploy to, one after the other in this order, the home region first; --delete goes
#                            through them backwards [default: those that it was deployed to, as it was last]
#   --ous OU,.. | --root     organizational units to deploy to, with those below them, or all of the organization
#   --accounts FILE          account IDs, one a line, that --filter goes by
#   --filter intersection    only those of the accounts in the units; difference: all but those. Accounts that come into
#                            the units later get stacks all the same, unless --auto-deployment is off
#   --parameter KEY=VALUE    parameter of the template, repeat for several [default: the template's]
#   --secret-parameter KEY=FROM  the same from env:NAME or file:PATH, for what may not be seen in a command line; left out
#                            of a later run, the value stays as it is
#   --max-concurrent N|N%    accounts at once in a region; never more than one above --failure-tolerance [default: 1]
#   --failure-tolerance N|N% accounts that may fail in a region before the operation ends [default: 0]
#   --auto-deployment on     accounts that come into the units get stacks, and those that leave lose them [default];
#                            retain: they keep what was made; off: neither
#   --delete                 delete the stacks, then the set; --retain-stacks leaves the stacks
#   --stop                   stop the operation that is under way, and follow it to its end
#   --plan                   print what would be done, and do nothing
#   --yes                    do it without asking; needed when there is no terminal to ask on
# COMMON:
#   --call-as WHO            self in the management account, delegated-admin in a delegated administrator's [default: self]
#   --profile P              credentials [default: the environment's]
#   --region R               region that the stack set itself is in [default: AWS_REGION or the profile's]
#
# Needs the AWS CLI and jq. stdout gets one JSON record for each account and region: the result of its stack, and the reason of
# the resource that failed; with --plan, what would be done. An operation goes on when this is stopped or killed: run it
# again to follow it. What is there and as it should be is left alone, so running it twice changes nothing.
#
# exit: 0 done, or nothing to do; 2 an error, a stack that failed, not confirmed; 130 stopped by Ctrl-C, 143 by SIGTERM, 129 by
#       SIGHUP
set -euo pipefail
umask 077 # The requests hold the values of parameters.

here=$(cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
verb=deploy name='' template='' regions='' units='' root='' accounts='' filter='' at_once='' tolerance=''
auto=on retain='' planning='' yes='' call_as=SELF profile='' region=${AWS_REGION:-} operation=''
parameters=() secrets=()
# shellcheck source=scripts/results.sh
. "$here/results.sh"
# shellcheck source=scripts/stackset_request.sh
. "$here/stackset_request.sh"
# shellcheck source=scripts/stackset_operation.sh
. "$here/stackset_operation.sh"

while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage ;;
    --delete | --stop)
        [ "$verb" = deploy ] || die "either --delete or --stop"
        verb=${1#--} && shift && continue
        ;;
    --root) root=1 && shift && continue ;;
    --retain-stacks) retain=1 && shift && continue ;;
    --plan) planning=1 && shift && continue ;;
    --yes) yes=1 && shift && continue ;;
    -*) [ -n "${2:-}" ] || die "$1: unknown argument, or its value is missing; see --help" ;;
    esac
    case $1 in
    --name) name=$2 ;;
    --template) template=$2 ;;
    --regions) regions=${regions:+$regions,}$2 ;;
    --ous) units=${units:+$units,}$2 ;;
    --accounts) accounts=$2 ;;
    --filter) filter=$2 ;;
    --parameter) parameters+=("$2") ;;
    --secret-parameter) secrets+=("$2") ;;
    --max-concurrent) at_once=$2 ;;
    --failure-tolerance) tolerance=$2 ;;
    --auto-deployment) auto=$2 ;;
    --call-as) call_as=$2 ;;
    --profile) profile=$2 ;;
    --region) region=$2 ;;
    *) die "unknown argument '$1', see --help" ;;
    esac
    shift 2
done
check_arguments
for tool in aws jq; do command -v "$tool" >/dev/null || die "$tool is not in PATH"; done

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
touch -- "$work/accounts" "$work/results.jsonl"
trap 'interrupted 130' INT
trap 'interrupted 143' TERM
trap 'interrupted 129' HUP

# Says what would be done, and asks. With --plan that is all.
agree() {
    jq -r -f "$here/stackset_plan.jq" "$work/plan.json" >&2
    if [ -n "$planning" ]; then
        jq -c . "$work/plan.json"
        exit 0
    fi
    confirm "$name" "$1" "$yes"
}

deploy() {
    read_set
    prepare_template
    find_targets
    plan_deployment
    if jq -e '.changes == []' "$work/plan.json" >/dev/null; then
        say "stackset: $name is as it should be: nothing to do"
        if [ -n "$planning" ]; then jq -c . "$work/plan.json"; else report_instances; fi
        return
    fi
    agree "Do this?"
    if wants create; then
        request_set create
        call create-stack-set --cli-input-json "file://$work/request.json" >"$work/answer.json" || explain
        rm -- "$work/request.json"
        say "stackset: $name created"
    elif wants update; then
        request_set update
        run_operation update-stack-set
    fi
    if wants instances; then
        request_instances create
        run_operation create-stack-instances
    fi
    read_instances
    report_instances
}

delete() {
    read_set
    if [ ! -s "$work/set.json" ]; then
        say "stackset: there is no $name: nothing to do"
        return
    fi
    plan_deletion
    agree "Delete this?"
    if wants instances; then
        request_instances delete
        run_operation delete-stack-instances
        report_deleted
    fi
    call delete-stack-set --stack-set-name "$name" --call-as "$call_as" >/dev/null || explain
    say "stackset: $name deleted"
}

stop() {
    find_running
    if [ -z "$operation" ]; then
        say "stackset: nothing is under way in $name"
        return
    fi
    call stop-stack-set-operation --stack-set-name "$name" --operation-id "$operation" --call-as "$call_as" >/dev/null ||
        failed_with InvalidOperationException || explain # It is stopping already, or has just ended.
    follow
    say "stackset: stopped"
}

"$verb"
