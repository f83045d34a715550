/* SPDX-License-Identifier: BSD-3-Clause */
/* How the phone of a call is found again, whose connection closed or ended with an earlier process.
 */
#include "registrar_private.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static int64_t
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static const struct entry *
first_of(const struct registrar *registrar, const char *user)
{
	const struct aor *aor = registrar_table_find(&registrar->table, user);

	return aor != NULL ? aor->first : NULL;
}

int
registrar_find_by(struct registrar *registrar, const char *user, const tport_t *connection,
	struct binding *out)
{
	int64_t now = now_s();

	for (const struct entry *entry = first_of(registrar, user); entry != NULL;
		entry = entry->next)
		if (entry->connection == connection && registrar_is_living(entry, now)) {
			*out = registrar_show(entry, now);
			return 0;
		}
	return -ENOENT;
}

int
registrar_find_again(struct registrar *registrar, const char *user, const tport_t *closed,
	const struct relay_ip *peer, struct binding *out)
{
	const struct entry *found = NULL, *stranger = NULL;
	int64_t now = now_s();
	unsigned strangers = 0;

	for (const struct entry *entry = first_of(registrar, user); entry != NULL;
		entry = entry->next) {
		if (!registrar_is_living(entry, now))
			continue;
		if (entry->before == closed) {
			found = entry;
			break;
		}
		if (entry->instance == 0 && entry->before == NULL &&
			relay_ip_equal(&entry->peer, peer)) {
			stranger = entry;
			strangers++;
		}
	}
	if (found == NULL && strangers == 1)
		found = stranger;
	if (found == NULL)
		return -ENOENT;
	*out = registrar_show(found, now);
	return 0;
}

int
registrar_find_phone(struct registrar *registrar, const char *user, const char *instance,
	const char *contact, const struct relay_ip *peer, struct binding *out)
{
	const struct entry *found = NULL, *stranger = NULL;
	int64_t now = now_s();
	unsigned strangers = 0;

	for (const struct entry *entry = first_of(registrar, user); entry != NULL && found == NULL;
		entry = entry->next) {
		const char *its = entry_text(entry, entry->instance);
		if (!registrar_is_living(entry, now))
			continue;
		if (instance != NULL) {
			if (its != NULL && strcmp(its, instance) == 0)
				found = entry;
			continue;
		}
		if (contact != NULL && registrar_same_uri(entry->text, contact))
			found = entry;
		if (its == NULL && relay_ip_equal(&entry->peer, peer)) {
			stranger = entry;
			strangers++;
		}
	}
	if (found == NULL && strangers == 1)
		found = stranger;
	if (found == NULL)
		return -ENOENT;
	*out = registrar_show(found, now);
	return 0;
}
