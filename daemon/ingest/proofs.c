/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What built-in kernels said of their answers and of the ceilings above them, a row a cell. */
#include <string.h>
#include "base/secret.h"
#include "daemon/ingest/internal.h"
#include "stats/quantile.h"

/* Sums over the processes of a cell. */
struct proof_sum {
	const char *digest, *bound_by, *device; /* the first one's */
	bool has_other_digest, is_software, is_doubtful;
	int64_t n, n_ok;
	double *percent;
	size_t n_percent;
};

/* The one member of the metadata that a kernel sends: its id and what it says. */
static json_t *facts_of(json_t *record)
{
	json_t *metadata = json_object_get(record, "metadata"), *v;
	const char *key;

	json_object_foreach (metadata, key, v)
		if (json_object_get(v, "device"))
			return v;
	return NULL;
}

static void add_facts(struct arena *a, struct proof_sum *s, const json_t *facts)
{
	const json_t *device = json_object_get(facts, "device");
	const json_t *roofline = json_object_get(facts, "roofline");
	double percent = json_number_value(json_object_get(roofline, "percent"));

	s->is_software |= json_get_bool(device, "software", false);
	s->is_doubtful |= json_get_bool(roofline, "ceiling_doubtful", false);
	if (!s->device)
		s->device = arena_strdup(
			a, json_get_str(device, "name", json_get_str(device, "cpu", "")));
	if (percent > 0) {
		s->percent[s->n_percent++] = percent;
		s->bound_by = arena_strdup(a, json_get_str(roofline, "bound_by", ""));
	}
}

/* "NAME, DRIVER VERSION (INFO), Vulkan API"; NULL: not on such a device. */
static const char *driver_text(struct arena *a, const json_t *device)
{
	enum { MOST = 400 }; /* bytes; nothing that a driver is called by is as long */
	char hex[SHA256_HEX];
	const char *text;

	if (!*json_get_str(device, "driver_version", ""))
		return NULL;
	text = arena_printf(a, "%s, %s %s (%s), Vulkan %s", json_get_str(device, "name", ""),
		json_get_str(device, "driver", ""), json_get_str(device, "driver_version", ""),
		json_get_str(device, "driver_info", ""), json_get_str(device, "api", ""));
	return strlen(text) <= MOST ? text
				    : arena_strdup(a, sha256_hex(text, strlen(text), hex));
}

const char *proof_driver(struct arena *a, const struct process *p, size_t n, const char *cell)
{
	const char *text = NULL;

	for (size_t i = 0; i < n && !text; i++) {
		_cleanup_(json_decref)
		json_t *record = NULL;

		if (p[i].replaced || strcmp(p[i].cell, cell) != 0)
			continue;
		if (json_parse(p[i].record_json, strlen(p[i].record_json), &record, NULL) < 0)
			continue;
		text = driver_text(a, json_object_get(facts_of(record), "device"));
		break;
	}
	return text;
}

static void add_process(struct arena *a, struct proof_sum *s, const struct process *p)
{
	_cleanup_(json_decref)
	json_t *record = NULL;
	const json_t *verify;
	const char *digest;

	if (json_parse(p->record_json, strlen(p->record_json), &record, NULL) < 0)
		return;
	verify = json_object_get(record, "verify");
	digest = json_get_str(verify, "digest", "");
	s->n++;
	s->n_ok += json_get_bool(verify, "ok", false);
	if (!s->digest)
		s->digest = arena_strdup(a, digest);
	s->has_other_digest |= strcmp(s->digest, digest) != 0;
	add_facts(a, s, facts_of(record));
}

static json_t *proof_json(const struct proof_sum *s, const char *benchmark)
{
	json_t *o = json_object();

	json_set_str(o, "benchmark", benchmark);
	json_set_bool(o, "verified", s->n_ok == s->n);
	json_set_int(o, "n_processes", s->n);
	/* where all had the same input and build it is one */
	if (s->digest && *s->digest && !s->has_other_digest)
		json_set_str(o, "digest", s->digest);
	if (s->n_percent) {
		json_set_real(o, "of_ceiling",
			sample_median_in_place(s->percent, s->n_percent) / 100);
		json_set_opt(o, "bound_by", s->bound_by);
	}
	if (s->is_doubtful)
		json_set_bool(o, "ceiling_doubtful", true);
	json_set_opt(o, "device", s->device);
	json_set_bool(o, "software", s->is_software);
	return o;
}

json_t *proof_rows(const struct ingest *in, const struct process *p, size_t n, enum arm arm,
	const char *cell, const char *benchmark)
{
	struct proof_sum s = { .percent = ARENA_ARRAY(in->arena, double, n + 1) };

	for (size_t i = 0; i < n; i++)
		if (p[i].arm == arm && !p[i].replaced && !strcmp(p[i].cell, cell))
			add_process(in->arena, &s, &p[i]);
	return s.n ? proof_json(&s, benchmark) : NULL;
}
