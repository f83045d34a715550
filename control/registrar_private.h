/* SPDX-License-Identifier: BSD-3-Clause */
/* The registrar's inside, for registrar*.c alone: what a REGISTER says (registrar_request.c), and
 * the table of bindings (registrar_table.c, registrar_heap.c), which knows no SIP message. Times
 * are seconds of CLOCK_MONOTONIC. Event-loop thread alone. */
#ifndef CONTROL_REGISTRAR_PRIVATE_H
#define CONTROL_REGISTRAR_PRIVATE_H

#include "bindings.h"
#include "registrar.h"
#include "users.h"

/* What is wished for one contact. */
struct registration {
	const char *contact;
	const char *instance; /* NULL: none */
	const char *path;     /* NULL: none */
	const char *call_id;
	uint32_t cseq;
	uint32_t reg_id; /* 0: none; otherwise there is an instance */
	unsigned q;
	uint32_t expires_s; /* 0: to be removed */
};

/* All of one REGISTER. */
struct registration_list {
	bool all;      /* "*": all bindings are to be removed; then count is 0 */
	bool outbound; /* RFC 5626 is used */
	bool edge;     /* the phone's connection is with us, not with a proxy before us */
	const char *call_id;
	uint32_t cseq;
	unsigned count;
	struct registration *contact;
};

/* Reads a REGISTER; everything is on `home`, or belongs to the message. Returns 200, or the status
 * to refuse it with and *phrase (NULL: the usual one). Nothing is changed: RFC 3261 10.3 step 7. */
int registrar_read(su_home_t *home, const struct config_sip *config, const sip_t *sip,
	struct registration_list *out, const char **phrase);

/* The +sip.instance of a Contact without its quotes, on `home`; NULL: none, or none to be used. */
const char *registrar_instance(su_home_t *home, const sip_contact_t *contact);

/* Are the two URIs the same (RFC 3261 19.1.4)? */
bool registrar_same_uri(const char *a, const char *b);

struct entry {
	struct entry *next; /* of its user: the highest q first, among equals the newest */
	struct aor *aor;
	tport_t *connection;   /* counted; NULL: it closed, the phone has yet to come back */
	const tport_t *before; /* the phone's last one, which closed: to compare, no more */
	uint64_t id;           /* in the store */
	int64_t expires_at;
	uint32_t heap_index;
	uint32_t cseq;
	uint32_t reg_id;
	struct relay_ip peer;
	uint16_t q;
	uint16_t instance; /* where these begin in text; 0: there is none */
	uint16_t path;
	uint16_t call_id;
	char text[]; /* the contact, and those */
};

/* An address of record: a user who has bindings. */
struct aor {
	struct aor *next; /* in its bucket */
	struct entry *first;
	unsigned count;
	char user[];
};

/* All entries, the first to expire on top. */
struct registrar_heap {
	struct entry **at;
	size_t count;
	size_t room;
};

/* Makes room for `more`, so that as many puts can't fail. 0 or -ENOMEM. */
int registrar_heap_reserve(struct registrar_heap *heap, size_t more);
void registrar_heap_put(struct registrar_heap *heap, struct entry *entry);
void registrar_heap_take(struct registrar_heap *heap, struct entry *entry);

struct registrar_table {
	struct registrar_heap heap;
	struct aor **bucket;
	size_t buckets; /* a power of two */
	size_t aors;
	uint64_t last_id;
	unsigned contacts_max;  /* of one user */
	unsigned bindings_max;  /* of all */
	struct bindings *store; /* told of each change; NULL: none */
};

/* 0 or -ENOMEM. */
int registrar_table_create(struct registrar_table *table, const struct config_sip *config);
void registrar_table_destroy(struct registrar_table *table);

/* NULL: the user has no bindings. */
struct aor *registrar_table_find(const struct registrar_table *table, const char *user);

/* Does what is wished for each contact, or nothing (RFC 3261 10.3): 0, or -EINVAL: older than what
 * is known; -E2BIG: too many contacts of this user; -ENOSPC: too many bindings in all; -ENOMEM.
 * Where there are too many, those without a connection go first. */
int registrar_table_apply(struct registrar_table *table, const char *user,
	const struct registration_list *list, tport_t *connection, const struct relay_ip *peer,
	int64_t now);

/* Puts back a binding from the store, without a connection. 0, -EINVAL (there is one of this id,
 * or more than the limits allow) or -ENOMEM. */
int registrar_table_restore(struct registrar_table *table, const struct bindings_record *record,
	uint32_t expires_s, int64_t now);

/* Removes one for which nobody asked: it expired. */
void registrar_table_drop(struct registrar_table *table, struct entry *entry);

/* Tells the store of this entry. */
void registrar_table_save(struct registrar_table *table, const struct entry *entry, int64_t now);

/* registrar.c: as callbacks and registrar_find() see it. */
struct binding registrar_show(const struct entry *entry, int64_t now);

/* Can requests go to it? */
bool registrar_is_living(const struct entry *entry, int64_t now);

struct registrar {
	const struct config_sip *config;
	su_timer_t *timer;
	size_t looked;        /* the entries that have had their look of this round */
	bool renewing;        /* the store is told everything anew */
	size_t renewed;       /* buckets of the table that it has been told */
	size_t renew_buckets; /* of so many */
	struct registrar_table table;
};

/* Goes on with telling the store everything anew, if it wants that. */
void registrar_renew_store(struct registrar *registrar);

static inline const char *
entry_text(const struct entry *entry, uint16_t at)
{
	return at != 0 ? entry->text + at : NULL;
}

#endif
