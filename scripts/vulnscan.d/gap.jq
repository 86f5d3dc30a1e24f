# Makes gap records of nodes that no advisory was about, from lines of ECOSYSTEM and NODE.
split("\t") as [$ecosystem, $node]
| ($node | split("/")) as [$account, $region, $instance_id]
| {kind: "gap", target: {$account, $region}, $instance_id, name: null, reason: {
    id: "vulnscan.advisories.none",
    message: (if $ecosystem == "" then "no form of advisories that is read here is about this distribution"
        else "the advisories given tell nothing about \($ecosystem)" end),
    fix: (if $ecosystem == "" then "scan its SBOM with grype or trivy" else "add the advisories of \($ecosystem)" end)}}
