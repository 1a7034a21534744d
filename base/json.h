/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Strict reading of JSON objects into C structs, on top of jansson. YAML files become the same
 * jansson values (base/yaml.h) and pass the same reader. Any thread, one value at a time. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum json_kind {
	JF_STRING,   /* const char *: borrowed from the value; limits = least and most bytes */
	JF_INT,	     /* int64_t; limits = least and most value */
	JF_DOUBLE,   /* double: integers are taken too; must be finite */
	JF_BOOL,     /* bool */
	JF_DURATION, /* int64_t ns: "60s", "5m", or a number of seconds; limits in seconds */
	JF_BYTES,    /* int64_t: "64Mi", "512K", "1GB", or a number; limits in bytes */
	JF_ENUM,     /* int: index into names */
	JF_OBJECT,   /* json_t *, borrowed */
	JF_ARRAY,    /* json_t *, borrowed; limits = least and most elements */
	JF_ANY,	     /* json_t *, borrowed */
};

/* One member of an object. A member that is absent or null leaves its target untouched, so the
 * caller fills the defaults first. */
struct json_field {
	const char *key;
	enum json_kind kind;
	size_t offset; /* of the target inside the struct */
	bool required;
	double min, max;	  /* limits; both 0 = no limits */
	const char *const *names; /* JF_ENUM: NULL-terminated */
};

enum json_unknown { JSON_REFUSE_UNKNOWN, JSON_IGNORE_UNKNOWN };

/* Read object o into *out by the table fields[0..n). pointer is the JSON pointer of o ("" for
 * the root) and goes into error fields. A wrong type, a limit, a missing or (if refused) an
 * unknown member gives E_UNPROCESSABLE with the field and, for unknown members, the nearest
 * known name. */
int json_read(json_t *o, const char *pointer, const struct json_field *fields, size_t n,
	void *out, enum json_unknown unknown, struct error *err) must_check;

/* Parse text of n bytes: depth at most 64, no duplicate keys, E_BAD_REQUEST names line and
 * column. Where an integer does not fit 64 bits, all numbers of the text become reals. The
 * caller owns *ret. */
int json_parse(const char *text, size_t n, json_t **ret, struct error *err) must_check;
/* Compact text with sorted keys and shortest round-trip numbers: the canonical form that hashes
 * are made of. free() it. */
char *json_canonical(const json_t *j);
/* Compact text as served, members in the order they were set, numbers as short as they read
 * back equal; free() it. */
char *json_text(const json_t *j);
void json_format(struct buf *b, const json_t *j); /* the same, appended */
/* A finite number as JSON text, the shortest that reads back equal. */
const char *json_number(double v, char out[32]);
/* Append s as a JSON string literal with quotes. */
void json_quote(struct buf *b, const char *s);

/* Builders that take NULL as null / leave the member out when told so. */
void json_set_str(json_t *o, const char *key, const char *s); /* NULL: null */
void json_set_opt(json_t *o, const char *key, const char *s); /* NULL: left out */
void json_set_int(json_t *o, const char *key, int64_t v);
void json_set_real(json_t *o, const char *key, double v); /* not finite: null */
void json_set_bool(json_t *o, const char *key, bool v);
void json_set_time(json_t *o, const char *key, int64_t ns); /* 0: null */

/* Lenient getters for values of our own making: absent or of another type gives the default. */
const char *json_get_str(const json_t *o, const char *key, const char *otherwise);
int64_t json_get_int(const json_t *o, const char *key, int64_t otherwise);
double json_get_real(const json_t *o, const char *key, double otherwise);
bool json_get_bool(const json_t *o, const char *key, bool otherwise);

/* "64Mi", "1.5GiB", "512k" (binary with i, decimal without), "4096" -> bytes. */
int bytes_parse(const char *text, int64_t *ret, struct error *err) must_check;
/* The name of names[0..] (NULL-terminated) nearest to word by edit distance, NULL if none is
 * near. */
const char *nearest_name(const char *word, const char *const *names);

#endif
