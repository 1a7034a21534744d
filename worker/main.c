/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchd-worker: the hands of benchd. See docs/man/benchd-worker.8. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/ndjson.h"
#include "base/sd.h"
#include "base/secret.h"
#include "worker/cgroup.h"
#include "worker/cpus.h"
#include "worker/host.h"
#include "worker/lock.h"
#include "worker/loop.h"
#include "worker/options.h"
#include "worker/spec.h"
#include "worker/sweep.h"

enum { MAX_SPEC = 16 * 1024 * 1024, ORPHANS_MS = 10000 };

/* Descriptors 0 to 9 stay taken, so that everything opened later is above what a measured
 * process is given. */
static void reserve_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd < 9);
}

static int link_descriptor(void)
{
	const char *text = getenv("BENCHD_LINK_FD");
	int fd = text ? atoi(text) : -1, moved;

	unsetenv("BENCHD_LINK_FD");
	if (fd < 0)
		return -1;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	if (moved >= 0)
		close(fd);
	return moved;
}

static const char *default_state(struct options *o)
{
	static char path[PATH_MAX];
	const char *set = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME"), *tmp = getenv("TMPDIR");

	if (o->run) {
		o->has_own_state = true;
		snprintf(path, sizeof(path), "%s/benchd-worker.XXXXXX",
			tmp && *tmp ? tmp : "/tmp");
		return mkdtemp(path) ? path : NULL;
	}
	if (set && *set)
		return set;
	if (xdg && *xdg)
		snprintf(path, sizeof(path), "%s/benchd-worker", xdg);
	else if (geteuid() == 0 || !home || !*home)
		snprintf(path, sizeof(path), "/var/lib/benchd-worker");
	else
		snprintf(path, sizeof(path), "%s/.local/state/benchd-worker", home);
	return path;
}

/* Remove what an earlier worker with this state folder left: processes, then folders. */
static void clear_leftovers(const char *state)
{
	_cleanup_(free)
	char *jobs = xasprintf("%s/jobs", state), *mark = xasprintf("BENCHD_STATE=%s", state);
	struct error err;
	int n = 0;

	if (rmdir(jobs) < 0 && errno == ENOTEMPTY)
		n = sweep_marked(mark);
	if (n)
		log_warning("%d processes of an earlier worker were ended", n);
	if (dir_remove(jobs, &err) < 0 || dir_make(jobs, 0711, &err) < 0)
		options_die(&err);
}

/* The lock of a worker that was killed stays with its runners until they have gone too. */
static int lock_state(const char *lock, int *ret, int *ret_holder, struct error *err)
{
	const struct timespec pause = { .tv_nsec = 20 * NS_PER_MS };

	for (int ms = 0;; ms += 20) {
		int r = lock_try(lock, ret, ret_holder, err);

		if (r < 0 || *ret >= 0 || ms >= ORPHANS_MS || kill(*ret_holder, 0) == 0 ||
			errno != ESRCH)
			return r;
		(void)nanosleep(&pause, NULL);
	}
}

static void open_state(struct options *o)
{
	static char real[PATH_MAX];
	_cleanup_(free)
	char *lock = NULL;
	struct error err;
	int fd, holder;

	if (!o->state)
		o->state = default_state(o);
	if (!o->state) {
		error_errno(&err, E_IO, "cannot make a folder for the job");
		options_die(&err);
	}
	if (dir_make(o->state, 0711, &err) < 0)
		options_die(&err);
	if (!realpath(o->state, real)) {
		error_errno(&err, E_IO, "cannot use the folder '%s'", o->state);
		options_die(&err);
	}
	o->state = real;
	lock = xasprintf("%s/lock", real);
	if (lock_state(lock, &fd, &holder, &err) < 0)
		options_die(&err);
	if (fd < 0) {
		error_set(&err, E_CONFLICT,
			"the folder '%s' is in use by process %d; give each worker its own "
			"--state",
			real, holder);
		options_die(&err);
	}
	clear_leftovers(real);
}

static void find_user(const char *name, struct host *h)
{
	struct passwd *pw;
	struct error err;

	h->job_uid = (uid_t)-1;
	h->job_gid = (gid_t)-1;
	if (!name)
		return;
	pw = getpwnam(name);
	if (!pw || geteuid() != 0) {
		error_set(&err, E_BAD_REQUEST,
			pw ? "--job-user needs root" : "--job-user: there is no user '%s'",
			name);
		options_die(&err);
	}
	h->job_uid = pw->pw_uid;
	h->job_gid = pw->pw_gid;
}

static void make_host(const struct options *o, struct host *h)
{
	struct error err;

	*h = (struct host){ .state = o->state,
		.owner = getenv("BENCHD_OWNER"),
		.cache_bytes = o->cache_bytes,
		.uses_cgroup = !o->no_cgroup };
	find_user(o->job_user, h);
	if (cpus_parse(o->cpus, &h->cpus, &err) < 0 || host_init(h, &err) < 0)
		options_die(&err);
	if (!o->prints_fingerprint)
		cgroup_init(h);
}

/* FILE is a whole `job` message or only its spec. */
static json_t *load_job(const char *path)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	char uuid[UUID_TEXT];
	struct error err;
	json_t *j, *message;

	if (file_read(strcmp(path, "-") ? path : "/dev/stdin", MAX_SPEC, &b, &err) < 0 ||
		json_parse(buf_str(&b), b.len, &j, &err) < 0)
		options_die(&err);
	if (json_object_get(j, "spec")) {
		message = j;
	} else {
		message = json_object();
		json_object_set_new(message, "spec", j);
	}
	if (!uuid_is_valid(json_get_str(message, "job", "")))
		json_set_str(message, "job", uuid_new(uuid));
	if (json_get_int(message, "attempt", 0) < 1)
		json_set_int(message, "attempt", 1);
	return message;
}

static int open_output(const struct options *o, char **ret_tmp)
{
	struct error err;
	int fd;

	if (!o->output)
		return dup(STDOUT_FILENO);
	*ret_tmp = xasprintf("%s.tmp-%d", o->output, (int)getpid());
	fd = open(*ret_tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0) {
		error_errno(&err, E_IO, "cannot write '%s'", *ret_tmp);
		options_die(&err);
	}
	return fd;
}

/* The reader on a shared file system sees all of it or nothing. */
static void publish_output(const struct options *o, int fd, const char *tmp)
{
	struct error err;

	if (!tmp)
		return;
	if (fsync(fd) < 0 || rename(tmp, o->output) < 0) {
		error_errno(&err, E_IO, "cannot write '%s'", o->output);
		options_die(&err);
	}
}

static int open_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int print_fingerprint(const struct host *h)
{
	json_t *o = json_object();
	struct buf b = { 0 };

	json_set_str(o, "id", h->id);
	json_object_set(o, "identity", h->identity);
	json_object_set_new(o, "state", host_state(h, false));
	ndjson_format(&b, o);
	fputs(buf_str(&b), stdout);
	buf_done(&b);
	json_decref(o);
	return 0;
}

static int serve(struct options *o, struct loop_options *l)
{
	char *tmp = NULL;
	struct error err;
	int status;

	l->output_fd = o->run ? open_output(o, &tmp) : -1;
	status = loop_run(l);
	cgroup_done(l->host);
	if (o->run)
		publish_output(o, l->output_fd, tmp);
	free(tmp);
	if (o->has_own_state)
		(void)!dir_remove(o->state, &err);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = { .cpus = "",
		.cache_bytes = 4 * GiB,
		.shared_slots = MAX(1, sysconf(_SC_NPROCESSORS_ONLN) / 2) };
	/* Kept until the process ends: every runner copies them. */
	static struct loop_options l;
	static struct host h;

	log_init("benchd-worker", LOG_NOTICE);
	sd_init();
	options_read(&o, argc, argv);
	reserve_descriptors();
	l.link_fd = link_descriptor();
	l.socket = o.socket;
	l.host = &h;
	l.shared_slots = o.shared_slots;
	if (o.run)
		l.job = load_job(o.run);
	if (!o.prints_fingerprint && !o.run && !o.socket && l.link_fd < 0) {
		options_complain();
	}
	if (!o.prints_fingerprint)
		open_state(&o);
	make_host(&o, &h);
	if (o.prints_fingerprint)
		return print_fingerprint(&h);
	l.signal_fd = open_signals();
	sweep_prepare();
	return serve(&o, &l);
}
