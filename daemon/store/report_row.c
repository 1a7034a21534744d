/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of reports, branches, testbeds, benchmarks and measures out of joins. */
#include "daemon/store/report.h"

#include <ctype.h>
#include <string.h>

void branch_read(struct query *q, struct arena *a, int64_t project_id, struct branch *ret)
{
	ret->project_id = project_id;
	ret->id = column_int(q);
	ret->uuid = column_text(q, a);
	ret->name = column_text(q, a);
	ret->slug = column_text(q, a);
	ret->created_ns = column_int(q);
	ret->modified_ns = column_int(q);
	ret->archived_ns = column_int(q);
	ret->head_id = column_int(q);
	ret->head_uuid = column_text(q, a);
	ret->head_created_ns = column_int(q);
}

void testbed_read(struct query *q, struct arena *a, int64_t project_id, struct testbed *ret)
{
	ret->project_id = project_id;
	ret->id = column_int(q);
	ret->uuid = column_text(q, a);
	ret->name = column_text(q, a);
	ret->slug = column_text(q, a);
	ret->created_ns = column_int(q);
	ret->modified_ns = column_int(q);
	ret->archived_ns = column_int(q);
}

void benchmark_read(struct query *q, struct arena *a, int64_t project_id, struct benchmark *ret)
{
	ret->project_id = project_id;
	ret->id = column_int(q);
	ret->uuid = column_text(q, a);
	ret->name = column_text(q, a);
	ret->slug = column_text(q, a);
	ret->created_ns = column_int(q);
	ret->modified_ns = column_int(q);
	ret->archived_ns = column_int(q);
}

void measure_read(struct query *q, struct arena *a, int64_t project_id, struct measure *ret)
{
	ret->project_id = project_id;
	ret->id = column_int(q);
	ret->uuid = column_text(q, a);
	ret->name = column_text(q, a);
	ret->slug = column_text(q, a);
	ret->units = column_text(q, a);
	ret->better = (enum better)column_enum(q, better_parse, BETTER_LOWER);
	ret->created_ns = column_int(q);
	ret->modified_ns = column_int(q);
	ret->archived_ns = column_int(q);
}

void report_read(struct query *q, struct arena *a, struct report *ret)
{
	ret->id = column_int(q);
	ret->uuid = column_text(q, a);
	ret->project_id = column_int(q);
	ret->job_id = column_int(q);
	ret->job_uuid = column_text(q, a);
	ret->environment_id = column_int(q);
	ret->environment_hash = column_text(q, a);
	ret->adapter = column_text(q, a);
	ret->arm = (enum arm)column_enum(q, arm_parse, ARM_HEAD);
	ret->noise = (enum noise)column_enum(q, noise_parse, NOISE_SUSPECT);
	ret->start_ns = column_int(q);
	ret->end_ns = column_int(q);
	ret->created_ns = column_int(q);
	ret->summary_json = column_text(q, a);
	ret->version.id = column_int(q);
	ret->version.number = column_int(q);
	ret->version.uuid = column_text(q, a);
	ret->version.hash = column_text(q, a);
	branch_read(q, a, ret->project_id, &ret->branch);
	testbed_read(q, a, ret->project_id, &ret->testbed);
}

const char *metric_uuid(const char *report_uuid, int64_t id, char out[UUID_TEXT])
{
	char text[UUID_TEXT + 24];
	char hex[SHA256_HEX];

	snprintf(text, sizeof(text), "%s %lld", report_uuid, (long long)id);
	sha256_hex(text, strlen(text), hex);
	snprintf(out, UUID_TEXT, "%08llx-%04llx-8%.3s-%c%.3s-%.12s",
		(unsigned long long)id >> 16 & 0xffffffff, (unsigned long long)id & 0xffff, hex,
		"89ab"[hex[3] & 3], hex + 4, hex + 8);
	return out;
}

int64_t metric_id_of_uuid(const char *uuid)
{
	char digits[13];

	if (!uuid_is_valid(uuid))
		return 0;
	memcpy(digits, uuid, 8);
	memcpy(digits + 8, uuid + 9, 4);
	digits[12] = 0;
	return (int64_t)strtoull(digits, NULL, 16);
}
