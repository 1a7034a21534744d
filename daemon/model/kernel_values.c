/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values of a kernel's parameters that are wrong for every kernel are refused when they come,
 * not when the job runs. What depends on the kernel or the host is benchd-kernel's to judge. */
#include "daemon/model/internal.h"

#include <string.h>
#include "base/text.h"

static const char *const backends[] = { "scalar", "simd", "threads", "vulkan", "blas", "fftw",
	"all", NULL };
static const char *const dtypes[] = { "f32", "f64", "u8", "u32", "u64", "i32", "all", NULL };
static const struct {
	const char *parameter;
	const char *const *values;
} rows[] = { { "backend", backends }, { "dtype", dtypes } };

static bool is_one_of(const char *word, size_t n, const char *const *values)
{
	for (size_t i = 0; values[i]; i++)
		if (strlen(values[i]) == n && !strncmp(values[i], word, n))
			return true;
	return false;
}

static int refuse(
	const char *parameter, const char *text, const char *const *values, struct error *err)
{
	char list[128] = "", field[64];

	for (size_t i = 0, at = 0; values[i]; i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s",
			!i		? ""
			: values[i + 1] ? ", "
					: " and ",
			values[i]);
	snprintf(field, sizeof(field), "/parameters/%s", parameter);
	return error_set_field(err, E_UNPROCESSABLE, field,
		"'%s' is '%.40s'; there are %s, and lists of them with commas", parameter, text,
		list);
}

int kernel_values_check(const json_t *parameters, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const json_t *v = json_object_get(parameters, rows[i].parameter);
		const char *text = json_string_value(v), *at = text;

		if (!v)
			continue;
		if (!text)
			return refuse(rows[i].parameter, "no text", rows[i].values, err);
		for (;; at++) {
			size_t n = strcspn(at, ",");

			if (!is_one_of(at, n, rows[i].values))
				return refuse(rows[i].parameter, text, rows[i].values, err);
			at += n;
			if (!*at)
				break;
		}
	}
	return OK;
}
