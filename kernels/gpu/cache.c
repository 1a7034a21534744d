/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pipeline cache on disk: DIR/<pipelineCacheUUID>-<driverVersion>-<hash of driverInfo>.bin.
 * lavapipe's UUID and version never change, so the hash is what tells its builds apart. The
 * file has a header of our own (magic, version, size, hash of the content) in front of
 * Vulkan's; a file that fits in any way less than wholly is ignored, never an error. */
#include "kernels/gpu/vk.h"

#include <errno.h>
#include <string.h>
#include "base/buf.h"
#include "base/fs.h"

#define MAGIC 0x42474348u /* "BGCH" */
enum { VERSION = 1, CACHE_MAX = 32 * 1024 * 1024 };

struct header {
	uint32_t magic, version;
	uint64_t bytes, hash;
};

/* FNV-1a, 64 bits. */
static uint64_t hash(const void *data, size_t n)
{
	const unsigned char *p = data;
	uint64_t h = 0xcbf29ce484222325ULL;

	while (n--)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return h;
}

static void read_identity(
	const struct gpu *g, VkPhysicalDeviceProperties *props, uint64_t *ret_info_hash)
{
	VkPhysicalDeviceProperties2 top = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2
	};

	g->loader->f.GetPhysicalDeviceProperties2(g->p.handle, &top);
	*props = top.properties;
	*ret_info_hash = hash(g->p.info.driver_info, strlen(g->p.info.driver_info));
}

static char *make_path(const struct gpu *g, const char *dir)
{
	VkPhysicalDeviceProperties props;
	char uuid[2 * VK_UUID_SIZE + 1];
	uint64_t info_hash;

	read_identity(g, &props, &info_hash);
	for (unsigned i = 0; i < VK_UUID_SIZE; i++)
		snprintf(uuid + 2 * i, 3, "%02x", props.pipelineCacheUUID[i]);
	return xasprintf("%s/%s-%u-%016llx.bin", dir, uuid, props.driverVersion,
		(unsigned long long)info_hash);
}

/* Vulkan's own header: the blob belongs to this device and driver. */
static bool blob_fits(const struct gpu *g, const void *data, size_t n)
{
	VkPipelineCacheHeaderVersionOne h;
	VkPhysicalDeviceProperties props;
	uint64_t info_hash;

	if (n < sizeof(h))
		return false;
	memcpy(&h, data, sizeof(h));
	read_identity(g, &props, &info_hash);
	return h.headerSize >= sizeof(h) &&
	       h.headerVersion == VK_PIPELINE_CACHE_HEADER_VERSION_ONE &&
	       h.vendorID == props.vendorID && h.deviceID == props.deviceID &&
	       !memcmp(h.pipelineCacheUUID, props.pipelineCacheUUID, VK_UUID_SIZE);
}

/* The Vulkan blob inside a file of ours, or NULL. */
static const void *file_blob(const struct gpu *g, const struct buf *b, size_t *ret_n)
{
	struct header h;

	if (b->len < sizeof(h))
		return NULL;
	memcpy(&h, b->data, sizeof(h));
	if (h.magic != MAGIC || h.version != VERSION || h.bytes != b->len - sizeof(h) ||
		h.hash != hash(b->data + sizeof(h), h.bytes) ||
		!blob_fits(g, b->data + sizeof(h), h.bytes))
		return NULL;
	*ret_n = h.bytes;
	return b->data + sizeof(h);
}

static int create(struct gpu *g, const void *blob, size_t n, struct error *err)
{
	VkPipelineCacheCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
		.initialDataSize = n,
		.pInitialData = blob,
	};

	return gpu_check(g, g->f.CreatePipelineCache(g->device, &info, NULL, &g->cache),
		"vkCreatePipelineCache", err);
}

int gpu_cache_open(struct gpu *g, const char *dir, struct error *err)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	const void *blob = NULL;
	size_t n = 0;

	if (dir && dir_make(dir, 0700, NULL) == OK) {
		g->cache_path = make_path(g, dir);
		if (file_read(g->cache_path, CACHE_MAX, &b, NULL) == OK)
			blob = file_blob(g, &b, &n);
	}
	g->cache_loaded_bytes = n;
	return create(g, blob, n, err);
}

void gpu_cache_save(struct gpu *g)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	struct header h = { .magic = MAGIC, .version = VERSION };
	_cleanup_(free)
	void *blob = NULL;
	size_t n = 0;

	if (!g->cache_path ||
		g->f.GetPipelineCacheData(g->device, g->cache, &n, NULL) != VK_SUCCESS ||
		n == 0 || n > CACHE_MAX - sizeof(h) || n <= g->cache_loaded_bytes)
		return;
	blob = xmalloc(n);
	if (g->f.GetPipelineCacheData(g->device, g->cache, &n, blob) != VK_SUCCESS)
		return;
	h.bytes = n;
	h.hash = hash(blob, n);
	buf_add(&b, &h, sizeof(h));
	buf_add(&b, blob, n);
	/* A cache that cannot be kept costs compile time, nothing else. */
	if (file_write(g->cache_path, b.data, b.len, 0600, NULL) < 0)
		return;
}
