"""Builds and installs the collection, and plays it against the local AWS.

Everything is made in a directory of its own: home, collections, playbooks. The
tools are those in PATH.
"""

import ast
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv/bin"
MODULES = ("ssm_agentcheck", "ssm_events", "ssm_prefs", "ssm_role", "ssm_scp")
DESIRED = {"idle_timeout_minutes": 15}


class Collection(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.home = pathlib.Path(directory.name)
        cls.sandbox = subprocess.Popen(
            [sys.executable, ROOT / "tests/sandbox/sandbox.py", "--exit-with-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        cls.addClassCleanup(cls.stop)
        cls.url = cls.sandbox.stdout.readline().strip()
        cls.n_accounts = 0
        build = [VENV / "ansible-galaxy", "collection", "build", ROOT / "scripts/ansible", "--output-path", cls.home]
        cls.check(build, cls.environment("000000000000"))
        (tarball,) = cls.home.glob("ssm_tools-rollout-*.tar.gz")
        install = [VENV / "ansible-galaxy", "collection", "install", "--offline", tarball, "-p", cls.home / "collections"]
        cls.check(install, cls.environment("000000000000"))

    @classmethod
    def stop(cls):
        cls.sandbox.stdin.close()
        cls.sandbox.wait()
        cls.sandbox.stdout.close()

    def setUp(self):
        type(self).n_accounts += 1
        self.account = f"{700000000000 + self.n_accounts}"

    @classmethod
    def environment(cls, account):
        return {
            "PATH": f"{VENV}:{os.environ['PATH']}",
            "HOME": str(cls.home),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(cls.home / "collections"),
            "ANSIBLE_LOCALHOST_WARNING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
            "AWS_ENDPOINT_URL": cls.url,
            "AWS_ACCESS_KEY_ID": f"AKIA{account}",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @classmethod
    def check(cls, command, environment):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def play(self, module, options, *arguments):
        """Plays one task and returns what the module returned, a failure among it."""
        returned = self.home / f"{self.account}.json"
        returned.unlink(missing_ok=True)
        tasks = [
            {f"ssm_tools.rollout.{module}": options, "register": "outcome", "ignore_errors": True},
            {
                "ansible.builtin.copy": {"content": "{{ outcome | to_json }}", "dest": str(returned), "mode": "0600"},
                "check_mode": False,
                "diff": False,
            },
        ]
        playbook = self.home / f"{self.account}.yml"
        playbook.write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]))
        command = [VENV / "ansible-playbook", playbook, "-e", f"ansible_python_interpreter={sys.executable}", *arguments]
        self.output = self.check(command, self.environment(self.account))
        return json.loads(returned.read_text())

    def writes(self):
        with urllib.request.urlopen(f"{self.url}/_sandbox/calls?account={self.account}") as answer:
            calls = [json.loads(line) for line in answer.read().splitlines()]
        return [call["operation"] for call in calls if not call["read_only"]]

    def test_changes_once_and_shows_the_way_back(self):
        first = self.play("ssm_prefs", {"desired": DESIRED})
        self.assertTrue(first["changed"])
        self.assertEqual([one["status"] for one in first["results"][0]["results"]], ["done"])
        self.assertEqual(self.writes(), ["CreateDocument"])
        second = self.play("ssm_prefs", {"desired": DESIRED})
        self.assertFalse(second["changed"])
        self.assertEqual(self.writes(), ["CreateDocument"])
        undo = "".join(json.dumps(plan) + "\n" for plan in first["undo"])
        done = subprocess.run(["ssm-prefs", "apply"], input=undo, env=self.environment(self.account), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.writes(), ["CreateDocument", "DeleteDocument"])

    def test_check_mode_writes_nothing_and_diff_mode_shows_from_and_to(self):
        outcome = self.play("ssm_prefs", {"desired": DESIRED}, "--check", "--diff")
        self.assertTrue(outcome["changed"])
        self.assertEqual(outcome["results"], [])
        self.assertEqual(self.writes(), [])
        self.assertIn('idleSessionTimeout": "15"', self.output.replace("\\", ""))
        self.assertEqual(len(outcome["diff"]), 1)

    def test_takes_the_text_of_a_file_with_comments(self):
        """The examples that the tools print have some; what is wrong in one is at the line that the file has."""
        path = self.home / "desired.json"
        path.write_text('// Ours.\n{\n  // An hour is too long.\n  "idle_timeout_minutes": 15,\n}\n')
        lookup = f"{{{{ lookup('ansible.builtin.file', '{path}') }}}}"
        outcome = self.play("ssm_prefs", {"desired": lookup})
        self.assertTrue(outcome["changed"], outcome)
        self.assertEqual(self.writes(), ["CreateDocument"])
        path.write_text('// Ours.\n{\n  "idle_timeout_minuets": 15\n}\n')
        outcome = self.play("ssm_prefs", {"desired": lookup})
        self.assertTrue(outcome["failed"])
        self.assertRegex(outcome["msg"], "idle_timeout_minuets.*at line 3 column 24")
        outcome = self.play("ssm_prefs", {"desired": [DESIRED]})
        self.assertEqual(outcome["msg"], "desired: expected a dictionary, or the text of a file")

    def test_every_module_converges(self):
        desired_states = {
            "ssm_agentcheck": {"association": {}},
            "ssm_prefs": DESIRED,
            "ssm_role": {"default_host_management": {}},
        }
        for module, desired in desired_states.items():
            first = self.play(module, {"desired": desired, "regions": ["us-east-1", "eu-central-1"]})
            self.assertTrue(first["changed"], module)
            self.assertEqual(len(first["plans"]), 2)
            again = self.play(module, {"desired": desired, "regions": ["us-east-1", "eu-central-1"]})
            self.assertFalse(again["changed"], module)

    def test_findings_fail_a_task_unless_it_ignores_them(self):
        outcome = self.play("ssm_role", {"desired": {"default_host_management": {}}, "state": "checked"})
        self.assertTrue(outcome["failed"])
        self.assertIn("ssm-role: role.", outcome["msg"])
        outcome = self.play("ssm_role", {"desired": {"default_host_management": {}}, "state": "checked", "fail_on": "never"})
        self.assertFalse(outcome["failed"])
        self.assertTrue(outcome["findings"])
        self.assertFalse(outcome["changed"])

    def test_what_is_wrong_is_one_line_and_nothing_is_written(self):
        outcome = self.play("ssm_prefs", {"desired": {"shel": "bash"}})
        self.assertTrue(outcome["failed"])
        self.assertIn("unknown field `shel`", outcome["msg"])
        self.assertEqual(len(outcome["msg"].splitlines()), 1)
        self.assertEqual(self.writes(), [])
        outcome = self.play("ssm_prefs", {"desired": {}, "profile": "nobody"})
        self.assertIn("profile 'nobody'", outcome["msg"])

    def example(self, name, *arguments):
        """Plays one of the examples and returns how many tasks changed something."""
        environment = self.environment(self.account)
        environment |= {"DESIRED": str(ROOT / "scripts/rollout.d"), "REGIONS": "us-east-1,eu-central-1"}
        environment["SLACK_WEBHOOK_URL"] = "https://hooks.slack.com/services/T00000000/B00000000/collection"
        command = [VENV / "ansible-playbook", ROOT / "scripts/ansible/playbooks" / name, *arguments]
        outcome = self.check([*command, "-e", f"ansible_python_interpreter={sys.executable}"], environment)
        return int(re.search(r"changed=(\d+)", outcome)[1])

    def test_the_example_with_modules_rolls_out_once(self):
        self.assertEqual(self.example("modules.yml", "--check", "--diff"), 3)
        self.assertEqual(self.writes(), [])
        self.assertEqual(self.example("modules.yml"), 3)
        self.assertEqual(self.example("modules.yml"), 0)

    def test_the_example_with_commands_changes_once(self):
        self.assertEqual(self.example("commands.yml", "--check"), 0)
        self.assertEqual(self.writes(), [])
        self.assertEqual(self.example("commands.yml"), 1)
        self.assertEqual(self.example("commands.yml"), 0)

    def test_options_of_one_tool_reach_only_the_verbs_that_have_them(self):
        tool, words = self.home / "tool", self.home / "words"
        tool.write_text(f"#!/bin/sh\necho \"$@\" >{words}\n")
        tool.chmod(0o755)
        options = {"desired": {}, "executable": str(tool)}
        self.play("ssm_agentcheck", {**options, "nodes": "/nodes"})
        self.assertEqual(words.read_text(), "plan --output=json --nodes=/nodes\n")
        self.play("ssm_agentcheck", {**options, "state": "checked", "roles": "/roles", "instance_ids": ["i-1", "i-2"]})
        self.assertEqual(words.read_text(), "check --output=json --roles=/roles --instance-id=i-1 --instance-id=i-2\n")
        words.unlink()
        outcome = self.play("ssm_agentcheck", {**options, "instance_ids": ["i-1"]})
        self.assertEqual(outcome["msg"], "instance_ids: cannot be given with state=present")
        self.assertFalse(words.exists())

    def test_modules_are_what_the_table_makes(self):
        made = self.home / "made"
        made.mkdir()
        self.check([sys.executable, ROOT / "scripts/ansible/generate.py", made], self.environment(self.account))
        committed = ROOT / "scripts/ansible/plugins/modules"
        self.assertEqual({path.name for path in made.iterdir()}, {path.name for path in committed.glob("*.py")})
        for path in made.iterdir():
            self.assertEqual((committed / path.name).read_text(), path.read_text(), "run scripts/ansible/generate.py")

    def test_modules_run_on_python_3_6(self):
        """12: the oldest that ansible-core 2.16, the oldest in meta/runtime.yml, knows on a node beside 2.7."""
        plugins = ROOT / "scripts/ansible/plugins"
        vermin = [VENV / "vermin", "--no-tips", "-t=3.6-"]
        self.check([*vermin, plugins / "modules", plugins / "module_utils"], self.environment(self.account))
        # The documentation is read on the controller alone, and needs more: vermin would say so.
        done = subprocess.run([*vermin, plugins / "doc_fragments"], capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0, done.stdout)

    # 12
    def test_the_commands_of_the_readme_work_as_printed(self):
        readme = (ROOT / "scripts/ansible/README.md").read_text()
        commands = [line[2:] for line in re.search(r"```console\n(.*?)```", readme, re.S)[1].splitlines()]
        self.assertEqual(len(commands), 4)
        directory = self.home / "as printed"
        directory.mkdir()
        (directory / "scripts").symlink_to(ROOT / "scripts")
        # As what installs the tools has it.
        (directory / "ssm-rollout").symlink_to(ROOT / "scripts/rollout.sh")
        environment = self.environment(self.account)
        environment["PATH"] += f":{directory}"
        del environment["ANSIBLE_COLLECTIONS_PATH"], environment["AWS_REGION"]
        for shell in ("bash", "dash"):
            done = subprocess.run(
                [shell, "-ec", "\n".join(commands)], cwd=directory, env=environment, capture_output=True, text=True
            )
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            # Preferences, roles and, as this account has no nodes, no agents; neither guardrail nor Slack.
            self.assertRegex(done.stdout, r"changed=2 .*failed=0 +skipped=2")
        self.assertEqual(self.writes(), [])

    def test_modules_parse_as_python_3_6(self):
        plugins = ROOT / "scripts/ansible/plugins"
        for path in [*plugins.glob("modules/*.py"), *plugins.glob("module_utils/*.py")]:
            tree = ast.parse(path.read_text(), feature_version=(3, 6))
            # Parses, and is refused by Python 3.6 all the same.
            futures = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
            self.assertEqual(futures, [], path)

    def test_the_sanity_tests_that_need_no_network_pass(self):
        """The others fetch what they need: validate-modules, import, ansible-doc, runtime-metadata and the linters."""
        installed = self.home / "collections/ansible_collections/ssm_tools/rollout"
        environment = self.environment(self.account)
        tests = ["compile", "empty-init", "line-endings", "no-assert", "no-illegal-filenames", "no-smart-quotes"]
        tests += ["shebang", "symlinks", "use-argspec-type-path"]
        words = [word for test in tests for word in ("--test", test)]
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        command = [VENV / "ansible-test", "sanity", "--color", "no", "--python", version, *words]
        done = subprocess.run(command, cwd=installed, env=environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_linter_has_nothing_to_say(self):
        # Where it lies in the tree as an installed collection does.
        collection = self.home / "collections/ansible_collections/ssm_tools/rollout"
        command = [VENV / "ansible-lint", "--offline", "--profile", "production", "playbooks"]
        done = subprocess.run(command, cwd=collection, env=self.environment(self.account), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_documentation_has_every_option_and_every_example_can_be_read(self):
        names = [f"ssm_tools.rollout.{module}" for module in MODULES]
        outcome = json.loads(self.check([VENV / "ansible-doc", "-t", "module", "--json", *names], self.environment(self.account)))
        for name in names:
            documentation = outcome[name]
            self.assertIn("desired", documentation["doc"]["options"], name)
            self.assertTrue(documentation["examples"].strip(), name)
            self.assertEqual({"plans", "results", "undo", "findings"} - set(documentation["return"]), set(), name)
            # An option that is documented and not known, or the other way round, fails here.
            wrong = self.play(name.rsplit(".", 1)[1], {"desired": {}, "no_such_option": 1})
            listed = wrong["msg"].split("Supported parameters include:")[1]
            for option in documentation["doc"]["options"]:
                self.assertIn(option, listed, name)


if __name__ == "__main__":
    unittest.main()
