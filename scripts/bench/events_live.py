"""Answers as AWS does about saved sessions and objects, a page at a time: so that `ssm-events sessions` is measured where it calls, with any
number of sessions. Those of the local AWS are started one by one, which takes longer than what is measured.

Shapes are those of botocore; nothing else is checked.
"""

import bisect
import contextlib
import datetime
import http.server
import json
import threading
import urllib.parse
from xml.sax.saxutils import escape

SESSIONS, OBJECTS = 200, 1000


@contextlib.contextmanager
def serving(paths, region):
    """Serves for as long as the `with` lasts, and yields what the environment of a program needs to ask there."""
    handler = type("Handler", (Handler,), {"aws": Aws(paths, region)})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
            "AWS_ACCESS_KEY_ID": "AKIABENCH",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Aws:
    """What was saved."""

    def __init__(self, paths, region):
        self.region = region
        self.sessions = [self._session(one) for one in json.loads(paths["ended"].read_text())["Sessions"]]
        objects = json.loads(paths["objects"].read_text())["Contents"]
        self.objects = sorted(objects, key=lambda one: one["Key"])
        self.keys = [one["Key"] for one in self.objects]
        shown = json.loads(paths["preferences"].read_text())
        self.account, content = shown["target"]["account"], shown["document"]["value"]["default"]["content"]
        self.document = {"Name": "SSM-SessionManagerRunShell", "DocumentVersion": "1", "Content": json.dumps(content)}
        versions = json.loads(paths["versions"].read_text())["DocumentVersions"]
        self.versions = [one | {"CreatedDate": seconds(one["CreatedDate"])} for one in versions]

    @staticmethod
    def _session(one):
        return one | {"StartDate": seconds(one["StartDate"]), "EndDate": seconds(one["EndDate"])}

    def ssm(self, operation, request):
        if operation == "DescribeSessions":
            at = int(request.get("NextToken") or 0)
            page = self.sessions[at : at + SESSIONS] if request["State"] == "History" else []
            is_last = not page or at + SESSIONS >= len(self.sessions)
            return {"Sessions": page} | ({} if is_last else {"NextToken": str(at + SESSIONS)})
        return {"ListDocumentVersions": {"DocumentVersions": self.versions}, "GetDocument": self.document}[operation]

    def list_objects(self, query):
        after = query.get("continuation-token") or query.get("start-after") or [""]
        at = bisect.bisect_right(self.keys, after[0])
        page = self.objects[at : at + OBJECTS]
        listed = "".join(
            f"<Contents><Key>{escape(one['Key'])}</Key><Size>{one['Size']}</Size>"
            f"<LastModified>{one['LastModified'].replace('+00:00', 'Z')}</LastModified></Contents>" for one in page
        )
        more = at + OBJECTS < len(self.keys)
        token = f"<NextContinuationToken>{escape(page[-1]['Key'])}</NextContinuationToken>" if more else ""
        return f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{listed}</ListBucketResult>"


class Handler(http.server.BaseHTTPRequestHandler):
    """Knows the service by how it is called."""

    protocol_version = "HTTP/1.1"
    aws = None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        target = self.headers.get("X-Amz-Target")
        if target:
            answer = self.aws.ssm(target.partition(".")[2], json.loads(body))
            self._answer(json.dumps(answer), "application/x-amz-json-1.1")
        else:
            result = f"<Arn>arn:aws:iam::{self.aws.account}:user/bench</Arn><UserId>AIDABENCH</UserId><Account>{self.aws.account}</Account>"
            self._answer(f"<GetCallerIdentityResponse><GetCallerIdentityResult>{result}</GetCallerIdentityResult></GetCallerIdentityResponse>")

    def do_HEAD(self):
        self._answer("")

    def do_GET(self):
        self._answer(self.aws.list_objects(urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)))

    def _answer(self, text, kind="text/xml"):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amz-bucket-region", self.aws.region)
        # Without one the tools take it for the page of a proxy.
        for name in ("x-amzn-RequestId", "x-amz-request-id"):
            self.send_header(name, "bench")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Is silent."""


def seconds(text):
    return datetime.datetime.fromisoformat(text).timestamp()
