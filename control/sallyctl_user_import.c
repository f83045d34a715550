/* SPDX-License-Identifier: BSD-3-Clause */
/* "sallyctl user import": many users at once, by password or by the hashes that another system kept
 * of them. */
#include "sallyctl_user.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 1000 /* users of one transaction */
#define COMPLAINTS_MAX 20

struct import {
	struct users *users;
	const char *realm;
	unsigned long line;
	unsigned long added;
	unsigned long refused;
	unsigned waiting; /* added, and not yet committed */
};

/* What jansson read was passwords. */
static void
wipe_and_free(void *memory)
{
	if (memory != NULL)
		OPENSSL_cleanse(memory, malloc_usable_size(memory));
	free(memory);
}

static const char *
text_of(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* "ha1": {"MD5": "...", "SHA-256": "..."}. NULL, or what is wrong. */
static const char *
take_hashes(json_t *hashes, struct user *user)
{
	const char *key;
	json_t *value;

	json_object_foreach (hashes, key, value) {
		enum digest_algorithm algorithm;
		bool session;
		const char *hex = json_string_value(value);
		if (!digest_algorithm_read(key, &algorithm, &session) || session)
			return "in \"ha1\" are MD5, SHA-256 and SHA-512-256";
		if (hex == NULL || strlen(hex) != digest_hex_length(algorithm))
			return "a hash in \"ha1\" has not as many digits as its algorithm";
		for (size_t i = 0; hex[i] != '\0'; i++)
			user->ha1[algorithm][i] = (char)tolower((unsigned char)hex[i]);
	}
	return NULL;
}

/* One user. 0 or -errno; *fault: why, if the store was not even asked. */
static int
take_object(struct import *import, json_t *object, const char **fault)
{
	const char *name = text_of(object, "name"), *realm = text_of(object, "realm");
	const char *password = text_of(object, "password");
	json_t *hashes = json_object_get(object, "ha1");
	struct user user = {.name = ""};
	int result;

	if (realm == NULL)
		realm = import->realm;
	if (name == NULL || realm == NULL)
		*fault = name == NULL ? "\"name\" is missing" : "\"realm\" is missing";
	else if ((password != NULL) == json_is_object(hashes))
		*fault = "it needs a \"password\", or \"ha1\" with its hashes";
	else if ((*fault = user_name_fault(name)) == NULL)
		*fault = user_realm_fault(realm);
	if (*fault != NULL)
		return -EINVAL;
	if (password != NULL)
		return users_add(import->users, name, realm, password);
	snprintf(user.name, sizeof(user.name), "%s", name);
	snprintf(user.realm, sizeof(user.realm), "%s", realm);
	*fault = take_hashes(hashes, &user);
	result = *fault == NULL ? users_add_hashes(import->users, &user) : -EINVAL;
	user_wipe(&user);
	return result;
}

/* DONE: go on. */
static int
take_line(struct import *import, const char *line, size_t length)
{
	json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	const char *fault = json_is_object(object) ? NULL : "no JSON object";
	int result = -EINVAL;

	if (fault == NULL)
		result = take_object(import, object, &fault);
	json_decref(object);
	if (result == 0) {
		import->added++;
		import->waiting++;
		return DONE;
	}
	if (fault == NULL)
		fault = users_error(import->users);
	if (result != -EEXIST && result != -EINVAL)
		return complain(UNREACHABLE, fault);
	if (import->refused++ < COMPLAINTS_MAX)
		fprintf(stderr, "sallyctl user: line %lu: %s\n", import->line, fault);
	return DONE;
}

static int
commit(struct import *import)
{
	import->waiting = 0;
	if (users_commit(import->users) == 0 && users_begin(import->users) == 0)
		return DONE;
	return complain(UNREACHABLE, users_error(import->users));
}

static int
take_lines(struct import *import, FILE *in)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	int code = DONE;

	while (code == DONE && (length = getline(&line, &room, in)) > 0) {
		import->line++;
		if (strspn(line, " \t\r\n") == (size_t)length)
			continue;
		code = take_line(import, line, (size_t)length);
		if (code == DONE && import->waiting >= BATCH)
			code = commit(import);
	}
	if (code == DONE && ferror(in))
		code = complain(UNREACHABLE, "the file can't be read to its end");
	if (line != NULL)
		OPENSSL_cleanse(line, room);
	free(line);
	return code;
}

int
import_users(const char *file, const char *realm, struct users *users)
{
	struct import import = {.users = users, .realm = realm};
	FILE *in = strcmp(file, "-") == 0 ? stdin : fopen(file, "re");
	int code;

	if (in == NULL) {
		fprintf(stderr, "sallyctl user: %s: %s\n", file, strerror(errno));
		return REFUSED;
	}
	json_set_alloc_funcs(malloc, wipe_and_free);
	setvbuf(in, NULL, _IONBF, 0); /* no copy that nobody wipes */
	code = users_begin(users) == 0 ? take_lines(&import, in)
	                               : complain(UNREACHABLE, users_error(users));
	if (code == DONE && users_commit(users) != 0)
		code = complain(UNREACHABLE, users_error(users));
	if (in != stdin)
		fclose(in);
	if (import.refused > COMPLAINTS_MAX)
		fprintf(stderr, "sallyctl user: and %lu more\n", import.refused - COMPLAINTS_MAX);
	if (code == DONE)
		printf("added %lu users, refused %lu\n", import.added, import.refused);
	return code == DONE && import.refused > 0 ? REFUSED : code;
}
