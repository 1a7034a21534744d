/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The body of `benchctl run`: Bencher's JsonNewRun. */
#include "client/run.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/secret.h"

/* One line that git prints, NULL where there is no repository (or no git). */
static const char *git(struct run *r, const char *arguments)
{
	char line[300] = "";
	FILE *f = popen(arena_printf(r->c->arena, "git %s 2>/dev/null", arguments), "r");
	bool ok;

	if (!f)
		return NULL;
	ok = fgets(line, sizeof(line), f) != NULL;
	if (pclose(f) != 0 || !ok)
		return NULL;
	line[strcspn(line, "\r\n")] = 0;
	return *line ? arena_strdup(r->c->arena, line) : NULL;
}

static const char *host_name(struct run *r)
{
	char host[65] = "";

	if (gethostname(host, sizeof(host) - 1) < 0 || !*host)
		return "localhost";
	return arena_strdup(r->c->arena, host);
}

static void set_names(struct run *r, json_t *body)
{
	const char *branch = r->branch ? r->branch : git(r, "symbolic-ref --short HEAD");
	/* A commit of another branch is none of this one's. */
	const char *hash = r->hash ? r->hash : r->branch ? NULL : git(r, "rev-parse HEAD");
	const char *testbed = r->testbed ? r->testbed : r->c->testbed;

	json_set_str(body, "project", r->c->project);
	json_set_str(body, "branch", branch ? branch : "main");
	json_set_opt(body, "hash", hash);
	json_set_str(body, "testbed", testbed ? testbed : host_name(r));
}

static int set_start_point(struct run *r, json_t *body)
{
	int code = EXIT_OK;
	json_t *o;

	if (!r->start_point && !r->start_point_reset) {
		if (r->start_point_hash || r->start_point_max_versions ||
			r->start_point_clone_thresholds)
			return usage_error(
				r->self, "--start-point-... needs --start-point BRANCH");
		return EXIT_OK;
	}
	o = json_object();
	json_object_set_new(body, "start_point", o);
	json_set_opt(o, "branch", r->start_point);
	json_set_opt(o, "hash", r->start_point_hash);
	if (r->start_point_max_versions)
		json_set_int(o, "max_versions",
			run_number(r, "start-point-max-versions", r->start_point_max_versions,
				1, UINT32_MAX, &code));
	if (r->start_point_clone_thresholds)
		json_set_bool(o, "clone_thresholds", true);
	if (r->start_point_reset)
		json_set_bool(o, "reset", true);
	return code;
}

/* The i-th of a list of options that stand side by side; NULL when left out or "_". */
static const char *nth(const struct string_list *l, size_t i)
{
	return i < l->n && strcmp(l->items[i], "_") != 0 ? l->items[i] : NULL;
}

static void set_count(struct run *r, json_t *model, const char *key, const char *option,
	const char *text, int *code)
{
	if (text)
		json_set_int(model, key, run_number(r, option, text, 1, UINT32_MAX, code));
}

static void set_boundary(struct run *r, json_t *model, const char *key, const char *option,
	const char *text, int *code)
{
	char *end;
	double v;

	if (!text)
		return;
	v = strtod(text, &end);
	if (end == text || *end || !isfinite(v))
		*code = usage_error(
			r->self, "--%s takes a number or _, not '%s'", option, text);
	else
		json_set_real(model, key, v);
}

static json_t *model_of(struct run *r, size_t i, int *code)
{
	json_t *m = json_object();

	json_set_str(m, "test", nth(&r->tests, i));
	set_count(r, m, "min_sample_size", "threshold-min-sample-size",
		nth(&r->min_sample_sizes, i), code);
	set_count(r, m, "max_sample_size", "threshold-max-sample-size",
		nth(&r->max_sample_sizes, i), code);
	set_count(r, m, "window", "threshold-window", nth(&r->windows, i), code);
	set_boundary(r, m, "lower_boundary", "threshold-lower-boundary",
		nth(&r->lower_boundaries, i), code);
	set_boundary(r, m, "upper_boundary", "threshold-upper-boundary",
		nth(&r->upper_boundaries, i), code);
	return m;
}

static int check_lists(const struct run *r)
{
	const struct string_list *const lists[] = { &r->tests, &r->min_sample_sizes,
		&r->max_sample_sizes, &r->windows, &r->lower_boundaries, &r->upper_boundaries };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (lists[i]->n > r->measures.n)
			return usage_error(r->self,
				"each --threshold-... belongs to the --threshold-measure of "
				"the same place; there are only %zu of these",
				r->measures.n);
	for (size_t i = 0; i < r->measures.n; i++)
		if (!nth(&r->tests, i))
			return usage_error(r->self,
				"the threshold of '%s' has no "
				"--threshold-test",
				r->measures.items[i]);
	return EXIT_OK;
}

static int set_thresholds(struct run *r, json_t *body)
{
	int code = check_lists(r);
	json_t *o, *models;

	if (code != EXIT_OK || (!r->measures.n && !r->thresholds_reset))
		return code;
	o = json_object();
	json_object_set_new(body, "thresholds", o);
	models = json_object();
	json_object_set_new(o, "models", models);
	for (size_t i = 0; i < r->measures.n; i++)
		json_object_set_new(models, r->measures.items[i], model_of(r, i, &code));
	if (r->thresholds_reset)
		json_set_bool(o, "reset", true);
	return code;
}

static void set_settings(const struct run *r, json_t *body)
{
	bool is_ours = r->build_time || r->file_sizes.n;
	json_t *o = json_object();

	json_set_str(o, "adapter", r->adapter ? r->adapter : is_ours ? "json" : "magic");
	json_set_opt(o, "average", r->average);
	json_set_opt(o, "fold", r->fold);
	json_object_set_new(body, "settings", o);
}

int run_body(struct run *r, json_t **ret)
{
	json_t *body = arena_own_json(r->c->arena, json_object());
	char key[UUID_TEXT], text[TIME_TEXT];
	int code;

	set_names(r, body);
	json_set_str(body, "idempotency_key", r->key ? r->key : uuid_new(key));
	json_set_str(body, "start_time", time_format(r->start_ns, text));
	json_set_str(body, "end_time", time_format(r->end_ns, text));
	set_settings(r, body);
	code = set_start_point(r, body);
	if (code == EXIT_OK)
		code = set_thresholds(r, body);
	json_object_set(body, "results", r->results);
	*ret = body;
	return code;
}
