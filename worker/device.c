/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/device.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>
#include "worker/job.h"
#include "worker/lock.h"
#include "worker/measured.h"
#include "worker/preflight.h"
#include "worker/probe.h"
#include "worker/supervise.h"

/* --- which -------------------------------------------------------------------------------- */

/* "--NAME=VALUE" or "--NAME", "VALUE"; NULL when it is not there. */
static const char *find_option(char *const *argv, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 1; argv[i]; i++) {
		if (strncmp(argv[i], "--", 2) != 0 || strncmp(argv[i] + 2, name, n) != 0)
			continue;
		if (argv[i][2 + n] == '=')
			return argv[i] + 3 + n;
		if (!argv[i][2 + n])
			return argv[i + 1];
	}
	return NULL;
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; at && *at; at += strcspn(at, ",") + (strchr(at, ',') != 0))
		if (strcspn(at, ",") == n && !strncmp(at, word, n))
			return true;
	return false;
}

bool device_is_named(char *const *argv)
{
	return argv[0] && !strcmp(argv[0], "benchd-kernel") &&
	       has_word(find_option(argv, "backend"), "vulkan");
}

/* 32 digits, dashes anywhere. */
static bool is_uuid(const char *text, const char *uuid)
{
	for (; *text; text++) {
		if (*text == '-')
			continue;
		if (!*uuid || tolower((unsigned char)*text) != *uuid++)
			return false;
	}
	return !*uuid;
}

static bool is_wanted(const json_t *d, const char *wish)
{
	bool is_software = json_get_bool(d, "software", false);

	if (json_get_str(d, "unusable", NULL))
		return false;
	if (!wish)
		return !is_software;
	return !strcmp(wish, "cpu") ? is_software : is_uuid(wish, json_get_str(d, "uuid", "?"));
}

const json_t *device_resolve(const json_t *devices, char *const *argv)
{
	const char *wish = find_option(argv, "device");
	const json_t *d;
	size_t i;

	if (!device_is_named(argv))
		return NULL;
	json_array_foreach (devices, i, d)
		if (is_wanted(d, wish))
			return d;
	return NULL;
}

static const json_t *known(const struct job *j)
{
	return j->host->probe ? j->host->probe->devices : NULL;
}

static struct job_device *find(struct job *j, const json_t *info)
{
	for (size_t i = 0; info && i < j->n_devices; i++)
		if (j->devices[i].info == info)
			return &j->devices[i];
	return NULL;
}

struct job_device *device_of(struct job *j, const struct turn *t)
{
	return find(j, device_resolve(known(j), t->cell->argv[t->arm]));
}

/* --- may it be used, and by us alone ------------------------------------------------------ */

static bool is_same(const json_t *a, const json_t *b)
{
	return !strcmp(json_get_str(a, "uuid", "?"), json_get_str(b, "uuid", "")) &&
	       json_get_int(a, "driver_id", -1) == json_get_int(b, "driver_id", -2);
}

static int check_refused(struct job *j, const json_t *info)
{
	const json_t *r;
	size_t i;

	json_array_foreach (j->spec->refused_devices, i, r)
		if (is_same(r, info))
			return job_fail(j, FAULT_DEVICE, "%s",
				json_get_str(r, "reason", "the device is not to be used"));
	return 0;
}

char *device_lock_path(const json_t *device)
{
	const char *uuid = json_get_str(device, "uuid", "");
	size_t n = strspn(uuid, "0123456789abcdef");

	if (json_get_bool(device, "software", false))
		return xasprintf("%s/host.lock", lock_directory());
	return xasprintf("%s/gpu-%.*s.lock", lock_directory(), (int)MIN(n, (size_t)32), uuid);
}

/* A software device computes on the processor, whose lock an exclusive job has already. */
static int lock(struct job *j, struct job_device *d)
{
	_cleanup_(free)
	char *path = device_lock_path(d->info);

	if (json_get_bool(d->info, "software", false))
		return 0;
	return preflight_wait(j, path, "the GPU", &d->lock_fd);
}

static int add(struct job *j, const json_t *info)
{
	struct job_device *d;
	int r;

	if (!info || find(j, info))
		return 0;
	r = check_refused(j, info);
	if (r < 0)
		return r;
	if (j->n_devices == JOB_DEVICES)
		return job_fail(
			j, FAULT_RUNNER, "the job uses more than %d devices", JOB_DEVICES);
	d = &j->devices[j->n_devices++];
	*d = (struct job_device){ .info = info, .lock_fd = -1 };
	return lock(j, d);
}

/* A driver that does not answer a probe does not answer a kernel either, and which device that
 * would use is not known. */
static int check_probe(struct job *j)
{
	const struct probe *p = j->host->probe;

	for (size_t i = 0; p && p->is_failed && i < j->spec->n_cells; i++)
		for (size_t arm = 0; arm < j->spec->n_arms; arm++)
			if (device_is_named(j->spec->cells[i].argv[arm]))
				return job_fail(j, FAULT_DEVICE,
					"the Vulkan devices of this host are not known: %s",
					p->why);
	return 0;
}

int device_take(struct job *j)
{
	int r = check_probe(j);

	for (size_t i = 0; r >= 0 && i < j->spec->n_cells; i++)
		for (size_t arm = 0; r >= 0 && arm < j->spec->n_arms; arm++)
			r = add(j, device_resolve(known(j), j->spec->cells[i].argv[arm]));
	return r;
}

void device_release(struct job *j)
{
	for (size_t i = 0; i < j->n_devices; i++)
		if (j->devices[i].lock_fd >= 0)
			close(TAKE_FD(j->devices[i].lock_fd));
}

int device_lock_of(struct job *j, const struct turn *t)
{
	const struct job_device *d = device_of(j, t);

	if (!d)
		return -1;
	return d->lock_fd >= 0 ? d->lock_fd : j->lock_fd;
}

/* --- what became of it -------------------------------------------------------------------- */

void device_note(struct job *j, const struct turn *t, const struct supervised *s)
{
	enum { EXIT_LOST = 76 };
	struct job_device *d = device_of(j, t);
	bool is_signal = s->termination == T_SIGNAL || s->termination == T_KILLED;

	if (!d)
		return;
	if (s->is_wedged)
		d->ended = "wedged";
	else if (s->termination == T_EXIT && s->exit == EXIT_LOST)
		d->ended = "lost";
	else if (is_signal && s->signal && !channel_must_stop(&j->ch))
		d->ended = "crashed";
	else if (s->termination == T_EXIT && s->exit == 0)
		d->n_succeeded++;
}

void device_tell(const struct job *j, json_t *done)
{
	json_t *list = json_array();
	bool probe_again = false;

	for (size_t i = 0; i < j->n_devices; i++) {
		const struct job_device *d = &j->devices[i];
		json_t *o = json_object();

		json_object_set(o, "uuid", json_object_get(d->info, "uuid"));
		json_object_set(o, "driver_id", json_object_get(d->info, "driver_id"));
		json_set_int(o, "succeeded", d->n_succeeded);
		json_set_opt(o, "ended", d->ended);
		json_array_append_new(list, o);
		probe_again |= d->ended != NULL;
	}
	if (j->n_devices)
		json_object_set(done, "devices", list);
	if (probe_again)
		json_set_bool(done, "probe_again", true);
	json_decref(list);
}
