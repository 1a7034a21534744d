-- SPDX-License-Identifier: GPL-3.0-or-later
-- Reports, their metrics, and the same values once more as histories.

-- Texts that many metrics share.
CREATE TABLE definition (
	id INTEGER PRIMARY KEY,
	hash TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX definition_hash ON definition (hash)
	/* found by hash for each metric of a report */;
CREATE TABLE parameter_set (
	id INTEGER PRIMARY KEY,
	parameters_json TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX parameter_set_json ON parameter_set (parameters_json)
	/* found by text for each metric of a report */;

CREATE TABLE report (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL,
	project_id INTEGER NOT NULL REFERENCES project (id),
	branch_id INTEGER NOT NULL, /* of head; repeated so that a branch's reports are one range */
	head_id INTEGER NOT NULL REFERENCES head (id),
	version_id INTEGER NOT NULL REFERENCES version (id),
	version_number INTEGER NOT NULL,
	testbed_id INTEGER NOT NULL REFERENCES testbed (id),
	environment_id INTEGER REFERENCES environment (id),
	job_id INTEGER REFERENCES job (id),
	arm TEXT NOT NULL,
	noise TEXT NOT NULL,
	adapter TEXT NOT NULL,
	submitter TEXT,
	idempotency_key TEXT,
	start_ns INTEGER NOT NULL,
	end_ns INTEGER NOT NULL,
	created_ns INTEGER NOT NULL,
	summary_json TEXT
) STRICT;
CREATE UNIQUE INDEX report_uuid ON report (uuid)
	/* found by the id that clients hold */;
CREATE UNIQUE INDEX report_key ON report (project_id, idempotency_key)
	WHERE idempotency_key IS NOT NULL
	/* an upload that comes twice is stored once */;
CREATE INDEX report_list ON report (project_id, start_ns, id)
	/* a project's reports by time */;
CREATE INDEX report_branch ON report (branch_id, start_ns, id)
	/* a branch's reports by time */;
CREATE INDEX report_head ON report (head_id, version_number, id)
	/* the newest report of a branch or of one of its versions; removing a branch */;
CREATE INDEX report_testbed ON report (testbed_id)
	/* removing a testbed asks for its reports */;
CREATE INDEX report_version ON report (version_id)
	/* removing a branch removes its versions, if no report has them */;
CREATE INDEX report_job ON report (job_id) WHERE job_id IS NOT NULL
	/* the reports of a job */;

-- One history: a benchmark and measure on a testbed and head. The last_ columns save lists of
-- series from looking into point.
CREATE TABLE series (
	id INTEGER PRIMARY KEY,
	project_id INTEGER NOT NULL REFERENCES project (id),
	head_id INTEGER NOT NULL REFERENCES head (id),
	testbed_id INTEGER NOT NULL REFERENCES testbed (id),
	benchmark_id INTEGER NOT NULL REFERENCES benchmark (id),
	measure_id INTEGER NOT NULL REFERENCES measure (id),
	n_points INTEGER NOT NULL,
	last_version INTEGER NOT NULL,
	last_ns INTEGER NOT NULL,
	last_value REAL NOT NULL
) STRICT;
CREATE UNIQUE INDEX series_key ON series (head_id, testbed_id, benchmark_id, measure_id)
	/* each metric finds its series */;
CREATE INDEX series_project ON series (project_id, head_id, testbed_id)
	/* lists of a project's series */;
CREATE INDEX series_testbed ON series (testbed_id)
	/* removing a testbed asks for its series */;
CREATE INDEX series_benchmark ON series (benchmark_id)
	/* removing a benchmark asks for its series */;
CREATE INDEX series_measure ON series (measure_id)
	/* removing a measure asks for its series */;

CREATE TABLE metric (
	id INTEGER PRIMARY KEY, /* its uuid is made of id and the report's uuid */
	report_id INTEGER NOT NULL REFERENCES report (id) ON DELETE CASCADE,
	iteration INTEGER NOT NULL,
	/* No foreign key: it would need an index by series as large as point. Each metric has its
	 * point, whose key says the same. */
	series_id INTEGER NOT NULL,
	value REAL NOT NULL,
	lower_value REAL,
	upper_value REAL,
	n_processes INTEGER NOT NULL,
	n_samples INTEGER NOT NULL,
	definition_id INTEGER REFERENCES definition (id),
	parameter_set_id INTEGER REFERENCES parameter_set (id)
) STRICT;
CREATE UNIQUE INDEX metric_report ON metric (report_id, iteration, series_id)
	/* the results of a report; a metric is there once */;

-- The hot path: a history page is one range read. The row repeats what a page shows, so that
-- nothing is joined; report and version never change after they are made.
CREATE TABLE point (
	series_id INTEGER NOT NULL REFERENCES series (id),
	version_number INTEGER NOT NULL,
	report_id INTEGER NOT NULL,
	iteration INTEGER NOT NULL,
	environment_id INTEGER NOT NULL, /* 0: none */
	definition_id INTEGER NOT NULL, /* 0: none */
	flags INTEGER NOT NULL, /* enum point_flag */
	n_processes INTEGER NOT NULL,
	time_ns INTEGER NOT NULL, /* start of the report */
	value REAL NOT NULL,
	lower_value REAL,
	upper_value REAL,
	hash BLOB, /* 20 bytes */
	report_uuid BLOB NOT NULL, /* 16 bytes */
	PRIMARY KEY (series_id, version_number, report_id, iteration)
) STRICT, WITHOUT ROWID;

-- Raw samples of uploads; those of jobs are in process_value.
CREATE TABLE metric_sample (
	metric_id INTEGER PRIMARY KEY REFERENCES metric (id) ON DELETE CASCADE,
	samples BLOB NOT NULL
) STRICT;
