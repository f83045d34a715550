/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include "engine_trial.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Where a trial finds two alike, the first is taken. */
const struct crypto_engine *const engines[] = {
	&engine_avx512, &engine_avx2, &engine_ipsec_mb, NULL};

#define ENGINES (sizeof(engines) / sizeof(engines[0]) - 1)
_Static_assert(ENGINES <= ENGINE_TRIAL_MAX, "all can be tried");

/* What engine_select() gives as its reason. */
static char sentence[256];
static size_t sentence_length;

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	size_t left = sizeof(sentence) - sentence_length;
	va_list arguments;

	va_start(arguments, format);
	int wanted = vsnprintf(sentence + sentence_length, left, format, arguments);
	va_end(arguments);
	if (wanted > 0)
		sentence_length += (size_t)wanted < left ? (size_t)wanted : left - 1;
}

static const struct crypto_engine *
select_by_name(const char *name)
{
	for (size_t i = 0; i < ENGINES; i++) {
		if (strcmp(name, engines[i]->name) != 0)
			continue;
		if (engines[i]->usable()) {
			say("as configured");
			return engines[i];
		}
		say("this CPU can't run the crypto engine %s (%s): choose auto, or another machine",
			engines[i]->name, engines[i]->help);
		return NULL;
	}
	say("no crypto engine is named '%.40s': choose one of auto", name);
	for (size_t i = 0; i < ENGINES; i++)
		say(", %s", engines[i]->name);
	return NULL;
}

static const struct crypto_engine *
select_fastest(void)
{
	const struct crypto_engine *candidates[ENGINES], *best = NULL;
	double ns[ENGINES], least = 0;
	unsigned n = 0;

	for (size_t i = 0; i < ENGINES; i++)
		if (engines[i]->usable())
			candidates[n++] = engines[i];
	if (n == 0) {
		say("this CPU can run none of the crypto engines: take a machine whose x86-64 CPU "
		    "has AES-NI (in a virtual machine, pass the host's CPU through)");
		return NULL;
	}
	if (n == 1) {
		say("the only one for this CPU");
		return candidates[0];
	}
	engine_trial(candidates, n, ns);
	say("fastest in a trial:");
	for (unsigned i = 0; i < n; i++) {
		if (ns[i] > 0 && (best == NULL || ns[i] < least)) {
			best = candidates[i];
			least = ns[i];
		}
		say("%s %s %.0f", i > 0 ? "," : "", candidates[i]->name, ns[i]);
	}
	say(" ns a packet");
	if (best == NULL) {
		sentence_length = 0;
		say("out of memory when the crypto engines were tried: give the machine more");
	}
	return best;
}

const struct crypto_engine *
engine_select(const char *name, const char **reason)
{
	sentence_length = 0;
	sentence[0] = '\0';
	*reason = sentence;
	return strcmp(name, "auto") == 0 ? select_fastest() : select_by_name(name);
}
