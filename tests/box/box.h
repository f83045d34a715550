/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The relay's data plane in a test's own process: the shipped sessions, worker and engines, between
 * ports that are rings, without root, network or hugepages. The test is the control thread and
 * turns the worker by hand, so that it decides what comes when, and what time it is.
 *
 * Two interfaces: "access" and "core", each with an IPv4 and an IPv6 address, and a third,
 * "tagged": VLAN 7 of the device of "core". Next hops are resolved: to BOX_MAC.
 */
#ifndef TESTS_BOX_H
#define TESTS_BOX_H

#include "dataplane/session.h"
#include "dataplane/worker.h"
#include "relay/api.h"

enum box_side { BOX_ACCESS, BOX_CORE, BOX_TAGGED, BOX_SIDES };

#define BOX_ACCESS_4 "198.51.100.1"
#define BOX_ACCESS_6 "2001:db8:a::1"
#define BOX_CORE_4 "203.0.113.1"
#define BOX_CORE_6 "2001:db8:c::1"
#define BOX_TAGGED_4 "192.0.2.1"
#define BOX_VLAN 7
#define BOX_ROOM 2048 /* bytes of a datagram */

/* Before box_start(): how many workers; and whose queue box_send() puts packets into. */
#define BOX_WORKERS_MAX 2
extern unsigned box_workers;
extern unsigned box_queue;

/* For cmocka's group setup and teardown: they start and end EAL. */
int box_start(void **state);
int box_end(void **state);

/* A leg in clear on a side; family 4 or 6. Its far end is `far` (NULL: not known). */
struct relay_leg_spec box_leg(enum box_side side, const char *far, uint16_t port);

/* Makes it an SRTP leg with two keys made from `seed`: receive and transmit. */
void box_srtp(struct relay_leg_spec *leg, enum relay_suite suite, unsigned seed);

/* Creates a session, and ends the test if that is refused. */
struct relay_session
box_create(const char *id, const struct relay_leg_spec *a, const struct relay_leg_spec *b);
/* The relay's answer to an update of one leg. */
enum relay_code
box_update(const char *id, unsigned leg, const struct relay_leg_spec *spec, uint32_t mask);
void box_delete(const char *id);
struct relay_session box_query(const char *id);

/* One datagram, as it came or shall come. */
struct datagram {
	struct relay_addr from;
	struct relay_addr to;
	unsigned length;
	uint8_t dscp;  /* received: of the IP header */
	uint16_t vlan; /* received */
	uint8_t data[BOX_ROOM];
};

/* Puts a datagram into a side's receive queue; box_run() lets the worker take it. */
void box_send(enum box_side side, const struct datagram *datagram);
/* The same with the frame's bytes as they are. */
void box_send_frame(enum box_side side, const uint8_t *frame, unsigned length);

/* Turns the worker until nothing is left, and the control thread once. */
void box_run(void);

/* The next datagram that was sent out of a side; false: none. */
bool box_receive(enum box_side side, struct datagram *out);
/* The next frame that was given to the kernel by a side's TAP: its length, 0: none. */
unsigned box_to_kernel(enum box_side side, uint8_t *frame, unsigned room);

/* Lets time pass, in steps of a second: time-outs, and all that is done once a second. */
void box_pass(uint32_t seconds);
/* The same in one leap of milliseconds, without the control thread. */
void box_leap(uint32_t ms);

/* The sum of a drop counter over all workers and interfaces. */
uint64_t box_drops(enum relay_drop reason);
/* The events since the last call: how many of this kind. */
unsigned box_events(enum relay_event_kind kind);
/* Packet buffers in use: none but those in queues, or there is a leak. */
unsigned box_buffers(void);

struct relay_addr box_address(const char *ip, uint16_t port);

#endif
