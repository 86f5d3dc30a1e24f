"""Runs a Lambda function on this machine for events.py: a runtime API and a Slack on the loopback (Linux only).

A function is one process that asks for an event, posts to Slack, answers, and asks for the next one. What it has
used is read while it waits for the event that never comes. Nothing is reached beyond 127.0.0.1.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import http.server
import json
import re
import subprocess
import threading
import time

import measure

API = "/2018-06-01/runtime"
WEBHOOK = "/services/T000/B000/x"
PATIENCE = 60  # seconds without a request

# The same message as ssm-events, written as one would for Lambda: one connection each, kept open, no libraries.
HANDLER = r"""
import http.client, json, os, re, sys, urllib.parse

MARKS = re.compile("([*_~`])")

def one_line(value):
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(map(one_line, value))
    return " ".join(value.split()) if isinstance(value, str) else json.dumps(value)

def who(identity):
    session = identity.get("sessionContext") or {}
    issuer = one_line((session.get("sessionIssuer") or {}).get("userName"))
    arn, kind = one_line(identity.get("arn")), identity.get("type")
    name = arn
    if kind == "AssumedRole" and issuer:
        name = issuer + " as " + arn.rsplit("/", 1)[-1]
    elif kind == "IAMUser":
        name = one_line(identity.get("userName"))
    elif kind == "AWSService":
        name = one_line(identity.get("invokedBy"))
    elif kind == "Root":
        name = "the root user"
    return name + " (MFA)" if (session.get("attributes") or {}).get("mfaAuthenticated") == "true" else name

def nodes(request):
    found = [one_line(node) for node in request.get("instanceIds") or []]
    found += [one_line(target.get("key")) + "=" + one_line(target.get("values")) for target in request.get("targets") or []]
    return ", ".join(node for node in found + [one_line(request.get("target"))] if node)

def escape(text):
    return MARKS.sub("\\1\u200b", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))

def cut(text, most):
    return text if len(text) <= most else text[: most - 1] + "\u2026"

def message(record):
    request, answer = record.get("requestParameters") or {}, record.get("responseElements") or {}
    facts = {
        "who": who(record.get("userIdentity") or {}), "from": record.get("sourceIPAddress"), "node": nodes(request),
        "document": request.get("documentName"), "reason": request.get("reason"), "session": answer.get("sessionId"),
        "command": (answer.get("command") or {}).get("commandId"), "account": record.get("recipientAccountId"),
        "region": record.get("awsRegion"), "time": record.get("eventTime"), "error": record.get("errorCode"),
        "message": record.get("errorMessage"),
    }
    facts = {label: text for label, text in ((label, one_line(value)) for label, value in facts.items()) if text}
    code, title = record.get("errorCode"), one_line(record["eventName"])
    if code:
        denied = code.startswith("AccessDenied") or code.endswith("UnauthorizedOperation")
        title = ("DENIED: " if denied else "FAILED: ") + title
    mark, title = ":red_circle: " if code else "", cut(title, 130)
    body = ""
    for label, value in facts.items():
        line = "*" + label + "*  " + escape(cut(value, 400))
        if len(body) + len(line) < 3000:
            body = body + "\n" + line if body else line
    return {"text": (mark + escape(title) + " " + escape(cut(facts.get("who", ""), 400))).rstrip(), "attachments": [{
        "color": "danger" if code else "good", "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": mark + title, "emoji": True}},
            {"type": "section", "text": {"type": "mrkdwn", "text": body or "no details", "verbatim": True}}]}]}

def call(connection, method, path, body=None):
    connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
    answer = connection.getresponse()
    return answer, answer.read()

webhook = urllib.parse.urlsplit(os.environ["SLACK_WEBHOOK_URL"])
kind = http.client.HTTPSConnection if webhook.scheme == "https" else http.client.HTTPConnection
slack, runtime = kind(webhook.netloc), http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    answer, event = call(runtime, "GET", "/2018-06-01/runtime/invocation/next")
    path = "/2018-06-01/runtime/invocation/" + answer.headers["Lambda-Runtime-Aws-Request-Id"]
    try:
        said, _ = call(slack, "POST", webhook.path, json.dumps(message(json.loads(event)["detail"])).encode())
        if said.status != 200:
            raise OSError("Slack answered " + str(said.status))
        call(runtime, "POST", path + "/response", b"null")
    except Exception as error:
        call(runtime, "POST", path + "/error", json.dumps({"errorMessage": str(error), "errorType": type(error).__name__}).encode())
"""

# The least that makes the same requests: what the two servers, the loopback and the scheduler take by themselves.
ECHO = r"""
import os, re, _socket
def connect(place):
    host, port = place.split(":")
    found = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    found.connect((host, int(port)))
    return found
def call(peer, request, body=b""):
    peer.sendall(request.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    said = peer.recv(65536)
    while b"\r\n\r\n" not in said or len(said) < said.index(b"\r\n\r\n") + 4 + int(re.search(rb"Content-Length: (\d+)", said)[1]):
        said += peer.recv(65536)
    return said.split(b"\r\n\r\n", 1)
place, path = os.environ["SLACK_WEBHOOK_URL"][len("http://"):].split("/", 1)
slack, runtime = connect(place), connect(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    head, event = call(runtime, "GET /2018-06-01/runtime/invocation/next")
    call(slack, "POST /" + path, event)
    name = re.search(rb"Request-Id: (\S+)", head)[1].decode()
    call(runtime, "POST /2018-06-01/runtime/invocation/" + name + "/response", b"null")
"""


class Run:
    """What the servers hand to one process, and what they saw of it."""

    def __init__(self, events):
        self.events = events
        self.asked, self.handed = [], []  # when an event was asked for, and when it was given
        self.messages, self.failures = [], []
        self.n_answered = 0
        self.ready, self.go, self.idle, self.ended = (threading.Event() for _ in range(4))


class Server(http.server.ThreadingHTTPServer):
    def __init__(self, run):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen = run
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request, client_address):
        """A process that was ended leaves its connections."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One segment for the head and the body, at once: else the fake is what is measured.
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *_):
        """Says nothing."""

    def do_GET(self):
        run = self.server.seen
        run.asked.append(time.perf_counter())
        if self.path != f"{API}/invocation/next":
            return self.answer(404)
        if not run.handed:
            run.ready.set()
            run.go.wait()
        number = len(run.handed)
        if number == len(run.events):
            run.idle.set()
            run.ended.wait()
            self.close_connection = True
            return None
        headers = {
            "Lambda-Runtime-Aws-Request-Id": f"00000000-0000-4000-8000-{number:012}",
            "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 30_000),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:222222222222:function:ssm-events",
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
        }
        run.handed.append(time.perf_counter())
        return self.answer(200, run.events[number], headers)

    def do_POST(self):
        run = self.server.seen
        if "Content-Length" not in self.headers:
            self.close_connection = True
            return self.answer(411)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == WEBHOOK:
            run.messages.append(body)
            return self.answer(200, b"ok", {"Content-Type": "text/plain"})
        if re.fullmatch(f"{API}/invocation/[0-9-]+/response", self.path):
            run.n_answered += 1
        else:
            run.failures.append(f"{self.path}: {body.decode(errors='replace')[:500]}")
        return self.answer(202, b'{"status":"OK"}')

    def answer(self, status, body=b"", headers=None):
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def invoke(name, command, directory, sessions):
    """Starts a function and gives it an event of each session; returns its figures in seconds and MiB.

    They are: time and CPU until it asks for its first event, the first event, the median and the CPU of the others
    (None without events), and its peak memory.
    """
    run = Run([event for event, _ in sessions])
    with Server(run) as runtime, Server(run) as slack, (directory / "stderr").open("w+") as errors:
        env = environment(directory, runtime.server_port, slack.server_port)
        started = time.perf_counter()
        process = subprocess.Popen(
            command, env=env, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
        )
        try:
            wait(name, process, run, run.ready, errors)
            at_first = cpu(process)
            run.go.set()
            wait(name, process, run, run.idle, errors)
            used, peak = cpu(process) - at_first, high_water(process)
        finally:
            process.kill()
            process.wait()
            run.go.set()
            run.ended.set()
            for server in (runtime, slack):
                server.shutdown()
    check(name, run, sessions)
    took = sorted(asked - handed for asked, handed in zip(run.asked[1:], run.handed))
    first = run.asked[1] - run.handed[0] if took else None
    median, each = (took[len(took) // 2], used / len(took)) if took else (None, None)
    return run.asked[0] - started, at_first, first, median, each, peak


def environment(directory, runtime, slack):
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(directory),
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": "ssm-events",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_REGION": "eu-central-1",
        "LAMBDA_TASK_ROOT": str(directory),
        "_HANDLER": "bootstrap",
        "SSM_EVENTS_WEBHOOK": "env:SLACK_WEBHOOK_URL",
        "SSM_EVENTS_INTERVAL": "0",
        "SLACK_WEBHOOK_URL": f"http://127.0.0.1:{slack}{WEBHOOK}",
    }


def wait(name, process, run, event, errors):
    progress, since = None, time.monotonic()
    while not event.wait(0.02):
        seen = (len(run.asked), len(run.messages), run.n_answered, len(run.failures))
        if seen != progress:
            progress, since = seen, time.monotonic()
        ended = process.poll()
        if ended is not None or time.monotonic() - since > PATIENCE:
            what = f"asked for nothing in {PATIENCE} s" if ended is None else f"ended with status {ended}"
            errors.seek(0)
            why = run.failures[-1] if run.failures else measure.complaint(errors.read())
            measure.fail(f"{name} as a Lambda function {what}: {why}")


def cpu(process):
    """Returns what all threads of a process have used: its clock as clock_getcpuclockid(3) makes it."""
    return time.clock_gettime(~process.pid << 3 | 2)


def high_water(process):
    """Returns the peak of a process in MiB, without what it held before exec."""
    with open(f"/proc/{process.pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1]) / 1024


def check(name, run, sessions):
    if run.failures or run.n_answered != len(sessions):
        measure.fail(f"{name} answered {run.n_answered} of {len(sessions)} events; failures: {run.failures[:1]}")
    posted = [json.dumps(json.loads(body), ensure_ascii=False).replace("\u200b", "") for body in run.messages]
    if len(posted) != len(sessions) or not all(session in text for text, (_, session) in zip(posted, sessions)):
        measure.fail(f"{name} posted {len(posted)} messages for {len(sessions)} sessions, or not each session's")
