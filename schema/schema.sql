-- SPDX-License-Identifier: GPL-3.0-or-later
-- What all numbered files make together. Written by `make schema`; a test compares it.

CREATE TABLE project (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL,
	name TEXT NOT NULL,
	slug TEXT NOT NULL,
	url TEXT,
	visibility TEXT NOT NULL CHECK (visibility IN ('public', 'private')),
	generation INTEGER NOT NULL DEFAULT 0, /* grows with every change; ETags are made of it */
	created_ns INTEGER NOT NULL,
	modified_ns INTEGER NOT NULL,
	deleted_ns INTEGER NOT NULL DEFAULT 0 /* soft delete: name and slug are free again */
) STRICT;

CREATE UNIQUE INDEX project_uuid ON project (uuid)
	/* found by the id that clients hold */;

CREATE UNIQUE INDEX project_slug ON project (slug) WHERE deleted_ns = 0
	/* every request names its project by slug; one live project a slug */;

CREATE UNIQUE INDEX project_name ON project (name) WHERE deleted_ns = 0
	/* one live project a name; lists are sorted by name */;

CREATE TABLE branch (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL,
	project_id INTEGER NOT NULL REFERENCES project (id),
	name TEXT NOT NULL,
	slug TEXT NOT NULL,
	created_ns INTEGER NOT NULL,
	modified_ns INTEGER NOT NULL,
	archived_ns INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX branch_uuid ON branch (uuid)
	/* found by the id that clients hold */;

CREATE UNIQUE INDEX branch_slug ON branch (project_id, slug)
	/* found by slug on every report; unique in its project */;

CREATE UNIQUE INDEX branch_name ON branch (project_id, name)
	/* found by name; unique in its project; lists are sorted by name */;

CREATE TABLE head (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL,
	branch_id INTEGER NOT NULL REFERENCES branch (id) ON DELETE CASCADE,
	start_head_id INTEGER REFERENCES head (id),
	start_version_id INTEGER, /* the version it starts from, of start_head or its own start */
	start_number INTEGER NOT NULL DEFAULT -1, /* its number; -1 without a start point */
	first_number INTEGER NOT NULL DEFAULT 0, /* oldest number seen */
	created_ns INTEGER NOT NULL,
	replaced_ns INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX head_uuid ON head (uuid)
	/* found by the id that clients hold */;

CREATE UNIQUE INDEX head_current ON head (branch_id) WHERE replaced_ns = 0
	/* a branch has one current head, joined whenever a branch is read */;

CREATE INDEX head_branch ON head (branch_id)
	/* removing a branch removes its heads */;

CREATE INDEX head_start ON head (start_head_id)
	/* removing a head asks who started from it */;

CREATE TABLE version (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL,
	head_id INTEGER NOT NULL REFERENCES head (id) ON DELETE CASCADE, /* that made it */
	number INTEGER NOT NULL,
	hash TEXT
) STRICT;

CREATE UNIQUE INDEX version_number ON version (head_id, number)
	/* the next number of a head, and its newest versions */;

CREATE INDEX version_hash ON version (head_id, hash, number) WHERE hash IS NOT NULL
	/* a commit that was measured before keeps its version */;

CREATE TABLE testbed (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL,
	project_id INTEGER NOT NULL REFERENCES project (id),
	name TEXT NOT NULL,
	slug TEXT NOT NULL,
	created_ns INTEGER NOT NULL,
	modified_ns INTEGER NOT NULL,
	archived_ns INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX testbed_uuid ON testbed (uuid)
	/* found by the id that clients hold */;

CREATE UNIQUE INDEX testbed_slug ON testbed (project_id, slug)
	/* found by slug on every report; unique in its project */;

CREATE UNIQUE INDEX testbed_name ON testbed (project_id, name)
	/* found by name; unique in its project; lists are sorted by name */;

CREATE TABLE benchmark (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL,
	project_id INTEGER NOT NULL REFERENCES project (id),
	name TEXT NOT NULL,
	slug TEXT NOT NULL,
	created_ns INTEGER NOT NULL,
	modified_ns INTEGER NOT NULL,
	archived_ns INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX benchmark_uuid ON benchmark (uuid)
	/* found by the id that clients hold */;

CREATE UNIQUE INDEX benchmark_slug ON benchmark (project_id, slug)
	/* found by slug on every report; unique in its project */;

CREATE UNIQUE INDEX benchmark_name ON benchmark (project_id, name)
	/* found by name; unique in its project; lists are sorted by name */;

CREATE TABLE measure (
	id INTEGER PRIMARY KEY,
	uuid TEXT NOT NULL,
	project_id INTEGER NOT NULL REFERENCES project (id),
	name TEXT NOT NULL,
	slug TEXT NOT NULL,
	units TEXT NOT NULL,
	better TEXT NOT NULL CHECK (better IN ('lower', 'higher')),
	created_ns INTEGER NOT NULL,
	modified_ns INTEGER NOT NULL,
	archived_ns INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX measure_uuid ON measure (uuid)
	/* found by the id that clients hold */;

CREATE UNIQUE INDEX measure_slug ON measure (project_id, slug)
	/* found by slug on every report; unique in its project */;

CREATE UNIQUE INDEX measure_name ON measure (project_id, name)
	/* found by name; unique in its project; lists are sorted by name */;

CREATE TABLE environment (
	id INTEGER PRIMARY KEY,
	identity_hash TEXT NOT NULL, /* SHA-256 of identity_json, hexadecimal */
	identity_json TEXT NOT NULL,
	created_ns INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX environment_hash ON environment (identity_hash)
	/* found by hash on every report of a worker */;

CREATE TABLE commit_info (
	project_id INTEGER NOT NULL REFERENCES project (id),
	hash TEXT NOT NULL,
	author TEXT NOT NULL,
	email TEXT NOT NULL,
	subject TEXT NOT NULL,
	parents TEXT NOT NULL, /* hashes separated by one space, first parent first */
	time_ns INTEGER NOT NULL,
	PRIMARY KEY (project_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE workload (
	project_id INTEGER NOT NULL REFERENCES project (id),
	name TEXT NOT NULL,
	definition_json TEXT NOT NULL,
	created_ns INTEGER NOT NULL,
	modified_ns INTEGER NOT NULL,
	PRIMARY KEY (project_id, name)
) STRICT;

CREATE TABLE iteration_count (
	definition_hash TEXT NOT NULL,
	environment_hash TEXT NOT NULL,
	iterations INTEGER NOT NULL,
	PRIMARY KEY (definition_hash, environment_hash)
) STRICT, WITHOUT ROWID;

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
, n_noisy_runs INTEGER NOT NULL DEFAULT 0, n_told INTEGER NOT NULL DEFAULT 0) STRICT;

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

CREATE TABLE definition (
	id INTEGER PRIMARY KEY,
	hash TEXT NOT NULL
, workload_hash TEXT, program TEXT, driver TEXT) STRICT;

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

CREATE TABLE metric_sample (
	metric_id INTEGER PRIMARY KEY REFERENCES metric (id) ON DELETE CASCADE,
	samples BLOB NOT NULL
) STRICT;

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
, own_json TEXT) STRICT;

CREATE UNIQUE INDEX model_uuid ON model (uuid)
	/* found by the id that clients hold */;

CREATE UNIQUE INDEX model_current ON model (threshold_id) WHERE replaced_ns = 0
	/* at most one in force, joined whenever a threshold is read */;

CREATE INDEX model_threshold ON model (threshold_id)
	/* removing a threshold removes its models */;

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
, limit_side TEXT, acknowledged_ns INTEGER NOT NULL DEFAULT 0, snoozed_ns INTEGER NOT NULL DEFAULT 0) STRICT;

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
, only_new INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE UNIQUE INDEX schedule_uuid ON schedule (uuid)
	/* found by the id that clients hold */;

CREATE UNIQUE INDEX schedule_name ON schedule (project_id, name)
	/* found by name; unique in its project; lists are sorted by name */;

CREATE INDEX schedule_due ON schedule (due_ns) WHERE is_paused = 0
	/* the timer asks for what is due, and when the next one is */;

CREATE INDEX schedule_seen ON schedule (seen_ns) WHERE is_paused = 0
	/* what a clock that was set back has left in the future */;

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

CREATE TABLE outgoing_attempt (
	outgoing_id INTEGER NOT NULL REFERENCES outgoing (id) ON DELETE CASCADE,
	number INTEGER NOT NULL,
	started_ns INTEGER NOT NULL,
	ended_ns INTEGER NOT NULL, /* 0: cut off */
	status INTEGER NOT NULL, /* of HTTP; 0: no answer */
	outcome TEXT NOT NULL,
	PRIMARY KEY (outgoing_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_event (
	id INTEGER PRIMARY KEY,
	alert_id INTEGER NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
	time_ns INTEGER NOT NULL
) STRICT;

CREATE INDEX alert_event_alert ON alert_event (alert_id)
	/* removing an alert */;

CREATE TABLE progress_mark (
	name TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT;

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

CREATE TABLE device (
	id INTEGER PRIMARY KEY,
	testbed TEXT NOT NULL,
	uuid TEXT NOT NULL, /* deviceUUID, 32 hexadecimal digits */
	driver_id INTEGER NOT NULL, /* VkDriverId */
	name TEXT NOT NULL,
	driver TEXT NOT NULL,
	is_software INTEGER NOT NULL,
	info_json TEXT NOT NULL, /* as benchd-kernel told it */
	seen_ns INTEGER NOT NULL, /* by the last probe that found it */
	is_present INTEGER NOT NULL, /* the last probe found it */
	state TEXT NOT NULL, /* ok, quarantined, wedged */
	since_ns INTEGER NOT NULL,
	reason TEXT NOT NULL,
	n_losses INTEGER NOT NULL, /* in a row */
	cleared_ns INTEGER NOT NULL,
	cleared_by TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX device_key ON device (testbed, uuid, driver_id)
	/* a job's device by what its worker calls it */;

CREATE TABLE device_event (
	id INTEGER PRIMARY KEY,
	device_id INTEGER NOT NULL REFERENCES device (id) ON DELETE CASCADE,
	at_ns INTEGER NOT NULL,
	kind TEXT NOT NULL, /* lost, crashed, wedged, quarantined, cleared, recovered */
	job TEXT, /* UUID; NULL: none */
	actor TEXT NOT NULL, /* who cleared it; '' */
	text TEXT NOT NULL
) STRICT;

CREATE INDEX device_event_device ON device_event (device_id, id)
	/* the history of a device, newest first */;
