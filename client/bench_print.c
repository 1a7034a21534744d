/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A ranking for the reader of a terminal. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "client/bench.h"

enum { NUMBER = 40, SHOWN_PAIRS = 5 };

/* Four digits: "10.92 ms". */
static const char *time_text(double ns, char out[NUMBER])
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	size_t i = 0;

	for (; i + 1 < ARRAY_SIZE(units) && fabs(ns) >= 999.95; i++)
		ns /= 1e3;
	snprintf(out, NUMBER, "%.*f %s", ns < 9.9995 ? 3 : ns < 99.995 ? 2 : 1, ns, units[i]);
	return out;
}

/* Three digits, one more where a change is small: 1.004, 1.23, 12.3, 123. */
static int decimals(double ratio)
{
	return ratio < 1.095 ? 3 : ratio < 9.995 ? 2 : ratio < 99.95 ? 1 : 0;
}

/* "1.23 [1.20, 1.26]" */
static const char *ratio_text(struct client *c, const struct bench_ratio *r, bool is_inverse)
{
	double at = is_inverse ? 1 / r->ratio : r->ratio;
	double low = is_inverse ? 1 / r->high : r->low;
	double high = is_inverse ? 1 / r->low : r->high;
	int n = decimals(at);

	if (!isfinite(low) || !isfinite(high))
		return arena_printf(c->arena, "%.*f", n, at);
	return arena_printf(c->arena, "%.*f [%.*f, %.*f]", n, at, n, low, n, high);
}

/* 0: nobody looks at a terminal. */
static int width(void)
{
	struct winsize size = { 0 };

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static const char *shortened(struct client *c, const char *text, int room)
{
	size_t n = 0;
	int seen = 0;

	if (room < 8)
		return text;
	/* Bytes that go on a character of UTF-8 are 10xxxxxx. */
	for (; text[n]; n++) {
		if ((text[n] & 0xc0) == 0x80)
			continue;
		if (++seen > room - 3)
			break;
	}
	return text[n] && strlen(text + n) > 3 ? arena_printf(c->arena, "%.*s...", (int)n, text)
					       : text;
}

static const char *plus_minus(struct client *c, const struct bench_result *r)
{
	if (!isfinite(r->low))
		return "-";
	return arena_printf(c->arena, "%.1f %%", (r->high - r->low) / 2 / r->median * 100);
}

static void print_row(struct client *c, const struct bench_result *r)
{
	char median[NUMBER], min[NUMBER], max[NUMBER];
	double least = INFINITY, most = 0;

	for (size_t i = 0; i < r->n; i++) {
		least = fmin(least, r->values[i]);
		most = fmax(most, r->values[i]);
	}
	printf("%10s  %6s  %10s  %10s  %4zu  %s\n", time_text(r->median, median),
		plus_minus(c, r), time_text(least, min), time_text(most, max), r->n,
		shortened(c, r->text, width() - 52));
}

void bench_print(struct client *c, const struct bench_ranking *k, bool by_command)
{
	printf("%10s  %6s  %10s  %10s  %4s  %s\n", "median", "+-", "min", "max", "runs",
		"command");
	for (size_t i = 0; i < k->of->n; i++)
		print_row(c, &k->of->items[by_command ? i : k->order[i]]);
}

/* --- in words --- */

static const char *name_of(const struct bench_ranking *k, size_t i)
{
	return k->of->items[i].text;
}

static size_t count(const struct bench_ranking *k, int is)
{
	size_t n = 0;

	for (size_t i = 0; i < k->of->n; i++)
		n += i != k->reference && (int)k->ratios[i].is == is;
	return n;
}

static void print_those(
	struct client *c, const struct bench_ranking *k, int is, const char *words)
{
	bool is_inverse = is == RATIO_FASTER;

	if (!count(k, is))
		return;
	for (size_t p = 0; p < k->of->n; p++) {
		size_t i = k->order[p];

		if (i != k->reference && (int)k->ratios[i].is == is)
			printf("  %s %s %s\n", ratio_text(c, &k->ratios[i], is_inverse), words,
				name_of(k, i));
	}
}

static bool has_too_few(const struct bench_ranking *k)
{
	for (size_t i = 0; i < k->of->n; i++)
		if (i != k->reference && k->ratios[i].is == RATIO_OPEN &&
			k->ratios[i].n < k->n_needed)
			return true;
	return false;
}

/* Neighbours in the table whose order is not decided, neither of them the reference. */
static void print_open_pairs(struct client *c, const struct bench_ranking *k)
{
	size_t n = 0;

	for (size_t i = 0; i + 1 < k->of->n; i++) {
		size_t a = k->order[i], b = k->order[i + 1];

		if (a == k->reference || b == k->reference || k->steps[i].is != RATIO_OPEN)
			continue;
		if (n++ < SHOWN_PAIRS)
			printf("not decided: %s or %s, %s\n", name_of(k, a), name_of(k, b),
				ratio_text(c, &k->steps[i], false));
	}
	if (n > SHOWN_PAIRS)
		printf("not decided: %zu more pairs of neighbours\n", n - SHOWN_PAIRS);
}

void bench_print_summary(struct client *c, const struct bench_ranking *k)
{
	const char *name = name_of(k, k->reference);

	if (k->of->n < 2)
		return;
	putchar('\n');
	if (count(k, RATIO_SLOWER) + count(k, RATIO_FASTER)) {
		printf("%s ran\n", name);
		print_those(c, k, RATIO_SLOWER, "times faster than");
		print_those(c, k, RATIO_FASTER, "times slower than");
	}
	if (count(k, RATIO_SAME)) {
		printf("within 2 %% of %s:\n", name);
		print_those(c, k, RATIO_SAME, "times as long:");
	}
	if (count(k, RATIO_OPEN)) {
		printf("not decided against %s:\n", name);
		print_those(c, k, RATIO_OPEN, "times as long:");
	}
	if (has_too_few(k))
		printf("(to decide between %zu commands takes %zu runs of each, in rounds that "
		       "none was left out of: -m %zu)\n",
			k->of->n, k->n_needed, k->n_needed + 2);
	print_open_pairs(c, k);
}

/* What a note says, whichever command it is of. */
static const char *said(const char *note)
{
	const char *end = *note == '\'' ? strstr(note, "': ") : NULL;

	return end ? end + 3 : note;
}

/* But for its numbers. */
static bool says_the_same(const char *a, const char *b)
{
	for (a = said(a), b = said(b); *a || *b; a++, b++) {
		a += strspn(a, "0123456789.");
		b += strspn(b, "0123456789.");
		if (*a != *b)
			return false;
		if (!*a)
			break;
	}
	return true;
}

static bool is_first_of_its_kind(const json_t *notes, size_t n)
{
	const char *text = json_string_value(json_array_get(notes, n));

	for (size_t i = 0; i < n; i++)
		if (says_the_same(json_string_value(json_array_get(notes, i)), text))
			return false;
	return true;
}

static size_t count_like(const json_t *notes, const char *text)
{
	const json_t *v;
	size_t n = 0, i;

	json_array_foreach (notes, i, v)
		n += says_the_same(json_string_value(v), text);
	return n;
}

void bench_print_notes(struct client *c, const struct bench_ranking *k)
{
	const json_t *v;
	size_t i;

	json_array_foreach (k->of->notes, i, v)
		if (is_first_of_its_kind(k->of->notes, i)) {
			const char *text = json_string_value(v);
			size_t n = count_like(k->of->notes, text);

			printf("note: %s", text);
			if (n > 1)
				printf("; the same is true of %zu more", n - 1);
			putchar('\n');
		}
	if (k->of->report && !c->quiet)
		printf("report %.8s\n", k->of->report);
}
