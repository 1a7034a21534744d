/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files embedded in the program (schema, dashboard): arrays generated at build time by
 * tools/embed.sh. Constant, any thread. */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

#include <stddef.h>

struct embed {
	const char *name; /* path inside its folder, such as "001-core.sql" */
	const unsigned char *data;
	size_t n;
};

#endif
