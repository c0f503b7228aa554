"""A web server before another one: what comes to it goes on to the other, under the other's name."""

import http.client
import http.server
import sys

HOST, PORT, OTHER = sys.argv[1], int(sys.argv[2]), sys.argv[3]


class Pass(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        other = http.client.HTTPConnection(OTHER)
        other.request(self.command, self.path, body, headers)
        answer = other.getresponse()
        text = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = do_DELETE = do_OPTIONS = pass_on

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer((HOST, PORT), Pass)
print("ready", flush=True)
server.serve_forever()
