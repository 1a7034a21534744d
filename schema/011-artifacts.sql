-- SPDX-License-Identifier: GPL-3.0-or-later
-- Files that jobs keep, whole or not at all, in pieces of at most 1 MiB.
CREATE TABLE artifact (
	id INTEGER PRIMARY KEY,
	job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
	arm TEXT NOT NULL,
	name TEXT NOT NULL, /* path below the folder of the arm */
	n_bytes INTEGER NOT NULL,
	sha256 TEXT NOT NULL,
	created_ns INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX artifact_name ON artifact (job_id, arm, name)
	/* the files of a job; another attempt's file takes the place of the first's */;
CREATE INDEX artifact_age ON artifact (created_ns, n_bytes)
	/* the oldest go first; how much there is */;
CREATE TABLE artifact_piece (
	artifact_id INTEGER NOT NULL REFERENCES artifact (id) ON DELETE CASCADE,
	seq INTEGER NOT NULL,
	data BLOB NOT NULL,
	PRIMARY KEY (artifact_id, seq)
) STRICT;
