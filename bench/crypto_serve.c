/* SPDX-License-Identifier: BSD-3-Clause */
/* Raw ipsec-mb on demand: one point, measured each time that somebody asks. So it takes its turn
 * with the relay, on the relay's core, while the machine is what it is for the relay. */
#include "crypto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PACKETS 16384
#define PASSES 9

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
measure_once(const struct contestant *contestant, const struct pool *pool)
{
	double ns[PASSES];
	struct pass pass;

	for (unsigned i = 0; i < PASSES; i++) {
		measure_pass(contestant, pool, 0, pool->count, OUTCOME_COMPARE, NULL, &pass);
		ns[i] = (double)pass.cycles / measure_tsc_rate() / pool->count;
	}
	qsort(ns, PASSES, sizeof(ns[0]), by_value);
	return ns[PASSES / 2];
}

static int
listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		fail("%s: a socket's name can't be so long", path);
	memcpy(address.sun_path, path, strlen(path));
	if (fd < 0 || bind(fd, (const void *)&address, sizeof(address)) != 0 || listen(fd, 1) != 0)
		fail("%s: %s", path, strerror(errno));
	return fd;
}

void
crypto_serve(const char *path, const struct point *point)
{
	struct sessions sessions;
	static struct pool pool;
	struct contestant raw;
	char asked;
	int asker;

	if (!raw_contestant(&raw, false))
		exit(77);
	sessions_create(&sessions, point->suite, point->sessions);
	pool_reserve(&pool, PACKETS, point->payload);
	pool_fill(&pool, point, &sessions, PACKETS);
	if (!raw.ready(raw.state, &pool))
		exit(77);
	struct pass pass;
	measure_pass(&raw, &pool, 0, pool.count, OUTCOME_RECORD, NULL, &pass);
	int fd = listen_at(path);
	fprintf(stderr, "crypto: ready\n");
	while ((asker = accept(fd, NULL, NULL)) >= 0) {
		while (recv(asker, &asked, sizeof(asked), 0) == sizeof(asked)) {
			double ns = measure_once(&raw, &pool);
			if (write(asker, &ns, sizeof(ns)) != sizeof(ns))
				break;
		}
		close(asker);
	}
}
