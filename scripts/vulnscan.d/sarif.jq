# Writes SARIF 2.1.0 of rows.jq's rows and of gaps: a rule for each advisory, a result for each package of one version.
# https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
#
# usage: jq -n -r -f sarif.jq --slurpfile gaps gaps.jsonl rows.jsonl
#
# Printed piece by piece, as results name each of their nodes.
import "severity" as severity {search: "./"};

# GitHub takes no more of a result and shows 100 of them:
# https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
def max_locations: 1000;

def rule:
    {id: .advisory, shortDescription: {text: (if .summary == "" then .advisory else .summary end)}, helpUri: .url,
        defaultConfiguration: {level: (.severity | severity::sarif_level)},
        properties: ({tags: (["security", "vulnerability"] + .aliases), severity: .severity}
            # A text in SARIF as GitHub reads it.
            + if .score then {"security-severity": (.score | tostring)} else {} end)};

def location:
    split("/") as [$account, $region, $instance_id]
    | {physicalLocation: {artifactLocation: {uri: "sbom/\($account)_\($region)_\($instance_id).cdx.json"}},
        logicalLocations: [{name: $instance_id, fullyQualifiedName: ., kind: "resource"}]};

def result($place):
    (.nodes | split(" ")) as $nodes
    | {
        ruleId: .advisory, ruleIndex: $place, level: (.severity | severity::sarif_level),
        message: {text: ("\(.package) \(.installed) is affected by \(.advisory)"
            + (if .uncertain then ", unless its module stream is another than the advisory's" else "" end)
            + (if .fixed then "; fixed in \(.fixed)" else "; there is no fix" end)
            + "; on \(.n_nodes) node\(if .n_nodes == 1 then "" else "s" end)"
            + (if .n_nodes > max_locations then ", of which \(max_locations) are listed here and all in advisories.tsv" else "" end))},
        locations: [$nodes[:max_locations][] | location],
        partialFingerprints: {"advisoryPackageVersion/v1": "\(.advisory)/\(.ecosystem)/\(.package)/\(.installed)"},
        properties: {ecosystem, package, source, installed, fixed, uncertain, n_nodes}
    };

def notification:
    {level: "error", descriptor: {id: .reason.id},
        message: {text: ((if .instance_id then "\(.target.account)/\(.target.region)/\(.instance_id): " else "" end) + .reason.message)}};

[inputs] as $rows
| (reduce $rows[] as $row ({places: {}, rules: []};
    if .places[$row.advisory] then . else .places[$row.advisory] = (.rules | length) | .rules += [$row | rule] end)) as {$places, $rules}
| ({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0"} | tojson | rtrimstr("}"))
    + ",\"runs\":[{\"tool\":" + ({driver: {name: "vulnscan.sh", rules: $rules}} | tojson)
    + ",\"invocations\":" + ([{executionSuccessful: ($gaps == []), toolExecutionNotifications: [$gaps[] | notification]}] | tojson)
    + ",\"results\":[",
    ($rows | to_entries[] | (if .key == 0 then "" else "," end) + (.value | result($places[.advisory]) | tojson)),
    "]}]}"
