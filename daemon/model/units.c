/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Units of measures: "nanoseconds (ns)" or just "ns"; which can be turned into which. */
#include "daemon/model/model.h"

#include <string.h>
#include "base/cleanup.h"

const char *units_symbol(const char *units, char out[UNITS_TEXT])
{
	const char *open = units ? strrchr(units, '(') : NULL;
	size_t n = units ? strlen(units) : 0;

	if (open && units[n - 1] == ')')
		snprintf(out, UNITS_TEXT, "%.*s",
			(int)MIN(n - (size_t)(open - units) - 2, (size_t)UNITS_TEXT - 1),
			open + 1);
	else
		snprintf(out, UNITS_TEXT, "%.*s", UNITS_TEXT - 1, units ? units : "");
	return out;
}

static const struct unit {
	const char *symbol, *kind;
	double factor; /* of the smallest of its kind, so that quotients are exact */
} known[] = {
	{ "ps", "time", 1 },
	{ "ns", "time", 1e3 },
	{ "us", "time", 1e6 },
	{ "µs", "time", 1e6 },
	{ "μs", "time", 1e6 },
	{ "ms", "time", 1e9 },
	{ "s", "time", 1e12 },
	{ "B", "bytes", 1 },
	{ "kB", "bytes", 1e3 },
	{ "KB", "bytes", 1e3 },
	{ "MB", "bytes", 1e6 },
	{ "GB", "bytes", 1e9 },
	{ "KiB", "bytes", 1024 },
	{ "MiB", "bytes", 1048576 },
	{ "GiB", "bytes", 1073741824 },
};

/* "GFLOP/s" is 1e9 "FLOP/s": a prefix and what follows it. */
static double prefix_of(const char *symbol)
{
	static const char prefixes[] = "kMGT";
	const char *p = *symbol ? strchr(prefixes, *symbol) : NULL;
	double factor = 1;

	if (!p || !strchr(symbol, '/') || symbol[1] == '/')
		return 1;
	for (const char *q = prefixes; q <= p; q++)
		factor *= 1e3;
	return factor;
}

static struct unit unit_of(const char *symbol)
{
	double factor;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(known[i].symbol, symbol))
			return known[i];
	factor = prefix_of(symbol);
	return (struct unit){ symbol, factor > 1 ? symbol + 1 : symbol, factor };
}

bool units_factor(const char *from, const char *to, double *ret)
{
	char a[UNITS_TEXT], b[UNITS_TEXT];
	struct unit x = unit_of(units_symbol(from, a)), y = unit_of(units_symbol(to, b));

	if (strcmp(x.kind, y.kind))
		return false;
	*ret = x.factor / y.factor;
	return true;
}
