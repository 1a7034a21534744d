/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl devices: Vulkan devices of the testbed; clear lets jobs use one again. */
#include "client/client.h"

#include <string.h>

static int clear(struct client *c, const char *device, const char *text)
{
	json_t *body = arena_own_json(c->arena, json_object());
	struct error err = { 0 };
	struct answer a;
	int code = EXIT_OK;

	json_set_str(body, "note", text ? text : "");
	if (api_call(c, "POST",
		    arena_printf(c->arena, "/v0/devices/%s/clear", url_part(c, device)), body,
		    NULL, &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400)
		code = complain_answer(c, &a);
	else
		note(c, "device %s (%s): %s", json_get_str(a.json, "uuid", ""),
			json_get_str(a.json, "name", ""), json_get_str(a.json, "state", ""));
	buf_done(&a.body);
	return code;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	const char *text = NULL;
	const struct option_row rows[] = {
		{ "note", 0, "TEXT", "clear: why, for the device's history", OPT_STRING,
			&text },
		{ 0 },
	};
	struct string_list words;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (words.n == 0)
		return print_path(c, "/v0/devices");
	if (!strcmp(words.items[0], "clear"))
		return words.n == 2 ? clear(c, words.items[1], text)
				    : usage_error(self, "name the device to clear");
	if (words.n > 1)
		return usage_error(self, "name one device");
	c->output = OUT_JSON; /* one of them has no other form */
	return print_path(
		c, arena_printf(c->arena, "/v0/devices/%s", url_part(c, words.items[0])));
}

const struct command command_devices = { "devices", "[[clear] DEVICE]",
	"Vulkan devices of the testbed, and which are quarantined",
	"  benchctl devices\n"
	"  benchctl devices clear 6d657361... --note 'new power supply'\n",
	run };
