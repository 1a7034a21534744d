#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays GitHub's API and a webhook's receiver, and fails when it is told to.

Usage: forge.py FOLDER TOKEN SECRET

Prints "listening on PORT". What it was asked is a line of FOLDER/requests: method, path, what it
did. Its memory is FOLDER/state.json: statuses by commit, comments by number, webhooks by id. The
file FOLDER/fail holds what happens to the next requests that would change something, a word
each ("PATCH:500" waits for a PATCH), used up from the front:

  500 403 404     that answer, nothing is done
  429             with Retry-After: 1, nothing is done
  limit           403 with X-RateLimit-Remaining: 0 and a reset in one second
  hang            nothing is done and no answer comes
  lost            it is done, but the answer never comes
  redirect        302 to elsewhere
"""
import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import sys
import threading
import time

folder, token, secret = sys.argv[1:4]
lock = threading.Lock()
state = {"statuses": {}, "comments": [], "webhooks": {}, "wrong": []}
path = os.path.join(folder, "state.json")
if os.path.exists(path):
    with open(path, encoding="utf-8") as f:
        state = json.load(f)


def save():
    with open(path + ".new", "w", encoding="utf-8") as f:
        json.dump(state, f, indent=1, ensure_ascii=False)
    os.rename(path + ".new", path)


def next_failure(method):
    name = os.path.join(folder, "fail")
    try:
        with open(name, encoding="utf-8") as f:
            words = f.read().split()
    except FileNotFoundError:
        return None
    if not words:
        return None
    wanted, _, how = words[0].rpartition(":")
    if wanted not in ("", method):
        return None
    with open(name + ".new", "w", encoding="utf-8") as f:
        f.write(" ".join(words[1:]))
    os.rename(name + ".new", name)
    return how


def note(line):
    with open(os.path.join(folder, "requests"), "a", encoding="utf-8") as f:
        f.write(line + "\n")


class Forge(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body, headers=()):
        text = json.dumps(body).encode()
        self.send_response(status)
        for k, v in headers:
            self.send_header(k, v)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def fail(self, how):
        """True when the request is over."""
        if how in ("500", "403", "404"):
            self.answer(int(how), {"message": "told to"})
        elif how == "429":
            self.answer(429, {"message": "slow down"}, [("Retry-After", "1")])
        elif how == "limit":
            self.answer(403, {"message": "limit"}, [("X-RateLimit-Remaining", "0"),
                        ("X-RateLimit-Reset", str(int(time.time()) + 1))])
        elif how == "redirect":
            self.answer(302, {}, [("Location", "/elsewhere")])
        elif how == "hang":
            time.sleep(60)
            self.close_connection = True
        else:
            return False
        return True

    def check_token(self):
        if self.headers.get("Authorization") == "Bearer " + token:
            return True
        state["wrong"].append("token of " + self.path)
        self.answer(401, {"message": "Bad credentials"})
        return False

    def change(self, do):
        """Run do() under the lock, unless this request is to fail."""
        with lock:
            how = next_failure(self.command)
            note(f"{self.command} {self.path} {how or 'ok'}")
        if how and how != "lost":
            if self.fail(how):
                return
        with lock:
            status, body = do()
            save()
        if how == "lost":
            time.sleep(60)
            self.close_connection = True
            return
        self.answer(status, body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self):
        note(f"GET {self.path} ok")
        if not self.check_token():
            return
        m = re.fullmatch(r"/repos/[^/]+/[^/]+/commits/(\w+)/statuses\?per_page=(\d+)", self.path)
        if m:
            self.answer(200, state["statuses"].get(m[1], [])[::-1][:int(m[2])])
            return
        m = re.fullmatch(r"/repos/[^/]+/[^/]+/issues/(\d+)/comments\?per_page=(\d+)&page=(\d+)", self.path)
        if m:
            number, per, page = map(int, m.groups())
            mine = [c for c in state["comments"] if c["issue"] == number]
            self.answer(200, mine[per * (page - 1):per * page])
            return
        self.answer(404, {"message": "Not Found"})

    def do_POST(self):
        raw = self.body()
        if self.path.startswith("/webhook"):
            self.webhook(raw)
            return
        if not self.check_token():
            return
        body = json.loads(raw)
        m = re.fullmatch(r"/repos/[^/]+/[^/]+/statuses/(\w+)", self.path)
        if m:
            def add_status():
                if len(body["description"]) > 140 or body["state"] not in ("error", "failure", "pending", "success"):
                    return 422, {"message": "Validation Failed"}
                state["statuses"].setdefault(m[1], []).append(body)
                return 201, body
            self.change(add_status)
            return
        m = re.fullmatch(r"/repos/[^/]+/[^/]+/issues/(\d+)/comments", self.path)
        if m:
            def add_comment():
                if len(body["body"]) > 65536:
                    return 422, {"message": "body is too long"}
                c = {"id": len(state["comments"]) + 1, "issue": int(m[1]), "body": body["body"]}
                state["comments"].append(c)
                return 201, c
            self.change(add_comment)
            return
        self.answer(404, {"message": "Not Found"})

    def do_PATCH(self):
        body = json.loads(self.body())
        if not self.check_token():
            return
        m = re.fullmatch(r"/repos/[^/]+/[^/]+/issues/comments/(\d+)", self.path)
        if not m or int(m[1]) > len(state["comments"]):
            self.answer(404, {"message": "Not Found"})
            return

        def change_comment():
            c = state["comments"][int(m[1]) - 1]
            c["body"] = body["body"]
            c["changes"] = c.get("changes", 0) + 1
            return 200, c
        self.change(change_comment)

    def webhook(self, raw):
        ident = self.headers.get("webhook-id", "")
        text = f"{ident}.{self.headers.get('webhook-timestamp', '')}.".encode() + raw
        made = base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()

        def take():
            if f"v1,{made}" not in self.headers.get("webhook-signature", "").split(" "):
                state["wrong"].append("signature of webhook " + ident)
                return 401, {}
            state["webhooks"].setdefault(ident, []).append(json.loads(raw))
            return 200, {}
        self.change(take)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forge)
server.daemon_threads = True
save()
print("listening on", server.server_address[1], flush=True)
server.serve_forever()
