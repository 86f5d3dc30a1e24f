"""Owns the way of a request through the sandbox: control URL, account, fault,
moto with the extension, call log.

Knows no AWS service. https://docs.getmoto.org/en/latest/docs/server_mode.html
"""

import contextlib
import io
import json
import re
import socket
import sys
import threading
import time
import traceback
from collections import defaultdict

from flask import Flask
from moto.core.utils import convert_to_flask_response
from moto.moto_server.werkzeug_app import BackendRequest, DomainDispatcherApplication, create_backend_app
from werkzeug.datastructures import Headers
from werkzeug.test import run_wsgi_app

import accounts
import calls
import control
import emulate
import faults
import iam_enforce
import protocol
import snapshots
import unkind
import wire

DEFAULT_ACCOUNT = "123456789012"


class Proxy:
    """The WSGI application."""

    def __init__(self):
        self._moto = DomainDispatcherApplication(_application_of)
        # Moto's backends are not safe under threads, and a tool calls in parallel.
        # One lock per account and service lets an emulated service call another one.
        self._locks = defaultdict(threading.RLock)
        self._gate = snapshots.Gate()

    def __call__(self, environ, start_response):
        body = _read_body(environ)
        if environ["PATH_INFO"].startswith("/_sandbox/"):
            with self._gate.inside():
                status, headers, text = control.answer(environ, body)
        else:
            status, headers, text = self._aws(environ, body)
        headers = Headers(headers)
        if "Content-Length" not in headers:
            headers["Content-Length"] = str(len(text))
        start_response(f"{status} {'OK' if status < 400 else 'Error'}", list(headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [text]

    def _aws(self, environ, body):
        credential = accounts.credential_of(environ)
        service = credential.service if credential else _service_of_unsigned(body)
        region = credential.region if credential else "us-east-1"
        account = accounts.account_of(credential.access_key) if credential else DEFAULT_ACCOUNT
        with self._gate.inside():
            understood = protocol.understand(service, dict(environ), body)
        fault = account and faults.take(account, region, service, understood.operation)
        if fault and fault["when"] == "before":
            _delay(fault)
        answer = done = None
        if account is None:
            answer = _unknown_key(understood)
        elif fault and fault["kind"] not in faults.DONE and fault["when"] == "before":
            answer = _faulty(fault, understood, account, region)
        elif service == "ssm" and understood.violations:
            answer = _violation(understood)
        elif refused := iam_enforce.refusal(credential, account, region, understood, environ):
            answer = refused
        else:
            with iam_enforce.serving(credential, environ):
                answer = done = self._served(environ, body, account, region, service, understood)
            if fault and fault["kind"] not in faults.DONE:
                answer = _faulty(fault, understood, account, region)
        with self._gate.inside():
            _record(environ, credential, account, region, understood, answer, done)
        if fault and fault["when"] == "after":
            _delay(fault)
        if fault and fault["kind"] == "drop":
            _hang_up(environ)
        if fault and fault["kind"] == "cut":
            _cut(environ, *answer)
        return answer

    def _served(self, environ, body, account, region, service, understood):
        """Returns the answer of the service: a read may be answered as before a write, see the fault kind `stale`."""
        user_agent = environ.get("HTTP_USER_AGENT", "")
        refused = unkind.refusal(account, region, understood, user_agent)
        if refused:
            return wire.render_error(understood.protocol, service, *refused)
        operation = understood.operation
        request = (_sendable(environ), body, account, service, understood)
        if calls.is_read_only(operation):
            snapshot = None if unkind.is_patient(user_agent) else snapshots.before(account, region, service)
            answer = snapshot and snapshot.ask(request)
            return answer or self._dispatch(request)
        with self._lock_of(account, service, operation):
            fault = faults.take_stale(account, region, service, operation)
            seconds = max(faults.staleness(fault) if fault else 0, unkind.staleness(account, service, operation))
            snapshot = snapshots.Snapshot(self._gate, self._run) if seconds else None
            answer = self._dispatch(request)
            if answer[0] < 400:
                unkind.done(account, region, understood, answer[2], seconds)
            elif fault:
                faults.give_back(fault)
            if snapshot and answer[0] < 400:
                snapshots.keep(account, region, service, snapshot, seconds)
            elif snapshot:
                snapshot.end()
        return answer

    def _lock_of(self, account, service, operation):
        runs_long = emulate.is_long(service, operation)
        return contextlib.nullcontext() if runs_long else self._locks[(account, service)]

    def _dispatch(self, request):
        _, _, account, service, understood = request
        # What waits for other calls would keep the process from forking at any of them.
        waits = emulate.is_long(service, understood.operation) or emulate.calls_back(service)
        gate = contextlib.nullcontext() if waits else self._gate.inside()
        with self._lock_of(account, service, understood.operation), gate:
            return self._run(request)

    def _run(self, request):
        environ, body, account, service, understood = request
        environ = {**environ, "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr, "HTTP_X_MOTO_ACCOUNT_ID": account}
        try:
            chunks, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
            return int(status.split(" ", 1)[0]), list(headers), b"".join(chunks)
        except NotImplementedError:
            message = f"the sandbox does not emulate {service}:{understood.operation}"
        except Exception as error:  # Moto's own bugs: show the developer, keep serving.
            traceback.print_exc(file=sys.stderr)
            message = f"the sandbox broke on {service}:{understood.operation}: {error!r}"
        return wire.render_error(understood.protocol, service, 400, "NotEmulated", message)


def _sendable(environ):
    """Returns of a request's environment what another process can use: everything but its connection."""
    kinds = (str, int, bool, tuple, dict)
    return {key: value for key, value in environ.items() if isinstance(value, kinds)}


def _application_of(service):
    """Makes the application that answers for a service: ours, or moto's."""
    own = emulate.own_service(service)
    if own is None:
        return create_backend_app(service)
    application = Flask(service)
    application.debug = True
    application.request_class = BackendRequest
    application.add_url_rule("/", view_func=convert_to_flask_response(own.dispatch), endpoint=service, methods=["GET", "POST"])
    return application


def _read_body(environ):
    if environ.get("wsgi.input_terminated"):
        body = environ["wsgi.input"].read()
    else:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return body


def _service_of_unsigned(body):
    return "sts" if re.search(rb"(^|&)Action=AssumeRoleWith", body) else "s3"


def _unknown_key(understood):
    # https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html
    if understood.service == "s3":
        code = "InvalidAccessKeyId"
    elif understood.service == "ec2":
        code = "AuthFailure"
    elif understood.protocol in ("json", "rest-json"):
        code = "UnrecognizedClientException"
    else:
        code = "InvalidClientTokenId"
    status = 400 if understood.protocol == "json" else 403
    message = "The security token included in the request is invalid."
    return wire.render_error(understood.protocol, understood.service, status, code, message)


def _violation(understood):
    # https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html
    count = len(understood.violations)
    message = f"{count} validation error{'s' if count > 1 else ''} detected: " + "; ".join(
        understood.violations
    )
    return wire.render_error(
        understood.protocol, understood.service, 400, "ValidationException", message
    )


def _delay(fault):
    time.sleep(fault.get("milliseconds", 0) / 1000)


def _faulty(fault, understood, account, region):
    if fault["kind"] == "drop":
        return 0, {}, b""
    status, code, message = faults.error_of(
        fault, understood.protocol, understood.service, understood.operation, account, region
    )
    return wire.render_error(understood.protocol, understood.service, status, code, message)


def _record(environ, credential, account, region, understood, answer, done):
    status, code, message, response, request_id = _read_answer(understood, answer)
    lost = done is not None and answer is not done
    calls.record(
        {
            "account": account,
            "region": region,
            "service": understood.service,
            "operation": understood.operation,
            "read_only": calls.is_read_only(understood.operation),
            "params": understood.params,
            "status": status,
            "error_code": code,
            "problems": understood.problems,
            "time": emulate.now(),
            "access_key": credential.access_key if credential else None,
            "source_ip": environ.get("REMOTE_ADDR"),
            "user_agent": environ.get("HTTP_USER_AGENT"),
            "error_message": message,
            "response": response,
            "request_id": request_id,
            # What the service did, when the caller got another answer.
            "lost": _read_answer(understood, done) if lost else None,
        }
    )


def _read_answer(understood, answer):
    """Returns (status, error code, error message, parsed answer, request id)."""
    status, headers, text = answer
    headers = Headers(headers)
    code = message = response = None
    if status >= 400:
        code, message = wire.read_error(understood.protocol, headers, text)
    elif status and understood.protocol == "json":
        try:
            response = json.loads(text or b"{}")
        except ValueError:
            response = None
    if status == 0:
        code = "ConnectionDropped"
    return status, code, message, response, headers.get("x-amzn-requestid")


def _cut(environ, status, headers, text):
    """Promises the whole answer, sends half of it and hangs up."""
    connection = environ.get("werkzeug.socket")
    if connection is not None:
        lines = [f"{name}: {value}" for name, value in dict(headers).items() if name.lower() != "content-length"]
        head = "\r\n".join([f"HTTP/1.1 {status} OK", *lines, f"Content-Length: {len(text)}", "", ""])
        connection.sendall(head.encode() + text[: len(text) // 2])
    _hang_up(environ)


def _hang_up(environ):
    connection = environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError("dropped by an injected fault")
