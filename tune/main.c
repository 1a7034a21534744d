/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchd-tune: quiets a host for measuring, and gives it back. See docs/man/benchd-tune.8. */
#include "config.h"

#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/sd.h"
#include "base/text.h"
#include "tune/tuner.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INCOMPLETE = 3, MAX_LIST = 1000 };

struct options {
	const char *command, *journal;
	struct tune_host host;
	unsigned wanted;
	bool json;
};

static const char usage[] =
	"Usage: benchd-tune show|apply|hold|restore [options]\n"
	"  show      what this host has now and what would be set; changes nothing\n"
	"  apply     journal the values, set them, read them back (root)\n"
	"  hold      apply, keep the cpus out of deep sleep, restore on SIGTERM (root; the "
	"service)\n"
	"  restore   write the journalled values back (root)\n"
	"  --set NAME,...       only these settings, instead of the usual ones\n"
	"  --also NAME,...      the usual ones and these\n"
	"  --not NAME,...       the usual ones without these\n"
	"  --housekeeping LIST  cpus for interrupts and kernel work, such as 0 or 0-1\n"
	"  --journal FILE       where the values go (default /var/lib/benchd-tune/journal)\n"
	"  --root DIR           folder that plays / (for tests)\n"
	"  --json               for programs\n"
	"Exit: 0 all as wanted, 1 failed, 2 wrong call, 3 done, but some files refused.\n";

enum { O_SET = 256, O_ALSO, O_NOT, O_CPUS, O_JOURNAL, O_ROOT, O_JSON, O_VERSION, O_HELP };

static const struct option long_options[] = {
	{ "set", required_argument, NULL, O_SET },
	{ "also", required_argument, NULL, O_ALSO },
	{ "not", required_argument, NULL, O_NOT },
	{ "housekeeping", required_argument, NULL, O_CPUS },
	{ "journal", required_argument, NULL, O_JOURNAL },
	{ "root", required_argument, NULL, O_ROOT },
	{ "json", no_argument, NULL, O_JSON },
	{ "version", no_argument, NULL, O_VERSION },
	{ "help", no_argument, NULL, O_HELP },
	{ 0 },
};

static __attribute__((noreturn, format(printf, 1, 2))) void wrong_call(const char *fmt, ...)
{
	va_list ap;

	fputs("benchd-tune: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(EXIT_USAGE);
}

static unsigned usual_settings(void)
{
	unsigned bits = 0;

	for (int i = 0; i < n_settings; i++)
		bits |= settings[i].by_default ? 1u << i : 0;
	return bits;
}

static unsigned parse_names(const char *option, const char *text)
{
	_cleanup_(free)
	char *copy = xstrndup(text, MAX_LIST), *rest = copy, *word;
	unsigned bits = 0;

	while ((word = strsep(&rest, ","))) {
		int i = 0;

		while (i < n_settings && strcmp(setting_names[i], word) != 0)
			i++;
		if (i == n_settings) {
			const char *near = nearest_name(word, setting_names);

			wrong_call(
				"%s: there is no setting '%.40s'%s%s; 'benchd-tune show' lists "
				"them",
				option, word, near ? "; did you mean " : "", near ? near : "");
		}
		bits |= 1u << i;
	}
	return bits;
}

static const char *checked_list(const char *text)
{
	if (!*text || strspn(text, "0123456789,-") != strlen(text) || strlen(text) > 200 ||
		!value_equal("/proc/irq/0/smp_affinity_list", text, text) ||
		strchr("-,", text[strlen(text) - 1]) || strchr("-,", *text))
		wrong_call(
			"--housekeeping must be a list of cpus such as 0 or 0-1, not '%.40s'",
			text);
	return text;
}

static void take_option(struct options *o, int c)
{
	switch (c) {
	case O_SET:
		o->wanted = parse_names("--set", optarg);
		break;
	case O_ALSO:
		o->wanted |= parse_names("--also", optarg);
		break;
	case O_NOT:
		o->wanted &= ~parse_names("--not", optarg);
		break;
	case O_CPUS:
		o->host.housekeeping = checked_list(optarg);
		break;
	case O_JOURNAL:
		o->journal = optarg;
		break;
	case O_ROOT:
		o->host.root = optarg;
		break;
	case O_JSON:
		o->json = true;
		break;
	case O_VERSION:
		puts("benchd-tune " PACKAGE_VERSION);
		exit(0);
	case O_HELP:
		fputs(usage, stdout);
		exit(0);
	default:
		exit(EXIT_USAGE);
	}
}

static void read_options(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		take_option(o, c);
	if (optind != argc - 1) {
		fputs(usage, stderr);
		exit(EXIT_USAGE);
	}
	o->command = argv[optind];
}

/* --- telling --- */

static const char *achieved_word(const struct outcome_row *r, bool is_look)
{
	static const char *const words[] = { "set", "already", "refused", "not kept" };

	return is_look && r->achieved == NOT_KEPT ? "would be set" : words[r->achieved];
}

static const char *row_name(const struct outcome_row *r)
{
	return r->entry.id < n_settings ? settings[r->entry.id].name : "";
}

static void print_json(const struct tuned *t, bool is_look)
{
	_cleanup_(json_decref)
	json_t *list = json_array();
	_cleanup_(free)
	char *text = NULL;

	for (size_t i = 0; i < t->n; i++) {
		const struct outcome_row *r = &t->rows[i];
		json_t *o = json_object();

		json_set_str(o, "setting", row_name(r));
		json_set_str(o, "path", r->entry.path);
		json_set_str(o, "before", r->before);
		json_set_str(o, "wanted", r->entry.wanted);
		json_set_str(o, "now", r->now);
		json_set_str(o, "outcome", achieved_word(r, is_look));
		json_set_str(o, "reason", r->reason);
		json_array_append_new(list, o);
	}
	text = json_text(list);
	puts(text);
}

static void print_table(struct arena *a, const struct tuned *t, bool is_look)
{
	static const char *const heads[] = { "SETTING", "FILE", "BEFORE", "WANTED", "OUTCOME" };
	struct table *table = table_new(a, ARRAY_SIZE(heads));
	_cleanup_(buf_done)
	struct buf b = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_head(table, i, heads[i], false);
	for (size_t i = 0; i < t->n; i++) {
		const struct outcome_row *r = &t->rows[i];

		table_add(table, (const char *[]){ row_name(r), r->entry.path,
					 r->before ? r->before : "(gone)", r->entry.wanted,
					 achieved_word(r, is_look) });
	}
	table_format(table, TABLE_TEXT, &b);
	fputs(buf_str(&b), stdout);
	for (size_t i = 0; i < t->n; i++)
		if (*t->rows[i].reason)
			printf("%s: %s\n", t->rows[i].entry.path, t->rows[i].reason);
}

static void print_rows(struct arena *a, const struct options *o, const struct tuned *t)
{
	bool is_look = !strcmp(o->command, "show");

	if (o->json)
		print_json(t, is_look);
	else if (t->n)
		print_table(a, t, is_look);
	else
		puts("This host has none of the files: nothing to set.");
}

/* --- commands --- */

static int fail(const struct error *err)
{
	fprintf(stderr, "benchd-tune: %s\n", err->text);
	return EXIT_FAILED;
}

static int show(struct arena *a, const struct options *o)
{
	struct tuned t;

	tuner_look(a, &o->host, o->wanted, &t);
	print_rows(a, o, &t);
	if (!o->json && access(o->journal, F_OK) == 0)
		printf("This host is tuned now; its earlier values are in '%s'.\n", o->journal);
	return 0;
}

static int restore(struct arena *a, const struct options *o, bool is_quiet)
{
	bool rebooted;
	struct tuned t;
	struct error err;
	int r;

	r = tuner_restore(a, &o->host, o->journal, &t, &rebooted, &err);
	if (t.n && !is_quiet)
		print_rows(a, o, &t);
	if (r < 0)
		return fail(&err);
	if (rebooted)
		puts("The journal was of an earlier boot, whose values ended with it; "
		     "removed.");
	else if (!t.n && !is_quiet)
		puts("The host is not tuned; nothing to restore.");
	return 0;
}

/* A crash may have left the host tuned: first give back what it had. */
static int apply(struct arena *a, const struct options *o)
{
	struct tuned t;
	struct error err;
	int r;

	r = restore(a, o, true);
	if (r != 0)
		return r;
	r = tuner_apply(a, &o->host, o->wanted, o->journal, &t, &err);
	if (r < 0)
		return fail(&err);
	print_rows(a, o, &t);
	fflush(stdout);
	return t.n_refused ? EXIT_INCOMPLETE : 0;
}

/* The kernel keeps the cpus awake as long as this stays open, so a crash frees them. Source:
 * Documentation/power/pm_qos_interface.rst. */
static int hold_awake(const struct tune_host *h)
{
	_cleanup_(free)
	char *path = xasprintf("%s/dev/cpu_dma_latency", h->root);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	const int32_t none = 0;

	if (fd >= 0 && write(fd, &none, sizeof(none)) == sizeof(none))
		return fd;
	printf("'/dev/cpu_dma_latency' cannot be held: the cpus may sleep deeply.\n");
	return fd;
}

static int hold(struct arena *a, const struct options *o)
{
	_cleanup_(close)
	int awake = -1;
	sigset_t set;
	int r, signal_number;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r = apply(a, o);
	if (r == EXIT_FAILED)
		return r;
	awake = hold_awake(&o->host);
	sd_notify("READY=1\nSTATUS=The host is tuned for measuring.");
	puts("Held until SIGTERM.");
	fflush(stdout);
	sigwait(&set, &signal_number);
	sd_notify("STOPPING=1");
	return restore(a, o, false);
}

static int run(struct arena *a, struct options *o)
{
	_cleanup_(free)
	char *copy = xstrdup(o->journal);
	struct error err;

	if (!strcmp(o->command, "show"))
		return show(a, o);
	if (strcmp(o->command, "apply") && strcmp(o->command, "hold") &&
		strcmp(o->command, "restore"))
		wrong_call(
			"there is no command '%.40s'; there are show, apply, hold and restore",
			o->command);
	if (!*o->host.root && geteuid() != 0)
		wrong_call("'%s' changes the host and needs root", o->command);
	if (dir_make(dirname(copy), 0700, &err) < 0 || tuner_lock(o->journal, &err) < 0)
		return fail(&err);
	if (!strcmp(o->command, "apply"))
		return apply(a, o);
	return strcmp(o->command, "hold") ? restore(a, o, false) : hold(a, o);
}

int main(int argc, char **argv)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct options o = { .journal = "/var/lib/benchd-tune/journal",
		.host = { .root = "" },
		.wanted = usual_settings() };

	log_init("benchd-tune", LOG_NOTICE);
	sd_init();
	read_options(&o, argc, argv);
	return run(a, &o);
}
