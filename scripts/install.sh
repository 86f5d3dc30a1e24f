#!/usr/bin/env bash
# Installs the tools with their manual pages and completions, the scripts and the example desired states.
#
#   install.sh BINARIES PREFIX [DESTDIR]
#
# BINARIES is the directory that cargo builds into. One that has ssm-tools, as packages do, has all tools in that program, to which
# links are installed. Below DESTDIR, for packagers, files go where they will be at PREFIX.
# GENERATE_WITH names a directory of binaries that print pages and completions, where BINARIES do not run on this machine.
set -euo pipefail

[ $# -eq 2 ] || [ $# -eq 3 ] || { echo "install: expected BINARIES PREFIX [DESTDIR]" >&2 && exit 2; }
case $2 in /*) ;; *) echo "install: PREFIX '$2' is not an absolute path" >&2 && exit 2 ;; esac
binaries=$1 prefix=${2%/} root=${3:-}${2%/}
here=$(cd -- "$(dirname -- "$0")" && pwd)
scripts=share/ssm-rollout

# A file whose mode does not depend on the umask of whoever installs.
put() { install -m "$1" -- "$2" "$root/$3"; }
generated=$(mktemp)
trap 'rm -f -- "$generated"' EXIT
# Quits where a command cannot print, instead of installing an empty file.
generate() {
    local to=$1 && shift
    "$@" >"$generated"
    put 644 "$generated" "$to"
}

for directory in bin share/man/man1 share/bash-completion/completions share/zsh/site-functions share/fish/vendor_completions.d \
    "$scripts/rollout.d" "$scripts/send.d" "$scripts/vulnscan.d"; do
    install -d -m 755 -- "$root/$directory"
done

# Relative, so that an archive works wherever it is unpacked.
program=''
if [ -e "$binaries/ssm-tools" ]; then
    program=lib/ssm-rollout/ssm-tools
    install -d -m 755 -- "$root/lib/ssm-rollout"
    put 755 "$binaries/ssm-tools" "$program"
fi
for tool in ssm-agentcheck ssm-role ssm-prefs ssm-scp ssm-events ssm-run ssm-vulns; do
    path=${GENERATE_WITH:-$binaries}/$tool
    if [ -n "$program" ]; then ln -sfn -- "../$program" "$root/bin/$tool"; else put 755 "$binaries/$tool" "bin/$tool"; fi
    generate "share/man/man1/$tool.1" "$path" --generate man
    # The page of the tool names those of its verbs.
    for verb in $(tr -d '\134' <"$root/share/man/man1/$tool.1" | sed -n "s/^$tool-\([a-z-]*\)(1)\$/\1/p"); do
        generate "share/man/man1/$tool-$verb.1" "$path" "$verb" --generate man
    done
    generate "share/bash-completion/completions/$tool" "$path" --generate bash
    generate "share/zsh/site-functions/_$tool" "$path" --generate zsh
    generate "share/fish/vendor_completions.d/$tool.fish" "$path" --generate fish
done

for path in "$here"/*.sh; do
    case ${path##*/} in building.sh | demo.sh | dist.sh | glibc.sh | install.sh | lambda.sh | requirements.sh) continue ;; esac
    put 755 "$path" "$scripts/${path##*/}"
done
for path in "$here"/*.jq "$here/rollout.mk" "$here"/rollout.d/* "$here"/send.d/* "$here"/vulnscan.d/*; do
    put 644 "$path" "$scripts/${path#"$here"/}"
done
# They find the scripts by where they are themselves, so that an archive works wherever it is unpacked, and any PREFIX is fine.
for script in rollout rollback stackset vulnscan; do
    cat >"$generated" <<'WRAPPER'
#!/bin/sh
# Not by readlink -f, which macOS lacks.
self=$0
while [ -L "$self" ]; do
    link=$(readlink -- "$self") || exit 2
    case $link in /*) self=$link ;; *) self=$(dirname -- "$self")/$link ;; esac
done
WRAPPER
    # shellcheck disable=SC2016 # The wrapper expands it.
    printf 'exec "$(dirname -- "$self")/../%s" "$@"\n' "$scripts/$script.sh" >>"$generated"
    put 755 "$generated" "bin/ssm-$script"
done

# What is installed where nobody looks is not found. For packagers, who give DESTDIR, others see to that.
[ -z "${3:-}" ] || exit 0
# shellcheck disable=SC2016 # The user's shell expands it.
case ":$PATH:" in
*":$prefix/bin:"*) ;;
*) printf 'install: %s is not in PATH: export PATH=%q:"$PATH"\n' "$prefix/bin" "$prefix/bin" >&2 ;;
esac
# shellcheck disable=SC2016
case ${SHELL:-},$prefix in
*/zsh,/usr | */zsh,/usr/local) ;;
*/zsh,*) printf 'install: for completions in zsh, before compinit: fpath=(%q $fpath)\n' "$prefix/share/zsh/site-functions" >&2 ;;
esac
