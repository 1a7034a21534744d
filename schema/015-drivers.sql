-- SPDX-License-Identifier: GPL-3.0-or-later
-- On a Vulkan device the driver, which compiles the shaders, is part of what was measured.

ALTER TABLE definition ADD COLUMN driver TEXT; /* device, driver and versions; NULL: none, or not told */
