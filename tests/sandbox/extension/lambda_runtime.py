"""Owns one execution environment of a function: its process, and the runtime API that the process speaks.

Each has a port of its own, since the runtime API names no function. The process is killed with its group; should the
sandbox itself be killed, the kernel ends the process.

API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
Phases and errors: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
Variables: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

import ctypes
import io
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import iam_enforce
import lifetime

from . import iam_sessions

API = "/2018-06-01/runtime"
# "The Init phase is limited to 10 seconds."
INIT_SECONDS = 10
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
# The kernel's signal comes when the thread that forked ends, so it is one that never does.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lambda-start")


class Result:
    """What one invocation ended with: the payload, and whether it is an error's."""

    def __init__(self, payload: bytes, error: bool = False) -> None:
        self.payload = payload
        self.error = error


def failure(kind: str, message: str, request_id: str) -> Result:
    """Returns the result of an error that Lambda found, not the function."""
    return Result(json.dumps({"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}).encode(), error=True)


class Invocation:
    """One event on its way through a process."""

    def __init__(self, request_id: str, event: bytes, timeout: float) -> None:
        self.request_id = request_id
        self.event = event
        self.timeout = timeout
        self.deadline: float | None = None
        self.ended = threading.Event()
        self.result: Result | None = None
        self._lock = threading.Lock()

    def end(self, result: Result) -> bool:
        """Keeps the first result: a function cannot answer twice."""
        with self._lock:
            if self.ended.is_set():
                return False
            self.result = result
            self.ended.set()
            return True


class Server(ThreadingHTTPServer):
    """A runtime API. A process that goes away in the middle of a request is no error of the sandbox."""

    daemon_threads = True

    def handle_error(self, *_arguments: Any) -> None:
        pass


class Environment:
    """A process of a function, warm between the invocations, of which it takes one at a time."""

    def __init__(self, function: Any, log: Any) -> None:
        self.arn = function.function_arn
        self._log = log
        self._waiting: queue.Queue[Invocation | None] = queue.Queue()
        self._current: Invocation | None = None
        self._process: subprocess.Popen | None = None
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="sandbox-lambda-"))
        # A file, not a pipe, so that what was printed before an answer is there with the answer.
        self._output = tempfile.TemporaryFile()
        self._n_read = 0
        self._reading = threading.Lock()
        self._server = Server(("127.0.0.1", 0), _handler_of(self))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        # Its code and variables stay those of its start, whatever becomes of the function.
        self._code = function.code_bytes
        self._variables = _variables(function, f"127.0.0.1:{self._server.server_port}", self._folder)

    def invoke(self, event: bytes, timeout: float, request_id: str) -> Result:
        """Runs one event, starting the process if there is none."""
        self._current = invocation = Invocation(request_id, event, timeout)
        started = time.time()
        if self._process is None and (refused := self._start(request_id)):
            return refused
        self._waiting.put(invocation)
        while not invocation.ended.wait(0.01):
            if invocation.deadline is None and time.time() - started > INIT_SECONDS:
                invocation.end(failure("Sandbox.Timedout", f"Task timed out after {INIT_SECONDS:.2f} seconds", request_id))
            elif invocation.deadline is not None and time.time() > invocation.deadline:
                invocation.end(failure("Sandbox.Timedout", f"Task timed out after {timeout:.2f} seconds", request_id))
            elif not self.alive and not invocation.ended.wait(2):
                # It ended before the event came to it, so that nobody saw it fail at work.
                invocation.end(failure("Runtime.ExitError", "Runtime exited without providing a reason", request_id))
            else:
                continue
            self.kill()
            self._log(json.loads(invocation.result.payload)["errorMessage"])
        self._current = None
        self.read_output()
        return invocation.result

    def _start(self, request_id: str) -> Result | None:
        """Returns what went wrong, or None. The messages are those of the logs of functions on AWS."""
        unpack(self._code, self._folder)
        program = self._folder / "bootstrap"
        if not program.is_file():
            return failure("Runtime.InvalidEntrypoint", "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]", request_id)
        try:
            self._process = _starter.submit(
                subprocess.Popen, [str(program)], cwd=self._folder, env=self._variables, stdin=subprocess.DEVNULL,
                stdout=self._output, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=_die_with_parent,
            ).result()
        except OSError as error:
            return failure("Runtime.InvalidEntrypoint", f"fork/exec /var/task/bootstrap: {error.strerror.lower()}", request_id)
        threading.Thread(target=self._watch, daemon=True).start()
        return None

    def read_output(self) -> None:
        """Logs the lines that the process has printed since the last look, and half of one if it has ended."""
        with self._reading:
            if self._output.closed:
                return
            data = os.pread(self._output.fileno(), os.fstat(self._output.fileno()).st_size - self._n_read, self._n_read)
            if self.alive:
                data = data[:data.rfind(b"\n") + 1]
            self._n_read += len(data)
            for line in data.splitlines():
                self._log(line.decode("utf-8", "replace"))

    def _watch(self) -> None:
        """Ends the invocation of a process that ended."""
        code = self._process.wait()
        _kill_group(self._process.pid)
        if invocation := self._current:
            how = f"exited with error: {'exit status ' + str(code) if code > 0 else 'signal: ' + signal.strsignal(-code).lower()}" if code \
                else "exited without providing a reason"
            invocation.end(failure("Runtime.ExitError", f"Runtime {how}", invocation.request_id))

    @property
    def alive(self) -> bool:
        """Returns whether it can take another event."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Ends the process with all that it started, and removes its files."""
        if self._process is not None:
            _kill_group(self._process.pid)
            self._process.wait()
        self.read_output()
        with self._reading:
            self._output.close()
        self._waiting.put(None)
        threading.Thread(target=self._close, daemon=True).start()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    # What the process asks for.

    def next(self) -> Invocation | None:
        """Waits for an event, whose time runs from here. None means that there will be no more."""
        invocation = self._waiting.get()
        if invocation is None:
            self._waiting.put(None)
        else:
            invocation.deadline = time.time() + invocation.timeout
        return invocation

    def answer(self, request_id: str, result: Result) -> bool:
        """Takes the answer to an event. False means that this is not the event at work."""
        current = self._current
        return current is not None and current.request_id == request_id and current.end(result)

    def init_failed(self, body: bytes) -> None:
        """Ends the invocation that waits for the start."""
        if current := self._current:
            current.end(Result(body or b"{}", error=True))


def unpack(code: bytes, folder: pathlib.Path) -> None:
    """Unpacks a deployment package with the modes of its files: without the right to execute, Lambda cannot start it."""
    with zipfile.ZipFile(io.BytesIO(code)) as package:
        for item in package.infolist():
            path = pathlib.Path(package.extract(item, folder))
            if not item.is_dir():
                path.chmod((item.external_attr >> 16) & 0o777 or 0o644)


def _variables(function: Any, api: str, folder: pathlib.Path) -> dict[str, str]:
    """Returns the documented variables only: what the sandbox itself was started with is no business of a function."""
    name, stream = function.function_name, f"{time.strftime('%Y/%m/%d')}/[{function.version}]{os.urandom(16).hex()}"
    return function.environment_vars | {
        "AWS_LAMBDA_RUNTIME_API": api, "AWS_LAMBDA_FUNCTION_NAME": name, "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size), "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}", "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_REGION": function.region, "AWS_DEFAULT_REGION": function.region, "_HANDLER": function.handler or "",
        "LAMBDA_TASK_ROOT": str(folder), "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin", "LANG": "en_US.UTF-8", "TZ": ":UTC",
        "AWS_ENDPOINT_URL": lifetime.url(),
    } | _credentials(function)


def _credentials(function: Any) -> dict[str, str]:
    """Returns those of the role, as on AWS, where IAM is enforced; elsewhere the key says whose function it is."""
    keys = f"AKIA{function.account_id}", "sandbox", "sandbox"
    if iam_enforce.is_on(function.account_id):
        session = iam_sessions.begin(function.account_id, function.region, function.role, function.function_name)
        keys = session.access_key_id, session.secret_access_key, session.session_token
    return dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), keys))


def _die_with_parent() -> None:
    if _libc:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _handler_of(environment: Environment) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """The runtime API as the process of one environment sees it."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path != f"{API}/invocation/next":
                return self._answer(404, {"errorType": "NotFound", "errorMessage": self.path})
            invocation = environment.next()
            if invocation is None:
                self.close_connection = True
                return None
            self._answer(200, invocation.event, {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": environment.arn,
                "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{os.urandom(12).hex()};Parent={os.urandom(8).hex()};Sampled=0",
            })

        def do_POST(self) -> None:
            body = self._body()
            found = re.fullmatch(rf"{API}/invocation/([^/]+)/(response|error)", self.path)
            if self.path == f"{API}/init/error":
                environment.init_failed(body)
            elif not found:
                return self._answer(404, {"errorType": "NotFound", "errorMessage": self.path})
            elif not environment.answer(found[1], Result(body, error=found[2] == "error")):
                return self._answer(400, {"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"})
            self._answer(202, {"status": "OK"})

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():  # Trailers: how a streamed response says that it failed.
                pass
            return b"".join(chunks)

        def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json", "Content-Length": str(len(text))} | (headers or {})).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_arguments: Any) -> None:
            """Prints nothing: the function's own output is the log."""

    return Handler
