/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl schedules: cron rules of the daemon. */
#include "client/client.h"

#include <stdio.h>
#include <string.h>

struct rule {
	const char *cron, *zone, *workload, *misfire, *overlap, *grace, *jitter, *branch, *n;
	bool paused, only_new;
};

static const char *path_of(struct client *c, const char *name, const char *tail)
{
	return project_path(
		c, "/schedules%s%s%s", name ? "/" : "", name ? url_part(c, name) : "", tail);
}

/* One request whose answer is told in a sentence. */
static int tell(struct client *c, const char *method, const char *path, const json_t *body,
	const char *said, const char *name)
{
	struct error err = { 0 };
	struct answer a;
	int code = EXIT_OK;

	if (api_call(c, method, path, body, NULL, &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400) {
		code = complain_answer(c, &a);
	} else if (c->output == OUT_JSON && a.json) {
		json_dumpf(a.json, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (json_get_str(a.json, "job_state", NULL)) {
		printf("%s\n", json_get_str(a.json, "job", ""));
	} else {
		const char *next = json_get_str(a.json, "next", NULL);

		note(c, "schedule '%s' %s%s%s", name, said, next ? "; next at " : "",
			next ? next : "");
	}
	buf_done(&a.body);
	return code;
}

static json_t *rule_json(struct client *c, const struct rule *r)
{
	json_t *o = arena_own_json(c->arena, json_object()), *job;

	json_set_opt(o, "cron", r->cron);
	json_set_opt(o, "time_zone", r->zone);
	json_set_opt(o, "misfire", r->misfire);
	json_set_opt(o, "overlap", r->overlap);
	json_set_opt(o, "grace", r->grace);
	json_set_opt(o, "jitter", r->jitter);
	if (r->only_new)
		json_set_bool(o, "only_new", true);
	if (r->paused)
		json_set_bool(o, "paused", true);
	if (!r->workload)
		return o;
	job = json_object();
	json_set_str(job, "workload", r->workload);
	json_set_opt(job, "branch", r->branch);
	json_set_opt(job, "testbed", c->testbed);
	json_object_set_new(o, "job", job);
	return o;
}

static int add(struct client *c, const char *name, struct rule *r)
{
	json_t *body;

	if (!r->workload)
		r->workload = name;
	body = rule_json(c, r);
	json_set_str(body, "name", name);
	return tell(c, "POST", path_of(c, NULL, ""), body, "is set", name);
}

static int set_paused(struct client *c, const char *name, bool paused)
{
	return tell(c, "PATCH", path_of(c, name, ""),
		arena_own_json(c->arena, json_pack("{sb}", "paused", paused)),
		paused ? "is paused" : "goes on", name);
}

/* One command that leaves it running: made when it is not there, resumed when it is. */
static int enable(struct client *c, const char *name, struct rule *r)
{
	struct error err = { 0 };
	struct answer a;
	long status;

	if (api_call(c, "GET", path_of(c, name, ""), NULL, NULL, &a, &err) < 0)
		return complain(c, &err);
	status = a.status;
	buf_done(&a.body);
	if (status == 200)
		return set_paused(c, name, false);
	if (!r->cron)
		r->cron = "30 2 * * *";
	return add(c, name, r);
}

static int change(struct client *c, const char *name, const struct rule *r)
{
	return tell(c, "PATCH", path_of(c, name, ""), rule_json(c, r), "is changed", name);
}

static int with_name(struct client *c, const char *verb, const char *name, struct rule *r)
{
	if (!strcmp(verb, "add"))
		return add(c, name, r);
	if (!strcmp(verb, "enable"))
		return enable(c, name, r);
	if (!strcmp(verb, "change"))
		return change(c, name, r);
	if (!strcmp(verb, "next"))
		return print_path(c, add_query(c, path_of(c, name, "/next"), "n", r->n));
	if (!strcmp(verb, "firings"))
		return print_path(c, add_query(c, path_of(c, name, "/firings"), "limit", r->n));
	if (!strcmp(verb, "run"))
		return tell(c, "POST", path_of(c, name, "/run"), NULL, "runs", name);
	if (!strcmp(verb, "pause"))
		return set_paused(c, name, true);
	if (!strcmp(verb, "resume"))
		return set_paused(c, name, false);
	return tell(c, "DELETE", path_of(c, name, ""), NULL, "is removed", name);
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	static const char *const verbs[] = { "list", "add", "enable", "change", "next",
		"firings", "run", "pause", "resume", "remove", NULL };
	struct rule r = { 0 };
	const struct option_row rows[] = {
		{ "cron", 0, "RULE", "minute hour day month weekday, or @daily", OPT_STRING,
			&r.cron },
		{ "zone", 'z', "ZONE", "its clocks, such as Europe/Berlin (default UTC)",
			OPT_STRING, &r.zone },
		{ "workload", 0, "NAME", "what it runs (default: its own name)", OPT_STRING,
			&r.workload },
		{ "branch", 'b', "NAME", "store results under this branch", OPT_STRING,
			&r.branch },
		{ "misfire", 0, "POLICY", "run_once or skip what was missed", OPT_STRING,
			&r.misfire },
		{ "overlap", 0, "POLICY", "skip, supersede or allow", OPT_STRING, &r.overlap },
		{ "grace", 0, "TIME", "so late is not missed (default 5m)", OPT_STRING,
			&r.grace },
		{ "jitter", 0, "TIME", "most delay, spread over slots", OPT_STRING, &r.jitter },
		{ "only-new", 0, NULL, "do not measure a commit twice", OPT_FLAG, &r.only_new },
		{ "paused", 0, NULL, "add: do not start it yet", OPT_FLAG, &r.paused },
		{ "number", 'n', "N", "next, firings: so many", OPT_STRING, &r.n },
		{ 0 },
	};
	struct string_list words;
	const char *verb, *near;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);
	size_t known = 0;

	if (code != EXIT_OK)
		return code;
	verb = words.n ? words.items[0] : "list";
	while (verbs[known] && strcmp(verbs[known], verb) != 0)
		known++;
	near = nearest_name(verb, verbs);
	if (!verbs[known])
		return usage_error(self, "there is no 'schedules %s'%s%s%s", verb,
			near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	if (known == 0)
		return print_path(c, path_of(c, NULL, ""));
	if (words.n != 2)
		return usage_error(self, "name one schedule: schedules %s NAME", verb);
	return with_name(c, verb, words.items[1], &r);
}

const struct command command_schedules = { "schedules",
	"[list | add|enable|change|next|firings|run|pause|resume|remove NAME]",
	"cron rules that file jobs",
	"  benchctl schedules enable nightly --zone Europe/Berlin\n"
	"  benchctl schedules add weekly --cron '0 4 * * sun' --workload comprehensive\n"
	"  benchctl schedules next nightly -n 10\n",
	run };
