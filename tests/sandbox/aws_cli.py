"""Runs the AWS CLI many times and starts it once, for scripts that call it often: starting takes a second, calling a tenth.

    aws_cli.py serve SOCKET           until stdin closes
    aws_cli.py call SOCKET ARGUMENT.. as `aws ARGUMENT..`

Each call is a process of its own, with the caller's environment, directory and standard streams; it ends with its caller.
"""

import array
import contextlib
import json
import os
import signal
import socket
import sys
import threading


def serve(path):
    """Loads the CLI, and forks for each call."""
    import botocore.httpsession  # noqa: F401 - so that no child has to.
    from awscli.clidriver import create_clidriver

    create_clidriver()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _work(connection, create_clidriver)
        connection.close()


def _end_with_stdin():
    while os.read(0, 4096):
        pass
    os._exit(0)


def _work(connection, create_clidriver):
    """Runs one call in a child of this process, and watches its caller: never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, streams = _receive(connection)
    child = os.fork()
    if child == 0:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        # The CLI finds its data by a variable that it set when it was imported.
        found = {"AWS_DATA_PATH": os.environ["AWS_DATA_PATH"]}
        os.environ.clear()
        os.environ.update(request["environment"] | found)
        os.chdir(request["directory"])
        sys.argv = ["aws", *request["arguments"]]
        for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
            setattr(sys, name, os.fdopen(number, mode))
        status = create_clidriver().main(request["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status or 0)
    for stream in streams:
        os.close(stream)
    threading.Thread(target=_kill_with_caller, args=(connection, child), daemon=True).start()
    _, status = os.waitpid(child, 0)
    try:
        connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    finally:
        os._exit(0)


def _receive(connection):
    descriptors = array.array("i")
    text, ancillary, _, _ = connection.recvmsg(1 << 20, socket.CMSG_SPACE(3 * descriptors.itemsize))
    for _, _, data in ancillary:
        descriptors.frombytes(data)
    while not text.endswith(b"\n"):
        text += connection.recv(1 << 20)
    return json.loads(text), list(descriptors)


def _kill_with_caller(connection, child):
    if not connection.recv(1):
        with contextlib.suppress(ProcessLookupError):  # It may have just ended by itself.
            os.kill(child, signal.SIGKILL)


def call(path, arguments):
    """Has the server make a call, and returns its exit status."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    request = {"arguments": arguments, "environment": dict(os.environ), "directory": os.getcwd()}
    text = json.dumps(request).encode() + b"\n"
    n_sent = socket.send_fds(connection, [text], [0, 1, 2])
    connection.sendall(text[n_sent:])
    return int(connection.recv(16) or 255)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    sys.exit(call(sys.argv[2], sys.argv[3:]))
