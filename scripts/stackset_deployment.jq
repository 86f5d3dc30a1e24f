# Compares a stack set with what is wanted of it: {kind, stack_set, description, changes, beyond}.
($set[0].StackSet // null) as $present
| ($targets[0] | map(.account) | unique) as $accounts
| ($regions | split(",")) as $regions
| $wanted[0] as $parameters
| ($parameters | map(.mark // empty)) as $marks
# The marks of secrets that are left out stay, as the secrets do.
| ([$present.Description // "" | scan("\\[([A-Za-z0-9]+ [0-9a-f]{8})\\]")[0]]) as $old_marks
| ($parameters | map(select(.value == null) | .key)) as $kept
| ($marks + ($old_marks | map(select(split(" ")[0] | IN($kept[])))) | unique) as $all_marks
| (($summary[0].Description // "made by stackset.sh") + ($all_marks | map(" [\(.)]") | join(""))) as $description
| ([$present.Parameters[]? | {key: .ParameterKey, value: .ParameterValue}] | from_entries) as $values
| (if $present == null then [] else
    (if $difference == "" then [] else ["template"] end)
    + [$parameters[] | select(.secret | not) | select($values[.key] != .value) | "parameter \(.key)"]
    + [$parameters[] | select(.secret and .value != null) | select(.mark | IN($old_marks[]) | not) | "parameter \(.key)"]
    + [$values | keys[] | select(IN($parameters[].key) | not) | "parameter \(.)"]
    + (if ($present.Capabilities // [] | sort) == ($summary[0].Capabilities // [] | sort) then [] else ["capabilities"] end)
    + (if ($present.AutoDeployment.Enabled // false) == ($auto != "off")
        and ($present.AutoDeployment.RetainStacksOnAccountRemoval // false) == ($auto == "retain") then [] else ["auto deployment"] end)
  end) as $differs
| ([$instances[0].Summaries[] | {account: .Account, region: .Region, status: .Status}]) as $there
| ([$accounts[] as $account | $regions[] as $region | {$account, $region}]
    | map(. as $place | ($there | map(select(.account == $place.account and .region == $place.region)) | first) as $one
        | if $one == null then . + {action: "create"} elif $one.status != "CURRENT" then . + {action: "again", status: $one.status} else empty end)) as $instances_to_do
| {
    kind: "stack_set_plan", stack_set: $name, description: $description,
    changes: (
        (if $present == null then [{action: "create", template: $difference}]
         elif $differs == [] then []
         else [{action: "update", differs: $differs, template: $difference, instances: ($there | map({account, region}))}] end)
        + if $instances_to_do == [] then [] else [{action: "create_instances", instances: $instances_to_do}] end),
    beyond: [$there[] | select((.account | IN($accounts[]) | not) or (.region | IN($regions[]) | not)) | {account, region}]
}
