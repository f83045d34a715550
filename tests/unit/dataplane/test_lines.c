/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * "No cache line is written by two workers in steady state": looked at, not believed.
 *
 * Two workers carry the media of their own sessions, one after the other in this thread. Before and
 * after each, all of the process's writable memory but its stack is compared, line by line: what
 * has changed was written by that worker. A line that both have written is shared. Rounds with
 * other packets follow each other, so that a write that happens to change nothing is not
 * overlooked. What the ring driver, which stands for a NIC here, shares among its queues is found
 * out first, and not held against the workers.
 */
#include "dataplane/worker_private.h"
#include "tests/box/call.h"

#include <rte_ethdev.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define SUITE RELAY_SUITE_AES_CM_128_HMAC_SHA1_80
#define LINE 64
#define CALLS 8
#define ROUNDS 4
#define REGIONS_MAX 512
#define REGION_LARGE ((size_t)1 << 30) /* address space that is reserved, not memory */

struct region {
	uint8_t *at;
	size_t length;
	uint8_t *copy;
	uint8_t *writers; /* for each line: bit of the worker, and DRIVER */
};

#define DRIVER 4u

static struct region regions[REGIONS_MAX];
static unsigned regions_count;

static void *
map(size_t length)
{
	void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(at != MAP_FAILED);
	return at;
}

/* All that can be written now, but for stacks and our own copies, which are made after. */
static void
find_regions(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512], rights[8], name[256];
	unsigned long from, to;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL && regions_count < REGIONS_MAX) {
		name[0] = '\0';
		if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %255s", &from, &to, rights, name) < 3 ||
			strncmp(rights, "rw", 2) != 0 || strncmp(name, "[stack", 6) == 0 ||
			to - from >= REGION_LARGE)
			continue;
		regions[regions_count++] =
			(struct region){.at = (uint8_t *)from, .length = to - from};
	}
	fclose(maps);
	for (unsigned i = 0; i < regions_count; i++) {
		regions[i].copy = map(regions[i].length);
		regions[i].writers = map(regions[i].length / LINE + 1);
	}
}

static void
remember(void)
{
	for (unsigned i = 0; i < regions_count; i++)
		memcpy(regions[i].copy, regions[i].at, regions[i].length);
}

/* Our own tables are written by us. */
static bool
is_ours(const uint8_t *at)
{
	return at >= (const uint8_t *)regions && at < (const uint8_t *)(regions + REGIONS_MAX);
}

static unsigned
note_changes(unsigned worker)
{
	unsigned changed = 0;

	for (unsigned i = 0; i < regions_count; i++)
		for (size_t k = 0; k < regions[i].length; k += LINE) {
			if (memcmp(regions[i].at + k, regions[i].copy + k, LINE) == 0)
				continue;
			regions[i].writers[k / LINE] |= (uint8_t)(1u << worker);
			changed++;
		}
	return changed;
}

static void
drain(void)
{
	struct datagram out;

	for (unsigned side = 0; side < BOX_SIDES; side++)
		while (box_receive(side, &out))
			;
}

static struct call calls[CALLS];

static unsigned shared_lines(bool tell);

/* The same without a worker: each queue of each device receives a packet and sends it. */
static void
note_driver(void)
{
	struct rte_mbuf *mbuf;
	struct datagram sent;

	for (unsigned queue = 0; queue < 2; queue++) {
		box_queue = queue;
		for (unsigned leg = 0; leg < 2; leg++) {
			phone_rtp(&calls[0], leg, &sent, NULL);
			box_send(calls[0].phone[leg].side, &sent);
		}
		remember();
		for (unsigned i = 0; i < devices_count; i++)
			if (rte_eth_rx_burst(devices[i].port_id, (uint16_t)queue, &mbuf, 1) == 1)
				assert_int_equal(rte_eth_tx_burst(devices[i].port_id,
							 (uint16_t)queue, &mbuf, 1),
					1);
		note_changes(queue);
		drain();
	}
	shared_lines(false);
}

/* Some packets each way of the sessions that this worker owns, into its own queues. */
static void
queue_packets(unsigned worker)
{
	struct datagram sent;

	box_queue = worker;
	for (unsigned i = 0; i < CALLS; i++)
		for (unsigned leg = 0; leg < 2 && calls[i].info.worker == worker; leg++)
			for (unsigned k = 0; k < 3; k++) {
				phone_rtp(&calls[i], leg, &sent, NULL);
				box_send(calls[i].phone[leg].side, &sent);
			}
}

static unsigned
work(unsigned worker)
{
	queue_packets(worker);
	remember();
	for (unsigned turn = 0; turn < 4; turn++)
		worker_turn(worker_by_index(worker));
	unsigned changed = note_changes(worker);
	drain();
	return changed;
}

/* Counts them, and tells which; or else notes them as the driver's. */
static unsigned
shared_lines(bool tell)
{
	unsigned shared = 0;

	for (unsigned i = 0; i < regions_count; i++)
		for (size_t k = 0; k < regions[i].length / LINE; k++) {
			uint8_t *writers = &regions[i].writers[k];
			if (!tell)
				*writers = *writers == 3 ? DRIVER : 0;
			if (*writers != 3 || is_ours(regions[i].at + k * LINE))
				continue;
			fprintf(stderr, "both workers have written the line at %p\n",
				(void *)(regions[i].at + k * LINE));
			shared++;
		}
	return shared;
}

static void
start_calls(void)
{
	for (unsigned i = 0; i < CALLS; i++) {
		char id[16];
		snprintf(id, sizeof(id), "lines-%u", i);
		call_start(&calls[i], id, SUITE, i % 3 ? SUITE : RELAY_SUITE_AEAD_AES_128_GCM);
	}
	/* what is done once, at the first packets, is no steady state */
	for (unsigned worker = 0; worker < 2; worker++) {
		queue_packets(worker);
		box_run();
		drain();
	}
}

static void
no_line_is_written_by_two_workers(void **state)
{
	unsigned changed[2] = {0, 0};
	uint64_t relayed = 0;

	start_calls();
	find_regions();
	note_driver();
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned worker = 0; worker < 2; worker++)
			changed[worker] += work(worker);
	for (unsigned worker = 0; worker < 2; worker++)
		relayed += counter_read(&worker_counters(worker)->relayed);
	fprintf(stderr, "%u and %u lines changed, %lu packets relayed\n", changed[0], changed[1],
		(unsigned long)relayed);
	assert_true(changed[0] > 100 && changed[1] > 100);
	assert_int_equal(relayed, CALLS * 6 * (1 + ROUNDS));
	assert_int_equal(shared_lines(true), 0);
	for (unsigned i = 0; i < CALLS; i++)
		call_end(&calls[i]);
}

/* The method finds a line that is shared: of two counters side by side. */
static void
a_shared_line_is_found(void **state)
{
	static uint64_t counters[2] __attribute__((aligned(LINE)));

	for (unsigned i = 0; i < regions_count; i++)
		memset(regions[i].writers, 0, regions[i].length / LINE + 1);
	for (unsigned worker = 0; worker < 2; worker++) {
		remember();
		((volatile uint64_t *)counters)[worker]++;
		note_changes(worker);
	}
	assert_in_range(shared_lines(true), 1, 2);
}

static int
setup(void **state)
{
	box_workers = 2;
	return box_start(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_line_is_written_by_two_workers),
		cmocka_unit_test(a_shared_line_is_found),
	};

	return cmocka_run_group_tests(tests, setup, box_end);
}
