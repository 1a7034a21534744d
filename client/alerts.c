/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl alerts: open questions to a person. */
#include "client/client.h"

#include "base/clock.h"

/* What a person does with one alert; NULL and false: nothing. */
struct deed {
	const char *dismiss, *note, *snooze, *assign;
	bool acknowledge, journal;
};

static bool is_deed(const struct deed *d)
{
	return d->dismiss || d->note || d->snooze || d->assign || d->acknowledge;
}

/* "8h" and "3d" count from now; anything else is a time, which the daemon reads. */
static const char *until(struct client *c, const char *when)
{
	char *text = arena_alloc(c->arena, TIME_TEXT);
	struct error err = { 0 };
	int64_t ns;

	if (duration_parse(when, &ns, &err) < 0)
		return when;
	time_format(clock_realtime_ns() / 1000000000 * 1000000000 + ns, text);
	return text;
}

static json_t *body_of(struct client *c, const struct deed *d)
{
	json_t *body = arena_own_json(c->arena, json_object());

	if (d->dismiss)
		json_set_str(body, "state", "dismissed");
	json_set_opt(body, "reason", d->dismiss);
	json_set_opt(body, "note", d->note);
	json_set_opt(body, "assignee", d->assign);
	if (d->snooze)
		json_set_str(body, "snooze_until", until(c, d->snooze));
	if (d->acknowledge)
		json_set_bool(body, "acknowledged", true);
	return body;
}

static int patch(struct client *c, const char *alert, const struct deed *d)
{
	struct error err = { 0 };
	struct answer a;
	int code = EXIT_OK;

	if (api_call(c, "PATCH", project_path(c, "/alerts/%s", url_part(c, alert)),
		    body_of(c, d), NULL, &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400)
		code = complain_answer(c, &a);
	else
		note(c, "alert %s: %s%s%s%s%s", alert, json_get_str(a.json, "state", "changed"),
			d->acknowledge ? ", acknowledged" : "", d->assign ? ", assigned" : "",
			d->note ? ", noted" : "",
			d->snooze ? arena_printf(c->arena, ", snoozed until %s",
					    json_get_str(a.json, "snoozed_until", "?"))
				  : "");
	buf_done(&a.body);
	return code;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	const char *state = NULL;
	struct deed d = { 0 };
	const struct option_row rows[] = {
		{ "state", 's', "LIST", "suspect, confirmed, resolved, dismissed", OPT_STRING,
			&state },
		{ "dismiss", 0, "REASON", "noise, expected, infrastructure or wont_fix",
			OPT_STRING, &d.dismiss },
		{ "acknowledge", 0, NULL, "somebody looks at it", OPT_FLAG, &d.acknowledge },
		{ "assign", 0, "NAME", "whose it is; empty: nobody's", OPT_STRING, &d.assign },
		{ "note", 0, "TEXT", "for the journal", OPT_STRING, &d.note },
		{ "snooze", 0, "WHEN", "no messages for 8h, or until a time (RFC 3339)",
			OPT_STRING, &d.snooze },
		{ "journal", 0, NULL, "what was done with it", OPT_FLAG, &d.journal },
		{ 0 },
	};
	struct string_list words;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if ((is_deed(&d) || d.journal) && words.n != 1)
		return usage_error(self, "name the one alert that is meant");
	if (is_deed(&d))
		return patch(c, words.items[0], &d);
	if (words.n == 1)
		return print_path(
			c, project_path(c, "/alerts/%s%s", url_part(c, words.items[0]),
				   d.journal ? "/journal" : ""));
	return print_path(c, add_query(c, project_path(c, "/alerts"), "state", state));
}

const struct command command_alerts = { "alerts", "[ALERT]",
	"list or show alerts; dismiss, acknowledge, assign, note, snooze one",
	"  benchctl alerts --state confirmed\n"
	"  benchctl alerts 9a4b... --dismiss expected --note \"the new checksum\"\n"
	"  benchctl alerts 9a4b... --acknowledge --snooze 8h\n"
	"  benchctl alerts 9a4b... --journal\n",
	run };
