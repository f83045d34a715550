/* SPDX-License-Identifier: BSD-3-Clause */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "call_stage.h"

#include <stdio.h>
#include <string.h>

struct stage stage;

/* What call_sdp.c and its like ask of the rest of the agent. */
void
call_done_waiting(struct call *call)
{
}

uint64_t
call_now_ms(void)
{
	return 1;
}

void
record_stream(struct call_record *record, const char *kind, const char *const codecs[2],
	const struct relay_session *session)
{
	stage.streams_recorded++;
}

bool
media_is_connected(const struct media *media)
{
	return true;
}

int
media_request(struct media *media, void *request, size_t length, relay_reply_cb *cb, void *arg)
{
	assert_true(stage.requests < STAGE_REQUESTS);
	struct stage_request *kept = &stage.request[stage.requests++];

	memcpy(&kept->header, request, length);
	kept->cb = cb;
	kept->arg = arg;
	return 0;
}

static void
set_address(unsigned index, const char *text)
{
	struct config_address *address = &stage.address[index];

	relay_ip_parse(text, strlen(text), &address->ip);
	address->prefix_length = 24;
	stage.interface[index] = (struct config_interface){
		.addresses = address,
		.addresses_count = 1,
	};
}

void
stage_open(void)
{
	struct config_sip *sip = &stage.config.sip;

	memset(&stage, 0, sizeof(stage));
	set_address(0, "192.0.2.1");
	set_address(1, "198.51.100.1");
	stage.interface[0].name = "access";
	stage.interface[1].name = "core";
	stage.config.media.interfaces = stage.interface;
	stage.config.media.interfaces_count = 2;
	stage.suites[0] = RELAY_SUITE_AES_CM_128_HMAC_SHA1_80;
	stage.suites[1] = RELAY_SUITE_AES_CM_128_HMAC_SHA1_32;
	sip->suites = stage.suites;
	sip->suites_count = 2;
	stage.agent.config = &stage.config;
	stage.call.agent = &stage.agent;
	strcpy(stage.call.id, "0123456789abcdef0123456789abcdef");
	stage.call.caller = "alice";
	stage.call.callee = "bob";
	relay_ip_parse("192.0.2.7", 9, &stage.call.side[0].peer);
	relay_ip_parse("198.51.100.4", 12, &stage.call.side[1].peer);
	stage.port = 20000;
	stage.status = -1;
}

void
stage_close(void)
{
	stage_answer_relay();
	call_sdp_wipe(&stage.call.sdp);
	assert_int_equal(stage.call.waiting, 0);
}

static void
answer(struct stage_request *request)
{
	struct relay_session session = {.header = request->header};
	struct relay_reply_error error = {.header = request->header, .reason = "as the test wants"};

	request->answered = true;
	if (stage.refuse_next != RELAY_OK && stage.refuse_op == request->header.op) {
		error.header.code = stage.refuse_next;
		stage.refuse_next = RELAY_OK;
		request->cb(request->arg, &error.header);
		return;
	}
	if (request->header.op == RELAY_OP_CREATE)
		for (unsigned i = 0; i < 2; i++) {
			session.leg[i].local_rtp.ip = stage.address[i].ip;
			session.leg[i].local_rtp.port = stage.port;
			stage.port += 2;
		}
	request->cb(request->arg, &session.header);
}

void
stage_answer_relay(void)
{
	while (stage.answered < stage.requests)
		answer(&stage.request[stage.answered++]);
}

void
stage_done(struct call *call, int status)
{
	stage.status = status;
}

const struct stage_request *
stage_last(unsigned op, unsigned back)
{
	for (unsigned i = stage.requests; i-- > 0;)
		if (stage.request[i].header.op == op && back-- == 0)
			return &stage.request[i];
	fail_msg("the relay was not asked for op %u", op);
	return NULL;
}

unsigned
stage_count(unsigned op, unsigned from)
{
	unsigned count = 0;

	for (unsigned i = from; i < stage.requests; i++)
		count += stage.request[i].header.op == op;
	return count;
}

const char *
stage_exchange(unsigned side, const char *offer, const char *answer_text)
{
	struct call *call = &stage.call;
	const char *phrase = NULL;
	static char said[SDP_BODY_MAX];

	if (call_sdp_take_offer(call, side, offer, strlen(offer), &phrase) != 0)
		fail_msg("the offer is refused: %s", phrase);
	assert_int_equal(call_media_open(call, stage_done), 0);
	stage_answer_relay();
	assert_int_equal(stage.status, 0);
	assert_non_null(call_sdp_make_offer(call, 1 - side, 0));
	if (call_sdp_take_answer(call, 1 - side, 0, answer_text, strlen(answer_text), &phrase) != 0)
		fail_msg("the answer is refused: %s", phrase);
	stage.status = -1;
	assert_int_equal(call_media_apply(call, stage_done), 0);
	stage_answer_relay();
	assert_int_equal(stage.status, 0);
	assert_true(call_media_is_told(call));
	const char *body = call_sdp_make_answer(call, side);
	assert_non_null(body);
	snprintf(said, sizeof(said), "%s", body);
	call_sdp_commit(call);
	return said;
}

struct media_description *
stage_read(const char *body)
{
	struct sdp_policy policy = {CONFIG_SRTP_PREFERRED, stage.suites, 2, true};
	struct media_description *out;
	enum sdp_verdict verdict = media_description_read(body, strlen(body), &policy, &out);

	if (verdict != SDP_OK)
		fail_msg("%s: %s", sdp_verdict_text(verdict), body);
	return out;
}
