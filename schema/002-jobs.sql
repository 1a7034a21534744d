-- SPDX-License-Identifier: GPL-3.0-or-later
-- Workloads, jobs, and what comes back from measuring: processes with their raw samples.

CREATE TABLE workload (
	project_id INTEGER NOT NULL REFERENCES project (id),
	name TEXT NOT NULL,
	definition_json TEXT NOT NULL,
	created_ns INTEGER NOT NULL,
	modified_ns INTEGER NOT NULL,
	PRIMARY KEY (project_id, name)
) STRICT;

-- K, the repeats inside one sample, fixed for a definition on an environment.
CREATE TABLE iteration_count (
	definition_hash TEXT NOT NULL,
	environment_hash TEXT NOT NULL,
	iterations INTEGER NOT NULL,
	PRIMARY KEY (definition_hash, environment_hash)
) STRICT, WITHOUT ROWID;

-- Long texts stand last: a row's pages are read only as far as the columns asked for.
CREATE TABLE job (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL,
	project_id INTEGER NOT NULL REFERENCES project (id),
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	slot TEXT NOT NULL,
	state TEXT NOT NULL,
	is_final INTEGER NOT NULL,
	fault TEXT NOT NULL,
	phase TEXT NOT NULL,
	priority TEXT NOT NULL,
	class INTEGER NOT NULL, /* rank of priority, lowered by ageing; lowest first */
	aged_ns INTEGER NOT NULL,
	outcome TEXT NOT NULL,
	seed INTEGER NOT NULL, /* 64 bits, seen as signed */
	attempt INTEGER NOT NULL, /* the fencing token */
	max_attempts INTEGER NOT NULL,
	worker_id INTEGER NOT NULL,
	n_done INTEGER NOT NULL,
	n_total INTEGER NOT NULL,
	created_ns INTEGER NOT NULL,
	queued_ns INTEGER NOT NULL,
	started_ns INTEGER NOT NULL,
	finished_ns INTEGER NOT NULL,
	not_before_ns INTEGER NOT NULL,
	lease_until_ns INTEGER NOT NULL,
	branch TEXT,
	testbed TEXT,
	base_ref TEXT,
	head_ref TEXT,
	base_hash TEXT,
	head_hash TEXT,
	origin TEXT NOT NULL, /* api, hook, schedule, confirm ... */
	supersede_key TEXT,
	submitter TEXT,
	report_uuid TEXT,
	base_report_uuid TEXT,
	reason TEXT NOT NULL,
	parameters_json TEXT,
	definition_json TEXT NOT NULL,
	result_json TEXT
) STRICT;
CREATE UNIQUE INDEX job_uuid ON job (uuid)
	/* found by the id that clients hold */;
CREATE INDEX job_queue ON job (slot, class, queued_ns, id) WHERE state = 'queued'
	/* the claim reads the first row of its slot, and a place in the queue is a count */;
CREATE INDEX job_open ON job (class, queued_ns, id) WHERE is_final = 0
	/* the queue page: all that is not over, in queue order, however many jobs are */;
CREATE INDEX job_state ON job (state, id)
	/* counts by state for the metrics page; running and blocked jobs; lists of one state */;
CREATE INDEX job_project ON job (project_id, id)
	/* a project's jobs, newest first */;
CREATE INDEX job_project_state ON job (project_id, state, id)
	/* a project's jobs of one state, newest first */;
CREATE INDEX job_project_name ON job (project_id, name, id)
	/* the jobs of one workload, newest first */;
CREATE INDEX job_supersede ON job (supersede_key, id)
	WHERE supersede_key IS NOT NULL AND is_final = 0
	/* a new push looks for the open jobs that it replaces */;

CREATE TABLE job_dependency (
	job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
	on_job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
	need TEXT NOT NULL CHECK (need IN ('success', 'any')),
	PRIMARY KEY (job_id, on_job_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_dependency_on ON job_dependency (on_job_id)
	/* who waits for the job that has just ended */;

CREATE TABLE job_event (
	id INTEGER PRIMARY KEY,
	job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
	time_ns INTEGER NOT NULL,
	kind TEXT NOT NULL,
	data_json TEXT NOT NULL
) STRICT;
CREATE INDEX job_event_job ON job_event (job_id, id)
	/* the events of one job after the last one a client has seen */;

-- Head and tail of a job's log in pieces, numbered by seq. The tail begins at tail_seq (0: not
-- yet); its oldest pieces are dropped while it is too long.
CREATE TABLE job_log (
	job_id INTEGER PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
	next_seq INTEGER NOT NULL,
	tail_seq INTEGER NOT NULL,
	head_bytes INTEGER NOT NULL,
	tail_bytes INTEGER NOT NULL,
	dropped_bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE job_log_piece (
	job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
	seq INTEGER NOT NULL,
	stream TEXT NOT NULL,
	time_ns INTEGER NOT NULL,
	data BLOB NOT NULL,
	PRIMARY KEY (job_id, seq)
) STRICT;

CREATE TABLE process (
	id INTEGER PRIMARY KEY,
	job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
	attempt INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	cell TEXT NOT NULL,
	arm TEXT NOT NULL,
	number INTEGER NOT NULL, /* index among the processes of its cell and arm */
	block INTEGER NOT NULL,
	place INTEGER NOT NULL, /* order inside the block */
	noise TEXT NOT NULL,
	is_replaced INTEGER NOT NULL,
	is_steady INTEGER NOT NULL,
	termination TEXT NOT NULL,
	record_json TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX process_record ON process (job_id, attempt, seq)
	/* a record that comes twice is stored once; the processes of a job in order */;
CREATE UNIQUE INDEX process_place ON process (job_id, cell, arm, number) WHERE is_replaced = 0
	/* an attempt that goes on where another stopped never counts a process twice */;

-- Raw samples: packed little-endian float64.
CREATE TABLE process_value (
	id INTEGER PRIMARY KEY,
	process_id INTEGER NOT NULL REFERENCES process (id) ON DELETE CASCADE,
	benchmark TEXT NOT NULL,
	measure TEXT NOT NULL,
	unit TEXT NOT NULL,
	better TEXT NOT NULL,
	value REAL, /* NULL: not a number */
	samples BLOB NOT NULL,
	warmup BLOB NOT NULL
) STRICT;
CREATE INDEX process_value_process ON process_value (process_id)
	/* the values of one process, and of all processes of a job */;
