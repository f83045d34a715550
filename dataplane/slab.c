/* SPDX-License-Identifier: BSD-3-Clause */
#include "slab.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE (256u << 10) /* bytes, about: some hundred objects */
#define CACHE_LINE 64

/* At a chunk's start, in a cache line of its own. */
struct slab_chunk {
	struct slab_chunk *next;
};

static void *
take_from_libc(const char *name, size_t size, size_t alignment)
{
	void *chunk = aligned_alloc(alignment, size);

	(void)name;
	if (chunk != NULL)
		memset(chunk, 0, size);
	return chunk;
}

static struct slab_source source = {take_from_libc, free};

void
slab_set_source(const struct slab_source *from)
{
	source = from != NULL ? *from : (struct slab_source){take_from_libc, free};
}

static int
grow(struct slab *slab)
{
	size_t objects = (CHUNK_SIZE - CACHE_LINE) / slab->size;
	size_t size =
		(CACHE_LINE + objects * slab->size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	struct slab_chunk *chunk = source.take(slab->name, size, CACHE_LINE);

	if (chunk == NULL)
		return -1;
	chunk->next = slab->chunks;
	slab->chunks = chunk;
	slab->memory += size;
	/* the first object of the chunk is to be the first that is taken */
	for (size_t i = objects; i-- > 0;) {
		void **object = (void **)((uint8_t *)chunk + CACHE_LINE + i * slab->size);
		*object = slab->free;
		slab->free = object;
	}
	return 0;
}

void *
slab_take(struct slab *slab)
{
	void **object;

	if (slab->free == NULL && grow(slab) != 0)
		return NULL;
	object = slab->free;
	slab->free = *object;
	*object = NULL;
	slab->taken++;
	return object;
}

void
slab_give(struct slab *slab, void *object)
{
	OPENSSL_cleanse(object, slab->size);
	*(void **)object = slab->free;
	slab->free = object;
	slab->taken--;
}

void
slab_free_all(struct slab *slab)
{
	while (slab->chunks != NULL) {
		struct slab_chunk *next = slab->chunks->next;
		source.give(slab->chunks);
		slab->chunks = next;
	}
	slab->free = NULL;
	slab->taken = 0;
	slab->memory = 0;
}
