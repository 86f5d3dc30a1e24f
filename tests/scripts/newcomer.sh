#!/usr/bin/env bash
# Plays somebody who has just cloned this: `make install` into a fresh home, then the commands of the documents one after another, as
# they are printed, the README and the tutorial in bash, dash and zsh. Each document has a local AWS with the estate of the demo
# to itself. With LONG=1 an organization is rolled out over as well, as the demo does in another way.
#
# usage: newcomer.sh [DOCUMENT..]
set -euo pipefail
root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
top=$(mktemp -d)
trap 'rm -rf -- "$top"' EXIT
fail() { echo "newcomer: $*" >&2 && exit 1; }
started=$SECONDS

home="$top/the home"
mkdir "$home"
MAKEFLAGS='' make --no-print-directory -C "$root" install PROFILE=dev BUILD=: PREFIX="$home/.local" >"$top/log" 2>&1 || { cat "$top/log" && fail "make install failed"; }
echo "newcomer: make install took $((SECONDS - started)) s"

# `check` and its like end with 1 when they find something, which is what a newcomer sees and no mistake of the document. A status of
# 2 is one.
top_bin=$top/bin
mkdir "$top_bin"
for path in "$home/.local/bin"/*; do
    # shellcheck disable=SC2016 # Expanded by the wrapper.
    printf '#!/bin/sh\n"%s" "$@"\nstatus=$?\n[ "$status" -eq 1 ] || exit "$status"\n' "$path" >"$top/bin/${path##*/}"
done
chmod +x "$top/bin"/*

# The sh blocks of a document in the order in which they stand; of the README, whose blocks have a test each, what it says to use first.
# shellcheck disable=SC2016 # Of Markdown.
commands() {
    case $1 in
    */README.md) sed -n '/^## First use/,/^## In pipes/s/^\$ //p' "$1" ;;
    *) sed -n '/^```sh$/,/^```$/{/^```/d;p;}' "$1" ;;
    esac
}

# Runs commands on a terminal; each is printed before what it says.
see() { # commands columns colors
    local plain=''
    [ "$3" = colors ] || plain=1
    TERM=xterm-256color NO_COLOR=$plain python3 "$root/tests/testbed/terminal.py" "$2" bash -evc ". \"$1\"" </dev/null
}

# Plays one document in one shell, or on a terminal.
play() {
    local document=$1 shell=$2 stage=$top/$1.$2
    mkdir -p "$stage/home/.aws" && cp -r "$home/.local" "$stage/home/"
    (
        # shellcheck disable=SC2030,SC2034 # Read by local_aws, which removes it.
        top=$stage estate=(--estate "$root/tests/sandbox/estates/demo.json")
        # shellcheck source=tests/scripts/local_aws
        . "$root/tests/scripts/local_aws"
        for name in shop:222222222222 management:111111111111; do
            printf '[%s]\naws_access_key_id = AKIA%s\naws_secret_access_key = any\n' "${name%:*}" "${name#*:}"
        done >"$stage/home/.aws/credentials"
        : >"$stage/home/.aws/config"
        unset AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE SLACK_WEBHOOK_URL
        export HOME="$stage/home" PATH="$top_bin:/usr/local/bin:/usr/bin:/bin" SSM_TIME_DIVISOR=30
        mkdir "$stage/work" && cd "$stage/work"
        # Only a tutorial begins from nothing.
        case $document in
        README | tutorial | organization) ;;
        *) cp -r "$HOME/.local/share/ssm-rollout/rollout.d" desired && export AWS_PROFILE=shop AWS_REGION=eu-central-1 ;;
        esac
        path=$root/docs/$document.md
        [ "$document" != README ] || path=$root/README.md
        commands "$path" >"$stage/commands"
        # Which shell starts a script of bash makes no difference.
        case $shell,$document,${LONG:-} in
        bash,organization,1) ;;
        bash,organization, | dash,* | zsh,*) sed -i '/^ssm-roll/,/[^\\]$/d' "$stage/commands" ;;
        esac
        [ -s "$stage/commands" ] || fail "$document has no commands"
        # On a terminal what the tools say is text, for so many columns, and as it was when somebody last looked at it.
        case $shell in
        bash | dash | zsh) "$shell" -e "$stage/commands" </dev/null >"$stage/said" 2>&1 ;;
        *) see "$stage/commands" "${shell%% *}" "${shell#* }" >"$stage/said" 2>&1 ;;
        esac || { tail -n 40 "$stage/said" && fail "$document in $shell"; }
        case $shell in bash | dash | zsh) exit ;; esac
        # Times and the directory differ from run to run.
        sed -i -E -e "/^\\. \"/d; s,$stage/home,~,g" -e 's/[0-9-]{10}T[0-9:]{8}Z/2026-01-01T00:00:00Z/g' "$stage/said"
        golden=$root/tests/fixtures/newcomer/$document-${shell// /-}.txt
        if [ -n "${BLESS:-}" ]; then cp -- "$stage/said" "$golden"; fi
        diff -u -- "$golden" "$stage/said" || fail "$document on a terminal of $shell is not as in $golden; BLESS=1 writes it anew"
    )
}

"$root/tests/ansible/packages.sh" # For zsh.
shells=(bash dash zsh)
# Columns, and whether there are colors.
terminals=('80 colors' '200 plain')
documents=("$@")
[ $# -gt 0 ] || documents=(README tutorial organization security troubleshooting adopt ci rollout)
playing=() n_failed=0
# Waits for the first that was begun, so that at most two are played at once: they wait more than they compute.
settle() {
    wait "${playing[0]}" || n_failed=$((n_failed + 1))
    playing=("${playing[@]:1}")
}
for document in "${documents[@]}"; do
    for shell in "${shells[@]}" "${terminals[@]}"; do
        case $document,$shell in README,* | *,*sh) ;; *) continue ;; esac
        [ ${#playing[@]} -lt 2 ] || settle
        (
            trap - EXIT
            before=$SECONDS
            play "$document" "$shell"
            echo "newcomer: $document in $shell took $((SECONDS - before)) s"
        ) &
        playing+=($!)
        # These are what people paste into the shell that they have.
        case $document in README | tutorial) ;; *) break ;; esac
    done
done
while [ ${#playing[@]} -gt 0 ]; do settle; done
[ "$n_failed" -eq 0 ] || exit 1
echo "newcomer: ok, after $((SECONDS - started)) s"
