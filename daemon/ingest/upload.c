/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bodies of uploads in Bencher's shapes (JsonNewRun, JsonNewReport of v0.6.12). */
#include "daemon/ingest/upload.h"

#include <string.h>
#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"

struct raw {
	const char *project, *key, *branch, *hash, *testbed, *start_time, *end_time;
	json_t *start_point, *thresholds, *results, *settings, *context, *job;
};
#define F(key, kind, member, required, min, max)                                               \
	{                                                                                      \
		key, kind, offsetof(struct raw, member), required, min, max, NULL              \
	}
static const struct json_field fields[] = {
	F("project", JF_STRING, project, false, 1, 64),
	F("idempotency_key", JF_STRING, key, false, 1, 64),
	F("branch", JF_STRING, branch, false, 1, 256),
	F("hash", JF_STRING, hash, false, 40, 40),
	F("start_point", JF_OBJECT, start_point, false, 0, 0),
	F("testbed", JF_STRING, testbed, false, 1, 64),
	F("thresholds", JF_OBJECT, thresholds, false, 0, 0),
	F("start_time", JF_STRING, start_time, true, 1, 64),
	F("end_time", JF_STRING, end_time, true, 1, 64),
	F("results", JF_ARRAY, results, true, 0, UPLOAD_MAX_ENTRIES),
	F("settings", JF_OBJECT, settings, false, 0, 0),
	F("context", JF_OBJECT, context, false, 0, 0),
	F("job", JF_ANY, job, false, 0, 0),
};
#undef F

int upload_check_name(
	const char *noun, const char *name, size_t max, const char *field, struct error *err)
{
	size_t n = strlen(name);

	if (n < 1 || n > max)
		return error_set_field(err, E_UNPROCESSABLE, field,
			"the name of a %s has 1 to %zu bytes, this one has %zu", noun, max, n);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 127)
			return error_set_field(err, E_UNPROCESSABLE, field,
				"the name of a %s must not hold control characters", noun);
	/* Benchmarks are called what their tools call them. */
	if (max <= 256 && (name[0] == ' ' || name[n - 1] == ' '))
		return error_set_field(err, E_UNPROCESSABLE, field,
			"the name of a %s neither begins nor ends with a space", noun);
	return OK;
}

/* Hexadecimal digits come in upper case too. */
static const char *lower_case(struct arena *a, const char *text)
{
	char *lower = arena_strdup(a, text);

	for (char *p = lower; *p; p++)
		*p = *p >= 'A' && *p <= 'F' ? (char)(*p | 0x20) : *p;
	return lower;
}

static int read_hash(struct arena *a, const char *text, const char *field, const char **ret,
	struct error *err)
{
	const char *lower;

	*ret = NULL;
	if (!text)
		return OK;
	lower = lower_case(a, text);
	if (!git_hash_is_valid(lower))
		return error_set_field(err, E_UNPROCESSABLE, field,
			"'hash' must be the 40 hexadecimal digits of a commit, not '%.60s'",
			text);
	*ret = lower;
	return OK;
}

static int check_branch(const char *name, const char *field, struct error *err)
{
	if (!name || uuid_is_valid(name) || slug_is_valid(name) || ref_name_is_valid(name))
		return OK;
	return error_set_field(err, E_UNPROCESSABLE, field,
		"'%.80s' is no UUID, slug or name that git takes for a branch", name);
}

static int read_start_point(json_t *o, struct arena *a, struct upload *u, struct error *err)
{
	static const struct json_field members[] = {
		{ "branch", JF_STRING, offsetof(struct start_point, branch), false, 1, 256,
			NULL },
		{ "hash", JF_STRING, offsetof(struct start_point, hash), false, 40, 40, NULL },
		{ "max_versions", JF_INT, offsetof(struct start_point, max_versions), false, 1,
			UINT32_MAX, NULL },
		{ "clone_thresholds", JF_BOOL, offsetof(struct start_point, clone_thresholds),
			false, 0, 0, NULL },
		{ "reset", JF_BOOL, offsetof(struct start_point, reset), false, 0, 0, NULL },
	};
	struct start_point *sp = ARENA_ARRAY(a, struct start_point, 1);
	int r;

	if (!o)
		return OK;
	r = json_read(
		o, "/start_point", members, ARRAY_SIZE(members), sp, JSON_IGNORE_UNKNOWN, err);
	if (r == OK)
		r = check_branch(sp->branch, "/start_point/branch", err);
	if (r == OK)
		r = read_hash(a, sp->hash, "/start_point/hash", &sp->hash, err);
	u->start = sp;
	return r;
}

static int read_time(const char *text, const char *field, int64_t *ret, struct error *err)
{
	int r = time_parse(text, ret, err);

	if (r < 0)
		snprintf(err->field, sizeof(err->field), "%s", field);
	return r;
}

static int check_required(const struct raw *raw, enum upload_kind kind, struct error *err)
{
	if (raw->job)
		return error_set_field(err, E_BAD_REQUEST, "/job",
			"'job' is not taken here: file a job at /v0/projects/{project}/jobs");
	if (kind == UPLOAD_REPORT && !raw->branch)
		return error_set_field(err, E_UNPROCESSABLE, "/branch", "'branch' is missing");
	if (kind == UPLOAD_REPORT && !raw->testbed)
		return error_set_field(
			err, E_UNPROCESSABLE, "/testbed", "'testbed' is missing");
	return OK;
}

static int check_names(const struct raw *raw, struct error *err)
{
	int r = check_branch(raw->branch, "/branch", err);

	if (r == OK && raw->testbed)
		r = upload_check_name("testbed", raw->testbed, 64, "/testbed", err);
	if (r == OK && raw->project && !uuid_is_valid(raw->project) &&
		!slug_is_valid(raw->project))
		r = error_set_field(err, E_UNPROCESSABLE, "/project",
			"'%.64s' is neither the UUID nor the slug of a project", raw->project);
	if (r == OK && raw->key && !uuid_is_valid(raw->key))
		r = error_set_field(err, E_UNPROCESSABLE, "/idempotency_key",
			"'idempotency_key' must be a UUID, not '%.64s'", raw->key);
	return r;
}

static int read_rest(const struct raw *raw, enum upload_kind kind, upload_model_fn read_model,
	struct arena *a, struct upload *u, struct error *err)
{
	int r = read_hash(a, raw->hash, "/hash", &u->hash, err);

	if (r == OK)
		r = read_time(raw->start_time, "/start_time", &u->start_ns, err);
	if (r == OK)
		r = read_time(raw->end_time, "/end_time", &u->end_ns, err);
	if (r == OK)
		r = read_start_point(raw->start_point, a, u, err);
	if (r == OK)
		r = upload_read_thresholds(raw->thresholds, read_model, a, u, err);
	if (r == OK && kind == UPLOAD_RUN)
		r = upload_read_context(raw->context, a, u, err);
	return r < 0 ? r : upload_read_results(raw->settings, raw->results, a, u, err);
}

int upload_read(json_t *body, enum upload_kind kind, upload_model_fn read_model,
	struct arena *a, struct upload **ret, struct error *err)
{
	struct upload *u = ARENA_ARRAY(a, struct upload, 1);
	struct raw raw = { 0 };
	int r = json_read(body, "", fields, ARRAY_SIZE(fields), &raw, JSON_IGNORE_UNKNOWN, err);

	if (r == OK)
		r = check_required(&raw, kind, err);
	if (r == OK)
		r = check_names(&raw, err);
	u->project = raw.project;
	u->idempotency_key = raw.key ? lower_case(a, raw.key) : NULL;
	u->branch = raw.branch;
	u->testbed = raw.testbed;
	if (r == OK)
		r = read_rest(&raw, kind, read_model, a, u, err);
	if (r == OK)
		*ret = u;
	return r;
}
