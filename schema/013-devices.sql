-- SPDX-License-Identifier: GPL-3.0-or-later
-- Vulkan devices as workers found them, and what happened to them. The same GPU under two
-- drivers is two devices; a software device has the same UUID on every host.
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
