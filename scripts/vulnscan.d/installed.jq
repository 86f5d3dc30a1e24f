# Prints what advisories are asked about, a line for each package on each node, from invocation records as sbom.jq reads them:
#   ECOSYSTEM  MANAGER  SOURCE  SOURCE_VERSION  NAME  VERSION  MODULE  NODE
# NODE is account/region/instance. vulnscan.sh sorts the lines; most of them differ in the node only. A node whose distribution
# OSV does not know gets one line with nothing but the node in it.
import "ecosystem" as ecosystem {search: "./"};
import "inventory" as inventory {search: "./"};
import "package" as package {search: "./"};

def judged($ecosystem):
    package::source as $source
    | [$ecosystem, .[0], $source.name, $source.version, .[1], package::version, (.[8] // "")] | join("\t");

# As in sbom.jq, each line is made once.
foreach inputs as $record ({made: {}};
    . as {$made}
    | ($record | inventory::inventory) as $inventory
    | if $inventory.kind == "gap" then {$made, lines: []}
    else
        ($inventory.os | ecosystem::of_system // "") as $ecosystem
        | "\($inventory.target.account)/\($inventory.target.region)/\($inventory.instance_id)" as $node
        | if $ecosystem == "" then {$made, lines: ["\t\t\t\t\t\t\t\($node)"]}
        else
            reduce ($inventory.packages[] | select(startswith("hotfix\t") | not) | select($made[$ecosystem][.] | not)) as $line ($made;
                .[$ecosystem][$line] = ($line | inventory::fields | judged($ecosystem)))
            | . as $made
            | {$made, lines: [$inventory.packages[] | $made[$ecosystem][.] | values | . + "\t" + $node]}
        end
    end;
    .lines[])
