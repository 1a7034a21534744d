/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thresholds, their models and rules as JSON. */
#include <math.h>
#include <string.h>
#include "daemon/render/internal.h"

static void set_count(json_t *o, const char *key, int64_t n)
{
	if (n)
		json_set_int(o, key, n);
}

static void set_limit(json_t *o, const char *key, double v)
{
	if (isfinite(v))
		json_set_real(o, key, v);
}

json_t *render_model(const struct boundary_model *m)
{
	json_t *o = json_object();

	json_set_str(o, "uuid", m->uuid);
	json_set_str(o, "test", m->test);
	set_count(o, "min_sample_size", m->min_sample_size);
	set_count(o, "max_sample_size", m->max_sample_size);
	set_count(o, "window", m->window_s);
	set_limit(o, "lower_boundary", m->lower_boundary);
	set_limit(o, "upper_boundary", m->upper_boundary);
	if (m->own_json) {
		json_t *own = stored_json(m->own_json);

		json_object_update_missing(o, own);
		json_decref(own);
	}
	json_set_time(o, "created", m->created_ns);
	if (m->replaced_ns)
		json_set_time(o, "replaced", m->replaced_ns);
	return o;
}

json_t *render_threshold(const struct threshold *t, const struct project *p)
{
	json_t *o = json_object();

	json_set_str(o, "uuid", t->uuid);
	json_set_str(o, "project", p->uuid);
	json_object_set_new(o, "branch", render_branch(&t->branch, p, NULL));
	json_object_set_new(o, "testbed", render_testbed(&t->testbed, p));
	json_object_set_new(o, "measure", render_measure(&t->measure, p));
	if (t->has_model)
		json_object_set_new(o, "model", render_model(&t->model));
	json_set_time(o, "created", t->created_ns);
	json_set_time(o, "modified", t->modified_ns);
	return o;
}

json_t *render_threshold_model(const struct metric_limits *m, const struct project *p)
{
	json_t *o = json_object();

	json_set_str(o, "uuid", m->threshold_uuid);
	json_set_str(o, "project", p->uuid);
	json_object_set_new(o, "model", render_model(&m->model));
	json_set_time(o, "created", m->threshold_created_ns);
	return o;
}

json_t *render_rule(const struct limit_rule *r)
{
	json_t *o = json_object();

	json_set_str(o, "uuid", r->uuid);
	json_set_str(o, "name", r->name);
	json_set_str(o, "source", r->source);
	json_set_opt(o, "branch", r->branch);
	json_set_opt(o, "testbed", r->testbed);
	json_set_opt(o, "measure", r->measure);
	json_set_opt(o, "benchmark", r->benchmark);
	json_object_set_new(o, "model", stored_json(r->model_json));
	json_set_time(o, "created", r->created_ns);
	json_set_time(o, "modified", r->modified_ns);
	return o;
}

json_t *render_alert_entry(const struct alert_entry *e)
{
	json_t *o = json_object();

	json_set_time(o, "time", e->created_ns);
	json_set_str(o, "actor", e->actor);
	json_set_str(o, "kind", e->kind);
	json_set_str(o, "text", e->text);
	return o;
}
