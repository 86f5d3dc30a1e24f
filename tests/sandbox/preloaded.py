"""Runs the AWS CLI, or a program of this folder, many times and loads it once: starting takes a second, calling a tenth.

    preloaded.py serve SOCKET                      until stdin closes
    preloaded.py call SOCKET aws ARGUMENT..        as `aws ARGUMENT..`
    preloaded.py call SOCKET PROGRAM.py ARGUMENT.. as `python PROGRAM.py ARGUMENT..`

Each call is a process of its own, with the caller's environment, directory and standard streams; it ends with its caller.
"""

import json
import os
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# What botocore reads about a service, beside its model, to make a client.
DATA = ("service-2", "endpoint-rule-set-1", "paginators-1", "waiters-2")


def serve(path):
    """Loads the CLI and what programs import, and forks for each call."""
    import signal
    import threading

    import botocore.httpsession  # noqa: F401 - so that no child has to.
    import botocore.session
    from awscli.clidriver import create_clidriver

    # Every session would read the models anew.
    loader = create_clidriver().session.get_component("data_loader")
    botocore.session.create_loader = lambda *_: loader
    sys.path.insert(0, HERE)
    import sandbox_server  # noqa: F401 - so that no child has to.

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    threading.Thread(target=_end_with_stdin, args=(path,), daemon=True).start()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _ = listener.accept()
        request, streams = _receive(connection)
        if request["program"] == "aws":
            _read_models(loader, request["arguments"])
        if os.fork() == 0:
            listener.close()
            _work(connection, request, streams)
        connection.close()
        for stream in streams:
            os.close(stream)


def _end_with_stdin(path):
    while os.read(0, 4096):
        pass
    os.unlink(path)
    os._exit(0)


def _read_models(loader, arguments):
    """Reads what a call needs to know of its service, which the loader keeps for all children."""
    import botocore.exceptions

    service = {"s3api": "s3"}.get(arguments[0], arguments[0]) if arguments else ""
    for name in DATA:
        try:
            loader.load_service_model(service, name)
        except (botocore.exceptions.UnknownServiceError, botocore.exceptions.DataNotFoundError):
            continue


def _work(connection, request, streams):
    """Runs one call in a child of this process, and watches its caller: never returns."""
    import signal
    import threading

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        # The CLI finds its data by a variable that it set when it was imported.
        found = {"AWS_DATA_PATH": os.environ["AWS_DATA_PATH"]}
        os.environ.clear()
        os.environ.update(request["environment"] | found)
        os.chdir(request["directory"])
        for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
            setattr(sys, name, os.fdopen(number, mode))
        status = _run(request["program"], request["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    for stream in streams:
        os.close(stream)
    threading.Thread(target=_kill_with_caller, args=(connection, child), daemon=True).start()
    _, status = os.waitpid(child, 0)
    try:
        connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    finally:
        os._exit(0)


def _run(program, arguments):
    """Runs a program and returns its exit status."""
    sys.argv = [program, *arguments]
    if program == "aws":
        from awscli.clidriver import create_clidriver

        return create_clidriver().main(arguments) or 0
    import runpy
    import traceback

    try:
        runpy.run_path(os.path.join(HERE, program), run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter does.
        traceback.print_exc()
        return 1
    return 0


def _receive(connection):
    import array

    descriptors = array.array("i")
    text, ancillary, _, _ = connection.recvmsg(1 << 20, socket.CMSG_SPACE(3 * descriptors.itemsize))
    for _, _, data in ancillary:
        descriptors.frombytes(data)
    while not text.endswith(b"\n"):
        text += connection.recv(1 << 20)
    return json.loads(text), list(descriptors)


def _kill_with_caller(connection, child):
    import signal

    if not connection.recv(1):
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:  # It may have just ended by itself.
            pass


def call(path, program, arguments):
    """Has the server make a call, and returns its exit status."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    request = {"program": program, "arguments": arguments, "environment": dict(os.environ), "directory": os.getcwd()}
    text = json.dumps(request).encode() + b"\n"
    n_sent = socket.send_fds(connection, [text], [0, 1, 2])
    connection.sendall(text[n_sent:])
    return int(connection.recv(16) or 255)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    sys.exit(call(sys.argv[2], sys.argv[3], sys.argv[4:]))
