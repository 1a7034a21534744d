/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Command buffers: recorded once, submitted as often as wanted. */
#include "kernels/gpu/vk.h"

#include <string.h>
#include "base/clock.h"

struct gpu_cmd {
	struct gpu *g;
	VkCommandBuffer handle;
	VkFence fence;
	VkQueryPool queries; /* VK_NULL_HANDLE without marks */
	unsigned n_marks, max_marks;
	uint64_t *ticks;
	struct error first; /* error of a recording call */
};

enum { WAIT_SLICE_MS = 100 };

/* --- begin and end ----------------------------------------------------------------------- */

static int create_objects(struct gpu_cmd *c, struct error *err)
{
	struct gpu *g = c->g;
	VkCommandBufferAllocateInfo buffers = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = g->pool,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = 1,
	};
	VkFenceCreateInfo fence = { .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO };
	VkQueryPoolCreateInfo queries = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = VK_QUERY_TYPE_TIMESTAMP,
		.queryCount = c->max_marks,
	};
	int r = gpu_check(g, g->f.AllocateCommandBuffers(g->device, &buffers, &c->handle),
		"vkAllocateCommandBuffers", err);

	if (r == OK)
		r = gpu_check(g, g->f.CreateFence(g->device, &fence, NULL, &c->fence),
			"vkCreateFence", err);
	if (r == OK && c->max_marks && g->p.info.timestamp_bits)
		r = gpu_check(g, g->f.CreateQueryPool(g->device, &queries, NULL, &c->queries),
			"vkCreateQueryPool", err);
	return r;
}

int gpu_cmd_new(struct gpu *g, unsigned max_marks, struct gpu_cmd **ret, struct error *err)
{
	_cleanup_(gpu_cmd_free)
	struct gpu_cmd *c = xcalloc(1, sizeof(*c));
	VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO
	};
	int r;

	c->g = g;
	c->max_marks = max_marks;
	c->ticks = xcalloc(MAX(max_marks, 1u), sizeof(*c->ticks));
	r = gpu_usable(g, err);
	if (r == OK)
		r = create_objects(c, err);
	if (r == OK)
		r = gpu_check(g, g->f.BeginCommandBuffer(c->handle, &begin),
			"vkBeginCommandBuffer", err);
	if (r < 0)
		return r;
	*ret = TAKE(c);
	return OK;
}

void gpu_cmd_free(struct gpu_cmd *c)
{
	struct gpu *g;

	if (!c)
		return;
	g = c->g;
	if (!g->is_lost && !g->is_stopped) {
		if (c->queries)
			g->f.DestroyQueryPool(g->device, c->queries, NULL);
		if (c->fence)
			g->f.DestroyFence(g->device, c->fence, NULL);
		if (c->handle)
			g->f.FreeCommandBuffers(g->device, g->pool, 1, &c->handle);
	}
	free(c->ticks);
	free(c);
}

int gpu_cmd_end(struct gpu_cmd *c, struct error *err)
{
	int r = gpu_check(c->g, c->g->f.EndCommandBuffer(c->handle), "vkEndCommandBuffer", err);

	if (c->first.code != OK) {
		*err = c->first;
		return c->first.code;
	}
	return r;
}

/* --- recording --------------------------------------------------------------------------- */

static bool is_recording(const struct gpu_cmd *c)
{
	return c->first.code == OK;
}

static int check_dispatch(struct gpu_cmd *c, const struct gpu_kernel *k,
	const struct gpu_bind *binds, uint32_t push_bytes, struct gpu_groups n)
{
	const struct gpu_info *i = &c->g->p.info;
	const uint32_t groups[3] = { n.x, n.y, n.z };

	for (int d = 0; d < 3; d++)
		if (groups[d] < 1 || groups[d] > i->max_groups[d])
			return error_set(&c->first, E_NOT_IMPLEMENTED,
				"'%s': %u workgroups in dimension %d; '%s' takes 1 to %u",
				k->module->name, groups[d], d, i->name, i->max_groups[d]);
	if (push_bytes > GPU_MAX_PUSH || push_bytes % 4)
		return error_set(&c->first, E_INTERNAL, "'%s': %u bytes of push constants",
			k->module->name, push_bytes);
	for (uint32_t b = 0; b < k->module->n_bufs; b++) {
		uint64_t size = binds[b].buf->bytes, bytes = binds[b].bytes;

		if (bytes == 0)
			bytes = size - MIN(size, binds[b].offset);
		if (bytes > i->max_storage_range)
			return error_set(&c->first, E_NOT_IMPLEMENTED,
				"'%s': buffer %u has %llu bytes; one descriptor of '%s' covers "
				"%llu",
				k->module->name, b, (unsigned long long)bytes, i->name,
				(unsigned long long)i->max_storage_range);
		if (binds[b].offset >= size || bytes > size - binds[b].offset)
			return error_set(&c->first, E_INTERNAL,
				"'%s': the window of buffer %u is outside of it",
				k->module->name, b);
	}
	return OK;
}

static void push_descriptors(
	struct gpu_cmd *c, const struct gpu_kernel *k, const struct gpu_bind *binds)
{
	VkDescriptorBufferInfo infos[GPU_MAX_BUFS];
	VkWriteDescriptorSet writes[GPU_MAX_BUFS];
	uint32_t n = k->module->n_bufs;

	for (uint32_t i = 0; i < n; i++) {
		infos[i] = (VkDescriptorBufferInfo){
			.buffer = binds[i].buf->handle,
			.offset = binds[i].offset,
			.range = binds[i].bytes ? binds[i].bytes : VK_WHOLE_SIZE,
		};
		writes[i] = (VkWriteDescriptorSet){
			.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
			.dstBinding = i,
			.descriptorCount = 1,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.pBufferInfo = &infos[i],
		};
	}
	c->g->f.CmdPushDescriptorSetKHR(
		c->handle, VK_PIPELINE_BIND_POINT_COMPUTE, k->layout, 0, n, writes);
}

void gpu_cmd_dispatch(struct gpu_cmd *c, const struct gpu_kernel *k,
	const struct gpu_bind *binds, const void *push, uint32_t push_bytes,
	struct gpu_groups groups)
{
	struct gpu *g = c->g;

	if (!is_recording(c) || check_dispatch(c, k, binds, push_bytes, groups) < 0)
		return;
	g->f.CmdBindPipeline(c->handle, VK_PIPELINE_BIND_POINT_COMPUTE, k->pipeline);
	if (k->module->n_bufs)
		push_descriptors(c, k, binds);
	if (push_bytes)
		g->f.CmdPushConstants(
			c->handle, k->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes, push);
	g->f.CmdDispatch(c->handle, groups.x, groups.y, groups.z);
}

void gpu_cmd_barrier(struct gpu_cmd *c)
{
	const VkPipelineStageFlags work =
		VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
	VkMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT |
				 VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT |
				 VK_ACCESS_HOST_READ_BIT,
	};

	if (is_recording(c))
		c->g->f.CmdPipelineBarrier(c->handle, work, work | VK_PIPELINE_STAGE_HOST_BIT,
			0, 1, &barrier, 0, NULL, 0, NULL);
}

void gpu_cmd_fill(
	struct gpu_cmd *c, struct gpu_buf *b, uint64_t offset, uint64_t bytes, uint32_t word)
{
	if (is_recording(c))
		c->g->f.CmdFillBuffer(c->handle, b->handle, offset, bytes, word);
}

void gpu_cmd_copy(struct gpu_cmd *c, struct gpu_buf *to, uint64_t to_offset,
	struct gpu_buf *from, uint64_t from_offset, uint64_t bytes)
{
	VkBufferCopy region = {
		.srcOffset = from_offset,
		.dstOffset = to_offset,
		.size = bytes,
	};

	if (is_recording(c))
		c->g->f.CmdCopyBuffer(c->handle, from->handle, to->handle, 1, &region);
}

/* ALL_COMMANDS on both sides: TOP_OF_PIPE could be written before earlier work has ended. */
void gpu_cmd_mark(struct gpu_cmd *c)
{
	if (!is_recording(c))
		return;
	if (c->n_marks >= c->max_marks) {
		error_set(&c->first, E_INTERNAL, "more than %u marks", c->max_marks);
		return;
	}
	gpu_cmd_barrier(c);
	if (c->queries)
		c->g->f.CmdWriteTimestamp(
			c->handle, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, c->queries, c->n_marks);
	c->n_marks++;
}

/* --- running ----------------------------------------------------------------------------- */

static int wait_fence(struct gpu_cmd *c, struct error *err)
{
	struct gpu *g = c->g;
	int64_t deadline = clock_monotonic_ns() + g->run_timeout_ns;

	for (;;) {
		VkResult r = g->f.WaitForFences(
			g->device, 1, &c->fence, VK_TRUE, WAIT_SLICE_MS * NS_PER_MS);

		if (r != VK_TIMEOUT)
			return gpu_check(g, r, "vkWaitForFences", err);
		if (g->stop && *g->stop) {
			g->is_stopped = true;
			return error_set(
				err, E_DEADLINE, "stopped by a signal during a dispatch");
		}
		if (clock_monotonic_ns() > deadline) {
			g->is_stopped = true;
			return error_set(err, E_DEADLINE,
				"a submission still ran after its deadline of %.3g s",
				(double)g->run_timeout_ns / NS_PER_S);
		}
	}
}

static int submit(struct gpu_cmd *c, struct error *err)
{
	struct gpu *g = c->g;
	VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &c->handle,
	};
	int r;

	if (c->queries)
		g->f.ResetQueryPool(g->device, c->queries, 0, c->max_marks);
	r = gpu_check(g, g->f.ResetFences(g->device, 1, &c->fence), "vkResetFences", err);
	if (r < 0)
		return r;
	return gpu_check(
		g, g->f.QueueSubmit(g->queue, 1, &info, c->fence), "vkQueueSubmit", err);
}

double gpu_ticks_ns(uint64_t from, uint64_t to, uint32_t bits, double period_ns)
{
	uint64_t mask = bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;

	return (double)((to - from) & mask) * period_ns;
}

static int read_marks(struct gpu_cmd *c, double *marks_ns, struct error *err)
{
	struct gpu *g = c->g;
	const struct gpu_info *i = &g->p.info;
	int r;

	memset(marks_ns, 0, c->n_marks * sizeof(*marks_ns));
	if (!c->queries || c->n_marks == 0)
		return OK;
	r = gpu_check(g,
		g->f.GetQueryPoolResults(g->device, c->queries, 0, c->n_marks,
			c->n_marks * sizeof(*c->ticks), c->ticks, sizeof(*c->ticks),
			VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT),
		"vkGetQueryPoolResults", err);
	for (unsigned k = 1; r == OK && k < c->n_marks; k++)
		marks_ns[k] = gpu_ticks_ns(
			c->ticks[0], c->ticks[k], i->timestamp_bits, i->timestamp_ns);
	return r;
}

int gpu_cmd_run(struct gpu_cmd *c, double *marks_ns, double *host_ns, struct error *err)
{
	int64_t start;
	int r = gpu_usable(c->g, err);

	if (r < 0)
		return r;
	if (c->g->stop && *c->g->stop)
		return error_set(err, E_DEADLINE, "stopped by a signal");
	start = clock_monotonic_ns();
	r = submit(c, err);
	if (r == OK)
		r = wait_fence(c, err);
	if (r < 0)
		return r;
	if (host_ns)
		*host_ns = (double)(clock_monotonic_ns() - start);
	return marks_ns ? read_marks(c, marks_ns, err) : OK;
}

int gpu_groups_fold(const struct gpu_info *info, uint64_t n, uint32_t group,
	struct gpu_groups *ret, struct error *err)
{
	uint64_t groups = (n + group - 1) / group;
	uint64_t x = MIN(groups, (uint64_t)info->max_groups[0]);
	uint64_t y = x ? (groups + x - 1) / x : 0;

	if (groups == 0 || n > UINT32_MAX || y > info->max_groups[1])
		return error_set(err, E_NOT_IMPLEMENTED,
			"%llu invocations in groups of %u are more than '%s' can run",
			(unsigned long long)n, group, info->name);
	*ret = (struct gpu_groups){ (uint32_t)x, (uint32_t)y, 1 };
	return OK;
}
