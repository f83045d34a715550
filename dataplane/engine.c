/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Fastest first. */
static const struct crypto_engine *const engines[] = {&engine_ipsec_mb};

#define ENGINES (sizeof(engines) / sizeof(engines[0]))

static const char *
say_unknown(const char *name)
{
	static char sentence[256];
	int used = snprintf(sentence, sizeof(sentence),
		"no crypto engine is named '%.40s': choose one of auto", name);

	for (size_t i = 0; i < ENGINES && used > 0 && (size_t)used < sizeof(sentence); i++)
		used += snprintf(
			sentence + used, sizeof(sentence) - (size_t)used, ", %s", engines[i]->name);
	return sentence;
}

static const char *
say_unusable(const struct crypto_engine *engine)
{
	static char sentence[256];

	snprintf(sentence, sizeof(sentence),
		"this CPU can't run the crypto engine %s (%s): choose auto, or another machine",
		engine->name, engine->help);
	return sentence;
}

const struct crypto_engine *
engine_select(const char *name, const char **reason)
{
	if (strcmp(name, "auto") == 0) {
		for (size_t i = 0; i < ENGINES; i++)
			if (engines[i]->usable())
				return engines[i];
		*reason =
			"this CPU can run none of the crypto engines: take a machine whose x86-64 "
			"CPU has AES-NI (in a virtual machine, pass the host's CPU through)";
		return NULL;
	}
	for (size_t i = 0; i < ENGINES; i++) {
		if (strcmp(name, engines[i]->name) != 0)
			continue;
		if (engines[i]->usable())
			return engines[i];
		*reason = say_unusable(engines[i]);
		return NULL;
	}
	*reason = say_unknown(name);
	return NULL;
}
