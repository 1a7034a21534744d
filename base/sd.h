/* SPDX-License-Identifier: GPL-3.0-or-later */
/* systemd's protocols without its library: readiness and watchdog datagrams (sd_notify(3)) and
 * passed-in sockets (sd_listen_fds(3)). Call from the main thread at start. */
#ifndef BASE_SD_H
#define BASE_SD_H

#include <stdint.h>
#include "base/error.h"

/* Reads and unsets NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, LISTEN_*. Call once, first. */
void sd_init(void);
/* Send "READY=1", "STATUS=..." etc.; silently nothing when not under systemd. */
void sd_notify(const char *state);
int64_t sd_watchdog_ns(void); /* 0: no watchdog */
/* Number of passed-in descriptors; they are 3 .. 3+n-1, made CLOEXEC and non-blocking. */
int sd_listen_fds(void);

#endif
