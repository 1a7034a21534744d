-- SPDX-License-Identifier: GPL-3.0-or-later
-- Cron rules that file jobs, and what became of each slot.

CREATE TABLE schedule (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL,
	project_id INTEGER NOT NULL REFERENCES project (id),
	name TEXT NOT NULL,
	cron TEXT NOT NULL,
	time_zone TEXT NOT NULL,
	misfire TEXT NOT NULL CHECK (misfire IN ('skip', 'run_once')),
	overlap TEXT NOT NULL CHECK (overlap IN ('skip', 'supersede', 'allow')),
	grace_ns INTEGER NOT NULL, /* a slot later than this is a misfire */
	jitter_ns INTEGER NOT NULL, /* most delay behind a slot */
	is_paused INTEGER NOT NULL,
	may_exec INTEGER NOT NULL, /* scope of who made it: ad-hoc commands */
	seen_ns INTEGER NOT NULL, /* slots up to here are dealt with */
	slot_ns INTEGER NOT NULL, /* the next one; 0: there is none */
	due_ns INTEGER NOT NULL, /* slot and its jitter */
	created_ns INTEGER NOT NULL,
	modified_ns INTEGER NOT NULL,
	source TEXT NOT NULL CHECK (source IN ('api', 'config')),
	submitter TEXT,
	job_json TEXT NOT NULL /* the body of POST jobs */
) STRICT;
CREATE UNIQUE INDEX schedule_uuid ON schedule (uuid)
	/* found by the id that clients hold */;
CREATE UNIQUE INDEX schedule_name ON schedule (project_id, name)
	/* found by name; unique in its project; lists are sorted by name */;
CREATE INDEX schedule_due ON schedule (due_ns) WHERE is_paused = 0
	/* the timer asks for what is due, and when the next one is */;
CREATE INDEX schedule_seen ON schedule (seen_ns) WHERE is_paused = 0
	/* what a clock that was set back has left in the future */;

-- One row a slot that was dealt with; slots that passed unseen are counted by the row of the
-- newest of them.
CREATE TABLE firing (
	id INTEGER PRIMARY KEY,
	schedule_id INTEGER NOT NULL REFERENCES schedule (id) ON DELETE CASCADE,
	slot_ns INTEGER NOT NULL, /* run now: the instant */
	fired_ns INTEGER NOT NULL,
	is_manual INTEGER NOT NULL,
	n_missed INTEGER NOT NULL, /* slots before it that were not run */
	state TEXT NOT NULL CHECK (state IN ('filed', 'skipped', 'missed', 'failed')),
	reason TEXT NOT NULL,
	job_id INTEGER REFERENCES job (id)
) STRICT;
CREATE UNIQUE INDEX firing_slot ON firing (schedule_id, slot_ns)
	/* a slot fires once, whatever clocks and restarts do; the newest firings */;
CREATE INDEX firing_job ON firing (job_id) WHERE job_id IS NOT NULL
	/* which slot filed this job */;
