/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/utf8.h"

#include <ctype.h>
#include <string.h>
#include "base/text.h"

/* Length a sequence starting with c announces; 0 when c starts none. */
static size_t announced(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if ((c & 0xf0) == 0xe0)
		return 3;
	return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

static size_t ascii_run(const char *data, size_t n)
{
	size_t i = 0;

	while (i < n && data[i] > 0)
		i++;
	return i;
}

size_t utf8_clean(const char *data, size_t n, struct buf *out)
{
	size_t i = 0;

	buf_reserve(out, n);
	while (i < n) {
		size_t run = ascii_run(data + i, n - i), len;

		buf_add(out, data + i, run);
		i += run;
		if (i == n)
			break;
		len = announced((unsigned char)data[i]);
		if (len > n - i && i > 0)
			break;
		if (len > 1 && len <= n - i && utf8_is_valid(data + i, len)) {
			buf_add(out, data + i, len);
			i += len;
		} else {
			buf_add_str(out, "\xef\xbf\xbd");
			i++;
		}
	}
	return i;
}

void utf8_trim(char *s)
{
	size_t n = strlen(s), start = n;

	for (int i = 0; i < 3 && start && (s[start - 1] & 0xc0) == 0x80; i++)
		start--;
	if (start && announced((unsigned char)s[start - 1]) > n - (start - 1))
		s[start - 1] = 0;
}

void utf8_last_line(const char *data, size_t n, size_t max, struct buf *out)
{
	size_t start;

	while (n && isspace((unsigned char)data[n - 1]))
		n--;
	for (start = n; start && data[start - 1] != '\n' && data[start - 1] != '\r';)
		start--;
	utf8_clean(data + start, MIN(n - start, max), out);
}
