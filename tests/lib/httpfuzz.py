#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile requests to every operation that the daemon's own OpenAPI document names.

Usage: httpfuzz.py URL SECONDS SEED

A body begins as what the document's schema allows (or a body that worked) and is then damaged.
Whatever comes: no 5xx, an error is problem+json that says why, a success is valid JSON, nothing
hangs, no header is made of input. Prints what it did; the first wrong answer ends it with the
request in full and exit code 1. The same seed makes the same choices against the same answers.
"""
import http.client, json, random, re, sys, time, urllib.parse

HOSTILE = ["", " ", "a" * 300, "../../etc/passwd", "%00", "\u0000", "\ud83d\ude00", "<script>alert(1)</script>", "' OR 1=1 --",
           "\r\nX-Made: 1", "null", "-1", "1e999", "9223372036854775808", "00000000-0000-4000-8000-000000000000",
           "main", "HEAD", "{{7*7}}", "~", "*", "a/b", "\u202e", "é" * 70, "2026-02-30T00:00:00Z", "%s%n", "0" * 40]
NUMBERS = [0, -1, 1, 0.5, -0.0, 1e308, -1e308, 1e-320, 2**31, 2**53, 2**63 - 1, -2**63, 1e18, 255, 65536]
ACCEPTS = ["application/json", "application/json", "text/plain", "text/markdown", "text/csv", "text/html", "*/*",
           "application/x-nothing", "text/plain;q=0.1, application/json;q=abc", "image/svg+xml", "application/xml"]
PROBLEM = {"title", "status", "detail"}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
P = "/v0/projects/{project}"
REPORT = {"branch": "main", "testbed": "ci", "hash": "5" * 40, "start_time": "2026-01-05T00:00:00Z",
          "end_time": "2026-01-05T00:00:01Z", "results": ['{"a":{"latency":{"value":5.5,"lower_value":5}}}'],
          "settings": {"adapter": "json", "fold": "min"}, "thresholds": {"models": {"latency": {
              "test": "t_test", "min_sample_size": 2, "max_sample_size": 64, "window": 8640000, "upper_boundary": 0.98}}}}
WORKED = {  # bodies to begin with
    ("POST", P + "/reports"): REPORT, ("POST", "/v0/run"): dict(REPORT, project="demo"),
    ("POST", P + "/jobs"): {"workload": "stream.triad", "parameters": {"size": "1Mi"}, "protocol": {"processes": 3}, "priority": "nightly"},
    ("PUT", P + "/workloads/{name}"): {"kind": "build", "repository": "/srv/r.git", "build": [["make"]],
                                       "benchmarks": [{"name": "a", "command": ["./a", "{n}"]}], "matrix": {"n": [1, 2]}},
    ("POST", P + "/thresholds"): {"branch": "main", "testbed": "ci", "measure": "latency", "test": "z_score", "upper_boundary": 0.99},
    ("POST", P + "/schedules"): {"name": "night", "cron": "0 2 * * *", "time_zone": "Europe/Berlin", "job": {"workload": "stream.triad"}},
    ("PATCH", P + "/alerts/{alert}"): {"status": "dismissed", "reason": "noise"},
}


class Fuzzer:
    def __init__(self, url, seed):
        self.rng = random.Random(seed)
        u = urllib.parse.urlsplit(url)
        self.host, self.port = u.hostname, u.port
        self.link = None
        self.pool = ["demo", "main", "ci"]
        self.bodies = dict(WORKED)
        self.taken = set()
        self.doc = json.loads(self.ask("GET", "/openapi.json", None, {"Host": "localhost"})[2])
        self.operations = [(m.upper(), p, op) for p, item in sorted(self.doc["paths"].items())
                           for m, op in sorted(item.items()) if m in ("get", "post", "put", "patch", "delete")]

    # --- one request ---
    def ask(self, method, path, body=None, headers=None):
        if self.link is None:
            self.link = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            self.link.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for k, v in (headers or {}).items():
                self.link.putheader(k, v)
            if body is not None:
                self.link.putheader("Content-Length", str(len(body)))
            self.link.endheaders(body)
            r = self.link.getresponse()
            if (r.getheader("Content-Type") or "").startswith("text/event-stream"):
                head, text = dict(r.getheaders()), b""
                self.link.close()
                self.link = None
            else:
                text = r.read()
                head = dict(r.getheaders())
                if r.will_close:
                    self.link = None
            return r.status, head, text
        except (http.client.HTTPException, ConnectionError):
            self.link = None
            raise

    # --- making things up ---
    def word(self):
        r = self.rng
        return r.choice(self.pool) if r.random() < 0.5 else r.choice(HOSTILE)

    def anything(self, depth=0):
        r, k = self.rng, self.rng.randrange(9)
        if k == 0 or depth > 3:
            return self.word()
        if k < 3:
            return r.choice(NUMBERS)
        if k == 3:
            return r.choice([None, True, False])
        if k == 4:
            return [self.anything(depth + 1) for _ in range(r.randrange(4))]
        if k == 5:
            return {self.word(): self.anything(depth + 1) for _ in range(r.randrange(4))}
        if k == 6:
            deep = self.word()
            for _ in range(r.choice([5, 40, 600])):
                deep = [deep]
            return deep
        return self.word()

    def follow(self, s):
        for _ in range(5):
            if "$ref" not in s:
                break
            target = self.doc
            for part in s["$ref"][2:].split("/"):
                target = target[part]
            s = target
        return s

    def from_schema(self, s, depth=0):
        s, r = self.follow(s), self.rng
        if "oneOf" in s:
            return self.from_schema(r.choice(s["oneOf"]), depth)
        if "enum" in s:
            return r.choice(s["enum"])
        t = s.get("type", "object" if "properties" in s else None)
        t = r.choice(t) if isinstance(t, list) else t
        if t == "object":
            if depth > 5:
                return {}
            need = set(s.get("required", []))
            return {k: self.from_schema(v, depth + 1) for k, v in s.get("properties", {}).items()
                    if k in need or r.random() < 0.4}
        if t == "array":
            return [self.from_schema(s.get("items", {}), depth + 1) for _ in range(r.randrange(3))]
        if t == "integer":
            return r.randrange(1, 20)
        if t == "number":
            return r.random() * 10
        if t == "boolean":
            return r.random() < 0.5
        if t == "null":
            return None
        if s.get("format") == "date-time":
            return "2026-01-02T03:04:05Z"
        return self.word()

    def damage(self, v):
        r = self.rng
        if isinstance(v, dict) and v and r.random() < 0.8:
            v = dict(v)
            k, what = r.choice(list(v)), r.random()
            if what < 0.15:
                del v[k]
            elif what < 0.3:
                v[self.word()] = self.anything()
            else:
                v[k] = self.damage(v[k])
            return v
        if isinstance(v, list) and v and r.random() < 0.8:
            v = list(v)
            i = r.randrange(len(v))
            v[i] = self.damage(v[i])
            return v * (r.choice([1, 1, 1, 50]) if len(v) < 20 and len(repr(v)) < 5000 else 1)
        return self.anything()

    def body_of(self, key, op):
        r = self.rng
        content = self.follow(op.get("requestBody", {})).get("content", {})
        if not content and r.random() < 0.95:
            return None, {}
        kind, media = next(iter(content.items()), ("application/json", {}))
        v = self.bodies.get(key) if r.random() < 0.6 else None
        v = self.from_schema(media.get("schema", {})) if v is None else v
        for _ in range(r.randrange(4)):
            v = self.damage(v)
        text = json.dumps(v, ensure_ascii=r.random() < 0.5).encode("utf-8", "surrogatepass")
        if r.random() < 0.1:
            at = r.randrange(len(text) + 1)
            text = text[:at] + bytes(r.randrange(256) for _ in range(r.randrange(8))) + text[at + r.randrange(8):]
        if r.random() < 0.05:
            kind = r.choice(["text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=latin1"])
        return text, {"Content-Type": kind}

    def make(self, method, path, op):
        r = self.rng
        quote = lambda w: urllib.parse.quote(w.encode("utf-8", "surrogatepass"), safe="" if r.random() < 0.9 else "/:")
        # What changes or ends a project gets one of its own, so that the other one stays full.
        project = "demo" if path != P or method == "GET" else "other"
        where = re.sub(r"\{\w+\}", lambda m: quote(project if m[0] == "{project}" and r.random() < 0.9 else self.word()) or "x", path)
        names = [self.follow(p) for p in op.get("parameters", [])]
        query = [(p["name"], self.word()) for p in names if p.get("in") == "query" and r.random() < 0.4]
        if r.random() < 0.2:
            query.append((self.word(), self.word()))
        query = [(k, r.choice(["0", "1ms", "x", "-1", "nan"]) if k == "wait" else v) for k, v in query]
        if query:
            where += "?" + "&".join(quote(k) + "=" + quote(v) for k, v in query)
        body, headers = self.body_of((method, path), op)
        headers["Host"] = "localhost" if r.random() < 0.98 else "evil.example"
        headers["Accept"] = r.choice(ACCEPTS)
        for k, values in (("Idempotency-Key", ["k1", "", "x" * 300]), ("If-Match", ['"1"', "*", "W/x"]), ("If-None-Match", ['"1"', "*"]),
                          ("Prefer", ["wait=0", "wait=x", "respond-async"]), ("Range", ["bytes=0-1", "bytes=9-1"]),
                          ("Last-Event-ID", ["1", "x"]), ("Origin", ["http://evil.example"])):
            if r.random() < 0.05:
                headers[k] = r.choice(values)
        return where, body, headers

    # --- is the answer one? ---
    def wrong(self, status, head, text):
        if status >= 500 and status != 501:
            return f"status {status}"
        if "X-Made" in head:
            return "a header made of input"
        kind = head.get("Content-Type", "")
        if "json" in kind and text:
            try:
                doc = json.loads(text.decode("utf-8"))
            except ValueError as e:
                return f"no JSON: {e}"
            if status >= 400:
                if kind.split(";")[0] != "application/problem+json":
                    return f"an error as {kind}"
                if not PROBLEM <= set(doc) or not str(doc["detail"]).strip():
                    return "an error without its reason"
        elif status >= 400 and not text.strip() and status != 304:
            return "an error without a word"
        return None

    def learn(self, key, status, body, text):
        if status < 300 and body and len(body) < 20000:
            self.taken.add(key)
            try:
                self.bodies[key] = json.loads(body)
            except ValueError:
                pass
        for found in UUID.findall(text[:20000].decode("utf-8", "replace"))[:5]:
            if len(self.pool) < 60:
                self.pool.append(found)
            else:
                self.pool[self.rng.randrange(3, 60)] = found

    def run(self, seconds):
        seen, began, n, slowest = {}, time.monotonic(), 0, 0.0
        # On a slow host longer, until enough have been taken to tell.
        while time.monotonic() < began + seconds or len(self.taken) <= 5 and time.monotonic() < began + 20 * seconds:
            method, path, op = self.rng.choice(self.operations)
            if method == "DELETE" and self.rng.random() < 0.7:
                continue
            where, body, headers = self.make(method, path, op)
            start, bad = time.monotonic(), None
            try:
                status, head, text = self.ask(method, where, body, headers)
                bad = self.wrong(status, head, text)
            except TimeoutError:
                status, text, bad = 0, b"", "no answer in 60 s"
            except (http.client.HTTPException, ConnectionError) as e:
                status, text = 0, b""
                # A request that breaks HTTP may be cut off; the daemon has to be there all the same.
                if self.ask("GET", "/healthz", None, {"Host": "localhost"})[0] != 200:
                    bad = f"gone: {e!r}"
            slowest = max(slowest, time.monotonic() - start)
            if bad:
                print(f"{bad}\n{method} {where}\n{headers}\n{body!r}\n-> {status}\n{text[:2000]!r}")
                return 1
            self.learn((method, path), status, body, text)
            seen[status] = seen.get(status, 0) + 1
            n += 1
        used = len(self.taken)
        print(f"{n} requests to {len(self.operations)} operations, {used} of them taken with a body, slowest {slowest:.2f} s; "
              + ", ".join(f"{k or 'cut'}: {v}" for k, v in sorted(seen.items())))
        return 0 if seen.get(200, 0) and used > 5 else 1


if __name__ == "__main__":
    sys.exit(Fuzzer(sys.argv[1], int(sys.argv[3])).run(float(sys.argv[2])))
