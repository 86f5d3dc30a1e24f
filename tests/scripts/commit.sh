#!/usr/bin/env bash
# The commit that --version names: that of git for releases, that of an archive of git, which has none beside it, or what a builder
# says. What comes from none of these is "unreleased".
set -euo pipefail
root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
top=$(mktemp -d)
trap 'rm -rf -- "$top"' EXIT
fail() { echo "commit: $*" >&2 && exit 1; }
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE SSM_COMMIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CEILING_DIRECTORIES=$top GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com \
    GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com GIT_COMMITTER_DATE=2026-11-02T12:00:00Z

host=$(rustc -vV | sed -n 's/^host: //p')
rustc --edition 2024 -o "$top/build script" "$root/shared/cli/build.rs"
says() { # directory [NAME=VALUE..]
    (cd -- "$1/shared/cli" && env TARGET="$host" "${@:2}" "$top/build script") | sed -n 's/^cargo::rustc-env=SSM_BUILD=//p'
}
expect() { # what directory [NAME=VALUE..]
    local said
    said=$(says "${@:2}")
    [ "$said" = "$1, $host" ] || fail "${*:2}: '$said' is not '$1'"
}

clone="$top/a clone"
mkdir -p "$clone/shared/cli"
cp "$root/.gitattributes" "$clone"
cp "$root/shared/cli/build.rs" "$clone/shared/cli"
# As the repository has it, also where this is an archive itself.
# shellcheck disable=SC2016 # Git expands it.
echo '$Format:%h %cs$' >"$clone/shared/cli/commit.txt"
git -C "$clone" init -q
git -C "$clone" add .
git -C "$clone" commit -qm all
commit="$(git -C "$clone" rev-parse --short HEAD) 2026-11-02"
expect "$commit" "$clone" PROFILE=release
# A commit must not rebuild every tool of whoever works on them.
expect unreleased "$clone" PROFILE=debug
expect 'v1 of a package' "$clone" PROFILE=release SSM_COMMIT='v1 of a package'
expect "$commit" "$clone" PROFILE=release SSM_COMMIT=

git -C "$clone" archive --prefix=archive/ HEAD | tar -xf - -C "$top"
[ "$(cat "$top/archive/shared/cli/commit.txt")" = "$commit" ] || fail "git archive writes $(cat "$top/archive/shared/cli/commit.txt")"
for profile in release debug; do
    expect "$commit" "$top/archive" PROFILE=$profile
    PATH_WITHOUT_GIT=$top/nothing
    mkdir -p "$PATH_WITHOUT_GIT"
    expect "$commit" "$top/archive" PROFILE=$profile PATH="$PATH_WITHOUT_GIT"
done
cp -r "$clone/shared" "$top/copy-of-files" && mkdir "$top/copy" && mv "$top/copy-of-files" "$top/copy/shared"
expect unreleased "$top/copy" PROFILE=release
expect unreleased "$top/copy" PROFILE=release PATH="$PATH_WITHOUT_GIT"

echo >>"$clone/shared/cli/build.rs"
expect "$commit and changes" "$clone" PROFILE=release
git -C "$clone" commit -qam more
[ "$(says "$clone" PROFILE=release)" != "$commit, $host" ] || fail "the next commit is the last one"

# The tools have been built by this script, and say it.
for tool in ssm-agentcheck ssm-vulns; do
    said=$("$tool" --version)
    case $said in "$tool "[0-9]*" ($(says "$root" PROFILE=debug))") ;; *) fail "$said" ;; esac
done
echo "commit: ok"
