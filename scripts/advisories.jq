# Matches advisories with what is installed on a fleet.
#
# usage: jq -n -c -f scripts/advisories.jq --rawfile installed TSV advisories..
#
# TSV has a line for each distinct package, `N ECOSYSTEM MANAGER SOURCE SOURCE_VERSION NAME VERSION MODULE`, as vulnscan.sh
# makes them of vulnscan.d/installed.jq. Advisories come one after another and are not kept. Prints
#   {kind: "ecosystem", ecosystem}  once for each that some advisory is about, whether it matches or not
#   {kind: "match", n, advisory, aliases, summary, url, severity, score, ecosystem, package, source, installed, fixed, uncertain}
#   {kind: "unjudged", advisory, package, message}  what could not be compared
#   {kind: "left_out", message}  what updateinfo.awk could not use, as it says itself
import "advisory" as advisory {search: "./vulnscan.d"};
import "version_order" as order {search: "./vulnscan.d"};

def is_modular: contains(".module");

# {ecosystem: {name: [{n, name, version, manager, key}]}}. Advisories of Debian, Ubuntu, Alpine, SUSE and Rocky name sources,
# those of AlmaLinux and Amazon Linux what was built of them, and Red Hat's either; a name of an rpm is looked up as both.
def index:
    reduce (split("\n")[] | select(. != "") | split("\t")) as [$n, $ecosystem, $manager, $source, $source_version, $name, $version, $stream] ({};
        {$n, $ecosystem, $manager, $source, $name, $version, module: $stream} as $package
        | .[$ecosystem][$source] += [$package + {judged: $source_version, key: ($source_version | order::key($manager))}]
        | if $manager == "rpm" and $name != $source then
            .[$ecosystem][$name] += [$package + {judged: $version, key: ($version | order::key($manager))}]
        else . end);

# Whether an rpm is of the line of versions that a fix is for, null if that cannot be told. A module has several at once,
# and a version of one says nothing of another: nodejs:16 is not fixed by a higher number in nodejs:18.
def same_line($package; $fixed; $stream):
    # Amazon Linux 2 has a kernel of its own and others as extras, all of one name.
    if $package.ecosystem == "Amazon Linux:2" and $package.source == "kernel" then
        ($package.version | split(".")[:2]) == ($fixed | split(".")[:2])
    elif ($package.version | is_modular) != ($fixed | is_modular) then false
    elif ($fixed | is_modular | not) then true
    elif $stream == null or $package.module == "" then null
    else ($package.module | split(":")[:2] | join(":")) == $stream end;

# The ranges with their events in order, each with a key; once for all versions that are installed somewhere.
# At one version, what is fixed comes first, then what begins, then what ends with it.
def ordered($manager):
    [.ranges[]
        | [.[] | to_entries[] | select(.key != "limit")
            | {event: .key, version: .value, key: (if .value == "0" and .key == "introduced" then [] else .value | order::key($manager) end)}]
        | (map(select(.key == null).version)[0]) as $unknown
        | if $unknown != null then {$unknown} else {events: sort_by(.key, .event)} end];

# {fixed, uncertain} if this package is affected, {message} if it cannot be told, otherwise nothing.
def judge($package; $ranges):
    .module as $stream
    | ([
        $ranges[]
        | if .unknown != null or $package.key == null then
            {message: "\(.unknown // $package.judged) is no version to \($package.manager)"}
        else
            reduce .events[] as $event ({inside: false, fixed: null};
                if $event.event == "introduced" then
                    if order::before($package.key; $event.key) then . else .inside = true | .fixed = null end
                elif $event.event == "fixed" then
                    if order::before($package.key; $event.key) | not then .inside = false
                    elif .inside and .fixed == null then .fixed = $event.version else . end
                elif $event.event == "last_affected" then
                    if order::before($event.key; $package.key) then .inside = false else . end
                else . end)
            | select(.inside)
            | .fixed as $fixed
            | (if $package.manager == "rpm" and $fixed != null then [same_line($package; $fixed; $stream)] else [true] end)[0] as $same
            | select($same != false)
            | {$fixed, uncertain: ($same == null)}
        end
    ] + [select($ranges == [] and (.versions | index($package.judged) != null)) | {fixed: null, uncertain: false}])[0] // empty;

def matches($index):
    . as $advisory
    | [
        .affected[] as $affected
        | $index[$affected.ecosystem][$affected.name] as $packages
        | ($affected | ordered($packages[0].manager)) as $ranges
        | $packages[]
        | . as $package
        | ($affected | judge($package; $ranges))
        | if .message then {kind: "unjudged", advisory: $advisory.id, package: $package.name, message}
        else
            {kind: "match", n: $package.n, advisory: $advisory.id, aliases: $advisory.aliases, summary: $advisory.summary, url: $advisory.url,
                severity: $affected.severity.word, score: $affected.severity.score, ecosystem: $affected.ecosystem,
                package: $package.name, source: $package.source, installed: $package.version, fixed, uncertain}
        end
    ]
    # A package may be named by itself and by its source.
    | (map(select(.kind == "match")) | sort_by(.uncertain) | unique_by(.n))[], (map(select(.kind == "unjudged")) | unique)[];

($installed | index) as $index
| foreach inputs as $document ({seen: {}, out: []};
    if ($document | type == "object" and .kind == "left_out") then .out = [$document] else
    .seen as $seen
    | [$document | advisory::advisories($index)] as $advisories
    | ([$advisories[].ecosystems[] | select($seen[.] | not)] | unique) as $new
    | {seen: ($seen + ([$new[] | {(.): true}] | add // {})),
        out: ([$new[] | {kind: "ecosystem", ecosystem: .}] + [$advisories[] | matches($index)])}
    end;
    .out[])
