#!/usr/bin/env bash
# The page of `ssm-events report --html` in a real browser: it draws what the records say, hostile ones included, without
# an error in the console. Leaves target/report/page.html and page.png to be looked at.
set -euo pipefail

root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
out=$root/target/report
tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
fail() {
    echo "$1" >&2
    exit 1
}
"$root/tests/ansible/packages.sh" chromium

browse() {
    # No address but the file itself can be reached: names do not resolve.
    timeout 120 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$tmp/profile" --hide-scrollbars \
        --host-resolver-rules='MAP * ~NOTFOUND' --window-size=1280,2400 --enable-logging=stderr "$@" 2>"$tmp/log"
    if grep -a CONSOLE "$tmp/log"; then fail "the page complains"; fi
}

mkdir -p -- "$out"
cat -- "$root"/tests/fixtures/cloudtrail/*/*.json | ssm-events report -q --html >"$out/page.html"
browse --dump-dom "file://$out/page.html" >"$tmp/dom"
browse --screenshot="$out/page.png" "file://$out/page.html"
[ -s "$out/page.png" ] || fail "there is no screenshot"
for text in i-0123456789abcdef0 jane.doe@example.com INC-4712 'service control policy' '<svg'; do
    grep -qaF -- "$text" "$tmp/dom" || fail "the page does not show $text"
done
# What the records hold is text: no element was made of it.
if grep -qaE '<a [^>]*evil\.example|<!channel>' "$tmp/dom"; then fail "a record became part of the page"; fi
# The check can fail: a page whose script is broken complains.
sed 's/"sessions":/"sesions":/' "$out/page.html" >"$tmp/broken.html"
if (browse --dump-dom "file://$tmp/broken.html" >"$tmp/dom") >/dev/null 2>&1 && grep -qaF i-0123456789abcdef0 "$tmp/dom"; then
    fail "a broken page looks whole"
fi
