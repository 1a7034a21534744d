/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/options.h"

#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/log.h"
#include "base/json.h"
#include "worker/tree.h"

static const char usage[] =
	"Usage: benchd-worker [--socket PATH | --run FILE] [options]\n"
	"  --socket PATH     connect to benchd's worker socket, again when it goes away\n"
	"  --run FILE        run one job from a JSON file (- is stdin), messages to stdout\n"
	"  --output FILE     with --run: write the messages there, in place when complete\n"
	"  --state DIR       folder for checkouts, caches and running jobs\n"
	"  --cpus LIST       measure on these cpus, such as 1 or 2-3\n"
	"  --slots N         jobs of slot shared at a time\n"
	"  --cache SIZE      limit of cached checkouts and builds (default 4Gi)\n"
	"  --job-user NAME   run everything foreign as this user (needs root)\n"
	"  --no-cgroup       do not use cgroups\n"
	"  --root DIR        folder that plays / for the facts about this machine (for tests)\n"
	"  --fingerprint     print this machine's environment as JSON and exit\n"
	"  --verbose, --version, --help\n"
	"Without --socket and --run the link is the descriptor in BENCHD_LINK_FD.\n";

enum {
	O_SOCKET = 256,
	O_RUN,
	O_OUTPUT,
	O_STATE,
	O_CPUS,
	O_SLOTS,
	O_CACHE,
	O_USER,
	O_NO_CGROUP,
	O_ROOT,
	O_FINGERPRINT,
	O_VERBOSE,
	O_VERSION,
	O_HELP
};

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, O_SOCKET },
	{ "run", required_argument, NULL, O_RUN },
	{ "output", required_argument, NULL, O_OUTPUT },
	{ "state", required_argument, NULL, O_STATE },
	{ "cpus", required_argument, NULL, O_CPUS },
	{ "slots", required_argument, NULL, O_SLOTS },
	{ "cache", required_argument, NULL, O_CACHE },
	{ "job-user", required_argument, NULL, O_USER },
	{ "no-cgroup", no_argument, NULL, O_NO_CGROUP },
	{ "root", required_argument, NULL, O_ROOT },
	{ "fingerprint", no_argument, NULL, O_FINGERPRINT },
	{ "verbose", no_argument, NULL, O_VERBOSE },
	{ "version", no_argument, NULL, O_VERSION },
	{ "help", no_argument, NULL, O_HELP },
	{ 0 },
};

void options_die(const struct error *err)
{
	log_error("%s", err->text);
	exit(OPTIONS_WRONG);
}

void options_complain(void)
{
	fputs(usage, stderr);
	exit(OPTIONS_WRONG);
}

static int64_t parse_slots(const char *text)
{
	char *end;
	long v = strtol(text, &end, 10);
	struct error err;

	if (end == text || *end || v < 0 || v > 63) {
		error_set(&err, E_BAD_REQUEST, "--slots must be 0 to 63, not '%.40s'", text);
		options_die(&err);
	}
	return v;
}

static int64_t parse_size(const char *text)
{
	struct error err;
	int64_t v;

	if (bytes_parse(text, &v, &err) < 0)
		options_die(&err);
	return v;
}

static void take_option(struct options *o, int c)
{
	switch (c) {
	case O_SOCKET:
		o->socket = optarg;
		break;
	case O_RUN:
		o->run = optarg;
		break;
	case O_OUTPUT:
		o->output = optarg;
		break;
	case O_STATE:
		o->state = optarg;
		break;
	case O_CPUS:
		o->cpus = optarg;
		break;
	case O_SLOTS:
		o->shared_slots = parse_slots(optarg);
		break;
	case O_CACHE:
		o->cache_bytes = parse_size(optarg);
		break;
	case O_USER:
		o->job_user = optarg;
		break;
	case O_NO_CGROUP:
		o->no_cgroup = true;
		break;
	case O_ROOT:
		tree_use(optarg);
		break;
	case O_FINGERPRINT:
		o->prints_fingerprint = true;
		break;
	case O_VERBOSE:
		log_init("benchd-worker", LOG_DEBUGGING);
		break;
	case O_VERSION:
		puts("benchd-worker " PACKAGE_VERSION);
		exit(0);
	case O_HELP:
		fputs(usage, stdout);
		exit(0);
	default:
		options_complain();
	}
}

void options_read(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		take_option(o, c);
	if (optind < argc || (o->socket && o->run) || (o->output && !o->run)) {
		options_complain();
	}
}
