/* SPDX-License-Identifier: BSD-3-Clause */
/* How a row of the table of settings is written: config_fields*.c alone. */
#ifndef RELAY_CONFIG_FIELDS_H
#define RELAY_CONFIG_FIELDS_H

#include "config_reload.h"

#include <stddef.h>

#define LIVE CONFIG_LIVE
#define RESTART CONFIG_RESTART
#define FORM CONFIG_FORM

#define MEDIA CONFIG_READER_MEDIA
#define SIP CONFIG_READER_SIP
#define BOTH (MEDIA | SIP)
#define WEB CONFIG_READER_WEB

/* What stands before the meaning. The default, as it would stand in the file: */
#define IS(text) .value = text, .most = 0
/* a number, its limits, and the same: */
#define NUMBER(number, from, to) .value = #number, .least = from, .most = to
/* no default, or one made of other settings, in words: */
#define ELSE(words) .without = words, .most = 0
#define NUMBER_ELSE(words, from, to) .without = words, .least = from, .most = to
#define REQUIRED ELSE("required")

/* config_fields_sip.c: its part of the table. NULL: no more. */
const struct config_field *config_field_of_sip(size_t index);

#endif
