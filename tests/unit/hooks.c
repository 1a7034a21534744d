/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hooks: the configuration, signatures, and what deliveries ask for. */
#include "tests/lib/unit.h"

#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/rng.h"
#include "base/yaml.h"
#include "daemon/hooks/hooks.h"

#define A "1111111111111111111111111111111111111111"
#define B "2222222222222222222222222222222222222222"
#define ZERO "0000000000000000000000000000000000000000"

static struct arena *mem;
static char folder[64];
static struct hooks hooks;
static struct error err;

static void write_secret(const char *text, mode_t mode)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/secret", folder);
	ck_assert_int_eq(file_write(path, text, strlen(text), mode, &err), OK);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static void begin(void)
{
	strcpy(folder, "/tmp/benchd-hooks-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	mem = arena_new();
	err = (struct error){ 0 };
	write_secret("It's a Secret to Everybody\n", 0600);
}

static void end(void)
{
	arena_free(mem);
	ck_assert_int_eq(dir_remove(folder, &err), OK);
}

#define HEAD                                                                                   \
	"hooks:\n  orbit:\n    repository: ada/orbit\n    secret_file: secret\n    rules:\n"
#define RULE HEAD "    - workload: orbit\n      project: orbit\n"

static const char workloads[] =
	"{\"orbit\":{\"kind\":\"build\"},\"sort\":{\"kind\":\"command\"}}";

static int read_config(const char *yaml)
{
	struct yaml_lines *lines = NULL;
	json_t *o = NULL, *w = NULL;
	int r = yaml_parse("b.yaml", yaml, strlen(yaml), &o, &lines, &err);

	ck_assert_int_eq(json_parse(workloads, strlen(workloads), &w, &err), OK);
	arena_own_json(mem, w);
	if (r == OK) {
		arena_own_json(mem, o);
		r = hooks_read(json_object_get(o, "hooks"), folder, w, mem, &hooks, &err);
	}
	if (r < 0)
		r = yaml_locate_error("b.yaml", lines, &err);
	yaml_lines_free(lines);
	return r;
}

static const struct hook *hook_of(const char *yaml)
{
	ck_assert_msg(read_config(yaml) == OK, "%s", err.text);
	return hooks_find(&hooks, "orbit");
}

static struct hook_plan plan;

static int plan_of(const struct hook *h, const char *event, const char *body)
{
	return hook_plan(h, event, body, strlen(body), mem, &plan, &err);
}

static void planned(const struct hook *h, const char *event, const char *body)
{
	ck_assert_msg(plan_of(h, event, body) == OK, "%s", err.text);
}

static const char *order_str(size_t i, const char *key)
{
	return json_get_str(plan.orders[i].body, key, "-");
}

/* --- signatures --- */

/* GitHub, "Validating webhook deliveries", test values. */
static const char body[] = "Hello, World!";
static const char right[] =
	"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

static bool is_right(const struct hook *h, const char *header)
{
	return hook_signature_is_right(h, header, body, strlen(body));
}

START_TEST(the_signature_of_githubs_documentation_is_right)
{
	const struct hook *h;

	begin();
	h = hook_of(RULE);
	ck_assert(is_right(h, right));
	ck_assert(!hook_signature_is_right(h, right, "Hello, World?", 13));
	ck_assert(!is_right(h, NULL));
	ck_assert(!is_right(h, ""));
	ck_assert(is_right(h, right + 7)); /* Gitea and Forgejo */
	ck_assert(!is_right(h, "sha1=757107ea0eb2509fc211221cce984b8a37570b6d"));
	ck_assert(!is_right(h, "sha256="));
	ck_assert(!is_right(
		h, "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b04e17d"));
	ck_assert(!is_right(h,
		"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e1700"));
	end();
}
END_TEST

START_TEST(while_secrets_change_over_both_are_taken)
{
	begin();
	write_secret("another secret\nIt's a Secret to Everybody\n", 0600);
	ck_assert(is_right(hook_of(RULE), right));
	write_secret("another secret\n", 0600);
	ck_assert(!is_right(hook_of(RULE), right));
	end();
}
END_TEST

START_TEST(a_secret_that_others_can_read_is_refused)
{
	begin();
	write_secret("It's a Secret to Everybody\n", 0640);
	ck_assert_int_eq(read_config(RULE), E_UNPROCESSABLE);
	ck_assert_msg(strstr(err.text, "b.yaml:4: the secret '"), "%s", err.text);
	ck_assert_msg(strstr(err.text, "can be read by others; chmod 600 it"), "%s", err.text);
	write_secret("\n \n", 0600);
	ck_assert_int_eq(read_config(RULE), E_UNPROCESSABLE);
	ck_assert_msg(strstr(err.text, "holds no secret"), "%s", err.text);
	write_secret("short\n", 0600);
	ck_assert_int_eq(read_config(RULE), E_UNPROCESSABLE);
	ck_assert_msg(strstr(err.text, "has 5 bytes; it must have 8 to 1024"), "%s", err.text);
	end();
}
END_TEST

/* --- configuration --- */

START_TEST(mistakes_in_the_configuration_are_named_with_their_line)
{
	static const struct {
		const char *yaml, *part;
	} cases[] = {
		{ "hooks:\n  deliveries:\n    x: 1\n", "the name of a hook" },
		{ "hooks:\n  orbit:\n    repository: ada/orbit\n    secret_file: secret\n    "
		  "secret: x\n    rules: [{}]\n",
			"b.yaml:5:" },
		{ "hooks:\n  orbit:\n    repository: orbit\n    secret_file: secret\n    "
		  "rules: [{workload: orbit, project: o}]\n",
			"b.yaml:3: 'repository' must be OWNER/NAME" },
		{ HEAD "    - workload: orbit\n", "'project' is missing" },
		{ RULE "      branchs: [main]\n", "did you mean 'branches'" },
		{ RULE "      branches: [1]\n", "b.yaml:8: a pattern must be a string" },
		{ RULE "      events: [issues]\n",
			"b.yaml:8: an event is one of 'push', 'pull_request'" },
		{ RULE "      priority: confirm\n", "b.yaml:8: 'confirm' is kept" },
		{ RULE "      base: parent\n", "b.yaml:8:" },
		{ HEAD "    - workload: sort\n      project: orbit\n",
			"b.yaml:6: a hook measures commits: the workload must be of kind" },
		{ HEAD "    - workload: orbit\n      project: Orbit\n",
			"b.yaml:7: 'project' must be a slug" },
	};

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_int_lt(read_config(cases[i].yaml), 0);
		ck_assert_msg(strstr(err.text, cases[i].part), "%zu: %s", i, err.text);
	}
	end();
}
END_TEST

/* --- pushes --- */

#define PUSH(ref, before, after, more)                                                         \
	"{\"ref\":\"" ref "\",\"before\":\"" before "\",\"after\":\"" after "\","              \
	"\"repository\":{\"full_name\":\"Ada/Orbit\",\"default_branch\":\"main\"}" more "}"
#define LIST_DOCS ",\"commits\":[{\"added\":[\"docs/a.md\"],\"modified\":[\"README.md\"]}]"
#define DOCS ",\"forced\":false" LIST_DOCS
#define CODE                                                                                   \
	",\"forced\":false,\"commits\":[{\"modified\":[\"README.md\"]},{\"removed\":["         \
	"\"kepler.c\"]}]"

START_TEST(a_push_is_measured_against_the_commit_before)
{
	begin();
	planned(hook_of(RULE), "push", PUSH("refs/heads/main", A, B, CODE));
	ck_assert_uint_eq(plan.n, 1);
	ck_assert_str_eq(order_str(0, "workload"), "orbit");
	ck_assert_str_eq(order_str(0, "branch"), "main");
	ck_assert_str_eq(order_str(0, "head"), B);
	ck_assert_str_eq(order_str(0, "base"), A);
	ck_assert_str_eq(order_str(0, "priority"), "push");
	ck_assert_str_eq(order_str(0, "supersede_key"), "push:orbit:main");
	ck_assert(!json_get_bool(plan.orders[0].body, "merge_base", false));
	ck_assert(!plan.orders[0].awaits_approval);
	end();
}
END_TEST

START_TEST(a_new_branch_is_measured_against_where_it_left_the_default_one)
{
	begin();
	planned(hook_of(RULE), "push", PUSH("refs/heads/dev", ZERO, B, ",\"created\":true"));
	ck_assert_str_eq(order_str(0, "base"), "main");
	ck_assert(json_get_bool(plan.orders[0].body, "merge_base", false));
	planned(hook_of(RULE), "push", PUSH("refs/heads/main", ZERO, B, ""));
	ck_assert_str_eq(order_str(0, "base"), "-");
	planned(hook_of(RULE "      base: merge-base\n"), "push",
		PUSH("refs/heads/dev", A, B, ""));
	ck_assert_str_eq(order_str(0, "base"), "main");
	planned(hook_of(RULE "      base: none\n"), "push", PUSH("refs/heads/dev", A, B, ""));
	ck_assert_str_eq(order_str(0, "base"), "-");
	end();
}
END_TEST

START_TEST(a_push_that_changes_only_ignored_files_asks_for_nothing)
{
	static const char rule[] = RULE "      paths_ignore: [\"*.md\", \"docs/*\"]\n";

	begin();
	planned(hook_of(rule), "push", PUSH("refs/heads/main", A, B, DOCS));
	ck_assert_uint_eq(plan.n, 0);
	ck_assert_str_eq(
		plan.ignored, "the push to 'main' changes only files that no rule is for");
	planned(hook_of(rule), "push", PUSH("refs/heads/main", A, B, CODE));
	ck_assert_uint_eq(plan.n, 1);
	ck_assert_str_eq(json_string_value(json_array_get(
				 json_object_get(plan.orders[0].body, "paths_ignore"), 0)),
		"*.md");
	planned(hook_of(RULE "      paths: [\"*.c\"]\n"), "push",
		PUSH("refs/heads/main", A, B, DOCS));
	ck_assert_uint_eq(plan.n, 0);
	/* What changed is not known: measure. */
	planned(hook_of(rule), "push",
		PUSH("refs/heads/main", A, B, ",\"forced\":true" LIST_DOCS));
	ck_assert_uint_eq(plan.n, 1);
	planned(hook_of(rule), "push", PUSH("refs/heads/main", A, B, LIST_DOCS)); /* Gitea */
	ck_assert_uint_eq(plan.n, 1);
	planned(hook_of(rule), "push",
		PUSH("refs/heads/main", A, B, ",\"total_commits\":7" DOCS));
	ck_assert_uint_eq(plan.n, 1);
	planned(hook_of(rule), "push", PUSH("refs/heads/main", A, B, ",\"commits\":[]"));
	ck_assert_uint_eq(plan.n, 1);
	end();
}
END_TEST

START_TEST(gitea_has_other_words_for_some_things)
{
	begin();
	planned(hook_of(RULE), "delete",
		"{\"ref\":\"feature\",\"ref_type\":\"branch\",\"repository\":{\"full_name\":"
		"\"ada/orbit\"}}");
	ck_assert_str_eq(plan.gone_branch, "feature");
	ck_assert_str_eq(plan.end_key, "push:orbit:feature");
	planned(hook_of(RULE), "delete",
		"{\"ref\":\"v1\",\"ref_type\":\"tag\",\"repository\":{\"full_name\":"
		"\"ada/orbit\"}}");
	ck_assert_ptr_null(plan.gone_branch);
	ck_assert_int_eq(plan_of(hook_of(RULE), "delete",
				 "{\"ref\":\"a..b\",\"ref_type\":\"branch\",\"repository\":{"
				 "\"full_name\":\"ada/orbit\"}}"),
		E_UNPROCESSABLE);
	end();
}
END_TEST

START_TEST(other_branches_and_tags_ask_for_nothing)
{
	static const char rule[] = RULE "      branches: [main, \"release/*\"]\n";

	begin();
	planned(hook_of(rule), "push", PUSH("refs/heads/dev", A, B, CODE));
	ck_assert_str_eq(plan.ignored, "no rule is for pushes to 'dev'");
	planned(hook_of(rule), "push", PUSH("refs/heads/release/1.2", A, B, CODE));
	ck_assert_uint_eq(plan.n, 1);
	planned(hook_of(rule), "push", PUSH("refs/tags/v1", A, B, CODE));
	ck_assert_str_eq(plan.ignored, "no branch was pushed");
	planned(hook_of(rule), "ping", "{\"zen\":\"x\"}");
	ck_assert_str_eq(plan.ignored, "the event 'ping' asks for nothing");
	end();
}
END_TEST

START_TEST(a_deleted_branch_is_put_away)
{
	begin();
	planned(hook_of(RULE), "push", PUSH("refs/heads/dev", A, ZERO, ",\"deleted\":true"));
	ck_assert_uint_eq(plan.n, 0);
	ck_assert_str_eq(plan.gone_branch, "dev");
	ck_assert_str_eq(plan.end_key, "push:orbit:dev");
	ck_assert_uint_eq(plan.n_projects, 1);
	ck_assert_str_eq(plan.projects[0], "orbit");
	end();
}
END_TEST

START_TEST(payloads_that_lie_are_refused_by_name)
{
	static const struct {
		const char *event, *text, *part;
	} cases[] = {
		{ "push", "", "the payload is empty" },
		{ "push", "[", "the payload: " },
		{ "push", "[]", "no JSON object" },
		{ "push", "{}", "'repository/full_name' of the payload is missing" },
		{ "push", "{\"repository\":{\"full_name\":\"eve/orbit\"}}",
			"is of the repository 'eve/orbit', the hook 'orbit' is for "
			"'ada/orbit'" },
		{ "push", PUSH("refs/heads/main", A, "--upload-pack=x", ""),
			"'after' of the payload is not a commit hash" },
		{ "push", PUSH("refs/heads/main", "A", B, ""), "'before' of the payload" },
		{ "push", PUSH("refs/heads/-x", A, B, ""), "'ref' of the payload" },
		{ "pull_request",
			"{\"action\":\"opened\",\"repository\":{\"full_name\":\"ada/orbit\"}}",
			"'number' of the payload is not a number from 1" },
	};

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_int_lt(plan_of(hook_of(RULE), cases[i].event, cases[i].text), 0);
		ck_assert_msg(strstr(err.text, cases[i].part), "%zu: %s", i, err.text);
	}
	end();
}
END_TEST

/* --- pull requests --- */

#define PULLS RULE "      events: [pull_request]\n      branches: [main]\n"
#define PULL(action, from, to)                                                                 \
	"{\"action\":\"" action                                                                \
	"\",\"number\":7,\"repository\":{\"full_name\":\"ada/orbit\"},"                        \
	"\"pull_request\":{\"head\":{\"sha\":\"" B "\",\"ref\":\"main\",\"repo\":" from "},"   \
	"\"base\":{\"sha\":\"" A "\",\"ref\":\"" to "\"}}}"
#define OURS "{\"full_name\":\"ada/orbit\",\"fork\":false}"
#define FORK "{\"full_name\":\"eve/orbit\",\"fork\":true}"

START_TEST(a_pull_request_is_measured_against_its_merge_base)
{
	begin();
	planned(hook_of(PULLS), "pull_request", PULL("opened", OURS, "main"));
	ck_assert_uint_eq(plan.n, 1);
	ck_assert_str_eq(order_str(0, "branch"), "pull/7");
	ck_assert_str_eq(order_str(0, "head"), B);
	ck_assert_str_eq(order_str(0, "base"), "main");
	ck_assert(json_get_bool(plan.orders[0].body, "merge_base", false));
	ck_assert_str_eq(order_str(0, "supersede_key"), "pr:orbit:7");
	ck_assert_int_eq(plan.orders[0].pull, 7);
	ck_assert(!plan.orders[0].awaits_approval);
	planned(hook_of(PULLS), "pull_request", PULL("synchronize", OURS, "dev"));
	ck_assert_str_eq(plan.ignored, "no rule is for pull requests to 'dev'");
	planned(hook_of(PULLS), "pull_request", PULL("edited", OURS, "main"));
	ck_assert_str_eq(plan.ignored, "the action 'edited' changes no commit");
	planned(hook_of(PULLS), "pull_request", PULL("closed", OURS, "main"));
	ck_assert_uint_eq(plan.n, 0);
	ck_assert_str_eq(plan.end_key, "pr:orbit:7");
	planned(hook_of(RULE), "pull_request", PULL("opened", OURS, "main"));
	ck_assert_uint_eq(plan.n, 0);
	end();
}
END_TEST

START_TEST(a_fork_waits_for_approval_also_when_it_is_gone_or_calls_itself_none)
{
	begin();
	planned(hook_of(PULLS), "pull_request", PULL("opened", FORK, "main"));
	ck_assert(plan.orders[0].awaits_approval);
	planned(hook_of(PULLS), "pull_request", PULL("opened", "null", "main"));
	ck_assert(plan.orders[0].awaits_approval);
	planned(hook_of(PULLS), "pull_request",
		PULL("opened", "{\"full_name\":\"eve/orbit\",\"fork\":false}", "main"));
	ck_assert(plan.orders[0].awaits_approval);
	end();
}
END_TEST

START_TEST(whatever_a_payload_holds_it_is_read_or_refused_in_a_sentence)
{
	static const char *const seeds[] = { PUSH("refs/heads/main", A, B, CODE),
		PULL("opened", FORK, "main") };
	static const char *const events[] = { "push", "pull_request" };
	const struct hook *h;
	struct rng rng;
	int n_read = 0;

	begin();
	h = hook_of(RULE "      events: [push, pull_request]\n      paths: [\"*.c\"]\n");
	rng_init(&rng, 20261121);
	for (int i = 0; i < 20000; i++) {
		size_t which = rng_below(&rng, 2), n = strlen(seeds[which]);
		char *text = xstrdup(seeds[which]);
		struct arena *outer = mem;

		for (uint64_t k = 1 + rng_below(&rng, 3); k > 0; k--)
			text[rng_below(&rng, n)] = (char)rng_below(&rng, 256);
		if (rng_below(&rng, 8) == 0)
			n = rng_below(&rng, n);
		mem = arena_new();
		err = (struct error){ 0 };
		if (hook_plan(h, events[which], text, n, mem, &plan, &err) == OK)
			n_read++;
		else
			ck_assert_str_ne(err.text, "");
		arena_free(mem);
		mem = outer;
		free(text);
	}
	ck_assert_int_gt(n_read, 100);
	end();
}
END_TEST

SUITE("hooks", whatever_a_payload_holds_it_is_read_or_refused_in_a_sentence,
	the_signature_of_githubs_documentation_is_right,
	while_secrets_change_over_both_are_taken, a_secret_that_others_can_read_is_refused,
	mistakes_in_the_configuration_are_named_with_their_line,
	a_push_is_measured_against_the_commit_before,
	a_new_branch_is_measured_against_where_it_left_the_default_one,
	a_push_that_changes_only_ignored_files_asks_for_nothing,
	gitea_has_other_words_for_some_things, other_branches_and_tags_ask_for_nothing,
	a_deleted_branch_is_put_away, payloads_that_lie_are_refused_by_name,
	a_pull_request_is_measured_against_its_merge_base,
	a_fork_waits_for_approval_also_when_it_is_gone_or_calls_itself_none)
