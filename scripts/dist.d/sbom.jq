# Makes a CycloneDX 1.6 SBOM of the tools from `cargo metadata`: the crates that are linked in, and which needs which.
#
# usage: cargo metadata --format-version 1 --filter-platform x86_64-unknown-linux-gnu |
#            jq --arg arch x86_64 --arg time 2026-01-01T00:00:00Z -f sbom.jq
#
# Crates for tests and for building are left out. Which crates are for the platform, cargo says: what is for others is not in its
# nodes.
(.packages | map({key: .id, value: .}) | from_entries) as $packages
| (.resolve.nodes | map({key: .id, value: [.deps[] | select(any(.dep_kinds[]; .kind == null)) | .pkg]}) | from_entries) as $needs
| def reference: $packages[.] | "pkg:cargo/\(.name)@\(.version)";
def closure: [., []] | until(.[0] == []; .[1] as $seen | (.[0] - $seen | unique) as $new | [[$new[] | $needs[.][]] | unique, $seen + $new]) | .[1] | unique;
[.packages[] | select(.source == null and (.name | startswith("ssm-")) and any(.targets[]; .kind == ["bin"])) | .id] as $tools
| ($packages[$tools[0]].version) as $version
| ($tools | closure) as $all
| {
    bomFormat: "CycloneDX", specVersion: "1.6", version: 1,
    metadata: {
        timestamp: $time,
        component: {type: "application", "bom-ref": "ssm-tools", name: "ssm-tools", version: $version,
            licenses: [{license: {id: "Apache-2.0"}}], properties: [{name: "ssm:arch", value: $arch}]}
    },
    components: [$all[] | $packages[.] | {
        type: (if (.id | IN($tools[])) then "application" else "library" end), "bom-ref": (.id | reference), name, version}
        # Ours are on no registry, where something else may have the name.
        + if .source then {purl: (.id | reference)} else {} end
        + if .license then {licenses: [{expression: (.license | gsub("/"; " OR "))}]} else {} end],
    dependencies: ([{ref: "ssm-tools", dependsOn: [$tools[] | reference]}] + [$all[] | {ref: reference, dependsOn: ([$needs[.][] | reference] | unique)}])
}
