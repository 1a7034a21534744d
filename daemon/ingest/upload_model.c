/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The thresholds of an upload: Bencher's models by measure. */
#include "daemon/ingest/upload.h"

#include <math.h>
#include <string.h>
#include "stats/threshold.h"

struct raw_model {
	const char *test;
	int64_t min_sample_size, max_sample_size, window;
	double lower_boundary, upper_boundary;
};
#define F(key, kind, required, min, max)                                                       \
	{                                                                                      \
#key, kind, offsetof(struct raw_model, key), required, min, max, NULL          \
	}
static const struct json_field fields[] = {
	F(test, JF_STRING, true, 1, 32),
	F(min_sample_size, JF_INT, false, 1, UINT32_MAX),
	F(max_sample_size, JF_INT, false, 1, UINT32_MAX),
	F(window, JF_INT, false, 1, UINT32_MAX),
	F(lower_boundary, JF_DOUBLE, false, 0, 0),
	F(upper_boundary, JF_DOUBLE, false, 0, 0),
};
#undef F

static int check(const struct raw_model *m, const char *pointer, struct error *err)
{
	struct threshold_model t;
	enum threshold_test test;
	char field[128];
	int r;

	snprintf(field, sizeof(field), "%.100s/test", pointer);
	if (!threshold_find(m->test, &test) || !threshold_is_bencher(test))
		return error_set_field(err, E_UNPROCESSABLE, field,
			"'test' must be static, percentage, z_score, t_test, log_normal, iqr "
			"or delta_iqr, not '%.32s'",
			m->test);
	if (test == TEST_STATIC && m->window)
		return error_set_field(err, E_UNPROCESSABLE, field,
			"'window' has no meaning for the test 'static'");
	t = threshold_defaults(test);
	t.lower = m->lower_boundary;
	t.upper = m->upper_boundary;
	t.min_sample = (size_t)m->min_sample_size;
	t.max_sample = (size_t)m->max_sample_size;
	r = threshold_validate(&t, err);
	if (r < 0) {
		snprintf(field, sizeof(field), "%.80s/%.40s", pointer, err->field);
		strcpy(err->field, field);
	}
	return r;
}

int upload_model_read(json_t *o, const char *pointer, struct arena *a,
	struct boundary_model *ret, struct error *err)
{
	struct raw_model m = { .lower_boundary = NAN, .upper_boundary = NAN };
	int r = json_read(o, pointer, fields, ARRAY_SIZE(fields), &m, JSON_IGNORE_UNKNOWN, err);

	if (r == OK)
		r = check(&m, pointer, err);
	if (r < 0)
		return r;
	*ret = (struct boundary_model){ .test = arena_strdup(a, m.test),
		.min_sample_size = m.min_sample_size,
		.max_sample_size = m.max_sample_size,
		.window_s = m.window,
		.lower_boundary = m.lower_boundary,
		.upper_boundary = m.upper_boundary };
	return OK;
}

static int read_models(json_t *models, upload_model_fn read_model, struct arena *a,
	struct upload *u, struct error *err)
{
	struct upload_model *list;
	const char *measure;
	char pointer[128];
	json_t *o;
	int r;

	if (json_object_size(models) > UPLOAD_MAX_MODELS)
		return error_set_field(err, E_UNPROCESSABLE, "/thresholds/models",
			"'models' has %zu measures, at most %d", json_object_size(models),
			UPLOAD_MAX_MODELS);
	list = ARENA_ARRAY(a, struct upload_model, json_object_size(models) + 1);
	json_object_foreach (models, measure, o) {
		snprintf(pointer, sizeof(pointer), "/thresholds/models/%.64s", measure);
		list[u->n_models].measure = measure;
		r = upload_check_name("measure", measure, 64, pointer, err);
		if (r == OK)
			r = read_model(o, pointer, a, &list[u->n_models].model, err);
		if (r < 0)
			return r;
		u->n_models++;
	}
	u->models = list;
	return OK;
}

int upload_read_thresholds(json_t *o, upload_model_fn read_model, struct arena *a,
	struct upload *u, struct error *err)
{
	struct {
		json_t *models;
		bool reset;
	} raw = { 0 };
	const struct json_field members[] = {
		{ "models", JF_OBJECT, 0, false, 0, 0, NULL },
		{ "reset", JF_BOOL, sizeof(json_t *), false, 0, 0, NULL },
	};
	int r;

	if (!o)
		return OK;
	r = json_read(
		o, "/thresholds", members, ARRAY_SIZE(members), &raw, JSON_IGNORE_UNKNOWN, err);
	u->reset_thresholds = raw.reset;
	if (r < 0 || !raw.models)
		return r;
	return read_models(raw.models, read_model, a, u, err);
}

int upload_store_thresholds(struct store *st, struct arena *a, int64_t project_id,
	int64_t branch_id, int64_t testbed_id, const struct upload *u, int64_t now_ns,
	struct error *err)
{
	int64_t *kept = ARENA_ARRAY(a, int64_t, u->n_models + 1), id;
	struct measure m;
	int r = OK;

	for (size_t i = 0; r == OK && i < u->n_models; i++) {
		r = store_measure_ensure(
			st, a, project_id, u->models[i].measure, NULL, NULL, now_ns, &m, err);
		if (r == OK)
			r = store_threshold_save(st, project_id, branch_id, testbed_id, m.id,
				&u->models[i].model, now_ns, &id, err);
		kept[i] = r == OK ? m.id : 0;
	}
	if (r == OK && u->reset_thresholds)
		r = store_threshold_reset(
			st, branch_id, testbed_id, kept, u->n_models, now_ns, err);
	return r;
}
