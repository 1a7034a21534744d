/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "client/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const outputs[] = { "table", "json", "csv", "markdown", "junit",
	"openmetrics", "hyperfine", "html", NULL };

struct common {
	const char *format, *token_file;
	bool json, help, no_color;
};

static void add(struct client *c, struct string_list *l, const char *s)
{
	const char **items = ARENA_ARRAY(c->arena, const char *, l->n + 1);

	if (l->n)
		memcpy(items, l->items, l->n * sizeof(*items));
	items[l->n++] = s;
	l->items = items;
}

static void print_rows(const struct option_row *rows)
{
	for (; rows && rows->name; rows++) {
		char left[80];

		snprintf(left, sizeof(left), "%s%c%s--%s%s%s", rows->letter ? "-" : "",
			rows->letter ? rows->letter : ' ', rows->letter ? ", " : "   ",
			rows->name, rows->arg ? " " : "", rows->arg ? rows->arg : "");
		printf("  %-32s %s\n", left, rows->help);
	}
}

static const struct option_row *find(const struct option_row *rows, const char *arg, size_t n)
{
	for (; rows && rows->name; rows++) {
		/* -n 5 and -n5 */
		if (arg[1] != '-' && rows->letter && rows->letter == arg[1] &&
			(!arg[2] || rows->kind != OPT_FLAG))
			return rows;
		if (arg[1] == '-' && strlen(rows->name) == n - 2 &&
			!strncmp(rows->name, arg + 2, n - 2))
			return rows;
	}
	return NULL;
}

static void print_help(const struct command *self, const struct option_row *rows)
{
	printf("benchctl %s %s - %s\n", self->name, self->arguments, self->summary);
	if (self->help)
		printf("\n%s", self->help);
	puts("\noptions:");
	print_rows(rows);
	printf("  --host, --token-file, %s--project, --json, --format, -q, -v: see benchctl "
	       "--help\n",
		find(rows, "-p", 2) ? "" : "-p/");
}

int usage_error(const struct command *self, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "benchctl %s: ", self->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nusage: benchctl %s %s (--help tells more)\n", self->name,
		self->arguments);
	return EXIT_USAGE;
}

static int unknown(const struct command *self, const struct option_row *rows,
	const struct option_row *common, const char *arg, size_t n)
{
	const char *names[64] = { 0 }, *near;
	char word[64];
	size_t k = 0;

	for (; rows && rows->name && k < 50; rows++)
		names[k++] = rows->name;
	for (; common->name && k < 63; common++)
		names[k++] = common->name;
	snprintf(word, sizeof(word), "%.*s", (int)(n > 2 ? n - 2 : 0), arg + (n > 2 ? 2 : 0));
	near = nearest_name(word, names);
	if (near && arg[1] == '-')
		return usage_error(
			self, "unknown option '%.*s'; did you mean '--%s'?", (int)n, arg, near);
	return usage_error(self, "unknown option '%.*s'", (int)n, arg);
}

static int n_values(const struct option_row *row)
{
	return row->kind == OPT_TRIPLE ? 3 : row->kind == OPT_PAIR ? 2 : 1;
}

static int finish(struct client *c, const struct command *self, const struct common *common)
{
	if (common->json)
		c->output = OUT_JSON;
	if (common->format) {
		int found = strcmp(common->format, "human") ? -1 : OUT_TABLE; /* Bencher's */

		for (int i = 0; outputs[i]; i++)
			if (!strcmp(outputs[i], common->format))
				found = i;
		if (found < 0)
			return usage_error(self,
				"--format takes table, json, csv, markdown, junit, "
				"openmetrics, hyperfine or html, not '%s'",
				common->format);
		c->output = (enum output)found;
	}
	if (common->token_file) {
		struct error err = { 0 };
		struct buf b = { 0 };
		FILE *f = fopen(common->token_file, "r");
		char line[256];

		buf_done(&b);
		if (!f || !fgets(line, sizeof(line), f)) {
			error_errno(&err, E_IO, "cannot read the token file '%s'",
				common->token_file);
			if (f)
				fclose(f);
			return complain(c, &err);
		}
		fclose(f);
		line[strcspn(line, "\r\n")] = 0;
		c->token = arena_strdup(c->arena, line);
		c->token_from = "--token-file";
		c->token_config = NULL;
	}
	return EXIT_OK;
}

int args_parse(struct client *c, const struct command *self, const struct option_row *rows,
	int argc, char **argv, struct string_list *words, size_t *ret_rest)
{
	struct common common = { 0 };
	const char *host = NULL, *project = NULL;
	const struct option_row shared[] = {
		{ "host", 0, "URL", "the daemon", OPT_STRING, &host },
		{ "project", 'p', "P", "project", OPT_STRING, &project },
		{ "token-file", 0, "FILE", "file with the key", OPT_STRING,
			&common.token_file },
		{ "json", 0, NULL, "JSON", OPT_FLAG, &common.json },
		{ "format", 0, "FORM", "form of the output", OPT_STRING, &common.format },
		{ "quiet", 'q', NULL, "no progress", OPT_FLAG, &c->quiet },
		{ "verbose", 'v', NULL, "more on stderr", OPT_FLAG, &c->verbose },
		{ "no-color", 0, NULL, "no colour", OPT_FLAG, &common.no_color },
		{ "help", 'h', NULL, "this text", OPT_FLAG, &common.help },
		{ 0 },
	};
	int i;

	*words = (struct string_list){ 0 };
	for (i = 0; i < argc && strcmp(argv[i], "--"); i++) {
		const char *arg = argv[i], *eq = strchr(arg, '='), *value = NULL;
		size_t n = eq && arg[1] == '-' ? (size_t)(eq - arg) : strlen(arg);
		const struct option_row *row;
		bool is_given;

		if (arg[0] != '-' || !arg[1]) {
			add(c, words, arg);
			continue;
		}
		row = find(rows, arg, n);
		if (!row)
			row = find(shared, arg, n);
		if (!row)
			return unknown(self, rows, shared, arg, n);
		if (row->kind == OPT_FLAG) {
			if (arg[n] == '=')
				return usage_error(self, "--%s takes no value", row->name);
			*(bool *)row->target = true;
			continue;
		}
		if (arg[1] != '-' && arg[2])
			n = 2;
		is_given = arg[n] != 0;
		for (int k = 0; k < n_values(row); k++) {
			value = is_given && k == 0 ? arg + n + (arg[n] == '=')
				: ++i < argc	   ? argv[i]
						   : NULL;
			if (!value)
				return usage_error(self, "--%s needs %s (%s)", row->name,
					n_values(row) > 1 ? "values" : "a value", row->arg);
			if (row->kind == OPT_STRING)
				*(const char **)row->target = value;
			else
				add(c, row->target, value);
		}
	}
	if (ret_rest)
		*ret_rest = words->n;
	for (i++; i < argc; i++)
		add(c, words, argv[i]);
	if (common.help) {
		print_help(self, rows);
		return -1;
	}
	if (common.no_color)
		c->use_color = false;
	if (host) {
		c->host = host;
		c->host_from = "--host";
	}
	if (project) {
		c->project = project;
		c->project_from = "--project";
	}
	return finish(c, self, &common);
}
