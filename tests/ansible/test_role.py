"""The role ssm_agent, run by ansible-core on machines of its own, against a bucket on loopback."""

import json
import os
import re
import shutil
import tempfile
import unittest
from pathlib import Path

import bucket
from machine import Machine

REPOSITORY = Path(__file__).resolve().parents[2]
ANSIBLE = Path(os.environ.get("ANSIBLE_BIN", REPOSITORY / ".venv" / "bin"))
AGENTCHECK = REPOSITORY / "target" / "debug" / "ssm-agentcheck"
LOG = "/var/log/amazon/ssm/amazon-ssm-agent.log"
CONNECTED = "INFO Successfully connected with instance profile role credentials\n"
MINIMAL = {"ssm_agent_minimum_version": "3.2.582.0"}


def setUpModule():
    global DIRECTORY, BUCKET
    DIRECTORY = Path(tempfile.mkdtemp(prefix="ansible-test-"))
    BUCKET = bucket.make(DIRECTORY)


def tearDownModule():
    BUCKET.stop()
    shutil.rmtree(DIRECTORY)


class Role(unittest.TestCase):
    def machine(self, system=None):
        machine = Machine(system)
        self.addCleanup(machine.close)
        return machine

    def play(self, machine, *options, key="good", **variables):
        """Runs the role and returns what ansible-playbook says, with the counts of its recap."""
        given = {
            "ssm_agent_region": "eu-central-1",
            "ssm_agent_url": BUCKET.url,
            "ssm_agent_gpg_key": str(DIRECTORY / f"{key}.gpg"),
            "ssm_agent_gpg_fingerprint": BUCKET.keys.fingerprints[key],
            "ssm_agent_agentcheck_retries": 0,
            "ansible_python_interpreter": "/usr/bin/python3",
            **variables,
        }
        given = {name: value for name, value in given.items() if value is not None}
        # The machine sees this system's files, but not its /tmp.
        machine.write("root/vars.json", json.dumps(given))
        for name in ("good", "other", "expired"):
            machine.write(str(DIRECTORY / f"{name}.gpg")[1:], (DIRECTORY / f"{name}.gpg").read_text())
        words = " ".join(options)
        playbook = "ansible-playbook -i localhost, -c local ssm_agent.yml -e @/root/vars.json -e ansible_become=false"
        return self.run_playbook(machine, REPOSITORY / "scripts/ansible", f"{playbook} {words}")

    def run_playbook(self, machine, directory, command):
        done = machine.run(
            f"cd '{directory}' && {command}",
            environment={
                "PATH": f"{ANSIBLE}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_LOCALHOST_WARNING": "0",
                "ANSIBLE_RETRY_FILES_ENABLED": "0",
            },
            check=False,
        )
        done.said = done.stdout + done.stderr
        recap = re.search(r"ok=(\d+)\s+changed=(\d+)\s+unreachable=\d+\s+failed=(\d+)", done.stdout)
        done.changed, done.failed = (int(recap[2]), int(recap[3])) if recap else (None, None)
        return done

    def done(self, result, changed):
        self.assertEqual((result.returncode, result.failed), (0, 0), result.said)
        self.assertEqual(result.changed, changed, result.said)

    def refused(self, result, words):
        self.assertNotEqual(result.returncode, 0, result.said)
        self.assertEqual((result.changed or 0, result.failed), (0, 1), result.said)
        said = " ".join(result.said.split())
        self.assertIn(words, said)

    def deb(self, machine):
        shown = machine.run("dpkg-query -W -f '${db:Status-Status} ${Version}' amazon-ssm-agent", check=False)
        return shown.stdout

    def rpm(self, machine):
        return machine.run("rpm -q --qf '%{VERSION}' amazon-ssm-agent", check=False).stdout

    def give(self, machine, version, kind="deb"):
        name = f"root/agent.{kind}"
        os.makedirs("/dev/shm", exist_ok=True)
        package = BUCKET.package(version, kind)
        inside = f"/dev/shm/{os.getpid()}-{package.name}"
        shutil.copy(package, inside)
        self.addCleanup(lambda: Path(inside).unlink(missing_ok=True))
        command = "dpkg --install" if kind == "deb" else "rpm --upgrade"
        machine.run(f"cp {inside} /{name} && {command} /{name} && rm /{name}")

    def services(self, machine):
        return sorted(machine.run("ls /var/lib/fake-systemd", check=False).stdout.split())

    def temporary(self, machine):
        return machine.run("ls -d /tmp/ssm-agent-* 2>/dev/null", check=False).stdout


class OnDebian(Role):
    def test_installs_starts_and_then_changes_nothing(self):
        machine = self.machine()
        self.done(self.play(machine), changed=2)
        self.assertEqual(self.deb(machine), "installed 3.3.987.0-1")
        unit = "amazon-ssm-agent.service"
        self.assertEqual(self.services(machine), [f"{unit}.active", f"{unit}.enabled", "log"])
        self.assertEqual(self.temporary(machine), "")
        self.done(self.play(machine), changed=0)
        self.done(self.play(machine, "--check", "--diff"), changed=0)

    def test_check_mode_reports_and_changes_nothing(self):
        machine = self.machine()
        result = self.play(machine, "--check", "--diff")
        self.done(result, changed=1)
        self.assertIn("amazon-ssm-agent: absent -> 3.3.987.0", result.said)
        self.assertEqual(self.deb(machine), "")
        self.assertEqual(self.services(machine), [])

    def test_an_older_one_is_updated_and_restarted(self):
        machine = self.machine()
        self.give(machine, "3.1.1732.0")
        machine.run("systemctl enable amazon-ssm-agent.service; systemctl start amazon-ssm-agent.service")
        # Installed, and restarted for the new version.
        self.done(self.play(machine), changed=2)
        self.assertEqual(self.deb(machine), "installed 3.3.987.0-1")
        self.assertIn("restart amazon-ssm-agent.service", machine.run("cat /var/lib/fake-systemd/log").stdout)
        self.done(self.play(machine), changed=0)

    def test_a_newer_one_is_never_downgraded(self):
        machine = self.machine()
        self.give(machine, "3.10.0.0")
        self.done(self.play(machine, ssm_agent_upgrade="target", ssm_agent_version="3.3.987.0"), changed=1)
        self.assertEqual(self.deb(machine), "installed 3.10.0.0-1")

    def test_the_minimum_is_enough_unless_the_target_is_asked_for(self):
        machine = self.machine()
        self.give(machine, "3.3.987.0")
        self.done(self.play(machine, ssm_agent_version="3.10.0.0"), changed=1)
        self.assertEqual(self.deb(machine), "installed 3.3.987.0-1")
        self.done(self.play(machine, ssm_agent_version="3.10.0.0", ssm_agent_upgrade="target"), changed=2)
        self.assertEqual(self.deb(machine), "installed 3.10.0.0-1")

    def test_a_version_below_the_minimum_is_refused(self):
        machine = self.machine()
        result = self.play(machine, ssm_agent_version="3.1.1732.0")
        self.refused(result, "version 3.1.1732.0 cannot be installed: expected four numbers")
        self.assertEqual(self.deb(machine), "")

    # 12: every required variable, and before the default of the URL.
    def test_what_must_be_chosen_is_never_guessed(self):
        machine = self.machine()
        for missing in ("ssm_agent_region", "ssm_agent_gpg_key", "ssm_agent_gpg_fingerprint"):
            # The default of the URL is made of the region.
            result = self.play(machine, **{"ssm_agent_url": None, missing: None})
            self.refused(result, f"missing required arguments: {missing}")

    # 12
    def test_a_lock_that_is_held_is_waited_for(self):
        machine = self.machine()
        hold = "import fcntl, time; file = open('/var/lib/dpkg/lock-frontend', 'w'); fcntl.lockf(file, fcntl.LOCK_EX); time.sleep({})"
        machine.run(f'python3 -c "{hold.format(600)}" >/dev/null 2>&1 & echo $! >/root/holder')
        result = self.play(machine, ssm_agent_lock_timeout=1)
        self.refused(result, "lock")
        self.assertEqual(self.deb(machine), "")
        machine.run("(sleep 12; kill $(cat /root/holder)) >/dev/null 2>&1 &")
        self.done(self.play(machine), changed=2)
        self.assertEqual(self.deb(machine), "installed 3.3.987.0-1")

    def test_a_snap_is_kept_and_refreshed(self):
        machine = self.machine()
        machine.write("var/lib/fake-snap/amazon-ssm-agent", "3.1.1.0\n")
        machine.write("etc/systemd/system/snap.amazon-ssm-agent.amazon-ssm-agent.service", "")
        machine.run("systemctl enable snap.amazon-ssm-agent.amazon-ssm-agent; systemctl start snap.amazon-ssm-agent.amazon-ssm-agent")
        self.done(self.play(machine, "--check"), changed=1)
        self.done(self.play(machine), changed=2)
        self.assertEqual(machine.run("cat /var/lib/fake-snap/amazon-ssm-agent").stdout, "3.3.987.0\n")
        self.assertEqual(self.deb(machine), "")
        self.done(self.play(machine), changed=0)

    def test_snap_and_package_together_are_refused(self):
        machine = self.machine()
        self.give(machine, "3.3.987.0")
        machine.write("var/lib/fake-snap/amazon-ssm-agent", "3.3.987.0\n")
        self.refused(self.play(machine), "installed both as a snap and as a package")


class Signatures(Role):
    def setUp(self):
        self.package = BUCKET.package("3.3.987.0")
        kept = self.package.read_bytes(), self.package.with_name(self.package.name + ".sig").read_bytes()

        def restore():
            self.package.write_bytes(kept[0])
            self.package.with_name(self.package.name + ".sig").write_bytes(kept[1])

        self.addCleanup(restore)

    def refuses(self, words, **options):
        machine = self.machine()
        result = self.play(machine, **options)
        self.refused(result, words)
        self.assertEqual(self.deb(machine), "")
        self.assertEqual(self.temporary(machine), "")

    def test_a_changed_package_is_refused(self):
        self.package.write_bytes(self.package.read_bytes() + b"x")
        self.refuses("BADSIG")

    def test_a_signature_by_another_key_is_refused(self):
        BUCKET.keys.sign(self.package, "other")
        self.refuses("ERRSIG, NO_PUBKEY")

    def test_a_key_of_another_fingerprint_is_refused(self):
        self.refuses("is not good by key", ssm_agent_gpg_fingerprint=BUCKET.keys.fingerprints["other"])

    def test_a_key_that_has_expired_is_refused(self):
        BUCKET.keys.sign(self.package, "expired")
        self.refuses("EXPKEYSIG", key="expired")

    def test_what_is_no_signature_is_refused(self):
        self.package.with_name(self.package.name + ".sig").write_bytes(b"nothing")
        self.refuses("nothing was installed")


class OnRpm(Role):
    def check_system(self, system):
        machine = self.machine(system)
        self.give(machine, "3.1.1732.0", "rpm")
        machine.run("systemctl enable amazon-ssm-agent.service; systemctl start amazon-ssm-agent.service")
        self.done(self.play(machine, "--check"), changed=1)
        self.done(self.play(machine), changed=2)
        self.assertEqual(self.rpm(machine), "3.3.987.0")
        self.done(self.play(machine), changed=0)

    def test_amazon_linux(self):
        self.check_system("amzn")

    def test_rocky_linux(self):
        self.check_system("rocky")

    def test_suse(self):
        self.check_system("sles")

    def test_installs_from_nothing(self):
        machine = self.machine("amzn")
        self.done(self.play(machine), changed=2)
        self.assertEqual(self.rpm(machine), "3.3.987.0")


class Verified(Role):
    """With the real ssm-agentcheck."""

    def verify(self, machine, *options, **variables):
        return self.play(
            machine,
            *options,
            ssm_agent_agentcheck_src=str(self.directory / "{arch}"),
            ssm_agent_agentcheck_arguments=["--metadata-endpoint", BUCKET.url, "--endpoint-url", BUCKET.url],
            **variables,
        )

    def setUp(self):
        # One for the architecture of this machine, as the role finds it among those of all.
        self.directory = Path(tempfile.mkdtemp(prefix="ansible-agentcheck-", dir=AGENTCHECK.parent))
        self.addCleanup(lambda: shutil.rmtree(self.directory))
        os.link(AGENTCHECK, self.directory / os.uname().machine)

    def test_a_working_agent_is_verified(self):
        machine = self.machine()
        machine.write(LOG[1:], CONNECTED)
        # ssm-agentcheck itself, the package, the service.
        self.done(self.verify(machine), changed=3)
        self.done(self.verify(machine), changed=0)
        self.done(self.verify(machine, "--check", "--diff"), changed=0)

    def test_the_command_of_the_readme_works_as_printed(self):
        """From a directory with the sources, a release, the key and an inventory, which says what only a test needs."""
        readme = (REPOSITORY / "scripts/ansible/roles/ssm_agent/README.md").read_text()
        [command] = re.findall(r"```sh\n(.*?)\n```", readme, re.S)
        [source] = re.findall(r"`(-e ssm_agent_agentcheck_src=[^`]*)`", readme)
        self.assertEqual(command.count("..."), 1)
        command = command.replace("...", BUCKET.keys.fingerprints["good"])
        machine, directory = self.machine(), "/root/printed"
        machine.write(LOG[1:], CONNECTED)
        host = {
            "ansible_connection": "local",
            "ansible_become": False,
            "ansible_python_interpreter": "/usr/bin/python3",
            "ssm_agent_url": BUCKET.url,
            "ssm_agent_agentcheck_arguments": ["--metadata-endpoint", BUCKET.url, "--endpoint-url", BUCKET.url],
            "ssm_agent_agentcheck_retries": 0,
        }
        machine.write(f"{directory[1:]}/inventory/hosts.json", json.dumps({"all": {"hosts": {"node": host}}}))
        machine.write(f"{directory[1:]}/amazon-ssm-agent.gpg", (DIRECTORY / "good.gpg").read_text())
        machine.run(f"ln -s '{REPOSITORY}/scripts' '{directory}/scripts'")
        # The package and the service; with the release unpacked there, ssm-agentcheck as well.
        self.done(self.run_playbook(machine, directory, command), changed=2)
        unpacked = source.split("$PWD/")[1].replace("{arch}", os.uname().machine)
        machine.run(f"cd '{directory}' && mkdir -p \"$(dirname {unpacked})\" && ln -s '{AGENTCHECK}' {unpacked}")
        self.done(self.run_playbook(machine, directory, f"{command} {source}"), changed=1)
        self.assertEqual(self.deb(machine), "installed 3.3.987.0-1")

    def test_the_readme_lists_the_arguments(self):
        role = REPOSITORY / "scripts/ansible/roles/ssm_agent"
        specs = (role / "meta/argument_specs.yml").read_text()
        given = set(re.findall(r"^      (ssm_agent_\w+):$", specs, re.M))
        listed = set()
        for row in re.findall(r"^\| (`.*?) \|", (role / "README.md").read_text(), re.M):
            first, *others = re.findall(r"`(\w+)`", row)
            # `_retries` goes on from the name in front of it.
            stem = first.rpartition("_")[0]
            listed |= {first, *(name if name.startswith("ssm_") else stem + name for name in others)}
        self.assertEqual(listed, given)

    def test_what_is_wrong_fails_the_play_with_its_cure(self):
        machine = self.machine()
        machine.write(LOG[1:], "ERROR no valid credentials could be retrieved for ec2 identity\n")
        result = self.verify(machine)
        self.assertEqual((result.failed, result.returncode), (1, 2), result.said)
        said = " ".join(result.said.split())
        self.assertIn("agentcheck.host.credentials_refused: the agent got no credentials", said)
        self.assertIn("let ssm-role check the role; where it is fine, look at the policies of the VPC endpoints", said)


if __name__ == "__main__":
    unittest.main()
