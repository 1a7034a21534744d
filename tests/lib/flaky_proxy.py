#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands between a client and benchd, notes every request, and does now and then what networks
do. Usage: flaky_proxy.py URL LOG PLAN

PLAN is a file of words, one for each POST to come: "503" (not passed on, answered with an error
body), "cut" (passed on, the answer thrown away), "pass". Without words left: pass. LOG gets a line
a request: METHOD PATH api-version=V key=yes|no.
"""
import http.client
import http.server
import json
import sys
import urllib.parse

TARGET = urllib.parse.urlsplit(sys.argv[1])
LOG, PLAN = sys.argv[2:4]


def next_word():
    with open(PLAN) as f:
        words = f.read().split()
    if not words:
        return "pass"
    with open(PLAN, "w") as f:
        f.write(" ".join(words[1:]))
    return words[0]


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def note(self):
        with open(LOG, "a") as f:
            f.write("{} {} api-version={} key={}\n".format(
                self.command, self.requestline.split()[1], self.headers.get("api-version", "none"),
                "yes" if self.headers.get("Authorization", "").startswith("Bearer ") else "no"))

    def answer(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def go(self):
        self.note()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        word = next_word() if self.command == "POST" else "pass"
        if word == "503":
            error = {"request_id": "proxy", "message": "busy"}
            return self.answer(503, [("Content-Type", "application/json")], json.dumps(error).encode())
        there = http.client.HTTPConnection(TARGET.hostname, TARGET.port, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        # self.path has lost the second of two slashes.
        there.request(self.command, self.requestline.split()[1], body or None, dict(headers, Host=TARGET.netloc))
        reply = there.getresponse()
        data = reply.read()
        if word == "cut":
            self.close_connection = True
            return self.connection.shutdown(2)
        return self.answer(reply.status, reply.getheaders(), data)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_OPTIONS = go


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
print("proxy on http://127.0.0.1:{}".format(server.server_port), flush=True)
server.serve_forever()
