-- SPDX-License-Identifier: GPL-3.0-or-later
-- Rules, what they computed, change points and alerts.

CREATE TABLE threshold (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL,
	project_id INTEGER NOT NULL REFERENCES project (id),
	branch_id INTEGER NOT NULL REFERENCES branch (id),
	testbed_id INTEGER NOT NULL REFERENCES testbed (id),
	measure_id INTEGER NOT NULL REFERENCES measure (id),
	created_ns INTEGER NOT NULL,
	modified_ns INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX threshold_uuid ON threshold (uuid)
	/* found by the id that clients hold */;
CREATE UNIQUE INDEX threshold_key ON threshold (branch_id, testbed_id, measure_id)
	/* the rule of a metric; one for each triple */;
CREATE INDEX threshold_project ON threshold (project_id, id)
	/* a project's thresholds */;
CREATE INDEX threshold_testbed ON threshold (testbed_id)
	/* removing a testbed asks for its thresholds */;
CREATE INDEX threshold_measure ON threshold (measure_id)
	/* removing a measure asks for its thresholds */;

-- Immutable parameters of a threshold; the one that is not replaced is in force. A threshold
-- without one has had its model removed.
CREATE TABLE model (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL,
	threshold_id INTEGER NOT NULL REFERENCES threshold (id) ON DELETE CASCADE,
	test TEXT NOT NULL,
	min_sample_size INTEGER,
	max_sample_size INTEGER,
	window_s INTEGER,
	lower_boundary REAL,
	upper_boundary REAL,
	created_ns INTEGER NOT NULL,
	replaced_ns INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX model_uuid ON model (uuid)
	/* found by the id that clients hold */;
CREATE UNIQUE INDEX model_current ON model (threshold_id) WHERE replaced_ns = 0
	/* at most one in force, joined whenever a threshold is read */;
CREATE INDEX model_threshold ON model (threshold_id)
	/* removing a threshold removes its models */;

-- What the rule computed for one metric at ingest; never computed again.
CREATE TABLE boundary (
	metric_id INTEGER PRIMARY KEY REFERENCES metric (id) ON DELETE CASCADE,
	model_id INTEGER REFERENCES model (id), /* NULL: the built-in point rule */
	test TEXT NOT NULL,
	baseline REAL,
	lower_limit REAL,
	upper_limit REAL,
	detail_json TEXT
) STRICT;
CREATE INDEX boundary_model ON boundary (model_id) WHERE model_id IS NOT NULL
	/* removing a threshold asks whether a boundary was computed with it */;

CREATE TABLE change_point (
	id INTEGER PRIMARY KEY,
	project_id INTEGER NOT NULL REFERENCES project (id),
	series_id INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
	version_number INTEGER NOT NULL, /* first version of the new segment */
	hash TEXT,
	detector TEXT NOT NULL,
	outcome TEXT NOT NULL,
	effect REAL,
	effect_low REAL,
	effect_high REAL,
	p REAL,
	before_value REAL,
	after_value REAL,
	created_ns INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX change_point_series ON change_point (series_id, version_number)
	/* the change points of a history; one at a version */;
CREATE INDEX change_point_project ON change_point (project_id, created_ns, id)
	/* the newest changes of a project */;

CREATE TABLE alert (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL,
	project_id INTEGER NOT NULL REFERENCES project (id),
	series_id INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
	report_id INTEGER NOT NULL REFERENCES report (id) ON DELETE CASCADE,
	metric_id INTEGER NOT NULL REFERENCES metric (id) ON DELETE CASCADE,
	state TEXT NOT NULL,
	direction TEXT NOT NULL,
	version_number INTEGER NOT NULL,
	hash TEXT,
	effect REAL,
	effect_low REAL,
	effect_high REAL,
	p REAL,
	baseline REAL,
	value REAL,
	created_ns INTEGER NOT NULL,
	modified_ns INTEGER NOT NULL,
	reason TEXT NOT NULL,
	detail_json TEXT
) STRICT;
CREATE UNIQUE INDEX alert_uuid ON alert (uuid)
	/* found by the id that clients hold */;
CREATE INDEX alert_project ON alert (project_id, id)
	/* a project's alerts, newest first */;
CREATE INDEX alert_open ON alert (project_id, id) WHERE state IN ('suspect', 'confirmed')
	/* the open alerts of a project, however many were closed */;
CREATE INDEX alert_series ON alert (series_id, id)
	/* the open alerts of a history; removing a series */;
CREATE INDEX alert_report ON alert (report_id)
	/* the alerts of a report; removing one */;
CREATE INDEX alert_metric ON alert (metric_id)
	/* removing a metric removes its alerts */;
