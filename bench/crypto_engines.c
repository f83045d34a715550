/* SPDX-License-Identifier: BSD-3-Clause */
/* The relay's own engines, called as its workers call them. */
#include "crypto.h"

#include <stdio.h>
#include <stdlib.h>

struct relay_engine {
	const struct crypto_engine *engine;
	void *state;
};

static unsigned
engine_run(void *opaque, struct crypto_op *const ops[], unsigned n, unsigned first)
{
	const struct relay_engine *own = opaque;
	unsigned genuine = 0;

	(void)first;
	own->engine->verify(own->state, ops, n);
	for (unsigned i = 0; i < n; i++)
		genuine += ops[i]->genuine;
	own->engine->transcrypt(own->state, ops, n);
	return n - genuine;
}

bool
engine_contestant(struct contestant *contestant, const char *name)
{
	const char *reason = "";
	const struct crypto_engine *engine = engine_select(name, &reason);
	struct relay_engine *own;

	if (engine == NULL) {
		fprintf(stderr, "crypto: without %s: %s\n", name, reason);
		return false;
	}
	own = calloc(1, sizeof(*own));
	if (own == NULL || (own->state = engine->create()) == NULL)
		fail("no memory for the crypto engine %s", name);
	own->engine = engine;
	*contestant = (struct contestant){.name = engine->name, .run = engine_run, .state = own};
	fprintf(stderr, "crypto: engine %s runs as %s\n", name, engine->variant(own->state));
	return true;
}
