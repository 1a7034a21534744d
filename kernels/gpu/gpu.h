/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The GPU, as benchd-kernel sees it: list devices, open one, hold buffers, run shaders, read
 * device timestamps. No Vulkan type leaves this folder.
 *
 * libvulkan is opened with dlopen when a device is listed or opened, never before, so every
 * other kernel runs on hosts without it. Nothing here aborts: each call returns OK or a code of
 * struct error, and the sentence names the Vulkan call that failed. In a build without Vulkan
 * (--disable-vulkan) every call says so.
 *
 * Threads: one thread owns a struct gpu and everything made from it. No fork after gpu_open: a
 * child cannot use the device.
 *
 * Codes, and the exit status they stand for (gpu_exit_status):
 *   E_UNAVAILABLE      69  no loader, driver, device or memory
 *   E_NOT_IMPLEMENTED  69  the device lacks a feature or a limit is too small
 *   E_DEADLINE         75  stopped by SIGTERM or by the deadline of a run
 *   E_GONE             76  the device was lost; every later call fails at once
 *   other              70  any other Vulkan or internal error */
#ifndef KERNELS_GPU_GPU_H
#define KERNELS_GPU_GPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "base/cleanup.h"
#include "base/error.h"

/* What a module may need and a device may have. */
#define GPU_FEATURES(X)                                                                        \
	X(F64, "f64")                                                                          \
	X(F16, "f16")                                                                          \
	X(16BIT_STORAGE, "16bit-storage")                                                      \
	X(I64, "i64")                                                                          \
	X(I8, "i8")                                                                            \
	X(8BIT_STORAGE, "8bit-storage")                                                        \
	X(SUBGROUP, "subgroup-arithmetic")                                                     \
	X(ADDRESS, "buffer-device-address")                                                    \
	X(ATOMIC_F32, "atomic-f32-add")                                                        \
	X(ATOMIC_I64, "atomic-i64")                                                            \
	X(COOPMAT, "cooperative-matrix")                                                       \
	X(PROGRESS, "workgroup-progress")

enum gpu_feature_bit {
#define X(id, name) GPU_BIT_##id,
	GPU_FEATURES(X)
#undef X
		GPU_N_FEATURES
};
enum gpu_feature {
#define X(id, name) GPU_##id = 1u << GPU_BIT_##id,
	GPU_FEATURES(X)
#undef X
};

struct gpu_info {
	char name[256], driver[256], driver_info[256]; /* as Vulkan reports them */
	char uuid[33];				       /* deviceUUID, 32 hexadecimal digits */
	char kind[12]; /* discrete integrated virtual cpu other */
	char pci[16];  /* 0000:01:00.0, "" when unknown */
	uint32_t vendor_id, device_id, driver_id;
	uint32_t api_version, driver_version; /* as Vulkan packs them */
	uint32_t features;		      /* bits of enum gpu_feature */
	uint32_t subgroup_size, subgroup_min, subgroup_max;
	uint32_t max_group_invocations, max_group_size[3], max_groups[3];
	uint32_t shared_bytes, push_bytes;
	uint32_t max_buffers;	    /* storage buffers a shader may bind */
	uint64_t max_storage_range; /* bytes one descriptor may cover */
	uint64_t max_allocation;    /* bytes */
	uint64_t heap_bytes;	    /* largest device-local heap */
	uint64_t budget_bytes;	    /* what we may allocate (gpu.md 4) */
	uint32_t timestamp_bits;    /* 0: the queue has no timestamps */
	double timestamp_ns;	    /* nanoseconds a tick */
	uint32_t max_loop_turns;    /* 0: no limit found; see gpu_loops_check */
	bool is_software;	    /* a CPU pretending to be a GPU */
	bool has_loop_test;	    /* max_loop_turns was measured */
	char unusable[160];	    /* why the suite cannot use it; "" when it can */
};

/* The devices of this host, best first (discrete, integrated, virtual, other, cpu), at most
 * cap. With is_tested each usable device is opened and its loop limit measured (30-70 ms each).
 * No device at all is E_UNAVAILABLE with the reason: no loader, no driver, a driver without its
 * hardware, or no device. */
int gpu_list_devices(struct gpu_info *out, size_t cap, bool is_tested, size_t *ret_n,
	struct error *err) must_check;
json_t *gpu_info_json(const struct gpu_info *info); /* the caller owns it */
const char *gpu_feature_name(uint32_t feature);	    /* one bit */

struct gpu;
struct gpu_options {
	/* UUID of 32 digits (dashes allowed), "cpu" for a software device, NULL for the best
	 * hardware device; software is never chosen without being named. */
	const char *device;
	const char *cache_dir;	/* pipeline cache and driver cache; NULL: none */
	bool is_cold;		/* use no cache on disk: compile times are cold */
	bool is_validated;	/* Khronos validation with synchronization checks; slow */
	uint64_t memory_limit;	/* bytes of GPU_DEVICE buffers; 0: the device's budget */
	int64_t run_timeout_ns; /* longest submission; 0: 60 s */
	/* Looked at between slices of a wait; nonzero: give up. NULL: never. Borrowed. */
	const volatile int *stop;
};
/* One process at a time measures on a device: flock on gpu-UUID.lock, of a software device on
 * the processor's host.lock, where the worker has them ($BENCHD_LOCK_DIR or /run/benchd, else
 * $XDG_RUNTIME_DIR/benchd, else /tmp/benchd-UID), without waiting; a refusal (E_UNAVAILABLE)
 * names the holder. The lock lasts as long as *ret_fd is open in any process. -1: none was
 * taken, because the worker handed it down (BENCHD_GPU_LOCK_FD names an open descriptor), holds
 * the host (software devices; BENCHD_JOB is set), or because there is no folder for it. */
int gpu_lock(const struct gpu_info *info, int *ret_fd, struct error *err) must_check;

struct gpu_setup { /* seconds each step took */
	double library_s, instance_s, device_s;
};

int gpu_open(const struct gpu_options *o, struct gpu **ret, struct error *err) must_check;
/* After a loss or a stop nothing may be destroyed while work is in flight: then this only gives
 * up the handle, and the process is expected to exit. NULL is fine. */
void gpu_close(struct gpu *g);
DEFINE_CLEANUP(struct gpu *, gpu_close)
const struct gpu_info *gpu_get_info(const struct gpu *g);
const struct gpu_setup *gpu_get_setup(const struct gpu *g);
bool gpu_is_lost(const struct gpu *g);
int gpu_exit_status(int code);

/* Validation: messages counted so far (warnings and errors of the layer), and the first. */
unsigned gpu_count_messages(const struct gpu *g);
const char *gpu_first_message(const struct gpu *g); /* "" when there is none */

/* Refuse a kernel whose longest invocation makes more loop turns (all its loops, inner ones
 * included) than the device runs: lavapipe cuts them silently (gpu.md 2.1). */
int gpu_loops_check(const struct gpu *g, uint64_t turns, struct error *err) must_check;

/* --- buffers ----------------------------------------------------------------------------- */
struct gpu_buf;
enum gpu_where {
	GPU_DEVICE,   /* device-local; written and read through staging */
	GPU_UPLOAD,   /* host memory the device reads */
	GPU_READBACK, /* host memory the device writes, cached for the host */
};
/* bytes > 0, rounded up to 16. Over the memory limit is E_UNAVAILABLE with both figures. */
int gpu_buf_new(struct gpu *g, uint64_t bytes, enum gpu_where where, struct gpu_buf **ret,
	struct error *err) must_check;
void gpu_buf_free(struct gpu_buf *b); /* before gpu_close; NULL is fine */
DEFINE_CLEANUP(struct gpu_buf *, gpu_buf_free)
uint64_t gpu_buf_bytes(const struct gpu_buf *b);
uint64_t gpu_buf_address(const struct gpu_buf *b); /* 0 without GPU_ADDRESS */
void *gpu_buf_map(struct gpu_buf *b);		   /* NULL for GPU_DEVICE */
int gpu_buf_write(struct gpu_buf *b, uint64_t offset, const void *data, uint64_t bytes,
	struct error *err) must_check;
int gpu_buf_read(struct gpu_buf *b, uint64_t offset, void *data, uint64_t bytes,
	struct error *err) must_check;
/* Fill the whole buffer with a word and wait. GPU_POISON is a NaN as f16, f32 and f64. */
#define GPU_POISON 0x7FF87FF8u
int gpu_buf_fill(struct gpu_buf *b, uint32_t word, struct error *err) must_check;

/* --- shaders ----------------------------------------------------------------------------- */
struct gpu_module { /* a row of the generated table in modules.c */
	const char *name;
	const uint32_t *spirv;
	size_t bytes;
	uint32_t needs;	 /* bits of enum gpu_feature */
	uint32_t n_bufs; /* storage buffers at bindings 0 .. n_bufs - 1 */
};
extern const struct gpu_module gpu_modules[]; /* ends with a NULL name */
const struct gpu_module *gpu_module_find(const char *name);

struct gpu_kernel;
enum { GPU_MAX_SPEC = 16, GPU_MAX_BUFS = 20, GPU_MAX_PUSH = 128 };
/* Compile a module with specialization constants 0..n_spec-1 (0, 1, 2 are the workgroup size).
 * subgroup_size 0: whatever the driver takes. A missing feature is E_NOT_IMPLEMENTED. */
int gpu_kernel_new(struct gpu *g, const char *module, const uint32_t *spec, size_t n_spec,
	uint32_t subgroup_size, struct gpu_kernel **ret, struct error *err) must_check;
void gpu_kernel_free(struct gpu_kernel *k);
DEFINE_CLEANUP(struct gpu_kernel *, gpu_kernel_free)
double gpu_kernel_compile_s(const struct gpu_kernel *k);
int gpu_kernel_cache_hit(const struct gpu_kernel *k); /* 1 hit, 0 miss, -1 unknown */
/* What the driver says about the compiled code (registers, spills, ...); NULL when it says
 * nothing. The caller owns it. */
json_t *gpu_kernel_stats(const struct gpu_kernel *k);

/* --- commands ---------------------------------------------------------------------------- */
/* A recorded command buffer, submitted as often as wanted. Recording calls keep the first
 * error, which gpu_cmd_end returns. */
struct gpu_cmd;
struct gpu_bind { /* a window of a buffer; bytes 0: to its end */
	struct gpu_buf *buf;
	uint64_t offset, bytes;
};
struct gpu_groups {
	uint32_t x, y, z;
};
int gpu_cmd_new(
	struct gpu *g, unsigned max_marks, struct gpu_cmd **ret, struct error *err) must_check;
void gpu_cmd_free(struct gpu_cmd *c);
DEFINE_CLEANUP(struct gpu_cmd *, gpu_cmd_free)
void gpu_cmd_dispatch(struct gpu_cmd *c, const struct gpu_kernel *k,
	const struct gpu_bind *binds, const void *push, uint32_t push_bytes,
	struct gpu_groups groups);
/* Everything before is seen by everything after: compute and transfer, also the host's reads.
 */
void gpu_cmd_barrier(struct gpu_cmd *c);
void gpu_cmd_fill(
	struct gpu_cmd *c, struct gpu_buf *b, uint64_t offset, uint64_t bytes, uint32_t word);
void gpu_cmd_copy(struct gpu_cmd *c, struct gpu_buf *to, uint64_t to_offset,
	struct gpu_buf *from, uint64_t from_offset, uint64_t bytes);
/* Barrier, then a timestamp once all before it has ended. */
void gpu_cmd_mark(struct gpu_cmd *c);
int gpu_cmd_end(struct gpu_cmd *c, struct error *err) must_check;
/* Submit and wait in slices of 100 ms, looking at the stop flag between them. marks_ns gets
 * the n_marks timestamps as nanoseconds since the first one (NULL: not wanted; all 0 where the
 * queue has none), host_ns the time from submit to fence. */
int gpu_cmd_run(
	struct gpu_cmd *c, double *marks_ns, double *host_ns, struct error *err) must_check;

/* Groups for n invocations of a group size, folded into y where x is limited (65535 on
 * lavapipe): shaders compute index = (y * n_x + x) * size + local. E_NOT_IMPLEMENTED when even
 * that is too small. */
int gpu_groups_fold(const struct gpu_info *info, uint64_t n, uint32_t group,
	struct gpu_groups *ret, struct error *err) must_check;

#endif
