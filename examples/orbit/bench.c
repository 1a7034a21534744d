/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measures one benchmark and tells the samples through benchd's result protocol: one JSON
 * object a line on the descriptor BENCHD_RESULT_FD names, or on stdout when run by hand. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "kepler.h"
#include "wave.h"

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double run_kepler(void)
{
	double sum = 0;

	for (int i = 0; i < 20000; i++)
		sum += kepler_solve(1e-4 * i, 0.6);
	return sum;
}

static double run_wave(void)
{
	static double u[3][2048];
	double *before = u[0], *now = u[1], *next = u[2];

	for (int i = 0; i < 2048; i++)
		before[i] = now[i] = sin(i * 3.14159265358979 / 2047);
	for (int step = 0; step < 4000; step++) {
		double *oldest = before;

		wave_step(next, now, before, 2048, 0.5);
		before = now;
		now = next;
		next = oldest;
	}
	return now[1000];
}

int main(int argc, char **argv)
{
	const char *fd = getenv("BENCHD_RESULT_FD"), *n = getenv("BENCHD_SAMPLES");
	FILE *out = fd ? fdopen(atoi(fd), "w") : stdout;
	int samples = n ? atoi(n) : 5;
	double (*run)(void), check = 0;

	if (argc == 2 && !strcmp(argv[1], "kepler"))
		run = run_kepler;
	else if (argc == 2 && !strcmp(argv[1], "wave"))
		run = run_wave;
	else
		return fputs("usage: bench NAME\n", stderr), 2;
	for (int i = -1; i < samples; i++) {
		double start = now_ns();

		check = run();
		fprintf(out,
			"{\"benchmark\":\"%s\",\"measure\":\"latency\",\"unit\":\"ns\",\"%s\":["
			"%.0f]}\n",
			argv[1], i < 0 ? "warmup" : "samples", now_ns() - start);
	}
	fprintf(out, "{\"metadata\":{\"check\":%.17g}}\n", check);
	return fclose(out) || !isfinite(check);
}
