/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl doctor: how noisy is this host, what makes it so, what to change first and what that
 * would bring? All of it local: no daemon is asked. */
#include "client/doctor.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/fs.h"
#include "base/text.h"

#define WINDOW_NS (2 * NS_PER_S)
enum { MAX_TEXT = 4 * MiB };

const char *const doctor_level_names[] = { "ok", "note", "look", "bad", NULL };

/* --- what the other files call --- */

static json_t *finding_json(const struct finding *f)
{
	json_t *o = json_object();

	json_set_str(o, "area", f->area);
	json_set_str(o, "check", f->check);
	json_set_str(o, "value", f->value);
	json_set_str(o, "level", doctor_level_names[f->level]);
	json_set_opt(o, "advice", f->advice);
	json_set_opt(o, "gain", f->gain);
	json_set_opt(o, "remedy", f->remedy);
	return o;
}

void doctor_find(struct doctor *d, struct finding f)
{
	if (d->n == d->cap) {
		size_t cap = d->cap ? 2 * d->cap : 32;
		struct finding *bigger = ARENA_ARRAY(d->a, struct finding, cap);

		if (d->n)
			memcpy(bigger, d->list, d->n * sizeof(*bigger));
		d->list = bigger;
		d->cap = cap;
	}
	d->list[d->n++] = f;
	json_array_append_new(d->findings, finding_json(&f));
}

const char *doctor_text(struct doctor *d, const char *fmt, ...)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	char path[512];
	struct error err;
	size_t n;
	va_list ap;

	n = (size_t)snprintf(path, sizeof(path), "%s", d->root);
	va_start(ap, fmt);
	vsnprintf(path + n, n < sizeof(path) ? sizeof(path) - n : 0, fmt, ap);
	va_end(ap);
	if (file_read(path, MAX_TEXT, &b, &err) < 0)
		return NULL;
	n = b.len;
	while (n && isspace((unsigned char)buf_str(&b)[n - 1]))
		n--;
	return arena_strndup(d->a, buf_str(&b), n);
}

int64_t doctor_number(struct doctor *d, const char *path)
{
	const char *text = doctor_text(d, "%s", path);
	char *end;
	long long v = text ? strtoll(text, &end, 10) : -1;

	return text && end != text ? v : -1;
}

/* --- the verdict --- */

struct verdict {
	enum doctor_level level;
	const char *text;
};

/* The smallest change seen decides how the host is called; 2 % is min_effect's default. */
static struct verdict judge(struct doctor *d)
{
	double seen = d->noise.detectable_paired;
	const char *change = doctor_print(d, "%.2f %%", 100 * seen);

	if (!(seen < 0.05))
		return (struct verdict){ DOCTOR_BAD,
			doctor_print(d,
				"This host is too noisy now: only changes from %s would "
				"be seen.",
				change) };
	if (seen >= 0.02)
		return (struct verdict){ DOCTOR_LOOK,
			doctor_print(d,
				"This host sees changes from %s; the default protocol "
				"looks for 2 %%.",
				change) };
	return (struct verdict){ DOCTOR_OK,
		doctor_print(d, "This host is fit for measuring: it sees changes from %s.",
			change) };
}

static size_t count(const struct doctor *d, enum doctor_level level)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		n += d->list[i].level == level;
	return n;
}

/* --- output --- */

static void print_findings(struct doctor *d)
{
	struct table *t = table_new(d->a, 4);
	struct buf b = { 0 };

	table_head(t, 0, "", false);
	table_head(t, 1, "area", false);
	table_head(t, 2, "check", false);
	table_head(t, 3, "here", false);
	for (size_t i = 0; i < d->n; i++) {
		const struct finding *f = &d->list[i];
		const char *cells[] = { doctor_level_names[f->level], f->area, f->check,
			f->value };

		table_add(t, cells);
	}
	table_format(t, TABLE_TEXT, &b);
	fputs(buf_str(&b), stdout);
	buf_done(&b);
}

static void figure(const struct doctor *d, const char *what, const char *key, double scale,
	const char *unit)
{
	double v = json_number_value(json_object_get(d->measured, key));

	printf("  %-62s %8.2f %s\n", what, scale * v, unit);
}

static void print_measured(const struct doctor *d)
{
	puts("\nmeasured, with fresh processes of fixed work, pinned and unpinned in turns:");
	figure(d, "spread inside a process (median absolute deviation)", "within", 100, "%");
	figure(d, "spread between processes (standard deviation), pinned", "between", 100, "%");
	figure(d, "the same, unpinned", "between_unpinned", 100, "%");
	figure(d, "the same, of processes that run one after the other", "between_paired", 100,
		"%");
	figure(d, "slowest sample above its process's median", "worst", 100, "%");
	figure(d, "reading the clock", "timer_ns", 1, "ns");
	figure(d, "late wake-up, 1 in 100", "late_wakeup_ns", 1e-3, "us");
	puts("\nsmallest change that the default protocol (10 processes an arm) would see:");
	figure(d, "interleaved, as benchd compares", "detectable_interleaved", 100, "%");
	figure(d, "against a result of another hour", "detectable", 100, "%");
}

static void print_advice(const struct doctor *d)
{
	int n = 0;

	for (int level = DOCTOR_BAD; level >= DOCTOR_LOOK; level--)
		for (size_t i = 0; i < d->n; i++) {
			const struct finding *f = &d->list[i];

			if ((int)f->level != level)
				continue;
			if (!n++)
				puts("\nwhat to change, first things first:");
			printf("%3d. %s: %s.\n     Brings: %s.\n", n, f->check, f->advice,
				f->gain);
			if (f->remedy)
				printf("     As root: %s\n", f->remedy);
		}
	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].level == DOCTOR_NOTE && d->list[i].advice)
			printf("   - %s: %s.\n", d->list[i].check, d->list[i].advice);
}

static void print_text(struct doctor *d, const struct verdict *v)
{
	print_findings(d);
	print_measured(d);
	print_advice(d);
	printf("\n%s %zu to change, %zu of them first.\n", v->text,
		count(d, DOCTOR_LOOK) + count(d, DOCTOR_BAD), count(d, DOCTOR_BAD));
}

static void print_json(struct doctor *d, const struct verdict *v)
{
	json_t *o = arena_own_json(d->a, json_object()), *verdict = json_object();

	json_set_str(verdict, "level", doctor_level_names[v->level]);
	json_set_str(verdict, "text", v->text);
	json_object_set(o, "findings", d->findings);
	json_object_set(o, "busy", d->busy);
	json_object_set(o, "measured", d->measured);
	json_object_set_new(o, "verdict", verdict);
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
}

/* --- the command --- */

static void init(struct doctor *d, struct client *c, const char *root)
{
	*d = (struct doctor){ .c = c, .a = c->arena, .root = root ? root : "" };
	d->findings = arena_own_json(d->a, json_array());
	d->busy = arena_own_json(d->a, json_array());
	d->measured = arena_own_json(d->a, json_object());
	CPU_ZERO(&d->allowed);
	(void)sched_getaffinity(0, sizeof(d->allowed), &d->allowed);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &d->allowed))
			d->cpu = i;
}

static int examine(struct client *c, const char *root, const char *fail_on)
{
	struct verdict v;
	struct error err;
	struct doctor d;

	init(&d, c, root);
	doctor_settings(&d);
	doctor_place(&d);
	note(c, "looking at the host for %.0f s, then measuring", (double)WINDOW_NS / NS_PER_S);
	doctor_activity(&d, WINDOW_NS);
	if (doctor_noise(&d, &err) < 0)
		return complain(c, &err);
	v = judge(&d);
	if (c->output == OUT_JSON)
		print_json(&d, &v);
	else
		print_text(&d, &v);
	if (fail_on &&
		(v.level == DOCTOR_BAD || (!strcmp(fail_on, "look") && v.level != DOCTOR_OK)))
		return EXIT_UNKNOWN;
	return EXIT_OK;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	const char *root = NULL, *fail_on = NULL;
	bool config = false;
	const struct option_row rows[] = {
		{ "config", 0, NULL, "where host, project and token come from", OPT_FLAG,
			&config },
		{ "fail-on", 0, "LEVEL", "exit 4 when the verdict is bad, or look or bad",
			OPT_STRING, &fail_on },
		{ "root", 0, "DIR", "read /proc and /sys below this folder", OPT_STRING,
			&root },
		{ 0 },
	};
	struct string_list words;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (words.n)
		return usage_error(self, "'%s' is one word too many", words.items[0]);
	if (fail_on && strcmp(fail_on, "look") != 0 && strcmp(fail_on, "bad") != 0)
		return usage_error(self, "--fail-on is look or bad, not '%.40s'", fail_on);
	if (config) {
		config_print(c);
		return EXIT_OK;
	}
	return examine(c, root, fail_on);
}

const struct command command_doctor = { "doctor", "", "measure the noise of this host",
	"  benchctl doctor                  settings, activity and a measurement: 5 seconds\n"
	"  benchctl doctor --json           the same for programs\n"
	"  benchctl doctor --fail-on bad    exit 4 when results from here mean nothing\n"
	"  benchctl doctor --config         where host, project and token come from\n",
	run };
