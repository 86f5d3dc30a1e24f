# Prints rows.jq's rows in lines of ADVISORY, PACKAGE, INSTALLED, FIXED, N_NODES and NODES, separated by tabs; of many nodes,
# all, or the first `few` if that is not 0.
(.nodes | split(" ")) as $nodes
| [
    .advisory, .package, .installed, (.fixed // "-") + (if .uncertain then "?" else "" end), (.n_nodes | tostring),
    (if $few > 0 and .n_nodes > $few then ($nodes[:$few] | join(" ")) + " .." else .nodes end)
]
| join("\t")
