"""Owns really running the scripts of a command for nodes that the estate marks so.

A script runs under `sh` on this machine, in a directory made for its command and removed after it, with nothing in its
environment but what the agent sets. It is killed with its process group at its time-out, at CancelCommand and at the
end of the sandbox.

Environment and process: the agent's agent/executers/executers.go and executers_unix.go
Script file and time-outs: agent/plugins/runscript/runscript.go, agent/plugins/pluginutil/pluginutil.go
https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html#aws-runShellScript
"""

import os
import pathlib
import selectors
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import lifetime
from extension.ssm_command_agent import KILLED, Result, ended

# A machine has two cores rather than 2,000: the other scripts wait in progress for one of these.
MOST_AT_ONCE = 8
# What is printed beyond this is read and forgotten, so that `yes` fills no memory.
KEPT_BYTES = 32 * 1024 * 1024
SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
TIMEOUT_SECONDS = (5, 3600, 172_800)  # Least, default, most.

# A file that a starting process of another thread still has open cannot be executed ("Text file busy"), so that
# scripts are written and processes started one at a time.
_starting = threading.Lock()
_pool = ThreadPoolExecutor(max_workers=MOST_AT_ONCE, thread_name_prefix="run-command")
_jobs = set()
_lock = threading.Lock()
_narrowed = {}


class Job:
    """One command on one node: a directory, and one script after the other in it."""

    def __init__(self, node, region, command_id):
        self.is_canceled = False
        self._node = node
        self._region = region
        self._command_id = command_id
        self._process = None
        self._folder = None
        self._lock = threading.Lock()

    def submit(self, run):
        """Has `run(execute)` called once a place is free, with the function that runs a step."""
        with _lock:
            _jobs.add(self)
        _pool.submit(self._run, run)

    def _run(self, run):
        try:
            self._folder = pathlib.Path(tempfile.mkdtemp(prefix="sandbox-run-"))
            with _starting:
                _lay(self._folder / "node", self._node.run_files)
            run(self.execute)
        finally:
            with _lock:
                _jobs.discard(self)
            self._remove()

    def execute(self, step):
        """Runs one script and returns its result."""
        if self.is_canceled:
            return Result("Cancelled", 1)
        if step.action not in ("aws:runShellScript", "aws:runPowerShellScript"):
            return Result("Failed", 1, note=f"the sandbox does not run {step.action}")
        if step.action == "aws:runPowerShellScript":
            return Result("Failed", 1, stderr=b'failed to run commands: exec: "pwsh": executable file not found in $PATH')
        home = self._folder / "node"
        script = self._folder / "_script.sh"
        directory = step.inputs.get("workingDirectory") or ""
        directory = directory if os.path.isabs(directory) or (home / directory).is_dir() else ""
        try:
            with self._lock, _starting:
                script.write_text(step.text + "\n", encoding="utf-8")
                script.chmod(0o700)
                self._process = subprocess.Popen(
                    # As the agent does it: a script with `#!` gets its own interpreter, others are sh's.
                    ["sh", "-c", shlex.quote(str(script))], cwd=home / directory, env=self._variables(home), process_group=0,
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                )
        except OSError as error:
            return Result("Failed", 1, stderr=f"failed to run commands: chdir {directory}: {error.strerror.lower()}".encode())
        code, stdout, stderr = self._follow(time.monotonic() + timeout_of(step))
        return ended(code, stdout, stderr, self.is_canceled)

    def _follow(self, deadline):
        """Reads until both pipes are closed, as the agent does: what a script leaves running keeps it in progress."""
        process, kept = self._process, {1: bytearray(), 2: bytearray()}
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ, 1)
            selector.register(process.stderr, selectors.EVENT_READ, 2)
            while selector.get_map() and not self._is_over(deadline):
                for key, _ in selector.select(0.05):
                    data = os.read(key.fd, 65536)
                    if not data:
                        selector.unregister(key.fileobj)
                    buffer = kept[key.data]
                    buffer += data[: KEPT_BYTES - len(buffer)]
        while process.poll() is None and not self._is_over(deadline):
            time.sleep(0.01)
        was_stopped = process.poll() is None or self._is_over(deadline)
        _kill_group(process)
        process.wait()
        process.stdout.close()
        process.stderr.close()
        code = KILLED if was_stopped else max(process.returncode, -1)
        return code, bytes(kept[1]), bytes(kept[2])

    def _is_over(self, deadline):
        return self.is_canceled or time.monotonic() > deadline

    def cancel(self):
        """Ends the script with all that it started."""
        self.is_canceled = True
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                _kill_group(self._process)

    def _remove(self):
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _variables(self, home):
        path = [str(home / "bin"), *_narrow_path(self._node.run_hides)]
        return {
            "PATH": ":".join(path),
            "HOME": str(home),
            "AWS_SSM_INSTANCE_ID": self._node.instance_id,
            "AWS_SSM_REGION_NAME": self._region,
            "AWS_SSM_PLATFORM_NAME": self._node.platform_name,
            "AWS_SSM_PLATFORM_VERSION": self._node.platform_version,
            "SSM_COMMAND_ID": self._command_id,
        }


def timeout_of(step):
    """Returns the execution time-out; the agent takes its default for what is out of bounds."""
    least, default, most = TIMEOUT_SECONDS
    try:
        seconds = int(float(step.inputs.get("timeoutSeconds", default)))
    except (TypeError, ValueError):
        return default
    return seconds if least <= seconds <= most else default


def _lay(folder, files):
    folder.mkdir()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755 if path.parent.name == "bin" else 0o644)


def _narrow_path(hidden):
    """Returns the directories of the system's programs, or one with all of them but those hidden."""
    if not hidden:
        return SYSTEM_PATH
    with _lock:
        key = tuple(sorted(hidden))
        if key not in _narrowed:
            folder = pathlib.Path(tempfile.mkdtemp(prefix="sandbox-path-"))
            for directory in SYSTEM_PATH:
                for name in os.listdir(directory) if os.path.isdir(directory) else ():
                    if name not in key and not (folder / name).is_symlink():
                        (folder / name).symlink_to(f"{directory}/{name}")
            _narrowed[key] = folder
        return [str(_narrowed[key])]


def _kill_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _end():
    with _lock:
        jobs = list(_jobs)
    for job in jobs:
        job.cancel()
        job._remove()
    for folder in _narrowed.values():
        shutil.rmtree(folder, ignore_errors=True)


def install():
    lifetime.at_end(_end)
