/* SPDX-License-Identifier: BSD-3-Clause */
/* Huge pages for keys and packets, as the relay has them from DPDK: the kernel's own pool of them
 * where it has some free, else transparent ones. */
#include "crypto.h"
#include "dataplane/slab.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE (2u << 20)
#define REGION (64u << 20) /* bytes that keys are cut from */
#define MIB (1u << 20)

static size_t reserved, asked; /* bytes: from the kernel's pool, and hoped for as transparent */

/* Begins on a huge page, or no transparent one would fit its ends. */
static void *
map_transparent(size_t size)
{
	uint8_t *map =
		mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		fail("%zu MiB of memory can't be had: end other programs, or ask for fewer "
		     "sessions "
		     "with --sessions",
			size / MIB);
	map += PAGE - (uintptr_t)map % PAGE;
	madvise(map, size, MADV_HUGEPAGE);
	asked += size;
	return map;
}

void *
memory_take(size_t size)
{
	void *map;

	size = (size + PAGE - 1) / PAGE * PAGE;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	if (map != MAP_FAILED)
		reserved += size;
	else
		map = map_transparent(size);
	memset(map, 0, size);
	return map;
}

/* Chunks of all slabs one behind the other; what srtp_keys_fini() gives back is used again only if
 * everything has been given back. */
static struct {
	uint8_t *region[64];
	unsigned regions, current;
	size_t used; /* bytes of the current one */
	unsigned chunks;
} keys;

static void *
take_chunk(const char *name, size_t size, size_t alignment)
{
	uint8_t *chunk;

	(void)name;
	size = (size + alignment - 1) / alignment * alignment;
	if (keys.regions == 0 || keys.used + size > REGION) {
		if (keys.regions > 0)
			keys.current++;
		if (keys.current == sizeof(keys.region) / sizeof(keys.region[0]))
			return NULL;
		if (keys.current == keys.regions)
			keys.region[keys.regions++] = memory_take(REGION);
		keys.used = 0;
	}
	chunk = keys.region[keys.current] + keys.used;
	keys.used += size;
	keys.chunks++;
	memset(chunk, 0, size);
	return chunk;
}

static void
give_chunk(void *chunk)
{
	(void)chunk;
	if (--keys.chunks == 0)
		keys.current = 0, keys.used = 0;
}

void
memory_serve_keys(void)
{
	static const struct slab_source source = {take_chunk, give_chunk};

	slab_set_source(&source);
}

/* Bytes of this process in transparent huge pages. */
static size_t
transparent_now(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	char line[128];
	size_t kib = 0;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "AnonHugePages: %zu kB", &kib) == 1)
			break;
	if (file != NULL)
		fclose(file);
	return kib * 1024;
}

const char *
memory_describe(void)
{
	static char text[160];
	size_t got = transparent_now();

	got = got > asked ? asked : got;
	snprintf(text, sizeof(text),
		"%zu MiB in the kernel's reserved huge pages, %zu MiB in transparent ones, "
		"%zu MiB in ordinary pages",
		reserved / MIB, got / MIB, (asked - got) / MIB);
	return text;
}
