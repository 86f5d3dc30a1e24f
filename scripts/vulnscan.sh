#!/usr/bin/env bash
# Scans nodes for packages that advisories are about, through Systems Manager: no agent of a scanner, no login, nothing installed.
#
# usage: ssm-agentcheck show | vulnscan.sh --out DIR [--advisories PATH]... [-- FLAG OF ssm-run...]
#        vulnscan.sh --out DIR --offline [--advisories PATH]...
#
#   --out DIR            keep what was found in DIR, which must not hold a scan yet
#   --nodes FILE|-       the nodes, as ssm-run takes them [default: -, stdin]
#   --advisories PATH    match what is installed with these: a file or a directory of OSV (JSON, JSON lines, also in .zip or .gz),
#                        of Alpine's secdb, the dump of Debian's security tracker, or Amazon Linux's updateinfo.xml; repeat
#   --fixed-only         leave out what has no fix yet
#   --patch-scan         have AWS-RunPatchBaseline look for missing patches as well; it installs nothing
#   --resume             go on with the scan in DIR after a crash: nodes that were reached are not asked again
#   --retry              ask the nodes once more that DIR has no whole inventory of, with `-- --output-s3` for example
#   --offline            send nothing: judge what DIR holds once more, by other advisories for example
#
# What follows `--` goes to ssm-run: --region, --profile, --accounts, --assume-role, --tag, --waves, --output-s3 and the like.
# With --tag or --resource-group among them, no nodes are read.
#
# In DIR: invocations.jsonl (what ssm-run printed), sbom/ACCOUNT_REGION_INSTANCE.cdx.json (CycloneDX 1.6, for grype, trivy,
# osv-scanner, Dependency-Track), gaps.jsonl (nodes without an inventory, or that no advisory was about, and why), and with
# advisories advisories.tsv, matches.jsonl and vulnscan.sarif; with --patch-scan patches.jsonl and patch_states.jsonl.
# Prints the table of advisory, package, installed, fixed and nodes; without advisories, the paths of the SBOMs.
#
# exit: 0 nothing found, 1 a package needs an update or a patch is missing, 2 an error, or a node is not judged,
#       130 stopped by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP: ssm-run has cancelled its commands
set -euo pipefail
umask 077 # An inventory tells how a node can be attacked.

here=$(cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
# shellcheck source=scripts/results.sh
. "$here/results.sh"

out='' nodes=- advisories=() fixed_only='' patch_scan='' resume='' retry='' offline='' work='' asked='' trouble='' found='' comment=(--comment vulnscan)
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage ;;
    --fixed-only) fixed_only=1 && shift && continue ;;
    --patch-scan) patch_scan=1 && shift && continue ;;
    --resume) resume=1 && shift && continue ;;
    --retry) retry=1 && shift && continue ;;
    --offline) offline=1 && shift && continue ;;
    --) shift && break ;;
    --out | --nodes | --advisories) [ -n "${2:-}" ] || die "$1: the value is missing; see --help" ;;
    *) die "$1: unknown argument; see --help" ;;
    esac
    case $1 in
    --out) out=$2 ;;
    --nodes) nodes=$2 ;;
    --advisories) advisories+=("$2") ;;
    esac
    shift 2
done
[ -n "$out" ] || die "no directory: pass --out DIR"
[ -z "$offline" ] || [ -z "$resume$retry$patch_scan" ] || die "--offline sends nothing, and needs what an earlier run kept"
[ -z "$resume" ] || [ -z "$retry" ] || die "--resume and --retry are one after the other"
for path in ${advisories[@]+"${advisories[@]}"}; do [ -r "$path" ] || die "$path: there are no advisories"; done
command -v jq >/dev/null || die "jq is not in PATH"
for flag in "$@"; do
    case $flag in
    --tag | --tag=* | --resource-group | --resource-group=*) nodes=/dev/null ;;
    --comment | --comment=*) comment=() ;; # One's own is better.
    esac
done

# Has ssm-run do something on the nodes in the file `asked`, and adds what it prints to a file, after what a run that crashed left there.
on_nodes() {
    local file=$1 status=0 first='' again=()
    shift
    if [ -n "$resume" ] && [ -e "$file" ]; then
        # The last line may be half a line, and what was out of reach then is asked for again.
        jq -R -c 'fromjson? | select(.kind != "unreachable")' "$file" >"$work/known"
        first=$(jq -n -r 'first(inputs | select(.kind == "command").command_id) // ""' "$work/known")
        if [ -n "$first" ]; then again=(--resume "$first"); fi
        mv -- "$work/known" "$file"
    fi
    attend_tool ssm-run -o json ${comment[@]+"${comment[@]}"} ${again[@]+"${again[@]}"} "$@" <"$asked" >>"$file" || status=$?
    if [ -n "$stopped" ]; then say "vulnscan: stopped; go on with --out $out --resume" && exit "$stopped"; fi
    case $status in
    0 | 1) ;; # A command that failed leaves a gap below.
    2) trouble=1 ;;
    *) die "ssm-run ended with status $status; go on with --out $out --resume" ;;
    esac
}

collect() {
    command -v ssm-run >/dev/null || die "ssm-run is not in PATH"
    asked=$out/nodes
    if [ -n "$resume$retry" ]; then
        [ -e "$out/nodes" ] || die "$out: there is no scan to go on with"
    else
        [ ! -e "$out/nodes" ] || die "$out holds a scan: pass --resume, --offline, or another --out"
        [ "$nodes" != - ] || [ ! -t 0 ] || die "no nodes: pipe them in, as in 'ssm-agentcheck show | vulnscan.sh --out DIR'"
        if [ "$nodes" = - ]; then cat; else cat -- "$nodes"; fi >"$work/nodes"
        mv -- "$work/nodes" "$out/nodes"
    fi
    if [ -n "$retry" ]; then
        asked=$work/again
        unpack "$out/invocations.jsonl" | jq -c -L "$here/vulnscan.d" 'include "inventory";
            inventory | select(.kind == "gap") | {target, instance_id}' >"$asked"
        if [ ! -s "$asked" ]; then say "vulnscan: every node has an inventory" && return; fi
    fi
    on_nodes "$out/invocations.jsonl" --script "$here/vulnscan.d/collector.sh" --windows-script "$here/vulnscan.d/collector.ps1" "$@"
    if [ -n "$patch_scan" ]; then on_nodes "$out/patches.jsonl" --patch-scan "$@"; fi
}

# Prints invocation records whose inventories are plain text. A packed one that cannot be unpacked, and one whose checksum is
# another, get a `damage` that tells.
unpack() {
    local form body record text damage lines sum
    # From a file, as bash reads pipes byte by byte. After a resumed run there may be several records of a node: a whole one
    # counts, or else the last.
    jq -r -f "$here/vulnscan.d/split.jq" "$1" >"$work/split"
    awk -F '\t' 'first { if ($2 != "none" || !($1 in best) || !($1 in whole)) best[$1] = FNR; if ($2 != "none") whole[$1]; next }
        best[$1] == FNR' first=1 "$work/split" first=0 "$work/split" >"$work/single"
    while IFS=$'\t' read -r _ form record body; do
        text='' damage=''
        case $form in
        gzip)
            text=$(printf '%s' "$body" | base64 -d 2>/dev/null | gzip -dc 2>/dev/null | tr '\n' '\037') ||
                damage="the packed inventory cannot be unpacked: it was cut off or changed on its way"
            text=$'ssm-inventory 1 plain\037'$text
            ;;
        plain)
            text=$body
            lines=${text#*$'\037'} && lines=${lines%$'\037'}
            sum=${lines##*$'\t'} && lines=${lines%$'\037'*}
            case $sum in
            *[!0-9]* | '') ;; # None was made, or the end is missing: both are seen to later.
            "$(printf '%s\037' "$lines" | tr '\037' '\n' | cksum | cut -d ' ' -f 1)") ;;
            *) damage="the inventory has another checksum than it had on the node" ;;
            esac
            ;;
        esac
        printf '%s\035%s\035%s\n' "$damage" "$record" "$text"
    done <"$work/single" | jq -R -c 'split("\u001d") as [$damage, $record, $text]
        | $record | fromjson
        | if $text != "" then .stdout = ($text | split("\u001f") | join("\n")) else . end
        | if $damage != "" then .damage = $damage else . end'
}

write_sboms() {
    rm -rf -- "$out/sbom" "$work/sbom"
    mkdir -- "$work/sbom"
    # Told apart by how they begin, and named by their first reference, so that nobody parses them once more.
    jq -n -c -f "$here/sbom.jq" "$work/unpacked" | awk -v dir="$work/sbom" -v gaps="$work/gaps" '
        index($0, "{\"kind\":\"gap\"") == 1 { print >>gaps; next }
        {
            head = substr($0, 1, 2000)
            match(head, /"bom-ref":"node:[^"]*"/)
            name = substr(head, RSTART + 16, RLENGTH - 17)
            gsub("/", "_", name)
            gsub("[^A-Za-z0-9_.-]", "-", name)
            file = dir "/" name ".cdx.json"
            print >file
            close(file)
        }'
    mv -- "$work/sbom" "$out/sbom"
}

# Prints advisories one after another, whatever they are kept in. What a directory holds besides is listed in `unread`.
read_advisories() {
    local path=$1 file
    if [ -d "$path" ]; then
        find "$path/" -type f -size +0 \( -name '*.json' -o -name '*.jsonl' -o -name '*.ndjson' \) -exec cat {} +
        while IFS= read -r -d '' file; do
            read_advisories "$file" || printf '%s\0' "$file" >>"$work/unread"
        done < <(find "$path/" -type f -size +0 \( -name '*.zip' -o -name '*.gz' -o -name '*.xml' \) -print0)
        # An empty file is a download that failed, and .xz or .zst a form that is not read. Neither may pass for advisories
        # that found nothing. What comes with a clone or a mirror of a database, and never is an advisory, is not listed.
        find "$path/" -mindepth 1 -name '.?*' -prune -o -type f ! -name '*.md' ! -name 'LICENSE*' ! -name 'NOTICE*' \
            \( -size 0 -o ! -name '*.json' ! -name '*.jsonl' ! -name '*.ndjson' ! -name '*.zip' ! -name '*.gz' ! -name '*.xml' \) \
            -print0 >>"$work/unread"
        return
    fi
    case $path in
    *.xml) awk -f "$here/vulnscan.d/updateinfo.awk" <"$path" ;;
    *.xml.gz) gzip -dc <"$path" | awk -f "$here/vulnscan.d/updateinfo.awk" ;;
    *.zip) command -v unzip >/dev/null || die "$path: unzip is not in PATH" && unzip -p -- "$path" ;;
    *.gz) gzip -dc <"$path" ;;
    *) cat -- "$path" ;;
    esac
}

# Makes gap records of what was given as advisories and not used: each line of stdin says what.
unread_gaps() {
    jq -R -c '{kind: "gap", target: null, instance_id: null, name: null, reason: {id: "vulnscan.advisories.unread", message: .,
        fix: "give these advisories in a form that is read, see docs/vulnscan.md, or take them away"}}' >>"$work/gaps"
}

judge() {
    local path
    jq -n -r -f "$here/vulnscan.d/installed.jq" "$work/unpacked" | LC_ALL=C sort -u >"$work/installed"
    # The distinct packages with numbers, the nodes of each by their places in the list of all, and the ecosystem of each node.
    awk -F '\t' -v OFS='\t' -v packages="$work/packages" -v places="$work/places" -v nodes="$work/nodes" '
        {
            package = substr($0, 1, length($0) - length($NF) - 1)
            if (!($NF in place)) { place[$NF] = n_nodes++; print $NF >nodes; print $1, $NF }
            if ($1 == "") next
            if (package != last) { last = package; print ++n, package >packages; printf "%s%s\t%s", (n > 1 ? "\n" : ""), n, place[$NF] >places }
            else printf ",%s", place[$NF] >places
        }' "$work/installed" >"$work/ecosystems"
    touch -- "$work/packages" "$work/places" "$work/nodes"
    : >"$work/matches"
    for path in "${advisories[@]}"; do
        : >"$work/unread"
        read_advisories "$path" | jq -n -c --rawfile installed "$work/packages" -f "$here/advisories.jq" >"$work/of_path" ||
            die "$path: the advisories cannot be read, see above"
        jq -n -r --arg path "$path" --rawfile unread "$work/unread" '
            [inputs | select(.kind == "ecosystem" or .kind == "left_out")] as $told
            | ($unread | split("\u0000")[:-1]) as $unread
            | (if any($told[]; .kind == "ecosystem") then empty else "\($path): nothing in it is a security advisory in force" end),
                (if $unread == [] then empty else "\($path): \($unread | length) \(if ($unread | length) == 1 then "file in it is" else "files in it are" end) not read: \($unread[:5] | join(", "))"
                    + if ($unread | length) > 5 then " and more" else "" end end),
                ($told[] | select(.kind == "left_out") | "\($path): \(.message)")' "$work/of_path" | unread_gaps
        cat -- "$work/of_path" >>"$work/matches"
    done
    # A node that no advisory could be about was not judged. Not told apart by NR and FNR, as the first file may be empty.
    jq -r 'select(.kind == "ecosystem").ecosystem' "$work/matches" | sort -u >"$work/known"
    awk -F '\t' 'is_known { known[$0]; next } !($1 in known)' is_known=1 "$work/known" is_known=0 "$work/ecosystems" |
        jq -R -c -f "$here/vulnscan.d/gap.jq" >>"$work/gaps"
    jq -c 'select(.kind == "unjudged") | {kind: "gap", target: null, instance_id: null, name: null, reason: {
        id: "vulnscan.advisory.unjudged", message: "\(.advisory) and \(.package) cannot be compared: \(.message)", fix: "look at both by hand"}}' \
        "$work/matches" | sort -u >>"$work/gaps"
    jq -n -c --rawfile packages "$work/places" --rawfile nodes "$work/nodes" -f "$here/vulnscan.d/rows.jq" "$work/matches" |
        if [ -n "$fixed_only" ]; then jq -c 'select(.fixed != null)'; else cat; fi >"$work/rows"
    jq -n -r --slurpfile gaps "$work/gaps" -f "$here/vulnscan.d/sarif.jq" "$work/rows" >"$work/sarif"
    table 0 >"$work/tsv"
    mv -- "$work/rows" "$out/matches.jsonl"
    mv -- "$work/sarif" "$out/vulnscan.sarif"
    mv -- "$work/tsv" "$out/advisories.tsv"
}

# With this many nodes named in a line, or with all.
table() {
    printf 'advisory\tpackage\tinstalled\tfixed\tn_nodes\tnodes\n'
    jq -r --argjson few "$1" -f "$here/vulnscan.d/table.jq" "${2:-$work/rows}"
}

# Says how many nodes of the patch scan lack patches, and adds those that cannot tell to the gaps.
judge_patches() {
    jq -n -c -f "$here/vulnscan.d/patches.jq" "$out/patches.jsonl" >"$work/patch_records"
    jq -c 'select(.kind == "gap")' "$work/patch_records" >>"$work/gaps"
    jq -c 'select(.kind == "patch_state")' "$work/patch_records" >"$out/patch_states.jsonl"
    local n
    n=$(jq -s 'map(select(.is_patched | not)) | length' "$out/patch_states.jsonl")
    if [ "$n" -gt 0 ]; then found=1; fi
    say "vulnscan: patches: $n of $(wc -l <"$out/patch_states.jsonl" | tr -d ' ') nodes lack some, see $out/patch_states.jsonl"
}

# Pads the fields of a table to columns.
columns() {
    awk -F '\t' '{ for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) } }
        END { for (r = 1; r <= NR; r++) { for (i = 1; i < 6; i++) printf "%-" width[i] "s  ", cell[r, i]; print cell[r, 6] } }'
}

private_directory "$out"
lock "$out"
rm -rf -- "$out"/.work.* # Of a run that was killed.
work=$(mktemp -d -- "$out/.work.XXXXXX")
work=$(cd -- "$work" && pwd) # An operand of awk with a `=` in it would be an assignment.
trap 'rm -rf -- "$work"' EXIT
stop_on_signals
if [ -z "$offline" ]; then collect "$@"; fi
[ -e "$out/invocations.jsonl" ] || die "$out: there is no scan"

: >"$work/gaps"
unpack "$out/invocations.jsonl" >"$work/unpacked"
n_nodes=$(wc -l <"$work/unpacked" | tr -d ' ')
write_sboms
# An account or a region that was out of reach may have any number of nodes.
jq -R -c 'fromjson? | select(.kind == "unreachable") | {kind: "gap", target, instance_id: null, name: null,
    reason: {id: "vulnscan.target.unreachable", message: .error, fix: "run again with --resume"}}' "$out/invocations.jsonl" >>"$work/gaps"
if [ ${#advisories[@]} -gt 0 ]; then judge; fi
if [ -e "$out/patches.jsonl" ]; then judge_patches; fi
mv -- "$work/gaps" "$out/gaps.jsonl"

n_sboms=$(find "$out/sbom" -name '*.cdx.json' | wc -l | tr -d ' ')
if [ ${#advisories[@]} -eq 0 ]; then
    find "$out/sbom" -name '*.cdx.json' | LC_ALL=C sort
else
    if [ -s "$out/matches.jsonl" ]; then found=1; fi
    if [ -t 1 ]; then table 3 "$out/matches.jsonl" | columns; else cat -- "$out/advisories.tsv"; fi
    say "vulnscan: $(jq -n '[inputs.advisory] | unique | length' "$out/matches.jsonl") advisories are about what is installed, see $out/vulnscan.sarif"
fi
say "vulnscan: $n_sboms of $n_nodes nodes have an SBOM in $out/sbom"
if [ -s "$out/gaps.jsonl" ]; then
    # Control characters become '?', as names and outputs of nodes may hold terminal escapes.
    jq -r '"  \(.reason.id) \(.instance_id // .target.account // ""): \(.reason.message)" | gsub("[\u0000-\u001f\u007f-\u009f]"; "?")' "$out/gaps.jsonl" |
        awk 'NR <= 20 { print } END { if (NR > 20) print "  and " NR - 20 " more" }' >&2
    die "not every node is judged, see $out/gaps.jsonl"
fi
[ "$n_nodes" -gt 0 ] || die "there was no node to scan"
[ -z "$trouble" ] || die "ssm-run had trouble, see above"
[ -z "$found" ] || exit 1
