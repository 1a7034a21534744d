/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server with a small route table on its own loop thread, and a blocking client for it. */
#ifndef TESTS_UNIT_HTTP_RIG_H
#define TESTS_UNIT_HTTP_RIG_H

#include "tests/lib/unit.h"

#include <pthread.h>
#include <string.h>
#include "base/buf.h"
#include "tests/unit/http_fake.h"

struct rig {
	uv_loop_t loop;
	struct server *server;
	struct server_config config;
	struct listen_addr listen[2];
	pthread_t thread;
	uv_async_t call; /* runs fn on the loop */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	void (*fn)(struct rig *r, void *arg);
	void *fn_arg;
	bool is_called, is_stopped;
	int port;
	struct store *store;
	_Atomic unsigned wakes; /* OR of on_commit */
	_Atomic int wake_calls;
};

extern const struct route rig_routes[];
extern _Atomic int rig_n_health; /* calls of /healthz */

/* Defaults: one TCP listener on 127.0.0.1, port 0. Change r->config between init and start. */
void rig_init(struct rig *r);
void rig_start(struct rig *r);
void rig_call(struct rig *r, void (*fn)(struct rig *r, void *arg), void *arg);
void rig_notify(struct rig *r, const char *key);
void rig_stats(struct rig *r, struct server_stats *ret);
/* Begin server_stop without waiting; rig_stop waits and checks that the loop closes clean. */
void rig_begin_stop(struct rig *r);
void rig_stop(struct rig *r);

/* Handlers of "/gate" wait here: opened by gate_open, gate_wait_entered waits for n of them. */
void gate_reset(void);
void gate_open(void);
void gate_wait_entered(int n);

struct answer {
	int status; /* 0: the connection ended without one */
	struct buf head, body;
	bool is_closed; /* end of connection was seen (only by answer_read_all) */
};

int client_connect(const struct rig *r);
void client_send(int fd, const char *data, size_t n);
void client_printf(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* One answer, by Content-Length or chunks. Leaves what follows in the socket. */
void client_read(int fd, struct answer *a);
/* Everything until the connection ends; at most timeout_ms of silence. Returns bytes. */
size_t client_read_all(int fd, struct buf *out, int timeout_ms, bool *ret_is_closed);
const char *answer_header(const struct answer *a, const char *name, char out[256]);
void answer_done(struct answer *a);
/* Connection, request line + headers + body, answer, close. */
void fetch(const struct rig *r, const char *method, const char *target, const char *headers,
	const char *body, struct answer *a);
int count_text(const char *haystack, const char *needle);

#endif
