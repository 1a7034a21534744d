/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"
#include "daemon/notify/internal.h"

enum { FACTOR = 6 };
#define LONGEST_NS (24 * 3600 * NS_PER_S)

/* With the defaults: 5 s, 30 s, 3 min, 18 min, 1.8 h, 11 h, 24 h, and a quarter of it at most
 * on top, so that what failed together does not come back together. */
int64_t notify_retry_ns(
	const struct notify_rules *n, int64_t n_tries, int64_t asked_ns, double jitter)
{
	int64_t wait = n->first_retry_ns;

	if (n_tries >= n->max_tries)
		return -1;
	for (int64_t i = 1; i < n_tries && wait < LONGEST_NS; i++)
		wait *= FACTOR;
	if (wait > LONGEST_NS)
		wait = LONGEST_NS;
	wait += (int64_t)((double)wait * 0.25 * jitter);
	if (asked_ns > LONGEST_NS)
		asked_ns = LONGEST_NS;
	return asked_ns > wait ? asked_ns : wait;
}
