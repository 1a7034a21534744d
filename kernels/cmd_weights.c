/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchd-kernel weights: what a regridding links with what, as a file for CDO and NCO. */
#include <string.h>
#include <unistd.h>
#include "base/fs.h"
#include "kernels/cli.h"
#include "kernels/scrip.h"

static int choose(const struct cli *c, struct arena *a, struct params **ret, struct error *err)
{
	const struct kernel *list[CLI_SELECTED];
	size_t n;
	int r = cli_select(c, list, &n, err);

	if (r != OK)
		return r;
	if (n != 1 || strncmp(list[0]->id, "regrid.", 7) != 0)
		return error_set(err, E_BAD_REQUEST,
			"weights takes one kernel of regrid, such as regrid.bilinear");
	r = cli_expand(c, list[0], a, ret, &n, err);
	if (r == OK && n != 1)
		return error_set(err, E_BAD_REQUEST, "weights takes one size and dtype");
	return r;
}

/* A wrong axis gives no file. */
static int write_weights(const struct regrid_state *s, struct error *err)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	int r = scrip_format(s, &b, err);

	if (r == OK && axis_count_wrong(&s->lat, 0x1p-52) + axis_count_wrong(&s->lon, 0x1p-52))
		return error_set(err, E_CONFLICT, "the weights are wrong");
	return r == OK ? write_all(STDOUT_FILENO, b.data, b.len, err) : r;
}

int cmd_weights(const struct cli *c)
{
	_cleanup_(arena_free)
	struct arena *arena = arena_new();
	struct params *p;
	struct error err;
	void *state;
	int r = choose(c, arena, &p, &err);

	if (r == OK && isatty(STDOUT_FILENO))
		r = error_set(&err, E_BAD_REQUEST,
			"the file goes to standard output; send it to one: > weights.nc");
	if (r == OK)
		r = p->kernel->setup(p, &state, &err);
	if (r != OK)
		return cli_fail(&err);
	r = write_weights(state, &err);
	p->kernel->free(state);
	return r == OK ? 0 : cli_fail(&err);
}
