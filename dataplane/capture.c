/* SPDX-License-Identifier: BSD-3-Clause */
#define ALLOW_EXPERIMENTAL_API /* rte_pcapng */
#include "capture.h"

#include "iface.h"
#include "relay/log.h"
#include "tick.h"

#include <errno.h>
#include <fcntl.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_mempool.h>
#include <rte_ring.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFERS 2047    /* copies that may wait to be written */
#define RING 2048       /* as many; a power of two */
#define SNAP_MAX 1600   /* bytes: more than any frame that the relay takes or makes */
#define WRITE_BURST 64  /* packets in one system call */
#define WRITES_A_POLL 8 /* so that a capture never holds the control thread up */

_Atomic bool capture_running;

static struct {
	/* set before capture_running is stored with release, read by workers after its acquire */
	const void *state; /* the session's; NULL: a whole interface */
	unsigned iface;
	uint32_t snap;
	_Atomic uint64_t refused; /* ring or buffers were full */
	/* made once */
	struct rte_mempool *buffers;
	struct rte_ring *ring;
	/* control thread only */
	rte_pcapng_t *file;
	char id[RELAY_ID_SIZE];
	uint64_t written;
	uint64_t wanted; /* packets; 0: no limit */
	bool failed;     /* the file takes no more */
	uint32_t started_ms;
	uint32_t seconds;
	void (*on_end)(const struct relay_event *event);
} capture;

/* rte_pcapng sets its clock at the first copy, from which on that packet, timed a moment before,
 * and all after it lie two centuries ahead (DPDK 22.11). So the first copy is of nothing, and timed
 * after it. */
static int
set_clock(void)
{
	struct rte_mbuf *nothing = rte_pktmbuf_alloc(capture.buffers);

	if (nothing == NULL || rte_pktmbuf_append(nothing, RTE_ETHER_HDR_LEN) == NULL)
		return -ENOMEM;
	rte_pktmbuf_free(rte_pcapng_copy(ifaces[0]->port_id, 0, nothing, capture.buffers, SNAP_MAX,
		rte_get_tsc_cycles() + rte_get_tsc_hz() / 10, RTE_PCAPNG_DIRECTION_IN));
	rte_pktmbuf_free(nothing);
	return 0;
}

int
capture_init(void)
{
	capture.buffers = rte_pktmbuf_pool_create("captures", BUFFERS, 0, 0,
		(uint16_t)rte_pcapng_mbuf_size(SNAP_MAX), (int)rte_socket_id());
	capture.ring = rte_ring_create("captures", RING, (int)rte_socket_id(), RING_F_SC_DEQ);
	return capture.buffers == NULL || capture.ring == NULL ? -ENOMEM : set_clock();
}

void
capture_on_end(void (*cb)(const struct relay_event *event))
{
	capture.on_end = cb;
}

/* What a worker put in after the capture before had ended. */
static void
drain(void)
{
	void *object;

	while (capture.ring != NULL && rte_ring_dequeue(capture.ring, &object) == 0)
		rte_pktmbuf_free(object);
}

static bool
write_some(void)
{
	void *objects[WRITE_BURST];
	struct rte_mbuf *mbufs[WRITE_BURST];
	unsigned count = rte_ring_dequeue_burst(capture.ring, objects, WRITE_BURST, NULL);

	if (count == 0)
		return false;
	for (unsigned i = 0; i < count; i++)
		mbufs[i] = objects[i];
	unsigned write = count;
	if (capture.wanted != 0 && capture.wanted - capture.written < write)
		write = (unsigned)(capture.wanted - capture.written);
	if (write > 0 && !capture.failed &&
		rte_pcapng_write_packets(capture.file, mbufs, (uint16_t)write) < 0) {
		log_warning("the capture ends: its file can't be written: %s",
			strerror(rte_errno != 0 ? rte_errno : errno));
		capture.failed = true;
	}
	if (!capture.failed)
		capture.written += write;
	rte_pktmbuf_free_bulk(mbufs, count);
	return true;
}

/* Completes the file, and tells. */
static void
end(void)
{
	struct relay_event event = {.kind = RELAY_EVENT_CAPTURE_END};
	uint64_t refused = atomic_load_explicit(&capture.refused, memory_order_relaxed);

	atomic_store_explicit(&capture_running, false, memory_order_release);
	while (write_some())
		;
	rte_pcapng_close(capture.file);
	capture.file = NULL;
	log_info("capture ended: %lu packets written, %lu lost", (unsigned long)capture.written,
		(unsigned long)refused);
	memcpy(event.id, capture.id, sizeof(event.id));
	if (capture.on_end != NULL)
		capture.on_end(&event);
}

void
capture_fini(void)
{
	if (capture.file != NULL)
		end();
	drain();
	rte_ring_free(capture.ring);
	rte_mempool_free(capture.buffers);
	memset(&capture, 0, sizeof(capture));
}

static enum relay_code
refuse(enum relay_code code, char *reason, const char *sentence)
{
	snprintf(reason, RELAY_REASON_SIZE, "%s", sentence);
	return code;
}

static bool
find_iface(const char *name, unsigned *index)
{
	for (unsigned i = 0; i < ifaces_count; i++)
		if (name[0] == '\0' ||
			strncmp(name, ifaces[i]->config->name, RELAY_NAME_SIZE) == 0) {
			*index = i;
			return true;
		}
	return false;
}

/* Only a regular file: a pipe could hold the control thread up. */
static enum relay_code
check(const struct relay_capture *request, int fd, const void *state, char *reason)
{
	struct stat facts;

	if (capture.file != NULL)
		return refuse(RELAY_E_CONFLICT, reason,
			"a capture is running: end it first, or wait for its end");
	if (request->seconds > RELAY_CAPTURE_SECONDS_MAX || request->snap > SNAP_MAX ||
		(request->snap != 0 && request->snap < RTE_ETHER_HDR_LEN))
		return refuse(RELAY_E_MALFORMED, reason,
			"a capture lasts 1 to 3600 seconds, and takes 14 to 1600 bytes of each "
			"packet");
	if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode))
		return refuse(
			RELAY_E_MALFORMED, reason, "a capture is written to a regular file only");
	if (state == NULL && !find_iface(request->interface, &capture.iface))
		return refuse(RELAY_E_NO_INTERFACE, reason, "there is no such interface");
	return RELAY_OK;
}

enum relay_code
capture_start(const struct relay_capture *request, int fd, const void *state, char *reason)
{
	if (request->seconds == 0) {
		if (fd >= 0)
			close(fd);
		if (capture.file == NULL)
			return refuse(RELAY_E_NO_SESSION, reason, "no capture is running");
		end();
		return RELAY_OK;
	}
	enum relay_code code = check(request, fd, state, reason);
	if (code == RELAY_OK) {
		drain();
		capture.file = rte_pcapng_fdopen(fd, NULL, NULL, "sallyport", NULL);
		if (capture.file == NULL)
			code = refuse(RELAY_E_NO_MEMORY, reason,
				"the capture's file can't be begun: is the disk full?");
	}
	if (code != RELAY_OK) {
		close(fd);
		return code;
	}
	memcpy(capture.id, request->id, sizeof(capture.id));
	capture.state = state;
	capture.snap = request->snap != 0 ? request->snap : SNAP_MAX;
	capture.wanted = request->packets;
	capture.seconds = request->seconds;
	capture.started_ms = tick_ms();
	capture.written = 0;
	capture.failed = false;
	atomic_store_explicit(&capture.refused, 0, memory_order_relaxed);
	/* pairs with the acquire load in capture_packet() */
	atomic_store_explicit(&capture_running, true, memory_order_release);
	log_info("capture of %s begins",
		state != NULL ? request->id : ifaces[capture.iface]->config->name);
	return RELAY_OK;
}

void
capture_packet(struct rte_mbuf *mbuf, const void *state, unsigned iface, unsigned queue,
	enum rte_pcapng_direction direction)
{
	if (!atomic_load_explicit(&capture_running, memory_order_acquire))
		return;
	if (capture.state != NULL ? state != capture.state : iface != capture.iface)
		return;
	struct rte_mbuf *copy = rte_pcapng_copy(ifaces[iface]->port_id, queue, mbuf,
		capture.buffers, capture.snap, rte_get_tsc_cycles(), direction);
	if (copy != NULL && rte_ring_enqueue(capture.ring, copy) == 0)
		return;
	rte_pktmbuf_free(copy);
	atomic_fetch_add_explicit(&capture.refused, 1, memory_order_relaxed);
}

void
capture_poll(void)
{
	if (capture.file == NULL)
		return;
	for (unsigned i = 0; i < WRITES_A_POLL && write_some(); i++)
		;
	if ((capture.wanted != 0 && capture.written >= capture.wanted) || capture.failed ||
		tick_ms() - capture.started_ms >= capture.seconds * 1000)
		end();
}

void
capture_session_ended(const void *state)
{
	if (capture.file != NULL && capture.state == state)
		end();
}
