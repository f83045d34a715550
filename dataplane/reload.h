/* SPDX-License-Identifier: BSD-3-Clause */
/* A running sallyport-media reads its configuration anew: whole, or not at all
 * (relay/config_reload.h tells what may change). Sessions keep their ports and go on. Control
 * thread alone. */
#ifndef DATAPLANE_RELOAD_H
#define DATAPLANE_RELOAD_H

#include "relay/api.h"
#include "relay/config.h"

#include <stdbool.h>
#include <stddef.h>

/* *config is the one in force, which a reload replaces and frees. `ordinary`: media.memory is
 * ordinary, where it would be auto. */
void reload_init(struct config **config, bool ordinary);

/* Reads the file that the configuration in force came from. `apply`: puts it in force; otherwise
 * only says whether that could be done. Fills the first `room` rows of what changes into `out`,
 * which may be NULL. 0, or -errno after a sentence, and everything is as it was. */
int reload(bool apply, struct relay_config_reply *out, unsigned room, char *error, size_t size);

/* What is in force, from row `cursor` on. 0 or -ENOMEM. */
int reload_show(uint64_t cursor, struct relay_config_reply *out, unsigned room);

#endif
