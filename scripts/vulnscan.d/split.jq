# Parts the inventory from the rest of an invocation record, so that vulnscan.sh can unpack it: NODE, FORM, BODY and the record
# in JSON, separated by tabs. Within a body, lines end with the unit separator and fields with the record separator.
def bare: split("\r") | join("") | split("\n") | join("\u001f") | split("\t") | join("\u001e");

select(.kind == "invocation")
| "\(.target.account)/\(.target.region)/\(.instance_id)" as $node
| (.stdout // "") as $text
| if .status == "Success" and ($text | startswith("ssm-inventory 1 gzip\n")) then
    [$node, "gzip", ($text | split("\n") | .[1:] | join("") | if . == "" then "-" else . end), (del(.stdout) | tojson)]
elif .status == "Success" and ($text | startswith("ssm-inventory 1 plain")) then
    [$node, "plain", ($text | bare), (del(.stdout) | tojson)]
else [$node, "none", "-", tojson] end
| join("\t")
