#!/usr/bin/env bash
# The Ansible role: linted, and run for real on machines that live in overlays.
set -euo pipefail

repository=$(cd -- "$(dirname -- "$0")/../.." && pwd)
bin=${ANSIBLE_BIN:-$repository/.venv/bin}
# Each machine is an overlay over this system, in which files of root are written: no namespace of a user may.
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || { echo "ansible: only root can make the machines of these tests: run them as root, or let sudo ask for no password" >&2 && exit 1; }
    exec sudo -n env PATH="$PATH" PYTHONDONTWRITEBYTECODE=1 ANSIBLE_BIN="$bin" "$0" "$@"
fi
"$repository/tests/ansible/packages.sh"

# ansible-lint runs ansible, which it looks for in PATH.
(cd -- "$repository/scripts/ansible" && PATH="$bin:$PATH" ansible-lint --offline --profile production -q roles ssm_agent.yml)
# The user's own configuration is none of these tests' business.
unset ANSIBLE_CONFIG
cd -- "$repository/tests/ansible"
# Half of them beside the other half: each case has a machine of its own, and ansible mostly waits.
"$bin/python" -m unittest -q test_role.OnDebian &
debian=$!
status=0
"$bin/python" -m unittest -q test_role.Signatures test_role.OnRpm test_role.Verified || status=$?
wait "$debian" || status=$?
exit "$status"
