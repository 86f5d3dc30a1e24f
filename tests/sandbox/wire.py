"""Owns how an AWS error looks on the wire in each protocol.

Used for answers that no moto service gives: injected faults, unknown keys and
operations that nothing here emulates.
json: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
query: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#operation-error-serialization
ec2: https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html#operation-error-serialization
s3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

import json
import re
import uuid
from xml.sax.saxutils import escape


def render_error(protocol, service, status, code, message):
    """Returns (status, headers, body) of an error in a service's protocol."""
    request_id = str(uuid.uuid4())
    if protocol in ("json", "rest-json"):
        kind = "application/json" if protocol == "rest-json" else "application/x-amz-json-1.1"
        headers = {
            "Content-Type": kind,
            "x-amzn-ErrorType": code,
            "x-amzn-RequestId": request_id,
        }
        return status, headers, json.dumps({"__type": code, "message": message}).encode()
    error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if protocol == "ec2":
        body = (
            f"<Response><Errors><Error>{error}</Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    elif service == "s3":
        body = f"<Error>{error}<RequestId>{request_id}</RequestId></Error>"
    else:
        side = "Sender" if status < 500 else "Receiver"
        body = (
            f"<ErrorResponse><Error><Type>{side}</Type>{error}</Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    headers = {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}
    return status, headers, ('<?xml version="1.0" encoding="UTF-8"?>\n' + body).encode()


def read_error(protocol, headers, body):
    """Returns (code, message) of an error answer; either may be None."""
    text = body.decode("utf-8", "replace")
    if protocol in ("json", "rest-json"):
        try:
            parsed = json.loads(text)
        except ValueError:
            parsed = {}
        if not isinstance(parsed, dict):
            parsed = {}
        code = headers.get("x-amzn-errortype") or parsed.get("__type")
        if code:
            code = code.split("#")[-1].split(":")[0]
        return code, parsed.get("message") or parsed.get("Message")
    code = re.search(r"<Code>(.*?)</Code>", text, re.S)
    message = re.search(r"<Message>(.*?)</Message>", text, re.S)
    return (code and code.group(1)), (message and message.group(1))
