/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl watch: follow a job. A progress bar on a terminal, a plain line every change of
 * state and every ten seconds elsewhere. */
#include "client/client.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "base/clock.h"

struct watch {
	struct client *c;
	const char *job;
	char state[32], phase[32];
	char detail[200]; /* why it does not get on */
	long long done, total;
	int64_t started_ns, last_line_ns, deadline_ns;
	bool is_final, is_bar_shown, is_late;
};

static void clear_bar(struct watch *w)
{
	if (w->is_bar_shown)
		fputs("\r\033[K", stderr);
	w->is_bar_shown = false;
}

static const char *words(const struct watch *w)
{
	return *w->phase ? w->phase : w->state;
}

/* "queued: 2 jobs are before it  3 s": one line of the terminal. */
static void draw_reason(struct watch *w, int columns, const char *elapsed)
{
	int room = columns - (int)strlen(words(w)) - (int)strlen(elapsed) - 5;

	fprintf(stderr, "\r\033[K%s: %.*s  %s", words(w), MAX(room, 0), w->detail, elapsed);
}

static void draw_bar(struct watch *w)
{
	struct winsize size = { .ws_col = 80 };
	char elapsed[TIME_TEXT];
	int width, full;

	ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
	duration_format((double)(clock_monotonic_ns() - w->started_ns), elapsed);
	w->is_bar_shown = true;
	if (*w->detail) {
		draw_reason(w, size.ws_col, elapsed);
		fflush(stderr);
		return;
	}
	width = size.ws_col > 60 ? MIN(size.ws_col - 50, 40) : 10;
	full = w->total > 0 ? (int)(w->done * width / w->total) : 0;
	fprintf(stderr, "\r\033[K%-11s [", words(w));
	for (int i = 0; i < width; i++)
		fputs(i < full ? "#" : "-", stderr);
	fprintf(stderr, "] %lld/%lld processes  %s", w->done, w->total, elapsed);
	fflush(stderr);
}

static void show(struct watch *w, bool is_news)
{
	int64_t now = clock_monotonic_ns();

	if (w->c->quiet)
		return;
	if (w->c->is_tty) {
		draw_bar(w);
		return;
	}
	if (!is_news && now - w->last_line_ns < 10 * NS_PER_S)
		return;
	w->last_line_ns = now;
	fprintf(stderr, "%s%s%s", w->state, *w->phase ? ": " : "", w->phase);
	if (w->total > 0)
		fprintf(stderr, ", %lld of %lld processes", w->done, w->total);
	if (*w->detail)
		fprintf(stderr, " (%s)", w->detail);
	fputc('\n', stderr);
}

static bool state_is_final(const char *s)
{
	static const char *const final[] = { "succeeded", "failed", "timed_out", "canceled",
		"superseded" };

	for (size_t i = 0; i < ARRAY_SIZE(final); i++)
		if (!strcmp(final[i], s))
			return true;
	return false;
}

/* Keep what is told; was it news? */
static bool take_word(char *to, size_t size, const char *told)
{
	bool is_news = told && strcmp(told, to) != 0;

	if (is_news)
		snprintf(to, size, "%s", told);
	return is_news;
}

/* data is the event as GET .../events tells it: what happened is in its member "data". */
static bool on_event(void *arg, const char *event, const char *data)
{
	struct watch *w = arg;
	json_t *j = json_loads(data, 0, NULL), *o = json_object_get(j, "data");
	bool is_news = take_word(w->state, sizeof(w->state), json_get_str(o, "state", NULL));

	is_news |= take_word(w->phase, sizeof(w->phase), json_get_str(o, "phase", NULL));
	if (strcmp(w->state, "running"))
		*w->phase = 0;
	if (strcmp(w->state, "queued")) /* else what read_job found still holds */
		snprintf(w->detail, sizeof(w->detail), "%s", json_get_str(o, "detail", ""));
	w->done = json_get_int(o, "done", w->done);
	w->total = json_get_int(o, "total", w->total);
	json_decref(j);
	show(w, is_news);
	w->is_final = state_is_final(w->state);
	w->is_late = w->deadline_ns && clock_monotonic_ns() > w->deadline_ns;
	return w->is_final || w->is_late;
}

/* The state as it is now; also the way a stream that broke finds out that all is over. */
static int read_job(struct watch *w, json_t **ret, struct error *err)
{
	struct answer a;
	int r = api_call(w->c, "GET", project_path(w->c, "/jobs/%s", url_part(w->c, w->job)),
		NULL, NULL, &a, err);

	if (r < 0)
		return r;
	buf_done(&a.body);
	if (a.status >= 400)
		return error_set(err, a.status == 404 ? E_NOT_FOUND : E_IO, "%s",
			json_get_str(a.json, "detail", "the daemon refused"));
	*ret = a.json;
	snprintf(w->state, sizeof(w->state), "%s", json_get_str(a.json, "state", ""));
	snprintf(w->phase, sizeof(w->phase), "%s", json_get_str(a.json, "phase", ""));
	snprintf(w->detail, sizeof(w->detail), "%s", json_get_str(a.json, "waiting", ""));
	w->is_final = state_is_final(w->state);
	return OK;
}

int job_follow(struct client *c, const char *job, int64_t deadline_ns, json_t **ret_job)
{
	struct watch w = { .c = c,
		.job = job,
		.started_ns = clock_monotonic_ns(),
		.deadline_ns = deadline_ns };
	int64_t last_id = 0;
	struct error err = { 0 };
	int attempts = 0;

	for (;;) {
		int r = read_job(&w, ret_job, &err);

		if (r == OK && w.is_final)
			break;
		if (r == OK) {
			attempts = 0;
			r = api_events(c, project_path(c, "/jobs/%s/events", url_part(c, job)),
				&last_id, on_event, &w, &err);
		}
		if (w.is_late || (deadline_ns && clock_monotonic_ns() > deadline_ns)) {
			clear_bar(&w);
			fprintf(stderr, "benchctl: the time to wait is over; job %s is %s\n",
				job, w.state);
			return EXIT_TIMEOUT;
		}
		if (r == OK)
			continue;
		if (r != E_UNAVAILABLE || ++attempts > 30) {
			clear_bar(&w);
			return complain(c, &err);
		}
		usleep(200000); /* the daemon restarts: the job goes on there */
	}
	clear_bar(&w);
	return EXIT_OK;
}

int job_exit_code(const json_t *job, const char *fail_on)
{
	const char *state = json_get_str(job, "state", "");
	const char *fault = json_get_str(job, "fault", "");
	const char *outcome = json_get_str(job, "outcome", "");

	if (!strcmp(state, "succeeded")) {
		if (fail_on && !strcmp(outcome, "slower") && strstr(fail_on, "slower"))
			return EXIT_SLOWER;
		if (fail_on && !strcmp(outcome, "unknown") && strstr(fail_on, "unknown"))
			return EXIT_UNKNOWN;
		return EXIT_OK;
	}
	if (!strcmp(state, "timed_out"))
		return EXIT_BENCHMARK;
	if (!strcmp(state, "failed"))
		return strcmp(fault, "runner") ? EXIT_BENCHMARK : EXIT_FAILED;
	return EXIT_FAILED;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	const char *timeout = NULL, *fail_on = NULL;
	const struct option_row rows[] = {
		{ "timeout", 't', "TIME", "stop waiting after this time (exit 8)", OPT_STRING,
			&timeout },
		{ "fail-on", 0, "LIST", "slower, unknown: exit 3 or 4", OPT_STRING, &fail_on },
		{ 0 },
	};
	int64_t deadline = 0;
	struct string_list words;
	struct error err = { 0 };
	json_t *job = NULL;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (words.n != 1)
		return usage_error(self, "name one job");
	if (timeout) {
		if (duration_parse(timeout, &deadline, &err) < 0)
			return usage_error(self, "--timeout: %s", err.text);
		deadline += clock_monotonic_ns();
	}
	code = job_follow(c, words.items[0], deadline, &job);
	if (code != EXIT_OK)
		return code;
	code = print_path(c, project_path(c, "/jobs/%s", url_part(c, words.items[0])));
	return code != EXIT_OK ? code : job_exit_code(job, fail_on);
}

const struct command command_watch = { "watch", "JOB", "follow a job until it ends",
	"  benchctl watch 5f0c...            bar on a terminal, lines elsewhere\n", run };
