#!/usr/bin/env bash
# Shows what scripts/service_reference.py makes of a package of one service, and that it refuses a package of another shape.
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
fail() {
    echo "service_reference: $1" >&2
    exit 1
}
make_reference() {
    python3 "$root/scripts/service_reference.py" "$tmp"
}

mkdir -p "$tmp"/data/{actions,resourceTypes,conditionKeys} "$tmp/dist/esm"
echo '{"name": "@x/iam-data", "version": "1.2.3", "updatedAt": "2026-01-02T03:04:05Z"}' >"$tmp/package.json"
echo '["ssm"]' >"$tmp/data/services.json"
cat >"$tmp/dist/esm/globalConditionKeys.js" <<'JS'
    { key: 'aws:PrincipalArn', category: 'principal',
        type: 'ARN', description: '' },
    { key: 'aws:ResourceTag/tag-key', category: 'resource', type: 'String', description: '' },
    { key: 'aws:SourceVpcArn', category: 'network', type: 'String', description: '' },
JS
cat >"$tmp/data/conditionKeys/ssm.json" <<'JSON'
{"a": {"key": "ssm:resourceTag/${TagKey}", "type": "String"}, "b": {"key": "ssm:resourceTag/tag-key", "type": "String"},
 "c": {"key": "ssm:AutoApprove", "type": "Bool"}, "d": {"key": "aws:ResourceTag/${TagKey}", "type": "String"}}
JSON
cat >"$tmp/data/resourceTypes/ssm.json" <<'JSON'
{"document": {"key": "Document", "arn": "arn:${Partition}:ssm:${Region}:${Account}:document/${Name}",
  "conditionKeys": ["aws:ResourceTag/${TagKey}"]},
 "bucket": {"key": "bucket", "arn": "arn:${Partition}:s3:::${BucketName}, arn:${Partition}:arn:${Partition}:s3:::old"}}
JSON
cat >"$tmp/data/actions/ssm.json" <<'JSON'
{"b": {"name": "B", "accessLevel": "Write", "conditionKeys": ["ssm:AutoApprove"], "resourceTypes": [
  {"name": "Document", "required": true, "conditionKeys": ["aws:ResourceTag/${TagKey}", "ssm:resourceTag/${TagKey}"]},
  {"name": "bucket", "required": false, "conditionKeys": []}]},
 "a": {"name": "A", "accessLevel": "Permissions management, Write", "conditionKeys": [], "resourceTypes": []},
 "c": {"name": "C", "accessLevel": "Permissions management, Write", "conditionKeys": [], "resourceTypes": []}}
JSON
make_reference >"$tmp/made"
sed '/^#/d' "$tmp/made" >"$tmp/got"
diff - "$tmp/got" <<'TEXT' || fail "another reference came out"
date 2026-01-02
key aws:PrincipalArn ARN
key aws:ResourceTag/* String
key aws:SourceVpcArn ARN
key aws:PrincipalOrgMasterAccountId String
service ssm
key ssm:AutoApprove Bool
key ssm:resourceTag/* String
type bucket s3:::* -
type bucket s3:::old -
type Document ssm:*:*:document/* g1
P - - A C
W 0,1,2! 0,1 B
TEXT
grep -q '^# Made by .*@x/iam-data 1\.2\.3: MIT License' "$tmp/made" || fail "the origin and its license are not said"

# What is vendored has the same head.
grep -q '^# Made by scripts/service_reference.py from .*MIT License' "$root/shared/iam-policy/data/service_reference.txt" ||
    fail "the vendored reference has another head"

echo 'export const keys = [];' >"$tmp/dist/esm/globalConditionKeys.js"
! make_reference >/dev/null 2>"$tmp/said" || fail "a package without global keys was taken"
grep -q 'no global condition keys' "$tmp/said" || fail "it was not said why"
