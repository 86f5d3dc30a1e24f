"""Starts the local AWS: moto's server, our extension and an optional estate on a
loopback port, and prints its URL once it is ready.

Contacts nothing; listens on 127.0.0.1 only. See README.md beside this file.
"""

import argparse
import importlib
import json
import logging
import os
import pkgutil
import signal
import sys
import threading
import warnings

# Read by moto when it is imported. Passthrough and the host's own credentials
# must never lead a request out of this machine.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
# 1,300 images in each account and Region cost 60 ms and 4 MB; no tool reads images.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
os.environ.setdefault("AWS_ACCESS_KEY_ID", "AKIA111111111111")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "sandbox")
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

import speed  # noqa: E402, F401 - before anything else of moto.
from moto.moto_server.werkzeug_app import MotoRequestHandler  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

import estate  # noqa: E402
import extension  # noqa: E402
import proxy  # noqa: E402
import lifetime  # noqa: E402
import pace  # noqa: E402
import snapshots  # noqa: E402
import unkind  # noqa: E402


class QuietHandler(MotoRequestHandler):
    """Logs no requests: the call log has them."""

    def log_request(self, code="-", size="-"):
        pass

    def connection_dropped(self, error, environ=None):
        pass


def main():
    parser = argparse.ArgumentParser(description="Serve a local AWS on loopback")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port (default)")
    parser.add_argument("--estate", help="JSON file to seed from")
    parser.add_argument("--exit-with-stdin", action="store_true", help="exit when stdin closes")
    parser.add_argument("--state", help="write {url, pid} to this file, remove it at the end")
    parser.add_argument("--unkind", type=int, metavar="SEED", help="take AWS's time for everything, in every account")
    args = parser.parse_args()
    if args.unkind is not None:
        unkind.start(args.unkind)
    try:
        pace.default()
    except ValueError as error:
        parser.error(str(error))

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    # Moto warns about error codes that are AWS's but not in a service's model.
    warnings.filterwarnings("ignore", message=".*does not match an error shape")
    install_extension()
    if args.estate:
        with open(args.estate, encoding="utf-8") as file:
            estate.seed(json.load(file))

    server = make_server(
        "127.0.0.1", args.port, proxy.Proxy(), threaded=True, request_handler=QuietHandler
    )
    server.daemon_threads = True
    url = f"http://127.0.0.1:{server.server_port}"
    lifetime.begin(url)
    if args.state:
        with open(args.state, "w", encoding="utf-8") as file:
            json.dump({"url": url, "pid": os.getpid()}, file)

    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(url, flush=True)
    try:
        wait(args.exit_with_stdin)
    finally:
        if args.state and os.path.exists(args.state):
            os.remove(args.state)
        snapshots.forget()
        lifetime.end()
        sys.stdout.flush()
        # Threads may be in the middle of a request that nobody waits for.
        os._exit(0)


def install_extension():
    """Installs every module of the `extension` package that has something to install."""
    for name in sorted(m.name for m in pkgutil.iter_modules(extension.__path__)):
        module = importlib.import_module(f"extension.{name}")
        if hasattr(module, "install"):
            module.install()


def wait(for_stdin):
    """Returns at SIGINT, at SIGTERM or, when asked, at the end of stdin."""
    ended = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: ended.set())
    if for_stdin:

        def read_to_end():
            while os.read(0, 4096):
                pass
            ended.set()

        threading.Thread(target=read_to_end, daemon=True).start()
    while not ended.wait(3600):
        pass


if __name__ == "__main__":
    main()
