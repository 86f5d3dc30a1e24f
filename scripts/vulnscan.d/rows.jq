# Puts matches in order, the worst first, and names the nodes of each. `packages` has a line for each distinct package,
# `N I,I,..`, the nodes' places in `nodes`, which has one a line. Nodes stay one text each, since there may be millions.
import "severity" as severity {search: "./"};

($packages | split("\n") | map(select(. != "") | split("\t") | {(.[0]): .[1]}) | add // {}) as $places
| ($nodes | split("\n")) as $names
| [inputs | select(.kind == "match")]
# The same package of the same version may come from several distinct sources.
| group_by([.advisory, .ecosystem, .package, .installed, .fixed])
| map((map($places[.n] | split(",")) | add | unique_by(tonumber)) as $of | .[0] + {places: $of})
| sort_by((.severity | severity::rank), -(.score // 0), .advisory, .package, .installed)[]
| del(.n, .kind)
| .n_nodes = (.places | length)
| .nodes = ([.places[] | $names[tonumber]] | sort | join(" "))
| del(.places)
