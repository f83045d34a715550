/* SPDX-License-Identifier: BSD-3-Clause */
/* RTCP that a genuine but hostile far end sends: its reports are read in clear. In memory that ends
 * with the packet, and through a whole session. */
#include "dataplane/flow.h"
#include "dataplane/quality.h"
#include "dataplane/tick.h"
#include "tests/box/call.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct call call;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	box_start(NULL);
	call_plan(&call, "fuzz", RELAY_SUITE_AES_CM_128_HMAC_SHA1_80, RELAY_SUITE_AEAD_AES_128_GCM);
	call.leg[0].clock_rate = call.leg[1].clock_rate = 48000;
	call_open(&call);
	call_carries(&call, 0);
	call_carries(&call, 1);
	return 0;
}

/* With the SSRC that each direction carries, so that report blocks find their stream. */
static void
read_exactly(const uint8_t *data, size_t size)
{
	static struct flow_quality from, back;
	struct relay_quality told;
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		return;
	memcpy(copy, data, size);
	atomic_store(&back.ssrc, 0x11223344);
	quality_note_rtcp(&from, &back, copy, (unsigned)size, tick_now(), 320);
	quality_describe(&from, &told);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct datagram sent, out;
	static uint32_t index;

	if (size > 1300)
		return 0;
	read_exactly(data, size);
	if (size < 8)
		return 0;
	memset(&sent, 0, sizeof(sent));
	sent.from = call.phone[0].address;
	sent.from.port++;
	sent.to = call.info.leg[0].local_rtcp;
	sent.length = (unsigned)size;
	memcpy(sent.data, data, size);
	evp_srtp_protect_rtcp(call.phone[0].out, ++index & 0x7fffffff, sent.data, &sent.length);
	box_send(BOX_ACCESS, &sent);
	box_leap(3);
	box_run();
	while (box_receive(BOX_CORE, &out))
		;
	return 0;
}
