"""A machine of its own for each test: this system under an overlay in a mount namespace.

Whatever a playbook does in it is real - dpkg, rpm, files - and gone afterwards. There is no init in it and no snapd, so
systemctl and snap are small stand-ins that keep their state in files.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

# What ansible's systemd_service module and `ssm-agentcheck host` ask. A unit is loaded when the package brought its file.
SYSTEMCTL = """#!/bin/sh
state=/var/lib/fake-systemd; mkdir -p "$state"
verb=; unit=
for word; do case $word in -*) ;; *) if [ -z "$verb" ]; then verb=$word; else unit=$word; fi ;; esac; done
case $unit in *.service | '') ;; *) unit=$unit.service ;; esac
loaded() { [ -e "/lib/systemd/system/$unit" ] || [ -e "/usr/lib/systemd/system/$unit" ] || [ -e "/etc/systemd/system/$unit" ]; }
active() { [ -e "$state/$unit.active" ] && echo active || echo inactive; }
enabled() { [ -e "$state/$unit.enabled" ] && echo enabled || echo disabled; }
case $verb in
show)
    echo "Id=$unit"
    if loaded; then echo LoadState=loaded; echo "UnitFileState=$(enabled)"; else echo LoadState=not-found; fi
    echo "ActiveState=$(active)"; echo SubState=running ;;
is-enabled) loaded || exit 4; enabled; [ -e "$state/$unit.enabled" ] ;;
is-active) active; [ -e "$state/$unit.active" ] ;;
enable) loaded || exit 1; : >"$state/$unit.enabled" ;;
start) loaded || exit 5; : >"$state/$unit.active"; echo "start $unit" >>"$state/log" ;;
restart) loaded || exit 5; : >"$state/$unit.active"; echo "restart $unit" >>"$state/log" ;;
*) : ;;
esac
"""

SNAP = """#!/bin/sh
file=/var/lib/fake-snap/amazon-ssm-agent
[ -e "$file" ] || { echo "error: no matching snaps installed" >&2; exit 1; }
case $1 in
list) printf 'Name Version Rev Tracking Publisher Notes\\namazon-ssm-agent  %s  1 latest/stable aws classic\\n' "$(cat "$file")" ;;
refresh) echo 3.3.987.0 >"$file"; echo "amazon-ssm-agent 3.3.987.0 from Amazon Web Services refreshed" ;;
esac
"""

# Debian's rpm installs nothing without a flag that says that this is meant; the systems that are played here need no flag.
RPM = """#!/bin/sh
case $1 in --upgrade) shift; exec /usr/bin/rpm.debian --force-debian --upgrade "$@" ;; esac
exec /usr/bin/rpm.debian "$@"
"""

OS_RELEASE = {
    "amzn": 'NAME="Amazon Linux"\nVERSION="2023"\nID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\nPRETTY_NAME="Amazon Linux 2023"\n',
    "rocky": 'NAME="Rocky Linux"\nVERSION="9.4 (Blue Onyx)"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\nPRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"\n',
    "sles": 'NAME="SLES"\nVERSION="15-SP6"\nVERSION_ID="15.6"\nPRETTY_NAME="SUSE Linux Enterprise Server 15 SP6"\nID="sles"\nID_LIKE="suse"\n',
}
RELEASE_FILE = {
    "amzn": ("etc/system-release", "Amazon Linux release 2023 (Amazon Linux)\n"),
    "rocky": ("etc/redhat-release", "Rocky Linux release 9.4 (Blue Onyx)\n"),
    "sles": ("etc/SuSE-release", ""),
}


class Machine:
    """An overlay over / and a process that keeps its mount namespace alive."""

    def __init__(self, system=None):
        self.directory = Path(tempfile.mkdtemp(prefix="ansible-machine-"))
        self.root = self.directory / "root"
        script = (
            f"mount -t tmpfs none '{self.directory}' && cd '{self.directory}' && mkdir upper work root && "
            "mount -t overlay none -o lowerdir=/,upperdir=upper,workdir=work root && "
            "mount --rbind /proc root/proc && mount --rbind /dev root/dev && "
            # It may be on a file system of its own, which an overlay over / does not show.
            f"mkdir -p 'root{REPOSITORY}' && mount --bind -o ro '{REPOSITORY}' 'root{REPOSITORY}' && "
            "echo ready && exec cat"
        )
        # Ends with the test, however that ends: its standard input closes then.
        self.process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("no overlay: these tests need root, as tests/scripts/ansible.sh has it")
        self.write("usr/bin/systemctl", SYSTEMCTL, mode="755")
        self.write("usr/bin/snap", SNAP, mode="755")
        self.run("mkdir -p /run/systemd/system")
        if system:
            # A Debian underneath, with rpm: what the role sees of the system is what these files say.
            self.run("rm -f /etc/os-release /etc/debian_version; rpm --initdb; mv /usr/bin/rpm /usr/bin/rpm.debian")
            self.write("usr/bin/rpm", RPM, mode="755")
            self.write("etc/os-release", OS_RELEASE[system])
            self.write(*RELEASE_FILE[system])

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.directory)

    def run(self, command, environment=None, check=True):
        """Runs a shell command in the machine."""
        inside = ["nsenter", f"--target={self.process.pid}", "--mount", "chroot", str(self.root)]
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LC_ALL": "C.UTF-8",
            **(environment or {}),
        }
        done = subprocess.run(
            [*inside, "sh", "-c", command],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
        return done

    def write(self, path, text, mode="644"):
        """Writes a file in the machine."""
        inside = ["nsenter", f"--target={self.process.pid}", "--mount", "chroot", str(self.root)]
        command = f"mkdir -p \"$(dirname '/{path}')\" && rm -f '/{path}' && cat >'/{path}' && chmod {mode} '/{path}'"
        subprocess.run([*inside, "sh", "-c", command], input=text, text=True, check=True, env=os.environ)
