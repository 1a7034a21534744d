/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which jobs there are, and what becomes of them when a daemon was away. */
#include <string.h>
#include "base/log.h"
#include "worker/jobs_internal.h"

static bool has_runner(const struct jobs *js, const char *id)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (js->slots[i].pid && !strcmp(js->slots[i].id, id))
			return true;
	return false;
}

static void add_job(json_t *list, const char *id, int64_t attempt)
{
	json_t *o = json_object();

	json_set_str(o, "job", id);
	json_set_int(o, "attempt", attempt);
	json_array_append_new(list, o);
}

json_t *jobs_list(const struct jobs *js)
{
	json_t *list = json_array(), *m;
	size_t i;

	for (i = 0; i < JOBS_MAX; i++)
		if (js->slots[i].pid)
			add_job(list, js->slots[i].id, js->slots[i].attempt);
	json_array_foreach (js->waiting, i, m)
		add_job(list, jobs_id_of(m), json_get_int(m, "attempt", 0));
	for (const struct kept_job *k = js->kept.first; k; k = k->next)
		if (k->has_done && !has_runner(js, k->id))
			add_job(list, k->id, k->attempt);
	return list;
}

/* --- a daemon that was away --- */

void jobs_hold(struct jobs *js)
{
	js->is_held = true;
}

bool jobs_offer(struct jobs *js)
{
	_cleanup_(json_decref)
	json_t *list = jobs_list(js);

	js->is_held = json_array_size(list) > 0;
	return js->is_held;
}

static const json_t *find_resumed(const json_t *message, const char *id, int64_t attempt)
{
	const json_t *list = json_object_get(message, "jobs"), *j;
	size_t i;

	json_array_foreach (list, i, j)
		if (json_get_int(j, "attempt", -1) == attempt && !strcmp(jobs_id_of(j), id))
			return j;
	return NULL;
}

static void end_unwanted(struct jobs *js, const char *id, int64_t attempt)
{
	struct jobs_slot *s = jobs_find(js, id);
	size_t i = jobs_find_waiting(js, id);

	log_notice(
		"job %s: the daemon does not go on with attempt %lld", id, (long long)attempt);
	json_array_remove(js->waiting, i);
	kept_forget(&js->kept, id, attempt + 1);
	if (!s || s->attempt != attempt)
		return;
	s->is_fenced = true;
	jobs_tell_runner(s, "shutdown");
}

static void send_again(struct jobs *js, const json_t *resumed)
{
	const char *id = jobs_id_of(resumed);
	int64_t attempt = json_get_int(resumed, "attempt", -1);
	const char *text;
	size_t n;

	kept_release(&js->kept, id, attempt, json_get_int(resumed, "n", 0));
	text = kept_find(&js->kept, id, attempt, &n);
	if (n)
		link_send_text(js->link, text, n);
	log_notice("job %s: attempt %lld goes on; %zu bytes were sent again", id,
		(long long)attempt, n);
}

void jobs_resume(struct jobs *js, const json_t *message)
{
	_cleanup_(json_decref)
	json_t *list = jobs_list(js);
	const json_t *j;
	size_t i;

	if (!js->is_held)
		return;
	js->is_held = false;
	json_array_foreach (list, i, j) {
		int64_t attempt = json_get_int(j, "attempt", 0);
		const json_t *resumed = find_resumed(message, jobs_id_of(j), attempt);

		if (resumed)
			send_again(js, resumed);
		else
			end_unwanted(js, jobs_id_of(j), attempt);
	}
}

void jobs_stored(struct jobs *js, const json_t *message)
{
	kept_release(&js->kept, jobs_id_of(message), json_get_int(message, "attempt", 0),
		json_get_int(message, "n", 0));
}
