/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RELAY_SALLYCTL_TUNE_H
#define RELAY_SALLYCTL_TUNE_H

#include "sallyctl.h"

/* sallyctl tune: argv[0] is the word "tune", what follows are its own options; config (NULL: none)
 * and json are what stood before it. It asks no relay. The return is an enum sallyctl_exit:
 * SALLYCTL_REFUSED where something is missing. */
int sallyctl_tune(int argc, char **argv, const char *config, bool json);

#endif
