#!/usr/bin/env bash
# Builds the Ansible collection, installs it and plays it against the local AWS, with the tools in PATH.
set -euo pipefail
root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
exec "$root/.venv/bin/python" "$root/tests/ansible/test_collection.py"
