#!/usr/bin/env bash
# Shows that vulnscan.d/version_order.jq puts versions in the order of dpkg and rpm themselves, and of apk as written down.
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
fail() {
    echo "$1" >&2
    exit 1
}
"$root/tests/ansible/packages.sh" # Installs rpm, if it is missing.

# Pairs near each other, of real versions and of made-up ones; the same each time.
cat >"$tmp/pairs.py" <<'PYTHON'
import random
import sys

form, n_pairs, seeds = sys.argv[1], int(sys.argv[2]), [line.strip() for line in sys.stdin if line.strip()]
random.seed(20261127)
PIECES = {
    "deb": ["~", "~~", "+", ".", "0", "00", "1", "9", "10", "a", "Z", "rc1", "+b1", "~bpo12+1", "-", "1:", "0:", "ubuntu1", "deb12u1", ""],
    "rpm": ["~", "^", "~rc1", "^git1", ".", "_", "+", "0", "00", "1", "9", "10", "a", "Z", ".el9", ".amzn2023", "..", ""],
}[form]


def mutated(version: str) -> str:
    at = random.randrange(len(version) + 1)
    until = min(len(version), at + random.choice([0, 0, 1, 2, 4]))
    return version[:at] + random.choice(PIECES) + version[until:]


def allowed(version: str) -> bool:
    if form == "rpm":
        return version != "" and "-" not in version
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

# Reads pairs, prints -1, 0 or 1 for each.
ours() {
    jq -L "$root/scripts/vulnscan.d" -R -r 'include "version_order"; split("\t") | map(key("'"$1"'")) as [$a, $b]
        | if before($a; $b) then -1 elif before($b; $a) then 1 else 0 end'
}

check() { # manager
    ours "$1" <"$tmp/$1.pairs" >"$tmp/$1.ours"
    paste "$tmp/$1.pairs" "$tmp/$1.ours" "$tmp/$1.theirs" | awk -F '\t' '$3 != $4' >"$tmp/$1.wrong"
    if [ -s "$tmp/$1.wrong" ]; then
        fail "$1 orders $(wc -l <"$tmp/$1.wrong") of $(wc -l <"$tmp/$1.pairs") pairs otherwise (pair, ours, theirs):"$'\n'"$(head "$tmp/$1.wrong")"
    fi
    # The pairs are worth asking about: all three answers come often.
    for answer in -1 0 1; do
        [ "$(grep -cx -- "$answer" "$tmp/$1.theirs")" -gt $(($(wc -l <"$tmp/$1.pairs") / 50)) ] || fail "$1: hardly any pair gives $answer"
    done
}

dpkg-query -W -f '${Version}\n' >"$tmp/deb.versions"
python3 "$tmp/pairs.py" deb 1500 <"$tmp/deb.versions" >"$tmp/deb.pairs"
# shellcheck disable=SC2016 # For the inner shell.
xargs -P 2 -d '\n' -n 750 sh -c 'for pair; do
    one=${pair%%"	"*} other=${pair##*"	"}
    if dpkg --compare-versions "$one" lt "$other"; then order=-1; elif dpkg --compare-versions "$one" eq "$other"; then order=0; else order=1; fi
    printf "%s\t%s\n" "$pair" "$order"
done' sh <"$tmp/deb.pairs" >"$tmp/deb.answers" 2>/dev/null
cut -f 1,2 "$tmp/deb.answers" >"$tmp/deb.pairs"
cut -f 3 "$tmp/deb.answers" >"$tmp/deb.theirs"
[ "$(wc -l <"$tmp/deb.theirs")" -eq 1500 ] || fail "dpkg answered $(wc -l <"$tmp/deb.theirs") of 1500"
check deb

# Debian's versions without what no rpm has are as good as any.
sed 's/^[0-9]*://; s/-/./g' "$tmp/deb.versions" >"$tmp/rpm.versions"
python3 "$tmp/pairs.py" rpm 20000 <"$tmp/rpm.versions" >"$tmp/rpm.pairs"
rpm --eval '%{lua:
for line in io.lines("'"$tmp"'/rpm.pairs") do
    local one, other = line:match("^(.*)\t(.*)$")
    io.stdout:write(rpm.vercmp(one, other), "\n")
end}' | grep . >"$tmp/rpm.theirs"
check rpm

# Epochs and releases of rpm, which rpm.vercmp compares as well: https://rpm-software-management.github.io/rpm/manual/lua.html
while read -r one order other; do
    case $order in '<') expected=-1 ;; '=') expected=0 ;; *) expected=1 ;; esac
    printf '%s\t%s\n' "$one" "$other" >>"$tmp/evr.pairs"
    echo "$expected" >>"$tmp/evr.expected"
done <<'PAIRS'
1:1.0-1 > 2.0-1
0:1.0-1 = 1.0-1
1.0-1 < 1.0-1.1
1.0-1 < 1.0-2
1.0~rc1-1 < 1.0-1
1.0^20240101-1 > 1.0-9
5.14.0-362.8.1.el9_3 < 5.14.0-362.18.1.el9_3
2.9.7-3.amzn2023.0.1 < 2.9.7-3.amzn2023.0.2
2.9.7-3 = 2.9.7
PAIRS
ours rpm <"$tmp/evr.pairs" | cmp - "$tmp/evr.expected" || fail "epochs and releases of rpm are in another order"

# apk is not in Debian. Its order after apk-version(8) and the sources of apk-tools 2.14 and 3.
while read -r one order other; do
    case $order in '<') expected=-1 ;; '=') expected=0 ;; *) expected=1 ;; esac
    printf '%s\t%s\n%s\t%s\n' "$one" "$other" "$other" "$one" >>"$tmp/apk.pairs"
    printf '%s\n%s\n' "$expected" "$((-expected))" >>"$tmp/apk.expected"
done <<'PAIRS'
3.1.4-r5 < 3.1.5-r0
3.1.4-r5 < 3.1.4-r10
1.36.1-r15 < 1.36.1-r29
9.9 < 10.0
1.2 < 1.2.0
1.2 < 1.2-r0
1.2.3 < 1.2.3a
1.2.3a < 1.2.3b
1.2.3a < 1.2.3.1
1.2_alpha < 1.2_beta
1.2_alpha2 > 1.2_alpha
1.2_beta9 < 1.2_pre1
1.2_pre < 1.2_rc
1.2_rc4 < 1.2
1.2_rc4-r7 < 1.2-r0
1.2 < 1.2_cvs1
1.2_git20230101 < 1.2_git20240101
1.2_git1 < 1.2_p0
1.2_p1 < 1.2.1
1.2_p1 < 1.2a
1.2_p1_rc1 < 1.2_p1
1.05 < 1.1
1.010 < 1.02
1.0 < 1.00
010 = 10
1.2~0ab > 1.2
1.2~0ab < 1.2~0ac
1.2~0ab-r1 < 1.2_p
20240226-r0 < 20240705-r0
PAIRS
ours apk <"$tmp/apk.pairs" >"$tmp/apk.ours"
paste "$tmp/apk.pairs" "$tmp/apk.ours" "$tmp/apk.expected" | awk -F '\t' '$3 != $4' >"$tmp/apk.wrong"
[ ! -s "$tmp/apk.wrong" ] || fail "apk's versions are in another order (pair, ours, expected):"$'\n'"$(cat "$tmp/apk.wrong")"
for version in '' 1.2_foo 1..2 1.2-rx 1.2ab v1.2; do
    [ "$(jq -n -L "$root/scripts/vulnscan.d" --arg v "$version" 'include "version_order"; $v | key("apk")')" = null ] || fail "'$version' passes for a version of apk"
done
