#!/usr/bin/env bash
# Shows that ssm-vulns puts versions in the order of dpkg and rpm themselves, and of univers, and agrees with others' scores.
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
python=$root/.venv/bin/python
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
fail() {
    echo "version_order: $1" >&2
    exit 1
}
command -v ssm-vulns >/dev/null || fail "ssm-vulns is not in PATH; make build, and add target/debug"
"$root/tests/ansible/packages.sh" # Installs rpm, if it is missing.

# Pairs near each other, of real versions and of made-up ones; the same each time.
cat >"$tmp/pairs.py" <<'PYTHON'
import random
import sys

form, n_pairs, seeds = sys.argv[1], int(sys.argv[2]), [line.strip() for line in sys.stdin if line.strip()]
random.seed(20261127)
PIECES = {
    "deb": ["~", "~~", "+", ".", "0", "00", "1", "9", "10", "a", "Z", "rc1", "+b1", "~rpt12+1", "-", "1:", "0:", "ubuntu1", "deb12u1", ""],
    "rpm": ["~", "^", "~rc1", "^git1", ".", "_", "+", "0", "00", "1", "9", "10", "a", "Z", ".el9", ".amzn2023", "..", ""],
    "apk": [".", "0", "1", "9", "10", "a", "_alpha", "_beta2", "_pre", "_rc1", "_git20240101", "_p1", "-r0", "-r10", ""],
}[form]


def mutated(version: str) -> str:
    at = random.randrange(len(version) + 1)
    until = min(len(version), at + random.choice([0, 0, 1, 2, 4]))
    return version[:at] + random.choice(PIECES) + version[until:]


def allowed(version: str) -> bool:
    if form == "rpm":
        return version != "" and "-" not in version
    if form == "apk":
        return version != ""
    epoch, colon, rest = version.rpartition(":")
    if colon and not epoch.isdigit() or ":" in epoch or not rest[:1].isdigit():
        return False
    return not rest.endswith("-") and (len(epoch) < 9)


while n_pairs:
    one = random.choice(seeds) if random.random() < 0.7 else "".join(random.choices(PIECES, k=random.randint(1, 6)))
    other = random.choice(seeds) if random.random() < 0.1 else mutated(one)
    if random.random() < 0.3:
        other = mutated(other)
    if allowed(one) and allowed(other):
        print(one, other, sep="\t")
        n_pairs -= 1
PYTHON

# Prints -1, 0 or 1 for each pair, `?` for what is not a version. From outside: the first is installed, the second fixes one
# advisory, and is the last affected version of another.
cat >"$tmp/ours.py" <<'PYTHON'
import json
import subprocess
import sys

form, directory = sys.argv[1:]
alma = ("AlmaLinux:9", "almalinux\t9.4")
ecosystem, system = {"deb": ("Debian:12", "debian\t12"), "rpm": alma, "evr": alma, "apk": ("Alpine:v3.20", "alpine\t3.20.3")}[form]
pairs = [line.rstrip("\n").split("\t") for line in open(f"{directory}/{form}.pairs")]
lines = [f"os\t{system}\t\t\tp", "arch\tx", "kernel\t1\t"]
with open(f"{directory}/osv.jsonl", "w") as osv:
    for number, (one, other) in enumerate(pairs):
        if form == "evr":
            epoch, _, rest = one.rpartition(":")
            version, _, release = rest.rpartition("-")
            lines.append(f"rpm\tp{number}\t{epoch}\t{version}\t{release}")
        else:
            lines.append({"deb": f"deb\tp{number}\t{one}", "rpm": f"rpm\tp{number}\t\t{one}\t1", "apk": f"apk\tp{number}\t{one}"}[form])
        for event, name in (("fixed", "F"), ("last_affected", "L")):
            events = [{"introduced": "0"}, {event: other + ("-1" if form == "rpm" else "")}]
            affected = {"package": {"ecosystem": ecosystem, "name": f"p{number}"}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
            print(json.dumps({"schema_version": "1.6.0", "id": f"{name}-{number}", "affected": [affected]}), file=osv)
text = "\n".join(["ssm-inventory 1 plain", *lines, f"end\t{len(lines)}\t-"])
record = {"kind": "invocation", "target": {"account": "1", "region": "r"}, "instance_id": "i-1", "status": "Success", "stdout": text, "stderr": "",
    "truncated": {"stdout": False, "stderr": False}}
command = ["ssm-vulns", "match", "-q", "-o", "json", "--max-age", "0", "--advisories", f"{directory}/osv.jsonl"]
done = subprocess.run(command, input=json.dumps(record), text=True, capture_output=True)
if done.stderr:
    sys.exit(done.stderr)
found, unjudged = set(), set()
for line in done.stdout.splitlines():
    record = json.loads(line)
    if record["kind"] == "match":
        found.add(record["advisory"])
    else:
        unjudged.add(record["reason"]["message"].split()[0])
for number in range(len(pairs)):
    if f"F-{number}" in unjudged:
        print("?")
    elif f"F-{number}" in found:
        print(-1)
    else:
        print(0 if f"L-{number}" in found else 1)
PYTHON

check() { # manager, at most so many of 1,000 that are not versions to us
    "$python" "$tmp/ours.py" "$1" "$tmp" >"$tmp/$1.ours" || fail "$1: ssm-vulns failed"
    paste "$tmp/$1.pairs" "$tmp/$1.ours" "$tmp/$1.theirs" | awk -F '\t' '$3 != $4 && $3 != "?"' >"$tmp/$1.wrong"
    if [ -s "$tmp/$1.wrong" ]; then
        fail "$1 orders $(wc -l <"$tmp/$1.wrong") of $(wc -l <"$tmp/$1.pairs") pairs otherwise (pair, ours, theirs):"$'\n'"$(head "$tmp/$1.wrong")"
    fi
    n_unknown=$(grep -cx '?' "$tmp/$1.ours" || true)
    [ $((n_unknown * 1000)) -le $(($2 * $(wc -l <"$tmp/$1.pairs"))) ] ||
        fail "$1: $n_unknown pairs are not versions to us: $(paste "$tmp/$1.pairs" "$tmp/$1.ours" | grep '?$' | head)"
    # The pairs are worth asking about: all three answers come often.
    for answer in -1 0 1; do
        [ "$(grep -cx -- "$answer" "$tmp/$1.theirs")" -gt $(($(wc -l <"$tmp/$1.pairs") / 50)) ] || fail "$1: hardly any pair gives $answer"
    done
}

# A backport has the fixes of the version that it is built from, so that its number alone does not decide.
dpkg-query -W -f '${Version}\n' | sed 's/~bpo/~rpt/' >"$tmp/deb.versions"
"$python" "$tmp/pairs.py" deb 20000 <"$tmp/deb.versions" >"$tmp/deb.pairs"
# dpkg itself, without a process for each pair: merging a list of packages into a database keeps the later version of each, and the
# merged one of equals (dpkg(1), --merge-avail). So each list is merged into the other.
mkdir -p "$tmp/dpkg/info" "$tmp/dpkg/updates"
touch "$tmp/dpkg/status"
for column in 1 2; do
    cut -f "$column" "$tmp/deb.pairs" | awk -v column="$column" \
        '{ printf "Package: p%06d\nVersion: %s\nArchitecture: all\nMaintainer: m\nDescription: %s\n\n", NR, $0, column }' >"$tmp/deb.$column"
done
merged() { # Prints which of the two lists each package is from, the second one merged into the first.
    : >"$tmp/dpkg/available"
    for list; do dpkg --admindir "$tmp/dpkg" --merge-avail "$tmp/deb.$list" >/dev/null 2>"$tmp/log" || fail "$(cat "$tmp/log")"; done
    awk '$1 == "Package:" { name = $2 } $1 == "Description:" { print name, $2 }' "$tmp/dpkg/available" | LC_ALL=C sort | cut -d ' ' -f 2
}
merged 1 2 >"$tmp/deb.second_last"
merged 2 1 >"$tmp/deb.first_last"
paste "$tmp/deb.second_last" "$tmp/deb.first_last" | awk '{ print $1 == 1 ? 1 : ($2 == 1 ? 0 : -1) }' >"$tmp/deb.theirs"
[ "$(wc -l <"$tmp/deb.theirs")" -eq 20000 ] || fail "dpkg answered $(wc -l <"$tmp/deb.theirs") times"
# That this asks for the order, some of them show one by one.
head -n 200 "$tmp/deb.pairs" | while IFS='	' read -r one other; do
    if dpkg --compare-versions "$one" lt "$other"; then echo -1; elif dpkg --compare-versions "$one" eq "$other"; then echo 0; else echo 1; fi
done 2>/dev/null | diff - <(head -n 200 "$tmp/deb.theirs") || fail "--merge-avail and --compare-versions differ"
check deb 0

# Debian's versions without what no rpm has are as good as any.
sed 's/^[0-9]*://; s/-/./g' "$tmp/deb.versions" >"$tmp/rpm.versions"
"$python" "$tmp/pairs.py" rpm 20000 <"$tmp/rpm.versions" >"$tmp/rpm.pairs"
rpm --eval '%{lua:
for line in io.lines("'"$tmp"'/rpm.pairs") do
    local one, other = line:match("^(.*)\t(.*)$")
    io.stdout:write(rpm.vercmp(one, other), "\n")
end}' | grep . >"$tmp/rpm.theirs"
check rpm 0

# As a whole, with epoch and release: rpm itself orders them since 4.17 (https://rpm.org/docs/4.17.x/manual/lua.html).
"$python" - "$tmp" <<'PYTHON'
import random
import sys

random.seed(20261129)
pairs = [line.rstrip("\n").split("\t") for line in open(f"{sys.argv[1]}/rpm.pairs")]


def parts(column):
    return random.choice(["", "0:", "0:", "1:", "2:", "10:"]), random.choice(pairs)[column], random.choice(pairs)[column]


with open(f"{sys.argv[1]}/evr.pairs", "w") as evrs:
    for _ in range(5000):
        (epoch, version, release), (other_epoch, other, other_release) = parts(0), parts(1)
        # Alike up to where the next part decides.
        if random.random() < 0.7:
            other_epoch = epoch if random.random() < 0.7 else {"": "0:", "0:": ""}.get(epoch, epoch)
            version, other = (version, version) if random.random() < 0.6 else random.choice(pairs)
            release, other_release = (release, release) if random.random() < 0.3 else random.choice(pairs)
        print(f"{epoch}{version}-{release}", f"{other_epoch}{other}-{other_release}", sep="\t", file=evrs)
PYTHON
rpm --eval '%{lua:
for line in io.lines("'"$tmp"'/evr.pairs") do
    local one, other = line:match("^(.*)\t(.*)$")
    one, other = rpm.ver(one), rpm.ver(other)
    io.stdout:write(one < other and -1 or (one == other and 0 or 1), "\n")
end}' | grep . >"$tmp/evr.theirs" || fail "rpm does not order epoch, version and release: $(rpm --version)"
[ "$(wc -l <"$tmp/evr.theirs")" -eq 5000 ] || fail "rpm answered $(wc -l <"$tmp/evr.theirs") times of 5000"
check evr 0

# A library that others scan with says the same of the same pairs.
"$python" - "$tmp" <<'PYTHON' || fail "univers orders pairs otherwise"
import sys

from univers import debian, rpm

for form, compare in (("deb", debian.compare_versions), ("rpm", rpm.vercmp)):
    ours = [line.strip() for line in open(f"{sys.argv[1]}/{form}.ours")]
    pairs = [line.rstrip("\n").split("\t") for line in open(f"{sys.argv[1]}/{form}.pairs")]
    theirs = [str((order > 0) - (order < 0)) for order in (compare(one, other) for one, other in pairs)]
    wrong = [(pair, one, other) for pair, one, other in zip(pairs, ours, theirs, strict=True) if one not in (other, "?")]
    assert pairs and not wrong, f"{form}: {len(wrong)} of {len(pairs)} (pair, ours, theirs): {wrong[:5]}"
PYTHON

# apk is not in Debian. Its order by a library, which has Gentoo's, as far as both take a pair for versions.
printf '%s\n' 1.36.1-r15 3.3.2-r0 20240226-r0 2.4.0_rc1-r2 0.9.8z 1.2.3_git20230101-r1 1.10 6.6.58-r0 >"$tmp/apk.versions"
"$python" "$tmp/pairs.py" apk 20000 <"$tmp/apk.versions" >"$tmp/apk.all"
"$python" - "$tmp" <<'PYTHON'
import re
import sys

from univers import gentoo

form = re.compile(r"\d+(\.\d+)*[a-z]?(_(alpha|beta|pre|rc|p)\d*)*(-r\d+)?")
with open(f"{sys.argv[1]}/apk.pairs", "w") as pairs, open(f"{sys.argv[1]}/apk.theirs", "w") as theirs:
    for line in open(f"{sys.argv[1]}/apk.all"):
        one, other = line.rstrip("\n").split("\t")
        # Where apk parts from Gentoo: numbers that begin with a zero, a revision that is missing, and a suffix
        # without a number.
        odd = re.compile(r"(^|\.)0\d|_[a-z]+(?!\d|[a-z])")
        alike = ("-r" in one) == ("-r" in other)
        if form.fullmatch(one) and form.fullmatch(other) and alike and not odd.search(one) and not odd.search(other):
            order = gentoo.vercmp(one, other)
            print(one, other, sep="\t", file=pairs)
            print((order > 0) - (order < 0), file=theirs)
PYTHON
[ "$(wc -l <"$tmp/apk.pairs")" -gt 1000 ] || fail "hardly any pair of apk is of versions"
check apk 0

# libsolv, which openSUSE and conda solve dependencies with, has an order of apk of its own. No package of Python or Debian has it
# compiled in; a crate has its source.
if [ -n "${LONG:-}" ]; then
    mkdir -p "$tmp/libsolv/src" "$tmp/stubs"
    printf '[package]\nname = "order"\nversion = "0.1.0"\nedition = "2024"\n[dependencies]\nrattler_libsolv_c = "1"\n' >"$tmp/libsolv/Cargo.toml"
    : >"$tmp/libsolv/src/lib.rs"
    source=$(cargo metadata --quiet --format-version 1 --manifest-path "$tmp/libsolv/Cargo.toml" |
        jq -r '.packages[] | select(.name == "rattler_libsolv_c").manifest_path') || fail "cargo cannot fetch libsolv"
    source=${source%/*}/libsolv/src
    # What the one file includes is of no use to it.
    for header in repo util apk; do : >"$tmp/stubs/$header.h"; done
    printf 'typedef struct Pool Pool;\n' >"$tmp/stubs/pool.h"
    cat >"$tmp/order.c" <<'C'
#include <stdio.h>
#include <string.h>
#include "pool.h"
int solv_vercmp_apk(const char *, const char *, const char *, const char *);
int main(void) {
    char line[8192], *tab;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        tab = strchr(line, '\t');
        printf("%d\n", solv_vercmp_apk(line, tab, tab + 1, tab + strlen(tab)));
    }
}
C
    cp "$source/apk.c" "$tmp/apk.c"
    cc -I "$tmp/stubs" -o "$tmp/order" "$tmp/order.c" "$tmp/apk.c" || fail "libsolv does not compile"
    # It takes a suffix and its number for one part, so that `_rc` and `_rc0` are equal, and `_rc1` goes before `_rc_p1`. To
    # apk-tools the number is a part of its own, which goes before a further suffix and after none.
    grep -vE '_[a-z]+(_|0|-|'$'\t''|$)' "$tmp/apk.all" >"$tmp/apk.pairs"
    "$tmp/order" <"$tmp/apk.pairs" >"$tmp/apk.theirs"
    # Most pairs that are made up are not versions to apk.
    check apk 1000
    n=$(grep -vcx '?' "$tmp/apk.ours")
    [ "$n" -gt 5000 ] || fail "only $n pairs of apk are of versions"
fi

# apk-tools' own tests are under the GPL, and not copied. With a checkout, all of them are held: APK_TOOLS=DIR version_order.sh
if [ -n "${APK_TOOLS:-}" ]; then
    [ -s "$APK_TOOLS/test/unit/version.data" ] || fail "APK_TOOLS=$APK_TOOLS: there is no test/unit/version.data: name a checkout of apk-tools"
    "$python" - "$APK_TOOLS/test/unit/version.data" "$tmp" <<'PYTHON'
import sys

with open(f"{sys.argv[2]}/apk.pairs", "w") as pairs, open(f"{sys.argv[2]}/apk.theirs", "w") as theirs:
    for line in open(sys.argv[1]):
        match line.split("#")[0].split():
            # Not versions to `apk version --check`, though it compares what stands before the mistake.
            case _ if "invalid" in line or "_foo" in line:
                pass
            case [one, ("<" | "=" | ">") as sign, other]:
                print(one, other, sep="\t", file=pairs)
                print({"<": -1, "=": 0, ">": 1}[sign], file=theirs)
            case [word] if word.startswith("!"):
                print(word[1:], "1", sep="\t", file=pairs)
                print("?", file=theirs)
PYTHON
    "$python" "$tmp/ours.py" apk "$tmp" >"$tmp/apk.ours" || fail "apk: ssm-vulns failed"
    [ "$(wc -l <"$tmp/apk.theirs")" -gt 700 ] || fail "apk-tools has only $(wc -l <"$tmp/apk.theirs") tests"
    paste "$tmp/apk.pairs" "$tmp/apk.ours" "$tmp/apk.theirs" | awk -F '\t' '$3 != $4' >"$tmp/apk.wrong"
    [ ! -s "$tmp/apk.wrong" ] || fail "apk-tools says otherwise (pair, ours, theirs):"$'\n'"$(head "$tmp/apk.wrong")"
fi

# Scores of vectors, against another library, for every version of CVSS.
"$python" - <<'PYTHON' || fail "scores differ"
import itertools
import json
import random
import subprocess
import tempfile

from cvss import CVSS2, CVSS3, CVSS4

random.seed(4)
# Metrics of time and threat, behind some of them.
OPTIONAL = {
    CVSS2: {"E": ["U", "POC", "F", "H", "ND"], "RL": ["OF", "TF", "W", "U", "ND"], "RC": ["UC", "UR", "C", "ND"]},
    CVSS3: {"E": "UPFHX", "RL": "OTWUX", "RC": "URCX"},
    CVSS4: {"E": "APUX"},
}
METRICS = {
    CVSS2: ("", {"AV": "LAN", "AC": "HML", "Au": "MSN", "C": "NPC", "I": "NPC", "A": "NPC"}),
    CVSS3: ("CVSS:3.1/", {"AV": "NALP", "AC": "LH", "PR": "NLH", "UI": "NR", "S": "UC", "C": "HLN", "I": "HLN", "A": "HLN"}),
    CVSS4: ("CVSS:4.0/", {"AV": "NALP", "AC": "LH", "AT": "NP", "PR": "NLH", "UI": "NPA", "VC": "HLN", "VI": "HLN", "VA": "HLN", "SC": "HLN", "SI": "HLN", "SA": "HLN"}),
}
KINDS = {CVSS2: "CVSS_V2", CVSS3: "CVSS_V3", CVSS4: "CVSS_V4"}
osv, expected = [], {}
for kind, (prefix, metrics) in METRICS.items():
    choices = list(itertools.product(*metrics.values()))
    for number, choice in enumerate(random.sample(choices, min(len(choices), 1500))):
        vector = prefix + "/".join(f"{name}:{value}" for name, value in zip(metrics, choice))
        if kind is CVSS3 and number % 2:
            vector = vector.replace("CVSS:3.1/", "CVSS:3.0/")
        if number % 3 == 0:
            vector += "".join(f"/{name}:{random.choice(values)}" for name, values in OPTIONAL[kind].items())
        name = f"A-{len(osv)}"
        expected[name] = (vector, float(kind(vector).scores()[0] if kind is not CVSS4 else kind(vector).base_score))
        affected = {"package": {"ecosystem": "Debian:12", "name": "a"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}
        osv.append({"schema_version": "1.6.0", "id": name, "severity": [{"type": KINDS[kind], "score": vector}], "affected": [affected]})
stdout = "ssm-inventory 1 plain\nos\tdebian\t12\narch\tx\nkernel\t1\t\ndeb\ta\t1\nend\t4\t-\n"
record = {"kind": "invocation", "target": {"account": "1", "region": "r"}, "instance_id": "i-1", "status": "Success", "stdout": stdout, "stderr": "",
    "truncated": {"stdout": False, "stderr": False}}
with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
    file.write("\n".join(map(json.dumps, osv)))
    file.flush()
    command = ["ssm-vulns", "match", "-q", "-o", "json", "--max-age", "0", "--advisories", file.name]
    done = subprocess.run(command, input=json.dumps(record), capture_output=True, text=True)
scores = {one["advisory"]: one["severity"]["score"] for one in map(json.loads, done.stdout.splitlines())}
wrong = [(vector, scores.get(name), score) for name, (vector, score) in expected.items() if scores.get(name) != score]
assert len(expected) > 3500 and not wrong, f"{len(wrong)} of {len(expected)} (vector, ours, theirs): {wrong[:5]}"
PYTHON
echo "ok version_order.sh"
