/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linux keeps credentials for each thread, and only the ids are spread to all threads by the C
 * library. Capabilities, the bounding set and no_new_privs are not, so each thread is made to drop
 * its own: a signal is sent to it, and the handler makes the system calls.
 */
#include "privilege.h"

#include <cap-ng.h>
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SIGNAL (SIGRTMAX - 1) /* net_tap takes free ones from SIGRTMIN upwards */
#define WAIT_S 2              /* for a thread to take its signal */

enum step {
	STEP_BOUND,  /* empty the bounding set: takes CAP_SETPCAP, so it comes first */
	STEP_FORGET, /* capabilities, and the way to new ones */
};

/* What the threads are to do, and how it went; written before the signals are sent. */
static enum step step;
static _Atomic int failure;
static sem_t done;

struct complaint {
	char *error;
	size_t error_size;
};

static int __attribute__((format(printf, 3, 4)))
complain(const struct complaint *to, int result, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(to->error, to->error_size, "privileges can't be dropped: %s: %s", text,
		strerror(-result));
	return result;
}

/* Sets the calling thread's effective and permitted set, below 32 capabilities, and clears the
 * inheritable and with it the ambient set. Async-signal-safe, as are the next two. */
static int
set_capabilities(uint32_t low)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{.effective = low, .permitted = low}};

	return syscall(SYS_capset, &header, data) == 0 ? 0 : -errno;
}

static int
empty_bounding_set(void)
{
	for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
		capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
			return -errno;
	return 0;
}

static int
carry_out(uint32_t capabilities)
{
	int result;

	if (step == STEP_BOUND)
		return empty_bounding_set();
	result = set_capabilities(capabilities);
	if (result == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		result = -errno;
	return result;
}

static void
on_signal(int number)
{
	int saved = errno;
	int result = carry_out(0);

	(void)number;
	if (result != 0)
		atomic_store(&failure, result);
	sem_post(&done);
	errno = saved;
}

/* Calls `act` for each thread but the calling one. */
static int
for_each_thread(int (*act)(pid_t thread, void *data), void *data)
{
	DIR *folder = opendir("/proc/self/task");
	struct dirent *entry;
	int result = 0;

	if (folder == NULL)
		return -errno;
	while (result == 0 && (entry = readdir(folder)) != NULL) {
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
		if (thread > 0 && thread != gettid())
			result = act(thread, data);
	}
	closedir(folder);
	return result;
}

static int
order(pid_t thread, void *data)
{
	unsigned *ordered = data;

	if (syscall(SYS_tgkill, getpid(), thread, SIGNAL) == 0)
		(*ordered)++;
	else if (errno != ESRCH)
		return -errno;
	return 0;
}

/* Makes every thread but this one carry out a step, and waits for all. */
static int
carry_out_in_others(enum step which)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, before;
	struct timespec deadline;
	unsigned ordered = 0;
	int result;

	step = which;
	atomic_store(&failure, 0);
	sem_init(&done, 0, 0);
	if (sigaction(SIGNAL, &action, &before) != 0)
		return -errno;
	result = for_each_thread(order, &ordered);
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += WAIT_S;
	while (result == 0 && ordered > 0) {
		if (sem_timedwait(&done, &deadline) == 0)
			ordered--;
		else if (errno != EINTR)
			result = -errno;
	}
	/* a late signal must find the handler, not the default, which ends the process */
	if (result == 0)
		sigaction(SIGNAL, &before, NULL);
	return result != 0 ? result : atomic_load(&failure);
}

static struct passwd *
look_up(const char *user)
{
	char *end;
	unsigned long number = strtoul(user, &end, 10);

	if (*user >= '0' && *user <= '9' && *end == '\0')
		return getpwuid((uid_t)number);
	return getpwnam(user);
}

int
privilege_user(const char *user, uid_t *uid, gid_t *gid, char *error, size_t error_size)
{
	char *end;

	if (user == NULL)
		return 0;
	const struct passwd *found = look_up(user);
	if (found != NULL) {
		*uid = found->pw_uid;
		*gid = found->pw_gid;
		return 0;
	}
	unsigned long number = strtoul(user, &end, 10);
	if (*user >= '0' && *user <= '9' && *end == '\0' && number < UINT32_MAX) {
		*uid = (uid_t)number;
		*gid = (gid_t)number;
		return 0;
	}
	snprintf(error, error_size,
		"media.user: there is no user \"%s\": useradd --system %s, or leave media.user out",
		user, user);
	return -ENOENT;
}

/* Becomes another user in all threads. Only this one keeps its capabilities across it. */
static int
become(const struct complaint *to, const char *user)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int result = privilege_user(user, &uid, &gid, to->error, to->error_size);

	if (result != 0)
		return result;
	const struct passwd *found = look_up(user);
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	if ((found != NULL ? initgroups(found->pw_name, gid) : setgroups(0, NULL)) != 0)
		return complain(to, -errno, "the groups of user %s", user);
	if (setresgid(gid, gid, gid) != 0)
		return complain(to, -errno, "group %u of user %s", gid, user);
	if (setresuid(uid, uid, uid) != 0)
		return complain(to, -errno, "user %s", user);
	prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	return 0;
}

/* What a thread must look like in the end. */
struct expected {
	const struct complaint *to;
	uid_t uid;
	gid_t gid;
	bool bounded;
};

/* Does the thread's line "<key>\t<value>" in its status hold just this? */
static bool
status_is(pid_t thread, const char *key, const char *value)
{
	char path[64], line[256];
	bool same = false;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", thread);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	while (!same && fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, key, strlen(key)) == 0)
			same = strcmp(line + strlen(key), value) == 0;
	}
	fclose(file);
	return same;
}

static bool
has_capability_beyond_ours(pid_t thread)
{
	bool ours = thread == gettid();

	capng_setpid(thread);
	if (capng_get_caps_process() != 0)
		return true;
	for (unsigned capability = 0; capability <= CAP_LAST_CAP; capability++) {
		if (ours && capability == CAP_NET_ADMIN)
			continue;
		if (capng_have_capability(CAPNG_EFFECTIVE, capability) ||
			capng_have_capability(CAPNG_PERMITTED, capability) ||
			capng_have_capability(CAPNG_INHERITABLE, capability))
			return true;
	}
	return false;
}

static int
check(pid_t thread, void *data)
{
	const struct expected *expected = data;
	char text[64];

	if (has_capability_beyond_ours(thread))
		return complain(expected->to, -EPERM, "thread %d has capabilities left", thread);
	if (expected->bounded && !status_is(thread, "CapBnd:\t", "0000000000000000"))
		return complain(expected->to, -EPERM, "thread %d has a bounding set", thread);
	if (!status_is(thread, "NoNewPrivs:\t", "1"))
		return complain(expected->to, -EPERM, "thread %d may get new ones", thread);
	snprintf(text, sizeof(text), "%u\t%u\t%u\t%u", expected->uid, expected->uid, expected->uid,
		expected->uid);
	if (!status_is(thread, "Uid:\t", text))
		return complain(expected->to, -EPERM, "thread %d is another user", thread);
	snprintf(text, sizeof(text), "%u\t%u\t%u\t%u", expected->gid, expected->gid, expected->gid,
		expected->gid);
	if (!status_is(thread, "Gid:\t", text))
		return complain(expected->to, -EPERM, "thread %d has another group", thread);
	return 0;
}

/* Keys lie in our memory: no other process of the user may read it, and no file gets it. */
static int
hide_memory(void)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return -errno;
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : -EPERM;
}

int
privilege_drop(const char *user, char *error, size_t error_size)
{
	const struct complaint to = {error, error_size};
	struct expected expected = {.to = &to};
	int result = 0;

	capng_get_caps_process();
	uint32_t keep =
		capng_have_capability(CAPNG_PERMITTED, CAP_NET_ADMIN) ? 1u << CAP_NET_ADMIN : 0;
	expected.bounded = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0;
	if (expected.bounded &&
		((result = carry_out_in_others(STEP_BOUND)) != 0 || (result = carry_out(0)) != 0))
		return complain(&to, result, "the bounding set");
	if (user != NULL && (result = become(&to, user)) != 0)
		return result;
	if ((result = carry_out_in_others(STEP_FORGET)) != 0 || (result = carry_out(keep)) != 0)
		return complain(&to, result, "capabilities");
	if ((result = hide_memory()) != 0)
		return complain(&to, result, "memory stays readable");

	expected.uid = geteuid();
	expected.gid = getegid();
	result = check(gettid(), &expected);
	if (result == 0)
		result = for_each_thread(check, &expected);
	return result;
}
