# Makes one CycloneDX 1.6 SBOM of each invocation record that holds an inventory, and a gap record of each that does not.
#
# usage: ssm-run --script scripts/vulnscan.d/collector.sh <nodes | jq -n -c -f scripts/sbom.jq
#
# Packed inventories are unpacked by vulnscan.sh first. The same record makes the same bytes. What scanners need to know is
# written as they write it themselves: grype finds the distribution in `syft:distro:*` and the source in the package URL,
# trivy both in the operating-system component and in `aquasecurity:trivy:*`.
import "inventory" as inventory {search: "./vulnscan.d"};
import "package" as package {search: "./vulnscan.d"};

def property($name; $value): package::property($name; $value);

# UUIDs of version 8 are free to say what they like, https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8.
# This one is the node's 17 digits and the first 13 of the command's UUID: no two commands on a node share it.
def serial_number:
    def hex: [explode[] | select((. >= 48 and . <= 57) or (. >= 97 and . <= 102))] | implode;
    (.instance_id | split("-")[-1] | "00000000000000000\(hex)"[-17:]) as $node
    | (.command_id // "" | "\(hex)0000000000000"[:13]) as $command
    | ($node + $command) as $digits
    | "urn:uuid:\($digits[:8])-\($digits[8:12])-8\($digits[12:15])-8\($digits[15:18])-\($digits[18:30])";

def node:
    package::newest_kernel(.kernel; .packages) as $newest
    | {type: "device", "bom-ref": "node:\(.target.account)/\(.target.region)/\(.instance_id)", name: .instance_id,
        properties: [
            property("ssm:account"; .target.account), property("ssm:region"; .target.region), property("ssm:name"; .name),
            property("ssm:command-id"; .command_id), property("ssm:arch"; .arch), property("ssm:kernel:running"; .kernel),
            property("ssm:kernel:newest"; $newest),
            property("ssm:reboot-pending"; if .reboot or ($newest != null and $newest != .kernel) then "true" else "" end)
        ]};

# Trivy knows distributions by names of its own: pkg/fanal/types/const.go, OSType.
def family: {amzn: "amazon", rhel: "redhat", ol: "oracle", almalinux: "alma"}[.] // .;

def operating_system:
    [.packages[] | select(startswith("hotfix\t")) | property("ssm:hotfix"; split("\t")[1])] as $hotfixes
    | .os
    | {type: "operating-system", "bom-ref": "os:\(.id)@\(.version)", name: (.id | family), version, description: .pretty,
        properties: [
            property("syft:distro:id"; .id), (.like | split(" ") | to_entries[] | property("syft:distro:idLike:\(.key)"; .value)),
            property("syft:distro:prettyName"; .pretty), property("syft:distro:versionCodename"; .codename),
            property("syft:distro:versionID"; .version),
            property("aquasecurity:trivy:Class"; "os-pkgs"), property("aquasecurity:trivy:Type"; .id | family), $hotfixes[]
        ]}
    | if .version == "" then del(.version) else . end;

def sbom($components):
    operating_system as $os
    | node as $node
    | {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", bomFormat: "CycloneDX", specVersion: "1.6",
        serialNumber: serial_number, version: 1,
        metadata: ({timestamp: .ended, tools: {components: [{type: "application", name: "vulnscan.sh"}]}, component: $node}
            | if .timestamp == null then del(.timestamp) else . end),
        components: ([$os] + $components),
        dependencies: [{ref: $node["bom-ref"], dependsOn: [$os["bom-ref"]]}]
    };

# Most nodes of a fleet have most of their packages in common, so each component is made once: `made` holds them by the line
# of the inventory, for each distribution and architecture.
foreach inputs as $record ({made: {}};
    . as {$made}
    | ($record | inventory::inventory) as $inventory
    | if $inventory.kind == "gap" then {$made, out: $inventory}
    else
        "\($inventory.os) \($inventory.arch)" as $system
        | [$inventory.packages[] | select(startswith("hotfix\t") | not)] as $lines
        | reduce ($lines[] | select($made[$system][.] | not)) as $line ($made;
            .[$system][$line] = ($line | inventory::fields | package::component($inventory.os; $inventory.arch)))
        | . as $made
        # Windows may list a program twice, and a reference must be the only one.
        | ([$lines[] | $made[$system][.]] | if $inventory.os.id == "windows" then unique_by(."bom-ref") else . end) as $components
        | {$made, out: ($inventory | sbom($components))}
    end;
    .out)
