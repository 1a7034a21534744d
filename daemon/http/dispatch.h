/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a whole request to its answer: which thread runs the handler, and what follows. Loop
 * thread. */
#ifndef DAEMON_HTTP_DISPATCH_H
#define DAEMON_HTTP_DISPATCH_H

#include "daemon/http/request.h"

/* True: the answer is in rq->response already. False: suspend the connection, then hand over.
 */
bool dispatch_inline(struct request *rq);
void dispatch_hand_over(struct request *rq);
/* Run rq->handler once more, on a reader: after parking. */
void dispatch_again(struct request *rq);
/* Give rq's task to the readers. */
int dispatch_read(struct request *rq, write_fn run, written_fn done) must_check;
/* The deadline for working has passed. */
void dispatch_expired(struct request *rq);
/* Checks, unpacking, the handler and what belongs to it; with the store of the thread. */
int dispatch_run(
	struct request *rq, struct store *st, bool is_writer, struct error *err) must_check;

#endif
