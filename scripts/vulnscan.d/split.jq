# Parts the inventory from the rest of an invocation record, so that vulnscan.sh can unpack it: NODE, FORM, the record in JSON
# and BODY, separated by tabs; a body may hold tabs, too. Its lines end with the unit separator.
select(.kind == "invocation")
| "\(.target.account)/\(.target.region)/\(.instance_id)" as $node
| (.stdout // "") as $text
| if .status == "Success" and ($text | startswith("ssm-inventory 1 gzip\n")) then
    [$node, "gzip", (del(.stdout) | tojson), ($text | split("\n") | .[1:] | join(""))]
elif .status == "Success" and ($text | startswith("ssm-inventory 1 plain")) then
    [$node, "plain", (del(.stdout) | tojson), ($text | if contains("\r") then split("\r") | join("") else . end | split("\n") | join("\u001f"))]
else [$node, "none", tojson, ""] end
| join("\t")
