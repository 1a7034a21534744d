/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weights of regrid.* as a netCDF classic file in the names of SCRIP (Jones 1998, "A User's
 * Guide for SCRIP"), which CDO and NCO read: num_links, src_address, dst_address,
 * remap_matrix, and both grids. Format: "NetCDF Classic Format Specification", Unidata, with
 * 64-bit offsets. Main thread. */
#ifndef KERNELS_SCRIP_H
#define KERNELS_SCRIP_H

#include "base/buf.h"
#include "kernels/regrid.h"

/* The file of a regridding that is set up, into an empty buffer. E_UNPROCESSABLE for what has
 * no links of its own (pole=mean, a mask) or more of them than a file of this kind takes. */
int scrip_format(const struct regrid_state *s, struct buf *b, struct error *err) must_check;

#endif
