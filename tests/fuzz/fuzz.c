/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mutated inputs for everything that reads bytes from outside. TAP, a line a target.
 *
 *   fuzz [--ms N] [--seed N] [--target NAME] [--input FILE]
 *
 * --ms: time for each target (300). --input: read one file, as a crash left it, with --target.
 * An input that crashes, or takes longer than 5 s, is left as fuzz-TARGET.input in the working
 * folder. Build with -fsanitize=address,undefined to see what does not crash by itself. The
 * same seed makes the same inputs in the same order. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/rng.h"

enum { MAX_SEEDS = 128, PATIENCE_S = 5, MAX_STEPS = 8 };

struct input {
	char text[FUZZ_MAX + 1];
	size_t n;
};
static struct input now;		 /* what is being read */
static const struct fuzz_target *target; /* by whom */
static struct input *seeds[MAX_SEEDS];
static size_t n_seeds;
static const char *const words[] = { "null", "true", "-1", "0", "1e999", "-0.0", "NaN",
	"9223372036854775807", "-9223372036854775808", "18446744073709551616", "1e-320", "\"\"",
	"{}", "[]", "\\u0000", "\\ud800", "\xff\xfe", "../", "%s%n", "\r\n", "\"a\":", "ns",
	"[[[[[[[[[[[[[[[[", "{\"a\":{\"a\":{\"a\":", "\t", "- ", ": ", "&a *a", "!!int",
	"\xef\xbb\xbf", "2026-02-30T25:61:61Z", "<script>" };

/* --- what was being read when it went wrong ---------------------------------------------- */

static void leave_input(void)
{
	char name[80];
	int fd;

	snprintf(name, sizeof(name), "fuzz-%s.input", target->name);
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0) {
		(void)!write(fd, now.text, now.n);
		close(fd);
	}
	printf("not ok - %s: see %s (%zu bytes)\n", target->name, name, now.n);
	fflush(stdout);
}

static void on_signal(int sig)
{
	signal(sig, SIG_DFL);
	leave_input();
	raise(sig);
}

#if defined(__SANITIZE_ADDRESS__)
void __sanitizer_set_death_callback(void (*callback)(void));
#endif

static void watch(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM };

#if defined(__SANITIZE_ADDRESS__)
	__sanitizer_set_death_callback(leave_input);
#endif
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], on_signal);
}

/* --- seeds ------------------------------------------------------------------------------- */

static struct input *add_seed(void)
{
	if (n_seeds == MAX_SEEDS)
		return NULL;
	seeds[n_seeds] = calloc(1, sizeof(struct input));
	if (!seeds[n_seeds])
		abort();
	return seeds[n_seeds++];
}

static bool read_file(const char *path, struct input *in)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, in->text, FUZZ_MAX);

	if (fd >= 0)
		close(fd);
	in->n = (size_t)MAX(n, 0);
	in->text[in->n] = 0;
	return n >= 0;
}

static void load_files(const char *source, const char *pattern)
{
	char path[4096];
	glob_t found;

	snprintf(path, sizeof(path), "%s/%s", source, pattern);
	if (glob(path, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++) {
			struct input *in = add_seed();

			if (in)
				(void)read_file(found.gl_pathv[i], in);
		}
	globfree(&found);
}

static void load_seeds(const char *source, const struct fuzz_target *t)
{
	while (n_seeds)
		free(seeds[--n_seeds]);
	if (t->files)
		load_files(source, t->files);
	for (size_t i = 0; i < ARRAY_SIZE(t->texts) && t->texts[i]; i++) {
		struct input *in = add_seed();

		in->n = strlen(t->texts[i]);
		memcpy(in->text, t->texts[i], in->n + 1);
	}
}

/* --- mutation ---------------------------------------------------------------------------- */

static void set_piece(size_t at, size_t cut, const char *piece, size_t n)
{
	size_t tail;

	cut = MIN(cut, now.n - at);
	n = MIN(n, FUZZ_MAX - at);
	tail = MIN(now.n - at - cut, FUZZ_MAX - at - n);
	memmove(now.text + at + n, now.text + at + cut, tail);
	if (n)
		memcpy(now.text + at, piece, n);
	now.n = at + n + tail;
	now.text[now.n] = 0;
}

static void insert_copy(struct rng *rng, const struct input *from)
{
	static char piece[FUZZ_MAX];
	size_t at = rng_below(rng, from->n + 1);
	size_t n = rng_below(rng, MIN(from->n - at, (size_t)256) + 1);

	memcpy(piece, from->text + at, n);
	set_piece(rng_below(rng, now.n + 1), 0, piece, n);
}

static void mutate(struct rng *rng)
{
	size_t at = rng_below(rng, now.n + 1);
	const char *word;

	switch (rng_below(rng, 7)) {
	case 0:
		if (now.n)
			now.text[rng_below(rng, now.n)] ^= (char)(1 << rng_below(rng, 8));
		break;
	case 1:
		if (now.n)
			now.text[rng_below(rng, now.n)] = (char)rng_below(rng, 256);
		break;
	case 2:
		word = words[rng_below(rng, ARRAY_SIZE(words))];
		set_piece(at, rng_below(rng, 12), word, strlen(word));
		break;
	case 3:
		set_piece(at, rng_below(rng, 64), "", 0);
		break;
	case 4:
		insert_copy(rng, &now);
		break;
	case 5:
		insert_copy(rng, seeds[rng_below(rng, n_seeds)]);
		break;
	case 6: /* a number becomes another one */
		at += strcspn(now.text + at, "0123456789");
		word = words[rng_below(rng, 12)];
		if (at < now.n)
			set_piece(at, strspn(now.text + at, "0123456789.eE+-"), word,
				strlen(word));
	}
}

static void make_input(struct rng *rng, int64_t i)
{
	const struct input *seed = seeds[(size_t)i % n_seeds];
	size_t steps = (size_t)i < n_seeds ? 0 : 1 + rng_below(rng, MAX_STEPS);

	memcpy(now.text, seed->text, seed->n + 1);
	now.n = seed->n;
	while (steps--)
		mutate(rng);
}

/* --- runs -------------------------------------------------------------------------------- */

/* A refusal says why: something that fits into JSON, in one line. */
static bool is_told(const struct error *err)
{
	json_t *text = json_string(err->text);
	bool is_text = text && *err->text && !strpbrk(err->text, "\n\r\t\033");

	json_decref(text);
	return is_text;
}

static int read_once(bool *ret_is_told)
{
	struct arena *a = arena_new();
	struct error err = { 0 };
	int r;

	alarm(PATIENCE_S);
	r = target->read(a, now.text, now.n, &err);
	alarm(0);
	*ret_is_told = r == OK || is_told(&err);
	if (!*ret_is_told)
		printf("# refused with '%s'\n", err.text);
	arena_free(a);
	return r;
}

static bool run_target(int number, uint64_t seed, int64_t ms)
{
	int64_t until = clock_monotonic_ns() + ms * NS_PER_MS, i = 0, taken = 0, worst = 0;
	struct rng rng;
	bool is_told_of = true;

	rng_init(&rng, seed);
	for (; is_told_of && (i < (int64_t)n_seeds || clock_monotonic_ns() < until); i++) {
		int64_t start = clock_monotonic_ns();

		make_input(&rng, i);
		taken += read_once(&is_told_of) == OK;
		worst = MAX(worst, clock_monotonic_ns() - start);
	}
	if (!is_told_of)
		leave_input();
	else
		printf("ok %d - %s: %lld inputs, %lld accepted, slowest %.1f ms\n", number,
			target->name, (long long)i, (long long)taken, (double)worst / 1e6);
	fflush(stdout);
	return is_told_of;
}

static int run_one(const char *path)
{
	bool is_told_of;

	if (!read_file(path, &now)) {
		perror(path);
		return 2;
	}
	printf("%s: %s\n", target->name, read_once(&is_told_of) == OK ? "accepted" : "refused");
	return is_told_of ? 0 : 1;
}

static const struct fuzz_target *find(const char *name)
{
	for (size_t i = 0; i < n_fuzz_targets; i++)
		if (!strcmp(fuzz_targets[i].name, name))
			return &fuzz_targets[i];
	fprintf(stderr, "fuzz: no target '%s'\n", name);
	exit(2);
}

static int run_all(const char *source, const char *only, uint64_t seed, int64_t ms)
{
	bool all_well = true;

	printf("1..%zu\n# seed %llu, %lld ms a target\n", only ? (size_t)1 : n_fuzz_targets,
		(unsigned long long)seed, (long long)ms);
	for (size_t i = 0; i < n_fuzz_targets; i++) {
		target = &fuzz_targets[i];
		if (only && strcmp(only, target->name))
			continue;
		load_seeds(source, target);
		all_well &= run_target(only ? 1 : (int)i + 1, seed, ms);
	}
	return all_well ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "ms", required_argument, NULL, 'm' },
		{ "seed", required_argument, NULL, 's' },
		{ "target", required_argument, NULL, 't' },
		{ "input", required_argument, NULL, 'i' }, { 0 } };
	const char *source = getenv("top_srcdir"), *only = NULL, *input = NULL;
	int64_t ms = 300;
	uint64_t seed = 1;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == 'm')
			ms = strtoll(optarg, NULL, 10);
		else if (c == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (c == 't')
			only = find(optarg)->name;
		else if (c == 'i')
			input = optarg;
		else
			return 2;
	}
	watch();
	if (!input)
		return run_all(source ? source : ".", only, seed, ms);
	target = find(only ? only : "json");
	return run_one(input);
}
