"""Answers every request alike, as a Slack that takes all or as a proxy that lets nothing through, until its stdin ends.

usage: web.py STATUS SERVER TYPE BODY        prints its URL when it is ready
"""

import http.server
import sys
import threading

STATUS, SERVER, TYPE, BODY = sys.argv[1:]


class Answer(http.server.BaseHTTPRequestHandler):
    def version_string(self):
        return SERVER

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(int(STATUS))
        self.send_header("Content-Type", TYPE)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY.encode())

    do_POST = do_PUT = do_GET


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"http://127.0.0.1:{server.server_port}", flush=True)
sys.stdin.read()
