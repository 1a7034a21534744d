/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/unit.h"

#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/ndjson.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/yaml.h"

struct target {
	const char *name;
	int64_t processes, timeout_ns, size;
	bool adaptive;
	int kind;
};

static const char *const kinds[] = { "kernel", "command", NULL };
static const struct json_field fields[] = {
	{ "name", JF_STRING, offsetof(struct target, name), true, 1, 8, NULL },
	{ "processes", JF_INT, offsetof(struct target, processes), false, 1, 100, NULL },
	{ "timeout", JF_DURATION, offsetof(struct target, timeout_ns), false, 1, 60, NULL },
	{ "size", JF_BYTES, offsetof(struct target, size), false, 0, 0, NULL },
	{ "adaptive", JF_BOOL, offsetof(struct target, adaptive), false, 0, 0, NULL },
	{ "kind", JF_ENUM, offsetof(struct target, kind), false, 0, 0, kinds },
};

static int read_text(const char *text, struct target *t, struct error *err)
{
	json_t *j = NULL;
	int r = json_parse(text, strlen(text), &j, err);

	memset(t, 0, sizeof(*t));
	if (r == OK)
		r = json_read(j, "", fields, ARRAY_SIZE(fields), t, JSON_REFUSE_UNKNOWN, err);
	if (r == OK && t->name)
		t->name = strcmp(t->name, "a") ? "other" : "a";
	json_decref(j);
	return r;
}

START_TEST(a_right_object_is_read)
{
	struct target t;
	struct error err = { 0 };

	ck_assert_int_eq(read_text("{\"name\":\"a\",\"processes\":7,\"timeout\":\"1.5s\","
				   "\"size\":\"64Mi\",\"adaptive\":true,\"kind\":\"command\"}",
				 &t, &err),
		OK);
	ck_assert_int_eq(t.processes, 7);
	ck_assert_int_eq(t.timeout_ns, 1500000000);
	ck_assert_int_eq(t.size, 64 << 20);
	ck_assert(t.adaptive);
	ck_assert_int_eq(t.kind, 1);
}
END_TEST

START_TEST(each_wrong_member_is_named)
{
	static const struct {
		const char *text, *field, *part;
	} cases[] = {
		{ "{}", "/name", "is missing" },
		{ "{\"name\":5}", "/name", "must be a string" },
		{ "{\"name\":\"123456789\"}", "/name", "1 to 8 bytes" },
		{ "{\"name\":\"a\",\"processes\":0}", "/processes", "1 to 100" },
		{ "{\"name\":\"a\",\"proceses\":3}", "/proceses", "did you mean 'processes'" },
		{ "{\"name\":\"a\",\"kind\":\"x\"}", "/kind", "'kernel', 'command'" },
		{ "{\"name\":\"a\",\"timeout\":\"9 weeks\"}", "/timeout", "not a duration" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct target t;
		struct error err = { 0 };

		ck_assert_int_eq(read_text(cases[i].text, &t, &err), E_UNPROCESSABLE);
		ck_assert_str_eq(err.field, cases[i].field);
		ck_assert_msg(strstr(err.text, cases[i].part), "%s", err.text);
	}
}
END_TEST

START_TEST(deep_or_broken_json_is_refused)
{
	char deep[200];
	struct error err;
	json_t *j;

	memset(deep, '[', 199);
	deep[199] = 0;
	ck_assert_int_eq(json_parse(deep, 199, &j, &err), E_BAD_REQUEST);
	ck_assert_str_eq(err.text, "the JSON is nested deeper than 64 levels");
	ck_assert_int_eq(json_parse("{\"a\":1,\"a\":2}", 13, &j, &err), E_BAD_REQUEST);
	ck_assert(strstr(err.text, "line 1"));
}
END_TEST

START_TEST(yaml_errors_name_the_line)
{
	static const char text[] =
		"name: a\nprotocol:\n  processes: 0x\n  list: [1, 2.5, \"3\"]\n";
	struct yaml_lines *lines = NULL;
	struct error err = { 0 };
	json_t *j = NULL;

	ck_assert_int_eq(yaml_parse("f.yaml", text, strlen(text), &j, &lines, &err), OK);
	ck_assert_int_eq(yaml_line_of(lines, "/protocol/processes"), 3);
	ck_assert_int_eq(yaml_line_of(lines, "/protocol/list/1"), 4);
	ck_assert(json_is_string(json_object_get(json_object_get(j, "protocol"), "processes")));
	error_set_field(&err, E_UNPROCESSABLE, "/protocol/processes", "'processes' is wrong");
	yaml_locate_error("f.yaml", lines, &err);
	ck_assert_str_eq(err.text, "f.yaml:3: 'processes' is wrong");
	json_decref(j);
	yaml_lines_free(lines);
	lines = NULL;
	ck_assert_int_eq(
		yaml_parse("f.yaml", "workload:\n  a: {}\n", 18, &j, &lines, &err), OK);
	ck_assert_int_eq(yaml_line_of(lines, "/workload"), 1);
	ck_assert_int_eq(yaml_line_of(lines, "/workload/a/kind"), 2);
	yaml_lines_free(lines);
	lines = NULL;
	json_decref(j);
	j = NULL;
	ck_assert_int_lt(yaml_parse("f.yaml", "a: [b, {c} d]\n", 14, &j, &lines, &err), 0);
	ck_assert_str_eq(err.text,
		"f.yaml:1: column 12: did not find expected ',' or ']'; close the list or "
		"mapping, and quote texts with { } [ ] or , in them");
	ck_assert_int_lt(yaml_parse("f.yaml", "a:\n\tb: 1\n", 9, &j, &lines, &err), 0);
	ck_assert_msg(strstr(err.text, "f.yaml:2: column 1: "), "%s", err.text);
	ck_assert_msg(strstr(err.text, "not tabs"), "%s", err.text);
	ck_assert_int_eq(
		yaml_parse("f.yaml", "a: 1\na: 2\n", 10, &j, NULL, &err), E_BAD_REQUEST);
	ck_assert_str_eq(err.text, "f.yaml:2: this key stands here twice");
	ck_assert_int_eq(
		yaml_parse("f.yaml", "a: &x 1\nb: *x\n", 14, &j, NULL, &err), E_BAD_REQUEST);
}
END_TEST

START_TEST(times_survive_a_round_trip)
{
	char text[TIME_TEXT];
	struct error err;
	int64_t ns;

	ck_assert_int_eq(time_parse("2026-11-21T09:05:00.25+01:00", &ns, &err), OK);
	ck_assert_str_eq(time_format(ns, text), "2026-11-21T08:05:00.25Z");
	ck_assert_int_eq(time_parse("2026-02-29T00:00:00Z", &ns, &err), E_BAD_REQUEST);
	ck_assert(strstr(err.text, "RFC 3339"));
}
END_TEST

START_TEST(known_hashes_come_out)
{
	char hex[SHA256_HEX], out[2 * SHA256_BYTES + 1], uuid[UUID_TEXT];
	uint8_t mac[SHA256_BYTES];

	ck_assert_str_eq(sha256_hex("abc", 3, hex),
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	/* RFC 4231, test case 2 */
	hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
	hex_format(mac, sizeof(mac), out);
	ck_assert_str_eq(
		out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	ck_assert(uuid_is_valid(uuid_new(uuid)));
	ck_assert(!uuid_is_valid("not-a-uuid"));
}
END_TEST

START_TEST(names_are_checked)
{
	char slug[SLUG_TEXT];

	ck_assert_str_eq(slug_format("  Regrid: 500x1000 (f64)!", slug), "regrid-500x1000-f64");
	ck_assert(slug_is_valid("a-b"));
	ck_assert(!slug_is_valid("a--b"));
	ck_assert(ref_name_is_valid("feature/x"));
	ck_assert(!ref_name_is_valid("-x"));
	ck_assert(!ref_name_is_valid("a..b"));
	ck_assert(glob_match("regrid.*", "regrid.bilinear"));
	ck_assert(!glob_match("regrid.?", "regrid.bilinear"));
	ck_assert(!utf8_is_valid("\xc0\x80", 2));
	ck_assert(utf8_is_valid("\xc3\xa4", 2));
}
END_TEST

START_TEST(ndjson_drops_only_the_bad_line)
{
	struct ndjson n;
	struct error err;
	json_t *j;

	ndjson_init(&n, 16);
	ndjson_feed(&n, "{\"a\":1}\n{\"b\":\"0123456789012345\"}\n[1]\n{\"c\"", 41);
	ck_assert_int_eq(ndjson_next(&n, &j, &err), OK);
	ck_assert_int_eq(json_get_int(j, "a", 0), 1);
	json_decref(j);
	ck_assert_int_eq(ndjson_next(&n, &j, &err), E_TOO_LARGE);
	ck_assert_int_eq(ndjson_next(&n, &j, &err), E_BAD_REQUEST);
	ck_assert_int_eq(ndjson_next(&n, &j, &err), OK);
	ck_assert_ptr_null(j);
	ndjson_feed(&n, ":3}\n", 4);
	ck_assert_int_eq(ndjson_next(&n, &j, &err), OK);
	ck_assert_int_eq(json_get_int(j, "c", 0), 3);
	json_decref(j);
	ndjson_done(&n);
}
END_TEST

START_TEST(tables_are_aligned_and_csv_is_defused)
{
	struct arena *a = arena_new();
	struct table *t = table_new(a, 2);
	struct buf b = { 0 };

	table_head(t, 0, "name", false);
	table_head(t, 1, "ns", true);
	table_add(t, (const char *[]){ "=cmd|x", "12" });
	table_add(t, (const char *[]){ "a", "-5" });
	table_format(t, TABLE_TEXT, &b);
	ck_assert_str_eq(buf_str(&b), "name    ns\n=cmd|x  12\na       -5\n");
	buf_clear(&b);
	table_format(t, TABLE_CSV, &b);
	ck_assert_str_eq(buf_str(&b), "name,ns\r\n\"'=cmd|x\",12\r\na,-5\r\n");
	buf_done(&b);
	arena_free(a);
}
END_TEST

START_TEST(json_text_reads_back_equal_and_is_short)
{
	static const double reals[] = { 0.1, 100, -0.0, 1e300, 5e-324, 1.0 / 3, 123456789.125,
		1e15, 999999999999999.0, 2.5e-7 };
	json_t *o = json_object(), *list = json_array(), *back = NULL;
	_cleanup_(free)
	char *text = NULL;
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(reals); i++)
		json_array_append_new(list, json_real(reals[i]));
	json_object_set_new(o, "reals", list);
	json_set_str(o, "text", "a\"b\\c\n\t\001/\xc3\xa4");
	json_set_int(o, "least", INT64_MIN);
	json_set_bool(o, "yes", true);
	json_object_set_new(o, "nothing", json_null());
	json_object_set_new(o, "empty", json_pack("{s[]s{}}", "list", "object"));
	text = json_text(o);
	ck_assert_int_eq(json_parse(text, strlen(text), &back, &err), OK);
	ck_assert(json_equal(o, back));
	ck_assert_msg(!strncmp(text, "{\"reals\":[0.1,100.0,-0.0,1e+300,", 32), "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "\"a\\\"b\\\\c\\n\\t\\u0001/\xc3\xa4\""));
	json_decref(o);
	json_decref(back);
}
END_TEST

SUITE("base", json_text_reads_back_equal_and_is_short, a_right_object_is_read,
	each_wrong_member_is_named, deep_or_broken_json_is_refused, yaml_errors_name_the_line,
	times_survive_a_round_trip, known_hashes_come_out, names_are_checked,
	ndjson_drops_only_the_bad_line, tables_are_aligned_and_csv_is_defused)
