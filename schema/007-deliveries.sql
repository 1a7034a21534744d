-- SPDX-License-Identifier: GPL-3.0-or-later
-- What came in from forges, as it came, and what is to be sent out, until it was.

CREATE TABLE delivery (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL,
	hook TEXT NOT NULL, /* its name in the configuration */
	forge_id TEXT NOT NULL, /* the forge's own: a delivery is taken once */
	event TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('received', 'done', 'ignored', 'failed')),
	reason TEXT NOT NULL,
	received_ns INTEGER NOT NULL,
	processed_ns INTEGER NOT NULL,
	body BLOB NOT NULL /* the bytes that were signed */
) STRICT;
CREATE UNIQUE INDEX delivery_uuid ON delivery (uuid)
	/* found by the id that clients hold */;
CREATE UNIQUE INDEX delivery_forge_id ON delivery (hook, forge_id)
	/* a delivery that comes twice is stored once */;
CREATE INDEX delivery_state ON delivery (state, id)
	/* what is still to be processed, oldest first */;
CREATE INDEX delivery_received ON delivery (received_ns)
	/* old ones are removed by age */;

-- Which push or pull request a job answers.
CREATE TABLE hook_job (
	job_id INTEGER PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
	delivery_id INTEGER REFERENCES delivery (id) ON DELETE SET NULL,
	hook TEXT NOT NULL,
	repository TEXT NOT NULL, /* OWNER/NAME at the forge */
	hash TEXT NOT NULL, /* the commit whose status it is */
	pull INTEGER NOT NULL, /* 0: a push */
	context TEXT NOT NULL, /* of the commit status */
	answered_ns INTEGER NOT NULL /* its end was put among what is to be sent; 0: not yet */
) STRICT;
CREATE INDEX hook_job_delivery ON hook_job (delivery_id)
	/* the jobs of a delivery; removing one */;
CREATE INDEX hook_job_answered ON hook_job (answered_ns, job_id)
	/* jobs whose end is still to be told */;

CREATE TABLE outgoing (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL, /* webhooks: also the message id that receivers see */
	kind TEXT NOT NULL CHECK (kind IN ('status', 'comment', 'webhook')),
	target TEXT NOT NULL, /* name of the hook or webhook in the configuration */
	event TEXT NOT NULL,
	lane TEXT NOT NULL, /* in one lane messages are sent in order, and a newer one replaces */
	job_id INTEGER REFERENCES job (id) ON DELETE SET NULL,
	state TEXT NOT NULL
		CHECK (state IN ('waiting', 'sending', 'delivered', 'superseded', 'failed')),
	reason TEXT NOT NULL,
	n_attempts INTEGER NOT NULL,
	n_tries INTEGER NOT NULL, /* attempts since it was last given a fresh start */
	created_ns INTEGER NOT NULL,
	due_ns INTEGER NOT NULL,
	done_ns INTEGER NOT NULL,
	body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX outgoing_uuid ON outgoing (uuid)
	/* found by the id that clients hold */;
CREATE INDEX outgoing_due ON outgoing (state, due_ns, id)
	/* what is to be sent next, and when */;
CREATE INDEX outgoing_lane ON outgoing (lane, id)
	/* what stands before a message, and what replaces it */;
CREATE INDEX outgoing_created ON outgoing (created_ns)
	/* old ones are removed by age */;
CREATE INDEX outgoing_job ON outgoing (job_id) WHERE job_id IS NOT NULL
	/* removing a job */;

-- A row is written before anything is sent: an attempt without an end is one whose outcome
-- nobody knows.
CREATE TABLE outgoing_attempt (
	outgoing_id INTEGER NOT NULL REFERENCES outgoing (id) ON DELETE CASCADE,
	number INTEGER NOT NULL,
	started_ns INTEGER NOT NULL,
	ended_ns INTEGER NOT NULL, /* 0: cut off */
	status INTEGER NOT NULL, /* of HTTP; 0: no answer */
	outcome TEXT NOT NULL,
	PRIMARY KEY (outgoing_id, number)
) STRICT, WITHOUT ROWID;

-- Alerts that became confirmed and are not yet told.
CREATE TABLE alert_event (
	id INTEGER PRIMARY KEY,
	alert_id INTEGER NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
	time_ns INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_event_alert ON alert_event (alert_id)
	/* removing an alert */;

-- How far a reader of another table has come.
CREATE TABLE progress_mark (
	name TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT;
