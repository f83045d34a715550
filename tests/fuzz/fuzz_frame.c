/* SPDX-License-Identifier: BSD-3-Clause */
/* Any frame, into the relay with sessions of every kind: from Ethernet to the engine, and out. The
 * first byte chooses the side; the second, which session's port the frame is readdressed to, so
 * that what lies behind the headers is reached, too. */
#include "tests/box/call.h"

#include <rte_ip.h>
#include <rte_udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS 6
#define UDP_PORT_OFFSET 36 /* of the destination, behind Ethernet and IPv4 without options */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct call calls[CALLS];

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const enum relay_suite suites[CALLS][2] = {
		{RELAY_SUITE_AES_CM_128_HMAC_SHA1_80, RELAY_SUITE_AEAD_AES_256_GCM},
		{RELAY_SUITE_AEAD_AES_128_GCM, RELAY_SUITE_AES_192_CM_HMAC_SHA1_32},
		{RELAY_SUITE_NONE, RELAY_SUITE_AES_CM_128_HMAC_SHA1_32},
		{RELAY_SUITE_NONE, RELAY_SUITE_NONE},
		{RELAY_SUITE_NONE, RELAY_SUITE_NONE},
		{RELAY_SUITE_AES_CM_128_HMAC_SHA1_80, RELAY_SUITE_AES_CM_128_HMAC_SHA1_80},
	};

	(void)argc;
	(void)argv;
	box_start(NULL);
	for (unsigned i = 0; i < CALLS; i++) {
		char id[16];
		snprintf(id, sizeof(id), "fuzz-%u", i);
		call_plan(&calls[i], id, suites[i][0], suites[i][1]);
		for (unsigned leg = 0; leg < 2; leg++) {
			calls[i].leg[leg].flags |= i % 2 ? RELAY_LEG_RTCP_MUX : RELAY_LEG_LATCH;
			if (i == 4)
				calls[i].leg[leg].transport = RELAY_TRANSPORT_UDPTL;
			if (i == 5) {
				calls[i].leg[leg].receive.mki_length = 4;
				calls[i].leg[leg].transmit.mki_length = 1;
			}
		}
		call_open(&calls[i]);
	}
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t frame[BOX_ROOM];
	struct datagram out;

	if (size < 2 || size > 1700)
		return 0;
	enum box_side side = data[0] % BOX_SIDES;
	memcpy(frame, data + 2, size - 2);
	const struct call *call = &calls[data[1] / 4 % CALLS];
	if ((data[1] & 1) != 0 && size - 2 > UDP_PORT_OFFSET + 1) {
		unsigned port =
			call->info.leg[side != BOX_ACCESS].local_rtp.port + (data[1] >> 1 & 1);
		frame[UDP_PORT_OFFSET] = (uint8_t)(port >> 8);
		frame[UDP_PORT_OFFSET + 1] = (uint8_t)port;
	}
	box_send_frame(side, frame, (unsigned)size - 2);
	box_leap(3); /* so that budgets refill */
	box_run();
	for (unsigned i = 0; i < BOX_SIDES; i++) {
		while (box_receive(i, &out))
			;
		while (box_to_kernel(i, frame, sizeof(frame)) > 0)
			;
	}
	if (box_buffers() != 0) {
		fprintf(stderr, "a packet buffer was not given back\n");
		abort();
	}
	return 0;
}
