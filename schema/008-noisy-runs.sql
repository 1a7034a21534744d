-- SPDX-License-Identifier: GPL-3.0-or-later
-- How often a job was measured again because its run was noisy.

ALTER TABLE job ADD COLUMN n_noisy_runs INTEGER NOT NULL DEFAULT 0;
