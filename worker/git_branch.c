/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What names mean in the mirror, and which branch a commit belongs to. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "worker/git_internal.h"

char *git_dir(struct git *g)
{
	return arena_printf(g->job->arena, "--git-dir=%s", g->mirror);
}

bool git_parse_rev(struct git *g, const char *rev, char hash[41])
{
	_cleanup_(buf_done)
	struct buf out = { 0 };
	char *commit = arena_printf(g->job->arena, "%s^{commit}", rev);
	struct error err;

	if (GIT(g, &out, &err, git_dir(g), "rev-parse", "--verify", "--quiet",
		    "--end-of-options", commit) < 0)
		return false;
	snprintf(hash, 41, "%.40s", buf_str(&out));
	return git_hash_is_valid(hash);
}

bool git_is_abbreviation(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef");

	return n >= 7 && n <= 40 && !s[n];
}

/* HEAD of the repository is the branch that it offers when nobody names one:
 * "ref: refs/heads/NAME<tab>HEAD". */
int git_ask_default_branch(struct git *g, struct error *err)
{
	static const char before[] = "ref: refs/heads/";
	_cleanup_(buf_done)
	struct buf out = { 0 };
	const char *line, *end;
	int r = GIT(g, &out, err, "ls-remote", "--symref", "--end-of-options", g->url, "HEAD");

	if (r < 0)
		return r;
	line = strstr(buf_str(&out), before);
	end = line ? strchr(line, '\t') : NULL;
	if (!end)
		return OK;
	line += sizeof(before) - 1;
	g->default_branch = arena_strndup(g->job->arena, line, (size_t)(end - line));
	return OK;
}

/* --- which branch a commit belongs to ---------------------------------------------------- */

struct holders { /* branches that have a commit */
	const char *main, *only, *tip, *usual;
	size_t n, n_tips;
};

static void add_holder(struct git *g, struct holders *h, const char *hash, const char *line)
{
	const char *name = line + 41;

	if (strlen(line) < 42)
		return;
	h->only = name;
	h->n++;
	if (!strcmp(name, "main"))
		h->main = name;
	if (g->default_branch && !strcmp(name, g->default_branch))
		h->usual = name;
	if (!strncmp(line, hash, 40)) {
		h->tip = name;
		h->n_tips++;
	}
}

static int list_holders(struct git *g, const char *hash, struct holders *ret)
{
	_cleanup_(buf_done)
	struct buf out = { 0 };
	struct error err;
	char *line, *rest;
	int r = GIT(g, &out, &err, git_dir(g), "for-each-ref", "--contains", hash,
		"--format=%(objectname) %(refname:lstrip=2)", "refs/heads");

	*ret = (struct holders){ 0 };
	if (r < 0)
		return r;
	rest = arena_strdup(g->job->arena, buf_str(&out));
	while ((line = strsep(&rest, "\n")))
		add_holder(g, ret, hash, line);
	return OK;
}

/* The branch of a commit that was named by its hash: main when that has it, else the only one
 * that has it, else the repository's default, else the one whose newest commit it is. NULL
 * when that does not decide. */
static const char *branch_of_commit(struct git *g, const char *hash)
{
	struct holders h;
	struct error err;

	if (list_holders(g, hash, &h) < 0 || !h.n)
		return NULL;
	if (h.main || h.n == 1)
		return h.main ? h.main : h.only;
	if (!g->default_branch && git_ask_default_branch(g, &err) == OK &&
		list_holders(g, hash, &h) < 0)
		return NULL;
	return h.usual ? h.usual : h.n_tips == 1 ? h.tip : NULL;
}

const char *git_branch_of(struct git *g, const struct spec_arm *spec, const char *hash)
{
	char tip[41];

	if (spec->ref && !strcmp(spec->ref, "HEAD"))
		return g->default_branch;
	if (!spec->finds_branch)
		return NULL;
	if (spec->hash || git_is_abbreviation(spec->ref))
		return branch_of_commit(g, hash);
	return git_parse_rev(g, arena_printf(g->job->arena, "refs/heads/%s", spec->ref), tip)
		       ? spec->ref
		       : NULL;
}
