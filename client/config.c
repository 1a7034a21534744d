/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "client/client.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fs.h"
#include "base/yaml.h"

#define FOLDER_FILE ".benchd.yaml"

struct file {
	const char *host, *token, *token_file, *project, *testbed, *ca;
};
static const struct json_field fields[] = {
	{ "host", JF_STRING, offsetof(struct file, host), false, 1, 1000, NULL },
	{ "token", JF_STRING, offsetof(struct file, token), false, 1, 200, NULL },
	{ "token_file", JF_STRING, offsetof(struct file, token_file), false, 1, 4000, NULL },
	{ "project", JF_STRING, offsetof(struct file, project), false, 1, 64, NULL },
	{ "testbed", JF_STRING, offsetof(struct file, testbed), false, 1, 64, NULL },
	{ "ca", JF_STRING, offsetof(struct file, ca), false, 1, 4000, NULL },
};

static int read_token_file(struct client *c, const char *path, struct error *err)
{
	struct buf b = { 0 };
	struct stat st;
	int r;

	if (stat(path, &st) == 0 && (st.st_mode & 077))
		return error_set(err, E_FORBIDDEN,
			"the token file '%s' can be read by others; chmod 600 it", path);
	r = file_read(path, 4096, &b, err);
	if (r == OK) {
		c->token = arena_strndup(c->arena, buf_str(&b), strcspn(buf_str(&b), "\r\n"));
		c->token_from = arena_strdup(c->arena, path);
	}
	buf_done(&b);
	return r;
}

static void take(const char **slot, const char **from, const char *value, const char *where)
{
	if (!value || *slot)
		return;
	*slot = value;
	if (from)
		*from = where;
}

/* Who clones a repository has not written its file: it names no file elsewhere that is read and
 * sent. */
static int check_below_folder(const char *path, struct error *err)
{
	_cleanup_(free)
	char *here = realpath(".", NULL);
	_cleanup_(free)
	char *real = realpath(path, NULL);
	size_t n = here ? strlen(here) : 0;

	if (!here || !real)
		return error_errno(err, E_IO, "cannot read the token file '%s'", path);
	if (n > 1 && !strncmp(real, here, n) && real[n] == '/')
		return OK;
	return error_set(err, E_FORBIDDEN,
		"token_file '%s' of " FOLDER_FILE " is outside its folder; name it in "
		"BENCHD_TOKEN_FILE or in your own file",
		path);
}

static int take_token_file(
	struct client *c, const char *path, const char *config, struct error *err)
{
	int r = strcmp(config, FOLDER_FILE) ? OK : check_below_folder(path, err);

	return r < 0 ? r : read_token_file(c, path, err);
}

/* Values already set win, so files are read from the nearest to the farthest. */
static int load_file(struct client *c, const char *path, struct error *err)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	_cleanup_(yaml_lines_free)
	struct yaml_lines *lines = NULL;
	struct file f = { 0 };
	struct error inner = { 0 };
	bool had_token = c->token != NULL;
	json_t *j;
	int r = file_read(path, 65536, &b, &inner);

	if (r == E_NOT_FOUND)
		return OK;
	if (r < 0) {
		*err = inner;
		return r;
	}
	r = yaml_parse(path, buf_str(&b), b.len, &j, &lines, err);
	if (r < 0)
		return r;
	arena_own_json(c->arena, j);
	r = json_read(j, "", fields, ARRAY_SIZE(fields), &f, JSON_REFUSE_UNKNOWN, err);
	if (r < 0)
		return yaml_locate_error(path, lines, err);
	path = arena_strdup(c->arena, path);
	take(&c->host, &c->host_from, f.host, path);
	take(&c->project, &c->project_from, f.project, path);
	take(&c->testbed, NULL, f.testbed, path);
	take(&c->ca, NULL, f.ca, path);
	if (f.token_file && !c->token)
		r = take_token_file(c, f.token_file, path, err);
	take(&c->token, &c->token_from, f.token, path);
	if (!had_token && c->token) {
		c->token_config = path;
		c->token_host = f.host;
	}
	return r < 0 ? r : OK;
}

static int load_environment(struct client *c, struct error *err)
{
	const char *file = getenv("BENCHD_TOKEN_FILE");

	take(&c->host, &c->host_from, getenv("BENCHD_HOST"), "BENCHD_HOST");
	take(&c->token, &c->token_from, getenv("BENCHD_TOKEN"), "BENCHD_TOKEN");
	take(&c->token, &c->token_from, getenv("BENCHER_API_TOKEN"), "BENCHER_API_TOKEN");
	take(&c->project, &c->project_from, getenv("BENCHD_PROJECT"), "BENCHD_PROJECT");
	take(&c->testbed, NULL, getenv("BENCHD_TESTBED"), NULL);
	take(&c->ca, NULL, getenv("BENCHD_CA"), NULL);
	return file && !c->token ? read_token_file(c, file, err) : OK;
}

int config_load(struct client *c, struct error *err)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	const char *term = getenv("TERM");
	int r = load_environment(c, err);

	c->use_color =
		isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && term && strcmp(term, "dumb");
	if (r == OK)
		r = load_file(c, FOLDER_FILE, err);
	if (r == OK && (xdg || home))
		r = load_file(c,
			xdg ? arena_printf(c->arena, "%s/benchd/benchctl.yaml", xdg)
			    : arena_printf(c->arena, "%s/.config/benchd/benchctl.yaml", home),
			err);
	if (r == OK)
		r = load_file(c, "/etc/benchd/benchctl.yaml", err);
	take(&c->host, &c->host_from, "http://127.0.0.1:6610", "default");
	take(&c->project, &c->project_from, "default", "default");
	return r;
}

static bool is_same_host(const char *one, const char *other)
{
	size_t n = strlen(one), m = strlen(other);

	while (n && one[n - 1] == '/')
		n--;
	while (m && other[m - 1] == '/')
		m--;
	return n == m && !strncmp(one, other, n);
}

int config_check_token(const struct client *c, struct error *err)
{
	if (!c->token || !c->token_config || strcmp(c->host_from, FOLDER_FILE) ||
		!strcmp(c->token_config, FOLDER_FILE))
		return OK;
	if (c->token_host && is_same_host(c->token_host, c->host))
		return OK;
	return error_set(err, E_FORBIDDEN,
		"the token of '%s' is not sent to '%s', which only ./" FOLDER_FILE
		" names: write that host beside the token, or give --host",
		c->token_config, c->host);
}

void config_print(const struct client *c)
{
	printf("host     %s  (%s)\n", c->host, c->host_from);
	printf("project  %s  (%s)\n", c->project, c->project_from);
	printf("token    %s  (%s)\n", c->token ? "set" : "none",
		c->token ? c->token_from : "-");
}
