/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages that leave: what they say, to whom, how often. */
#include "tests/lib/store.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "base/yaml.h"
#include "daemon/notify/internal.h"

static struct notify_rules rules;

static void write_file(const char *name, const char *text)
{
	_cleanup_(free)
	char *path = xasprintf("%s/%s", folder, name);

	ok(file_write(path, text, strlen(text), 0600, &err));
}

static int read_config(const char *yaml)
{
	struct yaml_lines *lines = NULL;
	json_t *o = NULL;
	int r = yaml_parse("b.yaml", yaml, strlen(yaml), &o, &lines, &err);

	write_file("token", "a token of the forge\n");
	write_file("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
	if (r == OK) {
		arena_own_json(mem, o);
		r = notify_read(json_object_get(o, "hooks"), json_object_get(o, "webhooks"),
			json_object_get(o, "outgoing"), folder, mem, &rules, &err);
	}
	if (r < 0)
		r = yaml_locate_error("b.yaml", lines, &err);
	yaml_lines_free(lines);
	return r;
}

#define ANSWERS "hooks:\n  orbit:\n    answers:\n      token_file: token\n"
#define CHAT "webhooks:\n  chat:\n    url: https://chat.example/x\n    secret_file: secret\n"

static void begin(void)
{
	start();
	ok(read_config(ANSWERS CHAT));
	rules.public_url = "https://bench.example";
}

/* --- configuration --- */

START_TEST(defaults_are_those_of_github)
{
	begin();
	ck_assert_str_eq(rules.forges[0].api, "https://api.github.com");
	ck_assert_str_eq(rules.forges[0].context, "benchd");
	ck_assert(rules.forges[0].wants_status);
	ck_assert_int_eq(rules.forges[0].comment, COMMENT_CHANGES);
	ck_assert(rules.webhooks[0].on_alert && rules.webhooks[0].on_job);
	ck_assert_int_eq(rules.timeout_ns, 10 * NS_PER_S);
	ck_assert_int_eq(rules.max_tries, 8);
	finish();
}
END_TEST

START_TEST(mistakes_are_named_with_their_line)
{
	static const struct {
		const char *yaml, *part;
	} cases[] = {
		{ ANSWERS "      apy: x\n", "b.yaml:5: " },
		{ ANSWERS "      api: ftp://forge\n",
			"b.yaml:5: 'api' must begin with https://" },
		{ ANSWERS "      api: https://x/\n", "end without '/'" },
		{ ANSWERS "      api: https://me@x\n", "'api' must begin" },
		{ "hooks:\n  o:\n    answers:\n      token_file: none\n",
			"cannot read the secret" },
		{ CHAT "    events: [job.started]\n",
			"b.yaml:5: an event is one of 'alert.confirmed', 'job.finished'" },
		{ CHAT "    projects: [A b]\n", "a project is named by its slug" },
		{ "webhooks:\n  chat:\n    url: file:///etc/passwd\n    secret_file: secret\n",
			"b.yaml:3: 'url' must begin with" },
		{ "outgoing: {allow: [10.0.0.0/33]}\n", "an address range is written as" },
		{ "outgoing: {attempts: 0}\n", "b.yaml:1: " },
		{ "outgoing: {timeout: 1h}\n", "timeout" },
		{ "outgoing: {ca_file: none.pem}\n", "b.yaml:1: 'ca_file' cannot be read" },
	};

	start();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_int_lt(read_config(cases[i].yaml), 0);
		ck_assert_msg(strstr(err.text, cases[i].part), "%zu: %s", i, err.text);
	}
	finish();
}
END_TEST

/* --- whom --- */

static bool may(const char *address)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
		return notify_address_is_allowed(&rules, (struct sockaddr *)&four);
	ck_assert_int_eq(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
	return notify_address_is_allowed(&rules, (struct sockaddr *)&six);
}

START_TEST(private_addresses_are_spoken_to_only_when_they_are_listed)
{
	static const char *const private[] = { "127.0.0.1", "127.8.8.8", "10.1.2.3",
		"172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
		"0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1",
		"fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
		"::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1" };
	static const char *const public[] = { "140.82.121.6", "172.15.255.255", "172.32.0.1",
		"11.0.0.1", "2606:50c0:8000::153", "::ffff:140.82.121.6" };
	struct sockaddr unix_socket = { .sa_family = AF_UNIX };

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(private); i++)
		ck_assert_msg(!may(private[i]), "%s", private[i]);
	for (size_t i = 0; i < ARRAY_SIZE(public); i++)
		ck_assert_msg(may(public[i]), "%s", public[i]);
	ck_assert(!notify_address_is_allowed(&rules, &unix_socket));
	ok(read_config("outgoing: {allow: [10.0.0.0/9, \"::1\"]}\n"));
	ck_assert(may("10.127.0.1") && !may("10.128.0.1") && may("::1") && !may("127.0.0.1"));
	ck_assert(may("::ffff:10.0.0.1"));
	finish();
}
END_TEST

/* --- how often --- */

START_TEST(retries_come_six_times_later_each_and_end)
{
	static const int64_t seconds[] = { 5, 30, 180, 1080, 6480, 38880, 86400 };

	begin();
	for (int i = 0; i < 7; i++) {
		ck_assert_int_eq(notify_retry_ns(&rules, i + 1, 0, 0), seconds[i] * NS_PER_S);
		ck_assert_int_le(notify_retry_ns(&rules, i + 1, 0, 0.999),
			seconds[i] * NS_PER_S * 5 / 4);
		ck_assert_int_gt(notify_retry_ns(&rules, i + 1, 0, 0.999),
			seconds[i] * NS_PER_S * 6 / 5);
	}
	ck_assert_int_eq(notify_retry_ns(&rules, 8, 0, 0), -1);
	/* What was asked for holds where it is longer, up to a day. */
	ck_assert_int_eq(notify_retry_ns(&rules, 1, 60 * NS_PER_S, 0), 60 * NS_PER_S);
	ck_assert_int_eq(notify_retry_ns(&rules, 3, 60 * NS_PER_S, 0), 180 * NS_PER_S);
	ck_assert_int_eq(notify_retry_ns(&rules, 1, 1000000 * NS_PER_S, 0), 86400 * NS_PER_S);
	finish();
}
END_TEST

START_TEST(an_answer_means_done_again_or_never)
{
	const int64_t now = 1700000000 * NS_PER_S;
	static const struct {
		long status;
		enum send_outcome outcome;
	} plain[] = { { 200, SEND_DONE }, { 201, SEND_DONE }, { 302, SEND_GIVE_UP },
		{ 400, SEND_GIVE_UP }, { 401, SEND_GIVE_UP }, { 403, SEND_GIVE_UP },
		{ 404, SEND_GIVE_UP }, { 408, SEND_RETRY }, { 410, SEND_GIVE_UP },
		{ 422, SEND_GIVE_UP }, { 429, SEND_RETRY }, { 500, SEND_RETRY },
		{ 503, SEND_RETRY }, { 0, SEND_RETRY } };
	struct wire_answer an;
	struct send_result res;

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		an = (struct wire_answer){ .status = plain[i].status, .limit_left = -1 };
		wire_judge(&an, now, &res);
		ck_assert_msg(
			res.outcome == plain[i].outcome, "%ld: %s", plain[i].status, res.text);
		ck_assert_int_eq(res.wait_ns, plain[i].status == 429 ? 60 * NS_PER_S : 0);
	}
	an = (struct wire_answer){ .status = 503, .retry_after_s = 7, .limit_left = -1 };
	wire_judge(&an, now, &res);
	ck_assert_int_eq(res.wait_ns, 7 * NS_PER_S);
	/* GitHub's limit: 403, nothing left, and the second at which there is more. */
	an = (struct wire_answer){ .status = 403, .limit_reset_s = 1700000090 };
	wire_judge(&an, now, &res);
	ck_assert_int_eq(res.outcome, SEND_RETRY);
	ck_assert_int_eq(res.wait_ns, 91 * NS_PER_S);
	ck_assert(res.is_limited);
	/* Its second limit is told in words only. */
	an = (struct wire_answer){ .status = 403, .limit_left = 4000 };
	buf_add_str(&an.body, "{\"message\":\"You have exceeded a secondary rate limit.\"}");
	wire_judge(&an, now, &res);
	ck_assert_int_eq(res.outcome, SEND_RETRY);
	ck_assert_int_eq(res.wait_ns, 60 * NS_PER_S);
	buf_done(&an.body);
	an = (struct wire_answer){ .is_forbidden = true, .text = "private" };
	wire_judge(&an, now, &res);
	ck_assert_int_eq(res.outcome, SEND_GIVE_UP);
	finish();
}
END_TEST

/* --- signature --- */

/* Test values of the Standard Webhooks libraries. */
START_TEST(a_webhook_is_signed_as_the_standard_says)
{
	static const char id[] = "msg_p5jXN8AQM9LWM0D4loKWxJek",
			  body[] = "{\"test\": 2432232314}",
			  sig[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
	struct secrets two;

	begin();
	ck_assert_str_eq(
		notify_sign(&rules.webhooks[0].secrets, id, 1614265330, body, mem), sig);
	two = rules.webhooks[0].secrets;
	two.text[two.n++] = "a plain secret";
	ck_assert_int_eq(
		strncmp(notify_sign(&two, id, 1614265330, body, mem), sig, strlen(sig)), 0);
	ck_assert_ptr_nonnull(strstr(notify_sign(&two, id, 1614265330, body, mem), "= v1,"));
	finish();
}
END_TEST

/* --- what is said --- */

static const char *comparison(int n_rows, const char *outcome)
{
	struct buf b = { 0 };
	const char *text;

	buf_printf(&b,
		"{\"outcome\":\"%s\",\"base\":{\"hash\":\"%s\"},\"head\":{\"hash\":\"%s\"},"
		"\"counts\":{\"slower\":%d,\"same\":0,\"unknown\":0,\"faster\":0},\"rows\":[",
		outcome, H1, H2, n_rows);
	for (int i = 0; i < n_rows; i++)
		buf_printf(&b,
			"%s{\"benchmark\":\"bench-%05d\",\"measure\":\"Latency\",\"units\":"
			"\"nanoseconds "
			"(ns)\",\"base\":100,\"head\":110,\"effect\":0.1,\"interval\":"
			"[0.08,0.12],\"p\":0.001,\"n_base\":10,\"n_head\":10,\"outcome\":\"%"
			"s\"}",
			i ? "," : "", i, outcome);
	buf_add_str(&b, "]}");
	text = arena_strdup(mem, buf_str(&b));
	buf_done(&b);
	return text;
}

static struct job ended(enum outcome outcome, const char *result)
{
	return (struct job){ .uuid = "9a4b",
		.project_slug = "orbit",
		.name = "orbit",
		.state = JOB_SUCCEEDED,
		.outcome = outcome,
		.reason = "",
		.report_uuid = "r1",
		.base_report_uuid = "r0",
		.result_json = result };
}

START_TEST(each_end_of_a_job_has_its_word)
{
	struct job j = { .state = JOB_QUEUED, .reason = "" };
	const struct {
		enum job_state state;
		enum outcome outcome;
		const char *word;
	} cases[] = { { JOB_AWAITING_APPROVAL, OUTCOME_NONE, "pending" },
		{ JOB_RUNNING, OUTCOME_NONE, "pending" },
		{ JOB_SUCCEEDED, OUTCOME_NONE, "success" },
		{ JOB_SUCCEEDED, OUTCOME_SAME, "success" },
		{ JOB_SUCCEEDED, OUTCOME_FASTER, "success" },
		{ JOB_SUCCEEDED, OUTCOME_SLOWER, "failure" },
		{ JOB_SUCCEEDED, OUTCOME_UNKNOWN, "error" },
		{ JOB_FAILED, OUTCOME_NONE, "error" }, { JOB_TIMED_OUT, OUTCOME_NONE, "error" },
		{ JOB_CANCELED, OUTCOME_NONE, "error" },
		{ JOB_SUPERSEDED, OUTCOME_NONE, "error" } };

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		j.state = cases[i].state;
		j.outcome = cases[i].outcome;
		ck_assert_str_eq(notify_status_word(&j), cases[i].word);
	}
	j = ended(OUTCOME_SLOWER, comparison(1, "slower"));
	ck_assert_str_eq(notify_status_text(mem, &j),
		"slower: 1 of 1, worst: bench-00000 Latency +10.0 % [8.0, 12.0]");
	j = ended(OUTCOME_UNKNOWN, comparison(1, "unknown"));
	ck_assert_int_eq(strncmp(notify_status_text(mem, &j), "inconclusive: ", 14), 0);
	finish();
}
END_TEST

START_TEST(a_description_has_at_most_140_characters)
{
	char reason[1001] = "";
	struct job j = { .state = JOB_FAILED, .fault = FAULT_BUILD, .reason = reason };
	const char *text;
	size_t n = 0;

	begin();
	for (int i = 0; i < 200; i++)
		strcat(reason, i == 5 ? "\n" : "ü");
	text = notify_status_text(mem, &j);
	for (const char *s = text; *s; s++)
		n += ((unsigned char)*s & 0xC0) != 0x80;
	ck_assert_uint_eq(n, 140);
	ck_assert_ptr_null(strchr(text, '\n'));
	ck_assert_str_eq(text + strlen(text) - 3, "…");
	ck_assert_int_eq(strncmp(text, "failed (build): ü", 17), 0);
	finish();
}
END_TEST

START_TEST(a_comment_is_filled_to_the_limit_and_counts_what_is_left_out)
{
	struct job j;
	const char *text, *end;
	long left;

	begin();
	j = ended(OUTCOME_SLOWER, comparison(3, "slower"));
	text = notify_comment_text(mem, &rules, &j);
	ck_assert_int_eq(strncmp(text, "**▼ slower**: 3 of 3", 22), 0);
	ck_assert_ptr_nonnull(strstr(text, "`bench-00002`"));
	ck_assert_ptr_nonnull(strstr(
		text, "[Comparison](https://bench.example/projects/orbit/compare?job=9a4b"));
	ck_assert_ptr_null(strstr(text, "left out"));
	j.result_json = comparison(2000, "slower");
	text = notify_comment_text(mem, &rules, &j);
	ck_assert_uint_le(strlen(text), COMMENT_MAX);
	ck_assert_uint_gt(strlen(text), COMMENT_MAX - 300);
	end = strstr(text, " left out.");
	ck_assert_ptr_nonnull(end);
	while (end[-1] >= '0' && end[-1] <= '9')
		end--;
	left = atol(end);
	ck_assert_int_gt(left, 1000);
	/* Every row is there or counted; ten stand above the folded table too, as links. */
	{
		long shown = 0;

		for (const char *s = text; (s = strstr(s, "| `bench-")); s++)
			shown++;
		ck_assert_int_eq(shown + left, 2000);
	}
	ck_assert_str_eq(text + strlen(text) - 29, "\n\n<!-- benchd:orbit/orbit -->" + 0);
	finish();
}
END_TEST

START_TEST(names_cannot_end_the_hidden_tag)
{
	struct job j = ended(OUTCOME_SAME, NULL);

	begin();
	j.name = "a --> <b>";
	ck_assert_str_eq(
		notify_comment_tag(mem, &j), "<!-- benchd:orbit/a%20%2D%2D%3E%20%3Cb%3E -->");
	finish();
}
END_TEST

/* --- rows --- */

static const struct job_origin origin = { .hook = "orbit",
	.repository = "ada/orbit",
	.hash = "2222222222222222222222222222222222222222",
	.context = "orbit/orbit",
	.pull = 7 };

static struct outgoing *listed(size_t *n)
{
	struct outgoing *list;

	ok(store_outgoing_list(db, mem, 0, 100, &list, n, &err));
	return list;
}

START_TEST(a_newer_status_replaces_one_that_was_not_sent)
{
	struct project p;
	struct job j;
	struct outgoing *list, o;
	size_t n;

	begin();
	p = a_project("orbit");
	j = add_job(p.id, "orbit", PRIORITY_PUSH);
	ok(store_job_get(db, mem, j.id, &j, &err));
	ok(notify_add_filed(&rules, db, mem, &origin, &j, T0, &err));
	j.state = JOB_SUCCEEDED;
	j.outcome = OUTCOME_SAME;
	ok(notify_add_ended(&rules, db, mem, &origin, &j, T0 + 1, &err));
	list = listed(&n);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(list[2].state, "superseded");
	ck_assert_str_eq(list[1].event, "success");
	ck_assert_str_eq(list[0].kind, "comment");
	ok(store_outgoing_find(db, mem, list[0].uuid, &o, &err));
	ck_assert_ptr_nonnull(strstr(o.body, "\"create\":false"));
	j.state = JOB_SUPERSEDED;
	ok(notify_add_ended(&rules, db, mem, &origin, &j, T0 + 2, &err));
	list = listed(&n);
	ck_assert_uint_eq(n, 4); /* no comment about what was dropped */
	finish();
}
END_TEST

START_TEST(a_lane_sends_in_order_and_an_interrupted_attempt_is_seen)
{
	struct outgoing a = { .kind = "status",
		.target = "orbit",
		.event = "pending",
		.lane = "l",
		.body = "{}",
		.created_ns = T0,
		.due_ns = T0 },
			b = a, c;
	struct outgoing_attempt at = { .ended_ns = T0 + 9,
		.status = 500,
		.outcome = "HTTP 500" },
				*log;
	int64_t due;
	size_t n;

	begin();
	ok(store_outgoing_add(db, mem, &a, &err));
	refused(store_outgoing_claim(db, mem, T0 - 1, &c, &err), E_NOT_FOUND, "nothing");
	ok(store_outgoing_claim(db, mem, T0, &c, &err));
	ck_assert_int_eq(c.id, a.id);
	ok(store_outgoing_add(db, mem, &b, &err));
	refused(store_outgoing_claim(db, mem, T0, &c, &err), E_NOT_FOUND, "nothing");
	ok(store_outgoing_next_due(db, &due, &err));
	ck_assert_int_eq(due, 0);
	/* The first one failed: the second has taken its place. */
	a.state = "waiting";
	a.reason = "HTTP 500";
	a.due_ns = T0 + 100;
	at.number = 1;
	ok(store_outgoing_end(db, &a, &at, &err));
	ok(store_outgoing_find(db, mem, a.uuid, &a, &err));
	ck_assert_str_eq(a.state, "superseded");
	ok(store_outgoing_claim(db, mem, T0, &c, &err));
	ck_assert_int_eq(c.id, b.id);
	ck_assert_int_eq(c.n_attempts, 1);
	/* The daemon ends here and comes back. */
	ok(store_outgoing_recover(db, T0 + 50, &err));
	ok(store_outgoing_claim(db, mem, T0 + 50, &c, &err));
	ck_assert_int_eq(c.n_attempts, 2);
	ok(store_outgoing_attempts(db, mem, c.id, &log, &n, &err));
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(log[0].outcome, "cut off");
	ck_assert_int_eq(log[0].ended_ns, 0);
	refused(store_outgoing_again(db, c.uuid, T0, &err), E_CONFLICT, "is being sent");
	finish();
}
END_TEST

START_TEST(a_rate_limit_holds_what_else_goes_to_that_forge)
{
	struct outgoing a = { .kind = "status",
		.target = "orbit",
		.event = "pending",
		.body = "{}",
		.created_ns = T0,
		.due_ns = T0 },
			b = a, other = a, hook = a, c;

	begin();
	b.kind = "comment";
	other.target = "kepler";
	hook.kind = "webhook";
	ok(store_outgoing_add(db, mem, &a, &err));
	ok(store_outgoing_add(db, mem, &b, &err));
	ok(store_outgoing_add(db, mem, &other, &err));
	ok(store_outgoing_add(db, mem, &hook, &err));
	ok(store_outgoing_claim(db, mem, T0, &c, &err));
	ok(store_outgoing_hold(db, &c, T0 + 60, &err));
	ok(store_outgoing_claim(db, mem, T0, &c, &err));
	ck_assert_str_eq(c.target, "kepler");
	ok(store_outgoing_claim(db, mem, T0, &c, &err));
	ck_assert_str_eq(c.kind, "webhook");
	refused(store_outgoing_claim(db, mem, T0 + 59, &c, &err), E_NOT_FOUND, "nothing");
	ok(store_outgoing_claim(db, mem, T0 + 60, &c, &err));
	ck_assert_str_eq(c.kind, "comment");
	finish();
}
END_TEST

START_TEST(an_old_message_cannot_be_sent_over_a_newer_one)
{
	struct outgoing a = { .kind = "status",
		.target = "orbit",
		.event = "pending",
		.lane = "l",
		.body = "{}",
		.created_ns = T0,
		.due_ns = T0 },
			b = a, c;
	struct outgoing_attempt at = { .number = 1, .ended_ns = T0 + 1, .outcome = "HTTP 403" };

	begin();
	ok(store_outgoing_add(db, mem, &a, &err));
	ok(store_outgoing_claim(db, mem, T0, &c, &err));
	c.state = "failed";
	c.reason = "HTTP 403";
	ok(store_outgoing_end(db, &c, &at, &err));
	ok(store_outgoing_again(db, a.uuid, T0 + 2, &err));
	ok(store_outgoing_claim(db, mem, T0 + 2, &c, &err));
	ck_assert_int_eq(c.n_tries, 1);
	ck_assert_int_eq(c.n_attempts, 2);
	c.state = "failed";
	at.number = 2;
	ok(store_outgoing_end(db, &c, &at, &err));
	ok(store_outgoing_add(db, mem, &b, &err));
	refused(store_outgoing_again(db, a.uuid, T0 + 3, &err), E_CONFLICT, "was replaced");
	finish();
}
END_TEST

START_TEST(a_message_that_was_delivered_is_never_sent_again)
{
	struct outgoing a = { .kind = "webhook",
		.target = "chat",
		.event = "job.finished",
		.body = "{}",
		.created_ns = T0,
		.due_ns = T0 },
			c;
	struct outgoing_attempt at = {
		.number = 1, .ended_ns = T0 + 1, .status = 204, .outcome = "HTTP 204"
	};

	begin();
	ok(store_outgoing_add(db, mem, &a, &err));
	ok(store_outgoing_claim(db, mem, T0, &c, &err));
	c.state = "delivered";
	c.reason = "HTTP 204";
	c.done_ns = T0 + 1;
	ok(store_outgoing_end(db, &c, &at, &err));
	ok(store_outgoing_recover(db, T0 + 2, &err));
	refused(store_outgoing_claim(db, mem, T0 + 1000, &c, &err), E_NOT_FOUND, "nothing");
	refused(store_outgoing_again(db, a.uuid, T0, &err), E_CONFLICT, "has been delivered");
	ok(store_outgoing_prune(db, T0 + 1, &err));
	refused(store_outgoing_find(db, mem, a.uuid, &c, &err), E_NOT_FOUND, "no message");
	finish();
}
END_TEST

START_TEST(a_delivery_of_a_forge_is_stored_once_and_processed_from_its_row)
{
	struct delivery d = { .hook = "orbit",
		.forge_id = "x-1",
		.event = "push",
		.state = "received",
		.reason = "",
		.received_ns = T0,
		.body = "{\0}",
		.n_body = 3 },
			e;

	begin();
	ok(store_delivery_add(db, mem, &d, &err));
	refused(store_delivery_add(db, mem, &d, &err), E_CONFLICT, "'x-1' of hook 'orbit'");
	ok(store_delivery_next(db, mem, &e, &err));
	ck_assert_uint_eq(e.n_body, 3);
	ck_assert_mem_eq(e.body, "{\0}", 3);
	ok(store_delivery_end(db, e.id, "ignored", "a tag", T0 + 1, &err));
	refused(store_delivery_next(db, mem, &e, &err), E_NOT_FOUND, "no delivery waits");
	ok(store_delivery_again(db, d.uuid, &err));
	ok(store_delivery_next(db, mem, &e, &err));
	ok(store_delivery_prune(db, T0 + 1, &err)); /* it still waits */
	ok(store_delivery_find(db, mem, d.uuid, &e, &err));
	finish();
}
END_TEST

START_TEST(an_alert_is_told_once_when_it_becomes_confirmed)
{
	struct alert al = { .state = ALERT_SUSPECT,
		.direction = OUTCOME_SLOWER,
		.effect = 0.1,
		.effect_low = 0.05,
		.effect_high = 0.15,
		.hash = H1,
		.created_ns = T0,
		.detail_json = "{}" };
	struct confirmed_alert *list;
	struct simple_report r;
	struct outgoing *out, o;
	struct project p;
	size_t n;

	begin();
	p = a_project("orbit");
	r = add_report(p.id, "main", H1, "sum", 1);
	al.series_id = r.series_id;
	al.report_id = r.id;
	ok(store_alert_add(db, mem, &al, r.metric_id, &err));
	ok(store_confirmed_alerts(db, mem, T0, 10, &list, &n, &err));
	ck_assert_uint_eq(n, 0);
	al.state = ALERT_CONFIRMED;
	al.modified_ns = T0 + 5;
	ok(store_alert_save(db, &al, &err));
	ok(store_alert_save(db, &al, &err));
	ok(store_confirmed_alerts(db, mem, T0, 10, &list, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(list[0].uuid, al.uuid);
	ok(store_alert_find(db, mem, p.id, al.uuid, &al, &err));
	ok(notify_add_alert(&rules, db, mem, &al, "orbit", T0 + 6, &err));
	out = listed(&n);
	ck_assert_uint_eq(n, 1);
	ok(store_outgoing_find(db, mem, out[0].uuid, &o, &err));
	ck_assert_ptr_nonnull(strstr(o.body, "\"type\":\"alert.confirmed\""));
	ck_assert_ptr_nonnull(strstr(o.body, "\"benchmark\":\"sum\""));
	ck_assert_ptr_nonnull(strstr(o.body, "\"interval\":[0.05,0.15]"));
	ok(store_confirmed_alert_told(db, list[0].event_id, &err));
	ok(store_confirmed_alerts(db, mem, T0, 10, &list, &n, &err));
	ck_assert_uint_eq(n, 0);
	finish();
}
END_TEST

START_TEST(webhooks_hear_of_the_jobs_that_end_after_they_began_to_listen)
{
	struct project p;
	struct job a, b;
	int64_t *ids;
	size_t n;

	begin();
	p = a_project("orbit");
	a = add_job(p.id, "x", PRIORITY_PUSH);
	b = add_job(p.id, "y", PRIORITY_PUSH);
	ok(store_job_event_add(db, a.id, T0, "done", "{}", &err));
	ok(store_ended_jobs(db, mem, "webhooks", 0, &ids, &n, &err));
	ck_assert_uint_eq(n, 0);
	ok(store_job_event_add(db, b.id, T0, "state", "{}", &err));
	ok(store_job_event_add(db, b.id, T0 + 1, "done", "{}", &err));
	ok(store_ended_jobs(db, mem, "webhooks", 0, &ids, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(ids[0], b.id);
	ok(store_ended_jobs(db, mem, "webhooks", 0, &ids, &n, &err));
	ck_assert_uint_eq(n, 0);
	finish();
}
END_TEST

SUITE("notify", defaults_are_those_of_github, mistakes_are_named_with_their_line,
	private_addresses_are_spoken_to_only_when_they_are_listed,
	retries_come_six_times_later_each_and_end, an_answer_means_done_again_or_never,
	a_webhook_is_signed_as_the_standard_says, each_end_of_a_job_has_its_word,
	a_description_has_at_most_140_characters,
	a_comment_is_filled_to_the_limit_and_counts_what_is_left_out,
	names_cannot_end_the_hidden_tag, a_newer_status_replaces_one_that_was_not_sent,
	a_lane_sends_in_order_and_an_interrupted_attempt_is_seen,
	a_rate_limit_holds_what_else_goes_to_that_forge,
	an_old_message_cannot_be_sent_over_a_newer_one,
	a_message_that_was_delivered_is_never_sent_again,
	a_delivery_of_a_forge_is_stored_once_and_processed_from_its_row,
	an_alert_is_told_once_when_it_becomes_confirmed,
	webhooks_hear_of_the_jobs_that_end_after_they_began_to_listen)
