#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every route with every kind of caller. Speaks TAP. Usage: scopes.py BENCHD

What each scope may do is written down here once more, by hand and by rule, so that a route whose scope was
widened by mistake is seen: the table of the daemon is not its own judge."""
import http.client, json, os, re, subprocess, sys, tempfile, shutil

DIR = tempfile.mkdtemp(prefix="benchd-scopes.")
N = FAILED = 0
SCOPES = ["read", "submit", "triage", "exec", "admin"]
OPEN = {"/", "/docs/errors", "/healthz", "/readyz", "/version", "/openapi.json", "/assets/{file}", "/v0/server/version",
        "/v0/server/config/console", "/v0/server/spec", "/login",
        "/logout"}
BY_SIGNATURE = {"/v0/hooks/{name}"}
SERVER_WIDE = re.compile(r"^/v0/(hooks/deliveries|deliveries|tokens)|^/deliveries")
# Anything else that changes something: who works with results may file, upload and set limits; who
# administers removes what is measured, and names what others run.
SUBMIT = re.compile(r"/(jobs|reports|branches|testbeds|benchmarks|measures|thresholds|rules|schedules)\b|^/v0/run$")


def needed(method, path):
    if path.startswith(("/perf/", "/console/")): # a redirect that looks nothing up
        return None
    if path in OPEN or path in BY_SIGNATURE:
        return None
    if SERVER_WIDE.match(path) or "/keys" in path:
        return "admin"
    if method in ("GET", "HEAD"):
        return "read"
    if "/approve" in path:
        return "exec"
    if path.endswith("/alerts/{alert}"):
        return "triage"
    if method == "DELETE" and not re.search(r"/(jobs|rules|schedules)/", path):
        return "admin"
    return "submit" if SUBMIT.search(path) else "admin"


def ok(title, holds, detail=""):
    global N, FAILED
    N += 1
    FAILED += not holds
    print(("ok" if holds else "not ok") + f" {N} - {title}", flush=True)
    if not holds:
        print("# " + str(detail)[:3000].replace("\n", "\n# "), flush=True)


def ask(method, where, key=None, body=None, headers=None):
    c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    h = {"Content-Type": "application/json", **(headers or {})}
    if key:
        h["Authorization"] = "Bearer " + key
    c.request(method, where, json.dumps(body) if body is not None else None, h)
    r = c.getresponse()
    data = b"" if "event-stream" in r.getheader("Content-Type", "") else r.read()
    c.close()
    return r.status, data


def make(name, scopes, project=None, key=None):
    body = {"name": name, "scopes": scopes, **({"project": project} if project else {})}
    status, data = ask("POST", "/v0/tokens", key, body)
    if status != 201:
        sys.exit(f"Bail out! no token: {status} {data}")
    return json.loads(data)["key"]


UPLOAD = {"branch": "b", "testbed": "t", "start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T00:00:01Z",
          "results": ['{"a": {"latency": {"value": 1}}}'], "settings": {"adapter": "json"}}


def body_of(method, path):
    if method not in ("POST", "PUT", "PATCH"):
        return None
    return UPLOAD if path.endswith("/reports") else {}


def fill(template, project):
    """A path in which everything but the project is not there: whoever may pass gets 404 or 4xx of content."""
    path = template.replace("{project}", project)
    return re.sub(r"\{[a-z]+\}", "00000000-0000-4000-8000-000000000000", path)


def may(key, method, template, project="tried"):
    status, data = ask(method, fill(template, project), key, body_of(method, template))
    if status >= 500:
        return f"{status} {data[:200]}"
    return status not in (401, 403)


def routes(spec):
    for path, methods in sorted(spec["paths"].items()):
        for method in methods:
            if method in ("get", "post", "put", "patch", "delete"):
                yield method.upper(), path


def matrix(all_routes, keys):
    wrong = []
    for method, path in all_routes:
        scope = needed(method, path)
        for name in [None] + SCOPES:
            allowed = scope is None or name == "admin" or (name is not None and (
                scope == name or scope == "read" or (name, scope) == ("exec", "submit")))
            got = may(keys.get(name), method, path)
            if got != allowed:
                wrong.append(f"{method} {path} with {name or 'no token'}: {'may' if got is True else got}, "
                             f"but needs {scope}")
    ok(f"{len(all_routes)} routes with {len(SCOPES) + 1} callers each: nobody may more or less than his scope",
       not wrong, "\n".join(wrong))


def other_projects(all_routes, admin):
    """A key of one project, with every scope, is nobody in another project and on the whole server."""
    key = make("bound", SCOPES[:-1], "mine", admin)
    wrong = []
    for method, path in all_routes:
        if path.startswith(("/perf/", "/console/")):
            continue
        if "{project}" in path:
            status, data = ask(method, fill(path, "other"), key, body_of(method, path))
            if status not in (401, 403, 404):
                wrong.append(f"{method} {path}: {status} {data[:120]}")
        elif SERVER_WIDE.match(path) or (method != "GET" and path not in OPEN | BY_SIGNATURE | {"/v0/run"}):
            status, data = ask(method, fill(path, "other"), key, body_of(method, path))
            if status not in (401, 403, 404):
                wrong.append(f"{method} {path}: {status} {data[:120]}")
    ok("a key of one project is nobody in another and on the server", not wrong, "\n".join(wrong))
    for path in ("/v0/projects", "/v0/organizations/o/projects", "/v0/queue", "/projects", "/v0/testbeds/live",
                 "/v0/queue?format=csv"):
        status, data = ask("GET", path, key)
        ok(f"{path} tells it nothing of another project", b"other" not in data and b"secretbench" not in data,
           f"{status} {data[:400]}")
    status, data = ask("POST", "/v0/tokens", key, {"name": "more", "scopes": ["admin"]})
    ok("and it cannot make itself a better one", status in (401, 403), f"{status} {data}")


def bad_keys(admin):
    for what, key in (("an unknown one", "bencher_user_" + "A" * 30), ("one that is too long", "x" * 5000),
                      ("one with a part missing", admin[:-1]), ("one with more behind it", admin + "A"),
                      ("one with other letters", admin.swapcase())):
        status, data = ask("GET", "/v0/projects", key)
        ok(f"a wrong key is refused: {what}", status == 401 and admin.encode() not in data, (status, data))
    status, data = ask("GET", "/v0/projects", None, headers={"Authorization": "Basic " + "eDp5"})
    ok("another way to authenticate is refused", status == 401, (status, data))
    log = open(f"{DIR}/log").read()
    ok("no key is in the log", "bencher_user_" not in log, log[-500:])


def form(where, text, **headers):
    c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    c.request("POST", where, text, {"Content-Type": "application/x-www-form-urlencoded", **headers})
    r = c.getresponse()
    r.read()
    c.close()
    return r


def signing_in(keys):
    """A browser has no header for a key: a form and a cookie, which must not work for other sites."""
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    status, data = ask("GET", "/projects/mine?x=%22%3E", headers=browser)
    ok("who has no key gets a page with a form that leads back", status == 401 and b'action="/login"' in data and
       b'value="/projects/mine?x=%22%3E"' in data, (status, data))
    ok("a wrong key is refused", form("/login", "key=bencher_user_" + "A" * 30).status == 401)
    ok("and what is no key at all", form("/login", "key=a%0D%0ASet-Cookie:%20x").status == 401)
    r = form("/login", f"key={keys['read']}&next=%2Fprojects%2Fmine")
    cookie = r.getheader("Set-Cookie") or ""
    ok("a right key leads on", r.status == 303 and r.getheader("Location") == "/projects/mine", r.status)
    ok("and is kept from scripts and other sites", "HttpOnly" in cookie and "SameSite=Lax" in cookie, cookie)
    for elsewhere in ("//evil.example", "/%5Cevil.example", "https://evil.example", "%2F%2Fevil.example", "/a%0D%0Ab"):
        r = form("/login", f"key={keys['read']}&next={elsewhere}")
        ok(f"nobody is led elsewhere: {elsewhere}", r.getheader("Location") == "/projects", r.getheader("Location"))
    pair = {"Cookie": "other=1; " + cookie.split(";")[0]}
    status, data = ask("GET", "/projects/mine", headers={**browser, **pair})
    ok("the cookie opens the page", status == 200 and b"/logout" in data, (status, data[:300]))
    cookie = {s: {"Cookie": form("/login", "key=" + keys[s]).getheader("Set-Cookie").split(";")[0]} for s in SCOPES}
    here = f"http://127.0.0.1:{PORT}"
    for what, more, wanted in (
            ("of this site", {"Origin": here, "Sec-Fetch-Site": "same-origin"}, 422),
            ("of another site", {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}, 403),
            ("of another port", {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"}, 403),
            ("of a page without origin", {"Origin": "null"}, 403),
            ("that does not say for whom", {}, 403)):
        status, data = ask("POST", "/v0/projects/mine/jobs", body={}, headers={**cookie["submit"], **more})
        ok(f"a request with a cookie {what}: {wanted}", status == wanted, (status, data))
    status, data = ask("POST", "/v0/projects/mine/jobs", body={},
                       headers={**cookie["read"], "Origin": here})
    ok("a cookie has the scope of its key", status == 403, (status, data))
    r = form("/logout", "", Origin=here)
    ok("signing out takes it back", r.status == 303 and "Max-Age=0" in (r.getheader("Set-Cookie") or ""))


def main():
    global PORT
    with open(f"{DIR}/benchd.yaml", "w") as f:
        f.write("tokens:\n  required: true\nlog: debugging\nallow_adhoc_commands: true\nworker:\n  embedded: false\n")
    d = subprocess.Popen([sys.argv[1], "--listen", "127.0.0.1:0", "--state", f"{DIR}/state", "--config",
                          f"{DIR}/benchd.yaml"], stdout=subprocess.PIPE, stderr=open(f"{DIR}/log", "w"), text=True,
                         env={**os.environ, "BENCHD_LOCK_DIR": DIR})
    try:
        PORT = int(re.search(r"listening on http://[^ ]*:(\d+)", d.stdout.readline()).group(1))
        first = [f for f in os.listdir(f"{DIR}/state") if "token" in f]
        admin = open(f"{DIR}/state/{first[0]}").read().strip()
        ok("the file of the first key is nobody else's",
           os.stat(f"{DIR}/state/{first[0]}").st_mode & 0o77 == 0)
        for project in ("tried", "mine", "other"):
            ask("POST", "/v0/projects", admin, {"name": project, "slug": project})
        status, data = ask("POST", "/v0/projects/other/jobs", admin, {"definition": {
            "kind": "command", "name": "secretbench", "command": ["true"]}})
        ok("a job waits in a project that others may not see", status == 202, (status, data))
        keys = {s: make(s, [s], None, admin) for s in SCOPES}
        keys["admin"] = admin
        all_routes = list(routes(json.loads(ask("GET", "/openapi.json")[1])))
        ok("the routes are there", len(all_routes) > 90, len(all_routes))
        # Last, and with another admin: the route that revokes tokens is tried, too.
        matrix(all_routes, keys)
        other_projects(all_routes, admin)
        bad_keys(admin)
        signing_in(keys)
    finally:
        d.terminate()
        d.wait(60)
        shutil.rmtree(DIR, ignore_errors=True)
    print(f"1..{N}")
    sys.exit(FAILED > 0)


main()
