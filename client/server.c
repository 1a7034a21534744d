/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl server: which daemon answers, is it well, who works for it. */
#include "client/client.h"

#include <stdio.h>
#include <string.h>
#include "base/text.h"

static const char *text_at(const json_t *o, const char *a, const char *b, const char *name)
{
	o = json_object_get(o, a);
	return json_get_str(b ? json_object_get(o, b) : o, name, "");
}

static void print_table(const struct client *c, const struct table *t)
{
	struct buf b = { 0 };

	table_format(t,
		c->output == OUT_CSV	    ? TABLE_CSV
		: c->output == OUT_MARKDOWN ? TABLE_MARKDOWN
					    : TABLE_TEXT,
		&b);
	fwrite(buf_str(&b), 1, b.len, stdout);
	buf_done(&b);
}

static void print_checks(struct client *c, const json_t *ready)
{
	static const char *const titles[] = { "check", "state", "detail" };
	struct table *t = table_new(c->arena, ARRAY_SIZE(titles));
	const json_t *check;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(titles); i++)
		table_head(t, i, titles[i], false);
	json_array_foreach (json_object_get(ready, "checks"), i, check)
		table_add(
			t, (const char *[]){ json_get_str(check, "name", ""),
				   json_is_true(json_object_get(check, "ok")) ? "ok" : "failed",
				   json_get_str(check, "detail", "") });
	print_table(c, t);
}

static void print_workers(struct client *c, const json_t *workers)
{
	static const char *const titles[] = { "testbed", "host", "version", "environment",
		"cpus", "cpu", "running", "last heard" };
	struct table *t = table_new(c->arena, ARRAY_SIZE(titles));
	const json_t *w;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(titles); i++)
		table_head(t, i, titles[i], false);
	json_array_foreach (workers, i, w) {
		const json_t *environment = json_object_get(w, "environment");

		table_add(
			t, (const char *[]){ json_get_str(w, "testbed", ""),
				   json_get_str(w, "host", ""), json_get_str(w, "version", ""),
				   arena_printf(c->arena, "%.12s",
					   json_get_str(environment, "id", "")),
				   text_at(environment, "identity", NULL, "cpus"),
				   text_at(environment, "identity", "cpu", "name"),
				   arena_printf(c->arena, "%zu",
					   json_array_size(json_object_get(w, "busy"))),
				   arena_printf(c->arena, "%.19s",
					   json_get_str(w, "last_heartbeat", "")) });
	}
	print_table(c, t);
}

/* Devices that jobs may not use. */
static void print_devices(struct client *c, const json_t *workers)
{
	const json_t *w, *d;
	size_t i, k;

	json_array_foreach (workers, i, w)
		json_array_foreach (json_object_get(w, "vulkan"), k, d) {
			const char *state = json_get_str(d, "state", "ok");

			if (c->output == OUT_TABLE && strcmp(state, "ok") != 0)
				printf("\n%s (%s) is %s since %.19s: %s\n",
					json_get_str(d, "name", ""),
					json_get_str(d, "uuid", ""), state,
					json_get_str(d, "since", ""),
					json_get_str(d, "reason", ""));
		}
}

static void print_all(struct client *c, json_t *version, json_t *ready, json_t *workers)
{
	bool is_ready = json_is_true(json_object_get(ready, "ready"));
	json_t *o;

	if (c->output == OUT_JSON) {
		o = arena_own_json(c->arena, json_object());
		json_object_set(o, "version", version);
		json_object_set(o, "ready", ready);
		json_object_set(o, "workers", workers);
		json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
		putchar('\n');
		return;
	}
	if (c->output == OUT_TABLE)
		printf("benchd %s at %s: %s\n\n", json_get_str(version, "version", ""), c->host,
			is_ready ? "ready" : "not ready");
	print_checks(c, ready);
	putchar('\n');
	if (json_array_size(workers))
		print_workers(c, workers);
	else if (c->output == OUT_TABLE)
		puts("no worker is connected");
	print_devices(c, workers);
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	json_t *version, *ready, *workers;
	struct string_list words;
	int code = args_parse(c, self, NULL, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (words.n)
		return usage_error(self, "takes no '%s'", words.items[0]);
	code = fetch_json(c, "/version", 503, &version);
	if (code == EXIT_OK)
		code = fetch_json(c, "/readyz", 503, &ready);
	if (code == EXIT_OK)
		code = fetch_json(c, "/v0/testbeds/live", 503, &workers);
	if (code != EXIT_OK)
		return code;
	print_all(c, version, ready, workers);
	return json_is_true(json_object_get(ready, "ready")) ? EXIT_OK : EXIT_FAILED;
}

const struct command command_server = { "server", "",
	"version, health and workers of the daemon", "  benchctl server --json\n", run };
