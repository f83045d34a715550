/* SPDX-License-Identifier: BSD-3-Clause */
/* Any JSON as a call of an earlier life: it does not go on, or it does, and then saves itself so
 * that the next life has the same call. */
#include "agent_stage.h"
#include "control/call.h"
#include "control/call_save.h"
#include "fuzz.h"

#define WAITING_MAX 64 /* calls that are freed in a moment */

static struct agent *agent;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	agent = agent_stage(fuzz_path("sip.sock"));
	return 0;
}

/* What must not change from one life to the next: all but times and CSeq, which leaps. */
static void
check_same(const json_t *a, const json_t *b)
{
	static const char *const of_call[] = {"caller", "callee", "sdp"};
	static const char *const of_side[] = {"name", "trunk", "peer", "interval", "least"};
	static const char *const of_dialog[] = {"tag", "contact", "next_hop", "peering", "update",
		"instance", "registered", "rseq"};

	for (size_t i = 0; i < sizeof(of_call) / sizeof(of_call[0]); i++)
		demand(json_equal(json_object_get(a, of_call[i]), json_object_get(b, of_call[i])),
			of_call[i]);
	for (unsigned side = 0; side < 2; side++) {
		const json_t *one = json_array_get(json_object_get(a, "sides"), side);
		const json_t *other = json_array_get(json_object_get(b, "sides"), side);
		for (size_t i = 0; i < sizeof(of_side) / sizeof(of_side[0]); i++)
			demand(json_equal(json_object_get(one, of_side[i]),
				       json_object_get(other, of_side[i])),
				of_side[i]);
		one = json_object_get(one, "dialog");
		other = json_object_get(other, "dialog");
		for (size_t i = 0; i < sizeof(of_dialog) / sizeof(of_dialog[0]); i++)
			demand(json_equal(json_object_get(one, of_dialog[i]),
				       json_object_get(other, of_dialog[i])),
				of_dialog[i]);
	}
}

/* Has the stack written what it read? Of odd addresses it makes others. */
static bool
is_unchanged(const json_t *a, const json_t *b)
{
	bool same = true;

	for (unsigned side = 0; side < 2; side++) {
		const json_t *one = json_array_get(json_object_get(a, "sides"), side);
		const json_t *other = json_array_get(json_object_get(b, "sides"), side);
		same = same &&
		       json_equal(json_object_get(one, "said"), json_object_get(other, "said"));
		one = json_object_get(one, "dialog");
		other = json_object_get(other, "dialog");
		same = same &&
		       json_equal(
			       json_object_get(one, "target"), json_object_get(other, "target")) &&
		       json_equal(json_object_get(one, "route"), json_object_get(other, "route")) &&
		       json_integer_value(json_object_get(other, "seq")) < INT32_MAX / 2;
	}
	return same && json_equal(json_object_get(json_object_get(a, "sdp"), "said"),
			       json_object_get(json_object_get(b, "sdp"), "said"));
}

/* Loads, saves, and lets go of it; NULL: it does not go on. */
static json_t *
live(const json_t *saved)
{
	const char *why = NULL;
	struct call *call =
		call_load(agent->b2bua, "0123456789abcdef0123456789abcdef", saved, &why);

	if (call == NULL)
		return NULL;
	demand(call->state == CALL_UP && call->caller != NULL && call->callee != NULL,
		"a call that is none");
	demand(call->sdp.streams > 0 && call->sdp.streams <= SDP_STREAMS_MAX, "no stream");
	for (unsigned i = 0; i < 2; i++) {
		demand(call->side[i].dialog != NULL && call->side[i].dialog->leg != NULL &&
				call->side[i].dialog->contact != NULL,
			"a side without its dialog");
		demand(call->sdp.said[i]->streams <= call->sdp.streams, "more lines than streams");
	}
	json_t *out = call_save(call);
	demand(out != NULL, "a call that can't be saved");
	call->state = CALL_ENDED;
	call_done_waiting(call);
	return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *saved = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	json_t *first = json_is_object(saved) ? live(saved) : NULL;

	if (first != NULL) {
		json_t *second = live(first);
		demand(second != NULL || !is_unchanged(saved, first),
			"what was saved is not taken up");
		if (second != NULL)
			check_same(first, second);
		json_decref(second);
	}
	json_decref(first);
	json_decref(saved);
	while (agent->b2bua->count > WAITING_MAX)
		su_root_step(agent->root, 2);
	return 0;
}
