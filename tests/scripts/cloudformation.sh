#!/usr/bin/env bash
# Shows that cfn-lint finds nothing in the templates of the tools: of every way to ask for one, and of the desired state
# that rollout.sh comes with.
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
fail() {
    echo "$1" >&2
    exit 1
}
lint() {
    # Several regions, since types and values differ.
    "$root/.venv/bin/cfn-lint" --regions us-east-1 eu-central-1 -- "$@"
}

number=0
render() {
    number=$((number + 1))
    "$@" render --cloudformation >"$tmp/$number.json"
}
for desired in "$root"/scripts/rollout.d/prefs.json "$root"/tests/fixtures/ssm-prefs/a_template_*/desired.json; do
    case $desired in *a_template_cannot*) continue ;; esac
    render ssm-prefs -f "$desired"
done
ssm-prefs render -f "$root/scripts/rollout.d/prefs.json" >"$tmp/document"
jq 'del(.instance_profiles, .hybrid_activations)' "$root/scripts/rollout.d/role.json" >"$tmp/role"
ssm-role render --cloudformation -f "$tmp/role" >"$tmp/role.json"
ssm-role render --cloudformation -f "$tmp/role" --prefs "$tmp/document" >"$tmp/role-with-preferences.json"
for desired in "$root"/scripts/rollout.d/events.json "$root"/tests/fixtures/ssm-events/a_template_*/desired.json; do
    render ssm-events -f "$desired"
done
[ "$number" -ge 9 ] || fail "only $number templates were rendered"
lint "$tmp"/*.json

# The check can fail, and says what for.
jq '.Resources.SessionLogGroup.Properties.RetentionDays = 1' "$tmp/1.json" >"$tmp/wrong.json"
if lint "$tmp/wrong.json" >"$tmp/found"; then fail "cfn-lint accepts a property that is none"; fi
grep -q RetentionDays "$tmp/found" || fail "cfn-lint said: $(cat "$tmp/found")"
# CloudFormation takes no larger template than this from a file.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
for template in "$tmp"/*.json; do
    [ "$(wc -c <"$template")" -le 51200 ] || fail "$template is too large"
done
