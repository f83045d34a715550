/* SPDX-License-Identifier: BSD-3-Clause */
/* Any file as the users to be imported: those that are added have names, realms and hashes such as
 * users can have; the others are counted, and none is there by half. */
#include "control/sallyctl_user.h"
#include "fuzz.h"

static const char *file;
static struct users *users;

/* In the place of sallyctl_user.c's. */
int
complain(int code, const char *what)
{
	demand(what != NULL && what[0] != '\0', "a complaint about nothing");
	return code;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char error[USERS_ERROR_SIZE];

	file = fuzz_path("import");
	const char *store = fuzz_path("users.db");
	fuzz_path("users.db-wal");
	fuzz_path("users.db-shm");
	fuzz_path("users.db-journal");
	demand(users_open(store, USERS_CREATE, &users, error, sizeof(error)) == 0, error);
	/* what is said of each line is of no use here; AddressSanitizer has its own way */
	stderr = fopen("/dev/null", "we");
	demand(stderr != NULL && freopen("/dev/null", "w", stdout) != NULL, "no /dev/null");
	return 0;
}

struct found {
	struct user user[64];
	unsigned count;
};

static int
note(void *arg, const struct user *user)
{
	struct found *found = arg;

	demand(user_name_fault(user->name) == NULL, "that is no user's name");
	demand(user_realm_fault(user->realm) == NULL, "that is no realm");
	if (found->count < sizeof(found->user) / sizeof(found->user[0]))
		found->user[found->count++] = *user;
	return 0;
}

static void
check_hashes(const struct user *user)
{
	struct user whole;

	demand(users_find(users, user->name, user->realm, &whole) == 0, "a user is not found");
	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++)
		demand(strlen(whole.ha1[i]) == digest_hex_length((enum digest_algorithm)i) &&
				strspn(whole.ha1[i], "0123456789abcdef") == strlen(whole.ha1[i]),
			"that is no hash");
	user_wipe(&whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct found found;

	fuzz_write(file, data, size);
	int code = import_users(file, size % 2 == 0 ? "example.com" : NULL, users);
	demand(code == DONE || code == REFUSED, "the store has failed");
	found.count = 0;
	demand(users_list(users, note, &found) == 0, "the store can't be read");
	users_begin(users);
	for (unsigned i = 0; i < found.count; i++) {
		check_hashes(&found.user[i]);
		demand(users_del(users, found.user[i].name, found.user[i].realm) == 0,
			"a user can't be deleted");
	}
	demand(users_commit(users) == 0, "the store takes nothing");
	return 0;
}
