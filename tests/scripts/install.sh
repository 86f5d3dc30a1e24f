#!/usr/bin/env bash
# `make install`: every page that a page refers to is there, completions complete after the verb, and the scripts find their files
# from anywhere. Binaries are those of the other tests.
set -eu
root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
top=$(mktemp -d)
trap 'rm -rf -- "$top"' EXIT
fail() { echo "install: $*" >&2 && exit 1; }
"$root/tests/ansible/packages.sh" zsh fish

stage="$top/a stage" prefix=/opt/ssm
(umask 077 && MAKEFLAGS='' make --no-print-directory -C "$root" install PROFILE=dev BUILD=: DESTDIR="$stage" PREFIX=$prefix >"$top/log" 2>&1) ||
    { cat "$top/log" && fail "make install failed"; }
at=$stage$prefix
[ ! -s "$top/log" ] || [ -z "$(grep -v '^cargo\|^scripts/install.sh' "$top/log" || true)" ] || fail "it says: $(cat "$top/log")"
[ -z "$(find "$at" -type f ! -perm -444)" ] || fail "files that others cannot read"
[ -z "$(find "$at" -type f -size 0)" ] || fail "empty files: $(find "$at" -type f -size 0)"

tools="ssm-agentcheck ssm-role ssm-prefs ssm-scp ssm-events ssm-run ssm-vulns"
for tool in $tools; do
    env -i PATH="$at/bin" "$tool" --version | grep -q "^$tool [0-9]" || fail "$tool --version"
    for page in $(tr -d '\134' <"$at/share/man/man1/$tool.1" | grep -o "^$tool-[a-z-]*(1)" || true); do
        [ -s "$at/share/man/man1/${page%"(1)"}.1" ] || fail "$tool(1) refers to $page, which is not there"
    done
    # What `--help` lists as a verb has a page that describes its flags.
    for verb in $("$at/bin/$tool" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
        [ "$verb" = help ] && continue
        page="$at/share/man/man1/$tool-$verb.1"
        tr -d '\134' <"$page" | grep -q -e '--jq' || fail "$page has no flags"
        grep -q 'EXIT STATUS' "$page" || fail "$page does not say the exit status"
    done
done
[ -s "$at/share/man/man1/ssm-scp-simulate.1" ] || fail "no page of ssm-scp simulate"

# Asks bash for what it would complete, as readline does.
# shellcheck disable=SC2016 # The inner shell expands.
completes() {
    env -i PATH="$PATH" AWS_CONFIG_FILE="${AWS_CONFIG_FILE:-/dev/null}" \
        AWS_SHARED_CREDENTIALS_FILE="${AWS_SHARED_CREDENTIALS_FILE:-/dev/null}" bash --norc -c '
        source "$1" && shift
        function=$(complete -p "$1" | sed "s/.* -F \([^ ]*\) .*/\1/")
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        "$function" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf "%s\n" "${COMPREPLY[@]}"' complete "$at/share/bash-completion/completions/$1" "$@"
}
completes ssm-agentcheck ch | grep -qx check || fail "ssm-agentcheck ch<Tab>"
completes ssm-agentcheck check --ro | grep -qx -e --roles || fail "ssm-agentcheck check --ro<Tab>"
completes ssm-prefs show -o '' | grep -qx json || fail "ssm-prefs show -o <Tab>"
completes ssm-run --scr | grep -qx -e --script || fail "ssm-run --scr<Tab>"
# Profiles and regions are those of the config files, which hold nothing that is run.
mkdir "$top/aws"
# shellcheck disable=SC2016 # Nobody expands it, which is the point.
printf '[default]\nregion = eu-west-3\n[profile shop]\nregion=eu-north-1\n[sso-session no]\n[profile $(touch ran)]\n' >"$top/aws/config"
printf '[keys]\naws_access_key_id = x\n' >"$top/aws/credentials"
names() { AWS_CONFIG_FILE="$top/aws/config" AWS_SHARED_CREDENTIALS_FILE="$top/aws/credentials" "$@" | sort | tr '\n' ' '; }
[ "$(names completes ssm-prefs show --profile '')" = "default keys shop " ] || fail "--profile <Tab>: $(names completes ssm-prefs show --profile '')"
[ "$(names completes ssm-run --region eu-w)" = "eu-west-1 eu-west-2 eu-west-3 " ] || fail "--region eu-w<Tab>: $(names completes ssm-run --region eu-w)"
# Regions complete on a fresh machine, too: they are those that botocore has.
"$root/.venv/bin/python" -c 'import importlib.resources, json
partitions = json.loads(importlib.resources.files("botocore").joinpath("data/endpoints.json").read_text())["partitions"]
print("all", *(region for one in partitions for region in one["regions"]), sep="\n")' | sort >"$top/regions"
completes ssm-run --region '' | sort | diff "$top/regions" - || fail "--region <Tab> has other regions than botocore"
# zsh and fish complete as well: what is typed into the one, and what the other says that it would complete.
zsh_line() {
    env -i PATH="$at/bin:$PATH" HOME="$top" AWS_CONFIG_FILE="$top/aws/config" \
        python3 "$root/tests/testbed/zsh_line.py" "$at/share/zsh/site-functions" "$1"
}
fish_words() {
    env -i PATH="$at/bin:$PATH" HOME="$top" AWS_CONFIG_FILE="$top/aws/config" \
        fish --no-config -c "source '$at/share/fish/vendor_completions.d/${1%% *}.fish'; complete -C '$1'" | cut -f 1
}
# After ":" is what completes the word in front of it.
for line in 'ssm-agentcheck ch:check' 'ssm-agentcheck check --ro:--roles' 'ssm-scp lint -o sar:sarif' 'ssm-prefs show --profile sh:shop' \
    'ssm-run --region eu-n:eu-north-1' 'ssm-agentcheck --profile sh:shop' 'ssm-agentcheck --region eu-n:eu-north-1'; do
    typed=${line%:*} word=${line##*:}
    case $(zsh_line "$typed") in "${typed% *} $word"*) ;; *) fail "$typed<Tab> in zsh: $(zsh_line "$typed")" ;; esac
    fish_words "$typed" | grep -qx -e "$word" || fail "$typed<Tab> in fish: $(fish_words "$typed")"
done
for tool in $tools; do zsh -n "$at/share/zsh/site-functions/_$tool" || fail "the completion of $tool in zsh"; done
for tool in $tools; do
    for verb in $("$at/bin/$tool" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
        [ "$verb" = help ] || completes "$tool" "$verb" --q | grep -qx -e --quiet || fail "$tool $verb --q<Tab>"
    done
done

# Below DESTDIR files are not where they will be; once they are, any directory will do.
mv -- "$at" "$top/moved"
(MAKEFLAGS='' make --no-print-directory -C "$root" install PROFILE=dev BUILD=: PREFIX="$top/here" >"$top/log" 2>&1) || fail "without DESTDIR"
grep -qxF "install: $top/here/bin is not in PATH: export PATH=$top/here/bin:\"\$PATH\"" "$top/log" || fail "it says: $(cat "$top/log")"
(PATH="$top/here/bin:$PATH" SHELL=/bin/zsh "$root/scripts/install.sh" "$(dirname -- "$(command -v ssm-prefs)")" "$top/here" >"$top/log" 2>&1) || fail "install.sh again"
[ "$(cat "$top/log")" = "install: for completions in zsh, before compinit: fpath=($top/here/share/zsh/site-functions \$fpath)" ] || fail "it says: $(cat "$top/log")"
# Whatever PREFIX has in it is none of a shell's business. What make would expand is doubled.
odd="$top/\$HOME \`touch ran\` 'b' \"c\""
(MAKEFLAGS='' make --no-print-directory -C "$root" install PROFILE=dev BUILD=: PREFIX="${odd//\$/\$\$}" >"$top/log" 2>&1) || fail "PREFIX='$odd': $(cat "$top/log")"
[ ! -e "$root/ran" ] || fail "PREFIX is run"
for script in rollout rollback stackset vulnscan; do
    env -i PATH="$PATH" "$odd/bin/ssm-$script" --help | grep -q "$script" || fail "$odd/bin/ssm-$script --help"
done
[ "$(env -i PATH="$PATH" "$odd/bin/ssm-rollout" --directory)" = "$odd/share/ssm-rollout" ] || fail "ssm-rollout --directory"
mkdir "$top/empty" && cd "$top/empty"
for script in rollout rollback stackset vulnscan; do
    env -i PATH="$top/here/bin:$PATH" "ssm-$script" --help | grep -q "$script" || fail "ssm-$script --help"
done
for state in "$top/here/share/ssm-rollout/rollout.d"/*.json; do
    jq -e type "$state" >/dev/null || fail "$state"
done
env -i PATH="$top/here/bin" ssm-prefs lint -f "$top/here/share/ssm-rollout/rollout.d/prefs.json" >"$top/lint" || [ $? -eq 1 ] || fail "lint of the example"
env -i PATH="$top/here/bin" ssm-events send --routes "$top/here/share/ssm-rollout/send.d/routes.json" --explain -f /dev/null || fail "the routes of the example"
for filter in pagerduty teams; do
    env -i PATH="$top/here/bin" ssm-events format --jq-file "$top/here/share/ssm-rollout/send.d/$filter.jq" -f /dev/null || fail "$filter.jq"
done

# One tool alone, as the README has it: each is a package whose one program has its name. With LONG=1 it is built, which takes
# minutes.
cd -- "$root"
cargo metadata --locked --no-deps --format-version 1 >"$top/metadata"
for tool in $tools; do
    jq -e --arg manifest "/tools/$tool/Cargo.toml" --arg tool "$tool" '[.packages[] | select(.manifest_path | endswith($manifest)) | .targets[]
        | select(.kind == ["bin"]) | .name, has("required-features")] == [$tool, false]' "$top/metadata" >/dev/null || fail "cargo install --path tools/$tool"
done
printed=$(sed -n 's/^\$ \(cargo install [^#]*[^# ]\) *#.*/\1/p' README.md)
[ "${printed% *} tools" = "cargo install --locked --path tools" ] || fail "the README prints '$printed'"
echo "$tools" | grep -qwF -e "${printed##*/}" || fail "the README prints '$printed'"
[ -n "${LONG:-}" ] || { echo "install: ok" && exit; }
$printed --root "$top/alone"
env -i "$top/alone/bin/${printed##*/}" --version | grep -q "^${printed##*/} [0-9]" || fail "$printed"
echo "install: ok"
