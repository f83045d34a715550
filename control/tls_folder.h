/* SPDX-License-Identifier: BSD-3-Clause */
/* Certificates as Sofia-SIP wants them: files of fixed names in one folder. */
#ifndef CONTROL_TLS_FOLDER_H
#define CONTROL_TLS_FOLDER_H

#include "relay/config.h"

#include <stddef.h>

#define TLS_FOLDER_SIZE 64

/* Can certificate, key and CA be read, do they belong together, are they in date? 0, or -errno
 * after a sentence. */
int tls_folder_check(const struct config_sip *config, char *error, size_t error_size);

/* Checks that; then writes agent.pem and cafile.pem into a new folder that only this user may read,
 * and its path into `folder`. 0, or -errno after a sentence. */
int tls_folder_make(const struct config_sip *config, char folder[TLS_FOLDER_SIZE], char *error,
	size_t error_size);

/* Overwrites and removes the files and the folder: Sofia reads them once. */
void tls_folder_remove(const char *folder);

#endif
