"""Owns starting one sandbox for a test module and ending it with the module.

The sandbox exits when its stdin closes, so nothing is left running even if the
test process is killed.
"""

import json
import os
import pathlib
import subprocess
import sys
import urllib.request

import boto3
from botocore.config import Config

HERE = pathlib.Path(__file__).parent
# Shared, for it keeps the models that it has read: reading one takes up to a quarter of a second.
SESSION = boto3.session.Session()


class Connected:
    """A sandbox that somebody runs, and what it is asked."""

    def __init__(self, url):
        self.url = url

    def client(self, service, account, region="us-east-1", attempts=1, **keys):
        """Returns a client of one account that retries nothing by default."""
        return SESSION.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=keys.pop("access_key", f"AKIA{account}"),
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": attempts}, parameter_validation=False),
            **keys,
        )

    def control(self, method, path, body=None):
        """Calls a control URL and returns the parsed lines of the answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def calls(self, account):
        """Returns the call log of one account."""
        return self.control("GET", f"/_sandbox/calls?account={account}")

    def fault(self, **fault):
        """Asks for one fault."""
        self.control("POST", "/_sandbox/faults", fault)

    def aws(self, account, *arguments):
        """Runs the AWS CLI in one account and returns the finished process."""
        return subprocess.run(
            # The variable below is not enough: version 1 of the CLI has an endpoint of its own for SQS.
            [pathlib.Path(sys.executable).parent / "aws", "--endpoint-url", self.url, *arguments],
            env={
                "PATH": os.environ["PATH"],
                "HOME": "/nonexistent",
                "AWS_ENDPOINT_URL": self.url,
                "AWS_ACCESS_KEY_ID": f"AKIA{account}",
                "AWS_SECRET_ACCESS_KEY": "any",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_MAX_ATTEMPTS": "1",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


class Served(Connected):
    """A sandbox of its own, which ends with this process."""

    def __init__(self, *arguments):
        self._process = subprocess.Popen(
            [sys.executable, HERE / "sandbox.py", "--exit-with-stdin", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        super().__init__(self._process.stdout.readline().strip())
        self.pid = self._process.pid

    def stop(self):
        """Closes stdin and waits for the end."""
        self._process.stdin.close()
        self._process.stdout.close()
        return self._process.wait(timeout=10)
