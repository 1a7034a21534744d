/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints every statement of the store as PREPARE, one a line, for another database to judge. */
#include "daemon/store/internal.h"

int main(void)
{
	for (int f = 0; f < Q_count; f++)
		for (size_t i = 0; i < statements_of(f)->n; i++)
			printf("PREPARE s_%d_%zu AS %s;\n", f, i, statements_of(f)->sql[i]);
	return 0;
}
