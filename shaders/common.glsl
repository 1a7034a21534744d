/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every shader shares. Specialization constants 0, 1, 2 are the workgroup size; each
 * shader's own constants begin at 3. */
layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

/* Index of this invocation when workgroups are folded from x into y (gpu_groups_fold). */
uint group_index()
{
	return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
}

uint invocation_index()
{
	return group_index() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
}
