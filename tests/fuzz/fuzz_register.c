/* SPDX-License-Identifier: BSD-3-Clause */
/* Any header lines in a REGISTER: refused by a status of RFC 3261, 3327 or 5626, or read; what is
 * read keeps the limits, holds no line break, and the table takes it whole or not at all. */
#include "control/registrar_private.h"
#include "fuzz.h"

#include <errno.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_header.h>

static const char head[] =
	"REGISTER sip:home.example SIP/2.0\r\n"
	"Via: SIP/2.0/TLS 192.0.2.7;branch=z9hG4bK1\r\n"
	"From: <sip:alice@home.example>;tag=1\r\nTo: <sip:alice@home.example>\r\n"
	"Call-ID: a@b\r\nCSeq: 7 REGISTER\r\n";
static const struct config_sip config = {
	.domain = "home.example",
	.expires_min_s = 60,
	.expires_default_s = 3600,
	.expires_max_s = 7200,
	.contacts_max = 4,
	.bindings_max = 6,
};

static void
check_one(const struct registration *one)
{
	demand(one->contact != NULL && strlen(one->contact) <= 512 && !has_control(one->contact),
		"a contact of a kind that is sent on as it is");
	demand(one->path == NULL || (strlen(one->path) <= 1024 && !has_control(one->path)),
		"a path of a kind that is sent on as it is");
	demand(one->instance == NULL || strlen(one->instance) <= 128, "an instance is too long");
	demand(one->reg_id == 0 || one->instance != NULL, "a flow of no instance");
	demand(one->q <= 1000, "q is above 1");
	demand(one->expires_s == 0 || (one->expires_s >= config.expires_min_s &&
					      one->expires_s <= config.expires_max_s),
		"expires is out of its bounds");
}

static unsigned
check_table(const struct registrar_table *table)
{
	const struct aor *aor = registrar_table_find(table, "alice");
	unsigned count = 0;

	for (const struct entry *at = aor != NULL ? aor->first : NULL; at != NULL; at = at->next) {
		demand(at->next == NULL || at->next->q <= at->q, "not in the order of q");
		demand(table->heap.at[at->heap_index] == at, "the heap has lost an entry");
		count++;
	}
	demand(count <= config.contacts_max && count == table->heap.count &&
			(aor == NULL) == (count == 0),
		"the table counts otherwise");
	return count;
}

static void
apply(struct registrar_table *table, struct registration_list *list)
{
	struct relay_ip peer = {.family = 4, .ip = {192, 0, 2, 7}};
	unsigned wanted = 0, before = check_table(table);
	int result = registrar_table_apply(table, "alice", list, NULL, &peer, 1000);

	for (unsigned i = 0; i < list->count; i++)
		wanted += list->contact[i].expires_s > 0;
	unsigned after = check_table(table);
	demand(result == 0 || result == -EINVAL || result == -E2BIG || result == -ENOSPC,
		"another error");
	demand(result == 0 || after == before, "a change that was refused was made");
	demand(result != 0 || !list->all || after == 0, "what should be removed is there");
	/* of several wishes for one contact the last counts */
	demand(result != 0 || wanted == 0 || wanted < list->count || after > 0,
		"what was wished for is not there");
}

static void
take(const sip_t *sip, struct registrar_table *table)
{
	su_home_t *home = su_home_new(sizeof(*home));
	struct registration_list list;
	const char *phrase;
	int status = registrar_read(home, &config, sip, &list, &phrase);

	demand(status == 200 || status == 400 || status == 420 || status == 423 || status == 439,
		"another status");
	demand(status == 200 || phrase == NULL || !has_control(phrase), "a phrase of two lines");
	if (status == 200) {
		demand(list.count <= config.contacts_max && (!list.all || list.count == 0),
			"too many contacts");
		for (unsigned i = 0; i < list.count; i++)
			check_one(&list.contact[i]);
		apply(table, &list);
		list.cseq++;
		for (unsigned i = 0; i < list.count; i++)
			list.contact[i].cseq = list.cseq;
		apply(table, &list);
	}
	su_home_unref(home);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct registrar_table table;
	char *text = malloc(sizeof(head) + size + 4);

	demand(text != NULL && registrar_table_create(&table, &config) == 0, "out of memory");
	memcpy(text, head, sizeof(head) - 1);
	memcpy(text + sizeof(head) - 1, data, size);
	memcpy(text + sizeof(head) - 1 + size, "\r\n\r\n", 4);
	msg_t *message =
		msg_make(sip_default_mclass(), 0, text, (ssize_t)(sizeof(head) + size + 3));
	const sip_t *sip = message != NULL ? sip_object(message) : NULL;
	if (sip != NULL && sip->sip_request != NULL && sip->sip_via != NULL &&
		sip->sip_call_id != NULL && sip->sip_cseq != NULL)
		take(sip, &table);
	msg_destroy(message);
	registrar_table_destroy(&table);
	free(text);
	return 0;
}
