#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The recorded forms are what their languages take: XML parses, HTML has no script and no foreign
# request, CSV has rows of one length and no formula, SVG no style attribute. Hostile names are
# among them; planted bad files are seen to fail.
. "${top_srcdir:-.}/tests/lib/story.sh"
[ "${PYTHON3:-no}" != no ] || skip_all "python3 is not installed"
cat >"$tmp/look.py" <<'PY'
import csv, html.parser, io, re, sys, xml.etree.ElementTree as xml

def look_xml(text):
    root = xml.fromstring(text)
    for e in root.iter():
        assert "style" not in e.attrib, "a style attribute"
        assert not e.tag.endswith("script"), "a script"
    return root

def look_svg(text):
    root = look_xml(text)
    tags = [e.tag.split("}")[1] for e in root]
    assert tags[:2] == ["title", "desc"], "title and desc come first"

class Html(html.parser.HTMLParser):
    def handle_starttag(self, tag, attrs):
        assert tag not in ("script", "iframe", "link", "img", "object"), "an element " + tag
        for name, value in attrs:
            assert name not in ("href", "src", "style") and not name.startswith("on"), name

def look_html(text):
    Html().feed(text)
    assert text.startswith("<!doctype html>"), "no doctype"

def look_csv(text):
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows and all(len(r) == len(rows[0]) for r in rows), "rows of different length"
    for cell in (c for r in rows for c in r):
        number = re.fullmatch(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?", cell)
        assert number or not cell.startswith(tuple("=+-@")), "a formula: " + cell

def look_om(text):
    assert text.endswith("# EOF\n"), "no EOF"
    for line in text.splitlines():
        assert line.startswith("# ") or re.fullmatch(
            r'[a-z_]+\{([a-z_]+="([^"\\]|\\["\\n])*",?)*\} \S+', line), line

def look_text(text):
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069]", text), "a control"

def look_md(text):
    look_text(text)
    bare = re.sub(r"(?s)\\[^\w\s]|(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    bare = re.sub(r"[@#]<!-- -->", "", bare)
    tags = set(re.findall(r"<[^>]*>", bare))
    assert tags <= {"<details>", "</details>", "<summary>", "</summary>"}, tags
    assert "@" not in bare and "](" not in bare, "a mention or a link"

kind = {"xml": look_xml, "atom": look_xml, "svg": look_svg, "html": look_html, "csv": look_csv,
        "om": look_om, "txt": look_text, "md": look_md}
for path in sys.argv[1:]:
    with open(path, encoding="utf-8", newline="") as f:
        text = f.read()
    try:
        kind[path.rsplit(".", 1)[1]](text)
    except (AssertionError, xml.ParseError) as e:
        sys.exit("%s: %s" % (path, e))
PY
golden=$top_srcdir/tests/golden/render
for suffix in xml atom svg html csv om txt md; do
	set -- "$golden"/*."$suffix"
	check "$# files .$suffix are right" "$PYTHON3" "$tmp/look.py" "$@"
done
plant() {
	printf '%s' "$2" >"$tmp/planted.$1"
	if "$PYTHON3" "$tmp/look.py" "$tmp/planted.$1" >/dev/null 2>&1; then
		fail "a planted bad .$1 is seen"
	else
		pass "a planted bad .$1 is seen"
	fi
}
plant xml '<a><b></a>'
plant svg '<svg xmlns="http://www.w3.org/2000/svg"><title>t</title><desc>d</desc><g style="x"/></svg>'
plant html '<!doctype html><script>1</script>'
plant csv "a,b
=1+1,2
"
plant om 'a{b="c} 1
# EOF
'
plant txt "$(printf 'a\033[31m')"
plant md 'x <b>y</b>'
done_testing
