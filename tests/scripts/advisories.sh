#!/usr/bin/env bash
# Shows which advisories match what is installed: one rule for each file of fixtures/vulnscan/advisories, and the severities.
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
fail() {
    echo "advisories: $1" >&2
    exit 1
}

# Lays a case's packages into an inventory, and prints what comes out: matches, and what could not be judged.
found() {
    jq -c '{kind: "invocation", target: {account: "111111111111", region: "us-east-1"}, instance_id: "i-1", status: "Success",
        stdout: (["ssm-inventory 1 plain", (["os", .system.id, .system.version, .system.like, .system.codename, "p"] | join("\t")), "arch\tx86_64", "kernel\t1\t"]
            + (.packages | map(join("\t"))) + ["end\t\(.packages | length + 3)\t-"] | join("\n"))}' "$1" |
        jq -n -r -f "$root/scripts/vulnscan.d/installed.jq" | sed 's/\t[^\t]*$//' | awk '{ print NR "\t" $0 }' >"$tmp/installed"
    jq -c '.advisories[]' "$1" | jq -n -c -f "$root/scripts/advisories.jq" --rawfile installed "$tmp/installed"
}

n=0
for path in "$root"/tests/fixtures/vulnscan/advisories/*.json; do
    found "$path" >"$tmp/found"
    jq -S -n --slurpfile found "$tmp/found" '{
        matches: ([$found[] | select(.kind == "match") | [.advisory, .package, .installed, .fixed, .uncertain]] | sort),
        unjudged: ([$found[] | select(.kind == "unjudged") | "\(.advisory) \(.package)"] | sort)}' >"$tmp/got"
    jq -S '{matches: (.matches | sort), unjudged: (.unjudged // [])}' "$path" >"$tmp/expected"
    diff "$tmp/expected" "$tmp/got" || fail "$(basename -- "$path"): $(jq -r .rule "$path")"
    n=$((n + 1))
done
[ "$n" -ge 20 ] || fail "there are only $n cases"

# Which ecosystems were heard of does not depend on what is installed.
printf '1\tDebian:12\tdeb\tnone\t1\tnone\t1\t\n' >"$tmp/installed"
jq -s -c '.[].advisories[]' "$root"/tests/fixtures/vulnscan/advisories/{debian_tracker,alpine_secdb,redhat_products}.json |
    jq -n -r -f "$root/scripts/advisories.jq" --rawfile installed "$tmp/installed" | jq -r .ecosystem | sort >"$tmp/got"
printf '%s\n' Alpine:v3.19 Alpine:v3.20 Debian:12 'Red Hat:enterprise_linux:8' 'Red Hat:enterprise_linux:9' 'Red Hat:rhel_eus:9.2::baseos' |
    diff - "$tmp/got" || fail "other ecosystems were heard of"

# Amazon Linux's own form, with every awk that is here: its names, its severities, and kernels of one line only.
for awk in mawk gawk 'busybox awk'; do
    command -v "${awk%% *}" >/dev/null || continue
    # shellcheck disable=SC2086 # A program with its argument.
    $awk -f "$root/scripts/vulnscan.d/updateinfo.awk" "$root/tests/fixtures/vulnscan/updateinfo.xml" >"$tmp/osv"
    {
        printf '1\tAmazon Linux:2023\trpm\topenssl\t1:3.0.8-1.amzn2023.0.9\topenssl-libs\t1:3.0.8-1.amzn2023.0.9\t\n'
        printf '2\tAmazon Linux:2\trpm\tkernel\t4.14.336-253.554.amzn2\tkernel\t4.14.336-253.554.amzn2\t\n'
        printf '3\tAmazon Linux:2\trpm\tkernel\t5.10.230-1.amzn2\tkernel\t5.10.230-1.amzn2\t\n'
        printf '4\tAmazon Linux:2\trpm\tbash\t4.2.46-34.amzn2\tbash\t4.2.46-34.amzn2\t\n'
    } >"$tmp/installed"
    jq -n -c -f "$root/scripts/advisories.jq" --rawfile installed "$tmp/installed" "$tmp/osv" |
        jq -r 'select(.kind == "match") | [.n, .advisory, .severity, .fixed, (.aliases | join(","))] | join(" ")' | sort >"$tmp/got"
    diff - "$tmp/got" <<'LINES' || fail "$awk: other matches"
1 ALAS2023-2024-001 high 1:3.0.8-1.amzn2023.0.10 CVE-2024-1111,CVE-2024-2222
2 ALAS2-2024-1 medium 4.14.355-275.570.amzn2 
4 ALAS2-2024-1 medium 4.2.46-35.amzn2 
LINES
done
# What is not for Amazon Linux is told, and matches nothing.
jq -n -c -f "$root/scripts/advisories.jq" --rawfile installed "$tmp/installed" \
    <(awk -f "$root/scripts/vulnscan.d/updateinfo.awk" "$root/tests/fixtures/vulnscan/updateinfo_el9.xml") >"$tmp/got"
diff - "$tmp/got" <<'LINES' || fail "the packages of another distribution vanish"
{"kind":"left_out","message":"1 fixed package is not for Amazon Linux, such as bash-9-1.el9"}
LINES
if echo '<html><body>404</body></html>' | awk -f "$root/scripts/vulnscan.d/updateinfo.awk" >"$tmp/got"; then fail "any XML passes for an updateinfo"; fi

# What is no advisory is an error, not an advisory about nothing.
for wrong in '[]' '{"a": 1}' '{}' '{"linux": {"CVE-1": {"a": 1}}}' '"text"' '{"a": '; do
    if echo "$wrong" | jq -n -f "$root/scripts/advisories.jq" --rawfile installed "$tmp/installed" >"$tmp/got" 2>"$tmp/err"; then fail "$wrong passes"; fi
done

# The examples of https://www.first.org/cvss/v3.1/examples, and the words of distributions before scores.
while read -r expected vector; do
    got=$(jq -n -L "$root/scripts/vulnscan.d" --arg vector "$vector" 'include "severity"; $vector | cvss3_score')
    [ "$got" = "$expected" ] || fail "$vector scores $got, not $expected"
done <<'VECTORS'
6.1 CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N
6.4 CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N
3.1 CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N
9.9 CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H
9.8 CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H
8.8 CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H
7.8 CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H
6.8 CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H
10 CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H
0 CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N
null CVSS:3.1/AV:N
null nonsense
VECTORS
while IFS='|' read -r expected osv affected; do
    got=$(jq -n -c -L "$root/scripts/vulnscan.d" --argjson osv "$osv" --argjson affected "$affected" 'include "severity"; $osv | severity($affected) | [.word, .score]')
    [ "$got" = "$expected" ] || fail "$osv with $affected is $got, not $expected"
done <<'SEVERITIES'
["high",null]|{"summary": "Important: kernel security update"}|{}
["medium",null]|{"summary": "A title: of words", "database_specific": {"severity": "MODERATE"}}|{}
["none",null]|{}|{"ecosystem_specific": {"urgency": "unimportant"}}
["low",9.8]|{"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, {"type": "Ubuntu", "score": "low"}]}|{}
["critical",9.8]|{}|{"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}
["unknown",null]|{"severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N"}]}|{"ecosystem_specific": {"urgency": "not yet assigned"}}
SEVERITIES
# A result names a thousand nodes at most, and says so.
jq -n -c '{advisory: "A-1", aliases: [], summary: "", url: "https://example.org", severity: "high", score: 7.5, ecosystem: "Debian:12", package: "p", source: "p",
    installed: "1", fixed: null, uncertain: false, n_nodes: (1000, 1001)} | .nodes = ([range(.n_nodes) | "1/r/i-\(.)"] | join(" "))' >"$tmp/rows.jsonl"
echo '{"kind": "gap", "target": {"account": "1", "region": "r"}, "instance_id": null, "name": null, "reason": {"id": "x.y", "message": "m", "fix": "f"}}' >"$tmp/gaps"
jq -n -r --slurpfile gaps "$tmp/gaps" -f "$root/scripts/vulnscan.d/sarif.jq" "$tmp/rows.jsonl" >"$tmp/sarif.json"
"$root/tests/scripts/validate" sarif "$tmp/sarif.json"
[ "$(jq -c '.runs[0] | [(.tool.driver.rules | length), .tool.driver.rules[0].properties."security-severity", (.results[] | (.locations | length), (.message.text | contains("1000 are listed")))]' \
    "$tmp/sarif.json")" = '[1,"7.5",1000,false,1000,true]' ] || fail "SARIF is $(head -c 1000 "$tmp/sarif.json")"

# Every reason for a gap is in the documentation, and nothing else is.
grep -ohE '"vulnscan\.[a-z_]+\.[a-z_]+"|id: "vulnscan[a-z._]+"' "$root/scripts/vulnscan.sh" "$root"/scripts/vulnscan.d/*.jq | grep -oE 'vulnscan[a-z._]+' | sort -u >"$tmp/ids"
[ "$(wc -l <"$tmp/ids")" -gt 5 ] || fail "there are hardly any ids"
# shellcheck disable=SC2016 # These are backquotes of Markdown.
sed -n 's/^| `\(vulnscan\.[a-z_]*\.[a-z_]*\)` |.*/\1/p' "$root/docs/vulnscan.md" | sort | diff "$tmp/ids" - || fail "docs/vulnscan.md lists other gaps"
echo "ok advisories.sh"
