/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults on demand: what a broken GPU does to a process, for tests of those who must cope with
 * it. No driver offers a device loss when asked. BENCHD_KERNEL_FAULT=KIND:N takes effect at the
 * Nth submission after the device was opened and at all later ones; a job cannot
 * set it, but a worker does where BENCHD_FAULTS in its own environment names a file with one.
 */
#include "kernels/gpu/vk.h"

#include <signal.h>
#include <string.h>

enum fault { FAULT_DEVICE_LOST, FAULT_CRASH, FAULT_HANG, FAULT_UNDEAD };
static const char *const names[] = { "device_lost", "crash", "hang", "undead" };

static struct {
	PFN_vkQueueSubmit submit; /* the driver's */
	enum fault kind;
	long at, n;
} fault;

static VKAPI_ATTR VkResult VKAPI_CALL submit_with_fault(
	VkQueue queue, uint32_t n, const VkSubmitInfo *infos, VkFence fence)
{
	if (++fault.n < fault.at)
		return fault.submit(queue, n, infos, fence);
	if (fault.kind == FAULT_CRASH) {
		signal(SIGSEGV, SIG_DFL); /* a sanitizer would catch it */
		raise(SIGSEGV);
	}
	if (fault.kind == FAULT_UNDEAD)
		signal(SIGTERM, SIG_IGN); /* and a worker does as if SIGKILL had no effect */
	while (fault.kind == FAULT_HANG || fault.kind == FAULT_UNDEAD)
		pause(); /* as in a driver call that does not come back */
	return VK_ERROR_DEVICE_LOST;
}

static int refuse(const char *text, struct error *err)
{
	return error_set_field(err, E_BAD_REQUEST, "BENCHD_KERNEL_FAULT",
		"BENCHD_KERNEL_FAULT is '%.40s'; it must be device_lost:N, crash:N, hang:N or "
		"undead:N "
		"with N from 1",
		text);
}

int gpu_fault_arm(struct gpu *g, struct error *err)
{
	const char *text = getenv("BENCHD_KERNEL_FAULT");
	size_t len = text ? strcspn(text, ":") : 0, k = 0;
	char *end;

	if (!text || !*text)
		return OK;
	while (k < ARRAY_SIZE(names) &&
		(strlen(names[k]) != len || strncmp(names[k], text, len) != 0))
		k++;
	if (k == ARRAY_SIZE(names) || !text[len])
		return refuse(text, err);
	fault.at = strtol(text + len + 1, &end, 10);
	if (end == text + len + 1 || *end || fault.at < 1)
		return refuse(text, err);
	fault.n = 0;
	fault.kind = (enum fault)k;
	fault.submit = g->f.QueueSubmit;
	g->f.QueueSubmit = submit_with_fault;
	return OK;
}
