/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options as numbers, and printing, for the parts of benchctl analyze. */
#include "client/analyze.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/text.h"

/* --- options --- */

bool analyze_number(struct analysis *r, const char *option, const char *text, double *ret)
{
	char *end;
	double v;

	if (!text)
		return true;
	v = strtod(text, &end);
	if (!*text || *end || !isfinite(v)) {
		usage_error(r->self, "--%s takes a finite number, not '%s'", option, text);
		return false;
	}
	*ret = v;
	return true;
}

bool analyze_count(struct analysis *r, const char *option, const char *text, size_t *ret)
{
	double v = -1;

	if (!text)
		return true;
	if (!analyze_number(r, option, text, &v))
		return false;
	if (v < 0 || v > 1e9 || v != floor(v)) {
		usage_error(r->self, "--%s takes a whole number from 0 to 1000000000, not '%s'",
			option, text);
		return false;
	}
	*ret = (size_t)v;
	return true;
}

bool analyze_choice(struct analysis *r, const char *option, const char *text,
	const char *const *names, int *ret)
{
	struct buf all = { 0 };

	if (!text)
		return true;
	for (int i = 0; names[i]; i++) {
		if (strcmp(names[i], text) == 0) {
			*ret = i;
			buf_done(&all);
			return true;
		}
		buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
	}
	usage_error(r->self, "--%s takes one of %s, not '%s'", option, buf_str(&all), text);
	buf_done(&all);
	return false;
}

const char *const analyze_directions[] = { "worse", "better", "both", NULL };
const char *const analyze_betters[] = { "lower", "higher", NULL };

/* --- printing --- */

const char *analyze_show(struct analysis *r, double v)
{
	return isfinite(v) ? arena_printf(r->c->arena, "%.6g", v) : "-";
}

const char *analyze_percent(struct analysis *r, double v)
{
	return isfinite(v) ? arena_printf(r->c->arena, "%+.2f %%", 100 * v) : "-";
}

void analyze_print_json(json_t *j)
{
	char *text = json_text(j);

	puts(text);
	free(text);
	json_decref(j);
}

static enum table_style style_of(const struct client *c)
{
	return c->output == OUT_MARKDOWN ? TABLE_MARKDOWN
	       : c->output == OUT_CSV	 ? TABLE_CSV
					 : TABLE_TEXT;
}

void analyze_print_table(struct analysis *r, const struct table *t)
{
	struct buf b = { 0 };

	table_format(t, style_of(r->c), &b);
	fputs(buf_str(&b), stdout);
	buf_done(&b);
}

int analyze_failed(struct analysis *r)
{
	return complain(r->c, &r->err);
}

json_t *analyze_pair(double lower, double upper)
{
	json_t *j = json_array();

	json_array_append_new(j, json_real(lower));
	json_array_append_new(j, json_real(upper));
	return j;
}

const char *analyze_effect(struct analysis *r, double v, bool absolute)
{
	return absolute ? analyze_show(r, v) : analyze_percent(r, v);
}

/* --- two arms --- */

int analyze_read_arms(struct analysis *r, struct values *base, struct values *head)
{
	const struct analyze_options *o = &r->o;

	if (!o->base || !o->head)
		return usage_error(
			r->self, "two arms are compared: --base FILE and --head FILE");
	if (values_read(r->c->arena, o->base, o->column, base, &r->err) != OK ||
		values_read(r->c->arena, o->head, o->column, head, &r->err) != OK)
		return analyze_failed(r);
	return EXIT_OK;
}
