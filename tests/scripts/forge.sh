#!/usr/bin/env bash
# What a forge and pre-commit read: workflows, the action, the hooks and the examples of docs/ci.md are valid by published
# schemas, each hook finds what is wrong with a file and nothing in a good one, and the steps of the action do what they say.
set -euo pipefail
root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
export PATH="$root/.venv/bin:$PATH"
top=$(mktemp -d)
trap 'rm -rf -- "$top"' EXIT
fail() { echo "forge: $*" >&2 && exit 1; }

# The schemas are in the package; nothing is fetched.
valid() { check-jsonschema --builtin-schema "vendor.$1" "${@:2}" >"$top/said" 2>&1; }
valid github-workflows "$root"/.github/workflows/*.yml || fail "$(cat "$top/said")"
valid github-actions "$root/action.yml" || fail "$(cat "$top/said")"
valid dependabot "$root/.github/dependabot.yml" || fail "$(cat "$top/said")"
sed 's/using: composite/using: nothing/' "$root/action.yml" >"$top/action.yml"
if valid github-actions "$top/action.yml"; then fail "any action is valid"; fi
pre-commit validate-manifest "$root/.pre-commit-hooks.yaml" || fail "the hooks"

# The examples: the first yaml block of docs/ci.md is for pre-commit, the others are jobs.
awk -v top="$top" '/^```yaml$/ { n += 1; inside = 1; next } /^```$/ { inside = 0 } inside { print >(top "/example." n ".yaml") }' "$root/docs/ci.md"
pre-commit validate-config "$top/example.1.yaml" || fail "the example for pre-commit"
while IFS= read -r id; do
    grep -qx -e "- id: $id" "$root/.pre-commit-hooks.yaml" || fail "there is no hook $id"
done < <(sed -n 's/.*- id: //p' "$top/example.1.yaml")
n_jobs=0
for example in "$top"/example.*.yaml; do
    [ "$example" != "$top/example.1.yaml" ] || continue
    { echo 'on: pull_request' && cat "$example"; } >"$top/workflow.yml"
    valid github-workflows "$top/workflow.yml" || fail "$(cat "$top/said")"
    n_jobs=$((n_jobs + 1))
done
[ "$n_jobs" -ge 1 ] || fail "docs/ci.md has no jobs"

# Every hook, as pre-commit calls it: from a repository of their own, on files that are in another.
mkdir "$top/hooks" "$top/work" "$top/home"
export HOME="$top/home" PRE_COMMIT_HOME="$top/cache" GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com \
    GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
repository() { git -C "$1" init -q && git -C "$1" add . && git -C "$1" commit -qm all; }
cp "$root/.pre-commit-hooks.yaml" "$top/hooks" && repository "$top/hooks"
cd "$top/work"
for file in agent events prefs scp; do cp "$root/scripts/rollout.d/$file.json" "$file.json"; done
ssm-scp render -f scp.json >guard.json 2>/dev/null
echo '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ssm:ListDocuments", "Resource": "*"}]}' >policy.json
for name in agent events prefs scp guard policy; do
    # A field that nobody knows, and for policies an effect that is none.
    jq 'if has("Statement") then .Statement[0].Effect = "Perhaps" else .surprise = 1 end' "$name.json" >"wrong_$name.json"
done
echo '{}' >notes.txt
repository .
hook() { pre-commit try-repo "$top/hooks" "$1" --files "${@:2}" >"$top/said" 2>&1; }
for pair in ssm-agentcheck-lint:agent ssm-events-lint:events ssm-prefs-lint:prefs ssm-role-lint:policy ssm-scp-lint:guard ssm-scp-lint:scp; do
    id=${pair%:*} name=${pair#*:}
    hook "$id" "$name.json" || fail "$id $name.json: $(cat "$top/said")"
    grep -q 'Passed' "$top/said" || fail "$id does not look at $name.json: $(cat "$top/said")"
    if hook "$id" "$name.json" "wrong_$name.json"; then fail "$id passes wrong_$name.json"; fi
    grep -q "wrong_$name.json" "$top/said" || fail "$id does not name wrong_$name.json: $(cat "$top/said")"
    hook "$id" notes.txt || fail "$id notes.txt: $(cat "$top/said")"
    grep -q 'Skipped' "$top/said" || fail "$id looks at other files: $(cat "$top/said")"
done
[ "$(sed -n 's/^- id: //p' "$root/.pre-commit-hooks.yaml" | sort -u | paste -sd' ' -)" = \
    "ssm-agentcheck-lint ssm-events-lint ssm-prefs-lint ssm-role-lint ssm-scp-lint" ] || fail "a hook has no test"

# The steps of the action, with its defaults and what is given, as a runner would: `step NAME [input=value]..`.
step() {
    python - "$root/action.yml" "$@" >"$top/step" <<'PY'
import re, shlex, sys
import yaml

action = yaml.safe_load(open(sys.argv[1]))
inputs = {name: given.get("default", "") for name, given in action["inputs"].items()}
inputs |= dict(word.split("=", 1) for word in sys.argv[3:])
context = {f"inputs.{name}": value for name, value in inputs.items()}
context |= {"github.token": "token", "github.action_repository": "owner/repository", "github.action_ref": "v0.1.0"}
expression = re.compile(r"\$\{\{ (\S+) \}\}")


def filled(text):
    # An input's default may be an expression itself.
    while expression.search(text):
        text = expression.sub(lambda found: context[found[1]], text)
    return text


[step] = [step for step in action["runs"]["steps"] if step["name"] == sys.argv[2]]
for name, value in step["env"].items():
    print(f"export {name}={shlex.quote(filled(value))}")
assert "${{" not in step["run"], "what an input holds must not become code"
print(step["run"])
PY
    # As GitHub runs `shell: bash`.
    bash --noprofile --norc -eo pipefail "$top/step" </dev/null >"$top/said" 2>&1
}
export RUNNER_TEMP="$top/runner" GITHUB_PATH="$top/path" GITHUB_OUTPUT="$top/output"
# Uploads what there is, once somebody has looked, and nothing else.
uploads() { [ "$(sed 's/.*steps.look.outputs.//; s/ ==.*//' <<<"$upload_if")" = reported ] && grep -qx reported=true "$GITHUB_OUTPUT"; }
upload_if=$(sed -n "/- name: Upload/,\$s/^ *if: //p" "$root/action.yml")
: >"$GITHUB_OUTPUT"
step Look tool=ssm-prefs arguments=prefs.json || fail "$(cat "$top/said")"
uploads || fail "it does not upload what it found"
"$root/tests/scripts/validate" sarif findings.sarif
[ "$(jq '.runs[0].results | length' findings.sarif)" = 0 ] || fail "it finds something in prefs.json"
status=0
step Look tool=ssm-scp "arguments=guard.json
wrong_guard.json" sarif=other.sarif || status=$?
[ "$status" -eq 1 ] || fail "a wrong policy is status $status: $(cat "$top/said")"
[ "$(jq '.runs[0].results | length' other.sarif)" -ge 1 ] || fail "nothing is reported"
"$root/tests/scripts/validate" sarif other.sarif
status=0
step Look tool=ssm-prefs arguments='nowhere.json; touch ran' || status=$?
[ "$status" -eq 2 ] && [ ! -e ran ] || fail "a file that is not there is status $status"
: >"$GITHUB_OUTPUT"
if step Look tool=ssm-nothing arguments=prefs.json; then fail "a tool that is not there has looked"; fi
if uploads; then fail "it uploads a report that is empty"; fi
# Without arguments the verb gets none, and reads stdin.
status=0
step Look tool=ssm-prefs || status=$?
[ "$status" -eq 2 ] || fail "without arguments: status $status: $(cat "$top/said")" # Of bash, for an unset variable, 1.
if grep -q 'unexpected argument' "$top/said"; then fail "without arguments: $(cat "$top/said")"; fi

# A release that holds the tool, and one whose archive is another than its checksum says.
step "Install the tools" tool=ssm-prefs arguments='' || fail "$(cat "$top/said")"
[ ! -e "$GITHUB_PATH" ] || fail "it installs what is there"
archive=ssm-tools-0.1.0-linux-$(uname -m)
mkdir -p "$top/bin" "$top/release/$archive/bin"
printf '#!/bin/sh\necho new\n' >"$top/release/$archive/bin/ssm-new" && chmod +x "$top/release/$archive/bin/ssm-new"
tar -C "$top/release" -czf "$top/release/$archive.tar.gz" "$archive"
(cd "$top/release" && sha256sum "$archive.tar.gz" >SHA256SUMS)
cat >"$top/bin/gh" <<GH
#!/bin/sh
[ "\$*" = "release download v0.1.0 --repo owner/repository --clobber --pattern $archive.tar.gz --pattern SHA256SUMS" ] || exit 9
cp "$top/release/$archive.tar.gz" "$top/release/SHA256SUMS" .
GH
chmod +x "$top/bin/gh"
# A branch or a commit is no release, and a release has nothing for other systems: each is one line that says what to do.
refuses() { # what it says, words of the step
    if PATH="$top/bin:$PATH" step "Install the tools" tool=ssm-new "${@:2}"; then fail "it installs for $2"; fi
    [ "$(cat "$top/said")" = "::error::$1" ] || fail "for $2 it says $(cat "$top/said")"
}
for version in main 0123456789012345678901234567890123456789 v1; do
    refuses "'$version' is not the name of a release: pin the action by one, such as v0.1.0, or set its input version" "version=$version"
done
printf '#!/bin/sh\necho Darwin\n' >"$top/bin/uname" && chmod +x "$top/bin/uname"
refuses "releases have tools for Linux only: run this job on ubuntu-24.04, or install ssm-new before this step" version=v0.1.0
rm "$top/bin/uname"
PATH="$top/bin:$PATH" step "Install the tools" tool=ssm-new arguments='' || fail "$(cat "$top/said")"
[ "$("$(cat "$GITHUB_PATH")/ssm-new")" = new ] || fail "it does not install"
rm "$GITHUB_PATH" && echo more >>"$top/release/$archive.tar.gz"
if PATH="$top/bin:$PATH" step "Install the tools" tool=ssm-new arguments=''; then fail "it installs an archive with another checksum"; fi
[ ! -e "$GITHUB_PATH" ] || fail "it installs an archive with another checksum"
echo "forge: ok"
