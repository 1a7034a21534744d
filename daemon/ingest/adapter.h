/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adapters: the output of a tool that already ran -> results. One file an adapter, one table of
 * them (adapter.c). Pure functions, any thread; everything comes from the arena.
 *
 * The value and bounds of a result are what Bencher's adapter of the same name would store
 * (v0.6.12), so that series, boundaries and alerts agree; raw values become samples beside it.
 */
#ifndef DAEMON_INGEST_ADAPTER_H
#define DAEMON_INGEST_ADAPTER_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/model/model.h"

enum { ADAPTER_MAX_RESULTS = 20000, ADAPTER_MAX_SAMPLES = 1000000 };

enum average { AVERAGE_NONE, AVERAGE_MEAN, AVERAGE_MEDIAN };
enum fold { FOLD_NONE, FOLD_MIN, FOLD_MAX, FOLD_MEAN, FOLD_MEDIAN };

struct tool_result {
	const char *benchmark, *measure; /* NameIds: a slug finds by slug */
	bool is_named;			 /* benchmark is a name, never a slug (tool adapters) */
	bool is_ignored;    /* the name ended in _bencher_ignore or the like: no alerts */
	const char *unit;   /* for a measure that is new; NULL: the built-in one */
	enum better better; /* likewise */
	double value, lower, upper; /* NAN = absent */
	double *samples;	    /* raw values in the unit of value; NULL */
	size_t n_samples;
	json_t *parameters; /* object, or NULL; owned by the arena */
};
struct tool_output {
	const char *adapter; /* the one that read it */
	struct tool_result *items;
	size_t n, cap;
	size_t n_skipped;    /* entries that were no benchmark, errors, or over a limit */
	const char *skipped; /* why the first of them was skipped; NULL */
	struct arena *arena;
};

/* Read one entry of results[]. adapter is a Bencher name; "magic" and language names try all
 * that fit, the first that gives at least one result wins. E_BAD_REQUEST when nothing can read
 * it. */
int adapter_read(const char *adapter, const char *text, size_t n, enum average average,
	struct arena *a, struct tool_output *ret, struct error *err) must_check;
bool adapter_is_known(const char *adapter);
/* The name a report has: itself for one tool, "magic" for magic and languages. */
const char *adapter_stored_name(const char *adapter);
extern const char *const adapter_names[]; /* NULL-terminated, for error messages */

/* What stands twice in one entry: of a tool it is repetitions, which become samples of one
 * result (value: their mean, or median when asked for none or the median; bounds: least and
 * most); in BMF the later one wins. */
void adapter_merge(struct tool_output *entry, enum average average);
/* Fold several entries into one, per benchmark and measure (Bencher's rules). */
void adapter_fold(const struct tool_output *entries, size_t n, enum fold fold, struct arena *a,
	struct tool_output *ret);

/* --- for the adapter files --- */
struct adapter {
	const char *name;
	/* OK with results; E_BAD_REQUEST (err says why) when this is not the tool's output. */
	int (*read)(const char *text, size_t n, enum average average, struct tool_output *out,
		struct error *err);
};
extern const struct adapter adapter_bmf, adapter_pytest, adapter_google, adapter_hyperfine,
	adapter_rust_bench, adapter_rust_criterion, adapter_rust_iai, adapter_gungraun_stdout,
	adapter_gungraun_json, adapter_go_bench, adapter_js_benchmark, adapter_js_time,
	adapter_js_timer, adapter_vitest, adapter_asv, adapter_ruby, adapter_dart, adapter_jmh,
	adapter_dot_net, adapter_catch2;

/* A new result at the end of out, zeroed with NAN values; NULL when there are too many. */
struct tool_result *tool_output_add(
	struct tool_output *out, const char *benchmark, const char *measure);
void tool_output_skip(struct tool_output *out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Parse as JSON object; E_BAD_REQUEST otherwise. Owned by out's arena. */
int tool_json(const char *text, size_t n, struct tool_output *out, json_t **ret,
	struct error *err) must_check;
/* A member that is a string without NUL; NULL otherwise. */
const char *tool_string(const json_t *o, const char *key);
/* Finite numbers of a JSON array times scale, into the arena; what is no number is dropped. */
double *tool_numbers(struct tool_output *out, const json_t *array, double scale, size_t *ret_n);
/* Mean, or for the other averages the median. */
double tool_centre(struct arena *a, const double *x, size_t n, enum average average);
/* Nanoseconds of one "ps", "ns", "us", "µs", "ms", "s"; 0 when unknown. */
double tool_time_unit(const char *unit);

#endif
