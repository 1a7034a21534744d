/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchd-kernel: every built-in kernel on every backend, as an ordinary program. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "base/log.h"
#include "kernels/cli.h"
#include "kernels/engine.h"
#include "kernels/report.h"

static const struct command commands[] = {
	{ "list", "[ID...]", "the kernels, their sizes, options and backends", CMD_LIST,
		cmd_list },
	{ "devices", "", "processors and GPUs of this host", CMD_DEVICES, cmd_devices },
	{ "probe", "", "Vulkan devices as one line of JSON, within 10 s", CMD_PROBE,
		cmd_probe },
	{ "run", "ID...", "measure kernels", CMD_RUN, cmd_run },
#ifdef KERNELS_VULKAN
	{ "tune", "ID...", "find the fastest settings of Vulkan backends here", CMD_TUNE,
		cmd_tune },
#endif
	{ "roofline", "[ID...]", "the ceilings of this host, and kernels below them",
		CMD_ROOFLINE, cmd_roofline },
	{ "scaling", "ID", "a kernel on more and more threads", CMD_SCALING, cmd_scaling },
	{ "verify", "ID...|--all", "run each backend once and prove its output", CMD_VERIFY,
		cmd_verify },
	{ "weights", "ID", "of a regridding, as a netCDF file in the names of SCRIP",
		CMD_WEIGHTS, cmd_weights },
};

static const char options_text[] =
	"Kernels are ids, aliases, families or globs: stream.triad, triad, stream, "
	"'regrid.*'.\n"
	"\n"
	"  --size S         HxW, 64Mi, small|medium|large|3km, l1|l2|l3|dram,\n"
	"                   levels = those four, all = small and those four,\n"
	"                   caches = small, l1, l2\n"
	"  --backend B      scalar, simd (default), threads, vulkan; all = those of the CPU;\n"
	"                   where the library is installed: blas (gemm), fftw (fft.c2c)\n"
	"  --dtype T        f32, f64, u32, u64: what the kernel has\n"
	"  --threads N      number or all; means --backend threads\n"
	"  --isa I          base (neon on arm64), sse4.2, avx2, avx512 instead of the best "
	"one\n"
	"  --device D       UUID of a Vulkan device, or cpu for a software one\n"
	"  --variant V      of a Vulkan backend\n"
	"  --cold           on GPUs: fill the caches with other data before each iteration\n"
	"  --validate       run Vulkan under the validation layer\n"
	"  --seed N         of the input (default 42)\n"
	"  --samples N      timed samples (default 10)\n"
	"  --iterations K   repeats inside one sample (default: found by calibration)\n"
	"  --warmup N       least number of discarded samples (default 1)\n"
	"  --min-time T     least length of a sample, such as 1ms (default 10ms)\n"
	"  --no-ceiling     do not measure bandwidth and peak to compare with\n"
	"  --dry-run        say what would be measured, and measure nothing\n"
	"  --json, --csv    instead of a table\n"
	"  --svg            a picture (roofline, scaling)\n"
	"  --weak           scaling: the same work a thread instead of the same work\n"
	"\n"
	"size, backend, dtype and threads take comma lists: each combination is measured.\n"
	"Exit: 0 verified, 64 bad arguments, 65 wrong output, 69 not available here,\n"
	"70 error, 75 stopped by SIGTERM, 76 device lost.\n";

static void print_help(FILE *f)
{
	fputs("benchd-kernel " PACKAGE_VERSION ": measures built-in kernels\n\nUsage:\n", f);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(f, "  benchd-kernel %-9s%-14s %s\n", commands[i].name, commands[i].args,
			commands[i].what);
	fprintf(f, "\n%s", options_text);
}

/* SIGTERM asks the run to stop; one that does not come back within 2 s (a driver may hang) is
 * ended by the alarm. */
static void on_alarm(int sig)
{
	(void)sig;
	_exit(EXIT_STOPPED);
}

static void on_term(int sig)
{
	(void)sig;
	engine_stop = 1;
	alarm(2);
}

static void catch_signals(void)
{
	struct sigaction term = { .sa_handler = on_term }, alrm = { .sa_handler = on_alarm };

	sigaction(SIGTERM, &term, NULL);
	sigaction(SIGALRM, &alrm, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int cli_fail(const struct error *err)
{
	fprintf(stderr, "benchd-kernel: %s\n", err->text);
	protocol_error(err->text);
	return exit_of_error(err);
}

static const struct command *find_command(const char *name, struct error *err)
{
	const char *names[ARRAY_SIZE(commands) + 1] = { NULL };
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
		names[i] = commands[i].name;
	}
	near = nearest_name(name, names);
	if (near)
		error_set(err, E_BAD_REQUEST, "there is no command '%.40s'; did you mean '%s'?",
			name, near);
	else
		error_set(err, E_BAD_REQUEST,
			"there is no command '%.40s'; see 'benchd-kernel help'", name);
	return NULL;
}

static int run_command(int argc, char **argv)
{
	const struct command *command;
	struct error err;
	struct cli c;
	int status;

	if (protocol_open(&err) != OK)
		return cli_fail(&err);
	command = find_command(argv[1], &err);
	if (!command)
		return cli_fail(&err);
	if (cli_parse(&c, command->bit, argc - 2, argv + 2, &err) != OK)
		return cli_fail(&err);
	if (c.help) {
		print_help(stdout);
		return 0;
	}
	status = command->run(&c);
	if (fflush(stdout) != 0 || ferror(stdout))
		return status ? status : EXIT_BROKEN;
	return status;
}

static bool is_word(const char *s, const char *a, const char *b)
{
	return strcmp(s, a) == 0 || strcmp(s, b) == 0;
}

int main(int argc, char **argv)
{
	int status;

	log_init("benchd-kernel", LOG_WARNING);
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (is_word(argv[1], "help", "--help") || strcmp(argv[1], "-h") == 0) {
		print_help(stdout);
		return 0;
	}
	if (is_word(argv[1], "--version", "version")) {
		puts("benchd-kernel " PACKAGE_VERSION);
		return 0;
	}
	catch_signals();
	status = run_command(argc, argv);
	protocol_close(status == 0);
	return status;
}
