-- SPDX-License-Identifier: GPL-3.0-or-later
-- Schedules that measure a commit once.

ALTER TABLE schedule ADD COLUMN only_new INTEGER NOT NULL DEFAULT 0;
