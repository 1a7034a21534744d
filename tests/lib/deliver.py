#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A delivery as GitHub makes it of what is in a repository, signed; with FORGE=Gitea or FORGE=Forgejo in
the environment with their own headers and words.

Usage: deliver.py URL SECRET ID push REPOSITORY BRANCH BEFORE AFTER
       deliver.py URL SECRET ID pull REPOSITORY ACTION NUMBER HEAD BASE-BRANCH FROM
       deliver.py URL SECRET ID ping

Prints the status and the body of the answer.
"""
import hashlib
import hmac
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

url, secret, ident, event = sys.argv[1:5]
rest = sys.argv[5:]
ours = {"full_name": "ada/orbit", "default_branch": "main", "clone_url": "https://evil.example/x.git"}


def git(*words):
    return subprocess.run(["git", "-C", rest[0], *words], check=True, capture_output=True, text=True).stdout


def commits(before, after):
    for sha in git("rev-list", "--reverse", f"{before}..{after}").split():
        files = {"A": [], "M": [], "D": []}
        for line in git("diff-tree", "--no-commit-id", "--name-status", "-r", sha).splitlines():
            kind, name = line.split("\t", 1)
            files.get(kind[0], files["M"]).append(name)
        yield {"id": sha, "added": files["A"], "modified": files["M"], "removed": files["D"]}


if event == "push":
    branch, before, after = rest[1:]
    payload = {"ref": "refs/heads/" + branch, "before": before, "after": after, "created": False,
               "deleted": False, "forced": False, "repository": ours,
               "commits": list(commits(before, after))}
elif event == "pull":
    action, number, head, base, origin = rest[1:]
    payload = {"action": action, "number": int(number), "repository": ours, "pull_request": {
        "head": {"sha": head, "ref": "main", "repo": {"full_name": origin, "fork": True}},
        "base": {"sha": git("rev-parse", base).strip(), "ref": base}}}
else:
    payload = {"zen": "Keep it logically awesome.", "repository": ours}
forge = os.environ.get("FORGE", "GitHub")
if forge != "GitHub":
    for name in ("created", "deleted", "forced"):
        payload.pop(name, None)
    if payload.get("action") == "synchronize":
        payload["action"] = "synchronized"
raw = json.dumps(payload).encode()
digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
headers = {"Content-Type": "application/json", f"X-{forge}-Delivery": ident,
           f"X-{forge}-Event": {"pull": "pull_request"}.get(event, event)}
headers |= {"X-Hub-Signature-256": "sha256=" + digest} if forge == "GitHub" else {f"X-{forge}-Signature": digest}
request = urllib.request.Request(url, raw, headers)
try:
    with urllib.request.urlopen(request, timeout=30) as answer:
        print(answer.status, answer.read().decode())
except urllib.error.HTTPError as e:
    print(e.code, e.read().decode())
