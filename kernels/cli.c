/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "kernels/measure.h"

enum kind { TEXT, FLAG, NUMBER, TIME };

enum {
	MEASURE = CMD_RUN | CMD_TUNE | CMD_ROOFLINE | CMD_SCALING,
	CHOOSE = MEASURE | CMD_VERIFY, /* what combines kernels with sizes and so on */
	CHOOSE_BACKEND = CHOOSE & ~(CMD_TUNE | CMD_SCALING),
	CHOOSE_DEVICE = CHOOSE & ~CMD_SCALING,
	GRIDS = CHOOSE | CMD_WEIGHTS,
	EVERY = GRIDS | CMD_LIST | CMD_DEVICES,
};

/* One row an option: how it is written, where it goes, its limits, whose it is. */
static const struct cli_option {
	const char *name;
	enum kind kind;
	size_t offset;
	int64_t min, max;
	unsigned commands;
} options[] = {
	{ "size", TEXT, offsetof(struct cli, sizes), 0, 0, GRIDS },
	{ "backend", TEXT, offsetof(struct cli, backends), 0, 0, CHOOSE_BACKEND },
	{ "dtype", TEXT, offsetof(struct cli, dtypes), 0, 0, CHOOSE },
	{ "threads", TEXT, offsetof(struct cli, threads), 0, 0, CHOOSE & ~CMD_TUNE },
	{ "device", TEXT, offsetof(struct cli, device), 0, 0, CHOOSE_DEVICE },
	{ "isa", TEXT, offsetof(struct cli, isa), 0, 0, CHOOSE & ~CMD_TUNE },
	{ "variant", TEXT, offsetof(struct cli, variant), 0, 0, CHOOSE_DEVICE },
	{ "seed", NUMBER, offsetof(struct cli, seed), 0, INT64_MAX, CHOOSE },
	{ "samples", NUMBER, offsetof(struct cli, samples), 1, MEASURE_SAMPLES_MAX,
		MEASURE & ~CMD_SCALING },
	{ "iterations", NUMBER, offsetof(struct cli, iterations), 0, MEASURE_ITERATIONS_MAX,
		CMD_RUN },
	{ "warmup", NUMBER, offsetof(struct cli, warmup), 1, MEASURE_WARMUP_MAX, CMD_RUN },
	{ "min-time", TIME, offsetof(struct cli, min_time_ns), NS_PER_US, 10 * NS_PER_S,
		MEASURE & ~CMD_TUNE },
	{ "json", FLAG, offsetof(struct cli, json), 0, 0, EVERY & ~CMD_WEIGHTS },
	{ "csv", FLAG, offsetof(struct cli, csv), 0, 0,
		CHOOSE_BACKEND | CMD_SCALING | CMD_LIST },
	{ "svg", FLAG, offsetof(struct cli, svg), 0, 0, CMD_ROOFLINE | CMD_SCALING },
	{ "weak", FLAG, offsetof(struct cli, weak), 0, 0, CMD_SCALING | CMD_RUN | CMD_VERIFY },
	{ "cold", FLAG, offsetof(struct cli, cold), 0, 0, CMD_RUN | CMD_ROOFLINE },
	{ "validate", FLAG, offsetof(struct cli, validate), 0, 0, CMD_RUN | CMD_VERIFY },
	{ "all", FLAG, offsetof(struct cli, all), 0, 0, CMD_VERIFY },
	{ "no-ceiling", FLAG, offsetof(struct cli, no_ceiling), 0, 0, CMD_RUN },
	{ "dry-run", FLAG, offsetof(struct cli, dry_run), 0, 0, CMD_RUN | CMD_VERIFY },
	{ "quiet", FLAG, offsetof(struct cli, quiet), 0, 0, EVERY },
	{ "help", FLAG, offsetof(struct cli, help), 0, 0, EVERY },
};

int exit_of_error(const struct error *err)
{
	switch (err->code) {
	case E_BAD_REQUEST:
	case E_NOT_FOUND:
	case E_UNPROCESSABLE:
		return EXIT_USAGE;
	case E_CONFLICT:
		return EXIT_UNVERIFIED;
	case E_UNAVAILABLE:
	case E_NOT_IMPLEMENTED:
		return EXIT_UNAVAILABLE;
	case E_DEADLINE:
		return EXIT_STOPPED;
	case E_GONE:
		return EXIT_LOST;
	default:
		return EXIT_BROKEN;
	}
}

static int parse_number(
	const struct cli_option *o, const char *v, int64_t *ret, struct error *err)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(v, &end, 10);
	if (end == v || *end || errno || n < o->min || n > o->max)
		return error_set_field(err, E_BAD_REQUEST, o->name,
			"--%s is '%.40s'; it must be a whole number from %lld to %lld", o->name,
			v, (long long)o->min, (long long)o->max);
	*ret = n;
	return OK;
}

static int parse_time(
	const struct cli_option *o, const char *v, int64_t *ret, struct error *err)
{
	int r = duration_parse(v, ret, err);

	if (r != OK)
		return error_prefix(err, "--%s: ", o->name);
	if (*ret < o->min || *ret > o->max)
		return error_set_field(err, E_BAD_REQUEST, o->name,
			"--%s is '%.40s'; it must be from 1us to 10s", o->name, v);
	return OK;
}

static int set_option(
	struct cli *c, const struct cli_option *o, const char *v, struct error *err)
{
	void *target = (char *)c + o->offset;

	switch (o->kind) {
	case FLAG:
		*(bool *)target = true;
		return OK;
	case TEXT:
		*(const char **)target = v;
		return OK;
	case NUMBER:
		return parse_number(o, v, target, err);
	case TIME:
		return parse_time(o, v, target, err);
	}
	return OK;
}

/* Whether any kernel has this option. */
static bool is_kernel_option(const char *name)
{
	for (size_t i = 0; kernel_table[i]; i++)
		for (const struct kernel_option *o = kernel_table[i]->options; o && o->name;
			o++)
			if (strcmp(o->name, name) == 0)
				return true;
	return false;
}

static int unknown_option(const char *name, struct error *err)
{
	const char *names[256];
	const char *near;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		names[n++] = options[i].name;
	for (size_t i = 0; kernel_table[i]; i++)
		for (const struct kernel_option *o = kernel_table[i]->options; o && o->name;
			o++)
			if (n < ARRAY_SIZE(names) - 1)
				names[n++] = o->name;
	names[n] = NULL;
	near = nearest_name(name, names);
	if (near)
		return error_set_field(err, E_BAD_REQUEST, name,
			"there is no option '--%.40s'; did you mean '--%s'?", name, near);
	return error_set_field(err, E_BAD_REQUEST, name,
		"there is no option '--%.40s'; see 'benchd-kernel help'", name);
}

/* An option that this command would not look at. */
static int foreign_option(const char *name, unsigned commands, struct error *err)
{
	static const char *const names[] = { "list", "devices", "run", "tune", "roofline",
		"scaling", "verify", "weights", "probe" };
	char text[96] = "";
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (commands >> i & 1)
			at += (size_t)snprintf(
				text + at, sizeof(text) - at, "%s%s", at ? ", " : "", names[i]);
	return error_set_field(err, E_BAD_REQUEST, name,
		"--%.40s is not for this command; it is for %s", name, text);
}

static int add_extra(struct cli *c, const char *name, const char *value, struct error *err)
{
	if (c->n_extra == CLI_EXTRA)
		return error_set(
			err, E_BAD_REQUEST, "more than %d options of kernels", CLI_EXTRA);
	c->extra[c->n_extra].name = name;
	c->extra[c->n_extra++].value = value;
	return OK;
}

/* argv[*i] is "--name" or "--name=value", cut in two here; the value may be the next word. */
static int parse_option(struct cli *c, enum command_bit command, char **argv, int argc, int *i,
	struct error *err)
{
	char *name = argv[*i] + 2, *equals = strchr(name, '=');
	const char *value = equals ? equals + 1 : NULL;
	const struct cli_option *o = NULL;

	if (equals)
		*equals = 0;
	for (size_t k = 0; k < ARRAY_SIZE(options); k++)
		if (strcmp(options[k].name, name) == 0)
			o = &options[k];
	if (!o && !is_kernel_option(name))
		return unknown_option(name, err);
	if (!(command & (o ? o->commands : GRIDS)))
		return foreign_option(name, o ? o->commands : GRIDS, err);
	if (o && o->kind == FLAG && value)
		return error_set_field(err, E_BAD_REQUEST, name, "--%s takes no value", name);
	if (!value && (!o || o->kind != FLAG)) {
		if (*i + 1 >= argc)
			return error_set_field(
				err, E_BAD_REQUEST, name, "--%s needs a value", name);
		value = argv[++*i];
	}
	return o ? set_option(c, o, value, err) : add_extra(c, name, value, err);
}

int cli_parse(struct cli *c, enum command_bit command, int argc, char **argv, struct error *err)
{
	*c = (struct cli){ .seed = -1, .samples = -1, .iterations = -1, .warmup = -1 };
	for (int i = 0; i < argc; i++) {
		int r = OK;

		if (strcmp(argv[i], "-h") == 0)
			c->help = true;
		else if (strncmp(argv[i], "--", 2) == 0 && argv[i][2])
			r = parse_option(c, command, argv, argc, &i, err);
		else if (argv[i][0] == '-')
			r = error_set(err, E_BAD_REQUEST,
				"there is no option '%.40s'; see 'benchd-kernel help'",
				argv[i]);
		else if (c->n_words == CLI_SELECTED)
			r = error_set(err, E_BAD_REQUEST, "more than %d kernels", CLI_SELECTED);
		else
			c->words[c->n_words++] = argv[i];
		if (r != OK)
			return r;
	}
	if (c->json + c->csv + c->svg > 1)
		return error_set(
			err, E_BAD_REQUEST, "--json, --csv and --svg exclude each other");
	return OK;
}
