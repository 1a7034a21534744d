/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The columns of every list, and of the rows inside the larger documents. */
#include "daemon/render/internal.h"

#include <string.h>

#define COLUMNS(name) static const struct column name[]

COLUMNS(job_columns) = {
	{ "job", "uuid", "uuid", CELL_HASH, NULL },
	{ "project", "project", "project", CELL_TEXT, NULL },
	{ "workload", "workload", "workload", CELL_CODE, NULL },
	{ "state", "state", "state", CELL_TEXT, NULL },
	{ "phase", "phase", "phase", CELL_TEXT, NULL },
	{ "pos", "position", "position", CELL_PLACE, NULL },
	{ "done", "done", "progress.done", CELL_INT, NULL },
	{ "of", "total", "progress.total", CELL_INT, NULL },
	{ "branch", "branch", "branch", CELL_CODE, NULL },
	{ "head", "head", "head.hash", CELL_HASH, NULL },
	{ "against", "base", "base.hash", CELL_HASH, NULL },
	{ "testbed", "testbed", "testbed", CELL_TEXT, NULL },
	{ "created", "created", "created", CELL_TIME, NULL },
	{ NULL, "started", "started", CELL_TIME, NULL },
	{ NULL, "finished", "finished", CELL_TIME, NULL },
	{ "outcome", "outcome", "outcome", CELL_OUTCOME, NULL },
	{ NULL, "report", "report", CELL_TEXT, NULL },
	{ NULL, "fault", "fault", CELL_TEXT, NULL },
	{ NULL, "reason", "reason", CELL_TEXT, NULL },
	{ "waits because", NULL, "waiting", CELL_TEXT, NULL },
};
COLUMNS(process_columns) = {
	{ "cell", "cell", "cell", CELL_TEXT, NULL },
	{ "arm", "arm", "arm", CELL_TEXT, NULL },
	{ "index", "index", "index", CELL_INT, NULL },
	{ "block", "block", "block", CELL_INT, NULL },
	{ NULL, "order", "order", CELL_INT, NULL },
	{ "first value", "value", "results.0.value", CELL_VALUE, "results.0.unit" },
	{ NULL, "unit", "results.0.unit", CELL_TEXT, NULL },
	{ NULL, "benchmark", "results.0.benchmark", CELL_TEXT, NULL },
	{ NULL, "measure", "results.0.measure", CELL_TEXT, NULL },
	{ "wall", "wall_ns", "wall_ns", CELL_DURATION, NULL },
	{ "user us", "user_us", "user_us", CELL_INT, NULL },
	{ "system us", "sys_us", "sys_us", CELL_INT, NULL },
	{ "peak KiB", "maxrss_kib", "maxrss_kib", CELL_INT, NULL },
	{ "noise", "noise", "noise", CELL_TEXT, NULL },
	{ "signals", "signals", "signals", CELL_WORDS, NULL },
	{ "end", "termination", "termination", CELL_TEXT, NULL },
	{ NULL, "replaced", "replaced", CELL_TEXT, NULL },
	{ NULL, "steady", "steady", CELL_TEXT, NULL },
};
COLUMNS(report_columns) = {
	{ "report", "uuid", "uuid", CELL_HASH, NULL },
	{ "branch", "branch", "branch.name", CELL_CODE, NULL },
	{ "hash", "hash", "branch.head.version.hash", CELL_HASH, NULL },
	{ "version", "version", "branch.head.version.number", CELL_INT, NULL },
	{ "testbed", "testbed", "testbed.name", CELL_TEXT, NULL },
	{ "adapter", "adapter", "adapter", CELL_TEXT, NULL },
	{ "arm", "arm", "arm", CELL_TEXT, NULL },
	{ "noise", "noise", "noise", CELL_TEXT, NULL },
	{ "started", "start_time", "start_time", CELL_TIME, NULL },
	{ NULL, "end_time", "end_time", CELL_TIME, NULL },
	{ NULL, "job", "job", CELL_TEXT, NULL },
};
COLUMNS(series_columns) = {
	{ "id", "id", "id", CELL_INT, NULL },
	{ "benchmark", "benchmark", "benchmark.name", CELL_CODE, NULL },
	{ "measure", "measure", "measure.name", CELL_TEXT, NULL },
	{ NULL, "units", "measure.units", CELL_TEXT, NULL },
	{ "branch", "branch", "branch.name", CELL_CODE, NULL },
	{ "testbed", "testbed", "testbed.name", CELL_TEXT, NULL },
	{ "points", "n_points", "n_points", CELL_INT, NULL },
	{ "last value", "last_value", "last_value", CELL_VALUE, "measure.units" },
	{ "last", "last_time", "last_time", CELL_TIME, NULL },
};
COLUMNS(change_columns) = {
	{ "benchmark", "benchmark", "series.benchmark.name", CELL_CODE, NULL },
	{ "measure", "measure", "series.measure.name", CELL_TEXT, NULL },
	{ "branch", "branch", "series.branch.name", CELL_CODE, NULL },
	{ "testbed", "testbed", "series.testbed.name", CELL_TEXT, NULL },
	{ "commit", "hash", "hash", CELL_HASH, NULL },
	{ NULL, "version", "version", CELL_INT, NULL },
	{ "before", "before", "before", CELL_VALUE, "series.measure.units" },
	{ "after", "after", "after", CELL_VALUE, "series.measure.units" },
	{ "change", "effect", "effect", CELL_CHANGE, "interval" },
	{ "p", "p", "p", CELL_NUMBER, NULL },
	{ "found", "created", "created", CELL_TIME, NULL },
	{ "outcome", "outcome", "outcome", CELL_OUTCOME, NULL },
};
COLUMNS(alert_columns) = {
	{ "alert", "uuid", "uuid", CELL_HASH, NULL },
	{ "state", "state", "state", CELL_TEXT, NULL },
	{ "benchmark", "benchmark", "benchmark.name", CELL_CODE, NULL },
	{ "measure", "measure", "measure.name", CELL_TEXT, NULL },
	{ "branch", "branch", "branch.name", CELL_CODE, NULL },
	{ "testbed", "testbed", "testbed.name", CELL_TEXT, NULL },
	{ "commit", "hash", "hash", CELL_HASH, NULL },
	{ "baseline", "baseline", "baseline", CELL_VALUE, "measure.units" },
	{ "value", "value", "value", CELL_VALUE, "measure.units" },
	{ "change", "effect", "effect", CELL_CHANGE, "interval" },
	{ "opened", "created", "created", CELL_TIME, NULL },
	{ "direction", "direction", "direction", CELL_OUTCOME, NULL },
	{ "reason", "reason", "reason", CELL_TEXT, NULL },
};
COLUMNS(project_columns) = {
	{ "project", "slug", "slug", CELL_CODE, NULL },
	{ "name", "name", "name", CELL_TEXT, NULL },
	{ "visibility", "visibility", "visibility", CELL_TEXT, NULL },
	{ "url", "url", "url", CELL_TEXT, NULL },
	{ "created", "created", "created", CELL_TIME, NULL },
	{ NULL, "uuid", "uuid", CELL_TEXT, NULL },
};
COLUMNS(dimension_columns) = {
	{ "name", "name", "name", CELL_CODE, NULL },
	{ "slug", "slug", "slug", CELL_TEXT, NULL },
	{ "created", "created", "created", CELL_TIME, NULL },
	{ NULL, "modified", "modified", CELL_TIME, NULL },
	{ "uuid", "uuid", "uuid", CELL_TEXT, NULL },
};
COLUMNS(measure_columns) = {
	{ "name", "name", "name", CELL_CODE, NULL },
	{ "slug", "slug", "slug", CELL_TEXT, NULL },
	{ "units", "units", "units", CELL_TEXT, NULL },
	{ "better", "better", "better", CELL_TEXT, NULL },
	{ "created", "created", "created", CELL_TIME, NULL },
	{ NULL, "uuid", "uuid", CELL_TEXT, NULL },
};
COLUMNS(workload_columns) = {
	{ "workload", "name", "name", CELL_CODE, NULL },
	{ "kind", "kind", "kind", CELL_TEXT, NULL },
	{ "tags", "tags", "tags", CELL_WORDS, NULL },
	{ "source", "source", "source", CELL_TEXT, NULL },
	{ "description", "description", "description", CELL_TEXT, NULL },
};
COLUMNS(cell_columns) = {
	{ "cell", "id", "id", CELL_TEXT, NULL },
	{ "benchmark", "benchmark", "benchmark", CELL_CODE, NULL },
	{ "command", "argv", "argv", CELL_WORDS, NULL },
	{ "adapter", "adapter", "adapter", CELL_TEXT, NULL },
	{ "definition", "definition_hash", "definition_hash", CELL_HASH, NULL },
};
COLUMNS(token_columns) = {
	{ "name", "name", "name", CELL_TEXT, NULL },
	{ "ends with", "last_four", "last_four", CELL_TEXT, NULL },
	{ "scopes", "scopes", "scopes", CELL_WORDS, NULL },
	{ "project", "project", "project", CELL_TEXT, NULL },
	{ "created", "creation", "creation", CELL_TIME, NULL },
	{ "expires", "expiration", "expiration", CELL_TIME, NULL },
	{ "last used", "last_used", "last_used", CELL_TIME, NULL },
	{ "revoked", "revoked", "revoked", CELL_TIME, NULL },
	{ "uuid", "uuid", "uuid", CELL_TEXT, NULL },
};

COLUMNS(threshold_columns) = {
	{ "threshold", "uuid", "uuid", CELL_HASH, NULL },
	{ "branch", "branch", "branch.name", CELL_CODE, NULL },
	{ "testbed", "testbed", "testbed.name", CELL_TEXT, NULL },
	{ "measure", "measure", "measure.name", CELL_TEXT, NULL },
	{ "test", "test", "model.test", CELL_TEXT, NULL },
	{ "lower", "lower_boundary", "model.lower_boundary", CELL_TEXT, NULL },
	{ "upper", "upper_boundary", "model.upper_boundary", CELL_TEXT, NULL },
	{ "min", "min_sample_size", "model.min_sample_size", CELL_TEXT, NULL },
	{ "max", "max_sample_size", "model.max_sample_size", CELL_TEXT, NULL },
	{ "modified", "modified", "modified", CELL_TIME, NULL },
};
COLUMNS(rule_columns) = {
	{ "rule", "name", "name", CELL_CODE, NULL },
	{ "branch", "branch", "branch", CELL_CODE, NULL },
	{ "testbed", "testbed", "testbed", CELL_CODE, NULL },
	{ "measure", "measure", "measure", CELL_CODE, NULL },
	{ "benchmark", "benchmark", "benchmark", CELL_CODE, NULL },
	{ "test", "test", "model.test", CELL_TEXT, NULL },
	{ "alpha", "alpha", "model.alpha", CELL_TEXT, NULL },
	{ "min effect", "min_effect", "model.min_effect", CELL_TEXT, NULL },
	{ "confirm", "confirm", "model.confirm", CELL_TEXT, NULL },
	{ "source", "source", "source", CELL_TEXT, NULL },
	{ NULL, "uuid", "uuid", CELL_TEXT, NULL },
};
COLUMNS(schedule_columns) = {
	{ "schedule", "name", "name", CELL_CODE, NULL },
	{ "rule", "cron", "cron", CELL_TEXT, NULL },
	{ "zone", "time_zone", "time_zone", CELL_TEXT, NULL },
	{ "workload", "workload", "workload", CELL_CODE, NULL },
	{ "next", "next", "next", CELL_TIME, NULL },
	{ "paused", "paused", "paused", CELL_TEXT, NULL },
	{ "last", "last_slot", "last.slot", CELL_TIME, NULL },
	{ "was", "last_state", "last.state", CELL_TEXT, NULL },
	{ "job", "last_job", "last.job", CELL_HASH, NULL },
	{ "misfire", "misfire", "misfire", CELL_TEXT, NULL },
	{ "overlap", "overlap", "overlap", CELL_TEXT, NULL },
	{ NULL, "source", "source", CELL_TEXT, NULL },
	{ NULL, "uuid", "uuid", CELL_TEXT, NULL },
};
COLUMNS(slot_columns) = {
	{ "slot", "slot", "slot", CELL_TIME, NULL },
	{ "due", "due", "due", CELL_TIME, NULL },
	{ "local time", "local", "local", CELL_TEXT, NULL },
};
COLUMNS(firing_columns) = {
	{ "slot", "slot", "slot", CELL_TIME, NULL },
	{ "fired", "fired", "fired", CELL_TIME, NULL },
	{ "state", "state", "state", CELL_TEXT, NULL },
	{ "missed before", "missed", "missed", CELL_PLACE, NULL },
	{ "by hand", "manual", "manual", CELL_TEXT, NULL },
	{ "job", "job", "job", CELL_HASH, NULL },
	{ "job is", "job_state", "job_state", CELL_TEXT, NULL },
	{ "reason", "reason", "reason", CELL_TEXT, NULL },
};
COLUMNS(delivery_columns) = {
	{ "delivery", "uuid", "uuid", CELL_TEXT, NULL },
	{ "hook", "hook", "hook", CELL_CODE, NULL },
	{ "event", "event", "event", CELL_TEXT, NULL },
	{ NULL, "id", "id", CELL_TEXT, NULL },
	{ "state", "state", "state", CELL_TEXT, NULL },
	{ "received", "received", "received", CELL_TIME, NULL },
	{ NULL, "processed", "processed", CELL_TIME, NULL },
	{ NULL, "size", "size", CELL_INT, NULL },
	{ "reason", "reason", "reason", CELL_TEXT, NULL },
};
COLUMNS(outgoing_columns) = {
	{ "message", "uuid", "uuid", CELL_TEXT, NULL },
	{ "kind", "kind", "kind", CELL_TEXT, NULL },
	{ "to", "target", "target", CELL_CODE, NULL },
	{ "event", "event", "event", CELL_TEXT, NULL },
	{ "state", "state", "state", CELL_TEXT, NULL },
	{ "attempts", "attempts", "attempts", CELL_INT, NULL },
	{ "created", "created", "created", CELL_TIME, NULL },
	{ "due", "due", "due", CELL_TIME, NULL },
	{ NULL, "done", "done", CELL_TIME, NULL },
	{ "reason", "reason", "reason", CELL_TEXT, NULL },
};

COLUMNS(device_columns) = {
	{ "device", "uuid", "uuid", CELL_TEXT, NULL },
	{ "driver id", "driver_id", "driver_id", CELL_INT, NULL },
	{ "name", "name", "name", CELL_TEXT, NULL },
	{ NULL, "driver", "driver", CELL_TEXT, NULL },
	{ "testbed", "testbed", "testbed", CELL_TEXT, NULL },
	{ NULL, "software", "software", CELL_TEXT, NULL },
	{ "there", "present", "present", CELL_TEXT, NULL },
	{ "state", "state", "state", CELL_TEXT, NULL },
	{ "since", "since", "since", CELL_TIME, NULL },
	{ "losses", "losses", "losses", CELL_INT, NULL },
	{ "reason", "reason", "reason", CELL_TEXT, NULL },
	{ "cleared", "cleared", "cleared", CELL_TIME, NULL },
	{ "by", "cleared_by", "cleared_by", CELL_TEXT, NULL },
};

#define LIST(kind, columns, noun) [kind] = { columns, ARRAY_SIZE(columns), noun }
static const struct {
	const struct column *columns;
	size_t n;
	const char *noun; /* one of them, in the last line */
} lists[document_count] = {
	LIST(DOC_JOBS, job_columns, "job"),
	LIST(DOC_PROCESSES, process_columns, "process"),
	LIST(DOC_REPORTS, report_columns, "report"),
	LIST(DOC_SERIES_LIST, series_columns, "series"),
	LIST(DOC_CHANGES, change_columns, "change"),
	LIST(DOC_ALERTS, alert_columns, "alert"),
	LIST(DOC_PROJECTS, project_columns, "project"),
	LIST(DOC_BRANCHES, dimension_columns, "name"),
	LIST(DOC_MEASURES, measure_columns, "measure"),
	LIST(DOC_WORKLOADS, workload_columns, "workload"),
	LIST(DOC_CELLS, cell_columns, "cell"),
	LIST(DOC_TOKENS, token_columns, "token"),
	LIST(DOC_THRESHOLDS, threshold_columns, "threshold"),
	LIST(DOC_RULES, rule_columns, "rule"),
	LIST(DOC_SCHEDULES, schedule_columns, "schedule"),
	LIST(DOC_SLOTS, slot_columns, "slot"),
	LIST(DOC_FIRINGS, firing_columns, "firing"),
	LIST(DOC_DELIVERIES, delivery_columns, "received message"),
	LIST(DOC_OUTGOING, outgoing_columns, "message"),
	LIST(DOC_DEVICES, device_columns, "Vulkan device"),
};

bool list_is(enum document kind)
{
	return lists[kind].columns != NULL;
}

static const char *plural(const char *noun)
{
	size_t n = strlen(noun);

	return n && noun[n - 1] == 's' ? (strcmp(noun, "process") ? "" : "es") : "s";
}

void list_render(
	enum document kind, enum format f, const json_t *doc, struct arena *a, struct buf *out)
{
	size_t n = json_array_size(doc);
	const char *noun = lists[kind].noun;

	if (n || f == F_CSV)
		table_render(doc, lists[kind].columns, lists[kind].n, f, a, out);
	if (f == F_CSV)
		return;
	if (f == F_MARKDOWN && n)
		buf_add_char(out, '\n');
	if (n == 0)
		buf_printf(out, "no %s%s\n", noun, plural(noun));
	else
		buf_printf(out, "%zu %s%s\n", n, noun, n == 1 ? "" : plural(noun));
}

/* {"running": [], "waiting": []}: one table, running first. */
void queue_render(enum format f, const json_t *doc, struct arena *a, struct buf *out)
{
	_cleanup_(json_decref)
	json_t *all = json_array();

	json_array_extend(all, json_object_get(doc, "running"));
	json_array_extend(all, json_object_get(doc, "waiting"));
	if (f == F_CSV || json_array_size(all))
		table_render(all, job_columns, ARRAY_SIZE(job_columns), f, a, out);
	if (f != F_CSV)
		buf_printf(out, "%s%zu running, %zu waiting\n", f == F_MARKDOWN ? "\n" : "",
			doc_len(doc, "running"), doc_len(doc, "waiting"));
}
