/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/energy.h"

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "worker/tree.h"

#define MOST_WATTS 1e3 /* of one package */

static int64_t read_number(int fd)
{
	char text[32];
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);

	text[MAX(n, 0)] = 0;
	return n > 0 ? strtoll(text, NULL, 10) : -1;
}

static int open_beside(const char *domain, const char *what)
{
	char path[TREE_PATH];

	snprintf(path, sizeof(path), "%.400s/%s", domain, what);
	return tree_open(path);
}

static bool is_package(const char *domain)
{
	char name[32] = "";
	int fd = open_beside(domain, "name");
	ssize_t n = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);

	if (fd >= 0)
		close(fd);
	return n > 0 && !strncmp(name, "package", 7);
}

static bool add_package(struct energy *e, const char *domain)
{
	int fd = open_beside(domain, "max_energy_range_uj");
	int64_t range = read_number(fd);

	if (fd >= 0)
		close(fd);
	fd = open_beside(domain, "energy_uj");
	if (read_number(fd) < 0 || range <= 0 || e->n == ENERGY_MAX) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	e->fd[e->n] = fd;
	e->range_uj[e->n++] = range;
	return true;
}

void energy_open(struct energy *e)
{
	char pattern[TREE_PATH];
	int n_packages = 0, n_open = 0;
	size_t skip;
	glob_t g;

	*e = (struct energy){ .status = "unavailable" };
	skip = strlen(tree_path("", pattern));
	if (glob(tree_path("/sys/class/powercap/intel-rapl:[0-9]*", pattern), 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++)
			if (is_package(g.gl_pathv[i] + skip)) {
				n_packages++;
				n_open += add_package(e, g.gl_pathv[i] + skip);
			}
	globfree(&g);
	if (n_packages && !n_open)
		e->status = "forbidden";
	else if (n_packages)
		e->status = n_open == n_packages ? "readable" : "partial";
	/* A part of the machine is no figure of it. */
	while (n_open < n_packages && e->n > 0)
		close(e->fd[--e->n]);
}

void energy_read(const struct energy *e, int64_t ret[ENERGY_MAX])
{
	for (int i = 0; i < e->n; i++)
		ret[i] = read_number(e->fd[i]);
}

int64_t energy_spent_uj(const struct energy *e, const int64_t before[ENERGY_MAX],
	const int64_t after[ENERGY_MAX], int64_t window_ns)
{
	int64_t sum = e->n ? 0 : -1;

	for (int i = 0; i < e->n; i++) {
		int64_t spent = after[i] - before[i];

		if (before[i] < 0 || after[i] < 0 ||
			(double)window_ns / 1e3 * MOST_WATTS >= (double)e->range_uj[i])
			return -1;
		sum += spent < 0 ? spent + e->range_uj[i] : spent;
	}
	return sum;
}
