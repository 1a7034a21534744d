/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchd: start, signals, stop. What it does in between is in pipeline.c and http/. */
#include <config.h> /* of configure; the other one stands beside this file */

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <uv.h>
#include "base/fs.h"
#include "base/log.h"
#include "base/sd.h"
#include "daemon/answer.h"
#include "daemon/config.h"
#include "daemon/first_token.h"
#include "daemon/http/http.h"
#include "daemon/pipeline.h"
#include "daemon/receive.h"
#include "daemon/schedules.h"
#include "daemon/sockets.h"
#include "daemon/store/store.h"
#include "daemon/workers/workers.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };
#define HEARTBEAT_NS (5 * NS_PER_S)
#define MIGRATION_LIMIT "EXTEND_TIMEOUT_USEC=600000000"

extern const struct embed dashboard_files[];

/* The rules in force, and those that a reload has replaced: handlers may still hold them. */
struct rules {
	struct queue_rules rules;
	struct rules *replaced;
};

struct daemon {
	struct config *config;
	int lock_fd;
	char *db_path;
	struct store *store;
	const struct clock *clock;
	uv_loop_t loop;
	bool has_loop;
	struct sockets sockets;
	json_t *shipped;
	_Atomic(struct rules *) rules;
	_Atomic int64_t n_waiting, n_cpus;
	struct app app;
	struct server *server;
	struct pipeline *pipeline;
	struct schedules *schedules;
	struct workers *workers;
	struct receive *receive;
	struct answer *answer;
	uv_signal_t term, interrupt, hup;
	uv_timer_t watchdog;
	bool is_stopping, is_writer_alive, is_probing;
	int exit_code;
};

/* --- rules --- */

static const struct queue_rules *rules_now(void *arg)
{
	struct daemon *d = arg;

	return &atomic_load(&d->rules)->rules;
}

static void put_rules(struct daemon *d, json_t *workloads)
{
	const struct config *c = d->config;
	struct rules *r = xcalloc(1, sizeof(*r));

	r->rules = (struct queue_rules){ .testbed = c->testbed,
		.allow_adhoc_commands = c->allow_adhoc_commands,
		.workloads = workloads,
		.shipped = d->shipped,
		.max_waiting = c->max_waiting,
		.n_waiting = &d->n_waiting,
		.n_cpus = &d->n_cpus,
		.max_attempts = c->max_attempts };
	r->replaced = atomic_load(&d->rules);
	atomic_store(&d->rules, r);
}

static void free_rules(struct daemon *d)
{
	for (struct rules *r = atomic_load(&d->rules), *next; r; r = next) {
		next = r->replaced;
		json_decref(r->rules.workloads);
		free(r);
	}
}

/* --- what handlers ask --- */

static json_t *live_workers(void *arg)
{
	struct daemon *d = arg;

	return workers_live(d->workers);
}

static json_t *checks(void *arg)
{
	struct daemon *d = arg;

	return pipeline_checks(d->pipeline);
}

static void metrics(void *arg, struct buf *out)
{
	struct daemon *d = arg;

	pipeline_metrics(d->pipeline, out);
	schedules_metrics(d->schedules, out);
	buf_add_str(out, "# TYPE benchd_deliveries counter\n# HELP benchd_deliveries Messages "
			 "from forges, and to forges and webhooks, by what came of them.\n");
	receive_metrics(d->receive, out);
	answer_metrics(d->answer, out);
}

static void on_commit(void *app, unsigned wake_bits)
{
	struct daemon *d = ((struct app *)app)->arg;

	pipeline_wake(d->pipeline, wake_bits);
	if (wake_bits & WAKE_SCHEDULE)
		schedules_wake(d->schedules);
	if (wake_bits & WAKE_HOOKS)
		receive_wake(d->receive);
	if (wake_bits & (WAKE_NOTIFY | WAKE_JOBS))
		answer_wake(d->answer);
}

/* --- deliveries --- */

static int on_hook_filed(void *arg, struct store *st, struct arena *a,
	const struct job_origin *o, const struct job *j, struct error *err)
{
	struct daemon *d = arg;

	return answer_filed(d->answer, st, a, o, j, err);
}

static int on_approved(
	void *arg, struct store *st, struct arena *a, const struct job *j, struct error *err)
{
	struct daemon *d = arg;
	struct job_origin o;
	int r = store_origin_find(st, a, j->id, &o, err);

	if (r == E_NOT_FOUND)
		return OK;
	return r < 0 ? r : answer_filed(d->answer, st, a, &o, j, err);
}

static void on_hook_processed(void *arg)
{
	struct daemon *d = arg;

	pipeline_wake(d->pipeline, WAKE_QUEUE | WAKE_JOBS);
	answer_wake(d->answer);
}

static void on_jobs_over(void *arg)
{
	struct daemon *d = arg;

	answer_wake(d->answer);
}

static void on_filed(void *arg)
{
	struct daemon *d = arg;

	pipeline_wake(d->pipeline, WAKE_QUEUE);
}

/* --- the state folder --- */

/* One daemon a folder. The lock file stays; the lock ends with the process. */
static int lock_state(struct daemon *d, struct error *err)
{
	_cleanup_(free)
	char *path = xasprintf("%s/lock", d->config->state_dir);
	struct stat s;
	int r;

	r = dir_make(d->config->state_dir, 0700, err);
	if (r < 0)
		return r;
	if (stat(d->config->state_dir, &s) == 0 && (s.st_mode & 077) &&
		chmod(d->config->state_dir, 0700) < 0)
		return error_errno(err, E_IO, "cannot close the folder '%s' to others",
			d->config->state_dir);
	d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (d->lock_fd < 0)
		return error_errno(err, E_IO, "cannot open '%s'", path);
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return error_set(err, E_CONFLICT,
			"another benchd uses the folder '%s'; give this one its own with "
			"--state",
			d->config->state_dir);
	return OK;
}

static int open_store(struct daemon *d, struct error *err)
{
	int r;

	d->db_path = xasprintf("%s/benchd.db", d->config->state_dir);
	sd_notify(MIGRATION_LIMIT);
	r = store_open(d->db_path, &d->store, err);
	if (r == OK && d->config->require_tokens)
		r = first_token_make(d->store, d->config->state_dir, err);
	return r;
}

/* --- stop --- */

static void close_handles(struct daemon *d)
{
	uv_close((uv_handle_t *)&d->term, NULL);
	uv_close((uv_handle_t *)&d->interrupt, NULL);
	uv_close((uv_handle_t *)&d->hup, NULL);
	uv_close((uv_handle_t *)&d->watchdog, NULL);
}

static void on_server_stopped(void *arg)
{
	close_handles(arg);
}

static void on_pipeline_stopped(void *arg)
{
	struct daemon *d = arg;

	server_stop(d->server, on_server_stopped, d);
}

static void on_workers_stopped(void *arg)
{
	struct daemon *d = arg;

	pipeline_stop(d->pipeline, on_pipeline_stopped, d);
}

static void on_answer_stopped(void *arg)
{
	struct daemon *d = arg;

	if (d->workers)
		workers_stop(d->workers, on_workers_stopped, d);
	else
		on_workers_stopped(d);
}

/* Workers first: that ends the jobs, and the pipeline puts them back. Then nothing writes any
 * more but requests, which the server finishes. */
static void stop(struct daemon *d)
{
	if (d->is_stopping)
		_exit(EXIT_FAILED); /* asked twice: at once; nothing acknowledged is lost */
	d->is_stopping = true;
	sd_notify("STOPPING=1");
	log_info("stopping");
	schedules_stop(d->schedules);
	receive_stop(d->receive);
	pipeline_hold(d->pipeline);
	answer_stop(d->answer, on_answer_stopped, d);
}

/* --- signals and watchdog --- */

static void on_term(uv_signal_t *s, int signum)
{
	stop(s->data);
}

static void on_hup(uv_signal_t *s, int signum)
{
	struct daemon *d = s->data;
	struct error err;
	json_t *workloads, *schedules;
	char state[64];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
		(long long)(clock_monotonic_ns() / NS_PER_US));
	sd_notify(state);
	if (config_load_workloads(d->config, &workloads, &err) < 0) {
		log_error("the workloads stay as they were: %s", err.text);
	} else {
		log_info("%zu workloads", json_object_size(workloads));
		put_rules(d, workloads);
	}
	if (config_load_schedules(d->config, &schedules, &err) < 0)
		log_error("the schedules stay as they were: %s", err.text);
	else
		schedules_reload(d->schedules, schedules);
	if (d->workers)
		workers_probe(d->workers);
	sd_notify("READY=1");
}

static int probe_run(struct store *st, void *arg, struct error *err)
{
	return OK;
}

static void probe_done(void *arg, int code, const struct error *err)
{
	struct daemon *d = arg;

	d->is_probing = false;
	d->is_writer_alive = true;
}

/* Alive means: the loop turns and the writer answers. */
static void on_watchdog(uv_timer_t *t)
{
	struct daemon *d = t->data;
	struct error err;

	if (d->is_writer_alive)
		sd_notify("WATCHDOG=1");
	d->is_writer_alive = false;
	if (d->is_probing || d->is_stopping)
		return;
	d->is_probing =
		writer_submit(server_writer(d->server), probe_run, probe_done, d, &err) == OK;
}

static void watch(struct daemon *d)
{
	uint64_t half_ms = (uint64_t)(sd_watchdog_ns() / 2 / NS_PER_MS);

	uv_signal_init(&d->loop, &d->term);
	uv_signal_init(&d->loop, &d->interrupt);
	uv_signal_init(&d->loop, &d->hup);
	uv_timer_init(&d->loop, &d->watchdog);
	d->term.data = d->interrupt.data = d->hup.data = d->watchdog.data = d;
	uv_signal_start(&d->term, on_term, SIGTERM);
	uv_signal_start(&d->interrupt, on_term, SIGINT);
	uv_signal_start(&d->hup, on_hup, SIGHUP);
	d->is_writer_alive = true;
	if (half_ms)
		uv_timer_start(&d->watchdog, on_watchdog, half_ms, half_ms);
}

/* --- start --- */

static int start_server(struct daemon *d, struct error *err)
{
	const struct config *c = d->config;
	struct server_config sc = { .loop = &d->loop,
		.routes = routes,
		.assets = dashboard_files,
		.listen = d->sockets.listen,
		.n_listen = d->sockets.n_listen,
		.db_path = d->db_path,
		.writer_store = d->store,
		.clock = d->clock,
		.app = &d->app,
		.on_commit = on_commit,
		.require_tokens = c->require_tokens,
		.public_url = c->public_url,
		.allow_anonymous_read = c->allow_anonymous_read,
		.problem_page = problem_page };

	d->app = (struct app){ .version = PACKAGE_VERSION,
		.testbed = c->testbed,
		.allow_adhoc_commands = c->allow_adhoc_commands,
		.arg = d,
		.rules = rules_now,
		.workers = live_workers,
		.checks = checks,
		.metrics = metrics,
		.desk = schedules_desk(d->schedules),
		.on_approved = on_approved,
		.hooks = &c->hooks };
	return server_start(&sc, &d->server, err);
}

static int start_workers(struct daemon *d, struct error *err)
{
	struct workers_config wc = { .loop = &d->loop,
		.clock = &system_clock,
		.testbed = d->config->testbed,
		.is_embedded = d->config->worker.is_embedded,
		.program = d->config->worker.program,
		.socket_path = d->config->worker.socket,
		.socket_fd = d->sockets.worker_fd,
		.state_dir = d->config->state_dir,
		.heartbeat_ns = HEARTBEAT_NS };

	pipeline_listen(d->pipeline, &wc);
	return workers_start(&wc, &d->workers, err);
}

static int start(struct daemon *d, struct error *err)
{
	const struct pipeline_config pc = { .loop = &d->loop,
		.clock = d->clock,
		.rules = rules_now,
		.arg = d,
		.n_waiting = &d->n_waiting,
		.n_cpus = &d->n_cpus,
		.lease_ns = d->config->lease_ns,
		.keep_answers_ns = d->config->keep_answers_ns,
		.keep_artifacts_ns = d->config->keep_artifacts_ns,
		.artifacts_bytes = d->config->artifacts_bytes,
		.needs_worker = d->config->worker.is_embedded,
		.on_over = on_jobs_over };
	const struct receive_config rc = { .loop = &d->loop,
		.clock = d->clock,
		.hooks = &d->config->hooks,
		.rules = rules_now,
		.on_filed = on_hook_filed,
		.on_processed = on_hook_processed,
		.keep_ns = d->config->keep_deliveries_ns,
		.arg = d };
	const struct answer_config ac = { .loop = &d->loop,
		.clock = d->clock,
		.rules = &d->config->notify,
		.is_needed = d->config->hooks.n || d->config->notify.n_webhooks,
		.keep_ns = d->config->keep_deliveries_ns };
	const struct schedules_config sc = { .loop = &d->loop,
		.clock = d->clock,
		.rules = rules_now,
		.on_filed = on_filed,
		.arg = d };
	int r;

	r = config_load_shipped(&d->shipped, err);
	if (r < 0)
		return r;
	put_rules(d, json_incref(d->config->workloads));
	d->pipeline = pipeline_new(&pc);
	d->schedules = schedules_new(&sc);
	d->receive = receive_new(&rc);
	d->answer = answer_new(&ac);
	r = start_server(d, err);
	if (r < 0)
		return r;
	watch(d);
	pipeline_start(d->pipeline, d->server);
	schedules_start(d->schedules, d->server, json_incref(d->config->schedules));
	answer_start(d->answer, d->server);
	receive_start(d->receive, d->server);
	return start_workers(d, err);
}

static void announce(const struct daemon *d)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("benchd %s listening on %s\n", PACKAGE_VERSION, server_url(d->server));
	printf("state in %s; the dashboard is %s/projects\n", d->config->state_dir,
		server_url(d->server));
	sd_notify("READY=1\nSTATUS=serving");
}

static int run(struct daemon *d, struct error *err)
{
	int r;

	r = lock_state(d, err);
	if (r == OK)
		r = sockets_take(d->config, &d->sockets, err);
	if (d->sockets.has_remote)
		d->config->require_tokens = true;
	if (r == OK)
		r = open_store(d, err);
	if (r < 0)
		return r;
	uv_loop_init(&d->loop);
	d->has_loop = true;
	r = start(d, err);
	if (r == OK)
		announce(d);
	else if (d->server)
		stop(d);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	return r;
}

/* --- a copy --- */

static int back_up(const struct config *c, struct error *err)
{
	_cleanup_(free)
	char *from = xasprintf("%s/benchd.db", c->state_dir);
	struct store_copied copied;
	int r = store_copy(from, c->backup, &copied, err);

	if (r == OK)
		printf("copied '%s' into '%s': %lld bytes, schema %lld, read through and "
		       "whole\n",
			from, c->backup, (long long)copied.n_bytes, (long long)copied.schema);
	return r < 0 ? error_prefix(err, "no backup was made: ") : OK;
}

static void done(struct daemon *d)
{
	workers_free(d->workers);
	pipeline_free(d->pipeline);
	schedules_free(d->schedules);
	receive_free(d->receive);
	answer_free(d->answer);
	server_free(d->server);
	if (d->has_loop)
		uv_loop_close(&d->loop);
	store_close(d->store);
	free_rules(d);
	json_decref(d->shipped);
	free(d->db_path);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	config_free(d->config);
}

int main(int argc, char **argv)
{
	struct daemon d = { .lock_fd = -1, .clock = schedules_clock() };
	struct error err = { 0 };
	int r;

	sd_init();
	/* An arena a thread would keep what each of them once needed. */
	mallopt(M_ARENA_MAX, 2);
	/* Fixed, so that it does not grow: large blocks go back as soon as they are free. Above
	 * SQLite's journals of statements, which would be mapped some ten times a job. */
	mallopt(M_MMAP_THRESHOLD, 160 * KiB);
	mallopt(M_TRIM_THRESHOLD, 256 * KiB);
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	log_init("benchd", LOG_INFORMATION);
	r = config_load(argc, argv, &d.config, &err);
	if (r < 0) {
		log_error("%s", err.text);
		return EXIT_USAGE;
	}
	log_init("benchd", d.config->log_most);
	switch (d.config->verb) {
	case CONFIG_HELP:
		fputs(config_usage(), stdout);
		break;
	case CONFIG_VERSION:
		printf("benchd %s\n", PACKAGE_VERSION);
		break;
	case CONFIG_CHECK:
		printf("the configuration is right: %zu workload%s\n",
			json_object_size(d.config->workloads),
			json_object_size(d.config->workloads) == 1 ? "" : "s");
		break;
	case CONFIG_BACKUP:
		r = back_up(d.config, &err);
		break;
	case CONFIG_RUN:
		r = run(&d, &err);
		break;
	}
	if (r < 0)
		log_error("%s", err.text);
	done(&d);
	return r < 0 ? EXIT_FAILED : EXIT_SUCCESS;
}
