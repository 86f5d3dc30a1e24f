#!/usr/bin/env bash
# Plays somebody who has just cloned this: the README's `make install` into a fresh home, then the commands of all documents, page
# by page, as they are printed. README and tutorial are played in bash, dash and zsh and on terminals, of which golden captures
# are kept. tests/newcomer/pages/PAGE prepares what a page takes for granted, tests/newcomer/elsewhere lists the commands that
# other tests run, or none.
#
# All share one local AWS, in which each has an organization of its own: that of the demo, with other account IDs.
#
# usage: newcomer.sh [PAGE..]      LONG=1 plays the rollout over an organization as well, which the demo does in another way
set -euo pipefail
root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
here=$root/tests/newcomer
top=$(mktemp -d)
trap 'rm -rf -- "$top"' EXIT
fail() { echo "newcomer: $*" >&2 && exit 1; }
# `make scripts` runs this, and a page calls make.
unset MAKEFLAGS MFLAGS MAKELEVEL
started=$SECONDS
stage=$top # Of a page, once it is played.

path_of() {
    if [ -e "$root/$1.md" ]; then echo "$root/$1.md"; else echo "$root/docs/$1.md"; fi
}
# What is typed in a page. The sh blocks of the README, for each of which tests/pipelines.rs has a test, are examples of what the
# tools can do in one account, and no tutorial.
commands() { # page [awk's variables]
    local page=$1 path
    path=$(path_of "$1") && shift
    [ "$page" != README ] || set -- -v kinds=console "$@"
    awk -v page="$page" -v elsewhere="$here/elsewhere" "$@" -f "$here/commands.awk" "$path"
}
# Writes the next of the page's json blocks to a file.
json_block() {
    n_blocks=$((n_blocks + 1))
    awk -v n="$n_blocks" '/^ *```/ { inside = !inside; is_json = inside && /```json$/; n_seen += is_json; next }
        is_json && n_seen == n' "$(path_of "$page")" >"$1"
    [ -s "$1" ] || fail "$page has no json block $n_blocks"
}

pages=("$@")
if [ $# -eq 0 ]; then
    # Those that take longest come first.
    pages=(cloudformation rollout organization tutorial README vulnscan)
    for path in "$root"/*.md "$root"/docs/*.md; do
        page=$(basename -- "$path" .md)
        typed=$(commands "$page") || fail "$page has what nobody plays"
        [ -z "$typed" ] || case " ${pages[*]} " in *" $page "*) ;; *) pages+=("$page") ;; esac
    done
    # The README's are played by section.
    [ "$(commands README)" = "$(commands README -v section='## Install' && commands README -v section='## First use')" ] || fail "the README has commands in another section"
    # What make is said to do elsewhere, it can do.
    while IFS=$'\t' read -r page command _; do
        commands "$page" -v elsewhere= | grep -qF -e "$command" || fail "$page has no '$command'"
        case $command in make | make\ *) bash -c "cd -- '$root' && $command --dry-run" >/dev/null || fail "$page: $command" ;; esac
    done <"$here/elsewhere"
    for path in "$here"/pages/*; do
        page=$(basename -- "$path")
        case " ${pages[*]} " in *" $page "*) ;; *) fail "tests/newcomer/pages/$page prepares a page without commands" ;; esac
    done
fi

home="$top/the home"
mkdir "$home"
commands README -v section='## Install' >"$top/install"
[ "$(cat "$top/install" "$here/elsewhere" | grep -c 'make install')" = 1 ] || fail "the README does not install"
# As it is printed, but that nothing is built.
(cd -- "$root" && HOME="$home" MAKEFLAGS='PROFILE=dev BUILD=: --no-print-directory' bash -e "$top/install") >"$top/log" 2>&1 || { cat "$top/log" && fail "make install failed"; }
echo "newcomer: make install took $((SECONDS - started)) s"

# `check` and its like end with 1 when they find something, which is what a newcomer sees and no mistake of the page. A status of 2
# is one, also within a pipe, where no shell would notice. Wrappers are where the tools are, so that they are found as the tools
# are.
wrapper() { # program directory
    # shellcheck disable=SC2016 # Expanded by the wrapper.
    printf '#!/bin/sh\nPATH="%s:${PATH#"%s:"}"\n"%s" "$@"\nstatus=$?\n[ "$status" -ne 1 ] || exit 0\n[ "$status" -eq 0 ] || echo "%s $*: $status" >>"$FAILED"\nexit "$status"\n' \
        "$home/.local/bin" "$2" "$1" "${1##*/}" >"$2/${1##*/}"
    chmod +x "$2/${1##*/}"
}
mkdir "$top/others"
ln -s "$root/.venv/bin/aws" "$root/tests/sandbox/session-manager-plugin" "$top/others"
# Nothing but what the README says puts the tools into PATH.
grep '^export PATH=' "$top/install" >"$top/path" || fail "the README does not say how the tools get into PATH"
"$root/tests/ansible/packages.sh" zsh

export SSM_TIME_DIVISOR=30
# shellcheck source=tests/scripts/local_aws
. "$root/tests/scripts/local_aws"
unset AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE SLACK_WEBHOOK_URL

# Runs commands on a terminal; each is printed before what it says.
see() { # commands columns colors shell
    local plain=''
    [ "$3" = colors ] || plain=1
    TERM=xterm-256color NO_COLOR=$plain python3 "$root/tests/testbed/terminal.py" "$2" "$4" -ec "set -v; . \"$1\"" </dev/null
}
# The same where somebody types so many times "y".
agree() { # commands times
    for ((i = 0; i < $2; i++)); do echo y; done |
        python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' bash -e "$1"
}
# The accounts of the demo, as this page has them; and a unit of it in place of one that a page makes up.
as_here() { sed -E "s/\b([1-5])\1{11}\b/\1\1\1\1\1\1\1\1\1\1$number/g; s/o-sandbox0001/o-sandbox00$number/g; s/ou-(abcd-11111111|ab12-lab00001)/ou-sand-sandbox01/g"; }
as_printed() { sed -E "s/\b([1-5])\1{9}$number\b/\1\1\1\1\1\1\1\1\1\1\1\1/g"; }
# Makes more of an estate: with JSON, or the node that pages name, and another of its kind, in a region.
more() { as_here <<<"$1" | control POST estate "$(cat)" >/dev/null; }
more_nodes() { # region [what their agents are besides [what they are]]
    more "$(jq -n --arg region "$1" --argjson agent "${2:-"{}"}" --argjson node "${3:-"{}"}" '{nodes: [range(2) | {account: "222222222222", $region, instance_id: "i-0123456789abcdef\(.)",
        profile: "node-ssm", tags: {Environment: "prod"}, platform: {type: "Linux", name: "Debian", version: "12"}, agent: ({version: "3.3.987.0"} + $agent)} + $node | del(.[] | nulls)]}')"
}
# Has CloudTrail's event history know of a session that somebody begins now.
a_session() {
    more "$(jq --arg now "$(date -u +%Y-%m-%dT%H:%M:%SZ)" '{cloudtrail_records: [{account: "222222222222", region: "eu-central-1",
        record: (. + {eventTime: $now, awsRegion: "eu-central-1", recipientAccountId: "222222222222"})}]}' \
        "$root/tests/fixtures/cloudtrail/principals/sso-StartSession-allowed.json")"
}
# Puts stdin into a bucket as an account that all pages share, for names of buckets are global.
put() { # path [method]
    curl -sfS -X "${2:-PUT}" --data-binary @- "$AWS_ENDPOINT_URL/$1" -H 'Content-Type: application/octet-stream' \
        -H "Authorization: AWS4-HMAC-SHA256 Credential=AKIA444455556666/20261127/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=0"
}
# Makes a bucket that is open to all pages, of which another may have made it.
bucket() { # name
    local is='http://s3.amazonaws.com/doc/2006-03-01/'
    put "$1" 2>"$stage/curl" <<<"<CreateBucketConfiguration xmlns='$is'><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>" ||
        grep -q 409 "$stage/curl" || fail "$(cat "$stage/curl")"
    put "$1?publicAccessBlock" DELETE </dev/null >/dev/null
    jq -n --arg arn "arn:aws:s3:::$1" '{Version: "2012-10-17", Statement: [{Effect: "Allow", Principal: "*", Action: "s3:*", Resource: [$arn, "\($arn)/*"]}]}' |
        put "$1?policy"
}
# Answers every request alike, at the URL in `answering`, as long as the page is played.
answer() { # status server type body
    mkfifo "$stage/web"
    exec 9<>"$stage/web"
    python3 "$here/web.py" "$@" <"$stage/web" 9>&- >"$stage/url" &
    local server=$!
    until [ -s "$stage/url" ]; do
        kill -0 "$server" || fail "web.py has ended"
        sleep 0.05
    done
    # shellcheck disable=SC2034 # Of what prepares a page.
    answering=$(cat "$stage/url")
}

# Plays one page in one shell, or on a terminal.
play() { # page shell number
    local page=$1 shell=$2 number=$3 path golden examples n_blocks=0 answers=0 columns='' colors='' of_terminal=''
    stage="$top/$page.$2"
    mkdir -p "$stage/home/.aws" "$stage/work" "$stage/home/.local/bin" && cp -rl "$home/.local/share" "$stage/home/.local/"
    for path in "$home/.local/bin"/*; do wrapper "$path" "$stage/home/.local/bin"; done
    control POST estate "$(as_here <"$root/tests/sandbox/estates/demo.json")" >/dev/null || fail "$page has no estate"
    for name in shop:222222222222 management:111111111111; do
        printf '[%s]\naws_access_key_id = AKIA%s\naws_secret_access_key = any\n' "${name%:*}" "$(as_here <<<"${name#*:}")"
    done >"$stage/home/.aws/credentials"
    : >"$stage/home/.aws/config"
    export HOME="$stage/home" FAILED="$stage/failed" PATH="$top/others:/usr/local/bin:/usr/bin:/bin"
    # shellcheck source=/dev/null # A line of the README.
    . "$top/path"
    # shellcheck disable=SC2034 # Of what prepares a page.
    examples=$HOME/.local/share/ssm-rollout/rollout.d
    cd "$stage/work"
    # Only a tutorial says which account it is about.
    case $page in
    README | tutorial | organization) ;;
    *)
        export AWS_PROFILE=shop AWS_REGION=eu-central-1 AWS_DEFAULT_REGION=eu-central-1 # Of which the CLI reads the latter.
        ;;
    esac
    # shellcheck source=/dev/null # It prepares the stage.
    if [ -e "$here/pages/$page" ]; then
        . "$here/pages/$page"
    fi
    [ "$n_blocks" -eq 0 ] || [ "$(grep -c '^ *```json$' "$(path_of "$page")")" -eq "$n_blocks" ] || fail "$page has json blocks that nobody uses"
    { cat "$stage/before" 2>/dev/null || true; commands "$page" ${of[@]+"${of[@]}"} | as_here; } >"$stage/commands"
    # Which shell starts a script of bash makes no difference, nor is it a tool on a terminal.
    case $shell,$page,${LONG:-} in
    bash,organization,1) ;;
    bash,organization, | dash,* | zsh,* | *' '*,tutorial,*) sed -i '/^ssm-roll/,/[^\\]$/d' "$stage/commands" ;;
    esac
    # On a terminal what the tools say is text, for so many columns, and as it was when somebody last looked at it.
    case $shell,$answers in
    *' '*)
        read -r columns colors of_terminal <<<"$shell"
        see "$stage/commands" "$columns" "$colors" "$of_terminal" >"$stage/said" 2>&1
        ;;
    *,0) "$shell" -e "$stage/commands" </dev/null >"$stage/said" 2>&1 ;;
    *) agree "$stage/commands" "$answers" >"$stage/said" 2>&1 ;;
    esac || { tail -n 40 "$stage/said" | cut -c -300 && fail "$page in $shell"; }
    [ ! -s "$FAILED" ] || { tail -n 40 "$stage/said" | cut -c -300 && fail "$page in $shell: $(cat "$FAILED")"; }
    # Times, IDs and the directory differ from run to run.
    tr -d '\r' <"$stage/said" | as_printed | sed -E -e "/^\\. \"/d; s,$stage/home,~,g" -e 's/[0-9-]{10}T[0-9:]{8}Z/2026-01-01T00:00:00Z/g' \
        -e 's/[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}/11111111-2222-3333-4444-555555555555/g' -e 's/[a-z]+-[0-9a-f]{17}\.log/ann-0a1b2c3d4e5f60718.log/g' |
        sed -Ez 's/[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{6}\n( +)[0-9a-f]{6}\n/11111111-2222-3333-4444-555555\n\2555555\n/g' >"$stage/seen"
    commands "$page" ${of[@]+"${of[@]}"} -v shown=1 >"$stage/shown"
    while IFS= read -r line; do
        grep -qxF -e "$line" "$stage/seen" || { cat "$stage/seen" && fail "$page shows '$line'"; }
    done <"$stage/shown"
    case $shell in *' '*) ;; *) return ;; esac
    golden=$root/tests/fixtures/newcomer/$page-$columns-$colors.txt
    if [ -n "${BLESS:-}" ]; then cp -- "$stage/seen" "$golden"; fi
    diff -u -- "$golden" "$stage/seen" || fail "$page on a terminal of $shell is not as in $golden; BLESS=1 writes it anew"
}

playing=() n_failed=0 number=10
# Waits for the first that was begun, so that at most two are played at once: they wait more than they compute.
settle() {
    wait "${playing[0]}" || n_failed=$((n_failed + 1))
    playing=("${playing[@]:1}")
}
for page in "${pages[@]}"; do
    shells=(bash)
    # These are what people paste into the shell that they have. A terminal has columns, and colors or none.
    case $page in
    README) shells=(bash dash zsh {80,200}' '{colors,plain}' '{bash,dash,zsh}) ;;
    tutorial) shells=(bash dash zsh {80,200}' '{colors,plain}' bash' '80 colors dash' '200 plain zsh') ;;
    esac
    for shell in "${shells[@]}"; do
        [ ${#playing[@]} -lt 2 ] || settle
        number=$((number + 1))
        (
            trap '[ $? -eq 0 ] || echo "newcomer: $page in $shell failed"' EXIT
            exec 8>&-
            before=$SECONDS
            of=()
            [ "$page" != README ] || of=(-v section='## First use' -v elsewhere=)
            play "$page" "$shell" "$number"
            echo "newcomer: $page in $shell took $((SECONDS - before)) s"
        ) &
        playing+=($!)
    done
done
while [ ${#playing[@]} -gt 0 ]; do settle; done
[ "$n_failed" -eq 0 ] || exit 1
echo "newcomer: ok, after $((SECONDS - started)) s"
