# Renders a plan of stackset.sh for people. Control characters become '?', as a template may hold terminal escapes.
def places: map("    \(.account) \(.region)\(if .action == "again" then ", again: it is \(.status)" else "" end)")[];
def shown: split("\n")[] | select(. != "") | "    " + gsub("[\u0000-\u0008\u000b-\u001f\u007f-\u009f]"; "?");
.stack_set as $name
| .changes[] |
    if .action == "create" then "+ stack set \($name)", (.template | shown)
    elif .action == "update" then "~ stack set \($name): \(.differs | join(", ")); \(.instances | length) stacks are updated", (.template | shown)
    elif .action == "create_instances" then "+ \(.instances | length) stacks", (.instances | places)
    elif .action == "delete_instances" then "- \(.instances | length) stacks\(if .retain_stacks then " leave the set and stay" else "; what their templates retain stays" end)", (.instances | places)
    else "- stack set \($name)" end,
if (.beyond // []) != [] then "! \(.beyond | length) stacks are beyond these targets and stay", (.beyond | places) else empty end
