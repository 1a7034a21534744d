/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filing a job: from a request's body to a row that can run. */
#include <stdatomic.h>
#include <string.h>
#include "base/secret.h"
#include "base/text.h"
#include "daemon/queue/internal.h"

enum { MAX_DEPENDS = 1000, MAX_PATHS = 200, MAX_PATH = 256 };

#define F(key, kind, min, max, names)                                                          \
	{                                                                                      \
#key, kind, offsetof(struct body, key), false, min, max, names                 \
	}
static const struct json_field fields[] = {
	F(workload, JF_STRING, 1, 64, NULL),
	F(definition, JF_OBJECT, 0, 0, NULL),
	F(parameters, JF_OBJECT, 0, 0, NULL),
	F(branch, JF_STRING, 1, 256, NULL),
	F(head, JF_STRING, 1, 256, NULL),
	F(base, JF_STRING, 1, 256, NULL),
	F(base_argv, JF_ARRAY, 1, 1000, NULL),
	F(head_argv, JF_ARRAY, 1, 1000, NULL),
	F(base_parameters, JF_OBJECT, 0, 0, NULL),
	F(head_parameters, JF_OBJECT, 0, 0, NULL),
	F(testbed, JF_STRING, 1, 64, NULL),
	F(protocol, JF_OBJECT, 0, 0, NULL),
	F(priority, JF_ENUM, 0, 0, priority_names),
	F(seed, JF_INT, 0, 9007199254740992.0, NULL),
	F(depends_on, JF_ARRAY, 0, MAX_DEPENDS, NULL),
	F(supersede_key, JF_STRING, 1, 256, NULL),
	F(start_point, JF_OBJECT, 0, 0, NULL),
	F(merge_base, JF_BOOL, 0, 0, NULL),
	F(unless_head, JF_STRING, 40, 40, NULL),
	F(paths, JF_ARRAY, 1, MAX_PATHS, NULL),
	F(paths_ignore, JF_ARRAY, 1, MAX_PATHS, NULL),
};
#undef F

struct start_body {
	const char *branch, *hash;
};
static const struct json_field start_fields[] = {
	{ "branch", JF_STRING, offsetof(struct start_body, branch), true, 1, 256, NULL },
	{ "hash", JF_STRING, offsetof(struct start_body, hash), false, 40, 40, NULL },
};

int desk_refuse(struct desk *d, const char *field, const char *text)
{
	return error_set_field(d->err, E_UNPROCESSABLE, field, "%s", text);
}

static int check_ref(struct desk *d, const char *field, const char *ref)
{
	if (!ref || git_hash_is_valid(ref) || ref_name_is_valid(ref))
		return OK;
	return error_set_field(d->err, E_UNPROCESSABLE, field,
		"'%s' is neither a commit hash nor a name that git accepts", field + 1);
}

static int check_command(struct desk *d, const char *field, json_t *argv)
{
	size_t i;
	json_t *v;

	if (!argv)
		return OK;
	if (!d->rules->allow_adhoc_commands || !d->f->may_exec)
		return error_set_field(d->err, E_FORBIDDEN, field,
			"commands in a job are not taken here; name a workload, or allow them "
			"with allow_adhoc_commands and scope exec");
	json_array_foreach (argv, i, v)
		if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v))
			return desk_refuse(d, field, "a command must be a list of strings");
	return *json_string_value(json_array_get(argv, 0))
		       ? OK
		       : desk_refuse(d, field, "a command must begin with the program's name");
}

static int check_globs(struct desk *d, const char *field, json_t *globs)
{
	size_t i;
	json_t *v;

	json_array_foreach (globs, i, v)
		if (!json_is_string(v) || !json_string_length(v) ||
			json_string_length(v) > MAX_PATH ||
			strlen(json_string_value(v)) != json_string_length(v))
			return desk_refuse(
				d, field, "a pattern must be a string of 1 to 256 bytes");
	if (globs && !d->body.base)
		return desk_refuse(d, field, "patterns of files need 'base'");
	return OK;
}

static int read_body(struct desk *d, json_t *json)
{
	struct body *b = &d->body;
	struct start_body start = { 0 };
	int r;

	*b = (struct body){ .priority = PRIORITY_MANUAL, .seed = -1 };
	r = json_read(json, "", fields, ARRAY_SIZE(fields), b, JSON_REFUSE_UNKNOWN, d->err);
	if (r == OK)
		r = check_ref(d, "/head", b->head);
	if (r == OK)
		r = check_ref(d, "/base", b->base);
	if (r == OK)
		r = check_command(d, "/base_argv", b->base_argv);
	if (r == OK)
		r = check_command(d, "/head_argv", b->head_argv);
	if (r == OK)
		r = check_globs(d, "/paths", b->paths);
	if (r == OK)
		r = check_globs(d, "/paths_ignore", b->paths_ignore);
	if (r == OK && b->start_point)
		r = json_read(b->start_point, "/start_point", start_fields,
			ARRAY_SIZE(start_fields), &start, JSON_REFUSE_UNKNOWN, d->err);
	if (r < 0)
		return r;
	if (b->priority == PRIORITY_CONFIRM && strcmp(d->f->trigger, "confirm") != 0)
		return desk_refuse(
			d, "/priority", "'confirm' is kept for benchd's own re-runs");
	return b->branch && !ref_name_is_valid(b->branch)
		       ? desk_refuse(d, "/branch", "'branch' is not a name that git accepts")
		       : OK;
}

/* --- which workload --- */

/* What a command without a name is called: after its program, so that the histories of two
 * programs do not run into one. */
static const char *name_of_command(struct desk *d, const json_t *argv)
{
	const char *program = json_string_value(json_array_get(argv, 0)), *slash;

	if (!program)
		return "adhoc";
	slash = strrchr(program, '/');
	program = slash ? slash + 1 : program;
	return strlen(program) <= WORKLOAD_NAME_MAX && workload_name_is_valid(program)
		       ? arena_strdup(d->a, program)
		       : "adhoc";
}

static const char *name_of_both(struct desk *d)
{
	const char *base = name_of_command(d, d->body.base_argv);

	return strcmp(base, name_of_command(d, d->body.head_argv)) ? "adhoc" : base;
}

static int take_inline(struct desk *d)
{
	if (!d->f->is_own && (!d->rules->allow_adhoc_commands || !d->f->may_exec))
		return error_set_field(d->err, E_FORBIDDEN, "/definition",
			"definitions in a job are not taken here; name a workload, or allow "
			"them with allow_adhoc_commands and scope exec");
	d->definition = arena_own_json(d->a, json_deep_copy(d->body.definition));
	if (!json_is_string(json_object_get(d->definition, "name")))
		json_object_set_new(d->definition, "name",
			json_string(
				name_of_command(d, json_object_get(d->definition, "command"))));
	d->name = json_get_str(d->definition, "name", "adhoc");
	return OK;
}

/* Two bare commands need no definition. */
static int take_commands(struct desk *d)
{
	if (!d->body.base_argv || !d->body.head_argv)
		return desk_refuse(d, "/workload",
			"'workload' or 'definition' is missing (or both 'base_argv' and "
			"'head_argv')");
	d->name = name_of_both(d);
	d->definition = arena_own_json(d->a, json_pack("{ss ss sO}", "name", d->name, "kind",
						     "command", "command", d->body.head_argv));
	return OK;
}

static int take_definition(struct desk *d)
{
	const char *source;

	if (d->body.workload && d->body.definition)
		return desk_refuse(d, "/definition",
			"'workload' and 'definition' exclude each other; give one of them");
	if (d->body.definition)
		return take_inline(d);
	if (!d->body.workload)
		return take_commands(d);
	d->name = d->body.workload;
	return queue_find_workload(
		d->st, d->a, d->rules, d->project.id, d->name, &d->definition, &source, d->err);
}

static int take_protocol(struct desk *d)
{
	json_t *protocol = json_object_get(d->definition, "protocol");

	if (!d->body.protocol)
		return OK;
	if (!json_is_object(protocol))
		json_object_set_new(d->definition, "protocol", protocol = json_object());
	json_object_update(protocol, d->body.protocol);
	return OK;
}

static int read_definition(struct desk *d)
{
	int r;

	r = take_definition(d);
	if (r == OK)
		r = take_protocol(d);
	if (r == OK && d->rules->n_cpus)
		scaling_settle(d->definition, *d->rules->n_cpus);
	if (r == OK)
		r = workload_read(d->definition, d->a, &d->w, d->err);
	if (r == OK)
		workload_pin_scaling(&d->w);
	if (r < 0 && d->body.definition && *d->err->field == '/' && r != E_FORBIDDEN) {
		char field[sizeof(d->err->field)];

		snprintf(field, sizeof(field), "/definition%.100s", d->err->field);
		memcpy(d->err->field, field, sizeof(field));
	}
	return r;
}

/* --- the row --- */

static int check_arms(struct desk *d, const struct extras *x)
{
	bool has_repository = d->w.kind == WORKLOAD_BUILD;
	int n_kinds = !!d->body.base + (x->base_argv || x->head_argv) +
		      (x->base_parameters || x->head_parameters);

	if (n_kinds > 1)
		return desk_refuse(d, "/base",
			"'base', 'base_argv' and 'base_parameters' exclude each other");
	if (d->body.base && !has_repository)
		return desk_refuse(d, "/base",
			"'base' names a commit, and this workload has no repository");
	if (x->unless_head && (!has_repository || !git_hash_is_valid(x->unless_head)))
		return desk_refuse(d, "/unless_head",
			"'unless_head' must be a commit hash, of a workload with a repository");
	if (x->is_merge_base && !d->body.base)
		return desk_refuse(d, "/merge_base", "'merge_base' needs 'base'");
	if (x->head_argv && !x->base_argv)
		return desk_refuse(d, "/base_argv", "'head_argv' needs 'base_argv'");
	if (x->head_parameters && !x->base_parameters)
		return desk_refuse(
			d, "/base_parameters", "'head_parameters' needs 'base_parameters'");
	if (x->base_argv && d->w.kind != WORKLOAD_COMMAND)
		return desk_refuse(d, "/base_argv",
			"two commands can be compared only in a workload of kind 'command'");
	if (x->base_argv && json_object_get(d->definition, "benchmarks"))
		return desk_refuse(d, "/base_argv",
			"'base_argv' and a definition with 'benchmarks' exclude each other");
	if (d->body.head && !has_repository && !git_hash_is_valid(d->body.head))
		return desk_refuse(d, "/head",
			"this workload has no repository, so 'head' can only be a commit hash "
			"of 40 digits under which the result is stored");
	return OK;
}

/* Expand once, to prove that the job can run and to know its size. */
static int count_processes(struct desk *d, const struct extras *x, int64_t *ret)
{
	struct arm_cells cells;
	int r;

	r = job_cells(d->a, &d->w, d->body.parameters, x, &cells, d->err);
	if (r < 0)
		return r;
	*ret = (int64_t)cells.n * d->w.protocol.processes * (job_has_base(d->job, x) ? 2 : 1);
	return OK;
}

static const char *text_of(struct arena *a, json_t *o)
{
	_cleanup_(free)
	char *text = o ? json_text(o) : NULL;

	return text ? arena_strdup(a, text) : NULL;
}

/* The definition with what concerns this job alone under "job". */
static const char *definition_text(struct desk *d, const struct extras *x, json_t *members)
{
	const struct {
		const char *key;
		json_t *value;
	} parts[] = {
		{ "base_argv", x->base_argv },
		{ "head_argv", x->head_argv },
		{ "base_parameters", x->base_parameters },
		{ "head_parameters", x->head_parameters },
		{ "start_point", x->start_point },
		{ "paths", x->paths },
		{ "paths_ignore", x->paths_ignore },
		{ "members", members },
	};
	_cleanup_(json_decref)
	json_t *job = json_object();
	_cleanup_(json_decref)
	json_t *whole = json_copy(d->definition);

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i].value)
			json_object_set(job, parts[i].key, parts[i].value);
	if (x->is_merge_base)
		json_object_set_new(job, "merge_base", json_true());
	if (x->finds_branch)
		json_object_set_new(job, "find_branch", json_true());
	json_set_opt(job, "unless_head", x->unless_head);
	if (json_object_size(job))
		json_object_set(whole, "job", job);
	return text_of(d->a, whole);
}

static void fill_refs(struct desk *d)
{
	struct job *j = d->job;
	const char *head = d->body.head;

	if (d->w.kind == WORKLOAD_BUILD && !head)
		head = d->body.branch ? d->body.branch : "HEAD";
	j->branch = d->body.branch ? d->body.branch : DEFAULT_BRANCH;
	j->head_ref = head;
	j->head_hash = head && git_hash_is_valid(head) ? head : NULL;
	j->base_ref = d->body.base;
	j->base_hash = d->body.base && git_hash_is_valid(d->body.base) ? d->body.base : NULL;
}

static void fill_row(struct desk *d)
{
	struct job *j = d->job;
	int64_t now = d->f->now_ns;

	*j = (struct job){
		.project_id = d->project.id,
		.project_slug = d->project.slug,
		.name = arena_strdup(d->a, d->name),
		.kind = workload_kind_name(d->w.kind),
		.slot = d->w.slot,
		.parameters_json = text_of(d->a, d->body.parameters),
		.state = JOB_QUEUED,
		.fault = FAULT_NONE,
		.phase = "",
		.reason = "",
		.priority = (enum priority)d->body.priority,
		.testbed = d->body.testbed ? d->body.testbed : d->rules->testbed,
		.trigger = d->f->trigger,
		.seed = d->body.seed >= 0 ? (uint64_t)d->body.seed : random_u64() >> 11,
		.max_attempts = d->rules->max_attempts,
		.created_ns = now,
		.queued_ns = now,
		.supersede_key = d->body.supersede_key,
		.submitter = d->f->submitter,
	};
	fill_refs(d);
	if (d->f->awaits_approval) {
		j->state = JOB_AWAITING_APPROVAL;
		j->reason = arena_printf(d->a, "commit %s comes from outside; approve it first",
			j->head_hash ? j->head_hash : "?");
	} else if (strcmp(j->testbed, d->rules->testbed) != 0) {
		j->state = JOB_WAITING_HOST;
		j->reason = arena_printf(d->a,
			"no worker of the testbed '%s' is connected; this daemon serves '%s'",
			j->testbed, d->rules->testbed);
	}
}

/* --- dependencies --- */

static int add_dependency(struct desk *d, size_t i, json_t *v)
{
	static const char *const on_names[] = { "success", "any", NULL };
	struct {
		const char *job;
		int on;
	} dep = { 0 };
	const struct json_field dep_fields[] = {
		{ "job", JF_STRING, 0, true, 36, 36, NULL },
		{ "on", JF_ENUM, sizeof(void *), false, 0, 0, on_names },
	};
	char pointer[40];
	struct job on;
	int r;

	snprintf(pointer, sizeof(pointer), "/depends_on/%zu", i);
	r = json_read(v, pointer, dep_fields, 2, &dep, JSON_REFUSE_UNKNOWN, d->err);
	if (r == OK)
		r = store_job_find(d->st, d->a, dep.job, &on, d->err);
	if (r == E_NOT_FOUND || (r == OK && on.project_id != d->project.id))
		return error_set_field(d->err, E_UNPROCESSABLE, pointer,
			"there is no job '%s' in this project", dep.job);
	return r < 0 ? r
		     : store_job_depends(d->st, d->job->id, on.id, on_names[dep.on], d->err);
}

static int add_dependencies(struct desk *d)
{
	size_t i;
	json_t *v;
	int r = OK;

	json_array_foreach (d->body.depends_on, i, v)
		if (r == OK)
			r = add_dependency(d, i, v);
	if (r == OK)
		r = queue_settle(d->st, d->a, d->job->id, d->f->now_ns, d->err);
	/* What it depends on may be over already. */
	return r < 0 ? r : store_job_get(d->st, d->a, d->job->id, d->job, d->err);
}

int desk_add_row(struct desk *d, const struct extras *x, json_t *members)
{
	struct job *j = d->job;
	bool depends = json_array_size(d->body.depends_on) > 0;
	int r;

	j->definition_json = definition_text(d, x, members);
	if (depends)
		j->state = JOB_BLOCKED;
	r = store_job_add(d->st, d->a, j, d->err);
	if (r == OK && depends)
		r = add_dependencies(d);
	if (r == OK && j->supersede_key)
		r = queue_supersede(d->st, d->a, j, d->f->now_ns, d->err);
	if (r == OK && d->rules->n_waiting)
		atomic_fetch_add(d->rules->n_waiting, 1);
	return r < 0 ? r : queue_note_state(d->st, j, d->f->now_ns, d->err);
}

/* --- the door --- */

/* A soft limit: the number is refreshed on a timer. */
static int check_room(struct desk *d)
{
	const struct queue_rules *rules = d->rules;

	if (!rules->n_waiting || atomic_load(rules->n_waiting) < rules->max_waiting)
		return OK;
	return error_set(d->err, E_UNAVAILABLE,
		"%lld jobs are waiting already, which is the limit (queue.max_waiting)",
		(long long)rules->max_waiting);
}

static int find_project(struct desk *d)
{
	if (d->f->may_create_project)
		return store_project_ensure(
			d->st, d->a, d->f->project, d->f->now_ns, &d->project, d->err);
	return store_project_find(d->st, d->a, d->f->project, &d->project, d->err);
}

int queue_file_job(struct store *st, struct arena *a, const struct queue_rules *rules,
	const struct filing *f, json_t *body, struct job *ret, struct error *err)
{
	struct desk d = { .st = st, .a = a, .rules = rules, .f = f, .job = ret, .err = err };
	struct extras x;
	int r;

	r = check_room(&d);
	if (r == OK)
		r = read_body(&d, body);
	if (r == OK)
		r = find_project(&d);
	if (r == OK)
		r = read_definition(&d);
	if (r < 0)
		return r;
	if (f->awaits_approval && json_array_size(d.body.depends_on))
		return desk_refuse(&d, "/depends_on",
			"a job that awaits approval cannot wait for another one too");
	x = (struct extras){ .base_argv = d.body.base_argv,
		.head_argv = d.body.head_argv,
		.base_parameters = d.body.base_parameters,
		.head_parameters = d.body.head_parameters,
		.start_point = d.body.start_point,
		.paths = d.body.paths,
		.paths_ignore = d.body.paths_ignore,
		.unless_head = d.body.unless_head,
		.is_merge_base = d.body.merge_base,
		.finds_branch = d.w.kind == WORKLOAD_BUILD && !d.body.branch };
	fill_row(&d);
	if (d.w.kind == WORKLOAD_SUITE)
		return desk_file_suite(&d, body);
	r = check_arms(&d, &x);
	if (r == OK)
		r = count_processes(&d, &x, &ret->n_total);
	return r == OK ? desk_add_row(&d, &x, NULL) : r;
}
