#!/usr/bin/env bash
# Shows that ssm-vulns and debsecan, Debian's own scanner, find the same in the same facts about the packages of this machine.
#
# Both judge by data that is made here: the tracker's for one, the same in the form of debsecan's server for the other, read from a
# file. Part of `make test-long`, as debsecan has to be installed.
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
fail() {
    echo "debsecan: $1" >&2
    exit 1
}
[ -n "${LONG:-}" ] || { echo "debsecan.sh: left to make test-long" && exit 0; }
command -v ssm-vulns >/dev/null || fail "ssm-vulns is not in PATH; make build, and add target/debug"
debsecan=$(command -v debsecan || true)
if [ -z "$debsecan" ]; then
    # The package without its questions; it needs python3-apt beside it.
    python=/usr/bin/python3
    "$python" -c 'import apt_pkg' 2>/dev/null || apt-get install -qq -y --no-install-recommends python3-apt >/dev/null
    (cd "$tmp" && apt-get download -qq debsecan 2>/dev/null) || fail "apt-get download debsecan failed"
    dpkg-deb -x "$tmp"/debsecan_*.deb "$tmp/installed"
    debsecan=$tmp/installed/usr/bin/debsecan
fi

sh "$root/scripts/vulnscan.d/collector.sh" >"$tmp/inventory"
dpkg-query -W -f '${Package}\t${Version}\t${source:Package}\t${source:Version}\n' >"$tmp/packages"
/usr/bin/python3 - "$tmp" <<'PYTHON'
import json
import random
import sys
import zlib

directory = sys.argv[1]
random.seed(20261129)
sources = sorted({tuple(line.rstrip("\n").split("\t")[2:]) for line in open(f"{directory}/packages")})
names, lines, tracker = [], [], {}
for number in range(5000):
    name, version = random.choice(sources)
    kind = random.choice(["newer", "older", "same", "open", "never"])
    fixed = {
        "newer": version + random.choice(["+deb12u1", ".1", "a", "-1", "+b1"]),
        "older": random.choice([version + "~", "0~" + version.replace(":", "."), version[: max(1, len(version) // 2)].rstrip("-.:+~") or "0"]),
        "same": version,
        "open": None,
        "never": "0",
    }[kind]
    cve = f"CVE-2026-{10000 + number}"
    state = {"status": "open" if fixed is None else "resolved", "urgency": "not yet assigned"}
    if fixed is not None:
        state["fixed_version"] = fixed
    tracker.setdefault(name, {})[cve] = {"description": "d", "releases": {"bookworm": state}}
    if kind != "never":
        # Package, name, source package of unknown urgency and way, fix, fixed since.
        lines.append(f"{name},{len(names)},S ? ,{fixed or ''},")
        names.append(f"{cve},,d")
# Every release that is looked after has entries of the kernel.
tracker.setdefault("linux", {})["CVE-2026-1"] = {"releases": {"bookworm": {"status": "resolved", "fixed_version": "0", "urgency": "low"}}}
text = "\n".join(["VERSION 1", *names, "", *lines, "", ""]) + "\n"
open(f"{directory}/bookworm", "wb").write(zlib.compress(text.encode()))
json.dump(tracker, open(f"{directory}/tracker.json", "w"))
inventory = open(f"{directory}/inventory").read()
record = {"kind": "invocation", "target": {"account": "111111111111", "region": "us-east-1"}, "instance_id": "i-0123456789abcdef0",
    "status": "Success", "stdout": inventory, "stderr": "", "truncated": {"stdout": False, "stderr": False}}
json.dump(record, open(f"{directory}/invocation.json", "w"))
PYTHON

"$debsecan" --suite bookworm --source "file://$tmp" --format simple --config /dev/null --history /dev/null --whitelist "" |
    LC_ALL=C sort -u >"$tmp/theirs"
status=0
ssm-vulns match -q -o json -f "$tmp/invocation.json" --advisories "$tmp/tracker.json" --jq '"\(.advisory) \(.package)"' -r >"$tmp/records" || status=$?
[ "$status" -eq 1 ] || fail "ssm-vulns ended with $status: $(head -n 3 "$tmp/records")"
LC_ALL=C sort -u "$tmp/records" >"$tmp/ours"
diff "$tmp/ours" "$tmp/theirs" >"$tmp/difference" || fail "$(wc -l <"$tmp/ours") of ours, $(wc -l <"$tmp/theirs") of theirs, < ours, > theirs:"$'\n'"$(head "$tmp/difference")"
[ "$(wc -l <"$tmp/ours")" -gt 1000 ] || fail "only $(wc -l <"$tmp/ours") were found"
echo "ok debsecan.sh: $(wc -l <"$tmp/ours") packages and CVEs alike"
