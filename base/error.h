/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors: a negative code and one sentence.
 *
 * A fallible function returns OK or a negative code and fills the caller's struct error. The
 * lowest layer that knows the reason writes the sentence: it names the thing in single quotes
 * and says what to do. Any thread; no allocation. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

#define OK 0

/* One row per code: enumerator, value, name on the wire, HTTP status, title. */
#define ERROR_CODES(X)                                                                         \
	X(E_BAD_REQUEST, -1, "bad_request", 400, "Bad request")                                \
	X(E_UNAUTHORIZED, -2, "unauthorized", 401, "Authentication needed")                    \
	X(E_FORBIDDEN, -3, "forbidden", 403, "Not permitted")                                  \
	X(E_NOT_FOUND, -4, "not_found", 404, "Not found")                                      \
	X(E_METHOD, -5, "method_not_allowed", 405, "Method not allowed")                       \
	X(E_NOT_ACCEPTABLE, -6, "not_acceptable", 406, "Not acceptable")                       \
	X(E_CONFLICT, -7, "conflict", 409, "Conflict")                                         \
	X(E_PRECONDITION, -8, "precondition_failed", 412, "Precondition failed")               \
	X(E_TOO_LARGE, -9, "too_large", 413, "Too large")                                      \
	X(E_MEDIA, -10, "unsupported_media", 415, "Unsupported media type")                    \
	X(E_UNPROCESSABLE, -11, "unprocessable", 422, "Unprocessable content")                 \
	X(E_NEED_PRECONDITION, -12, "precondition_required", 428, "Precondition required")     \
	X(E_RATE, -13, "rate_limited", 429, "Too many requests")                               \
	X(E_INTERNAL, -14, "internal", 500, "Internal error")                                  \
	X(E_NOT_IMPLEMENTED, -15, "not_implemented", 501, "Not implemented")                   \
	X(E_UNAVAILABLE, -16, "unavailable", 503, "Unavailable")                               \
	X(E_DEADLINE, -17, "deadline", 504, "Deadline passed")                                 \
	X(E_STORAGE_FULL, -18, "storage_full", 507, "Storage full")                            \
	X(E_IO, -19, "io", 500, "Input or output failed")                                      \
	X(E_DB, -20, "database", 500, "Database error")                                        \
	X(E_GONE, -21, "gone", 410, "Gone")                                                    \
	X(E_LENGTH, -22, "uri_too_long", 414, "URI too long")

enum error_code {
#define X(id, value, name, status, title) id = value,
	ERROR_CODES(X)
#undef X
};

struct error {
	int code;	 /* one of enum error_code, OK when nothing happened */
	char field[128]; /* JSON pointer, option or file:line of the culprit; "" when none */
	char text[512];	 /* one sentence, one line, valid UTF-8 without control characters */
};

#define must_check __attribute__((warn_unused_result))

/* Fill err (which may be NULL) and return code, so that callers write return error_set(...).
 * Quoted input may hold anything: what is no printable UTF-8 becomes '?'. */
int error_set(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same, naming the field (JSON pointer such as "/protocol/processes"). */
int error_set_field(struct error *err, int code, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Put text in front of the sentence already there; returns err->code. */
int error_prefix(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* As error_set, with ": strerror(errno)" added. ENOSPC and EDQUOT become E_STORAGE_FULL. */
int error_errno(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Wire name ("not_found"), HTTP status (404) and title of a code; unknown codes read as
 * internal. */
const char *error_name(int code);
int error_status(int code);
const char *error_title(int code);

#endif
