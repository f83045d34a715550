/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Objects of one size, packed in chunks. Control thread alone: nothing is taken on the packet path.
 *
 * A chunk is taken when the free list is empty, and kept. In the relay it comes from EAL's memory,
 * hugepages where there are any; elsewhere from the C library.
 */
#ifndef DATAPLANE_SLAB_H
#define DATAPLANE_SLAB_H

#include <stddef.h>
#include <stdint.h>

/* Zero but for the first two, which are set once. */
struct slab {
	const char *name;
	size_t size; /* bytes of an object, a multiple of 8: objects lie this far apart, the first
			of a chunk on a cache line */
	void *free;
	struct slab_chunk *chunks;
	size_t taken;  /* objects in use */
	size_t memory; /* bytes of all chunks */
};

/* Where chunks come from; NULL: the C library. Called once, before the first object. */
struct slab_source {
	void *(*take)(const char *name, size_t size, size_t alignment); /* zeroed, or NULL */
	void (*give)(void *chunk);
};
void slab_set_source(const struct slab_source *source);

/* A zeroed object, or NULL: out of memory. */
void *slab_take(struct slab *slab);

/* Wipes the object and keeps it for the next one who asks. */
void slab_give(struct slab *slab, void *object);

/* Gives all chunks back: no object is in use any more. */
void slab_free_all(struct slab *slab);

#endif
