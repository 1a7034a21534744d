/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The context of a run: what Bencher's client found out about repository, branch and host.
 * Names that the body leaves out come from here. */
#include "daemon/ingest/upload.h"

#include <string.h>
#include "base/text.h"

enum { NAME_CUT = 64, SLUG_NAME_CUT = 42, SLUG_HASH_CUT = 7, SLUG_FINGERPRINT_CUT = 13 };

static const char *get(const json_t *o, const char *path)
{
	char key[64];
	const json_t *v;

	snprintf(key, sizeof(key), "bencher.dev/v0/%s", path);
	v = json_object_get(o, key);
	/* One with a NUL inside is as good as none. */
	if (!v || strlen(json_string_value(v)) != json_string_length(v))
		return NULL;
	return json_string_value(v);
}

/* At most n bytes of s, whole characters only. */
static const char *cut(struct arena *a, const char *s, size_t n)
{
	size_t len = strlen(s);

	if (len > n)
		for (len = n; len > 0 && (s[len] & 0xc0) == 0x80;)
			len--;
	return arena_strndup(a, s, len);
}

static void project_of(const json_t *o, struct arena *a, struct upload *u)
{
	const char *name = get(o, "repo/name"), *hash = get(o, "repo/hash");
	const char *fingerprint = get(o, "testbed/fingerprint");
	const char *label;
	char slug[SLUG_TEXT];

	u->run_project = cut(a, name && *name ? name : "Project", NAME_CUT);
	label = arena_printf(a, "%s %s %s", cut(a, u->run_project, SLUG_NAME_CUT),
		hash ? cut(a, hash, SLUG_HASH_CUT) : "",
		fingerprint ? cut(a, fingerprint, SLUG_FINGERPRINT_CUT) : "");
	u->run_slug = arena_strdup(a, slug_format(label, slug));
	if (!*u->run_slug)
		u->run_slug = "project";
}

static int check_strings(json_t *o, struct error *err)
{
	const char *key;
	json_t *v;

	json_object_foreach (o, key, v)
		if (!json_is_string(v))
			return error_set_field(err, E_UNPROCESSABLE, "/context",
				"'context' must hold strings; '%.60s' is none", key);
	return OK;
}

static const char *if_branch(const char *name)
{
	return name && ref_name_is_valid(name) ? name : NULL;
}

static const char *if_name(const char *name)
{
	struct error ignored;

	if (!name || upload_check_name("testbed", name, 64, "", &ignored) < 0)
		return NULL;
	return name;
}

int upload_read_context(json_t *o, struct arena *a, struct upload *u, struct error *err)
{
	const char *hash;
	int r = check_strings(o, err);

	if (r < 0)
		return r;
	if (o)
		project_of(o, a, u);
	hash = get(o, "branch/hash");
	if (!u->branch)
		u->branch = if_branch(get(o, "branch/ref/name"));
	if (!u->hash && hash && git_hash_is_valid(hash))
		u->hash = hash;
	if (!u->testbed)
		u->testbed = if_name(get(o, "testbed/os"));
	u->branch = u->branch ? u->branch : "main";
	u->testbed = u->testbed ? u->testbed : "localhost";
	return OK;
}
