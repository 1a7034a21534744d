/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/sandbox.h"

#include <string.h>
#include "base/clock.h"
#include "worker/job.h"
#include "worker/seccomp.h"
#include "worker/supervise.h"

enum { MAX_FILES = 65536, MIN_LANDLOCK = 1, MIN_PROCESSES = 1024, PROCESSES_A_CPU = 8 };

static bool is_strict(const struct job *j)
{
	return j->spec->isolation == ISOLATION_STRICT;
}

static void add_path(struct sandbox *s, const char *path, bool is_writable)
{
	if (s->n_paths < SANDBOX_MAX_PATHS)
		s->paths[s->n_paths++] = (struct landlock_path){ path, is_writable };
}

void sandbox_allow(struct job *j, const char *folder)
{
	struct sandbox *s = &j->sandbox;

	for (size_t i = 0; i < s->n_writable; i++)
		if (!strcmp(s->writable[i], folder))
			return;
	if (s->n_writable < NAMESPACES_MAX_PATHS)
		s->writable[s->n_writable++] = folder;
	add_path(s, folder, true);
}

static void limit_memory(struct job *j, struct launch *l)
{
	rlim_t bytes = (rlim_t)j->spec->limits.memory_bytes;

	/* A cgroup counts what is used; without one only the address space can be capped. */
	if (bytes && !j->host->cgroup_has_memory)
		launch_limit(l, RLIMIT_AS, bytes, bytes);
}

static void plan_basic(struct job *j, struct launch *l)
{
	rlim_t file = (rlim_t)j->spec->limits.file_size_bytes;

	l->no_new_privs = true;
	launch_limit(l, RLIMIT_CORE, 0, 0);
	launch_limit(l, RLIMIT_NOFILE, 1024, MAX_FILES);
	if (file)
		launch_limit(l, RLIMIT_FSIZE, file, file);
	limit_memory(j, l);
}

/* Threads count too. */
static rlim_t most_processes(const struct job *j)
{
	int n = PROCESSES_A_CPU * CPU_COUNT(&j->host->allowed);

	return (rlim_t)MAX(n, (int)MIN_PROCESSES);
}

static void plan_strict(struct job *j, struct launch *l)
{
	struct sandbox *s = &j->sandbox;

	launch_limit(l, RLIMIT_NPROC, most_processes(j), most_processes(j));

	l->drops_capabilities = true;
	l->namespaces = &s->namespaces;
	l->writable = s->writable;
	l->n_writable = s->n_writable;
	l->landlock = s->paths;
	l->n_landlock = s->n_paths;
	l->seccomp = seccomp_filter();
}

void sandbox_plan(struct job *j, struct launch *l)
{
	launch_init(l);
	cgroup_renew(&j->cgroup);
	l->cgroup = j->cgroup.fd >= 0 ? &j->cgroup : NULL;
	l->uid = j->host->job_uid;
	l->gid = j->host->job_gid;
	l->directory = j->scratch;
	if (j->spec->isolation != ISOLATION_NONE)
		plan_basic(j, l);
	if (is_strict(j))
		plan_strict(j, l);
}

static bool has_own_user(const struct job *j)
{
	return j->host->job_uid != (uid_t)-1;
}

static void note_cgroup(struct job *j)
{
	const struct host *h = j->host;
	char text[64] = "unavailable";

	if (j->cgroup.fd >= 0)
		snprintf(text, sizeof(text), "kill%s%s", h->cgroup_has_memory ? ",memory" : "",
			h->cgroup_has_pids ? ",pids" : "");
	json_set_str(j->layers, "cgroup", text);
}

static void note_layers(struct job *j)
{
	bool basic = j->spec->isolation != ISOLATION_NONE, strict = is_strict(j);
	char text[32];

	json_set_str(j->layers, "profile", spec_isolation_names[j->spec->isolation]);
	json_set_bool(j->layers, "session", true);
	json_set_bool(j->layers, "clean_environment", true);
	json_set_bool(j->layers, "rlimits", basic);
	json_set_bool(j->layers, "no_new_privs", basic);
	json_set_bool(j->layers, "own_user", has_own_user(j));
	json_set_bool(j->layers, "user_namespace", strict && geteuid() != 0);
	note_cgroup(j);
	if (j->spec->limits.memory_bytes)
		json_set_str(j->layers, "memory",
			j->host->cgroup_has_memory ? "cgroup"
			: basic			   ? "address space"
						   : "unlimited");
	json_set_str(j->layers, "processes",
		j->host->cgroup_has_pids && j->cgroup.fd >= 0 ? "cgroup"
		: strict				      ? "rlimit"
							      : "unlimited");
	json_set_bool(j->layers, "namespaces", strict);
	json_set_bool(j->layers, "state_hidden", strict);
	json_set_bool(j->layers, "network_off", strict);
	json_set_bool(j->layers, "seccomp", strict);
	json_set_bool(j->layers, "no_capabilities", strict);
	snprintf(text, sizeof(text), "abi %d", landlock_abi());
	if (strict)
		json_set_str(j->layers, "landlock", text);
	else
		json_set_bool(j->layers, "landlock", false);
}

static void fill_paths(struct job *j)
{
	static const char *const writable[] = { "/tmp", "/var/tmp", "/dev/shm", "/dev/null",
		"/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
		"/dev/ptmx", "/dev/pts", "/dev/dri" };

	add_path(&j->sandbox, "/", false);
	for (size_t i = 0; i < ARRAY_SIZE(writable); i++)
		add_path(&j->sandbox, writable[i], true);
	sandbox_allow(j, j->scratch);
}

static int refuse(struct job *j, const char *layer, const char *why)
{
	return job_refuse(j,
		"isolation strict needs the layer '%s', which this host does not offer: %s; "
		"use "
		"isolation basic or another testbed",
		layer, why);
}

/* What is there is what works: run the smallest program behind all the walls. */
static int try_out(struct job *j)
{
	char *argv[] = { (char *)"true", NULL };
	struct supervised s;
	struct launch l;
	struct error err;
	int r;

	sandbox_plan(j, &l);
	l.exe = "/bin/true";
	l.argv = argv;
	l.envp = job_environment(j, j->arena, NULL);
	r = supervise(&j->ch, &l, 10 * NS_PER_S, 4096, NULL, NULL, &s, &err);
	if (r < 0)
		r = refuse(j, "namespaces", err.text);
	else if (s.termination == T_FAILED_START)
		r = refuse(j, launch_step_names[s.failed_step], s.failure);
	else if (!channel_must_stop(&j->ch) && (s.termination != T_EXIT || s.exit != 0))
		r = refuse(j, "seccomp", "even /bin/true does not run behind it");
	supervised_done(&s);
	return r;
}

/* The worker's state folder holds other jobs' files; in the embedded worker's case the one
 * above it is benchd's, with the database. */
static const char *hidden_folder(struct job *j)
{
	const char *state = j->host->state, *slash = strrchr(state, '/');
	const char *above;

	if (!slash || slash == state)
		return NULL;
	above = arena_strndup(j->arena, state, (size_t)(slash - state));
	if (access(arena_printf(j->arena, "%s/benchd.db", above), F_OK) == 0)
		return above;
	return state;
}

int sandbox_open(struct job *j)
{
	cgroup_open(j->host, j->slot, j->spec->limits.memory_bytes, &j->cgroup);
	fill_paths(j);
	if (is_strict(j)) {
		if (!seccomp_filter())
			return refuse(j, "seccomp", "no filter is known for this architecture");
		if (landlock_abi() < MIN_LANDLOCK)
			return refuse(j, "landlock", "the kernel has it switched off");
		/* Root without capabilities still owns the kernel's files, and no limit on
		 * processes holds for it. */
		if (geteuid() == 0 && !has_own_user(j))
			return refuse(j, "own_user",
				"the worker runs as root and was given no user for jobs (start "
				"it with --job-user, or not as root)");
		namespaces_init(&j->sandbox.namespaces);
		j->sandbox.namespaces.hidden = hidden_folder(j);
		if (try_out(j) < 0)
			return E_UNPROCESSABLE;
	}
	note_layers(j);
	return OK;
}
