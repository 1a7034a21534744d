/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Models of thresholds: as written, as stored, as used. */
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"

struct raw_model {
	const char *test;
	int64_t min_sample_size, max_sample_size, window, confirm;
	double lower_boundary, upper_boundary, alpha, df, min_effect;
	int direction, history; /* -1 */
};
static const char *const direction_words[] = { "worse", "better", "both", NULL };
static const char *const history_words[] = { "all", "segment", NULL };

#define F(key, kind, required, min, max, names)                                                \
	{                                                                                      \
#key, kind, offsetof(struct raw_model, key), required, min, max, names         \
	}
static const struct json_field fields[] = {
	F(test, JF_STRING, true, 1, 32, NULL),
	F(min_sample_size, JF_INT, false, 1, UINT32_MAX, NULL),
	F(max_sample_size, JF_INT, false, 1, UINT32_MAX, NULL),
	F(window, JF_INT, false, 1, UINT32_MAX, NULL),
	F(lower_boundary, JF_DOUBLE, false, 0, 0, NULL),
	F(upper_boundary, JF_DOUBLE, false, 0, 0, NULL),
	F(alpha, JF_DOUBLE, false, 0, 0, NULL),
	F(df, JF_DOUBLE, false, 0, 0, NULL),
	F(min_effect, JF_DOUBLE, false, 0, 0, NULL),
	F(confirm, JF_INT, false, 0, CONFIRM_MAX, NULL),
	F(direction, JF_ENUM, false, 0, 0, direction_words),
	F(history, JF_ENUM, false, 0, 0, history_words),
};
#undef F

static const struct raw_model empty = { .lower_boundary = NAN,
	.upper_boundary = NAN,
	.alpha = NAN,
	.df = NAN,
	.min_effect = NAN,
	.confirm = -1,
	.direction = -1,
	.history = -1 };

static int find_test(const char *name, struct limit_model *m, struct error *err)
{
	enum threshold_test test = TEST_LOG_T;

	m->kind = !strcmp(name, "cpd")	 ? LIMIT_CHANGES
		  : !strcmp(name, "off") ? LIMIT_OFF
					 : LIMIT_POINT;
	if (m->kind == LIMIT_POINT && !threshold_find(name, &test)) {
		const char *near = nearest_name(name, threshold_names);

		return error_set_field(err, E_UNPROCESSABLE, "test",
			"'test' must be one of static, percentage, z_score, t_test, "
			"log_normal, iqr, "
			"delta_iqr, log_t, exact, ab_log_t, mann_whitney, cpd and off, not "
			"'%.32s'%s%s%s",
			name, near ? "; did you mean '" : "", near ? near : "",
			near ? "'?" : "");
	}
	m->test = name;
	m->t = threshold_defaults(test);
	if (m->kind == LIMIT_CHANGES)
		m->t.min_sample = 20;
	return OK;
}

static void take_own(const struct raw_model *raw, struct limit_model *m)
{
	if (!isnan(raw->alpha))
		m->t.alpha = raw->alpha;
	if (!isnan(raw->df))
		m->t.df = raw->df;
	if (!isnan(raw->min_effect))
		m->t.min_effect = raw->min_effect;
	if (raw->direction >= 0)
		m->t.direction = (enum direction)raw->direction;
	if (raw->confirm >= 0)
		m->confirm = raw->confirm;
	if (raw->history >= 0)
		m->by_segment = raw->history == 1;
}

/* Defaults of the test, then what was written. */
static int interpret(const struct raw_model *raw, struct limit_model *m, struct error *err)
{
	bool is_own;
	int r;

	*m = (struct limit_model){ 0 };
	r = find_test(raw->test, m, err);
	if (r < 0)
		return r;
	is_own = m->kind != LIMIT_POINT || !threshold_is_bencher(m->t.test);
	m->confirm = is_own && m->t.test != TEST_EXACT ? 2 : is_own;
	m->by_segment = is_own;
	m->t.lower = raw->lower_boundary;
	m->t.upper = raw->upper_boundary;
	if (raw->min_sample_size || !is_own)
		m->t.min_sample = (size_t)raw->min_sample_size;
	if (raw->max_sample_size || !is_own)
		m->t.max_sample = (size_t)raw->max_sample_size;
	m->window_s = raw->window;
	take_own(raw, m);
	if (!is_own && (m->confirm || m->by_segment || !isnan(raw->alpha) || !isnan(raw->df)))
		return error_set_field(err, E_UNPROCESSABLE, "test",
			"'alpha', 'df', 'confirm' and 'history' belong to benchd's own tests, "
			"'%.32s' is one of Bencher's",
			m->test);
	if (m->t.test == TEST_STATIC && m->window_s)
		return error_set_field(err, E_UNPROCESSABLE, "window",
			"'window' has no meaning for the test 'static'");
	return threshold_validate(&m->t, err);
}

static const char *own_text(struct arena *a, const struct raw_model *raw)
{
	_cleanup_(json_decref)
	json_t *o = json_object();
	_cleanup_(free)
	char *text = NULL;

	if (!isnan(raw->alpha))
		json_set_real(o, "alpha", raw->alpha);
	if (!isnan(raw->df))
		json_set_real(o, "df", raw->df);
	if (!isnan(raw->min_effect))
		json_set_real(o, "min_effect", raw->min_effect);
	if (raw->confirm >= 0)
		json_set_int(o, "confirm", raw->confirm);
	if (raw->direction >= 0)
		json_set_str(o, "direction", direction_words[raw->direction]);
	if (raw->history >= 0)
		json_set_str(o, "history", history_words[raw->history]);
	if (json_object_size(o) == 0)
		return NULL;
	text = json_canonical(o);
	return arena_strdup(a, text);
}

int limit_model_read(json_t *o, const char *pointer, struct arena *a,
	struct boundary_model *ret, struct error *err)
{
	struct raw_model raw = empty;
	struct limit_model m;
	char field[128];
	int r = json_read(
		o, pointer, fields, ARRAY_SIZE(fields), &raw, JSON_IGNORE_UNKNOWN, err);

	if (r < 0)
		return r;
	r = interpret(&raw, &m, err);
	if (r < 0) {
		snprintf(field, sizeof(field), "%.80s/%.40s", pointer, err->field);
		strcpy(err->field, field);
		return r;
	}
	*ret = (struct boundary_model){ .test = arena_strdup(a, raw.test),
		.min_sample_size = raw.min_sample_size,
		.max_sample_size = raw.max_sample_size,
		.window_s = raw.window,
		.lower_boundary = raw.lower_boundary,
		.upper_boundary = raw.upper_boundary,
		.own_json = own_text(a, &raw) };
	return OK;
}

static int read_own(const char *text, struct raw_model *raw, struct error *err)
{
	_cleanup_(json_decref)
	json_t *o = NULL;
	int r = json_parse(text, strlen(text), &o, err);

	if (r < 0)
		return r;
	/* Numbers and words of tables only: nothing of o is kept. The test is not in it. */
	return json_read(
		o, "", fields + 1, ARRAY_SIZE(fields) - 1, raw, JSON_IGNORE_UNKNOWN, err);
}

int limit_model_load(const struct boundary_model *m, enum better better,
	struct limit_model *ret, struct error *err)
{
	struct raw_model raw = empty;
	int r = OK;

	raw.test = m->test;
	raw.min_sample_size = m->min_sample_size;
	raw.max_sample_size = m->max_sample_size;
	raw.window = m->window_s;
	raw.lower_boundary = m->lower_boundary;
	raw.upper_boundary = m->upper_boundary;
	if (m->own_json)
		r = read_own(m->own_json, &raw, err);
	if (r == OK)
		r = interpret(&raw, ret, err);
	ret->t.better = better == BETTER_LOWER ? LOWER_IS_BETTER : HIGHER_IS_BETTER;
	return r;
}

static void set_count(json_t *o, const char *key, int64_t n)
{
	if (n)
		json_set_int(o, key, n);
}

json_t *limit_model_json(const struct boundary_model *m)
{
	json_t *o = json_object();
	struct error ignored;
	json_t *own;

	json_set_str(o, "test", m->test);
	set_count(o, "min_sample_size", m->min_sample_size);
	set_count(o, "max_sample_size", m->max_sample_size);
	set_count(o, "window", m->window_s);
	if (isfinite(m->lower_boundary))
		json_set_real(o, "lower_boundary", m->lower_boundary);
	if (isfinite(m->upper_boundary))
		json_set_real(o, "upper_boundary", m->upper_boundary);
	if (m->own_json && json_parse(m->own_json, strlen(m->own_json), &own, &ignored) == OK) {
		json_object_update(o, own);
		json_decref(own);
	}
	return o;
}
