# Reads what vulnscan.d/collector.sh and collector.ps1 print, from the invocation records of ssm-run.
# A record that holds no whole inventory becomes a gap: nothing is ever made of a part.

def gap(id; message; fix):
    {kind: "gap", target, instance_id, name, reason: {id: id, message: message, fix: fix}};

# The agent adds a line of its own, which says nothing new.
def said: (.stderr // "") | split("\n") | map(select(. != "" and (startswith("failed to run commands") | not))) | if length > 0 then ": " + .[-1] else "" end;

# The fields of a line; the last ones are missing where they are empty and something trimmed the line.
def fields: split("\t") + ["", "", "", "", "", "", "", "", ""];

# A manager and a name. Regular expressions would be the better part of all the work here.
def is_package:
    .[:4] as $word
    | ($word == "deb\t" or $word == "rpm\t" or $word == "apk\t" or $word == "win\t") and (.[4:5] | . != "" and . != "\t")
        or startswith("hotfix\t");

# {target, instance_id, name, command_id, ended, os: {id, version, like, codename, pretty}, arch, kernel, reboot,
#  packages: [line]}, or a gap. Packages stay lines until somebody asks for one: a fleet has a million, and few that differ.
def inventory:
    . as $record
    | if .kind != "invocation" then
        gap("vulnscan.input.unknown"; "this is no invocation record"; "feed the output of ssm-run")
    elif .damage != null then # Said by vulnscan.sh, which unpacks.
        gap("vulnscan.inventory.damaged"; .damage; "ask again with --retry -- --output-s3 s3://BUCKET/PREFIX")
    elif .status != "Success" and .reason != null then
        {kind: "gap", target, instance_id, name, reason}
    elif .status != "Success" then
        gap("vulnscan.inventory.failed"; "the collector ended with \(.status_details // .status), exit code \(.exit_code)" + said;
            if .exit_code == null then "ask again with --retry" else "run it on the node by hand: scripts/vulnscan.d/collector.sh" end)
    elif .truncated.stdout == true then
        gap("vulnscan.inventory.cut"; "Run Command cut the inventory off"; "ask again with --retry -- --output-s3 s3://BUCKET/PREFIX")
    else
        (.stdout // "" | (if contains("\r") then split("\r") | join("") else . end) | split("\n") | until(length == 0 or .[-1] != ""; .[:-1])) as $lines
        | ($lines[-1] // "" | split("\t")) as $last
        | if $lines[0] == "ssm-inventory 1 gzip" then
            gap("vulnscan.inventory.packed"; "the inventory is packed"; "let vulnscan.sh unpack it")
        elif $lines[0] != "ssm-inventory 1 plain" then
            gap("vulnscan.inventory.damaged"; "the output does not begin as an inventory does"; "run vulnscan.d/collector.sh and nothing else")
        elif $last[0] != "end" or $last[1] != ($lines | length - 2 | tostring) then
            gap("vulnscan.inventory.cut"; "the inventory has no end, or lines are missing before it";
                "ask again with --retry -- --output-s3 s3://BUCKET/PREFIX")
        # What describes the node stands before its packages. Whatever a node prints, it must not end the scan of the others.
        elif ($lines[1:4] | map(split("\t")[0])) != ["os", "arch", "kernel"] or any($lines[4:-1][]; is_package | not) then
            gap("vulnscan.inventory.damaged"; "the inventory has lines that none has"; "look at its output in invocations.jsonl")
        else
            ($lines[1:4] | map(fields)) as [$os, $arch, $kernel]
            | {target, instance_id, name, command_id, ended,
                os: {id: $os[1], version: $os[2], like: $os[3], codename: $os[4], pretty: $os[5]},
                arch: $arch[1], kernel: $kernel[1], reboot: ($kernel[2] == "required"), packages: $lines[4:-1]}
        end
    end;
