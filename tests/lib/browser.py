# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Chromium through its own protocol over a pipe (no further package): open, look, press keys.

with Browser(folder) as b: b.open(url); b.js("document.title"); b.shot("name")
Collects console errors, exceptions and reports of the content security policy in b.complaints.
"""
import base64, json, os, shutil, subprocess, tempfile, time


def chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    def __init__(self, shots, program=None):
        self.shots, self.n, self.events, self.complaints = shots, 0, [], []
        self.home = tempfile.mkdtemp(prefix="benchd-browser.")
        to_read, self.to = os.pipe()
        self.back, back_write = os.pipe()
        run = [program or chromium(), "--headless=new", "--no-sandbox", "--disable-gpu",
               "--remote-debugging-pipe", f"--user-data-dir={self.home}", "--no-first-run",
               "--disable-extensions", "--disable-background-networking", "--mute-audio",
               "--force-device-scale-factor=1", "--disable-dev-shm-usage", "about:blank"]
        moves = f"exec 3<&{to_read} 4>&{back_write}; exec \"$@\""
        self.p = subprocess.Popen(["bash", "-c", moves, "bash", *run], pass_fds=(to_read, back_write),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env={**os.environ, "HOME": self.home})
        os.close(to_read)
        os.close(back_write)
        self.rest, self.session = b"", None
        target = [t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"][0]
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"],
                                 flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
        except (OSError, RuntimeError):
            pass
        try:
            self.p.wait(60)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    # --- the protocol ---

    def read(self):
        while b"\0" not in self.rest:
            data = os.read(self.back, 1 << 20)
            if not data:
                raise RuntimeError("chromium has gone")
            self.rest += data
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **params):
        self.n += 1
        me = self.n
        message = {"id": me, "method": method, "params": params}
        if self.session and not method.startswith(("Target.", "Browser.")):
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            m = self.read()
            if m.get("id") == me:
                if "error" in m:
                    raise RuntimeError(f"{method}: {m['error']['message']}")
                return m["result"]
            self.note(m)

    def note(self, m):
        self.events.append(m.get("method"))
        p = m.get("params", {})
        if m.get("method") == "Runtime.exceptionThrown":
            d = p["exceptionDetails"]
            self.complaints.append("exception: " + d.get("exception", {}).get("description", d["text"]))
        elif m.get("method") == "Runtime.consoleAPICalled" and p["type"] in ("error", "assert"):
            self.complaints.append("console: " + str([a.get("value") for a in p["args"]]))
        elif m.get("method") == "Log.entryAdded" and p["entry"]["level"] == "error":
            self.complaints.append("log: " + p["entry"]["text"])
        elif m.get("method") == "Audits.issueAdded" and \
                p["issue"]["code"] == "ContentSecurityPolicyIssue":
            self.complaints.append("policy: " + json.dumps(p["issue"]["details"])[:300])

    # --- what a person does ---

    def open(self, url):
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.settle()

    def settle(self, seconds=60):
        end = time.time() + seconds
        while time.time() < end and self.js("document.readyState") != "complete":
            time.sleep(0.05)

    def js(self, expression):
        r = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                      awaitPromise=True)
        if "exceptionDetails" in r:
            raise RuntimeError(expression + ": " + r["exceptionDetails"].get("exception", {}).get(
                "description", "failed"))
        return r["result"].get("value")

    def until(self, expression, seconds=60):
        end = time.time() + seconds
        while time.time() < end:
            try:
                value = self.js(expression)
            except RuntimeError: # in the middle of a navigation
                value = None
            if value:
                return value
            time.sleep(0.05)
        return None

    KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39}

    def key(self, name, shift=False):
        code = self.KEYS[name]
        more = {"text": "\r"} if name == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, modifiers=8 * shift,
                      windowsVirtualKeyCode=code, nativeVirtualKeyCode=code,
                      **(more if kind == "keyDown" else {}))

    def type(self, text):
        self.call("Input.insertText", text=text)

    def click(self, x, y):
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def move(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)

    def scheme(self, name):
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": name}])

    def scripts(self, on):
        self.call("Emulation.setScriptExecutionDisabled", value=not on)

    def shot(self, name):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        with open(os.path.join(self.shots, name + ".png"), "wb") as f:
            f.write(base64.b64decode(data))
