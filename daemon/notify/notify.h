/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door of notify/: what leaves.
 *
 * For: commit statuses and comments for the forges that sent hooks, signed webhooks, each first
 * a row of the store (table outgoing) and then sent from there, by a schedule of retries.
 * Not for: deciding when to send (daemon/answer.c), what numbers mean (analysis/).
 *
 * Only configured hosts are spoken to; redirects are not followed, proxies of the environment
 * are ignored, and the address that is connected to is checked: private ones only where the
 * configuration lists them. Threads: notify_add_* on the writer, inside a transaction;
 * notify_send on a thread of its own; the rest is pure. A struct notify_rules is constant. */
#ifndef DAEMON_NOTIFY_NOTIFY_H
#define DAEMON_NOTIFY_NOTIFY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/secret_file.h"
#include "daemon/model/model.h"
#include "daemon/store/store.h"

enum comment_when { COMMENT_NEVER, COMMENT_CHANGES, COMMENT_ALWAYS };

struct forge {		  /* where the answers of a hook go */
	const char *hook; /* its name */
	const char *api;  /* base of the forge's API, without '/' at its end */
	struct secrets token;
	bool wants_status;
	enum comment_when comment;
	const char *context; /* of commit statuses; PROJECT/WORKLOAD follows it */
};
struct webhook {
	const char *name, *url;
	struct secrets secrets; /* each signs, so that receivers can change over */
	bool on_alert, on_job;
	json_t *projects; /* slugs; NULL: all */
};
struct address_range {
	uint8_t bytes[16]; /* IPv6; IPv4 as ::ffff:a.b.c.d */
	int n_bits;
};
struct notify_rules {
	struct forge *forges;
	size_t n_forges;
	struct webhook *webhooks;
	size_t n_webhooks;
	struct address_range *allowed; /* private addresses that may be spoken to */
	size_t n_allowed;
	int64_t timeout_ns;	/* of one request */
	int64_t first_retry_ns; /* each later one takes six times as long, at most a day */
	int64_t max_tries;
	const char *ca_file;	/* certificates to trust instead of the system's; NULL */
	const char *public_url; /* for links; NULL: there are none */
};

/* Read `hooks` (their member `answers`), `webhooks` and `outgoing` of the configuration, any of
 * which may be NULL and all of which the arena must keep. folder: for relative file names. */
int notify_read(json_t *hooks, json_t *webhooks, json_t *outgoing, const char *folder,
	struct arena *a, struct notify_rules *ret, struct error *err) must_check;

/* --- rows --- */

/* A hook has filed a job. */
int notify_add_filed(const struct notify_rules *n, struct store *st, struct arena *a,
	const struct job_origin *o, const struct job *j, int64_t now_ns,
	struct error *err) must_check;
/* Such a job has ended: the status of its commit, and the comment of its pull request. */
int notify_add_ended(const struct notify_rules *n, struct store *st, struct arena *a,
	const struct job_origin *o, const struct job *j, int64_t now_ns,
	struct error *err) must_check;
/* Webhooks: any job has ended; an alert was confirmed. */
int notify_add_job(const struct notify_rules *n, struct store *st, struct arena *a,
	const struct job *j, int64_t now_ns, struct error *err) must_check;
int notify_add_alert(const struct notify_rules *n, struct store *st, struct arena *a,
	const struct alert *al, const char *project_slug, int64_t now_ns,
	struct error *err) must_check;

/* --- what is said --- */

enum {
	STATUS_TEXT_MAX = 140 /* characters, GitHub's limit */,
	COMMENT_MAX = 65536 /* bytes */
};
/* GitHub's word for a job's state, and what goes with it. */
const char *notify_status_word(const struct job *j);
const char *notify_status_text(struct arena *a, const struct job *j);
/* The hidden line that a comment of benchd ends with. */
const char *notify_comment_tag(struct arena *a, const struct job *j);
/* Markdown, verdict first, tag last, at most COMMENT_MAX bytes; rows that do not fit are
 * counted. */
const char *notify_comment_text(
	struct arena *a, const struct notify_rules *n, const struct job *j);

/* --- sending --- */

enum send_outcome { SEND_DONE, SEND_RETRY, SEND_GIVE_UP };
struct send_result {
	enum send_outcome outcome;
	long status; /* of HTTP; 0: no answer */
	char text[300];
	int64_t wait_ns; /* what the other side asked for; 0: nothing */
	bool is_limited; /* nothing else of ours would be answered before that either */
};
struct sender; /* connections of one thread */
struct sender *sender_new(const struct notify_rules *n, const atomic_bool *is_stopping);
void sender_free(struct sender *s);
/* Send one message; takes some of rules.timeout at most, ends soon after *is_stopping. An
 * attempt after the first asks the forge beforehand whether the message is there already. */
void notify_send(
	struct sender *s, const struct outgoing *o, int64_t now_ns, struct send_result *ret);
/* How long to wait after the n-th failed try (from 1); jitter in [0, 1). -1: give up. Never
 * sooner than asked_ns. */
int64_t notify_retry_ns(
	const struct notify_rules *n, int64_t n_tries, int64_t asked_ns, double jitter);

/* May a socket be opened to this address (struct sockaddr of AF_INET or AF_INET6)? Loopback,
 * private, link-local, shared, multicast and reserved ranges only when they are listed. */
struct sockaddr;
bool notify_address_is_allowed(const struct notify_rules *n, const struct sockaddr *sa);
/* "10.0.0.0/8", "::1" */
int notify_range_parse(
	const char *text, struct address_range *ret, struct error *err) must_check;

/* The header webhook-signature: "v1,<base64>" for each secret, separated by blanks. Source:
 * Standard Webhooks, "Signature scheme". A secret "whsec_<base64>" is the bytes it encodes. */
const char *notify_sign(const struct secrets *secrets, const char *id, int64_t timestamp_s,
	const char *body, struct arena *a);

#endif
