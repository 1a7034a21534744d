-- SPDX-License-Identifier: GPL-3.0-or-later
-- Who may ask, and answers that are given once.

CREATE TABLE token (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL,
	project_id INTEGER REFERENCES project (id), /* NULL: every project */
	name TEXT NOT NULL,
	sha256 BLOB NOT NULL, /* of the key; the key itself is shown once */
	last_four TEXT NOT NULL,
	scopes INTEGER NOT NULL,
	created_ns INTEGER NOT NULL,
	expires_ns INTEGER NOT NULL,
	revoked_ns INTEGER NOT NULL DEFAULT 0,
	last_used_ns INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX token_uuid ON token (uuid)
	/* found by the id that clients hold */;
CREATE UNIQUE INDEX token_sha256 ON token (sha256)
	/* every request with a key looks its hash up */;

CREATE TABLE idempotency (
	scope TEXT NOT NULL, /* who asked for what: token and route */
	key TEXT NOT NULL,
	body_hash TEXT NOT NULL, /* SHA-256 of the request body, hexadecimal */
	status INTEGER NOT NULL,
	created_ns INTEGER NOT NULL,
	content_type TEXT,
	location TEXT,
	body TEXT NOT NULL,
	PRIMARY KEY (scope, key)
) STRICT;
CREATE INDEX idempotency_created ON idempotency (created_ns)
	/* old answers are removed by age */;
