-- SPDX-License-Identifier: GPL-3.0-or-later
-- Own tests of thresholds, rules by pattern, and the life of an alert.

-- What Bencher's model does not have: alpha, min_effect, confirm, direction, history, df. NULL:
-- one of Bencher's seven tests as it is.
ALTER TABLE model ADD COLUMN own_json TEXT;

-- lower or upper: a limit of one of Bencher's tests that one value passed. NULL: a question
-- about a level, one for each change.
ALTER TABLE alert ADD COLUMN limit_side TEXT;
ALTER TABLE alert ADD COLUMN acknowledged_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN snoozed_ns INTEGER NOT NULL DEFAULT 0; /* quiet until then */

-- What people and benchd did with an alert.
CREATE TABLE alert_entry (
	id INTEGER PRIMARY KEY,
	alert_id INTEGER NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
	created_ns INTEGER NOT NULL,
	actor TEXT, /* name of the token; NULL: benchd */
	kind TEXT NOT NULL,
	text TEXT NOT NULL
) STRICT;
CREATE INDEX alert_entry_alert ON alert_entry (alert_id, id)
	/* the journal of an alert; removing one */;

-- Thresholds by pattern: where no threshold of the exact triple is, the most specific rule
-- applies. NULL patterns match everything.
CREATE TABLE rule (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL,
	project_id INTEGER NOT NULL REFERENCES project (id),
	name TEXT NOT NULL,
	source TEXT NOT NULL, /* "api", or the file that it was applied from */
	branch TEXT,
	testbed TEXT,
	measure TEXT,
	benchmark TEXT,
	model_json TEXT NOT NULL,
	created_ns INTEGER NOT NULL,
	modified_ns INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX rule_uuid ON rule (uuid)
	/* found by the id that clients hold */;
CREATE UNIQUE INDEX rule_name ON rule (project_id, name)
	/* found by name; unique in its project; all rules of a project are read for a report */;
