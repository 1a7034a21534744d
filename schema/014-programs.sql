-- SPDX-License-Identifier: GPL-3.0-or-later
-- What is measured by a built-in kernel is the program, too: hash is made of both, these say
-- which of them is another one where a history begins anew.

ALTER TABLE definition ADD COLUMN workload_hash TEXT; /* NULL: hash */
ALTER TABLE definition ADD COLUMN program TEXT; /* id of benchd-kernel; NULL: none, or not told */
