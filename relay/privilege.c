/* SPDX-License-Identifier: BSD-3-Clause */
#include "privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static int
become(const char *user, bool groups)
{
	struct passwd *entry = getpwnam(user);
	char *end;
	unsigned long number = strtoul(user, &end, 10);
	uid_t uid = (uid_t)number;
	gid_t gid = (gid_t)number;

	if (entry != NULL) {
		uid = entry->pw_uid;
		gid = entry->pw_gid;
	} else if (*user == '\0' || *end != '\0') {
		return -ENOENT;
	}
	if ((groups && entry != NULL ? initgroups(entry->pw_name, gid) : setgroups(0, NULL)) != 0 ||
		setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		return -errno;
	/* read back: a kernel that said yes and did no would leave us root */
	if (uid != 0 && (getuid() != uid || geteuid() != uid || setuid(0) == 0))
		return -EPERM;
	return 0;
}

int
privilege_leave(const char *user, bool groups, const char *field, char *error, size_t error_size)
{
	struct rlimit none = {0, 0};
	int result = 0;

	if (user != NULL && geteuid() == 0)
		result = become(user, groups);
	if (result == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
				   prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
				   setrlimit(RLIMIT_CORE, &none) != 0))
		result = -errno;
	if (result != 0)
		snprintf(error, error_size, "%s: can't become %s: %s", field,
			user != NULL ? user : "unprivileged",
			result == -ENOENT ? "there is no such user" : strerror(-result));
	return result;
}
