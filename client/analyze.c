/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl analyze: change points, thresholds and comparisons on numbers from files. */
#include "client/analyze.h"

/* The command runs once a process: its options live here. */
static struct analyze_options given;

static const struct option_row rows[] = {
	{ "detector", 'd', "NAME", "find change points in FILE", OPT_STRING, &given.detector },
	{ "threshold", 't', "NAME", "judge --value against --history", OPT_STRING,
		&given.threshold },
	{ "compare", 0, "KIND", "paired or unpaired process values", OPT_STRING,
		&given.compare },
	{ "history", 0, "FILE", "values of the past, oldest first", OPT_STRING,
		&given.history },
	{ "newest-first", 0, NULL, "the history is newest first", OPT_FLAG,
		&given.newest_first },
	{ "value", 0, "X", "the value to judge", OPT_STRING, &given.value },
	{ "base", 0, "FILE", "process values of the base", OPT_STRING, &given.base },
	{ "head", 0, "FILE", "process values of the head", OPT_STRING, &given.head },
	{ "column", 0, "NAME", "CSV column or JSON member (value), or 1, 2, ...", OPT_STRING,
		&given.column },
	{ "better", 0, "WHICH", "lower (default) or higher", OPT_STRING, &given.better },
	{ "direction", 0, "WHICH", "worse (default), better or both", OPT_STRING,
		&given.direction },
	{ "alpha", 0, "P", "level of a test or detector", OPT_STRING, &given.alpha },
	{ "min-effect", 0, "F", "least relative effect (0.02 = 2 %)", OPT_STRING,
		&given.min_effect },
	{ "lower-boundary", 0, "B", "Bencher's seven: lower boundary", OPT_STRING,
		&given.lower },
	{ "upper-boundary", 0, "B", "Bencher's seven: upper boundary", OPT_STRING,
		&given.upper },
	{ "min-sample-size", 0, "N", "fewer values: unknown", OPT_STRING, &given.min_sample },
	{ "max-sample-size", 0, "N", "newest values used", OPT_STRING, &given.max_sample },
	{ "df", 0, "NU", "log_t: degrees of freedom", OPT_STRING, &given.df },
	{ "zero-variance-exact", 0, NULL, "no variance: any change alerts", OPT_FLAG,
		&given.zero_variance_exact },
	{ "lower-is-quantile", 0, NULL, "log_normal: true lower quantile", OPT_FLAG,
		&given.lower_is_quantile },
	{ "history-rule", 0, NULL, "detector as in the daemon's alert rule", OPT_FLAG,
		&given.history_rule },
	{ "newest", 0, "N", "detector: newest points only", OPT_STRING, &given.newest },
	{ "min-points", 0, "N", "detector: fewer points, no change", OPT_STRING,
		&given.min_points },
	{ "min-segment", 0, "N", "detector: least points of a segment", OPT_STRING,
		&given.min_segment },
	{ "penalty", 0, "F", "pelt_*, potts_l1: factor of ln n", OPT_STRING, &given.penalty },
	{ "window", 0, "N", "e_divisive: window", OPT_STRING, &given.window },
	{ "p", 0, "P", "e_divisive: level of its t-test", OPT_STRING, &given.p },
	{ "magnitude", 0, "F", "e_divisive: least magnitude", OPT_STRING, &given.magnitude },
	{ "jitter", 0, "F", "seeded_mw: relative jitter against ties", OPT_STRING,
		&given.jitter },
	{ "seed", 0, "N", "of the jitter (1)", OPT_STRING, &given.seed },
	{ 0 },
};

static int dispatch(struct analysis *r, const struct string_list *words)
{
	const struct analyze_options *o = &r->o;
	int modes = (o->detector != NULL) + (o->threshold != NULL) + (o->compare != NULL);

	if (modes != 1)
		return usage_error(r->self,
			"give one of --detector NAME, --threshold NAME, --compare KIND");
	if (o->detector && words->n != 1)
		return usage_error(r->self, "--detector needs one FILE ('-' = standard input)");
	if (!o->detector && words->n != 0)
		return usage_error(r->self, "'%s' is one word too many", words->items[0]);
	if (o->detector)
		return analyze_detect(r, words->items[0]);
	return o->threshold ? analyze_judge(r) : analyze_compare(r);
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	struct analysis r = { .c = c, .self = self };
	struct string_list words;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	r.o = given;
	r.tails = mw_tails_new();
	code = dispatch(&r, &words);
	mw_tails_free(r.tails);
	return code;
}

const struct command command_analyze = { "analyze",
	"--detector NAME FILE | --threshold NAME ...",
	"change points, thresholds and comparisons on numbers from files",
	"  benchctl analyze --detector seeded_mw --json history.csv\n"
	"  benchctl analyze --threshold log_t --history history.csv --value 106\n"
	"  benchctl analyze --threshold t_test --upper-boundary 0.99 --history h.csv --value "
	"9\n"
	"  benchctl analyze --compare paired --base base.txt --head head.txt\n\n"
	"Detectors: seeded_mw (default of alerts), pelt_mbic, pelt_trend, potts_l1, "
	"e_divisive,\n"
	"with one fixed setting each, no floor and no jitter unless asked for. Thresholds: "
	"static,\n"
	"percentage, z_score, t_test, log_normal, iqr, delta_iqr (as Bencher's; without a "
	"boundary\n"
	".1, .99 or 3 on both sides), log_t, exact, cpd, and for two files of process\n"
	"values, or a history and a value, ab_log_t and mann_whitney. A FILE is one\n"
	"number a line, CSV with a column 'value', a JSON array, or\n"
	"'-'. A change point is the index (from 0) of the first value of a new segment.\n"
	"No daemon is asked. Exit codes: 0, 1 failure, 2 usage, 3 slower, 4 unknown.\n",
	run };
