/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers for people: scaled to a sensible unit, four digits. Machines get raw values. */
#include "daemon/render/render.h"

#include <math.h>
#include <string.h>

struct scale {
	double factor;	    /* of the unit as stored */
	const char *symbol; /* printed behind the number, with its space */
};

static double duration_in_ns(const char *symbol)
{
	static const struct {
		const char *name;
		double ns;
	} table[] = { { "ps", 1e-3 }, { "ns", 1 }, { "us", 1e3 }, { "µs", 1e3 }, { "μs", 1e3 },
		{ "ms", 1e6 }, { "s", 1e9 } };

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(symbol, table[i].name))
			return table[i].ns;
	return 0;
}

static struct scale scale_steps(
	double magnitude, double unit, const char *const *names, double step)
{
	struct scale s = { 1, names[0] };
	double limit = step;

	for (size_t i = 1; names[i] && fabs(magnitude * unit) >= limit; i++, limit *= step)
		s = (struct scale){ unit / limit, names[i] };
	if (s.symbol == names[0])
		s.factor = unit;
	return s;
}

static const char *last_word(const char *symbol)
{
	const char *space = strrchr(symbol, ' ');

	return space ? space + 1 : symbol;
}

/* text holds the symbol while the scale is used. */
static struct scale scale_of(double magnitude, const char *units, char text[VALUE_TEXT])
{
	static const char *const durations[] = { "ns", "us", "ms", "s", NULL };
	static const char *const sizes[] = { "B", "KiB", "MiB", "GiB", "TiB", NULL };
	static const char *const prefixes[] = { "", "k", "M", "G", "T", NULL };
	char symbol[UNITS_TEXT];
	double ns = duration_in_ns(units_symbol(units, symbol));
	struct scale s = { 1, text };

	if (ns > 0)
		return scale_steps(magnitude, ns, durations, 1e3);
	if (!strcmp(symbol, "B"))
		return scale_steps(magnitude, 1, sizes, 1024);
	if (!strcmp(symbol, "1") || !*symbol || !strcmp(symbol, "%")) {
		snprintf(text, VALUE_TEXT, "%s", *symbol == '1' ? "" : symbol);
		return s;
	}
	s = scale_steps(magnitude, 1, prefixes, 1e3);
	/* A unit that already has its prefix ("GB/s", "MiB", "source Mcells/s") keeps it alone.
	 */
	if (strchr("kMGT", *last_word(symbol)) && strpbrk(symbol, "/B"))
		s = (struct scale){ 1, "" };
	/* "3.1 Gops/s" and "3.1 GHz", but "123.5 k instructions". */
	snprintf(text, VALUE_TEXT, "%s%s%.30s", s.symbol,
		*s.symbol && !strchr(symbol, '/') && strlen(symbol) > 3 ? " " : "", symbol);
	s.symbol = text;
	return s;
}

static void print_number(char *out, size_t n, double v)
{
	double a = fabs(v);

	if (a >= 1e4 && a < 1e15)
		snprintf(out, n, "%.0f", v);
	else
		snprintf(out, n, "%.4g", v);
}

const char *value_format(double v, const char *units, char out[VALUE_TEXT])
{
	char text[VALUE_TEXT], number[32];
	struct scale s;

	if (!isfinite(v)) {
		snprintf(out, VALUE_TEXT, "-");
		return out;
	}
	s = scale_of(v, units, text);
	print_number(number, sizeof(number), v * s.factor);
	snprintf(out, VALUE_TEXT, "%.24s%s%.30s", number, *s.symbol ? " " : "", s.symbol);
	return out;
}

const char *interval_format(double low, double high, const char *units, char out[VALUE_TEXT])
{
	char text[VALUE_TEXT], a[32], b[32];
	struct scale s;

	out[0] = 0;
	if (!isfinite(low) || !isfinite(high))
		return out;
	s = scale_of(fmax(fabs(low), fabs(high)), units, text);
	print_number(a, sizeof(a), low * s.factor);
	print_number(b, sizeof(b), high * s.factor);
	snprintf(
		out, VALUE_TEXT, "[%.16s, %.16s]%s%.24s", a, b, *s.symbol ? " " : "", s.symbol);
	return out;
}

/* Decimals that show about three digits of a change. */
static int decimals(double percent)
{
	double a = fabs(percent);

	return a < 1 ? 2 : a < 100 ? 1 : 0;
}

const char *percent_format(double v, char out[VALUE_TEXT])
{
	if (isfinite(v))
		snprintf(out, VALUE_TEXT, "%+.*f %%", decimals(v * 100), v * 100);
	else
		snprintf(out, VALUE_TEXT, "-");
	return out;
}

const char *share_in_words(double v, struct arena *a)
{
	return fabs(v) < 0.995 ? arena_printf(a, "%.2g %%", v * 100)
			       : arena_printf(a, "%.0f %%", v * 100);
}

const char *change_format(double effect, double low, double high, char out[VALUE_TEXT])
{
	char text[VALUE_TEXT];
	int d = decimals(effect * 100);

	percent_format(effect, text);
	if (isfinite(effect) && isfinite(low) && isfinite(high))
		snprintf(out, VALUE_TEXT, "%.20s [%.*f, %.*f]", text, d, low * 100, d,
			high * 100);
	else
		snprintf(out, VALUE_TEXT, "%s", text);
	return out;
}
