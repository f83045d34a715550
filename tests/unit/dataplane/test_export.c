/* SPDX-License-Identifier: BSD-3-Clause */
/* EXPORT: a controller that was restarted gets back what it needs to go on with a session, and
 * nobody else does. */
#include "dataplane/api_request.h"
#include "tests/box/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uint8_t reply[RELAY_DATAGRAM_MAX] __attribute__((aligned(8)));

static const struct relay_create *
ask(const char *id, bool trusted)
{
	struct api_client client = {.fd = -1, .trusted = trusted};
	struct relay_by_id request = {.header = {.version = RELAY_API_VERSION,
					      .op = RELAY_OP_EXPORT,
					      .length = sizeof(request)}};

	strcpy(request.id, id);
	memset(reply, 0xee, sizeof(reply));
	size_t length = api_request_handle(&request.header, sizeof(request), reply, &client);
	const struct relay_create *out = (const struct relay_create *)reply;
	assert_int_equal(length, out->header.length);
	return out;
}

static void
same_key(const struct relay_crypto *a, const struct relay_crypto *b)
{
	assert_memory_equal(a->key, b->key, sizeof(a->key));
	assert_memory_equal(a->salt, b->salt, sizeof(a->salt));
	assert_int_equal(a->suite, b->suite);
	assert_int_equal(a->mki_length, b->mki_length);
	assert_memory_equal(a->mki, b->mki, sizeof(a->mki));
	assert_int_equal(a->lifetime, b->lifetime);
	assert_int_equal(a->flags, b->flags);
}

/* All there is of a session comes back, and makes it anew. */
static void
makes_it_anew(void **state)
{
	for (unsigned a = 0; a < RELAY_SUITE_COUNT; a++)
		for (unsigned b = 0; b < RELAY_SUITE_COUNT; b++) {
			struct call call;
			call_plan(&call, "export", a, b);
			call.leg[0].flags |= RELAY_LEG_RTCP_MUX;
			call.leg[0].clock_rate = 48000;
			if (call.leg[1].transport == RELAY_TRANSPORT_SRTP) {
				call.leg[1].receive.mki_length = 4;
				memset(call.leg[1].receive.mki, 7, 4);
				call.leg[1].receive.lifetime = 1 << 20;
			}
			call_open(&call);
			assert_true(call_carries(&call, 0) && call_carries(&call, 1));
			struct relay_create told = *ask("export", true);
			assert_int_equal(told.header.code, RELAY_OK);
			assert_string_equal(told.id, "export");
			for (unsigned i = 0; i < 2; i++) {
				const struct relay_leg_spec *leg = &told.leg[i];
				same_key(&leg->receive, &call.leg[i].receive);
				same_key(&leg->transmit, &call.leg[i].transmit);
				assert_int_equal(leg->transport, call.leg[i].transport);
				assert_int_equal(leg->flags, call.leg[i].flags);
				assert_int_equal(leg->clock_rate, call.leg[i].clock_rate);
			}
			box_delete("export");
			box_run();
			struct relay_session anew =
				box_create("export", &told.leg[0], &told.leg[1]);
			assert_true(
				relay_addr_equal(&anew.leg[0].local_rtp, &told.leg[0].local_rtp));
			assert_true(
				relay_addr_equal(&anew.leg[1].local_rtp, &told.leg[1].local_rtp));
			call_end(&call);
		}
}

static void
tells_nobody_else(void **state)
{
	struct call call;

	call_plan(
		&call, "export", RELAY_SUITE_AES_CM_128_HMAC_SHA1_80, RELAY_SUITE_AEAD_AES_256_GCM);
	call_open(&call);
	const struct relay_create *told = ask("export", false);
	assert_int_equal(told->header.code, RELAY_E_FORBIDDEN);
	assert_null(memmem(reply, told->header.length, call.leg[0].receive.key, 16));
	assert_int_equal(ask("another", true)->header.code, RELAY_E_NO_SESSION);
	call_end(&call);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_it_anew),
		cmocka_unit_test(tells_nobody_else),
	};

	return cmocka_run_group_tests(tests, box_start, box_end);
}
