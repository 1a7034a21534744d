/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which branches and files a rule is for. */
#include <string.h>
#include "base/text.h"
#include "daemon/hooks/internal.h"

static bool matches_any(json_t *globs, const char *s)
{
	size_t i;
	json_t *v;

	json_array_foreach (globs, i, v)
		if (glob_match(json_string_value(v), s))
			return true;
	return false;
}

bool rule_takes_branch(const struct hook_rule *r, const char *branch)
{
	return !r->branches || matches_any(r->branches, branch);
}

static bool takes_file(const struct hook_rule *r, const char *path)
{
	return (!r->paths || matches_any(r->paths, path)) &&
	       !matches_any(r->paths_ignore, path);
}

static bool takes_one_of(const struct hook_rule *r, json_t *files)
{
	size_t i;
	json_t *v;

	json_array_foreach (files, i, v)
		if (json_is_string(v) && takes_file(r, json_string_value(v)))
			return true;
	return false;
}

bool rule_takes_files(const struct hook_rule *r, const struct push *p)
{
	static const char *const lists[] = { "added", "modified", "removed" };
	size_t i;
	json_t *commit;

	if ((!r->paths && !r->paths_ignore) || !p->is_complete)
		return true;
	json_array_foreach (p->commits, i, commit)
		for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
			if (takes_one_of(r, json_object_get(commit, lists[k])))
				return true;
	return false;
}
