/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one table of the API. The OpenAPI document is made of it (openapi.c, openapi.json). */
#include "daemon/http/handlers.h"

#include "daemon/hooks/hooks.h"

#define P "/v0/projects/{project}"
#define D "/projects/{project}"

/* Bencher takes 4 MiB; definitions and jobs are small. */
enum {
	SMALL = 64 * 1024,
	JOB_BODY = 256 * 1024,
	DEFINITION = 1024 * 1024,
	UPLOAD = 32 * 1024 * 1024
};
#define UPLOAD_TIME (60 * NS_PER_S)

#define DIMENSION(one, many)                                                                   \
	{ "GET", P "/" #many, get_##many, READER, S_READ, 0, 0, "List " #many },               \
		{ "POST", P "/" #many, post_##one, WRITER, S_SUBMIT, SMALL, 0,                 \
			"Make a " #one },                                                      \
		{ "GET", P "/" #many "/{" #one "}", get_##one, READER, S_READ, 0, 0,           \
			"One " #one },                                                         \
		{ "PATCH", P "/" #many "/{" #one "}", patch_##one, WRITER, S_SUBMIT, SMALL, 0, \
			"Change or archive a " #one },                                         \
	{                                                                                      \
		"DELETE", P "/" #many "/{" #one "}", delete_##one, WRITER, S_ADMIN, 0, 0,      \
			"Remove a " #one " that nothing refers to"                             \
	}

const struct route routes[] = {
	{ "GET", "/", get_root, LOOP, S_NONE, 0, 0, "Help on one screen" },
	{ "GET", "/healthz", get_healthz, LOOP, S_NONE, 0, 0, "Is the process alive" },
	{ "GET", "/readyz", get_readyz, READER, S_NONE, 0, 0, "Can it take work: checks" },
	{ "GET", "/version", get_version, LOOP, S_NONE, 0, 0, "Version of benchd" },
	{ "GET", "/metrics", get_metrics, READER, S_READ, 0, 0, "Metrics of the daemon" },
	{ "GET", "/docs/errors", get_errors, LOOP, S_NONE, 0, 0,
		"What the types of problems mean" },
	{ "GET", "/openapi.json", get_openapi, READER, S_NONE, 0, 0, "This document" },

	{ "GET", "/assets/{file}", get_asset, LOOP, S_NONE, 0, 0, "A file of the dashboard" },
	{ "GET", "/login", get_login, LOOP, S_NONE, 0, 0, "Dashboard: the form to sign in" },
	{ "POST", "/login", post_login, READER, S_NONE, SMALL, 0,
		"Sign in with a key; a cookie keeps it" },
	{ "POST", "/logout", post_logout, LOOP, S_NONE, 0, 0, "Take the cookie back" },
	{ "GET", "/projects", page_home, READER, S_READ, 0, 0, "Dashboard: projects" },
	{ "GET", D, page_overview, READER, S_READ, 0, 0, "Dashboard: a project" },
	{ "GET", D "/series/{series}", page_series, READER, S_READ, 0, 0,
		"Dashboard: one history" },
	{ "GET", D "/compare", page_compare, READER, S_READ, 0, 0, "Dashboard: a comparison" },
	{ "GET", D "/reports", page_reports, READER, S_READ, 0, 0, "Dashboard: reports" },
	{ "GET", D "/reports/{report}", page_report, READER, S_READ, 0, 0,
		"Dashboard: one report" },
	{ "GET", D "/jobs/{job}", page_job, READER, S_READ, 0, 0, "Dashboard: one job" },
	{ "GET", D "/series", page_history, READER, S_READ, 0, 0,
		"Dashboard: one history by the names of its four parts" },
	{ "GET", D "/jobs", page_jobs, READER, S_READ, 0, 0, "Dashboard: queue and jobs" },
	{ "GET", D "/alerts", page_alerts, READER, S_READ, 0, 0, "Dashboard: alerts" },
	{ "GET", D "/alerts/{alert}", page_alert, READER, S_READ, 0, 0,
		"Dashboard: one alert" },
	{ "POST", D "/alerts/{alert}", post_alert_form, WRITER, S_TRIAGE, SMALL, 0,
		"Dashboard: a form of an alert: acknowledge, assign, note, "
		"snooze, dismiss" },
	{ "GET", D "/schedules", page_schedules, READER, S_READ, 0, 0, "Dashboard: schedules" },
	{ "GET", "/deliveries", page_deliveries, READER, S_ADMIN, 0, 0,
		"Dashboard: messages received and sent" },

	{ "GET", "/perf/{project}", get_perf_link, LOOP, S_NONE, 0, 0,
		"A link of Bencher's client: to the dashboard" },
	{ "GET", "/perf/{project}/{*rest}", get_perf_rest, LOOP, S_NONE, 0, 0,
		"A link of Bencher's client: to the dashboard" },
	{ "GET", "/console/projects/{project}", get_perf_link, LOOP, S_NONE, 0, 0,
		"A link of Bencher's client: to the dashboard" },
	{ "GET", "/console/projects/{project}/{*rest}", get_perf_rest, LOOP, S_NONE, 0, 0,
		"A link of Bencher's client: to the dashboard" },

	{ "GET", "/v0/server/version", get_server_version, LOOP, S_NONE, 0, 0,
		"Version for Bencher's client" },
	{ "GET", "/v0/server/config/console", get_console, LOOP, S_NONE, 0, 0,
		"Base of links for people" },
	{ "GET", "/v0/server/spec", get_openapi, READER, S_NONE, 0, 0, "This document" },

	{ "GET", "/v0/projects", get_projects, READER, S_READ, 0, 0, "List projects" },
	{ "POST", "/v0/projects", post_project, WRITER, S_ADMIN, SMALL, 0, "Make a project" },
	{ "GET", "/v0/organizations/{organization}/projects", get_projects, READER, S_READ, 0,
		0, "List projects (Bencher's path; there is one organization)" },
	{ "POST", "/v0/organizations/{organization}/projects", post_project, WRITER, S_ADMIN,
		SMALL, 0, "Make a project (Bencher's path)" },
	{ "GET", P, get_project, READER, S_READ, 0, 0, "One project" },
	{ "PATCH", P, patch_project, WRITER, S_ADMIN, SMALL, 0, "Change a project" },
	{ "DELETE", P, delete_project, WRITER, S_ADMIN, 0, 0, "Remove a project" },
	{ "GET", P "/allowed/{permission}", get_allowed, READER, S_READ, 0, 0,
		"May the caller do this" },

	DIMENSION(branch, branches),
	DIMENSION(testbed, testbeds),
	DIMENSION(benchmark, benchmarks),
	DIMENSION(measure, measures),

	{ "GET", P "/workloads", get_workloads, READER, S_READ, 0, 0, "List workloads" },
	{ "GET", P "/workloads/{name}", get_workload, READER, S_READ, 0, 0, "One workload" },
	{ "PUT", P "/workloads/{name}", put_workload, WRITER, S_ADMIN, DEFINITION, 0,
		"Save a workload" },
	{ "DELETE", P "/workloads/{name}", delete_workload, WRITER, S_ADMIN, 0, 0,
		"Remove a saved workload" },
	{ "GET", P "/workloads/{name}/cells", get_cells, READER, S_READ, 0, 0,
		"What a workload expands to: a dry run" },

	{ "GET", P "/jobs", get_jobs, READER, S_READ, 0, 0, "List jobs" },
	{ "POST", P "/jobs", post_job, WRITER, S_SUBMIT, JOB_BODY, 0, "File a job" },
	{ "GET", P "/jobs/{job}", get_job, READER, S_READ, 0, 0, "One job; may wait for it" },
	{ "DELETE", P "/jobs/{job}", cancel_job, WRITER, S_SUBMIT, 0, 0, "Cancel a job" },
	{ "POST", P "/jobs/{job}/cancel", cancel_job, WRITER, S_SUBMIT, SMALL, 0,
		"Cancel a job" },
	{ "POST", P "/jobs/{job}/approve", approve_job, WRITER, S_EXEC, SMALL, 0,
		"Let a job run whose commit comes from outside" },
	{ "GET", P "/jobs/{job}/events", get_job_events, READER, S_READ, 0, 0,
		"What happens to a job, as server-sent events" },
	{ "GET", P "/jobs/{job}/log", get_job_log, READER, S_READ, 0, 0, "Output of a job" },
	{ "GET", P "/jobs/{job}/artifacts", get_job_artifacts, READER, S_READ, 0, 0,
		"Files that a job kept" },
	{ "GET", P "/jobs/{job}/artifact", get_job_artifact, READER, S_READ, 0, 0,
		"One of these files" },
	{ "GET", P "/jobs/{job}/processes", get_job_processes, READER, S_READ, 0, 0,
		"Finished processes with their samples" },
	{ "GET", "/v0/queue", get_queue, READER, S_READ, 0, 0,
		"Running and waiting jobs of all projects" },
	{ "GET", "/v0/queue/events", get_queue_events, READER, S_READ, 0, 0,
		"That a job moved, as server-sent events" },
	{ "GET", "/v0/testbeds/live", get_live, READER, S_READ, 0, 0, "Connected workers" },
	{ "GET", "/v0/devices", get_devices, READER, S_READ, 0, 0,
		"Vulkan devices of the testbed, and whether jobs may use them" },
	{ "GET", "/v0/devices/{device}", get_device, READER, S_READ, 0, 0,
		"One Vulkan device with its history" },
	{ "POST", "/v0/devices/{device}/clear", clear_device, WRITER, S_ADMIN, SMALL, 0,
		"Let jobs use a quarantined or wedged device again" },

	{ "POST", "/v0/run", post_run, READER, S_SUBMIT, UPLOAD, UPLOAD_TIME,
		"Upload results, as Bencher's client does" },
	{ "POST", P "/reports", post_report, READER, S_SUBMIT, UPLOAD, UPLOAD_TIME,
		"Upload results as a report" },
	{ "GET", P "/reports", get_reports, READER, S_READ, 0, 0, "List reports" },
	{ "GET", P "/reports/{report}", get_report, READER, S_READ, 0, 0, "One report" },
	{ "DELETE", P "/reports/{report}", delete_report, WRITER, S_ADMIN, 0, 0,
		"Remove a report and its results" },
	{ "GET", P "/environments/{id}", get_environment, READER, S_READ, 0, 0,
		"Identity of a host" },

	{ "GET", P "/series", get_series_list, READER, S_READ, 0, 0,
		"List series, or one by its four names" },
	{ "GET", P "/series/{series}", get_series, READER, S_READ, 0, 0, "One history" },
	{ "GET", P "/badge", get_badge, READER, S_READ, 0, 0, "A series as a badge (SVG)" },
	{ "GET", P "/compare", get_compare, READER, S_READ, 0, 0,
		"Compare two reports, commits, branches or the arms of a job" },
	{ "GET", P "/gate", get_gate, READER, S_READ, 0, 0, "One verdict for CI" },
	{ "GET", P "/changes", get_changes, READER, S_READ, 0, 0, "Confirmed changes" },
	{ "GET", P "/alerts", get_alerts, READER, S_READ, 0, 0, "List alerts" },
	{ "GET", P "/alerts/{alert}", get_alert, READER, S_READ, 0, 0, "One alert" },
	{ "PATCH", P "/alerts/{alert}", patch_alert, WRITER, S_TRIAGE, SMALL, 0,
		"Confirm, resolve or dismiss an alert" },

	{ "GET", P "/alerts/{alert}/journal", get_alert_journal, READER, S_READ, 0, 0,
		"What people and benchd did with an alert" },

	{ "GET", P "/thresholds", get_thresholds, READER, S_READ, 0, 0, "List thresholds" },
	{ "POST", P "/thresholds", post_threshold, WRITER, S_SUBMIT, SMALL, 0,
		"Make a threshold" },
	{ "GET", P "/thresholds/{threshold}", get_threshold, READER, S_READ, 0, 0,
		"One threshold" },
	{ "PUT", P "/thresholds/{threshold}", put_threshold, WRITER, S_SUBMIT, SMALL, 0,
		"Give a threshold another model, or none" },
	{ "PATCH", P "/thresholds/{threshold}", put_threshold, WRITER, S_SUBMIT, SMALL, 0,
		"Give a threshold another model, or none" },
	{ "DELETE", P "/thresholds/{threshold}", delete_threshold, WRITER, S_ADMIN, 0, 0,
		"Remove a threshold that no limit was computed with" },
	{ "GET", P "/rules", get_limit_rules, READER, S_READ, 0, 0, "List rules" },
	{ "GET", P "/rules/{rule}", get_rule, READER, S_READ, 0, 0, "One rule" },
	{ "PUT", P "/rules/{rule}", put_rule, WRITER, S_SUBMIT, SMALL, 0,
		"Make or change a rule: a threshold by pattern" },
	{ "DELETE", P "/rules/{rule}", delete_rule, WRITER, S_SUBMIT, 0, 0, "Remove a rule" },
	{ "GET", P "/limits", get_limits_explain, READER, S_READ, 0, 0,
		"Which threshold or rule applies to a series, and why" },

	{ "GET", P "/schedules", get_schedules, READER, S_READ, 0, 0, "List schedules" },
	{ "POST", P "/schedules", post_schedule, WRITER, S_SUBMIT, JOB_BODY, 0,
		"Make a schedule" },
	{ "GET", P "/schedules/{schedule}", get_schedule, READER, S_READ, 0, 0,
		"One schedule" },
	{ "PATCH", P "/schedules/{schedule}", patch_schedule, WRITER, S_SUBMIT, JOB_BODY, 0,
		"Change, pause or resume a schedule" },
	{ "DELETE", P "/schedules/{schedule}", delete_schedule, WRITER, S_SUBMIT, 0, 0,
		"Remove a schedule and its firings" },
	{ "POST", P "/schedules/{schedule}/run", run_schedule, WRITER, S_SUBMIT, SMALL, 0,
		"File its job now" },
	{ "GET", P "/schedules/{schedule}/next", get_schedule_next, READER, S_READ, 0, 0,
		"When it fires next" },
	{ "GET", P "/schedules/{schedule}/firings", get_schedule_firings, READER, S_READ, 0, 0,
		"What became of its slots" },

	{ "POST", "/v0/hooks/{name}", post_hook, WRITER, S_NONE, HOOK_BODY_MAX, 0,
		"Take a delivery of a forge; its signature is the access" },
	{ "GET", "/v0/hooks/deliveries", get_hook_deliveries, READER, S_ADMIN, 0, 0,
		"List deliveries of forges, newest first" },
	{ "GET", "/v0/hooks/deliveries/{delivery}", get_hook_delivery, READER, S_ADMIN, 0, 0,
		"One delivery with its payload and jobs" },
	{ "POST", "/v0/hooks/deliveries/{delivery}/redeliver", redeliver_hook_delivery, WRITER,
		S_ADMIN, SMALL, 0, "Process a delivery once more" },
	{ "GET", "/v0/deliveries", get_deliveries, READER, S_ADMIN, 0, 0,
		"List messages to forges and webhooks, newest first" },
	{ "GET", "/v0/deliveries/{delivery}", get_delivery, READER, S_ADMIN, 0, 0,
		"One message with its attempts" },
	{ "POST", "/v0/deliveries/{delivery}/redeliver", redeliver_delivery, WRITER, S_ADMIN,
		SMALL, 0, "Send a message that failed or waits, now" },

	{ "GET", P "/keys", get_keys, READER, S_ADMIN, 0, 0, "List keys of a project" },
	{ "POST", P "/keys", post_key, WRITER, S_ADMIN, SMALL, 0,
		"Make a key that uploads to this project; it is shown once" },
	{ "GET", P "/keys/{key}", get_key, READER, S_ADMIN, 0, 0, "One key of a project" },
	{ "PATCH", P "/keys/{key}", patch_key, WRITER, S_ADMIN, SMALL, 0, "Rename a key" },
	{ "DELETE", P "/keys/{key}", delete_key, WRITER, S_ADMIN, 0, 0, "Revoke a key" },
	{ "GET", P "/metrics/{metric}", get_metric, READER, S_READ, 0, 0, "One value" },
	{ "GET", P "/perf", get_perf, READER, S_READ, 0, 0,
		"Histories of many benchmarks in Bencher's shape" },

	{ "GET", "/v0/tokens", get_tokens, READER, S_ADMIN, 0, 0, "List tokens" },
	{ "POST", "/v0/tokens", post_token, WRITER, S_ADMIN, SMALL, 0,
		"Make a token; its key is shown once" },
	{ "DELETE", "/v0/tokens/{token}", delete_token, WRITER, S_ADMIN, 0, 0,
		"Revoke a token" },

	{ NULL, NULL, NULL, LOOP, S_NONE, 0, 0, NULL },
};
