/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heat, clock and power of the measuring cpus, where sysfs tells them: opened once, read around
 * each process (worker/noise.h). */
#ifndef WORKER_SENSORS_H
#define WORKER_SENSORS_H

#include "worker/host.h"

/* Fills temperature, frequency, throttle, hot_mc, full_khz and energy. The temperature is the
 * processor's own where a sensor is known as such (hwmon: coretemp, k10temp and others; thermal
 * zones by their type), else that of the first sensor. It is hot 10 C below the sensor's
 * critical point, at 85 C where it names none. */
void sensors_open(struct host *h);

#endif
