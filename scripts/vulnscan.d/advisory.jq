# The forms of advisories that are read, made one: OSV (https://ossf.github.io/osv-schema/), Alpine's secdb
# (https://secdb.alpinelinux.org) and the dump of Debian's security tracker (https://security-tracker.debian.org).
#
# {id, aliases, summary, url, ecosystems: [all it is about], affected: [{ecosystem, name, module,
#  ranges: [[{introduced|fixed|last_affected}]], versions, severity}]}, with what is `installed` (by ecosystem and name) only.
import "ecosystem" as ecosystem {search: "./"};
import "severity" as severity {search: "./"};

# Advisories for modules name them in their title, "Important: nodejs:18 security update", or in the package URL.
def stream_of($affected):
    [
        (($affected.package.purl // "") | capture("[?&]rpmmod=(?<stream>[^:%&]+(:|%3A)[^:%&]+)").stream | split("%3A") | join(":")),
        ((.summary // "") | capture("(^|[ ,])(?<stream>[A-Za-z0-9._+-]+:[A-Za-z0-9._-]+) ").stream)
    ][0];

def from_osv($installed):
    . as $osv
    | [.affected[]? | select(.package.ecosystem != null) | .package.ecosystem |= ecosystem::of_advisory] as $affected
    | {id, aliases: ([(.aliases, .upstream | arrays)[]] | unique), summary: (.summary // (.details // "" | split("\n")[0])),
        url: ([.references[]? | select(.type == "ADVISORY").url][0] // "https://osv.dev/vulnerability/\(.id)"),
        ecosystems: ([$affected[].package.ecosystem] | unique),
        affected: [
            $affected[] | select($installed[.package.ecosystem][.package.name])
            | . as $about
            | {ecosystem: .package.ecosystem, name: .package.name, module: ($osv | stream_of($about)),
                # Ranges of commits say nothing of packages.
                ranges: [.ranges[]? | select(.type != "GIT").events], versions: (.versions // []),
                severity: ($osv | severity::severity($about))}
        ]};

# A secdb tells by which version of a package what was fixed; "0" says that it never was affected.
def from_secdb($installed):
    ("Alpine:" + .distroversion) as $ecosystem
    | {id: null, ecosystems: [$ecosystem], affected: []},
    (.packages[].pkg
        | .name as $name
        | select($installed[$ecosystem][$name])
        | (.secfixes // {} | to_entries[] | select(.key != "0" and .key != "")) as {key: $fixed, value: $ids}
        | $ids[]? | split(" ")[] | select(test("^[A-Z]+-[0-9]"))
        | {id: ., aliases: [], summary: "", url: "https://security.alpinelinux.org/vuln/\(.)", ecosystems: [],
            affected: [{$ecosystem, $name, module: null, ranges: [[{introduced: "0"}, {fixed: $fixed}]], versions: [], severity: {word: "unknown", score: null}}]});

# https://www.debian.org/releases/: the tracker goes by codenames, os-release and OSV by numbers.
def debian_releases: {buster: "10", bullseye: "11", bookworm: "12", trixie: "13", forky: "14", duke: "15"};

# {package: {CVE: {description, releases: {codename: {status, fixed_version, urgency}}}}}, in one object. A fixed version of 0
# says that the release never was affected, and the status `undetermined` that nobody knows yet: neither is told.
def from_debian_tracker($installed):
    . as $tracker
    | (debian_releases | map_values("Debian:" + .)) as $releases
    # Every release that is looked after has entries of the kernel.
    | {id: null, ecosystems: [(.linux // {})[].releases // {} | keys[] | $releases[.] | values] | unique, affected: []},
    ([$releases[]] as $names | keys_unsorted[] as $name
        | select(any($names[]; $installed[.][$name]))
        | $tracker[$name]
        | to_entries[] as {key: $id, value: $entry}
        | {$id, aliases: [], summary: ($entry.description // ""), url: "https://security-tracker.debian.org/tracker/\($id)", ecosystems: [],
            affected: [
                $entry.releases // {} | to_entries[]
                | $releases[.key] as $ecosystem
                | .value
                | select($ecosystem != null and $installed[$ecosystem][$name] != null
                    and (.status == "open" or (.status == "resolved" and .fixed_version != null and .fixed_version != "0")))
                | .urgency as $urgency
                | {$ecosystem, $name, module: null, ranges: [[{introduced: "0"}, ({fixed: .fixed_version} | select(.fixed != null))]], versions: [],
                    severity: ({} | severity::severity({ecosystem_specific: {$urgency}}))}
            ]});

def advisories($installed):
    if type != "object" then error("an advisory is a JSON object, this is \(type)")
    elif .affected != null or .schema_version != null or (.id != null and .modified != null) then
        select(.withdrawn == null) | from_osv($installed)
    elif .distroversion != null and .packages != null then from_secdb($installed)
    elif any(first(.[]) | objects | first(.[]); type == "object" and has("releases")) then from_debian_tracker($installed)
    else error("this is neither OSV nor a secdb nor a dump of Debian's tracker: \(tostring[:60])") end;
