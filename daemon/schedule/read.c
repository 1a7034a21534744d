/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A schedule from JSON or YAML. */
#include "daemon/schedule/schedule.h"

#include <string.h>
#include "base/clock.h"
#include "base/tz.h"

struct body {
	const char *name, *cron, *time_zone, *workload, *project;
	json_t *job;
	int misfire, overlap;
	int64_t grace_ns, jitter_ns;
	bool is_paused, only_new;
};
#define F(key, kind, member, min, max, names)                                                  \
	{                                                                                      \
		key, kind, offsetof(struct body, member), false, min, max, names               \
	}
static const struct json_field fields[] = {
	F("name", JF_STRING, name, 1, 64, NULL), F("cron", JF_STRING, cron, 1, 255, NULL),
	F("time_zone", JF_STRING, time_zone, 1, 64, NULL),
	F("workload", JF_STRING, workload, 1, 64, NULL), F("job", JF_OBJECT, job, 0, 0, NULL),
	F("misfire", JF_ENUM, misfire, 0, 0, misfire_names),
	F("overlap", JF_ENUM, overlap, 0, 0, overlap_names),
	F("grace", JF_DURATION, grace_ns, 1, 86400, NULL),
	F("jitter", JF_DURATION, jitter_ns, 0, 3600, NULL),
	F("paused", JF_BOOL, is_paused, 0, 0, NULL),
	F("only_new", JF_BOOL, only_new, 0, 0, NULL),
	F("project", JF_STRING, project, 1, 64, NULL), /* last: only where it is allowed */
};
#undef F

static int check_rule(const struct schedule *s, const char *pointer, struct error *err)
{
	_cleanup_(tz_free)
	struct tz *zone = NULL;
	struct cron cron;
	int r;

	r = cron_parse(s->cron, &cron, err);
	if (r < 0) {
		snprintf(err->field, sizeof(err->field), "%.50s/cron", pointer);
		return r;
	}
	r = tz_load(s->time_zone, &zone, err);
	if (r < 0) {
		snprintf(err->field, sizeof(err->field), "%.50s/time_zone", pointer);
		err->code = E_UNPROCESSABLE;
		return E_UNPROCESSABLE;
	}
	return OK;
}

static int take_job(const struct body *b, const char *pointer, struct arena *a,
	struct schedule *s, struct error *err)
{
	_cleanup_(free)
	char *text = NULL;
	json_t *job = b->job;
	char field[64];

	if (b->job && b->workload) {
		snprintf(field, sizeof(field), "%.50s/job", pointer);
		return error_set_field(err, E_UNPROCESSABLE, field,
			"'workload' and 'job' exclude each other; give one of them");
	}
	if (b->workload)
		job = arena_own_json(a, json_pack("{ss}", "workload", b->workload));
	if (job) {
		text = json_text(job);
		s->job_json = arena_strdup(a, text);
	}
	return OK;
}

static int missing(const char *pointer, const char *name, const char *hint, struct error *err)
{
	char field[64];

	snprintf(field, sizeof(field), "%.40s/%s", pointer, name);
	return error_set_field(err, E_UNPROCESSABLE, field, "'%s' is missing%s", name, hint);
}

struct schedule schedule_defaults(void)
{
	return (struct schedule){ .time_zone = "UTC",
		.misfire = MISFIRE_RUN_ONCE,
		.overlap = OVERLAP_SKIP,
		.grace_ns = 300 * NS_PER_S,
		.source = "api" };
}

static void take(const struct body *b, struct schedule *s)
{
	s->name = b->name;
	s->cron = b->cron;
	s->time_zone = b->time_zone;
	s->misfire = (enum misfire)b->misfire;
	s->overlap = (enum overlap)b->overlap;
	s->grace_ns = b->grace_ns;
	s->jitter_ns = b->jitter_ns;
	s->is_paused = b->is_paused;
	s->only_new = b->only_new;
}

int schedule_read(json_t *o, const char *pointer, struct arena *a, const char **project,
	struct schedule *s, struct error *err)
{
	struct body b = { .name = s->name,
		.cron = s->cron,
		.time_zone = s->time_zone,
		.misfire = s->misfire,
		.overlap = s->overlap,
		.grace_ns = s->grace_ns,
		.jitter_ns = s->jitter_ns,
		.is_paused = s->is_paused,
		.only_new = s->only_new };
	int r;

	r = json_read(o, pointer, fields, ARRAY_SIZE(fields) - !project, &b,
		JSON_REFUSE_UNKNOWN, err);
	if (r == OK)
		r = take_job(&b, pointer, a, s, err);
	if (r < 0)
		return r;
	take(&b, s);
	if (project)
		*project = b.project;
	if (!s->name)
		return missing(pointer, "name", "", err);
	if (!s->cron)
		return missing(
			pointer, "cron", ": five fields such as '30 2 * * *', or @daily", err);
	if (!s->job_json)
		return missing(pointer, "workload", " (or 'job', a body of POST jobs)", err);
	return check_rule(s, pointer, err);
}
