"""A bucket of agent packages on loopback, built and signed here; and a metadata service beside it."""

import http.server
import os
import shutil
import subprocess
import threading
from email.utils import formatdate
from pathlib import Path

VERSIONS = ("3.1.1732.0", "3.3.987.0", "3.10.0.0")
LATEST = "3.3.987.0"
AGENT = '#!/bin/sh\n[ "$*" = -version ] && echo "SSM Agent version: {version}"\n'
UNIT = "[Unit]\nDescription=amazon-ssm-agent\n[Service]\nExecStart=/usr/bin/amazon-ssm-agent\n[Install]\nWantedBy=multi-user.target\n"
SPEC = """Name: amazon-ssm-agent
Version: {version}
Release: 1
Summary: made for a test
License: Apache-2.0
BuildArch: noarch
AutoReqProv: no
%description
Made for a test.
%install
cp -r {tree}/. %{{buildroot}}
%files
/usr/bin/amazon-ssm-agent
/usr/lib/systemd/system/amazon-ssm-agent.service
"""
IDENTITY = '{"instanceId": "i-0000000000000000a", "accountId": "111122223333", "region": "eu-central-1"}'


def call(*command, **options):
    subprocess.run(command, check=True, capture_output=True, **options)


class Keys:
    """A good key, another one, and one that expired after it signed."""

    def __init__(self, directory):
        self.home = directory / "gnupg"
        self.home.mkdir(mode=0o700)
        self.fingerprints = {name: self._make(name, directory) for name in ("good", "other", "expired")}

    def gpg(self, *arguments):
        done = subprocess.run(
            ["gpg", "--homedir", self.home, "--batch", "--passphrase", "", "--pinentry-mode", "loopback", *arguments],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def _make(self, name, directory):
        # The expired one was made, and signs, in the past.
        past = ["--faked-system-time", "20200101T000000!"] if name == "expired" else []
        expiry = "1y" if name == "expired" else "never"
        user = f"{name} <{name}@example.com>"
        self.gpg(*past, "--quick-generate-key", user, "rsa2048", "sign", expiry)
        listing = self.gpg("--with-colons", "--list-keys", f"{name}@example.com")
        fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr"))
        (directory / f"{name}.gpg").write_text(self.gpg("--armor", "--export", fingerprint))
        return fingerprint

    def sign(self, path, name="good"):
        past = ["--faked-system-time", "20200201T000000!"] if name == "expired" else []
        signature = path.with_name(path.name + ".sig")
        signature.unlink(missing_ok=True)
        self.gpg(*past, "--local-user", self.fingerprints[name], "--output", signature, "--detach-sign", path)

    def stop(self):
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], check=False)


class Bucket:
    """The files of a bucket and the server that serves them."""

    def __init__(self, directory):
        self.directory = directory / "bucket"
        self.keys = Keys(directory)
        for version in VERSIONS:
            self._build(directory, version)
        (self.directory / "latest").mkdir()
        (self.directory / "latest" / "VERSION").write_text(LATEST + "\n")
        self._serve()

    def package(self, version, kind="deb"):
        folder = {"deb": "debian_amd64", "rpm": "linux_amd64"}[kind]
        return self.directory / version / folder / f"amazon-ssm-agent.{kind}"

    def _build(self, directory, version):
        tree = directory / f"tree-{version}"
        for path, text, mode in (
            ("usr/bin/amazon-ssm-agent", AGENT.format(version=version), 0o755),
            ("usr/lib/systemd/system/amazon-ssm-agent.service", UNIT, 0o644),
        ):
            file = tree / path
            file.parent.mkdir(parents=True)
            file.write_text(text)
            file.chmod(mode)
        deb, rpm = self.package(version), self.package(version, "rpm")
        deb.parent.mkdir(parents=True)
        rpm.parent.mkdir(parents=True)
        spec = directory / f"{version}.spec"
        spec.write_text(SPEC.format(version=version, tree=tree))
        top = directory / "rpmbuild"
        call("rpmbuild", "-bb", "--define", f"_topdir {top}", "--define", f"_rpmdir {rpm.parent}", spec)
        shutil.move(next(rpm.parent.glob("noarch/*.rpm")), rpm)
        (tree / "DEBIAN").mkdir()
        control = f"Package: amazon-ssm-agent\nVersion: {version}-1\nArchitecture: all\nMaintainer: test <t@example.com>\nDescription: made for a test\n"
        (tree / "DEBIAN" / "control").write_text(control)
        call("dpkg-deb", "--root-owner-group", "--build", tree, deb)
        for path in (deb, rpm):
            self.keys.sign(path)

    def _serve(self):
        bucket = self.directory

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments, **options):
                super().__init__(*arguments, directory=os.fspath(bucket), **options)

            def log_message(self, *_):
                pass

            def do_PUT(self):
                self._say(200, "token")

            def do_GET(self):
                if self.path == "/latest/VERSION" or not self.path.startswith("/latest/"):
                    super().do_GET()
                elif self.headers.get("x-aws-ec2-metadata-token") != "token":
                    self._say(401, "")
                elif self.path == "/latest/dynamic/instance-identity/document":
                    self._say(200, IDENTITY)
                elif self.path == "/latest/meta-data/iam/security-credentials/":
                    self._say(200, "web")
                else:
                    self._say(404, "")

            def _say(self, status, text):
                self.send_response(status)
                self.send_header("x-aws-ec2-metadata-token-ttl-seconds", "60")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def date_time_string(self, timestamp=None):
                return formatdate(timestamp, usegmt=True)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.keys.stop()


def make(directory):
    """Returns a bucket in a new directory."""
    return Bucket(Path(directory))
