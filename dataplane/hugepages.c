/* SPDX-License-Identifier: BSD-3-Clause */
#include "hugepages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#define FOLDER "/sys/kernel/mm/hugepages"
#define POOL FOLDER "/hugepages-2048kB/nr_hugepages"
#define SURPLUS FOLDER "/hugepages-2048kB/surplus_hugepages"
/* Only locked: every network namespace has a /sys of its own, but not a /proc. */
#define GUARD "/proc/sys/vm/nr_hugepages"
#define PAGE_MB 2

static int pool = -1;        /* descriptor of POOL, kept open to give back */
static uint64_t added_pages; /* by us, to the pool */

static uint64_t
read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	uint64_t number = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%" SCNu64, &number) != 1)
		number = 0;
	fclose(file);
	return number;
}

/* Pages that are to stay in the pool. Without those that its owner has given back already but that
 * someone still holds: the kernel frees them when it can, and AF_XDP takes a moment. */
static uint64_t
lasting_pages(void)
{
	uint64_t all = read_number(POOL), surplus = read_number(SURPLUS);

	return all > surplus ? all - surplus : 0;
}

static int
set_pool(uint64_t pages)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%" PRIu64, pages);

	return pwrite(pool, text, (size_t)length, 0) == length ? 0 : -errno;
}

int
hugepages_lock(void)
{
	int lock = open(GUARD, O_RDONLY | O_CLOEXEC);

	/* the lock goes with the descriptor, so with the process, however it ends */
	if (lock >= 0)
		while (flock(lock, LOCK_EX) != 0 && errno == EINTR)
			;
	return lock;
}

void
hugepages_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}

uint64_t
hugepages_free_mb(void)
{
	DIR *folder = opendir(FOLDER);
	uint64_t kb = 0;
	struct dirent *entry;

	if (folder == NULL)
		return 0;
	while ((entry = readdir(folder)) != NULL) {
		uint64_t size;
		char path[320];
		if (sscanf(entry->d_name, "hugepages-%" SCNu64 "kB", &size) != 1)
			continue;
		snprintf(path, sizeof(path), FOLDER "/%s/free_hugepages", entry->d_name);
		kb += size * read_number(path);
	}
	closedir(folder);
	return kb / 1024;
}

uint64_t
hugepages_available_mb(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	uint64_t kb = 0;
	char line[128];

	if (file == NULL)
		return hugepages_free_mb();
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "MemAvailable: %" SCNu64, &kb) == 1)
			break;
	fclose(file);
	return kb / 1024 + hugepages_free_mb();
}

int
hugepages_reserve(uint64_t mb)
{
	uint64_t free_mb = hugepages_free_mb();
	uint64_t before = lasting_pages();
	uint64_t missing, target;
	int result;

	if (free_mb >= mb)
		return 0;
	missing = (mb - free_mb + PAGE_MB - 1) / PAGE_MB;
	pool = open(POOL, O_WRONLY | O_CLOEXEC);
	if (pool < 0)
		return errno == ENOENT ? -ENOMEM : -EACCES;
	/* what only waits to be freed would be counted in, and becomes ours */
	target = read_number(POOL) + missing;
	result = set_pool(target);
	if (result == 0 && hugepages_free_mb() < mb)
		result = -ENOMEM;
	if (result != 0) {
		/* the kernel may have added some */
		set_pool(before);
		close(pool);
		pool = -1;
		return result;
	}
	added_pages = target - before;
	return 0;
}

void
hugepages_give_back(void)
{
	if (pool < 0)
		return;
	int lock = hugepages_lock();
	uint64_t now = lasting_pages();
	set_pool(now > added_pages ? now - added_pages : 0);
	hugepages_unlock(lock);
	close(pool);
	pool = -1;
	added_pages = 0;
}
