/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl run: upload the output of a benchmark that runs here. Bencher's vocabulary. */
#include "client/run.h"

#include <errno.h>
#include <string.h>

int64_t run_number(const struct run *r, const char *option, const char *text, int64_t min,
	int64_t max, int *ret_code)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno || end == text || *end || v < min || v > max)
		*ret_code = usage_error(r->self,
			"--%s takes a whole number from %lld to %lld, not '%s'", option,
			(long long)min, (long long)max, text);
	return v;
}

/* The words behind "--" as an argument vector; one word before it is a line for the shell, as
 * Bencher's client takes it. NULL when there are none. */
static const char *const *command_of(
	struct client *c, const struct string_list *words, size_t rest)
{
	const char **argv;

	if (rest == 1 && words->n == 1) {
		argv = ARENA_ARRAY(c->arena, const char *, 4);
		argv[0] = "/bin/sh";
		argv[1] = "-c";
		argv[2] = words->items[0];
		return argv;
	}
	if (rest >= words->n)
		return NULL;
	argv = ARENA_ARRAY(c->arena, const char *, words->n - rest + 1);
	for (size_t i = rest; i < words->n; i++)
		argv[i - rest] = words->items[i];
	return argv;
}

static int upload(struct run *r, const char *const *argv)
{
	json_t *body;
	int code = run_collect(r, argv);

	if (code == EXIT_OK)
		code = run_body(r, &body);
	if (code != EXIT_OK)
		return code;
	if (!r->dry_run)
		return run_send(r, body);
	json_dumpf(body, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
	putchar('\n');
	return EXIT_OK;
}

static int check(const struct run *r, const struct string_list *words, size_t rest)
{
	bool is_command = words->n > 0;

	if (rest > 0 && words->n > 1)
		return usage_error(r->self,
			"'%s': write a command of several words behind --, or as one word for "
			"the shell",
			words->items[0]);
	if (r->build_time && !is_command)
		return usage_error(r->self, "--build-time needs a command behind --");
	if (r->iter && !is_command)
		return usage_error(r->self, "--iter needs a command behind --");
	if (r->resend && is_command)
		return usage_error(r->self, "--resend sends what is kept; it takes no command");
	return EXIT_OK;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	struct run r = { .c = c, .self = self };
	const struct option_row rows[] = {
		{ "branch", 'b', "NAME", "branch (default: git's, else main)", OPT_STRING,
			&r.branch },
		{ "hash", 0, "HASH", "commit (default: git's HEAD)", OPT_STRING, &r.hash },
		{ "start-point", 0, "BRANCH", "branch that a new branch goes on from",
			OPT_STRING, &r.start_point },
		{ "start-point-hash", 0, "HASH", "a commit of it (default: its newest)",
			OPT_STRING, &r.start_point_hash },
		{ "start-point-max-versions", 0, "N", "versions of it that count (255)",
			OPT_STRING, &r.start_point_max_versions },
		{ "start-point-clone-thresholds", 0, NULL, "take over its thresholds", OPT_FLAG,
			&r.start_point_clone_thresholds },
		{ "start-point-reset", 0, NULL, "always begin the branch anew", OPT_FLAG,
			&r.start_point_reset },
		{ "testbed", 0, "NAME", "where it ran (default: this host's name)", OPT_STRING,
			&r.testbed },
		{ "adapter", 0, "NAME", "magic, json, cpp_google, python_pytest, ...",
			OPT_STRING, &r.adapter },
		{ "average", 0, "WORD", "mean or median, where the tool has both", OPT_STRING,
			&r.average },
		{ "file", 0, "FILE", "read results from here (repeatable)", OPT_LIST,
			&r.files },
		{ "file-size", 0, "FILE", "its size is the result (repeatable)", OPT_LIST,
			&r.file_sizes },
		{ "build-time", 0, NULL, "the command's time is the result", OPT_FLAG,
			&r.build_time },
		{ "iter", 0, "N", "run the command N times", OPT_STRING, &r.iter },
		{ "fold", 0, "WORD", "min, max, mean or median over the iterations", OPT_STRING,
			&r.fold },
		{ "allow-failure", 0, NULL, "upload even when the command fails", OPT_FLAG,
			&r.allow_failure },
		{ "backdate", 0, "TIME", "when it ran: seconds since 1970 or RFC 3339",
			OPT_STRING, &r.backdate },
		{ "threshold-measure", 0, "M", "measure of a threshold (repeatable)", OPT_LIST,
			&r.measures },
		{ "threshold-test", 0, "T", "percentage, z_score, t_test, log_normal, ...",
			OPT_LIST, &r.tests },
		{ "threshold-min-sample-size", 0, "N", "fewer: no limits; _ for none", OPT_LIST,
			&r.min_sample_sizes },
		{ "threshold-max-sample-size", 0, "N", "newest values used; _ for all",
			OPT_LIST, &r.max_sample_sizes },
		{ "threshold-window", 0, "S", "not older than; seconds; _ for none", OPT_LIST,
			&r.windows },
		{ "threshold-lower-boundary", 0, "X", "of the test; _ for none", OPT_LIST,
			&r.lower_boundaries },
		{ "threshold-upper-boundary", 0, "X", "of the test; _ for none", OPT_LIST,
			&r.upper_boundaries },
		{ "thresholds-reset", 0, NULL, "no others for this branch and testbed",
			OPT_FLAG, &r.thresholds_reset },
		{ "err", 0, NULL, "exit 3 when there is an alert", OPT_FLAG, &r.err },
		{ "error-on-alert", 0, NULL, "the same", OPT_FLAG, &r.err },
		{ "dry-run", 0, NULL, "print the request, send nothing", OPT_FLAG, &r.dry_run },
		{ "idempotency-key", 0, "UUID", "the same one stores once (default: new)",
			OPT_STRING, &r.key },
		{ "attempts", 0, "N", "tries while the daemon is down (10)", OPT_STRING,
			&r.attempts },
		{ "resend", 0, NULL, "send what earlier runs had to keep", OPT_FLAG,
			&r.resend },
		{ 0 },
	};
	struct string_list words;
	size_t rest;
	int code = args_parse(c, self, rows, argc, argv, &words, &rest);

	if (code == EXIT_OK)
		code = check(&r, &words, rest);
	if (code != EXIT_OK)
		return code;
	return r.resend ? run_resend(&r) : upload(&r, command_of(c, &words, rest));
}

const struct command command_run = { "run", "[OPTION...] [-- COMMAND...]",
	"upload the output of a benchmark that runs here",
	"  benchctl run --adapter json --iter 3 --fold median -- ./bench --json\n"
	"  pytest --benchmark-json out.json; benchctl run --adapter python_pytest --file "
	"out.json\n"
	"  cargo bench | benchctl run --err --threshold-measure latency --threshold-test \\\n"
	"      t_test --threshold-max-sample-size 64 --threshold-upper-boundary 0.99\n"
	"  benchctl run --build-time --file-size ./prog -- make prog\n"
	"Results are kept on disk until the daemon has them. Exit codes: 3 alert (--err),\n"
	"5 the command failed, 6 not permitted, 7 daemon unreachable (results are kept).\n",
	run };
