#!/usr/bin/env bash
# Scans nodes for packages that advisories are about, through Systems Manager: no agent of a scanner, no login, nothing installed.
#
# usage: ssm-agentcheck show | vulnscan.sh --out DIR [--advisories PATH]... [-- FLAG OF ssm-run...]
#        vulnscan.sh --out DIR --offline [--advisories PATH]...
#
#   --out DIR            keep what was found in DIR, which must not hold a scan yet
#   --nodes FILE|-       the nodes, as ssm-run takes them [default: -, stdin]
#   --advisories PATH    match what is installed with these, as ssm-vulns takes them: a file or a directory of OSV, CSAF, Debian's
#                        tracker, Alpine's secdb or updateinfo.xml, also in tar, zip, gzip, xz and zstd; repeat
#   --kev FILE           mark what CISA's list of known exploited vulnerabilities names
#   --max-age DAYS       count advisories of which none is newer as a gap [default: 30]; 0 for any age
#   --fail-on SEVERITY   exit with 1 only for advisories that are at least as severe
#   --suppressions FILE  leave out what this file accepts
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
# osv-scanner, Dependency-Track), sboms.jsonl (kernel, reboot and number of packages of each node), gaps.jsonl (nodes without an
# inventory, or that no advisory was about, and why), and with advisories matches.jsonl, advisories.csv and vulnscan.sarif;
# with --patch-scan patches.jsonl and patch_states.jsonl.
# Prints the table of advisories, as CSV unless stdout is a terminal; without advisories, the paths of the SBOMs.
#
# exit: 0 nothing found, 1 a package needs an update or a patch is missing, 2 an error, or a node is not judged,
#       130 stopped by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP: ssm-run has canceled its commands
set -euo pipefail
umask 077 # An inventory shows how a node can be attacked.

# Whatever fails unforeseen is an error with a reason, never "a package needs an update".
ended() {
    local status=$?
    [ -z "${work:-}" ] || rm -rf -- "$work"
    case $status in
    0 | 2 | 129 | 130 | 143) exit "$status" ;;
    1) [ -n "${has_judged:-}" ] || exit 2 ;;
    *) exit 2 ;;
    esac
}
set -E # Also in functions.
trap ended EXIT
trap 'echo "vulnscan: line $LINENO: $BASH_COMMAND: failed" >&2' ERR

# The directory of the script itself, also when it is called by a symbolic link. Not by readlink -f, which macOS lacks.
self=$0
while [ -L "$self" ]; do
    link=$(readlink -- "$self")
    case $link in /*) self=$link ;; *) self=$(dirname -- "$self")/$link ;; esac
done
here=$(cd -- "$(dirname -- "$self")" && pwd)
# shellcheck source=scripts/results.sh
. "$here/results.sh"

out='' nodes=- advisories=() judging=() patch_scan='' resume='' retry='' offline='' work='' asked='' trouble='' found='' comment=(--comment vulnscan)
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage ;;
    --fixed-only) judging+=(--fixed-only) && shift && continue ;;
    --patch-scan) patch_scan=1 && shift && continue ;;
    --resume) resume=1 && shift && continue ;;
    --retry) retry=1 && shift && continue ;;
    --offline) offline=1 && shift && continue ;;
    --) shift && break ;;
    --out | --nodes | --advisories | --kev | --max-age | --fail-on | --suppressions) [ -n "${2:-}" ] || die "$1: the value is missing; see --help" ;;
    *) die "$1: unknown argument; see --help" ;;
    esac
    case $1 in
    --out) out=$2 ;;
    --nodes) nodes=$2 ;;
    --advisories) advisories+=(--advisories "$2") ;;
    *) judging+=("$1" "$2") ;;
    esac
    shift 2
done
[ -n "$out" ] || die "no directory: pass --out DIR"
[ -z "$offline" ] || [ -z "$resume$retry$patch_scan" ] || die "--offline sends nothing, and needs what an earlier run kept"
[ -z "$resume" ] || [ -z "$retry" ] || die "--resume and --retry are one after the other"
for path in ${advisories[@]+"${advisories[@]}"}; do
    [ "$path" = --advisories ] || [ -r "$path" ] || die "$path: there are no advisories"
done
[ ${#advisories[@]} -gt 0 ] || [ ${#judging[@]} -eq 0 ] || die "${judging[0]} is of use with --advisories only"
for needed in jq ssm-vulns; do command -v "$needed" >/dev/null || die "$needed is not in PATH"; done
for flag in "$@"; do
    case $flag in
    --tag | --tag=* | --resource-group | --resource-group=*) nodes=/dev/null ;;
    --comment | --comment=*) comment=() ;; # One's own is better.
    esac
done

# Has ssm-run do something on the nodes in the file `asked`, and adds what it prints to a file, after what a run that crashed left
# there.
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
        sboms >"$work/sboms"
        jq -c 'select(.kind == "gap" and .instance_id != null) | {target, instance_id}' "$work/sboms" >"$asked"
        if [ ! -s "$asked" ]; then say "vulnscan: every node has an inventory" && return; fi
    fi
    on_nodes "$out/invocations.jsonl" --script "$here/vulnscan.d/collector.sh" --windows-script "$here/vulnscan.d/collector.ps1" "$@"
    if [ -n "$patch_scan" ]; then on_nodes "$out/patches.jsonl" --patch-scan "$@"; fi
}

# Prints the records of ssm-vulns that are of a kind, or with -v the others. Those of a large fleet are many, so jq does not see
# them.
of_kind() { LC_ALL=C grep ${3+"$3"} -e "^{\"kind\":\"$1\"" -- "$2" || [ $? -eq 1 ]; }

# Prints a file of records. Of a run that was killed, the last line may be half a line.
whole_lines() { if [ -n "$(tail -c 1 -- "$1")" ]; then sed -e '$d' -- "$1"; else cat -- "$1"; fi; }

# Writes the SBOMs of what was collected, and prints a record of each, and of each gap.
sboms() {
    local status=0
    rm -rf -- "$work/sbom"
    mkdir -- "$work/sbom"
    whole_lines "$out/invocations.jsonl" >"$work/invocations"
    if [ ! -s "$work/invocations" ]; then return; fi
    ssm-vulns sbom -q -o json --out "$work/sbom" -f "$work/invocations" || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 2 ] || die "ssm-vulns sbom ended with status $status"
}

# Takes the gaps off the records. They come last, so that hundreds of megabytes need not be written again.
without_gaps() {
    local n_bytes
    n_bytes=$(wc -c <"$work/gaps")
    if tail -c "$((n_bytes))" -- "$work/matches" | cmp -s - "$work/gaps"; then
        dd if=/dev/null of="$work/matches" bs=1 seek=$(($(wc -c <"$work/matches") - n_bytes)) count=0 2>/dev/null
    else
        of_kind gap "$work/matches" -v >"$work/rows"
        mv -- "$work/rows" "$work/matches"
    fi
}

# A scan for patches that was killed, or that no credentials were there for, must not keep the inventories from being judged.
no_patches() {
    jq -n -c '{kind: "gap", target: null, instance_id: null, name: null, reason: {id: "vulns.patch_scan.failed",
        message: "the scan for patches left no result", fix: "pass --resume --patch-scan"}, of: "patch_scan"}'
}

# Keeps the patch state of each node of a scan for patches, and the nodes without one.
judge_patches() {
    local status=0 n n_nodes
    whole_lines "$out/patches.jsonl" >"$work/patches"
    ssm-vulns patches -q -o json -f "$work/patches" >"$work/patch_records" || status=$?
    case $status in
    0) ;;
    1) found=1 ;;
    2) [ -s "$work/patch_records" ] || no_patches >"$work/patch_records" ;; # Else for gaps.
    *) die "ssm-vulns patches ended with status $status" ;;
    esac
    of_kind gap "$work/patch_records" >"$work/patch_gaps"
    of_kind patch_state "$work/patch_records" >"$out/patch_states.jsonl"
    n=$(grep -c -e '"is_patched":false' -- "$out/patch_states.jsonl" || true)
    n_nodes=$(wc -l <"$out/patch_states.jsonl" | tr -d ' ')
    say "vulnscan: patches: $n of $n_nodes nodes lack some, see $out/patch_states.jsonl"
}

# Matches what was collected with the advisories. Adds gaps to those of the nodes, and says in `found` whether there is something.
judge() {
    local status=0 patches=() n
    if [ -e "$out/patches.jsonl" ]; then patches=("$out/patch_states.jsonl"); fi
    cat -- "$work/invocations" ${patches[@]+"${patches[@]}"} |
        ssm-vulns match -q -o json "${advisories[@]}" ${judging[@]+"${judging[@]}"} --report "csv=$work/csv" \
            --report "text=$work/text" --report "sarif=$work/sarif" >"$work/matches" || status=$?
    case $status in
    0) ;;
    1) found=1 ;;
    2) [ -s "$work/sarif" ] || die "the advisories cannot be read, see above" ;; # Else for gaps.
    *) die "ssm-vulns match ended with status $status" ;;
    esac
    # Those of ssm-vulns sbom are among them.
    of_kind gap "$work/matches" >"$work/gaps"
    without_gaps
    [ "$status" -ne 2 ] || [ -s "$work/gaps" ] || die "ssm-vulns match ended early, see above"
    mv -- "$work/matches" "$out/matches.jsonl"
    mv -- "$work/csv" "$out/advisories.csv"
    mv -- "$work/sarif" "$out/vulnscan.sarif"
    if [ ${#patches[@]} -gt 0 ]; then
        n=$(of_kind patch_difference "$out/matches.jsonl" | wc -l | tr -d ' ')
        [ "$n" -eq 0 ] || say "vulnscan: patches: nodes of which advisories say otherwise: $n, see patch_difference in $out/matches.jsonl"
    fi
}

private_directory "$out"
lock "$out"
rm -rf -- "$out"/.work.* # Of a run that was killed.
work=$(mktemp -d -- "$out/.work.XXXXXX")
work=$(cd -- "$work" && pwd)
stop_on_signals
if [ -z "$offline" ]; then collect "$@"; fi
[ -e "$out/invocations.jsonl" ] || die "$out: there is no scan"

sboms >"$work/sboms"
of_kind gap "$work/sboms" >"$work/gaps"
# A node that was asked twice has one file, of the later answer.
jq -n -c '[inputs | select(.kind == "sbom") | .file |= sub("^.*/"; "sbom/")] | map({(.file): .}) | add // {} | .[]' "$work/sboms" >"$out/sboms.jsonl"
rm -rf -- "$out/sbom"
mv -- "$work/sbom" "$out/sbom"
n_sboms=$(wc -l <"$out/sboms.jsonl" | tr -d ' ')
n_nodes=$((n_sboms + $(jq -n '[inputs | select(.instance_id != null) | [.target, .instance_id]] | unique | length' "$work/gaps")))
if [ -e "$out/patches.jsonl" ]; then judge_patches; fi
if [ ${#advisories[@]} -gt 0 ] && [ -s "$work/invocations" ]; then judge; fi
if [ -e "$out/patches.jsonl" ]; then cat -- "$work/patch_gaps" >>"$work/gaps"; fi
mv -- "$work/gaps" "$out/gaps.jsonl"

if [ ${#advisories[@]} -eq 0 ]; then
    find "$out/sbom" -name '*.cdx.json' | LC_ALL=C sort
elif [ -t 1 ]; then
    cat -- "$work/text"
elif [ -e "$out/advisories.csv" ]; then
    cat -- "$out/advisories.csv"
fi
say "vulnscan: $n_sboms of $n_nodes nodes have an SBOM in $out/sbom"
if [ -s "$out/gaps.jsonl" ]; then
    # Control characters become '?', as names and outputs of nodes may hold terminal escapes.
    jq -n -r '[inputs] | (.[:20][] | "  \(.reason.id) \(.instance_id // .target.account // ""): \(.reason.message)" | gsub("[\u0000-\u001f\u007f-\u009f]"; "?")),
        (length - 20 | select(. > 0) | "  and \(.) more")' "$out/gaps.jsonl" >&2
    die "not every node is judged, see $out/gaps.jsonl"
fi
[ "$n_nodes" -gt 0 ] || die "there was no node to scan"
[ -z "$trouble" ] || die "ssm-run had trouble, see above"
has_judged=1
[ -z "$found" ] || exit 1
