"""Tests that the local AWS is a project of its own: it runs and installs from a copy of its folder, with nothing around it."""

import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import boto3
import sandbox_server

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}


class Standalone(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.copy = self.directory / "copy"
        shutil.copytree(sandbox_server.HERE, self.copy, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))

    def nodes(self, *command, environment=ENVIRONMENT):
        """Starts a sandbox and returns how many nodes it has of the demo."""
        process = subprocess.Popen(
            [*command, "--exit-with-stdin"], cwd=self.directory, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        try:
            ssm = boto3.client("ssm", endpoint_url=process.stdout.readline().strip(), region_name="us-east-1",
                               aws_access_key_id="AKIA222222222222", aws_secret_access_key="any")
            return len(ssm.describe_instance_information(MaxResults=50)["InstanceInformationList"])
        finally:
            process.stdin.close()
            process.stdout.close()
            process.wait(timeout=10)

    def test_runs_from_a_copy(self):
        for start in (self.copy / "sandbox.py", self.copy):
            self.assertGreater(self.nodes(sys.executable, start, "--estate", self.copy / "estates/demo.json"), 5)

    def test_imports_nothing_from_outside_its_folder(self):
        program = (
            "import json, sys; sys.path.insert(0, sys.argv[1]); import sandbox; sandbox.install_extension();"
            "print(json.dumps([m.__file__ for m in list(sys.modules.values()) if getattr(m, '__file__', None)]))"
        )
        ran = subprocess.run([sys.executable, "-c", program, self.copy], cwd=self.directory, env=ENVIRONMENT,
                             capture_output=True, text=True, check=True, timeout=60)
        files = [pathlib.Path(file) for file in json.loads(ran.stdout)]
        own = [file for file in files if file.is_relative_to(self.copy)]
        self.assertGreater(len(own), 50)
        libraries = [pathlib.Path(path) for path in (sys.prefix, sys.base_prefix, os.path.dirname(os.__file__))]
        others = [file for file in files if file not in own and not any(file.is_relative_to(path) for path in libraries)]
        self.assertEqual(others, [])

    @unittest.skipUnless(importlib.util.find_spec("setuptools"), "a virtual environment of Python 3.12 has no setuptools")
    def test_builds_as_one_package(self):
        built = self.directory / "built"
        subprocess.run(
            [sys.executable, "-c", "import setuptools; setuptools.setup()", "--quiet", "build", "--build-lib", built],
            cwd=self.copy, env=ENVIRONMENT, check=True, timeout=120, capture_output=True,
        )
        self.assertEqual([path.name for path in built.iterdir()], ["local_aws"])
        environment = ENVIRONMENT | {"PYTHONPATH": str(built)}
        start = (sys.executable, "-m", "local_aws", "--estate", built / "local_aws/estates/demo.json")
        self.assertGreater(self.nodes(*start, environment=environment), 5)


if __name__ == "__main__":
    unittest.main()
