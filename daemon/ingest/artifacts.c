/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that a job keeps, piece by piece as the worker sends them. */
#include <string.h>
#include "base/secret.h"
#include "daemon/ingest/ingest.h"

struct raw_artifact {
	const char *name, *sha256, *data;
	int arm;
	int64_t size, seq;
};
#define F(key, kind, min, max, names)                                                          \
	{                                                                                      \
#key, kind, offsetof(struct raw_artifact, key), true, min, max, names          \
	}
static const struct json_field fields[] = {
	F(name, JF_STRING, 1, ARTIFACT_NAME_MAX, NULL),
	F(sha256, JF_STRING, SHA256_HEX - 1, SHA256_HEX - 1, NULL),
	F(data, JF_STRING, 0, 2 * MiB, NULL),
	F(arm, JF_ENUM, 0, 0, arm_names),
	F(size, JF_INT, 0, ARTIFACT_BYTES_MAX, NULL),
	F(seq, JF_INT, 0, 1000, NULL),
};
#undef F

static bool name_is_plain(const char *s)
{
	if (*s == '/' || !strcmp(s, "..") || !strncmp(s, "../", 3) || strstr(s, "/../"))
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

/* A new file must fit beside those that the job has. */
static int check_room(
	const struct ingest *in, const struct raw_artifact *raw, struct error *err)
{
	struct artifact *list;
	int64_t bytes = raw->size;
	size_t n;
	int r = store_artifact_list(in->st, in->arena, in->job->id, &list, &n, err);

	for (size_t i = 0; r == OK && i < n; i++)
		bytes += list[i].n_bytes;
	if (r == OK && (n >= 2 * ARTIFACTS_MAX || bytes > 2 * ARTIFACTS_BYTES_MAX))
		return error_set(err, E_TOO_LARGE, "the job keeps more than it may");
	return r;
}

static int begin(const struct ingest *in, const struct raw_artifact *raw, struct error *err)
{
	const struct artifact f = { .arm = arm_name((enum arm)raw->arm),
		.name = raw->name,
		.n_bytes = raw->size,
		.sha256 = raw->sha256,
		.created_ns = in->now_ns };
	int r = check_room(in, raw, err);

	return r < 0 ? r : store_artifact_add(in->st, in->job->id, &f, err);
}

int ingest_artifact(const struct ingest *in, json_t *message, struct error *err)
{
	struct raw_artifact raw = { 0 };
	struct artifact f;
	uint8_t *data;
	size_t n = 0;
	int r = json_read(
		message, "", fields, ARRAY_SIZE(fields), &raw, JSON_IGNORE_UNKNOWN, err);

	if (r < 0)
		return r;
	data = arena_alloc(in->arena, strlen(raw.data) + 1);
	if (!name_is_plain(raw.name) || !base64_parse(raw.data, data, &n))
		return error_set(err, E_UNPROCESSABLE,
			"a file to be kept has a name or content that cannot be");
	if (raw.seq == 0)
		r = begin(in, &raw, err);
	if (r == OK)
		r = store_artifact_find(in->st, in->arena, in->job->id,
			arm_name((enum arm)raw.arm), raw.name, &f, err);
	return r < 0 ? r : store_artifact_add_piece(in->st, f.id, raw.seq, data, n, err);
}
