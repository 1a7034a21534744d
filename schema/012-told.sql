-- SPDX-License-Identifier: GPL-3.0-or-later
-- Which of a worker's messages about a job are stored, so that one told twice counts once.

ALTER TABLE job ADD COLUMN n_told INTEGER NOT NULL DEFAULT 0;
