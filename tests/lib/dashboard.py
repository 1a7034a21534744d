#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page of the dashboard in a real Chromium. Speaks TAP. Usage: dashboard.py BUILD-FOLDER

Rows come from real uploads with hostile names and from a real job. Screenshots go to
BUILD-FOLDER/screenshots."""
import gzip, http.client, json, os, re, shutil, subprocess, sys, tempfile, time, uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import Browser

BUILD = os.path.abspath(sys.argv[1])
SHOTS = os.path.join(BUILD, "screenshots")
DIR = tempfile.mkdtemp(prefix="benchd-dashboard.")
N = FAILED = 0
HOSTILE = ["<script>document.title='bad'</script>", "\"><img src=x onerror=document.title='bad'>",
           "رقم ‮ gnol", "a/b %2F ?&#", "x" * 255, "😀 `$(id)` {{7*7}}"]
PAGES = ["/projects", "/projects/d", "/projects/d/alerts", "/projects/d/reports", "/projects/d/jobs",
         "/projects/d/schedules", "/deliveries"]


def ok(title, holds, detail=""):
    global N, FAILED
    N += 1
    FAILED += not holds
    print(("ok" if holds else "not ok") + f" {N} - {title}", flush=True)
    if not holds:
        print("# " + str(detail)[:1500].replace("\n", "\n# "), flush=True)


def ask(method, where, body=None, headers=None):
    c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
    c.request(method, where, json.dumps(body) if body else None,
              {"Content-Type": "application/json", **(headers or {})})
    r = c.getresponse()
    data = r.read()
    c.close()
    return r, data


def upload(i, values, testbed="t", commit=None):
    body = {"branch": "main", "hash": f"{commit or i % 40 + 1:040x}", "testbed": testbed,
            "start_time": f"2026-11-{1 + i // 24:02d}T{i % 24:02d}:00:00Z",
            "end_time": f"2026-11-{1 + i // 24:02d}T{i % 24:02d}:00:01Z",
            "idempotency_key": str(uuid.UUID(int=i + 1)),
            "results": [json.dumps({n: {"latency": {"value": v}} for n, v in values.items()})],
            "settings": {"adapter": "json"}}
    r, data = ask("POST", "/v0/projects/d/reports", body)
    if r.status != 201:
        sys.exit(f"Bail out! an upload was refused: {r.status} {data[:500]}")


def fill():
    """40 commits; the first benchmark is 20 % slower from the 25th on."""
    for i in range(40):
        wobble = 1 + 0.004 * ((i * 7919) % 11 - 5) / 5
        values = {n: 1e6 * wobble for n in HOSTILE}
        values["stencil"] = 2e6 * wobble * (1.2 if i >= 24 else 1)
        upload(i, values)
    ask("PATCH", "/v0/projects/d", {"url": "https://forge.example/d.git"})
    ask("POST", "/v0/projects/d/jobs?wait=60s", {"definition": {
        "kind": "command", "name": "told", "command": ["true"], "protocol": {
            "processes": 3, "max_processes": 3, "samples": 1, "warmup": 0, "adaptive": False,
            "idle_wait": 0}}})


def without_scripts(b):
    b.scripts(False)
    b.open(URL + "/projects/d")
    ok("without scripts the overview is a table", b.call("DOM.getDocument", depth=0) and
       "<table" in html("/projects/d"), "")
    b.shot("overview-without-scripts")
    b.scripts(True)


def html(where):
    return ask("GET", where)[1].decode()


def visit(b, where, name, forms=2):
    b.complaints.clear()
    b.open(URL + where)
    b.until("!!document.querySelector('.u-over') || !document.querySelector('#plot')")
    b.shot(name)
    ok(f"{name}: no error on the console, no report of the policy", not b.complaints, b.complaints)
    ok(f"{name}: a title and one heading", b.js(
        "document.title.endsWith('benchd') && document.querySelectorAll('h1').length === 1"),
       b.js("document.title"))
    twins = b.js("[...document.querySelectorAll('footer a')].map((a) => a.getAttribute('href'))")
    answers = [(t, r.status, r.getheader("Content-Type", "")) for t in twins for r in [ask("GET", t)[0]]]
    ok(f"{name}: its JSON and CSV are there", len(answers) == forms and "json" in answers[0][2] and
       (forms == 1 or "csv" in answers[1][2]) and all(a[1] == 200 for a in answers), answers)
    cut = b.js("[...document.querySelectorAll('.scroll')].map((e) => e.scrollWidth - e.clientWidth).filter((w) => w > 0)")
    ok(f"{name}: at 1280 px no table is cut off", not cut, cut)
    ok(f"{name}: no name has become a program", b.js(
        "document.title !== 'bad' && !document.querySelector('main script, main img')"), "")


def narrow(b, where, name, width=320):
    b.size(width, 844 if width > 320 else 640)
    b.open(URL + where)
    b.until("!!document.querySelector('.u-over') || !document.querySelector('#plot')")
    b.shot(name + "-narrow")
    over = b.js("document.documentElement.scrollWidth - innerWidth")
    ok(f"{name}: {width} px wide without scrolling the page sideways", over <= 0, over)
    cut = b.js("""[...document.querySelectorAll('table')].filter(t => t.querySelector('td')).map(t => {
        const box = t.parentElement.getBoundingClientRect();
        const cell = [...t.querySelectorAll('td')].find(c => /[+-][0-9.]+ %/.test(c.textContent));
        return cell ? Math.round(cell.getBoundingClientRect().left - box.right + 30) : 0; })""")
    ok(f"{name}: a change begins inside the screen", not cut or cut[0] <= 0, cut)
    b.size(1280, 900)


def accessible(b, name):
    """The serious ones of what checkers look for."""
    bad = b.js("""(() => { const bad = [];
      document.querySelectorAll('a, button, input, select').forEach((e) => {
        const text = (e.getAttribute('aria-label') || e.textContent || '').trim() ||
          (e.labels && e.labels.length && e.labels[0].textContent.trim());
        if (!text) bad.push('no name: ' + e.outerHTML.slice(0, 80)); });
      document.querySelectorAll('svg').forEach((e) => {
        if (e.getAttribute('role') === 'img' && !e.getAttribute('aria-label') && !e.querySelector('title'))
          bad.push('no name: svg'); });
      document.querySelectorAll('table').forEach((t) => {
        if (!t.caption && !t.closest('[role=region][aria-label]')) bad.push('no caption: ' + t.outerHTML.slice(0, 60)); });
      document.querySelectorAll('th').forEach((t) => { if (t.scope === '' && !t.closest('tbody')) bad.push('no scope: ' + t.textContent); });
      const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
      if (new Set(ids).size !== ids.length) bad.push('an id twice');
      if (!document.documentElement.lang) bad.push('no language');
      if (document.querySelectorAll('main').length !== 1) bad.push('not one main');
      const lum = (c) => { const m = c.match(/[\\d.]+/g).slice(0, 3).map((v) => { v /= 255;
        return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
        return 0.2126 * m[0] + 0.7152 * m[1] + 0.0722 * m[2]; };
      const back = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
        if (c !== 'rgba(0, 0, 0, 0)') return c; } return 'rgb(255,255,255)'; };
      document.querySelectorAll('main *').forEach((e) => {
        if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || e.closest('svg')) return;
        const x = lum(getComputedStyle(e).color), y = lum(back(e));
        const ratio = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
        if (ratio < 4.5) bad.push('contrast ' + ratio.toFixed(2) + ': ' + e.textContent.slice(0, 30)); });
      return [...new Set(bad)]; })()""")
    ok(f"{name}: names, captions, scopes and contrast", bad == [], bad)


AXE = open(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../vendor/axe-core/axe.min.js")).read()


def axe(b, name):
    b.js(AXE + "; 1")
    found = b.js("axe.run().then((r) => r.violations.filter((v) => ['serious', 'critical'].includes(v.impact))"
                 ".map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 100)).slice(0, 3).join(' | ')))")
    ok(f"{name}: axe finds nothing serious", found == [], found)


def keyboard(b):
    b.open(URL + "/projects/d")
    b.key("Tab")
    ok("the first stop of the keyboard skips to the content", b.js(
        "document.activeElement.className") == "skip")
    ok("and is seen", b.js("getComputedStyle(document.activeElement).outlineStyle") != "none")
    b.key("Enter")
    stops = []
    for _ in range(60):
        b.key("Tab")
        stops.append(b.js("document.activeElement.textContent.trim().slice(0, 20)"))
        if stops[-1] == "stencil":
            break
    ok("the keyboard gets to a benchmark", stops[-1] == "stencil", stops)
    b.key("Enter")
    ok("and opens its history", b.until("location.pathname.includes('/series/')"), b.js("location.href"))
    b.js("history.back()")
    b.until("location.pathname === '/projects/d'")


def filter_and_sort(b):
    b.open(URL + "/projects/d")
    b.js("document.querySelector('[data-filter] input').focus()")
    b.type("stencil")
    shown = "[...document.querySelectorAll('[data-filter] + .scroll tbody tr')].filter((r) => !r.hidden).length"
    ok("the filter leaves what was asked for", b.js(shown) == 1, b.js(shown))
    ok("the filter is in the address", "filter=stencil" in b.js("location.search"))
    b.open(URL + "/projects/d?filter=stencil")
    ok("and is there again from the address", b.js(shown) == 1)
    b.open(URL + "/projects/d")
    first = "document.querySelector('[data-filter] + .scroll tbody tr').cells[3].dataset.v * 1"
    b.js("[...document.querySelectorAll('[data-filter] + .scroll th button')].find((x) => x.textContent === 'Last').click()")
    low = b.js(first)
    b.js("[...document.querySelectorAll('[data-filter] + .scroll th button')].find((x) => x.textContent === 'Last').click()")
    ok("a column sorts both ways", b.js(first) > low, (low, b.js(first)))
    ok("and says so to readers of the screen", b.js(
        "document.querySelectorAll('th[aria-sort=descending]').length") == 1)


def chart(b, series):
    b.open(URL + series)
    ok("the limits on the next commit are told", "expected within" in b.js(
        "document.querySelector('.verdict').textContent"), b.js("document.querySelector('.verdict').textContent"))
    ok("the chart is drawn", b.until("!!document.querySelector('.u-over')"))
    ok("in place of the picture", b.js("document.querySelector('#plot > svg').getBoundingClientRect().height") == 0)
    box = b.js("(() => { const r = document.querySelector('.u-over').getBoundingClientRect();"
               " return [r.left, r.top, r.width, r.height]; })()")
    b.move(box[0] + box[2] / 2, box[1] + box[3] / 2)
    ok("a point tells its commit", b.until("!document.querySelector('.card').hidden"))
    b.shot("series-card")
    b.click(box[0] + box[2] * 0.1, box[1] + box[3] / 2)
    b.click(box[0] + box[2] * 0.9, box[1] + box[3] / 2)
    ok("two points are compared", b.until("location.pathname.endsWith('/compare')"), b.js("location.href"))
    b.settle()
    b.shot("compare")
    twins = b.js("[...document.querySelectorAll('footer a')].map((a) => a.getAttribute('href'))")
    answers = [ask("GET", t)[0].getheader("Content-Type", "") for t in twins]
    ok("its JSON and CSV are what they say", len(answers) == 2 and "json" in answers[0] and
       "csv" in answers[1], (twins, answers))
    ok("with a verdict", "Comparison" in b.js("document.querySelector('h1').textContent"))


TWO_CHANGES = """(() => {
  const json = Response.prototype.json, fill = CanvasRenderingContext2D.prototype.fillText;
  Response.prototype.json = async function () {
    const d = await json.call(this), c = d.changes && d.changes[0];
    if (c) d.changes.push({ ...c, version: c.version + 1, effect: 0.1302 });
    return d;
  };
  window.labels = [];
  CanvasRenderingContext2D.prototype.fillText = function (t, x, y) {
    if (/slower/.test(t)) labels.push([t, x, y, this.measureText(t).width]);
    fill.call(this, t, x, y);
  };
})()"""


def labels_apart(b, series):
    """A second change one commit behind the first: both labels can be read."""
    planted = b.call("Page.addScriptToEvaluateOnNewDocument", source=TWO_CHANGES)["identifier"]
    b.open(URL + series)
    b.until("window.labels && labels.length >= 2")
    (title, x, y, wide), second = b.js("labels.slice(-2)")
    ok("labels of changes side by side stand apart", y != second[2] or x + wide < second[1] or
       second[1] + second[3] < x, (title, x, y, wide, second))
    ok("with the digits of the tables", second[0].endswith("+13.0 %"), second[0])
    b.call("Page.removeScriptToEvaluateOnNewDocument", identifier=planted)


def chart_controls(b, series):
    """What is chosen is in the address, and there again from it."""
    upload(40, {"stencil": 2.1e6}, testbed="u")
    upload(41, {"stencil": 2.2e6}, testbed="u")
    b.open(URL + series)
    b.until("!!document.querySelector('.u-over')")
    told = "document.querySelector('.legend').textContent"
    ok("the legend names units and direction", "nanoseconds (ns), lower is better" in b.js(told), b.js(told))
    boxes = "document.querySelectorAll('tr[data-series] input')"
    ok("other histories of the benchmark are offered", b.js(boxes + ".length") == 1, b.js(boxes + ".length"))
    b.js(boxes + "[0].click()")
    ok("one more is drawn into the same chart", b.until("location.search.includes('with=') && "
       "document.querySelectorAll('.legend li').length === 2"), b.js("location.href"))
    b.js("(() => { const s = document.querySelector('select[name=values]'); s.value = 'percent';"
         " s.dispatchEvent(new Event('change')); })()")
    b.js("(() => { const s = document.querySelector('select[name=axis]'); s.value = 'zero';"
         " s.dispatchEvent(new Event('change')); })()")
    ok("axis and values are in the address", b.js("location.search.includes('values=percent') && "
       "location.search.includes('axis=zero')"), b.js("location.search"))
    b.open(b.js("location.href"))
    b.until("!!document.querySelector('.u-over')")
    ok("and hold when it is opened again", b.js("document.querySelector('select[name=values]').value === 'percent'"
       " && document.querySelectorAll('.legend li').length === 2"))
    b.shot("series-overlay")
    accessible(b, "series with another one")
    axe(b, "series with another one")
    b.js("document.querySelector('.u-over').focus()")
    for _ in range(2):
        b.key("ArrowRight")
    ok("the keyboard walks along the commits", b.until("!document.querySelector('.card').hidden"))
    card = b.js("document.querySelector('.card').textContent")
    ok("and hears both values", "%" in card and card.count("[") == 0 and "on u" in card, card)
    b.key("Enter")
    b.key("ArrowRight")
    b.key("Enter")
    ok("two of them are compared without a mouse", b.until("location.pathname.endsWith('/compare')"), b.js("location.href"))
    b.open(URL + series + "?axis=log&range=10.0,20.0")
    b.until("!!document.querySelector('.u-over')")
    ok("a part of it can be opened, and left", b.until("!document.querySelector('.bar button').hidden"))
    b.js("document.querySelector('.bar button').click()")
    ok("for the whole again", b.until("!location.search.includes('range')"), b.js("location.search"))
    b.open(URL + series)
    ok("a commit leads to the web page of the project", b.js(
        "document.querySelector('td a[href^=\"https://forge.example/d/commit/\"]') !== null"))


def schedule_actions(b):
    r, data = ask("POST", "/v0/projects/d/schedules", {"name": "yearly", "cron": "30 2 1 1 *", "time_zone": "Europe/Berlin",
                                                       "workload": "control"})
    ok("a schedule is made", r.status == 201, data)
    b.open(URL + "/projects/d/schedules")
    ok("its next slots are shown in its zone", b.js("document.querySelector('tbody tr').textContent.split('02:30').length") == 6,
       b.js("document.querySelector('tbody tr').textContent"))
    accessible(b, "schedules with one")
    axe(b, "schedules with one")
    b.shot("schedules-one")
    b.js("[...document.querySelectorAll('[data-schedule] button')].find((x) => x.textContent === 'Pause').click()")
    ok("it is paused by a button", b.until("document.querySelector('tbody tr').textContent.includes('Resume')"))
    b.js("[...document.querySelectorAll('[data-schedule] button')].find((x) => x.textContent === 'Run now').click()")
    ok("and run by another", b.until("!!document.querySelector('tbody tr a[href*=jobs]')"),
       b.js("document.querySelector('tbody tr').textContent"))


def alerts(b):
    """One cause, two benchmarks: one group. One alert on its page, and every form of it with scripts off."""
    ask("POST", "/v0/projects/d/thresholds", {"branch": "main", "testbed": "t", "measure": "latency", "test": "percentage",
                                              "min_sample_size": 2, "upper_boundary": 0.05})
    hostile = HOSTILE[0]
    upload(50, {"stencil": 4e6, hostile: 4e6, "calm": 1e6}, commit=0xfeed << 128)
    open_ones = [a for a in json.loads(ask("GET", "/v0/projects/d/alerts?state=confirmed,suspect")[1])
                 if a["hash"] == f"{0xfeed << 128:040x}"]
    ok("one commit makes two benchmarks slower", len(open_ones) == 2, open_ones)
    b.open(URL + "/projects/d/alerts")
    groups = b.js("[...document.querySelectorAll('h3')].map((h) => [h.textContent, h.nextElementSibling.querySelectorAll('tbody tr').length])")
    ok("they are one group that names the commit and how many",
       any(g[0].startswith("2 alerts at 0000feed") and "main on t" in g[0] and g[1] == 2 for g in groups), groups)
    b.shot("alerts-groups")
    accessible(b, "alerts in groups")
    axe(b, "alerts in groups")
    narrow(b, "/projects/d/alerts", "alerts-groups", 390)
    al = [a for a in open_ones if a["benchmark"]["name"] == hostile][0]
    where = f"/projects/d/alerts/{al['uuid']}"
    b.open(URL + "/projects/d/alerts")
    ok("a row leads to the page of its alert", b.js(f"!!document.querySelector('td a[href=\"{where}\"]')"))
    visit(b, where, "alert", forms=1)
    accessible(b, "alert")
    axe(b, "alert")
    narrow(b, where, "alert", 390)
    narrow(b, where, "alert-least")
    told = b.js("document.querySelector('main').textContent")
    whole = json.loads(ask("GET", "/v0" + where)[1])
    ok("it tells effect, before and after, and how to see it again", all(t in told for t in (
        "slower", "before", "after", "Commits", "Evidence", "Environment", whole["reproduce"])), told)
    ways = b.js("[...document.querySelectorAll('main a[href^=\"/projects/\"]')].map((a) => a.getAttribute('href'))")
    ok("history, report and comparison that it leads to are there", len(ways) == 3 and
       [ask("GET", w)[0].status for w in ways] == [200, 200, 200], ways)
    r, page = ask("GET", "/v0" + where, headers={"Accept": "text/html"})
    ok("the address of its JSON has it as HTML, too", "text/html" in r.getheader("Content-Type") and
       b"<h1>Alert:" in page and b"<script>" not in page, page)
    b.scripts(False)
    for act, fields, said in (("acknowledge", {}, "acknowledged"), ("assign", {"assignee": "Ada & Co"}, "<dd>Ada &amp; Co"),
                              ("note", {"note": "<b>mine</b>"}, "<b>mine</b>"),
                              ("snooze", {}, "snoozed until"),
                              ("dismiss", {"reason": "expected", "note": "a new kernel"}, "dismissed: expected")):
        b.open(URL + where)
        fill_form(b, act, fields)
        b.until("!window.old && document.readyState === 'complete'")
        page = html(where)
        ok(f"without scripts it is done by a form: {act}", (said if "<dd>" in said else said.replace("<", "&lt;").replace(">", "&gt;")) in re.sub("</?span[^>]*>", "", page), page)
    b.scripts(True)
    ok("a dismissed one has no form to dismiss it", 'value="dismiss"' not in html(where) and 'value="note"' in html(where))
    kinds = [e["kind"] for e in json.loads(ask("GET", f"/v0{where}/journal")[1])]
    ok("the journal has each", {"acknowledged", "assigned", "note", "snoozed", "dismissed"} <= set(kinds), kinds)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body, status, said in (("act=dismiss&reason=", 422, "'reason' is missing"), ("act=no", 422, "'act' is 'no'"),
                               ("act=snooze&for=9999d", 422, "366d"), ("act=snooze&for=soon", 400, "not a duration"),
                               ("act=note&note=%00", 400, "%00")):
        r, data = post_form(where, body, form)
        ok(f"the form refuses {body}", r.status == status and said in data.decode(), (r.status, data))
    r, data = post_form(where, "act=acknowledge", {**form, "Origin": "http://evil.example"})
    ok("another site cannot send the form", r.status == 403, (r.status, data))


def post_form(where, body, headers):
    c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
    c.request("POST", where, body, headers)
    r = c.getresponse()
    data = r.read()
    c.close()
    return r, data


def fill_form(b, act, fields):
    """Through the browser itself: what it sends is what it says (Origin, encoding)."""
    sets = "".join(f"f.elements[{json.dumps(k)}].value = {json.dumps(v)};" for k, v in fields.items())
    b.js(f"(() => {{ window.old = 1; const f = document.querySelector('form button[name=act][value={act}]').form; {sets}"
         " f.querySelector('button').click(); })()")


def live(b):
    """The queue and a job move without polling: one stream each, no request while nothing happens."""
    b.open(URL + "/projects/d/jobs")
    job = json.loads(ask("POST", "/v0/projects/d/jobs", {"definition": {
        "kind": "command", "command": ["sleep", "0.2"], "protocol": {
            "processes": 4, "max_processes": 4, "samples": 1, "warmup": 0, "adaptive": False,
            "idle_wait": 0}}})[1])
    ok("a job that is filed shows up in the queue by itself",
       b.until("document.querySelector('#live').textContent.includes('sleep')"))
    b.open(URL + "/projects/d/jobs/" + job["uuid"])
    ok("the page of a job follows it to its end", b.until(
        "document.querySelector('.verdict').textContent.includes('succeeded') &&"
        " !!document.querySelector('#live a[href*=reports]')", 120), b.js("document.body.innerText"))
    ok("an ended job cannot be canceled", b.js("!document.querySelector('#live [data-cancel]')"))
    twins = b.js("[...document.querySelectorAll('footer a')].map((a) => a.getAttribute('href'))")
    ok("job: its JSON and CSV are there", [ask("GET", t)[0].status for t in twins] == [200, 200], twins)
    accessible(b, "job")
    axe(b, "job")
    narrow(b, "/projects/d/jobs/" + job["uuid"], "job")
    b.open(URL + "/projects/d/reports")
    side = ask("POST", "/v0/projects/d/reports", {
        "branch": "side", "testbed": "t", "start_time": "2026-11-21T09:00:00Z",
        "end_time": "2026-11-21T09:00:05Z", "results": ['{"stencil":{"latency":{"value":2e6}}}'],
        "settings": {"adapter": "json"}})[1]
    page = html("/projects/d/reports/" + json.loads(side)["uuid"])
    ok("the report of a branch leads to its comparison with main",
       "Compare with main" in page, "")
    ok("reports say how many benchmarks they have", b.js(
        "[...document.querySelectorAll('tbody tr')].every((r) => Number(r.cells[5].textContent) > 0)"))


def policy(b):
    b.open(URL + "/projects/d")
    b.complaints.clear()
    b.js("(() => { const s = document.createElement('script'); s.textContent = 'document.title = \"bad\"';"
         " document.body.append(s); })()")
    for _ in range(200):
        b.js("1") # what has come meanwhile is read with the answer
        if any("olicy" in c for c in b.complaints):
            break
        time.sleep(0.05)
    ok("the policy is seen to stop a planted script", b.js("document.title") != "bad" and
       any("olicy" in c for c in b.complaints), b.complaints)


def sizes():
    page = html("/projects/d")
    files = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', page + html(SERIES)))
    total = sum(len(ask("GET", f, headers={"Accept-Encoding": "gzip"})[1]) for f in files)
    ok(f"all files together are at most 100 KB packed ({total} bytes in {len(files)})",
       0 < total <= 100_000 and len(files) == 4, files)
    r, data = ask("GET", sorted(files)[0], headers={"Accept-Encoding": "gzip"})
    ok("files are kept for ever and packed", "immutable" in r.getheader("Cache-Control", "") and
       r.getheader("Content-Encoding") == "gzip" and len(gzip.decompress(data)) > 100, r.getheaders())
    r, _ = ask("GET", "/projects/d")
    ok("pages come with the strict policy", "default-src 'none'" in r.getheader(
        "Content-Security-Policy", "") and "unsafe" not in r.getheader("Content-Security-Policy", ""))


def main():
    global PORT, URL, SERIES
    os.makedirs(SHOTS, exist_ok=True)
    d = subprocess.Popen([f"{BUILD}/benchd", "--listen", "127.0.0.1:0", "--state", f"{DIR}/state"],
                         stdout=subprocess.PIPE, stderr=open(f"{DIR}/log", "w"), text=True,
                         env={**os.environ, "BENCHD_LOCK_DIR": DIR})
    try:
        PORT = int(re.search(r":(\d+)", d.stdout.readline().split("listening on")[1].split("//")[1]).group(1))
        URL = f"http://127.0.0.1:{PORT}"
        fill()
        rows = json.loads(ask("GET", "/v0/projects/d/series?limit=100")[1])
        stencil = [r for r in rows if r["benchmark"]["name"] == "stencil"][0]
        SERIES = f"/projects/d/series/{stencil['id']}"
        hostile = [r for r in rows if "script" in r["benchmark"]["name"]][0]
        reports = json.loads(ask("GET", "/v0/projects/d/reports?per_page=1")[1])
        pages = {p: re.sub(r"\W+", "-", p).strip("-") for p in PAGES}
        pages[SERIES] = "series"
        pages[f"/projects/d/series/{hostile['id']}"] = "series-hostile"
        pages[f"/projects/d/reports/{reports[0]['uuid']}"] = "report"
        pages[f"/projects/d/compare?base={1:040x}&head={40:040x}"] = "compare-by-address"
        with Browser(SHOTS) as b:
            b.size(1280, 900)
            for where, name in pages.items():
                visit(b, where, name)
                accessible(b, name)
                axe(b, name)
                narrow(b, where, name)
            b.scheme("dark")
            b.open(URL + SERIES)
            b.until("!!document.querySelector('.u-over')")
            b.shot("series-dark")
            accessible(b, "series in the dark")
            axe(b, "series in the dark")
            b.js("document.body.append(document.createElement('img')); document.images[0].src = '/x.png'")
            planted = b.js("axe.run().then((r) => r.violations.some((v) => v.id === 'image-alt'))")
            ok("a planted picture without a text is found by axe", planted is True)
            b.scheme("light")
            keyboard(b)
            filter_and_sort(b)
            chart(b, SERIES)
            labels_apart(b, SERIES)
            chart_controls(b, SERIES)
            alerts(b)
            live(b)
            schedule_actions(b)
            policy(b)
            without_scripts(b)
        sizes()
    finally:
        d.terminate()
        d.wait(60)
        shutil.rmtree(DIR, ignore_errors=True)
    print(f"1..{N}")
    sys.exit(FAILED > 0)


main()
