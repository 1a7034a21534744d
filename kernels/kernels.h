/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernels of benchd-kernel: what one is, what it is given, what it must prove.
 *
 * A kernel is one record. Its file holds its input, its reference, its backends on the CPU, its
 * byte and FLOP counts and its verification. The driver (kernels/measure.h) knows only this
 * page: it asks for counts, sets up, verifies, times, verifies again and reports. All
 * calls come from the one thread that owns the run; `run` may use OpenMP threads inside.
 *
 * Rules for every kernel:
 * - Input is a function of (kernel, size, seed) alone: kernels/input.h.
 * - Running is idempotent: `run` reads inputs, writes outputs and scratch memory, and never
 *   changes an input. K iterations leave the output that one iteration leaves.
 * - The output is poisoned before a verified run; an element not written fails the proof.
 * - Within one backend the output is the same bit for bit for any number of threads and any
 *   tile.
 * - The scalar backend keeps the reference's order of operations.
 *
 * A Vulkan backend is added without touching the kernel's file: see kernels/vk.h.
 * May be used by: kernels/ and its tests. */
#ifndef KERNELS_KERNELS_H
#define KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

/* One row: enumerator, name on the command line and in results, bytes of an element. */
#define DTYPES(X)                                                                              \
	X(DT_F32, "f32", 4)                                                                    \
	X(DT_F64, "f64", 8)                                                                    \
	X(DT_U8, "u8", 1)                                                                      \
	X(DT_U32, "u32", 4)                                                                    \
	X(DT_U64, "u64", 8)                                                                    \
	X(DT_I32, "i32", 4)

enum dtype {
#define X(id, name, bytes) id,
	DTYPES(X)
#undef X
		N_DTYPES
};
#define DT_BIT(d) (1u << (d))
#define DT_REALS (DT_BIT(DT_F32) | DT_BIT(DT_F64))

const char *dtype_name(enum dtype d);
int64_t dtype_bytes(enum dtype d);
static inline double dtype_eps(enum dtype d) /* distance from 1 to the next number */
{
	return d == DT_F32 ? 0x1p-23 : 0x1p-52;
}

struct kernel;

/* One row: enumerator, name. The last two are libraries of others (kernels/peer.h). */
#define BACKENDS(X)                                                                            \
	X(BACKEND_SCALAR, "scalar")                                                            \
	X(BACKEND_SIMD, "simd")                                                                \
	X(BACKEND_THREADS, "threads")                                                          \
	X(BACKEND_VULKAN, "vulkan")                                                            \
	X(BACKEND_BLAS, "blas")                                                                \
	X(BACKEND_FFTW, "fftw")

enum backend {
#define X(id, name) id,
	BACKENDS(X)
#undef X
		N_BACKENDS
};
const char *backend_name(enum backend b);
/* Whether this build computes k with b (a library or device may still be missing here). */
bool backend_has(const struct kernel *k, enum backend b);

/* Which compiled form of a CPU kernel runs (kernels/code.h). simd and threads take the best
 * one the CPU has unless told otherwise. */
enum isa { ISA_SCALAR, ISA_BASE, ISA_SSE42, ISA_AVX2, ISA_AVX512, N_ISAS };

enum { KERNEL_DIMS = 3, KERNEL_OPTIONS = 16, KERNEL_INVARIANTS = 24 };

/* Knobs of a Vulkan backend (kernels/vk.h). */
enum { VK_KNOBS = 4, VK_KNOB_VALUES = 8 };

/* Everything that decides what is computed. Part of the result; equal params on one host are
 * equal work. Made by params_init and the command line, constant afterwards. */
struct params {
	const struct kernel *kernel;
	int64_t dim[KERNEL_DIMS]; /* meaning: kernel->dims; unused ones are 1 */
	enum dtype dtype;
	enum backend backend;
	enum isa isa;			/* for the CPU backends */
	int threads;			/* threads backend: OpenMP threads; else 1 */
	uint64_t seed;			/* of the input */
	int64_t option[KERNEL_OPTIONS]; /* by position in kernel->options: index or number */
	const char *device;		/* Vulkan: UUID, "cpu" (software) or NULL; borrowed */
	const char *variant; /* Vulkan: word of --variant, NULL = the first; borrowed */
	bool validate;	     /* Vulkan: run under the validation layer */
	uint32_t
		knob[VK_KNOBS]; /* Vulkan: of tuning; 0 = the stored winner, else the default */
	bool is_cold;		/* Vulkan: caches hold other data before each iteration */
};

/* Work of ONE iteration. */
struct counts {
	double flops;		     /* as the reference counts them */
	double bytes;		     /* compulsory: each input once, each output once */
	double write_allocate_bytes; /* read by the cache before an ordinary store */
	double footprint_bytes;	     /* all arrays of the kernel's own */
	double touched_bytes;	     /* of them in an iteration; 0 = all */
	double work;		     /* in units of kernel->work_unit */
	double n_outputs;	     /* elements written and verified */
};

/* One claim that was checked: it holds when value <= limit (a NaN does not hold). */
struct invariant {
	const char *name; /* static text */
	double value, limit;
	bool ok;
};

/* Errors against the analytic answer, where a kernel has one. */
struct accuracy {
	bool is_known;
	double rmse, mae, max_error, mean_error, std_error, correlation, bias, relative_rmse;
	double order; /* of convergence; 0 = not measured */
	int64_t n_valid, n_total;
};

/* The proof of one run (kernels/proof.h fills it). */
struct proof {
	bool ok; /* all invariants hold */
	int64_t n_outputs;
	struct invariant invariant[KERNEL_INVARIANTS];
	size_t n_invariants;
	uint64_t digest; /* of the output's bits; comparable within one backend and build */
	struct accuracy accuracy;
};

/* An option of a kernel: --NAME VALUE. names: one of these words, stored as its index;
 * without names: an integer in [min, max]. */
struct kernel_option {
	const char *name, *help;
	const char *const *names; /* NULL-terminated, or NULL */
	int64_t min, max, otherwise;
};

struct named_size {
	const char *name; /* small medium large ...; small is quick enough for CI */
	int64_t dim[KERNEL_DIMS];
};

struct kernel {
	const char *id;
	const char *const *aliases; /* NULL-terminated, or NULL */
	const char *title;	    /* one line for people */
	const char *source;	    /* where formula and counts come from */
	unsigned dtypes;	    /* DT_BITs; the first one of default_dtype is taken */
	enum dtype default_dtype;
	int n_dims;	     /* 1 to KERNEL_DIMS */
	const char *dims;    /* what they are: "rows x columns", "bytes of each array" */
	bool dims_repeat;    /* "64" means 64x64x64: a missing dim is the one before it */
	unsigned dims_fixed; /* bit i: dim i keeps its default when a size is a memory level */
	unsigned dims_pow2;  /* bit i: dim i is a power of two */
	int64_t dim_min, dim_max;	/* limits of each */
	const struct named_size *sizes; /* ends with a NULL name; the second is the default */
	const struct kernel_option *options; /* ends with a NULL name, or NULL */
	const char *work_unit;		     /* "source cells", "B", "FLOP" */
	const char *rate_unit;		     /* of throughput: "GB/s" */
	double rate_scale;		     /* work per second / rate_scale = throughput */

	/* Refuse what the ranges cannot say (may be NULL): E_UNPROCESSABLE naming the field. */
	int (*check)(const struct params *p, struct error *err) must_check;
	void (*count)(const struct params *p, struct counts *ret);
	/* Allocate, fault in, make the input (and weights, where they are cached). Not timed.
	 */
	int (*setup)(const struct params *p, void **ret_state, struct error *err) must_check;
	/* The timed work on a CPU backend, p->backend, `iterations` times. */
	void (*run)(void *state, int64_t iterations);
	/* Fill every output with words that cannot be right. */
	void (*poison)(void *state);
	/* Check the output in the state against the reference; false claims go into ret, which
	 * the caller has zeroed. An error is only for a check that could not be made. */
	int (*verify)(void *state, struct proof *ret, struct error *err) must_check;
	void (*free)(void *state); /* NULL is fine */
};

/* All kernels, ordered by family; ends with NULL. */
extern const struct kernel *const kernel_table[];
/* By id or alias in any case, also behind the name of the suite it is from (rodinia.hotspot);
 * NULL when there is none. */
const struct kernel *kernel_find(const char *name);
/* Nearest id or alias to a misspelt name, NULL when none is near. */
const char *kernel_nearest(const char *name);
/* Value of an option by its name; asserts that the kernel has it. */
int64_t params_option(const struct params *p, const char *name);
/* Defaults: second size, default dtype, simd, best isa, seed 42, 1 thread. */
void params_init(struct params *p, const struct kernel *k);
int64_t params_elements(const struct params *p); /* product of the dims */

#endif
