/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl thresholds: what applies where, and a file as the truth of a project's rules. */
#include "client/client.h"

#include <stdio.h>
#include <string.h>
#include "base/fs.h"
#include "base/yaml.h"

struct apply {
	bool prune, dry_run;
	const char *path;
	json_t *rules; /* by name */
	struct yaml_lines *lines;
	int n_changed, n_removed;
};

static const char *rule_path(struct client *c, const char *name)
{
	return project_path(c, "/rules/%s", url_part(c, name));
}

static int load(struct client *c, struct apply *ap)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	struct error err = { 0 };
	json_t *o;
	int r = file_read(
		!strcmp(ap->path, "-") ? "/dev/stdin" : ap->path, 1024 * 1024, &b, &err);

	if (r == OK)
		r = yaml_parse(ap->path, buf_str(&b), b.len, &o, &ap->lines, &err);
	if (r < 0)
		return complain(c, &err);
	arena_own_json(c->arena, o);
	ap->rules = json_object_get(o, "thresholds");
	if (!json_is_object(ap->rules)) {
		(void)!error_set(&err, E_BAD_REQUEST,
			"%s: 'thresholds' must be a mapping from names to rules", ap->path);
		return complain(c, &err);
	}
	return EXIT_OK;
}

/* "2 %" as the gate files take it; the API has fractions. */
static void read_percents(json_t *model)
{
	const char *name;
	json_t *v;
	void *next;

	json_object_foreach_safe (model, next, name, v) {
		const char *s = json_is_string(v) ? json_string_value(v) : "";
		char *end;
		double x = strtod(s, &end);

		if (end != s && (!strcmp(end, "%") || !strcmp(end, " %")))
			json_object_set_new(model, name, json_real(x / 100));
	}
}

/* Rules are written flat: patterns beside the members of the model. */
static json_t *rule_body(struct client *c, const struct apply *ap, json_t *rule)
{
	static const char *const patterns[] = { "branch", "testbed", "measure", "benchmark" };
	json_t *o = arena_own_json(c->arena, json_object()), *model = json_copy(rule);

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		json_t *v = json_object_get(rule, patterns[i]);

		if (v)
			json_object_set(o, patterns[i], v);
		json_object_del(model, patterns[i]);
	}
	json_set_str(o, "source", !strcmp(ap->path, "-") ? "stdin" : ap->path);
	read_percents(model);
	json_object_set_new(o, "model", model);
	return o;
}

static bool is_same(const json_t *now, const json_t *wanted)
{
	static const char *const parts[] = { "branch", "testbed", "measure", "benchmark",
		"model" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		json_t *a = json_object_get(now, parts[i]),
		       *b = json_object_get(wanted, parts[i]);

		if (a != b && !json_equal(a, b))
			return false;
	}
	return true;
}

static json_t *find(json_t *list, const char *name)
{
	size_t i;
	json_t *o;

	json_array_foreach (list, i, o)
		if (!strcmp(json_get_str(o, "name", ""), name))
			return o;
	return NULL;
}

/* Which rule of which line it was that the daemon refused. */
static int complain_rule(struct client *c, const struct apply *ap, const char *name,
	bool only_check, const struct answer *a)
{
	const char *field = arena_printf(c->arena, "/thresholds/%s", name);

	fprintf(stderr, "benchctl: %s:%d: the rule '%s' is refused%s\n", ap->path,
		yaml_line_of(ap->lines, field), name,
		only_check ? "; nothing was changed" : "");
	return complain_answer(c, a);
}

/* The daemon checks in a dry run too, and says how it reads the rule. */
static int put_one(struct client *c, struct apply *ap, const char *name, json_t *rule,
	json_t *now, bool only_check)
{
	const char *path = rule_path(c, name);
	struct error err = { 0 };
	struct answer a;
	int code = EXIT_OK;
	json_t *old = find(now, name);

	if (ap->dry_run || only_check)
		path = add_query(c, path, "dry_run", "1");
	if (api_call(c, "PUT", path, rule_body(c, ap, rule), NULL, &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400) {
		code = complain_rule(c, ap, name, only_check, &a);
	} else if (only_check) {
		/* nothing to tell yet */
	} else if (!old || !is_same(old, a.json)) {
		printf("%s %s\n", old ? "change" : "add", name);
		ap->n_changed++;
	}
	buf_done(&a.body);
	return code;
}

static int remove_one(struct client *c, struct apply *ap, const char *name)
{
	struct error err = { 0 };
	struct answer a;
	int code = EXIT_OK;

	printf("remove %s\n", name);
	ap->n_removed++;
	if (ap->dry_run)
		return EXIT_OK;
	if (api_call(c, "DELETE", rule_path(c, name), NULL, NULL, &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400)
		code = complain_answer(c, &a);
	buf_done(&a.body);
	return code;
}

static int get_rules(struct client *c, json_t **ret)
{
	struct error err = { 0 };
	struct answer a;
	int code = EXIT_OK;

	if (api_call(c, "GET", project_path(c, "/rules"), NULL, NULL, &a, &err) < 0)
		return complain(c, &err);
	*ret = a.json;
	if (a.status == 404) /* the project is made by the first rule */
		*ret = arena_own_json(c->arena, json_array());
	else if (a.status >= 400)
		code = complain_answer(c, &a);
	buf_done(&a.body);
	return code;
}

/* Every rule is checked before the first is changed: a file is applied whole or not at all. */
static int put_all(struct client *c, struct apply *ap, json_t *now, bool only_check)
{
	const char *name;
	json_t *rule;
	int code = EXIT_OK;

	json_object_foreach (ap->rules, name, rule)
		if (code == EXIT_OK)
			code = put_one(c, ap, name, rule, now, only_check);
	return code;
}

static int apply(struct client *c, struct apply *ap)
{
	json_t *now, *rule;
	size_t i;
	int code = load(c, ap);

	if (code == EXIT_OK)
		code = get_rules(c, &now);
	if (code != EXIT_OK)
		return code;
	code = put_all(c, ap, now, true);
	if (code == EXIT_OK)
		code = put_all(c, ap, now, false);
	if (code != EXIT_OK)
		return code;
	json_array_foreach (now, i, rule) {
		const char *old = json_get_str(rule, "name", "");

		if (code == EXIT_OK && ap->prune && !json_object_get(ap->rules, old))
			code = remove_one(c, ap, old);
	}
	note(c, "%d rules added or changed, %d removed%s", ap->n_changed, ap->n_removed,
		ap->dry_run ? " (dry run: nothing was)" : "");
	return code;
}

struct place {
	const char *branch, *benchmark, *measure;
};

static int explain(struct client *c, const struct command *self, const struct place *p)
{
	const char *path = project_path(c, "/limits");
	struct error err = { 0 };
	struct answer a;
	json_t *rule;
	size_t i;
	int code = EXIT_OK;

	if (!p->benchmark || !p->measure || !c->testbed)
		return usage_error(self,
			"name a series: thresholds explain BENCHMARK MEASURE --testbed NAME "
			"[--branch NAME]");
	path = add_query(c, path, "branch", p->branch ? p->branch : "main");
	path = add_query(c, path, "testbed", c->testbed);
	path = add_query(c, path, "benchmark", p->benchmark);
	path = add_query(c, path, "measure", p->measure);
	if (c->output == OUT_JSON)
		return print_path(c, path);
	if (api_call(c, "GET", path, NULL, NULL, &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400) {
		code = complain_answer(c, &a);
	} else {
		char *model = json_text(json_object_get(a.json, "model"));

		printf("%s: %s\n%s\n", json_get_str(a.json, "origin", ""), model,
			json_get_str(a.json, "why", ""));
		free(model);
		json_array_foreach (json_object_get(a.json, "rules"), i, rule)
			printf("  rule %s: %s\n", json_get_str(rule, "rule", ""),
				json_get_str(rule, "why", ""));
	}
	buf_done(&a.body);
	return code;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	struct apply ap = { 0 };
	struct place p = { 0 };
	const struct option_row rows[] = {
		{ "prune", 0, NULL, "apply: remove rules that the file does not have", OPT_FLAG,
			&ap.prune },
		{ "dry-run", 0, NULL, "apply: check and show, change nothing", OPT_FLAG,
			&ap.dry_run },
		{ "testbed", 't', "NAME", "explain: of this testbed", OPT_STRING, &c->testbed },
		{ "branch", 'b', "NAME", "explain: of this branch (default main)", OPT_STRING,
			&p.branch },
		{ 0 },
	};
	struct string_list words;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);
	const char *verb;

	if (code != EXIT_OK)
		return code;
	verb = words.n ? words.items[0] : "list";
	if (!strcmp(verb, "list"))
		return print_path(c, project_path(c, "/thresholds?per_page=255"));
	if (!strcmp(verb, "rules"))
		return print_path(c, project_path(c, "/rules"));
	if (!strcmp(verb, "explain")) {
		p.benchmark = words.n > 1 ? words.items[1] : NULL;
		p.measure = words.n > 2 ? words.items[2] : NULL;
		return explain(c, self, &p);
	}
	if (strcmp(verb, "apply") != 0)
		return usage_error(self,
			"there is no 'thresholds %s': list, rules, explain or apply", verb);
	if (words.n != 2)
		return usage_error(self, "name one file: thresholds apply FILE");
	ap.path = words.items[1];
	code = apply(c, &ap);
	yaml_lines_free(ap.lines);
	return code;
}

const struct command command_thresholds = { "thresholds",
	"[list | rules | explain BENCHMARK MEASURE | apply FILE]",
	"limits: list them, see which applies, apply a file",
	"  benchctl thresholds explain sum latency --testbed bench01\n"
	"  benchctl thresholds apply thresholds.yaml --prune --dry-run\n"
	"  benchctl thresholds rules\n",
	run };
