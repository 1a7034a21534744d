/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Buffers: one allocation each, device memory always through staging, so that a discrete card
 * and a shared-memory one take the same path. */
#include "kernels/gpu/vk.h"

#include <string.h>

enum { STAGING_BYTES = 16 * 1024 * 1024 };

static const VkMemoryPropertyFlags needed[] = {
	[GPU_DEVICE] = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
	[GPU_UPLOAD] =
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
	[GPU_READBACK] =
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
};
static const VkMemoryPropertyFlags liked[] = {
	[GPU_DEVICE] = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
	[GPU_UPLOAD] = 0,
	[GPU_READBACK] = VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
};

/* First type of mask with all needed properties, preferring the liked ones; -1 for none. */
static int find_type(const struct gpu *g, uint32_t mask, enum gpu_where where)
{
	VkMemoryPropertyFlags best = needed[where] | liked[where];

	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < g->memory.memoryTypeCount; i++)
			if (mask >> i & 1 &&
				(g->memory.memoryTypes[i].propertyFlags & best) == best)
				return (int)i;
		best = needed[where];
	}
	return -1;
}

static int create(struct gpu_buf *b, struct error *err)
{
	struct gpu *g = b->g;
	VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = b->bytes,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
			 VK_BUFFER_USAGE_TRANSFER_DST_BIT |
			 (g->p.info.features & GPU_ADDRESS
					 ? VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT
					 : 0),
	};

	return gpu_check(g, g->f.CreateBuffer(g->device, &info, NULL, &b->handle),
		"vkCreateBuffer", err);
}

static int check_room(const struct gpu *g, uint64_t bytes, struct error *err)
{
	if (bytes > g->p.info.max_allocation)
		return error_set(err, E_UNAVAILABLE,
			"a buffer of %llu MiB is over the %llu MiB one allocation may have on "
			"'%s'",
			(unsigned long long)(bytes >> 20),
			(unsigned long long)(g->p.info.max_allocation >> 20), g->p.info.name);
	if (bytes > g->memory_limit || g->memory_used > g->memory_limit - bytes)
		return error_set(err, E_UNAVAILABLE,
			"%llu MiB more would pass the memory limit of %llu MiB on '%s' (%llu "
			"MiB "
			"in use)",
			(unsigned long long)(bytes >> 20),
			(unsigned long long)(g->memory_limit >> 20), g->p.info.name,
			(unsigned long long)(g->memory_used >> 20));
	return OK;
}

static int allocate(struct gpu_buf *b, enum gpu_where where, struct error *err)
{
	struct gpu *g = b->g;
	VkMemoryRequirements need;
	VkMemoryAllocateFlagsInfo flags = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
		.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT,
	};
	VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.pNext = g->p.info.features & GPU_ADDRESS ? &flags : NULL,
	};
	int type, r;

	g->f.GetBufferMemoryRequirements(g->device, b->handle, &need);
	type = find_type(g, need.memoryTypeBits, where);
	if (type < 0)
		return error_set(err, E_NOT_IMPLEMENTED, "'%s' has no fitting memory type",
			g->p.info.name);
	r = where == GPU_DEVICE ? check_room(g, need.size, err) : OK;
	if (r < 0)
		return r;
	info.allocationSize = need.size;
	info.memoryTypeIndex = (uint32_t)type;
	r = gpu_check(g, g->f.AllocateMemory(g->device, &info, NULL, &b->memory),
		"vkAllocateMemory", err);
	if (r < 0)
		return r;
	if (where == GPU_DEVICE) {
		b->allocated = need.size;
		g->memory_used += need.size;
	}
	return gpu_check(g, g->f.BindBufferMemory(g->device, b->handle, b->memory, 0),
		"vkBindBufferMemory", err);
}

static int map(struct gpu_buf *b, enum gpu_where where, struct error *err)
{
	struct gpu *g = b->g;
	VkBufferDeviceAddressInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
		.buffer = b->handle,
	};

	if (g->p.info.features & GPU_ADDRESS && g->f.GetBufferDeviceAddress)
		b->address = g->f.GetBufferDeviceAddress(g->device, &info);
	if (where == GPU_DEVICE)
		return OK;
	return gpu_check(g, g->f.MapMemory(g->device, b->memory, 0, VK_WHOLE_SIZE, 0, &b->map),
		"vkMapMemory", err);
}

int gpu_buf_new(struct gpu *g, uint64_t bytes, enum gpu_where where, struct gpu_buf **ret,
	struct error *err)
{
	_cleanup_(gpu_buf_free)
	struct gpu_buf *b = xcalloc(1, sizeof(*b));
	int r;

	b->g = g;
	b->bytes = (bytes + 15) / 16 * 16;
	r = gpu_usable(g, err);
	if (r == OK && (bytes == 0 || b->bytes < bytes))
		r = error_set(err, E_INTERNAL, "a buffer of %llu bytes was asked for",
			(unsigned long long)bytes);
	if (r == OK && where == GPU_DEVICE)
		r = check_room(g, b->bytes, err);
	if (r == OK)
		r = create(b, err);
	if (r == OK)
		r = allocate(b, where, err);
	if (r == OK)
		r = map(b, where, err);
	if (r < 0)
		return r;
	*ret = TAKE(b);
	return OK;
}

void gpu_buf_free(struct gpu_buf *b)
{
	if (!b)
		return;
	if (b->g->is_lost || b->g->is_stopped) {
		free(b);
		return;
	}
	if (b->handle)
		b->g->f.DestroyBuffer(b->g->device, b->handle, NULL);
	if (b->memory)
		b->g->f.FreeMemory(b->g->device, b->memory, NULL);
	b->g->memory_used -= b->allocated;
	free(b);
}

uint64_t gpu_buf_bytes(const struct gpu_buf *b)
{
	return b->bytes;
}

uint64_t gpu_buf_address(const struct gpu_buf *b)
{
	return b->address;
}

void *gpu_buf_map(struct gpu_buf *b)
{
	return b->map;
}

/* --- staging ----------------------------------------------------------------------------- */

static int staging(struct gpu *g, struct gpu_buf **buf, enum gpu_where where, struct error *err)
{
	if (*buf)
		return gpu_usable(g, err);
	return gpu_buf_new(g, STAGING_BYTES, where, buf, err);
}

static int check_window(
	const struct gpu_buf *b, uint64_t offset, uint64_t bytes, struct error *err)
{
	if (offset > b->bytes || bytes > b->bytes - offset)
		return error_set(err, E_INTERNAL,
			"bytes %llu to %llu are outside of a buffer of %llu",
			(unsigned long long)offset, (unsigned long long)(offset + bytes),
			(unsigned long long)b->bytes);
	return OK;
}

static int copy_now(struct gpu *g, struct gpu_buf *to, uint64_t to_offset, struct gpu_buf *from,
	uint64_t from_offset, uint64_t bytes, struct error *err)
{
	_cleanup_(gpu_cmd_free)
	struct gpu_cmd *c = NULL;
	int r = gpu_cmd_new(g, 0, &c, err);

	if (r < 0)
		return r;
	gpu_cmd_barrier(c);
	gpu_cmd_copy(c, to, to_offset, from, from_offset, bytes);
	gpu_cmd_barrier(c);
	r = gpu_cmd_end(c, err);
	if (r < 0)
		return r;
	return gpu_cmd_run(c, NULL, NULL, err);
}

int gpu_buf_write(
	struct gpu_buf *b, uint64_t offset, const void *data, uint64_t bytes, struct error *err)
{
	struct gpu *g = b->g;
	int r = check_window(b, offset, bytes, err);

	if (r == OK)
		r = staging(g, &g->upload, GPU_UPLOAD, err);
	for (uint64_t done = 0; r == OK && done < bytes;) {
		uint64_t n = MIN(bytes - done, (uint64_t)STAGING_BYTES);

		memcpy(g->upload->map, (const char *)data + done, n);
		r = copy_now(g, b, offset + done, g->upload, 0, n, err);
		done += n;
	}
	return r;
}

int gpu_buf_read(
	struct gpu_buf *b, uint64_t offset, void *data, uint64_t bytes, struct error *err)
{
	struct gpu *g = b->g;
	int r = check_window(b, offset, bytes, err);

	if (r == OK)
		r = staging(g, &g->readback, GPU_READBACK, err);
	for (uint64_t done = 0; r == OK && done < bytes;) {
		uint64_t n = MIN(bytes - done, (uint64_t)STAGING_BYTES);

		r = copy_now(g, g->readback, 0, b, offset + done, n, err);
		if (r == OK)
			memcpy((char *)data + done, g->readback->map, n);
		done += n;
	}
	return r;
}

int gpu_buf_fill(struct gpu_buf *b, uint32_t word, struct error *err)
{
	_cleanup_(gpu_cmd_free)
	struct gpu_cmd *c = NULL;
	int r = gpu_cmd_new(b->g, 0, &c, err);

	if (r < 0)
		return r;
	gpu_cmd_barrier(c);
	gpu_cmd_fill(c, b, 0, b->bytes, word);
	gpu_cmd_barrier(c);
	r = gpu_cmd_end(c, err);
	if (r < 0)
		return r;
	return gpu_cmd_run(c, NULL, NULL, err);
}
