/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which addresses may be spoken to. The check is on the address that is connected to, so a name
 * that answers differently the second time gains nothing. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "daemon/notify/internal.h"

/* What the Internet does not route (RFC 6890 and the registries it began), written as IPv6;
 * IPv4 stands under ::ffff:0:0/96. */
static const char *const special[] = { "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10",
	"127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "::/96", "64:ff9b::/96",
	"64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fc00::/7",
	"fe80::/10", "ff00::/8" };

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

int notify_range_parse(const char *text, struct address_range *ret, struct error *err)
{
	const char *slash = strchr(text, '/');
	char host[64], *end;
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	bool is_v4 = !memchr(text, ':', n);
	long bits = is_v4 ? 32 : 128;

	*ret = (struct address_range){ 0 };
	if (n >= sizeof(host))
		return error_set(err, E_UNPROCESSABLE, "'%.80s' is no address", text);
	memcpy(host, text, n);
	host[n] = 0;
	if (slash) {
		bits = strtol(slash + 1, &end, 10);
		if (end == slash + 1 || *end || bits < 0 || bits > (is_v4 ? 32 : 128))
			return error_set(err, E_UNPROCESSABLE,
				"'%.80s' has no prefix length that fits", text);
	}
	if (is_v4)
		memcpy(ret->bytes, mapped, sizeof(mapped));
	if (inet_pton(is_v4 ? AF_INET : AF_INET6, host, ret->bytes + (is_v4 ? 12 : 0)) != 1)
		return error_set(err, E_UNPROCESSABLE, "'%.80s' is no address", text);
	ret->n_bits = (int)bits + (is_v4 ? 96 : 0);
	return OK;
}

static bool is_in(const uint8_t a[16], const struct address_range *r)
{
	int whole = r->n_bits / 8, rest = r->n_bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	if (memcmp(a, r->bytes, (size_t)whole) != 0)
		return false;
	return !rest || (a[whole] & mask) == (r->bytes[whole] & mask);
}

static bool is_special(const uint8_t a[16])
{
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		struct address_range r;
		struct error ignored;

		if (notify_range_parse(special[i], &r, &ignored) < 0 || is_in(a, &r))
			return true;
	}
	return false;
}

bool notify_address_is_allowed(const struct notify_rules *n, const struct sockaddr *sa)
{
	uint8_t a[16];

	if (sa->sa_family == AF_INET6) {
		memcpy(a, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
	} else if (sa->sa_family == AF_INET) {
		memcpy(a, mapped, sizeof(mapped));
		memcpy(a + 12, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
	} else {
		return false;
	}
	for (size_t i = 0; i < n->n_allowed; i++)
		if (is_in(a, &n->allowed[i]))
			return true;
	return !is_special(a);
}
