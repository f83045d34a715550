/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine that a test runs with: SALLYPORT_TEST_ENGINE names it; without, the fastest one. */
#ifndef TESTS_TEST_ENGINE_H
#define TESTS_TEST_ENGINE_H

#include "dataplane/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST_SKIPPED 77

/* Ends the test as skipped, with a sentence, where the CPU can't run it. */
static inline const struct crypto_engine *
test_engine(void)
{
	const char *name = getenv("SALLYPORT_TEST_ENGINE");
	const char *reason = "";
	const struct crypto_engine *engine;

	if (name != NULL)
		for (unsigned i = 0; engines[i] != NULL; i++)
			if (strcmp(engines[i]->name, name) == 0 && !engines[i]->usable()) {
				printf("skipped: this CPU can't run the engine %s\n", name);
				exit(TEST_SKIPPED);
			}
	engine = engine_select(name != NULL ? name : "auto", &reason);
	if (engine == NULL) {
		fprintf(stderr, "%s\n", reason);
		exit(1);
	}
	return engine;
}

#endif
